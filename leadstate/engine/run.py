"""Plans accounts, also against another revision of the configuration, and applies plans.

What a plan was made from is enough for the other revision, as far as the two are compared: every change is about an
object that was read, or that is declared here. Only a description of a person, organization or user that this revision
has replaced is looked up besides.
"""

import asyncio
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from leadstate.engine.apply.execute import Outcomes, execute
from leadstate.engine.events import Observer
from leadstate.engine.jobs import AccountJob, Ended, each, failure_of
from leadstate.engine.read.lookups import resolve
from leadstate.engine.read.observe import check_company, is_always_read, observe
from leadstate.engine.restore import observe_touched
from leadstate.kinds import KINDS, with_calls
from leadstate.model.account import Account, ImpactLevel, Prune
from leadstate.model.address import Ref, Target
from leadstate.model.diagnostics import Diagnostic, Severity, diagnostic_of, worst
from leadstate.model.plan import AccountPlan, Action, Change, Outcome, Status
from leadstate.model.resource import Bindings, CustomValue, Desired, Lookup, Observed
from leadstate.pipedrive.client import Reader
from leadstate.pipedrive.connection import Spent
from leadstate.pipedrive.errors import ApiError
from leadstate.reconcile.attribution import with_origins
from leadstate.reconcile.guards import Budget, guard, lift
from leadstate.reconcile.match import Matching
from leadstate.reconcile.planner import plan_account
from leadstate.reconcile.restore import plan_restore


@dataclass(frozen=True, slots=True)
class Settings:
    """How to plan.

    Attributes:
        targets: the objects to plan; none means all.
        impact: how thoroughly leads that carry a deleted label are counted.
        allow: codes of guards that the user lifts.
        max_tokens: rate-limit tokens that an account's apply may cost, over the policy's; None leaves that in force.
        reserve: percent of a day's rate-limit tokens that an apply must leave.
        everything: whether live leads are to be listed, whatever the lock file knows.
        today: the day, in UTC; unless given, every day has come from which on something is deleted.
    """

    targets: tuple[Target, ...] = ()
    impact: ImpactLevel = ImpactLevel.LIVE
    allow: frozenset[str] = frozenset()
    max_tokens: int | None = None
    reserve: int = 0
    everything: bool = False
    today: dt.date = dt.date.max


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a plan of one account is made from.

    Attributes:
        account: what is declared, as far as the targets need it, with ids in place of descriptions.
        observed: what exists.
        diagnostics: descriptions that fit nothing, or several.
        matched: kind → what is declared matched with what exists, as far as reading needed to know that.
        tokens: rate-limit tokens that reading it has cost.
    """

    account: Account
    observed: Observed
    diagnostics: tuple[Diagnostic, ...]
    matched: Mapping[str, Matching]
    tokens: int


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of one account's plan.

    Attributes:
        outcomes: of each change; empty where there was nothing to do.
        spent: what applying has cost, reading again excepted.
        remaining: the plan made afterwards; None where the account could not be read again.
        unread: why it could not.
        declined: how many changes of that plan were declined.
    """

    outcomes: Outcomes
    spent: Spent
    remaining: AccountPlan | None
    unread: str = ""
    declined: int = 0

    @property
    def converged(self) -> bool:
        """Whether the account was read again, and nothing but what was declined is left, nor is there an error."""
        plan = self.remaining
        return plan is not None and len(plan.changes) == self.declined and worst(plan.diagnostics) is not Severity.ERROR

    @property
    def settled(self) -> bool:
        """Whether everything that was not declined was done, and nothing else is left to do."""
        return self.converged and all(
            outcome.status in (Status.APPLIED, Status.DECLINED) for outcome in self.outcomes.values()
        )


@dataclass(frozen=True, slots=True)
class Compared:
    """A plan whose changes say where they come from, and what had to be read for that besides."""

    plan: AccountPlan
    besides: Spent


async def plan_all(work: Sequence[AccountJob], settings: Settings, ended: Ended | None = None) -> list[AccountPlan]:
    """Plan every account, in the order given; `ended` hears of each that is planned."""
    return await each(
        work,
        lambda job: plan_one(job.account, Reader(job.connection), settings),
        lambda job, diagnostic: unread(job.account, diagnostic),
        ended,
    )


