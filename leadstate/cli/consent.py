"""Applies a plan once a person, or `--auto-approve`, agrees to it: what `apply` and `restore` share."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import click

from leadstate.api.event_log import EventLog
from leadstate.api.receipts import read_report
from leadstate.api.results import Plan, Result
from leadstate.api.run_lock import Locked, run_locks
from leadstate.api.session import Rollout, Session
from leadstate.cli.confirm import Answers, agreed, can_ask, choose, say_cancelled
from leadstate.cli.event_loop import wait_for
from leadstate.cli.exits import Exit
from leadstate.cli.interrupts import NOTHING_CHANGED, Interrupted, interrupts
from leadstate.cli.options import runtime
from leadstate.cli.output import render, say, say_stats
from leadstate.cli.progress import progress
from leadstate.cli.session import Choices, exit_of, session
from leadstate.config import Configuration
from leadstate.engine.apply.execute import decline
from leadstate.engine.events import Observer
from leadstate.kinds import with_calls
from leadstate.model.address import Address
from leadstate.model.diagnostics import Diagnostic, Severity, counted
from leadstate.model.escape import visible
from leadstate.report.build import build
from leadstate.report.document import Report, Requests
from leadstate.report.formats.wording import cost_text
from leadstate.report.verify import differences

ANSWER_HOLDS = 30.0
"""Seconds. Who takes longer to answer has seen a plan that may not be true any more, so it is made again."""


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
        events: where the events of the run are written, if they are.
        interactive: whether a person is asked about each change.
    """

    reviewed: Report | None
    auto_approve: bool
    color: str
    lock: Path | None = None
    rollout: Rollout = field(default_factory=Rollout)
    lock_timeout: float = 0.0
    events: Path | None = None
    interactive: bool = False


def check_questions(*, interactive: bool, auto_approve: bool) -> None:
    """Raise a usage error if nobody can be asked about each change, before anything is read."""
    if interactive and auto_approve:
        raise click.UsageError(
            "--interactive asks about each change and --auto-approve about none: give one of the two."
        )
    if interactive and not can_ask():
        raise click.UsageError(
            "--interactive needs a terminal to ask on. Without one, apply a plan that was reviewed, or limit the plan "
            "with --target."
        )


def read_plan(path: Path | None) -> Report | None:
    """Read a stored plan; a usage error where the file holds another report."""
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
    command = click.get_current_context().info_name or "apply"
    if consent.events is None:
        return _locked(choices, configuration, consent, command, Observer())
    with EventLog(consent.events, command, runtime().now) as log:
        try:
            code, report = _locked(choices, configuration, consent, command, log)
        except BaseException as failure:
            log.end(Exit.INTERRUPTED if isinstance(failure, click.Abort) else Exit.ERROR)
            raise
        cost = Requests() if report is None or report.command == "plan" else report.cost.apply
        log.end(code, cost.requests, cost.tokens)
    if log.failure is not None:
        why = (log.failure.strerror or str(log.failure)).lower()
        hint = "the receipt holds what was done"
        say([Diagnostic("events", Severity.ERROR, f"{consent.events} is not complete: {why}", hint=hint)])
        code = Exit.ERROR if code is Exit.FINE else code
    return code, report


def _locked(
    choices: Choices, configuration: Configuration, consent: Consent, command: str, observer: Observer
) -> tuple[Exit, Report | None]:
    accounts = [declared.account for declared in configuration.accounts]
    try:
        with run_locks(
            accounts, runtime().state, command, consent.lock_timeout, waiting=lambda words: click.echo(words, err=True)
        ):
            return wait_for(_carry_out(choices, configuration, consent, observer))
    except KeyboardInterrupt:
        raise Interrupted(NOTHING_CHANGED) from None
    except Locked as failure:
        locked = Diagnostic(failure.code, Severity.ERROR, str(failure), hint=failure.hint)
        return Exit.REFUSED, build(
            "plan",
            [],
            accounts=choices.accounts,
            targets=choices.targets,
            shard=choices.shard,
            diagnostics=[*configuration.diagnostics, locked],
        )


async def _carry_out(
    choices: Choices, configuration: Configuration, consent: Consent, observer: Observer
) -> tuple[Exit, Report | None]:
    async with session(configuration, choices.limit) as opened:
        plan, declined, end = await _consented(opened, choices, consent)
        if end is None:
            end = await _apply(opened, plan, declined, consent, observer)
        if choices.stats:
            say_stats(opened, plan.plans)
        return end


