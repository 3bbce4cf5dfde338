"""The accounts of a configuration, connected: plan them, apply a plan. What the command line and schedulers call.

Prints nothing and knows no exit codes. What is asked of a person, shown or logged is up to the caller.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property, partial
from itertools import product
from pathlib import Path
from typing import Any

import platformdirs

from leadstate.api.configuration import Baseline, check_function, check_texts, check_type, select
from leadstate.api.credentials import Warn, signers_of, uses_https
from leadstate.api.lockfile import read_lengths, update_lock_file, write_lengths
from leadstate.api.receipts import Receipt, find_undone
from leadstate.api.results import Event, Plan, Refused, Reporter, Result, StalePlan
from leadstate.api.run_lock import NoStateFolder, wait_for_locks
from leadstate.config import Configuration, LockError
from leadstate.engine.apply.execute import Outcomes, decline
from leadstate.engine.events import Observer
from leadstate.engine.jobs import AccountJob, Ended
from leadstate.engine.run import Applied, Settings, apply_all, plan_all, plan_and_compare, skip_all, unread
from leadstate.kinds import KINDS
from leadstate.model.account import Account, ImpactLevel
from leadstate.model.address import Address, Target, accounts_of
from leadstate.model.diagnostics import (
    Diagnostic,
    LeadstateError,
    ReportError,
    Severity,
    reason_of,
    some,
)
from leadstate.model.plan import AccountPlan
from leadstate.model.rollout import Limit, Rollout
from leadstate.pipedrive.answers import BOUNDS, Bounds
from leadstate.pipedrive.connection import Connection, Pace, Spent, Transport, http_client
from leadstate.pipedrive.operations import Delay
from leadstate.reconcile.guards import GUARDS
from leadstate.report import document as doc
from leadstate.report.build import Part, build
from leadstate.report.verify import differences


class SessionClosed(LeadstateError):
    """A session is used after the `async with` that opened it has ended."""

    code = "session-closed"


class UnknownTarget(LeadstateError):
    """A target is not an address, or nothing is declared or planned at it."""

    code = "unknown-target"


@dataclass(frozen=True)
class Runtime:
    """What a run takes from its surroundings.

    Attributes:
        environ: the variables that `token: {env: NAME}` names; nothing else is read from it.
        transport: carries requests in place of the network, for tests.
        pace: clock, sleep and chance.
        bounds: of answers and listings.
        now: the time, in UTC.
        receipts: the folder of receipts.
        cache: the folder that remembers how long listings were.
        state: the folder of the locks that keep two runs apart.
    """

    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    transport: Transport | None = None
    pace: Pace = field(default_factory=Pace)
    bounds: Bounds = BOUNDS
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    receipts: Path = Path(".leadstate", "receipts")
    cache: Path = field(default_factory=lambda: platformdirs.user_cache_path("leadstate"))
    state: Path = field(default_factory=lambda: platformdirs.user_state_path("leadstate"))

    def __post_init__(self) -> None:
        """Take texts for the folders, too: an apply must not fail half-way on one."""
        for name in ("receipts", "cache", "state"):
            folder = Path(getattr(self, name))
            with suppress(RuntimeError):  # a user without a home has a literal "~"
                folder = folder.expanduser()
            object.__setattr__(self, name, folder)


@dataclass(frozen=True)
class Session:
    """Connected accounts.

    Attributes:
        configuration: what they declare.
        work: the accounts that can be worked on.
        unusable: a plan that says why, for each that cannot.
        runtime: its surroundings.
        warnings: what nobody else hears of; plans and results hold it.
    """

    configuration: Configuration
    work: tuple[AccountJob, ...]
    unusable: tuple[AccountPlan, ...]
    runtime: Runtime
    warnings: Sequence[Diagnostic] = ()

    @property
    def limit(self) -> Limit:
        """Which part of all accounts these are."""
        return self.configuration.limit

    @cached_property
    def accounts(self) -> tuple[Account, ...]:
        """The accounts as they are declared."""
        return tuple(declared.account for declared in self.configuration.accounts)

    @property
    def failures(self) -> tuple[Diagnostic, ...]:
        """Why accounts cannot be worked on."""
        return tuple(diagnostic for plan in self.unusable for diagnostic in plan.diagnostics)

    def spent(self) -> dict[str, Spent]:
        """Account → what its connection has spent so far."""
        return {job.account.name: job.connection.spent.copy() for job in self.work}

    async def plan(
        self,
        targets: Sequence[str] = (),
        *,
        impact: str = ImpactLevel.LIVE,
        allow: Sequence[str] = (),
        max_tokens: int | None = None,
        reserve: int = 0,
        everything: bool = False,
        base: Baseline | None = None,
        ended: Ended | None = None,
    ) -> Plan:
        """Plan the accounts; never writes.

        Args:
            targets: addresses, as `label:Hot` or `emea/label:Hot`; none means all. Where each names its account, only
                those accounts are read.
            impact: `none`, `live` or `full`: how thoroughly leads that carry a deleted label are counted.
            allow: guards to lift.
            max_tokens: rate-limit tokens that an account's apply may cost, over the configuration's limit.
            reserve: percent of the daily rate-limit tokens that an apply must leave.
            everything: whether to list live leads whatever the lock file knows.
            base: another revision; each change then says whether it is new or drift.
            ended: hears of each account that is planned.

        Raises:
            UnknownTarget: a target is not an address, or names nothing here; with a shard another one may have it.
            SessionClosed: the session has ended.
            TypeError: an argument has the wrong type.
            ValueError: a number is out of its bounds, or no guard or impact is called so.
        """
        if any(job.connection.closed for job in self.work):
            raise SessionClosed(
                "this session is closed", hint="plan and apply within `async with leadstate.connect(…)`"
            )
        targets, lifted = check_texts("targets", targets), frozenset(check_texts("allow", allow))
        for value, known in (*((guard, GUARDS) for guard in sorted(lifted)), (impact, tuple(ImpactLevel))):
            if value not in known:
                raise ValueError(f"{value!r} is not one of {', '.join(known)}")
        if max_tokens is not None:
            _check_integer("max_tokens", max_tokens)
        _check_integer("reserve", reserve, most=100)
        before = self.spent()
        settings = Settings(
            tuple(map(_parse_target, targets)),
            ImpactLevel(impact),
            lifted,
            max_tokens,
            reserve,
            everything,
            self.runtime.now().date(),
        )
        chosen = self._select_accounts(settings.targets)
        work = [job for job in self.work if job.account.name in chosen]
        unusable = (plan for plan in self.unusable if plan.account in chosen)
        besides: list[tuple[int, int]] = []
        if base is None or base.accounts is None:
            plans = (*await plan_all(work, settings, ended), *unusable)
        else:
            compared = await plan_and_compare(work, base.accounts, settings, ended)
            plans = (*(comparison.plan for comparison in compared), *unusable)
            besides = [comparison.besides.cost for comparison in compared]
        if settings.targets:
            self._check_targets(settings.targets, plans)
        document = partial(
            _build_plan,
            costs={name: spent.since(before[name]).cost for name, spent in self.spent().items()},
            scope=doc.Scope(accounts=self.limit.accounts, targets=tuple(targets), shard=self.limit.shard),
            diagnostics=(*self.configuration.diagnostics, *self.warnings, *(base.diagnostics if base else ())),
            base=None
            if base is None
            else doc.Base(revision=base.revision, commit=base.commit, read=doc.Requests.sum(besides)),
            undoes=find_undone(self.accounts),
        )
        return Plan(self.configuration, settings, plans, before, document)

    async def apply(
        self,
        plan: Plan | doc.Report,
        *,
        allow: Sequence[str] = (),
        max_tokens: int | None = None,
        only: Sequence[str] | None = None,
        on_event: Callable[[Event], object] | None = None,
        lock: bool | None = None,
        lock_timeout: float = 0.0,
        rollout: Rollout | None = None,
    ) -> Result:
        """Apply a plan that was reviewed: plan again, compare, apply, read again.

        Args:
            plan: the plan, made by this session or another one, or a stored one (`leadstate.read_report`).
            allow: guards to lift, besides those that were lifted for the plan; a stored plan does not tell which.
            max_tokens: rate-limit tokens that an account's apply may cost, in place of what the plan was made with.
            only: addresses of the changes to make; unless given all. The others are declined, and what needs them too.
            on_event: called for each change that ends, with an `Event`; `str()` of it is a line. Where it raises an
                `Exception`, the run goes on, and `Result.notes` says so; anything else, as `SystemExit`, is raised once
                the requests under way have ended and the receipt is written.
            lock: whether to bring the lock file up to date; unless given, where it exists.
            lock_timeout: seconds to wait for another apply of these accounts on this machine.
            rollout: which accounts come before the others.

        Raises:
            ReportError: the stored report is not a plan, but a receipt for example.
            UnknownAccount: the plan is limited to an account or tag that the session does not have.
            UnknownTarget: `only` holds what is not an address, or one at which nothing is planned.
            StalePlan: a new plan differs from the one that was reviewed.
            Refused: a guard refuses.
            Locked: another run holds one of the accounts.
            ReceiptError: the receipt cannot be written; nothing was changed.
            TypeError: an argument has the wrong type; nothing was changed.
            ValueError: a number is out of its bounds, or no guard is called so; nothing was changed.
        """
        check_type("plan", plan, Plan | doc.Report, "a `Plan` or what `leadstate.read_report` returns")
        check_type("rollout", rollout, Rollout | None, "a `leadstate.Rollout`")
        check_function("on_event", on_event)
        check_type("lock", lock, bool | None, "True or False")
        check_type("lock_timeout", lock_timeout, int | float, "a number of seconds")
        chosen = None if only is None else [*map(_parse_target, check_texts("only", only))]
        reviewed = plan if isinstance(plan, doc.Report) else plan.report
        if reviewed.command != "plan":
            raise ReportError(f"a report of `{reviewed.command}` is not a plan", hint="make one with `Session.plan`")
        part = self._limit_to(Limit(reviewed.scope.accounts, reviewed.scope.shard))
        settings = plan.settings if isinstance(plan, Plan) else Settings()
        about = self._select_accounts([*map(_parse_target, reviewed.scope.targets)])
        accounts = [account for account in part.accounts if account.name in about]
        around = part.runtime
        async with wait_for_locks(accounts, around.state, "apply", seconds=lock_timeout, pace=around.pace):
            now = await part.plan(
                reviewed.scope.targets,
                impact=settings.impact,
                allow=sorted(settings.allow.union(check_texts("allow", allow))),
                max_tokens=settings.max_tokens if max_tokens is None else max_tokens,
                reserve=settings.reserve,
            )
            now = now.held_to(reviewed)
            if stale := differences(reviewed, now.report):
                raise StalePlan(stale, now)
            if now.refused:
                raise Refused(now)
            reporter = Reporter(on_event or (lambda _: None))
            declined = () if chosen is None else _list_others(now, chosen)
            result = await part.carry_out(
                now,
                declined=declined,
                observers=(reporter,),
                interrupted=reporter.interrupted,
                lock=lock,
                rollout=rollout,
            )
        if reporter.failure is None:
            return result
        if reporter.interrupted.is_set():
            raise reporter.failure
        summary = f"`on_event` raised {type(reporter.failure).__name__}: {reporter.failure}"
        note = Diagnostic("events", Severity.ERROR, summary, hint="the receipt holds what was done")
        return replace(result, notes=(*result.notes, note))

    async def carry_out(
        self,
        plan: Plan,
        *,
        declined: Collection[Address] = (),
        observers: Sequence[Observer] = (),
        interrupted: asyncio.Event | None = None,
        lock: bool | None = None,
        rollout: Rollout | None = None,
    ) -> Result:
        """Apply a plan of this session as it is. The caller holds the accounts' locks and has made it just now.

        Args:
            plan: the plan.
            declined: the changes that are not to be made; what needs one of them is declined with it.
            observers: hear of each step.
            interrupted: once set, nothing new is begun.
            lock: whether to bring the lock file up to date; unless given, where it exists.
            rollout: which accounts come before the others.

        Raises:
            ReceiptError: the receipt cannot be written; nothing was changed.
        """
        plans = {part.account: part for part in plan.plans}
        accounts = [account for account in self.accounts if account.name in plans]
        stop = interrupted or asyncio.Event()
        report: doc.Report | None = None
        receipt: Receipt | None = None
        applied: dict[str, Applied] = {}
        notes: list[Diagnostic] = []
        if plan.has_work:
            undoes = find_undone(accounts)
            ends = {part.account: decline(part, declined) for part in plan.plans if declined and part.applyable}
            begun = {
                name: Applied(ends.get(name, {}), Spent(), None) if part.complete else skip_all(part)
                for name, part in plans.items()
            }
            targets = tuple(map(str, plan.settings.targets))
            receipt = Receipt(
                self.runtime.receipts,
                self._build_parts(plan, begun),
                accounts,
                self.runtime.now(),
                undoes=undoes,
                targets=targets,
            )
            with receipt:
                hearing = (receipt, *observers)
                for observer in hearing:
                    observer.started(receipt.path, plan.plans)
                for job in self.work:
                    job.connection.delayed = partial(_report_delay, hearing, job.account.name)
                applied = await self._apply_in_waves(
                    plan, rollout or Rollout(), hearing, stop, declined=ends, notes=notes
                )
            ended = self._build_parts(plan, applied)
            receipt.close(ended)
            if receipt.obstacle:
                notes.append(Diagnostic("receipt", Severity.ERROR, f"{receipt.obstacle}. No further change was begun"))
            report = build(
                "apply",
                ended,
                scope=doc.Scope(accounts=self.limit.accounts, targets=tuple(targets), shard=self.limit.shard),
                diagnostics=(*self.configuration.diagnostics, *self.warnings),
                undoes=undoes,
            )
        lock_file = self.configuration.lock_file
        if lock_file is not None and (lock_file.exists() if lock is None else lock):
            outcomes = {name: end.outcomes for name, end in applied.items()}
            try:
                update_lock_file(lock_file, accounts, plans, outcomes, self.runtime.state)
            except (OSError, LockError, NoStateFolder) as failure:
                why = reason_of(failure) if isinstance(failure, OSError) else str(failure)
                hint = "fix that, then run `leadstate lock`; the accounts are as the report says"
                summary = f"{lock_file} was not brought up to date: {why}"
                notes.append(Diagnostic("lock-file", Severity.ERROR, summary, hint=hint))
        return Result(
            report or plan.report,
            None if receipt is None else receipt.path,
            tuple(applied.values()),
            stop.is_set(),
            tuple(notes),
            wrote=receipt is not None and receipt.wrote,
        )

    def _limit_to(self, limit: Limit) -> "Session":
        """Return the part of the session that a plan was made of; UnknownAccount if it has no account of a name."""
        if limit == self.limit:
            return self
        configuration = select(self.configuration, limit.accounts, limit.shard)
        names = {declared.account.name for declared in configuration.accounts}
        return replace(
            self,
            configuration=configuration,
            work=tuple(job for job in self.work if job.account.name in names),
            unusable=tuple(plan for plan in self.unusable if plan.account in names),
        )

    def _select_accounts(self, targets: Sequence[Target]) -> frozenset[str]:
        """Return the accounts that targets are about.

        Raises:
            UnknownTarget: one of them is not here, and another shard cannot have it either.
        """
        there, named = frozenset(account.name for account in self.accounts), accounts_of(targets)
        if named - there and self.limit.shard is None:
            among = "the chosen accounts" if self.limit.accounts else "the accounts of the configuration"
            raise UnknownTarget(f"the account {some(sorted(named - there))} is not among {among}")
        return there & named if named else there

    def _check_targets(self, targets: Sequence[Target], plans: Sequence[AccountPlan]) -> None:
        """Raise UnknownTarget if a target names nothing declared and nothing live; another shard may have it."""
        if self.limit.shard is not None:
            return
        planned = {plan.account for plan in plans}
        accounts = [account for account in self.accounts if account.name in planned]
        # 5,000 accounts with 2,000 labels each declare ten million objects: they are looked at only for targets.
        known = {desired.address for account in accounts for desired in account.desired}
        known |= {change.address for plan in plans for change in plan.changes}
        known |= {
            Address(account.name, touch.kind, touch.key)
            for account in accounts
            for touch in (account.receipt.touched if account.receipt is not None else ())
            if touch.key is not None
        }
        for target in targets:
            if not any(target.selects(address) for address in known) and all(plan.complete for plan in plans):
                where = " in the chosen accounts" if self.limit.accounts else ""
                raise UnknownTarget(f"nothing is declared or planned at {target}{where}")

    async def _apply_in_waves(
        self,
        plan: Plan,
        rollout: Rollout,
        observers: Sequence[Observer],
        stop: asyncio.Event,
        *,
        declined: Mapping[str, Outcomes],
        notes: list[Diagnostic],
    ) -> dict[str, Applied]:
        """Apply some accounts before the others; once too many have failed, the rest is not begun.

        An account that cannot be worked on fails in its wave. What an interrupt leaves is skipped, and has not failed.
        """
        plans = {part.account: part for part in plan.plans}
        jobs = {job.account.name: job for job in self.work}
        waves = rollout.waves([account.name for account in self.accounts if account.name in plans])
        applied = {name: skip_all(part) for name, part in plans.items() if name not in jobs}
        failed: list[str] = []
        for number, wave in enumerate(waves, 1):
            why = "because the run was interrupted" if stop.is_set() else ""
            rest = [name for later in waves[number - 1 :] for name in later]
            if len(failed) > rollout.max_failed and not why:
                summary = f"stopped before wave {number} of {len(waves)}: {some(failed)} failed"
                notes.append(Diagnostic("wave", Severity.ERROR, summary, detail=f"Not touched: {some(rest)}."))
                why = f"because {some(failed)} failed in a wave before"
            if why:
                for name in rest:
                    if name in jobs:
                        applied[name] = skip_all(plans[name], why, declined.get(name))
                        for change, observer in product(plans[name].changes, observers):
                            observer.finished(change, applied[name].outcomes[change.address])
                break
            work = [jobs[name] for name in wave if name in jobs]
            ends = await apply_all(work, plan.plans, plan.settings, observers, stop, declined=declined)
            applied |= {job.account.name: end for job, end in zip(work, ends, strict=True)}
            failed += [name for name in wave if not applied[name].settled]
        return applied

    def _build_parts(self, plan: Plan, results: Mapping[str, Applied]) -> list[Part]:
        """Return each account's share of the run, given what became of it so far."""
        costs = {name: spent.since(plan.before[name]) for name, spent in self.spent().items()}
        return [
            Part(
                account_plan,
                costs.get(account_plan.account, Spent()).since(result.spent).cost,
                written=result.spent.cost,
                outcomes=result.outcomes,
                remaining=result.remaining,
                unread=result.unread,
                declined=result.declined,
            )
            for account_plan in plan.plans
            for result in (results[account_plan.account],)
        ]