def skip_all(plan: AccountPlan, why: str = "", declined: Outcomes | None = None) -> Applied:
    """Return what became of a plan that was not begun: its changes are skipped for the reason that is given, if any."""
    skipped = {change.address: Outcome(Status.SKIPPED, why) for change in plan.changes} if why else {}
    outcomes = skipped | (declined or {})
    if not plan.complete:
        why_unread = next((d.summary for d in plan.diagnostics if d.severity is Severity.ERROR), "")
        return Applied(outcomes, Spent(), None, why_unread)
    return Applied(outcomes, Spent(), plan, declined=len(declined or {}))


async def apply_all(
    work: Sequence[AccountJob],
    plans: Sequence[AccountPlan],
    settings: Settings,
    observers: Sequence[Observer] = (),
    interrupted: asyncio.Event | None = None,
    *,
    declined: Mapping[str, Outcomes] | None = None,
) -> list[Applied]:
    """Apply each account's plan, then read the account again. The caller has checked that the plans may be applied.

    Args:
        work: the accounts.
        plans: a plan for each of them.
        settings: as the plans were made with.
        observers: hear of each change as it ends.
        interrupted: once set, nothing new is begun.
        declined: account → what `decline` returned: changes that are not made, and are no failures.
    """
    by_account = {plan.account: plan for plan in plans}
    without = {job.account.name: (declined or {}).get(job.account.name, {}) for job in work}

    async def apply(job: AccountJob) -> Applied:
        plan, left_out = by_account[job.account.name], without[job.account.name]
        if not plan.applyable or not plan.changes:
            return skip_all(plan)
        before = job.connection.spent.copy()
        outcomes = await execute(plan, job.connection, observers, interrupted, left_out)
        if len(left_out) == len(plan.changes):
            return Applied(outcomes, Spent(), plan, declined=len(left_out))
        spent = job.connection.spent.since(before)
        try:
            again = await _plan_again(job, plan, settings)
        except Exception as failure:  # noqa: BLE001  what was done is reported, whatever became of the reading after it
            return Applied(outcomes, spent, None, failure_of(failure, plan.account).summary)
        # What was read again has served its purpose; a thousand accounts of it are not kept.
        left = replace(again, named=(), bindings=Bindings())
        return Applied(outcomes, spent, left, declined=_count_declined(plan, left_out, again) if left_out else 0)

    return await each(
        work, apply, lambda job, diagnostic: Applied(without[job.account.name], Spent(), None, diagnostic.summary)
    )


async def refresh(account: Account, reader: Reader, settings: Settings) -> Refreshed:
    """Read what a plan of the account needs.

    Raises:
        AnotherCompany: the token is of another company.
        ApiError: the account could not be read as a whole.
    """
    before = reader.spent.copy()
    await check_company(account, reader)
    matched: Mapping[str, Matching] = {}
    diagnostics: tuple[Diagnostic, ...] = ()
    if account.receipt is not None:
        account, observed, diagnostics = await observe_touched(account, account.receipt, reader)
    else:
        account = account.with_former_keys()
        if settings.targets:
            account = _limit_to_targets(account, settings.targets)
        observed, matched = await observe(account, reader, settings.impact, everything=settings.everything)
        if not all(KINDS[desired.address.kind].is_named for desired in account.desired):
            account, observed, diagnostics = await resolve(account, observed, reader)
        if observed.filters_hidden:
            diagnostics = (_warn_of_hidden_filters(account), *diagnostics)
    return Refreshed(account, observed, diagnostics, matched, reader.spent.since(before).tokens)


def _warn_of_hidden_filters(account: Account) -> Diagnostic:
    return Diagnostic(
        "filters-not-read",
        Severity.WARNING,
        "the token may not read saved filters: one of them may name a label that is deleted",
        hint="look through the filters in Pipedrive; an OAuth client needs the scope contacts:read or deals:read",
        account=account.name,
    )


