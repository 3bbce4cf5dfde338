"""Applies a plan once a person, or `--auto-approve`, agrees to it: what `apply` and `restore` share.

Only `yes` will be accepted, and without a terminal nobody can be asked.
"""

import select
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TypeAlias

import click

from leadstate.api.event_log import EventLog
from leadstate.api.receipts import read_report
from leadstate.api.results import Plan
from leadstate.api.run_lock import Locked, wait_for_locks
from leadstate.api.session import Session
from leadstate.cli.exits import Exit
from leadstate.cli.interrupts import (
    NOTHING_CHANGED,
    Interrupted,
    interrupts,
    is_interrupted,
    on_signals,
    raise_interrupt,
    signal_socket,
    wait_for,
)
from leadstate.cli.options import runtime
from leadstate.cli.output import columns, say, say_stats, text_for_stderr, wants_color
from leadstate.cli.session import Choices, progress, session
from leadstate.config import Configuration
from leadstate.engine.apply.execute import decline, stages
from leadstate.engine.events import Observer
from leadstate.kinds import with_calls
from leadstate.model.address import Address
from leadstate.model.diagnostics import Diagnostic, Severity, counted, reason_of
from leadstate.model.escape import visible
from leadstate.model.plan import Change
from leadstate.reconcile.dependencies import dependents
from leadstate.report.build import build
from leadstate.report.document import Report, Requests, Scope
from leadstate.report.formats.text import change_text
from leadstate.report.formats.wording import cost_text
from leadstate.report.verify import differences

ANSWER_HOLDS = 30.0
"""Seconds. Who takes longer to answer has seen a plan that may not be true any more, so it is made again."""
Answers: TypeAlias = Mapping[Address, tuple[Change, bool]]
"""The changes that have an answer, and whether it is yes."""

_HELP = """
Answer yes, no, all (yes to the rest of the account) or quit (no to the rest).
Nothing is written before the last answer."""


def check_interactive(choices: Choices) -> None:
    """Raise a usage error if nobody can be asked about each change, before anything is read."""
    if choices.auto_approve:
        raise click.UsageError(
            "--interactive asks about each change and --auto-approve about none: give one of the two."
        )
    if not can_ask():
        raise click.UsageError(
            "--interactive needs a terminal to ask on. Without one, apply a plan that was reviewed, or limit the plan "
            "with --target."
        )


def read_plan(path: Path, choices: Choices) -> Choices:
    """Return choices with the plan that a file holds, and limited to its scope; a usage error for another report."""
    if path.suffix.lower() in (".yaml", ".yml"):
        hint = f"make one with `leadstate plan -c {path} --out plan.json`, or apply the configuration with -c {path}"
        raise click.BadParameter(f"{path} is a configuration and not a plan: {hint}", param_hint="PLAN")
    plan = read_report(path)
    if plan.command != "plan":
        what = "the receipt of an apply" if plan.command == "apply" else f"the report of `leadstate {plan.command}`"
        hint = "make a plan with `leadstate plan --out plan.json`; `leadstate restore` undoes an apply by its receipt"
        raise click.BadParameter(f"{path} is {what} and not a plan: {hint}", param_hint="PLAN")
    scope = plan.scope
    limits = (
        ("account", choices.accounts, scope.accounts),
        ("target", choices.targets, scope.targets),
        ("shard", (choices.shard,) if choices.shard else (), (scope.shard,) if scope.shard else ()),
    )
    for name, chosen, planned in limits:
        # The same ones are allowed: CI systems give all jobs the same variables (`LEADSTATE_ACCOUNT`).
        if chosen and set(chosen) != set(planned):
            made, given = (" ".join(f"--{name} {visible(value)}" for value in values) for values in (planned, chosen))
            raise click.UsageError(
                f"{path} was made {f'with {made}' if made else f'without --{name}'}, not with {given}. "
                f"Leave out --{name} and LEADSTATE_{name.upper()}, or make another plan."
            )
    return replace(choices, accounts=scope.accounts, targets=scope.targets, shard=scope.shard, reviewed=plan)


def apply_with_consent(choices: Choices, configuration: Configuration) -> tuple[Exit, Report | None]:
    """Plan, see whether it may be applied, apply it, read again.

    Returns:
        The exit code, and the report of how far it came; None where a person saw the plan and said no.
    """
    command = click.get_current_context().info_name or "apply"
    if choices.events is None:
        return _apply_under_locks(choices, configuration, command, Observer())
    with EventLog(choices.events, command, runtime().now) as log:
        try:
            code, report = _apply_under_locks(choices, configuration, command, log)
        except BaseException as failure:
            log.end(Exit.INTERRUPTED if isinstance(failure, click.Abort | KeyboardInterrupt) else Exit.ERROR)
            raise
        cost = Requests() if report is None or report.command == "plan" else report.cost.apply
        log.end(code, cost.requests, cost.tokens)
    if log.failure is not None:
        summary = f"{choices.events} is not complete: {reason_of(log.failure)}"
        say([Diagnostic("events", Severity.ERROR, summary, hint="the receipt holds what was done")])
        code = Exit.ERROR if code is Exit.FINE else code
    return code, report


