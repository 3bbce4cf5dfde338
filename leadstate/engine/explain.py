"""Reads and plans one object in every account, whether or not a file declares it."""

from collections.abc import Sequence
from dataclasses import replace

from leadstate.engine.jobs import AccountJob, Ended, each
from leadstate.engine.read.observe import is_always_read
from leadstate.engine.run import Seen, Settings, look, plan_of, unread
from leadstate.kinds import KINDS
from leadstate.model.address import Target
from leadstate.model.diagnostics import Diagnostic
from leadstate.model.plan import AccountPlan
from leadstate.pipedrive.client import Reader


async def look_all(
    work: Sequence[AccountJob], target: Target, settings: Settings, ended: Ended | None = None
) -> list[tuple[AccountPlan, Seen | None]]:
    """Return each account's plan limited to the object and what it was made from; None if it could not be read.

    Args:
        work: the accounts.
        target: the object.
        settings: how to plan; its targets are replaced.
        ended: hears of each account that was read.
    """
    chosen = replace(settings, targets=(target,))

    async def read(job: AccountJob) -> tuple[AccountPlan, Seen | None]:
        reader, policy = Reader(job.connection), job.account.policy
        rules = dict(policy.prune_rules)
        if not is_always_read(KINDS[target.kind]):
            # Undeclared objects are only read where one may be deleted. The plan is made with the account's own rule.
            rules[target.kind] = KINDS[target.kind].prune[0]
        seen = await look(replace(job.account, policy=replace(policy, prune_rules=rules)), reader, chosen)
        if isinstance(seen, Diagnostic):
            return unread(job.account, seen), None
        seen = replace(seen, account=replace(seen.account, policy=policy))
        return plan_of(seen, reader, chosen), seen

    return await each(work, read, lambda job, diagnostic: (unread(job.account, diagnostic), None), ended)