def plan_of(refreshed: Refreshed, reader: Reader, settings: Settings) -> AccountPlan:
    """Return the plan that follows from the live state that was read, with the diagnostics of the guards."""
    account, observed = refreshed.account, refreshed.observed
    if account.receipt is not None:
        plan = plan_restore(account, account.receipt, observed, settings.targets)
    else:
        plan = plan_account(account, observed, tuple(KINDS), settings.targets, refreshed.matched, today=settings.today)
    named = (live for kind in KINDS.values() if kind.is_named for live in observed.live.get(kind.name, ()))
    names = {**observed.names, **plan.names}
    plan = replace(plan, changes=with_calls(plan.changes), named=tuple(named), names=names)
    limit = account.policy.max_tokens if settings.max_tokens is None else settings.max_tokens
    policy = replace(account.policy, max_tokens=limit)
    left, a_day = reader.tokens_today
    budget = Budget(plan.forecast[1], refreshed.tokens, left, a_day, settings.reserve)
    deletable = {kind: sum(there.frozen_by is None for there in live) for kind, live in observed.live.items()}
    refusals = guard(plan, policy, deletable, budget)
    return replace(plan, diagnostics=lift((*refreshed.diagnostics, *plan.diagnostics, *refusals), settings.allow))


async def plan_one(account: Account, reader: Reader, settings: Settings) -> AccountPlan:
    """Read and plan one account; raise as `refresh`."""
    return plan_of(await refresh(account, reader, settings), reader, settings)


def unread(account: Account, diagnostic: Diagnostic) -> AccountPlan:
    """Return the plan of an account that could not be read: no changes, and the reason."""
    return AccountPlan(account.name, account.origin, (), (), 0, (diagnostic,), Bindings(), complete=False)


def _limit_to_targets(account: Account, targets: Sequence[Target]) -> Account:
    """Return the part of the account that a targeted run looks at: reading leads for a label alone would be waste."""
    targeted = {target.kind for target in targets}
    # Kinds identified by name are matched as a whole: one object may have taken the name of another.
    whole = {kind.name for kind in KINDS.values() if is_always_read(kind) or (kind.is_named and kind.name in targeted)}
    rules = {kind: rule for kind, rule in account.policy.prune_rules.items() if kind in whole | targeted}
    wanted = []
    for desired in account.desired:
        kind = desired.address.kind
        if kind in whole or any(target.selects(desired.address) for target in targets):
            wanted.append(desired)
        elif rules.get(kind, Prune.NONE) is not Prune.NONE:
            # Undeclared objects are deleted, and a target may be a former key of this one. Nothing of it is planned.
            wanted.append(replace(desired, attrs={}))
    return replace(account, desired=wanted, policy=replace(account.policy, prune_rules=rules))


async def refresh_target(
    work: Sequence[AccountJob], target: Target, settings: Settings, ended: Ended | None = None
) -> list[tuple[AccountPlan, Refreshed | None]]:
    """Return each account's plan limited to the object and what it was made from; None if it could not be read.

    Args:
        work: the accounts.
        target: the object.
        settings: how to plan; its targets are replaced.
        ended: hears of each account that was read.
    """
    chosen = replace(settings, targets=(target,))

    async def read(job: AccountJob) -> tuple[AccountPlan, Refreshed | None]:
        reader, policy = Reader(job.connection), job.account.policy
        rules = dict(policy.prune_rules)
        if not is_always_read(KINDS[target.kind]):
            # Undeclared objects are only read where one may be deleted. The plan is made with the account's own rule.
            rules[target.kind] = KINDS[target.kind].prune[0]
        refreshed = await refresh(replace(job.account, policy=replace(policy, prune_rules=rules)), reader, chosen)
        refreshed = replace(refreshed, account=replace(refreshed.account, policy=policy))
        return plan_of(refreshed, reader, chosen), refreshed

    return await each(work, read, lambda job, diagnostic: (unread(job.account, diagnostic), None), ended)


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
    refreshed = await refresh(job.account, reader, settings)
    plan = plan_of(refreshed, reader, settings)
    if base is None:
        return Compared(with_origins(plan, None), Spent())
    before = reader.spent.copy()
    base = replace(base, desired=tuple(_select_comparable(base, job.account, refreshed, plan)))
    try:
        base, observed, _ = await resolve(base, refreshed.observed, reader)
    except ApiError as failure:
        why = diagnostic_of(failure, plan.account)
        words = f"no change says where it comes from: what the base declares was not looked up: {why.summary}"
        unknown = replace(why, code="origin-unknown", severity=Severity.WARNING, summary=words)
        plan = replace(plan, diagnostics=(*plan.diagnostics, unknown))
    else:
        # All of it, for what is targeted here may have another key there.
        plan = with_origins(plan, plan_account(base, observed, tuple(KINDS), today=settings.today))
    return Compared(plan, reader.spent.since(before))


