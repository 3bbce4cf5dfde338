"""Reads what is there of one object, as a plan limited to it would, and says what a plan makes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from leadstate.engine.jobs import AccountJob, Ended, each
from leadstate.engine.read.observe import is_always_read
from leadstate.engine.run import Settings, look, plan_of, unread
from leadstate.kinds import KINDS
from leadstate.model.address import Address, Target
from leadstate.model.diagnostics import Diagnostic
from leadstate.model.plan import AccountPlan
from leadstate.pipedrive.client import Reader
from leadstate.reconcile.explain import Explained, explain, known_words


@dataclass(frozen=True, slots=True)
class Found:
    """What one account has of the object.

    Attributes:
        plan: the plan of the account, limited to the object.
        explained: None where it is neither declared nor there.
        known: kind and word → the object that the word may mean.
    """

    plan: AccountPlan
    explained: Explained | None = None
    known: Mapping[tuple[str, str], Address] = field(default_factory=dict)


async def explain_all(
    work: Sequence[AccountJob], target: Target, settings: Settings, ended: Ended | None = None
) -> list[Found]:
    """Explain the object in every account, in the order given; `ended` hears of each account that was read."""
    chosen = replace(settings, targets=(target,))
    return await each(
        work,
        lambda job: _explain(job, target, chosen),
        lambda job, diagnostic: Found(unread(job.account, diagnostic)),
        ended,
    )


async def _explain(job: AccountJob, target: Target, settings: Settings) -> Found:
    reader = Reader(job.connection)
    policy = job.account.policy
    # Undeclared objects are read where one may be deleted; here the target is only looked at.
    sought = policy
    if not is_always_read(KINDS[target.kind]):
        sought = replace(policy, prune_rules={**policy.prune_rules, target.kind: KINDS[target.kind].prune[0]})
    seen = await look(replace(job.account, policy=sought), reader, settings)
    if isinstance(seen, Diagnostic):
        return Found(unread(job.account, seen))
    account = replace(seen.account, policy=policy)
    plan = plan_of(replace(seen, account=account), reader, settings)
    address = Address(account.name, target.kind, target.key)
    explained = explain(address, account, seen.observed, plan, tuple(KINDS), declared=job.account)
    everything = replace(account, desired=job.account.desired)
    return Found(plan, explained, known_words(everything, seen.observed, tuple(KINDS)))