@asynccontextmanager
async def connect(
    configuration: Configuration,
    accounts: Sequence[str] = (),
    *,
    runtime: Runtime | None = None,
    warn: Warn | None = None,
) -> AsyncIterator[Session]:
    """Connect to the accounts of a configuration. An account without a usable token does not stop the rest.

    Args:
        configuration: what `load` returned.
        accounts: which of them, by name or `tag:TAG`; none means all that were loaded.
        runtime: the surroundings; unless given those of the process.
        warn: hears of a refresh token that was replaced and is not saved; unless given, plans and results say so.

    Raises:
        UnknownAccount: a name or tag that no account has.
        TypeError: an argument has the wrong type.
    """
    check_type("configuration", configuration, Configuration, "what `leadstate.load` returns")
    check_type("runtime", runtime, Runtime | None, "a `leadstate.Runtime`")
    check_function("warn", warn)
    accounts = check_texts("accounts", accounts)
    around = runtime or Runtime()
    configuration = select(configuration, accounts)
    warnings: list[Diagnostic] = []
    https = any(map(uses_https, configuration.accounts))
    async with http_client(around.transport, around.bounds, https=https) as http:
        signers, failures = signers_of(
            configuration.accounts, http, around.environ, around.pace.clock, warn or warnings.append
        )
        work, unusable, remembered = [], [], read_lengths(around.cache)
        for account in (declared.account for declared in configuration.accounts):
            if account.name in signers:
                connection = Connection(http, account.origin, signers[account.name], around.pace, around.bounds)
                connection.lengths.update(remembered.get(_cache_key(account), {}))
                work.append(AccountJob(account, connection))
            else:
                unusable.append(unread(account, failures[account.name]))
        yield Session(configuration, tuple(work), tuple(unusable), around, warnings)
        write_lengths(around.cache, remembered, {_cache_key(job.account): job.connection.lengths for job in work})