def _select_comparable(base: Account, declared: Account, refreshed: Refreshed, plan: AccountPlan) -> Iterator[Desired]:
    """Yield what the base declares of objects that were looked for, its descriptions replaced by ids that are known.

    A description without an id stays where this plan changes the very field, and is left out elsewhere.
    """
    markers = {desired.marker for desired in refreshed.account.desired}
    markers |= {live.marker for listed in refreshed.observed.live.values() for live in listed}
    written = {desired.address: desired.attrs for desired in declared.desired}
    # Each object's own: for another one the same words may mean somebody else.
    own = {
        (desired.address, name, value): id_
        for desired in refreshed.account.desired
        for name, value in written[desired.address].items()
        if isinstance(value, Lookup) and isinstance(id_ := desired.attrs.get(name), int)
    }
    changed = {(change.address, field.attribute) for change in plan.changes for field in change.fields}
    for desired in base.desired:
        attrs = dict(desired.attrs)
        for name, value in desired.attrs.items():
            known = own.get((desired.address, name, value)) if isinstance(value, Lookup) else None
            if known is not None:
                attrs[name] = known
            elif isinstance(value, Lookup) and (desired.address, name) not in changed:
                del attrs[name]
            elif isinstance(value, CustomValue) and refreshed.observed.fields is None:
                del attrs[name]  # this revision declares none, so none of its changes is about one
        if desired.marker is None or desired.marker in markers:
            yield replace(desired, attrs=attrs)


async def _plan_again(job: AccountJob, plan: AccountPlan, settings: Settings) -> AccountPlan:
    """Return the plan of an account to which a plan was applied.

    Ids that the apply has learnt stand in the account as a lock file would remember them: a lead that it archived is
    found by its id, however long the list of archived leads is. They must not keep leads from being listed, since only
    a list shows a second lead of a marker.
    """
    lock = _lock_after(job.account.lock, plan)
    learnt = any(lock[ref] != job.account.lock.get(ref) for ref in lock if not KINDS[ref.kind].is_named)
    settings = replace(settings, everything=settings.everything or learnt)
    return await plan_one(replace(job.account, lock=lock), Reader(job.connection), settings)


def _lock_after(lock: Mapping[Ref, str], plan: AccountPlan) -> Mapping[Ref, str]:
    """Return what a lock file holds after an apply: with the ids of what that created and updated."""
    refs = {change.address.ref for change in plan.changes if change.action is not Action.DELETE}
    ids = {ref: remote_id for ref in refs if (remote_id := plan.bindings.id_of(ref)) is not None}
    taken = {(ref.kind, remote_id) for ref, remote_id in ids.items()}
    return {**{ref: remote_id for ref, remote_id in lock.items() if (ref.kind, remote_id) not in taken}, **ids}


def _count_declined(plan: AccountPlan, declined: Outcomes, again: AccountPlan) -> int:
    """Return how many changes of a new plan are those that were declined.

    Ids tell: an object that no file declares is called by its name, or by name and id where another one has the name.
    """

    def identity(change: Change) -> tuple[str, Action, str]:
        return change.address.kind, change.action, change.remote_id or change.address.key

    left_out = {identity(change) for change in plan.changes if change.address in declined}
    return sum(identity(change) in left_out for change in again.changes)
