"""Plans two revisions of a configuration against one reading of each account, to tell what is new from what drifted.

What this revision's plan was made from is enough for the other one's, as far as the two are compared: every change is
about an object that was read, or that is declared here. Only a description of a person, organization or user that this
revision has replaced is looked up besides.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from leadstate.engine.jobs import AccountJob, Ended, each
from leadstate.engine.read.lookups import resolve
from leadstate.engine.run import Seen, Settings, look, plan_of, unread
from leadstate.kinds import KINDS
from leadstate.model.account import Account
from leadstate.model.diagnostics import Diagnostic, Severity, diagnostic_of
from leadstate.model.plan import AccountPlan
from leadstate.model.resource import CustomValue, Desired, Lookup
from leadstate.pipedrive.client import Reader
from leadstate.pipedrive.connection import Spent
from leadstate.pipedrive.errors import ApiError
from leadstate.reconcile.attribution import with_origins
from leadstate.reconcile.planner import plan_account


@dataclass(frozen=True, slots=True)
class Compared:
    """A plan whose changes say where they come from, and what had to be read for that besides."""

    plan: AccountPlan
    besides: Spent


async def plan_and_compare(
    work: Sequence[AccountJob], bases: Mapping[str, Account], settings: Settings, ended: Ended | None = None
) -> list[Compared]:
    """Plan every account, in the order given.

    Args:
        work: the accounts, as this revision declares them.
        bases: account → the same one as the other revision declares it; an account that is not in it is new.
        settings: how to plan.
        ended: hears of each account that is planned.
    """
    return await each(
        work,
        lambda job: _compare(job, bases.get(job.account.name), settings),
        lambda job, diagnostic: Compared(unread(job.account, diagnostic), Spent()),
        ended,
    )


async def _compare(job: AccountJob, base: Account | None, settings: Settings) -> Compared:
    reader = Reader(job.connection)
    seen = await look(job.account, reader, settings)
    if isinstance(seen, Diagnostic):
        return Compared(unread(job.account, seen), Spent())
    plan = plan_of(seen, reader, settings)
    if base is None:
        return Compared(with_origins(plan, None), Spent())
    before = reader.spent.copy()
    base = replace(base, desired=tuple(_comparable(base, job.account, seen, plan)))
    try:
        base, observed, _ = await resolve(base, seen.observed, reader)
    except ApiError as failure:
        plan = replace(plan, diagnostics=(*plan.diagnostics, _unknown(diagnostic_of(failure, plan.account))))
    else:
        # All of it, for what is targeted here may have another key there.
        plan = with_origins(plan, plan_account(base, observed, tuple(KINDS), today=settings.today))
    return Compared(plan, reader.spent.since(before))


def _comparable(base: Account, declared: Account, seen: Seen, plan: AccountPlan) -> Iterator[Desired]:
    """Yield what the base declares of objects that were looked for, its descriptions replaced by ids that are known.

    A description without an id stays where this plan changes the very field, and is left out elsewhere.
    """
    markers = {desired_item.marker for desired_item in seen.account.desired}
    markers |= {live.marker for listed in seen.observed.live.values() for live in listed}
    ids = _known_ids(declared, seen.account)
    changed = {(change.address, field.attribute) for change in plan.changes for field in change.fields}
    for desired_item in base.desired:
        attrs = dict(desired_item.attrs)
        for name, value in desired_item.attrs.items():
            if isinstance(value, Lookup) and value in ids:
                attrs[name] = ids[value]
            elif isinstance(value, Lookup) and (desired_item.address, name) not in changed:
                del attrs[name]
            elif isinstance(value, CustomValue) and seen.observed.fields is None:
                del attrs[name]  # this revision declares none, so none of its changes is about one
        if desired_item.marker is None or desired_item.marker in markers:
            yield replace(desired_item, attrs=attrs)


def _known_ids(declared: Account, resolved: Account) -> dict[Lookup, int]:
    before = {desired_item.address: desired_item.attrs for desired_item in declared.desired}
    return {
        value: found
        for desired_item in resolved.desired
        for name, value in before[desired_item.address].items()
        if isinstance(value, Lookup) and isinstance(found := desired_item.attrs.get(name), int)
    }


def _unknown(failure: Diagnostic) -> Diagnostic:
    summary = f"no change says where it comes from: what the base declares was not looked up: {failure.summary}"
    return replace(failure, code="origin-unknown", severity=Severity.WARNING, summary=summary)
