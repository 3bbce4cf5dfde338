"""All accounts at once, within bounds. A bad account does not sink the rest: its failure is a diagnostic of its own."""

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from leadstate.core.account import Account
from leadstate.core.address import Target
from leadstate.core.diagnostics import Diagnostic
from leadstate.core.errors import finding_of
from leadstate.core.guard import Budget, guard, lift
from leadstate.core.observed import Observed
from leadstate.core.outcome import Outcome, Status
from leadstate.core.plan import AccountPlan
from leadstate.core.planner import plan_account
from leadstate.core.policy import Impact, Prune
from leadstate.core.resource import Bindings
from leadstate.core.restore import plan_restore
from leadstate.engine.company import wrong_company
from leadstate.engine.events import Observer
from leadstate.engine.execute import Outcomes, execute
from leadstate.engine.lookup import resolve
from leadstate.engine.observe import existing, observe
from leadstate.engine.recorder import Recorder
from leadstate.engine.restore import observe_touched
from leadstate.kinds import KIND_NAMES, cost
from leadstate.kinds.label import LABEL
from leadstate.kinds.lead import LEAD
from leadstate.pipedrive.client import Reader
from leadstate.pipedrive.connection import Connection, Spent
from leadstate.pipedrive.errors import ApiError

AT_ONCE = 16
"""Accounts worked on at the same time: limits are an account's own, sockets and memory are ours."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Settings:
    """How to plan.

    Attributes:
        targets: the objects to plan; none means all.
        impact: how thoroughly leads that carry a deleted label are counted.
        allow: codes of guards that the user lifts.
        max_tokens: API tokens that an account's apply may cost, over the policy's; None leaves that in force.
        reserve: percent of a day's API tokens that an apply must leave; None for no such rule.
        everything: whether live leads are to be listed, whatever the lock file knows.
        today: the day, in UTC; unless given, every day has come from which on something is deleted.
    """

    targets: tuple[Target, ...] = ()
    impact: Impact = Impact.LIVE
    allow: frozenset[str] = frozenset()
    max_tokens: int | None = None
    reserve: int | None = None
    everything: bool = False
    today: dt.date = dt.date.max


@dataclass(frozen=True, slots=True)
class Work:
    """One account and the way to it."""

    account: Account
    connection: Connection


@dataclass(frozen=True, slots=True)
class Seen:
    """What a plan of one account is made from.

    Attributes:
        account: what is declared, as far as the targets need it, with ids in place of descriptions.
        observed: what exists.
        findings: descriptions that fit nothing, or several.
    """

    account: Account
    observed: Observed
    findings: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of one account's plan.

    Attributes:
        outcomes: of each change; empty where there was nothing to do.
        spent: what applying has cost, reading again excepted.
        remaining: the plan made afterwards; None where the account could not be read again.
    """

    outcomes: Outcomes
    spent: Spent
    remaining: AccountPlan | None

    @property
    def settled(self) -> bool:
        """Whether everything was done, and nothing is left to do."""
        done = all(one.status is Status.APPLIED for one in self.outcomes.values())
        return done and self.remaining is not None and not self.remaining.changes


Ended = Callable[[Work], None]
"""Hears that an account has come to its end; must not raise."""


async def plan_all(work: Sequence[Work], settings: Settings, ended: Ended | None = None) -> list[AccountPlan]:
    """Plan every account, in the order given; `ended` hears of each that is planned."""
    return await each(work, lambda one: plan_one(one.account, Reader(one.connection), settings), ended)


def untouched(plan: AccountPlan, why: str) -> Applied:
    """What became of a plan that was not begun."""
    return Applied({one.address: Outcome(Status.SKIPPED, why) for one in plan.changes}, Spent(), plan)


