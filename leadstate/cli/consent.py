"""Applies a plan once a person, or `--auto-approve`, agrees to it: what `apply` and `restore` share."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from leadstate.api.event_log import EventLog
from leadstate.api.receipts import read_report
from leadstate.api.results import Plan, Result
from leadstate.api.run_lock import Locked, run_locks
from leadstate.api.session import Session
from leadstate.cli.confirm import Answers, agreed, can_ask, choose, say_cancelled
from leadstate.cli.exits import Exit
from leadstate.cli.interrupts import NOTHING_CHANGED, Interrupted, interrupts, wait_for
from leadstate.cli.options import runtime
from leadstate.cli.output import render, say, say_stats
from leadstate.cli.progress import progress
from leadstate.cli.session import Choices, session
from leadstate.config import Configuration
from leadstate.engine.events import Observer
from leadstate.model.address import Address
from leadstate.model.diagnostics import Diagnostic, Severity
from leadstate.model.escape import visible
from leadstate.model.rollout import Rollout
from leadstate.report.build import build
from leadstate.report.document import Report, Requests
from leadstate.report.verify import differences

ANSWER_HOLDS = 30.0
"""Seconds. Who takes longer to answer has seen a plan that may not be true any more, so it is made again."""


@dataclass(frozen=True, slots=True)
class Consent:
    """What has to be so before anything is written.

    Attributes:
        reviewed: the plan that was reviewed, if one was.
        color: how the plan is shown to who is asked.
        lock_file: the lock file to bring up to date, if one is.
        rollout: which accounts come before the others.
    """

    reviewed: Report | None
    color: str
    lock_file: Path | None = None
    rollout: Rollout | None = None


def check_questions(choices: Choices) -> None:
    """Raise a usage error if nobody can be asked about each change, before anything is read."""
    if choices.interactive and choices.auto_approve:
        raise click.UsageError(
            "--interactive asks about each change and --auto-approve about none: give one of the two."
        )
    if choices.interactive and not can_ask():
        raise click.UsageError(
            "--interactive needs a terminal to ask on. Without one, apply a plan that was reviewed, or limit the plan "
            "with --target."
        )


def read_plan(path: Path | None, choices: Choices) -> tuple[Report | None, Choices]:
    """Read a stored plan, and limit what was chosen to its scope; a usage error if the file holds another report."""
    if path is None:
        return None, choices
    if path.suffix.lower() in (".yaml", ".yml"):
        hint = f"make one with `leadstate plan -c {path} --out plan.json`, or apply the configuration with -c {path}"
        raise click.BadParameter(f"{path} is a configuration and not a plan: {hint}", param_hint="PLAN")
    plan = read_report(path)
    if plan.command != "plan":
        what = "the receipt of an apply" if plan.command == "apply" else f"the report of `leadstate {plan.command}`"
        hint = "make a plan with `leadstate plan --out plan.json`; `leadstate restore` undoes an apply by its receipt"
        raise click.BadParameter(f"{path} is {what} and not a plan: {hint}", param_hint="PLAN")
    if choices.accounts or choices.targets or choices.shard:
        raise click.UsageError("A stored plan has its own scope: leave out --account, --target and --shard.")
    scope = plan.scope
    return plan, replace(choices, accounts=scope.accounts, targets=scope.targets, shard=scope.shard)


def carry_out(choices: Choices, configuration: Configuration, consent: Consent) -> tuple[Exit, Report | None]:
    """Plan, see whether it may be applied, apply it, read again.

    Returns:
        The exit code, and the report of how far it came; None where a person saw the plan and said no.
    """
    command = click.get_current_context().info_name or "apply"
    if choices.events is None:
        return _locked(choices, configuration, consent, command, Observer())
    with EventLog(choices.events, command, runtime().now) as log:
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
        say([Diagnostic("events", Severity.ERROR, f"{choices.events} is not complete: {why}", hint=hint)])
        code = Exit.ERROR if code is Exit.FINE else code
    return code, report


def _locked(
    choices: Choices, configuration: Configuration, consent: Consent, command: str, observer: Observer
) -> tuple[Exit, Report | None]:
    accounts = [declared.account for declared in configuration.accounts]
    try:
        with run_locks(
            accounts, runtime().state, command, choices.lock_timeout, waiting=lambda words: click.echo(words, err=True)
        ):
            return wait_for(_carry_out(choices, configuration, consent, observer))
    except KeyboardInterrupt:
        raise Interrupted(NOTHING_CHANGED) from None
    except Locked as failure:
        diagnostic = Diagnostic(failure.code, Severity.ERROR, str(failure), hint=failure.hint)
        return Exit.REFUSED, build(
            "plan",
            [],
            accounts=choices.accounts,
            targets=choices.targets,
            shard=choices.shard,
            diagnostics=[*configuration.diagnostics, diagnostic],
        )


async def _carry_out(
    choices: Choices, configuration: Configuration, consent: Consent, observer: Observer
) -> tuple[Exit, Report | None]:
    async with session(configuration, choices.limit) as opened:
        plan, declined, refusal = await _agreed_plan(opened, choices, consent)
        if refusal is not None:
            end = refusal
        else:
            changes = sum(len(account.changes) for account in plan.plans if account.applyable)
            with interrupts() as interrupted, progress("Applying", "changes", changes, opened.work) as shown:
                result = await opened.carry_out(
                    plan,
                    declined=declined,
                    observers=(shown, observer),
                    interrupted=interrupted,
                    lock_file=consent.lock_file,
                    rollout=consent.rollout,
                )
            say(result.notes)
            if result.receipt is not None:
                click.echo(f"Receipt: {result.receipt}", err=True)
            end = _exit_of(result), result.report
        if choices.stats:
            say_stats(opened, plan.plans)
        return end


async def _agreed_plan(
    opened: Session, choices: Choices, consent: Consent
) -> tuple[Plan, Collection[Address], tuple[Exit, Report | None] | None]:
    """Plan until a plan is agreed to that is still true, or that is the end.

    Returns:
        The plan, the changes that were declined, and the end where nothing is written: it is refused, or not agreed to.
    """
    clock = runtime().pace.clock
    agreed_to: Report | None = None
    answers: Answers = {}
    declined: Collection[Address] = ()
    while True:
        plan = await choices.plan(opened)
        if consent.reviewed is not None and (stale := differences(consent.reviewed, plan.report)):
            click.echo("Refused: the accounts or the configuration have changed since this plan was made.", err=True)
            _say_lines(stale)
            click.echo("Plan again, have it reviewed, and apply that one.", err=True)
            return plan, (), (Exit.REFUSED, plan.report)
        if plan.severity is Severity.GUARD:
            return plan, (), (Exit.REFUSED, plan.report)
        since = [] if agreed_to is None else differences(agreed_to, plan.report)
        if not plan.has_work or choices.auto_approve or (agreed_to is not None and not since):
            return plan, declined, None
        if since:
            click.echo("The accounts have changed meanwhile:", err=True)
            _say_lines(since)
        asked = clock()
        shown = render(plan.report, "text", consent.color, err=True) if can_ask() else ""
        if choices.interactive:
            click.echo(shown, nl=False, err=True, color=True)
            chosen = choose(plan, consent.color, answers)
            if chosen is None:
                say_cancelled("apply")
                return plan, (), (Exit.REFUSED, None)
            answers, declined = chosen
        elif not agreed("Apply these changes?", deed="apply", show=shown):
            return plan, (), (Exit.REFUSED, None if can_ask() else plan.report)
        if clock() - asked <= ANSWER_HOLDS:
            return plan, declined, None
        click.echo(f"The answer took more than {ANSWER_HOLDS:.0f} s: planning again.", err=True)
        agreed_to = plan.report


def _exit_of(result: Result) -> Exit:
    if result.interrupted:
        return Exit.INTERRUPTED
    if result.converged:
        return Exit.FINE
    return Exit.IN_PART if result.changed or result.diverged else Exit.ERROR


def _say_lines(lines: Sequence[str]) -> None:
    for line in lines:
        click.echo(f"  {visible(line)}", err=True)