def _build_plan(plans: Sequence[AccountPlan], costs: Mapping[str, tuple[int, int]], **about: Any) -> doc.Report:
    """Return the report of plans; a plan that is sent to another process takes this function along by its name."""
    return build("plan", [Part(plan, costs.get(plan.account, Spent().cost)) for plan in plans], **about)


def _report_delay(observers: Sequence[Observer], account: str, delay: Delay) -> None:
    for observer in observers:
        observer.delayed(account, delay)


def _cache_key(account: Account) -> str:
    return f"{account.name} {account.origin}"


def _list_others(plan: Plan, chosen: Sequence[Target]) -> set[Address]:
    """Return the addresses of the changes that are not chosen; raise UnknownTarget where nothing is chosen by one."""
    planned = {change.address for part in plan.plans for change in part.changes}
    for target in chosen:
        if not any(target.selects(address) for address in planned):
            raise UnknownTarget(f"nothing is planned at {target}")
    return {address for address in planned if not any(target.selects(address) for target in chosen)}


def _check_integer(name: str, value: int, most: int | None = None) -> None:
    """Raise TypeError or ValueError for an argument that is no integer from 0 to `most`."""
    check_type(name, value, int, "an integer")
    if value < 0 or (most is not None and value > most):
        raise ValueError(f"`{name}` takes an integer from 0 {'on' if most is None else f'to {most}'}, not {value}")


def _parse_target(text: str) -> Target:
    try:
        return Target.parse(text, tuple(KINDS))
    except ValueError as failure:
        raise UnknownTarget(str(failure)) from None