def _apply_under_locks(
    choices: Choices, configuration: Configuration, command: str, observer: Observer
) -> tuple[Exit, Report | None]:
    try:
        return wait_for(_apply_with_consent(choices, configuration, command, observer))
    except Locked as failure:
        diagnostic = Diagnostic(failure.code, Severity.ERROR, str(failure), hint=failure.hint)
        scope = Scope(accounts=choices.accounts, targets=choices.targets, shard=choices.shard)
        report = build("plan", [], scope=scope, diagnostics=[*configuration.diagnostics, diagnostic])
        return Exit.REFUSED, replace(report, complete=False)  # no account was read


async def _apply_with_consent(
    choices: Choices, configuration: Configuration, command: str, observer: Observer
) -> tuple[Exit, Report | None]:
    around = runtime()
    locks = wait_for_locks(
        [declared.account for declared in configuration.accounts],
        around.state,
        command,
        seconds=choices.lock_timeout,
        pace=around.pace,
        waiting=lambda words: click.echo(words, err=True),
    )
    async with locks, session(configuration) as opened:
        plan, declined, refusal = await _agreed_plan(opened, choices)
        if refusal is not None:
            end = refusal
        else:
            changes = sum(len(account.changes) for account in plan.plans if account.applyable)
            with interrupts() as interrupted, progress(opened.work, changes=changes) as shown:
                result = await opened.carry_out(
                    plan,
                    declined=declined,
                    observers=(shown, observer),
                    interrupted=interrupted,
                    lock=choices.lock,
                    rollout=choices.rollout,
                )
            say(result.notes)
            if result.receipt is not None:
                click.echo(f"Receipt: {result.receipt}", err=True)
            if result.interrupted:
                code = Exit.INTERRUPTED
            elif result.converged:
                code = Exit.FINE
            else:
                code = Exit.IN_PART if result.changed or result.diverged else Exit.ERROR
            end = code, result.report
        if choices.stats:
            say_stats(opened, plan.plans)
        return end


async def _agreed_plan(
    opened: Session, choices: Choices
) -> tuple[Plan, Collection[Address], tuple[Exit, Report | None] | None]:
    """Plan and ask until a plan is agreed to and still true, or nothing is to be written.

    Returns:
        The plan, the changes that were declined, and the end where nothing is written: it is refused, or not agreed to.
    """
    clock = runtime().pace.clock
    agreed_to: Report | None = None
    answers: Answers = {}
    declined: Collection[Address] = ()
    while True:
        plan = await choices.plan(opened)
        if choices.reviewed is not None:
            plan = plan.held_to(choices.reviewed)
            if stale := differences(choices.reviewed, plan.report):
                click.echo(
                    "Refused: the accounts or the configuration have changed since this plan was made.", err=True
                )
                _say_lines(stale)
                click.echo("Plan again, have it reviewed, and apply that one.", err=True)
                return plan, (), (Exit.REFUSED, plan.report)
        if plan.refused:
            return plan, (), (Exit.REFUSED, plan.report)
        since = [] if agreed_to is None else differences(agreed_to, plan.report)
        if not plan.has_work or choices.auto_approve or (agreed_to is not None and not since):
            return plan, declined, None
        if since:
            click.echo("The accounts have changed meanwhile:", err=True)
            _say_lines(since)
        asked = clock()
        chosen = _ask_about(plan, choices, answers)
        if chosen is None:
            return plan, (), (Exit.REFUSED, None if can_ask() else plan.report)
        answers, declined = chosen
        if clock() - asked <= ANSWER_HOLDS:
            return plan, declined, None
        click.echo(f"The answer took more than {ANSWER_HOLDS:.0f} s: planning again.", err=True)
        agreed_to = plan.report


def _ask_about(plan: Plan, choices: Choices, before: Answers) -> tuple[Answers, Collection[Address]] | None:
    """Show a plan and ask about it; return the answers and what was declined, None if it is not agreed to."""
    shown = text_for_stderr(plan.report, choices.color) if can_ask() else ""
    if not choices.interactive:
        return ({}, ()) if confirm("Apply these changes?", deed="apply", show=shown) else None
    click.echo(shown, nl=False, err=True, color=True)
    chosen = choose(plan, choices.color, before)
    if chosen is None:
        _say_cancelled("apply")
    return chosen


def _say_lines(lines: Sequence[str]) -> None:
    for line in lines:
        click.echo(f"  {visible(line)}", err=True)


def can_ask() -> bool:
    """Return whether somebody is there who could answer."""
    return sys.stdin is not None and sys.stdin.isatty()


