"""Carries out a plan that was shown and agreed to: what `apply` and `restore` share."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click

from leadstate.cli.confirm import agreed, can_ask
from leadstate.cli.diagnostics import say
from leadstate.cli.event_loop import wait_for
from leadstate.cli.exits import Exit
from leadstate.cli.interrupts import interrupts
from leadstate.cli.lockfile import remember
from leadstate.cli.output import render
from leadstate.cli.planning import Choices, Planned, check_targets, exit_of, make_plans, plan_report, reading_cost
from leadstate.cli.progress import progress
from leadstate.cli.read_summary import say_stats
from leadstate.cli.receipts import Receipt, read_report
from leadstate.cli.run_lock import Locked, run_locks
from leadstate.cli.session import Session, runtime, session
from leadstate.config import Configuration, LockError
from leadstate.engine.apply.execute import Outcomes
from leadstate.engine.events import Several
from leadstate.engine.jobs import AccountJob
from leadstate.engine.run import Applied, apply_all, skip_all
from leadstate.model.diagnostics import Diagnostic, Severity, some, worst
from leadstate.model.escape import visible
from leadstate.model.outcome import Status
from leadstate.model.plan import AccountPlan
from leadstate.model.rollout import ALL_AT_ONCE, Waves
from leadstate.pipedrive.connection import Spent
from leadstate.report.build import Part, build
from leadstate.report.document import Report
from leadstate.report.stale import differences

ANSWER_HOLDS = 30.0
"""Seconds. Who takes longer to answer has seen a plan that may not be true any more, so it is made again."""


@dataclass(frozen=True, slots=True)
class Rollout:
    """How a run goes through the accounts.

    Attributes:
        waves: which of them come first.
        max_failed: accounts that may fail before the next wave is not begun.
    """

    waves: Waves = ALL_AT_ONCE
    max_failed: int = 0


@dataclass(frozen=True, slots=True)
class Consent:
    """What has to be so before anything is written.

    Attributes:
        reviewed: the plan that was reviewed, if one was.
        auto_approve: whether nobody is asked.
        color: how the plan is shown to who is asked.
        lock: the lock file to bring up to date, if one is.
        rollout: which accounts come before the others.
        lock_timeout: seconds to wait for other runs that hold these accounts.
    """

    reviewed: Report | None
    auto_approve: bool
    color: str
    lock: Path | None = None
    rollout: Rollout = field(default_factory=Rollout)
    lock_timeout: float = 0.0


def read_plan(path: Path | None) -> Report | None:
    """A stored plan; a usage error where the file holds another report."""
    if path is None:
        return None
    if path.suffix.lower() in (".yaml", ".yml"):
        hint = f"make one with `leadstate plan -c {path} --out plan.json`, or apply the configuration with -c {path}"
        raise click.BadParameter(f"{path} is a configuration and not a plan: {hint}", param_hint="PLAN")
    report = read_report(path)
    if report.command != "plan":
        what = "the receipt of an apply" if report.command == "apply" else f"the report of `leadstate {report.command}`"
        hint = "make a plan with `leadstate plan --out plan.json`; `leadstate restore` undoes an apply by its receipt"
        raise click.BadParameter(f"{path} is {what} and not a plan: {hint}", param_hint="PLAN")
    return report


def carry_out(choices: Choices, configuration: Configuration, consent: Consent) -> tuple[Exit, Report | None]:
    """Plan, see whether it may be applied, apply it, read again.

    Returns:
        The exit code, and the report of how far it came; None where a person saw the plan and said no.
    """
    accounts = [declared.account for declared in configuration.accounts]
    command = click.get_current_context().info_name or "apply"
    try:
        with run_locks(accounts, runtime().state, command, consent.lock_timeout):
            return wait_for(_carry_out(choices, configuration, consent))
    except Locked as failure:
        locked = Diagnostic(failure.code, Severity.ERROR, str(failure), hint=failure.hint)
        return Exit.REFUSED, build("plan", [], **choices.scope(), diagnostics=[*configuration.diagnostics, locked])


async def _carry_out(choices: Choices, configuration: Configuration, consent: Consent) -> tuple[Exit, Report | None]:
    async with session(configuration) as opened:
        planned, end = await _consented(opened, choices, configuration, consent)
        if end is None:
            end = await _apply(opened, planned, choices, configuration, consent)
        if choices.stats:
            say_stats(opened, planned.plans)
        return end


async def _consented(
    opened: Session, choices: Choices, configuration: Configuration, consent: Consent
) -> tuple[Planned, tuple[Exit, Report | None] | None]:
    """Plan until a plan is agreed to that is still true, or that is the end.

    Returns:
        The plan, and the end where nothing is written: it is refused, not agreed to, or there is nothing to do.
    """
    settings, clock = choices.settings(), runtime().pace.clock
    agreed_to: Report | None = None
    while True:
        planned = await make_plans(opened, settings)
        check_targets(settings.targets, planned.plans, configuration)
        report = plan_report(planned, opened, choices, configuration)
        if consent.reviewed is not None and (stale := differences(consent.reviewed, report)):
            click.echo("Refused: the accounts or the configuration have changed since this plan was made.", err=True)
            _print_differences(stale)
            click.echo("Plan again, have it reviewed, and apply that one.", err=True)
            return planned, (Exit.REFUSED, report)
        if planned.severity is Severity.GUARD:
            return planned, (Exit.REFUSED, report)
        if not any(plan.changes for plan in planned.plans if plan.applyable):
            kept = _remember(consent, configuration, planned, {})
            return planned, (exit_of(planned.severity) if kept else Exit.ERROR, report)
        since = [] if agreed_to is None else differences(agreed_to, report)
        if consent.auto_approve or (agreed_to is not None and not since):
            return planned, None
        if agreed_to is not None:
            click.echo("The accounts have changed meanwhile:", err=True)
            _print_differences(since)
        asked = clock()
        if not _agreed(report, consent.color):
            return planned, (Exit.REFUSED, None if can_ask() else report)
        if clock() - asked <= ANSWER_HOLDS:
            return planned, None
        click.echo(f"The answer took more than {ANSWER_HOLDS:.0f} s: planning again.", err=True)
        agreed_to = report


async def _apply(
    opened: Session, planned: Planned, choices: Choices, configuration: Configuration, consent: Consent
) -> tuple[Exit, Report]:
    surroundings = runtime()
    accounts = [declared.account for declared in configuration.accounts]
    receipt = Receipt(surroundings.receipts, _parts(opened, planned, []), accounts, surroundings.now())
    changes = sum(len(plan.changes) for plan in planned.plans if plan.applyable)
    with receipt, interrupts() as interrupted, progress("Applying", "changes", changes, opened.work) as shown:
        heard = Several(receipt, shown)
        applied = await _in_waves(
            opened.work,
            planned.plans,
            consent.rollout,
            lambda wave: apply_all(wave, planned.plans, choices.settings(), heard, interrupted),
        )
    parts = _parts(opened, planned, applied)
    receipt.close(parts)
    outcomes = {work.account.name: result.outcomes for work, result in zip(opened.work, applied, strict=True)}
    kept = _remember(consent, configuration, planned, outcomes)
    code = Exit.INTERRUPTED if interrupted.is_set() else _code(planned, applied, noted=not receipt.obstacle)
    if code is Exit.FINE and not kept:
        code = Exit.IN_PART
    return code, build(
        "apply",
        parts,
        **choices.scope(),
        diagnostics=configuration.diagnostics,
    )


def _remember(
    consent: Consent, configuration: Configuration, planned: Planned, outcomes: Mapping[str, Outcomes]
) -> bool:
    """Bring the lock file up to date, if it is kept; False, and a message, where it cannot be written."""
    if consent.lock is None:
        return True
    accounts = [declared.account for declared in configuration.accounts]
    try:
        remember(consent.lock, accounts, {plan.account: plan for plan in planned.plans}, outcomes)
    except (OSError, LockError) as failure:
        why = (failure.strerror or "").lower() if isinstance(failure, OSError) else str(failure)
        hint = "run `leadstate lock` once that is mended: the accounts are as the report says"
        say([Diagnostic("lock-file", Severity.ERROR, f"{consent.lock} was not brought up to date: {why}", hint=hint)])
        return False
    return True


async def _in_waves(
    work: Sequence[AccountJob],
    plans: Sequence[AccountPlan],
    rollout: Rollout,
    apply: Callable[[Sequence[AccountJob]], Awaitable[list[Applied]]],
) -> list[Applied]:
    """Apply some accounts before the others; once too many have failed, the rest is not begun."""
    by_account = {plan.account: plan for plan in plans}
    waves = rollout.waves.split(work)
    applied: list[Applied] = []
    for number, wave in enumerate(waves, 1):
        failed = [one.account.name for one, result in zip(work, applied, strict=False) if not result.settled]
        if len(failed) > rollout.max_failed:
            rest = [job.account.name for job in work[len(applied) :]]
            click.echo(f"Stopped before wave {number} of {len(waves)}: {some(failed)} failed.", err=True)
            click.echo(f"Not touched: {some(rest)}.", err=True)
            why = f"because {some(failed)} failed in a wave before"
            return [*applied, *(skip_all(by_account[name], why) for name in rest)]
        applied += await apply(wave)
    return applied


def _agreed(report: Report, color: str) -> bool:
    return agreed(
        "Apply these changes?",
        deed="apply",
        show=lambda: render(report, "text", color, err=True),
    )


def _print_differences(lines: Sequence[str]) -> None:
    """Show the difference between two plans."""
    for line in lines:
        click.echo(f"  {visible(line)}", err=True)


def _code(planned: Planned, applied: Sequence[Applied], *, noted: bool) -> Exit:
    if noted and all(result.settled for result in applied) and planned.severity is not Severity.ERROR:
        return Exit.FINE
    begun = [result for result in applied if result.outcomes]
    made = any(outcome.status is Status.APPLIED for result in begun for outcome in result.outcomes.values())
    # An error that the plan did not have: somebody else has changed the account while it was applied.
    diverged = any(worst(result.remaining.diagnostics) is Severity.ERROR for result in begun if result.remaining)
    return Exit.IN_PART if made or diverged else Exit.ERROR


def _parts(opened: Session, planned: Planned, applied: Sequence[Applied]) -> list[Part]:
    """Each account's share of the run; without `applied`, as it stands before the first write."""
    spent = reading_cost(opened)
    results = {one.account.name: result for one, result in zip(opened.work, applied, strict=bool(applied))}
    parts = []
    for plan in planned.plans:
        result = results.get(plan.account) or Applied({}, Spent(), None)
        requests, tokens = spent.get(plan.account, (0, 0))
        parts.append(
            Part(
                plan,
                opened.hosts[plan.account],
                (requests - result.spent.requests, tokens - result.spent.tokens),
                written=(result.spent.requests, result.spent.tokens),
                outcomes=result.outcomes,
                remaining=result.remaining,
                unread=result.unread,
            )
        )
    return parts