async def apply_all(
    work: Sequence[Work],
    plans: Sequence[AccountPlan],
    settings: Settings,
    observer: Observer | None = None,
    interrupted: asyncio.Event | None = None,
) -> list[Applied]:
    """Apply each account's plan, then read the account again. The caller has checked that the plans may be applied.

    Args:
        work: the accounts.
        plans: a plan for each of them.
        settings: as the plans were made with.
        observer: hears of each change as it ends.
        interrupted: once set, nothing new is begun.
    """
    by_account = {plan.account: plan for plan in plans}
    return await each(work, lambda one: _apply(one, by_account[one.account.name], settings, observer, interrupted))


async def each(work: Sequence[Work], do: Callable[[Work], Awaitable[T]], ended: Ended | None = None) -> list[T]:
    """Do something with every account, so many at once; what it gives, in the order of the accounts."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def gated(one: Work) -> T:
        async with gate:
            done = await do(one)
        if ended is not None:
            ended(one)
        return done

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(gated(one)) for one in work]
    return [task.result() for task in tasks]


async def look(account: Account, reader: Reader, settings: Settings) -> Seen | Diagnostic:
    """Read what a plan of the account needs; what keeps it from being read is a finding."""
    try:
        wrong = await wrong_company(account, reader)
        if wrong is not None:
            return wrong
        if account.receipt is not None:
            return Seen(*await observe_touched(account, account.receipt, reader))
        account = _targeted(account, settings.targets)
        observed = await observe(account, reader, settings.impact, everything=settings.everything)
        account, observed, findings = await resolve(account, observed, reader)
    except ApiError as failure:
        return finding_of(failure, account.name)
    return Seen(account, observed, findings)


def plan_of(seen: Seen, reader: Reader, settings: Settings) -> AccountPlan:
    """The plan that follows from what was seen, and what the guards say to it."""
    account, observed = seen.account, seen.observed
    if account.receipt is not None:
        plan = plan_restore(account, account.receipt, observed)
    else:
        plan = plan_account(account, observed, KIND_NAMES, settings.targets, today=settings.today)
    limit = account.policy.max_tokens if settings.max_tokens is None else settings.max_tokens
    policy = replace(account.policy, max_tokens=limit)
    left, a_day = reader.tokens_today
    budget = Budget(cost(plan.changes), left, a_day, settings.reserve)
    refusals = guard(plan, policy, existing(observed), budget)
    return replace(plan, diagnostics=lift((*seen.findings, *plan.diagnostics, *refusals), settings.allow))


async def plan_one(account: Account, reader: Reader, settings: Settings) -> AccountPlan:
    """Read and plan one account."""
    seen = await look(account, reader, settings)
    if isinstance(seen, Diagnostic):
        return unread(account, seen)
    return plan_of(seen, reader, settings)


def unread(account: Account, finding: Diagnostic) -> AccountPlan:
    """The plan of an account that could not be read: nothing, and why."""
    return AccountPlan(account.name, account.origin, (), (), 0, (finding,), Bindings(), complete=False)


def _targeted(account: Account, targets: Sequence[Target]) -> Account:
    """The part of the account that a targeted run looks at: reading leads for a label alone would be waste."""
    if not targets:
        return account
    wanted = [one for one in account.desired if any(target.selects(one.address) for target in targets)]
    labels = [one for one in account.of_kind(LABEL.name) if one not in wanted]
    leads = any(target.kind == LEAD.name for target in targets)
    policy = account.policy if leads else replace(account.policy, prune_leads=Prune.NONE)
    return replace(account, desired=(*wanted, *labels), policy=policy)


async def _apply(
    work: Work, plan: AccountPlan, settings: Settings, observer: Observer | None, interrupted: asyncio.Event | None
) -> Applied:
    if not plan.applyable or not plan.changes:
        return Applied({}, Spent(), plan if plan.complete else None)
    observer = observer or Observer()
    writer = Recorder(work.connection, plan, observer)
    before = writer.spent.copy()
    outcomes = await execute(plan, writer, observer, interrupted)
    spent = writer.spent.since(before)
    again = await plan_one(work.account, writer, settings)
    # What was read again has served its purpose; a thousand accounts of it are not kept.
    return Applied(outcomes, spent, replace(again, labels=(), bindings=Bindings()) if again.complete else None)