def confirm(question: str, *, deed: str, show: str = "") -> bool:
    """Return whether a person says yes; say so on stderr where the answer is no.

    Args:
        question: what is asked.
        deed: what is done after a yes, and by `--auto-approve` without asking: `apply`.
        show: what has to be seen before one can answer.

    Raises:
        Interrupted: a signal came instead of an answer.
    """
    if not can_ask():
        click.echo(
            f"Nothing was changed: there is no terminal to ask on. Pass --auto-approve to {deed} without asking.",
            err=True,
        )
        return False
    if ask(f"{show}{question} Only 'yes' will be accepted: ").strip() == "yes":
        return True
    _say_cancelled(deed)
    return False


def ask(question: str) -> str:
    """Return the line that a person answers; empty, without its end of line, where the input has ended.

    Raises:
        Interrupted: a signal came instead of an answer.
    """
    # Reading holds up the event loop, so a signal raises here.
    with on_signals(raise_interrupt), signal_socket() as bell:
        if is_interrupted():
            raise Interrupted(NOTHING_CHANGED)
        try:
            click.echo(question, nl=False, err=True, color=True)
            if bell is not None:
                select.select([sys.stdin, bell], [], [])
            return sys.stdin.readline()  # `click.prompt` would write to stdout, which holds the report alone
        except KeyboardInterrupt:
            click.echo(err=True)
            raise Interrupted(NOTHING_CHANGED) from None


def _say_cancelled(deed: str) -> None:
    """Write to stderr that the command is cancelled."""
    click.echo(f"{deed.capitalize()} cancelled. Nothing was changed.", err=True)


def choose(plan: Plan, color: str, before: Answers) -> tuple[Answers, set[Address]] | None:
    """Ask about each change, in the order in which they are made, and say what was agreed to and what that costs.

    A change that needs a declined one is not asked about: it is declined too.

    Args:
        plan: the plan, which was shown.
        color: how changes are shown.
        before: answers to an earlier plan; they count for changes that are the same.

    Returns:
        The answers and the changes that were declined; None if none was agreed to, or the input has ended before the
        last answer.

    Raises:
        Interrupted: a signal came instead of an answer.
    """
    click.echo(_HELP, err=True)
    accounts = {account.account: account for account in plan.report.accounts}
    colored, width = wants_color(color, err=True), columns(err=True)
    parts = [part for part in plan.plans if part.applyable]
    answers: dict[Address, tuple[Change, bool]] = {}
    rest = ""
    for part in parts:
        account = accounts[part.account]
        rows = {row.address: row for row in account.changes}
        heading = f"\n{visible(account.account)}  {visible(account.company)}\n"
        rest = rest if rest == "quit" else ""
        declined: set[Address] = set()
        followers: Mapping[Address, Address] = {}
        for change in chain.from_iterable(stages(part)):
            if change.address in followers:
                continue
            known, agreed = before.get(change.address, (None, False))
            if known != change:
                answer = rest
                if not rest:
                    row = rows[str(change.address)]
                    shown = change_text(plan.report, account, row, color=colored, width=width)
                    answer, heading = _ask_word(heading + shown), ""
                if not answer:
                    return None
                rest = answer if answer in ("all", "quit") else ""
                agreed = answer in ("yes", "all")
            answers[change.address] = change, agreed
            if not agreed:
                declined.add(change.address)
                earlier, followers = followers, dependents(part.changes, declined)
                if rest != "quit":
                    _say_followers({address: followers[address] for address in followers if address not in earlier})
    refused = {address for address, (_, agreed) in answers.items() if not agreed}
    left = [
        replace(part, changes=with_calls(change for change in part.changes if change.address not in ends))
        for part, ends in ((part, decline(part, refused)) for part in parts)
    ]
    count = sum(len(part.changes) for part in left)
    if not count:
        return None
    requests, tokens = (sum(part.forecast[which] for part in left) for which in (0, 1))
    cost = cost_text(Requests(requests=requests, tokens=tokens))
    of = counted(sum(len(part.changes) for part in parts), "change")
    click.echo(f"\n{count:,} of {of} will be made: {cost}.", err=True)
    return answers, refused


def _ask_word(shown: str) -> str:
    """Ask about the change that is shown; return yes, no, all or quit, or nothing where the input has ended."""
    click.echo(shown, nl=False, err=True, color=True)
    while line := ask("  Apply this change? yes, no, all or quit: "):
        typed = line.strip().lower()
        for word in ("yes", "no", "all", "quit"):
            if typed in (word, word[0]):
                return word
    click.echo(err=True)
    return ""


def _say_followers(followers: Mapping[Address, Address]) -> None:
    for address, needed in followers.items():
        click.echo(f"  {visible(str(address.ref))} is declined too: it needs {visible(str(needed.ref))}.", err=True)