async def _consented(
    opened: Session, choices: Choices, consent: Consent
) -> tuple[Plan, Collection[Address], tuple[Exit, Report | None] | None]:
    """Plan until a plan is agreed to that is still true, or that is the end.

    Returns:
        The plan, the changes that were declined, and the end where nothing is written: it is refused, or not agreed to.
    """
    clock = runtime().pace.clock
    agreed_to: Report | None = None
    answers: Answers = {}
    while True:
        plan = await choices.plan(opened)
        if consent.reviewed is not None and (stale := differences(consent.reviewed, plan.report)):
            click.echo("Refused: the accounts or the configuration have changed since this plan was made.", err=True)
            _print_differences(stale)
            click.echo("Plan again, have it reviewed, and apply that one.", err=True)
            return plan, (), (Exit.REFUSED, plan.report)
        if plan.severity is Severity.GUARD:
            return plan, (), (Exit.REFUSED, plan.report)
        since = [] if agreed_to is None else differences(agreed_to, plan.report)
        if not plan.has_work or consent.auto_approve or (agreed_to is not None and not since):
            return plan, _declined(answers), None
        if agreed_to is not None:
            click.echo("The accounts have changed meanwhile:", err=True)
            _print_differences(since)
        asked = clock()
        if consent.interactive:
            click.echo(render(plan.report, "text", consent.color, err=True), nl=False, err=True, color=True)
            chosen = choose(plan, consent.color, answers)
            if chosen is None or not _some_agreed(plan, _declined(chosen)):
                say_cancelled("apply")
                return plan, (), (Exit.REFUSED, None)
            answers = chosen
        elif not _agreed(plan.report, consent.color):
            return plan, (), (Exit.REFUSED, None if can_ask() else plan.report)
        if clock() - asked <= ANSWER_HOLDS:
            return plan, _declined(answers), None
        click.echo(f"The answer took more than {ANSWER_HOLDS:.0f} s: planning again.", err=True)
        agreed_to = plan.report


def _declined(answers: Answers) -> Collection[Address]:
    return {address for address, (_, agreed) in answers.items() if not agreed}


def _some_agreed(plan: Plan, declined: Collection[Address]) -> bool:
    """Say how much of the plan is agreed to, and what that costs; return whether it is anything."""
    parts = [part for part in plan.plans if part.applyable]
    ends = [decline(part, declined) for part in parts]
    left = [
        replace(part, changes=with_calls(change for change in part.changes if change.address not in end))
        for part, end in zip(parts, ends, strict=True)
    ]
    count = sum(len(part.changes) for part in left)
    if not count:
        return False
    requests, tokens = (sum(part.forecast[which] for part in left) for which in (0, 1))
    cost = cost_text(Requests(requests=requests, tokens=tokens))
    of = counted(sum(len(part.changes) for part in parts), "change")
    click.echo(f"\n{count:,} of {of} will be made: {cost}.", err=True)
    return True


async def _apply(
    opened: Session, plan: Plan, declined: Collection[Address], consent: Consent, observer: Observer
) -> tuple[Exit, Report]:
    if not plan.has_work:
        result = await opened.carry_out(plan, lock_file=consent.lock)
        _say_notes(result)
        return Exit.ERROR if result.notes else exit_of(plan.severity), result.report
    changes = sum(len(account.changes) for account in plan.plans if account.applyable)
    with interrupts() as interrupted, progress("Applying", "changes", changes, opened.work) as shown:
        result = await opened.carry_out(
            plan,
            declined=declined,
            observers=(shown, observer),
            interrupted=interrupted,
            lock_file=consent.lock,
            rollout=consent.rollout,
        )
    _say_notes(result)
    return _code(result), result.report


def _say_notes(result: Result) -> None:
    """Write to stderr where the receipt is and what could not be done beside the changes."""
    for note in result.notes:
        if note.code != "lock-file":
            click.echo(f"{note.summary[0].upper()}{note.summary[1:]}.", err=True)
            if note.detail:
                click.echo(note.detail, err=True)
    if result.receipt is not None:
        click.echo(f"Receipt: {result.receipt}", err=True)
    say(note for note in result.notes if note.code == "lock-file")


def _code(result: Result) -> Exit:
    if result.interrupted:
        return Exit.INTERRUPTED
    if result.converged:
        return Exit.FINE
    return Exit.IN_PART if result.changed or result.diverged else Exit.ERROR


def _agreed(report: Report, color: str) -> bool:
    return agreed(
        "Apply these changes?",
        deed="apply",
        show=lambda: render(report, "text", color, err=True),
    )


def _print_differences(lines: Sequence[str]) -> None:
    for line in lines:
        click.echo(f"  {visible(line)}", err=True)
