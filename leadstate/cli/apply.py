"""`leadstate apply`: plan, show, ask, do, read again. With a stored plan: refuse where a new one differs."""

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

import click

from leadstate.cli import options
from leadstate.cli.exits import Exit
from leadstate.cli.main import COMMANDS
from leadstate.cli.output import emit, render
from leadstate.cli.planning import (
    Choices,
    Planned,
    check_targets,
    configuration_report,
    exit_of,
    make_plans,
    plan_report,
    reading_cost,
)
from leadstate.cli.session import Session, session
from leadstate.config import Configuration
from leadstate.core.diagnostics import Severity
from leadstate.core.errors import ConfigurationError
from leadstate.core.outcome import Status
from leadstate.engine.run import Applied, apply_all
from leadstate.pipedrive.client import Spent
from leadstate.report.build import Part, build
from leadstate.report.document import Change, Report, parse


@click.command(short_help=COMMANDS["apply"])
@click.argument("plan_file", metavar="[PLAN]", required=False, type=click.Path(exists=True, path_type=Path))
@options.configuration
@options.planning
@options.option("--auto-approve", is_flag=True, help="Do not ask.")
@options.output("text", "json")
def apply(
    *,
    plan_file: Path | None,
    paths: tuple[Path, ...],
    accounts: tuple[str, ...],
    targets: tuple[str, ...],
    impact: str,
    allow: tuple[str, ...],
    max_tokens: int | None,
    auto_approve: bool,
    form: str,
    color: str,
    output: Path | None,
) -> int:
    """Make the accounts as declared: plan, show, ask for `yes`, do it, read again.

    With PLAN (from `plan --out`) everything is planned again, and refused if anything differs from what was reviewed.
    No request is ever read from a plan file.

    \b
    Examples:  leadstate apply
               leadstate apply plan.json --auto-approve
               leadstate apply -a tag:prod --max-tokens 2000
    """
    choices = Choices(paths, accounts, targets, impact, allow, max_tokens)
    reviewed = None if plan_file is None else parse(plan_file.read_text(encoding="utf-8", errors="replace"))
    if reviewed is not None:
        choices = _scope_of(reviewed, choices)
    try:
        configuration = choices.configuration()
    except ConfigurationError as failure:
        emit(configuration_report("apply", failure), form, color, output)
        return Exit.ERROR
    code, report = asyncio.run(_apply(choices, configuration, reviewed, auto_approve=auto_approve, color=color))
    emit(report, form, color, output)
    return code


def _scope_of(reviewed: Report, choices: Choices) -> Choices:
    """The plan's own limits; other ones beside it would be another plan."""
    if reviewed.command != "plan":
        raise click.BadParameter(f"holds the report of {reviewed.command!r}, not a plan", param_hint="PLAN")
    if choices.accounts or choices.targets:
        raise click.UsageError("A stored plan has its own accounts and targets: leave out --account and --target.")
    return replace(choices, accounts=reviewed.scope.accounts, targets=reviewed.scope.targets)


async def _apply(
    choices: Choices, configuration: Configuration, reviewed: Report | None, *, auto_approve: bool, color: str
) -> tuple[Exit, Report]:
    settings = choices.settings()
    async with session(configuration) as opened:
        planned = await make_plans(opened, settings)
        check_targets(settings.targets, planned.plans, configuration)
        report = plan_report(planned, opened, choices, configuration)
        if reviewed is not None and reviewed.fingerprint != report.fingerprint:
            _say_what_moved(reviewed, report)
            return Exit.REFUSED, report
        if planned.severity is Severity.GUARD or not any(plan.changes for plan in planned.plans if plan.applyable):
            return exit_of(planned.severity), report
        if not auto_approve and not _agreed(report, color):
            return Exit.REFUSED, report
        applied = await apply_all(opened.work, planned.plans, settings)
        return _code(planned, applied), _report(choices, configuration, opened, planned, applied)


def _agreed(report: Report, color: str) -> bool:
    if not sys.stdin.isatty():
        click.echo(
            "Not applied: there is no terminal to ask on. Pass --auto-approve to apply without asking.", err=True
        )
        return False
    click.echo(render(report, "text", color, err=True), nl=False, err=True, color=True)
    answer = click.prompt(
        "Apply these changes? Only 'yes' is taken for one", err=True, default="no", show_default=False
    )
    if str(answer).strip() == "yes":
        return True
    click.echo("Not applied.", err=True)
    return False


def _say_what_moved(reviewed: Report, now: Report) -> None:
    """The difference between the reviewed plan and a new one, change by change."""
    click.echo("Refused: the accounts or the configuration are not as they were when this plan was made.", err=True)
    before, after = _by_address(reviewed), _by_address(now)
    for address in sorted(before.keys() | after.keys()):
        old, new = before.get(address), after.get(address)
        if old is None and new is not None:
            click.echo(f"  {address}: {new.action} is new", err=True)
        elif new is None and old is not None:
            click.echo(f"  {address}: {old.action} is no longer planned", err=True)
        elif old and new and (old.action, old.remote_id, old.fields) != (new.action, new.remote_id, new.fields):
            click.echo(f"  {address}: {old.action} has changed", err=True)
    click.echo("Plan again, have it reviewed, and apply that one.", err=True)


def _by_address(report: Report) -> dict[str, Change]:
    return {change.address: change for account in report.accounts for change in account.changes}


def _code(planned: Planned, applied: list[Applied]) -> Exit:
    outcomes = [outcome.status for one in applied for outcome in one.outcomes.values()]
    clean = all(status is Status.APPLIED for status in outcomes) and planned.severity is not Severity.ERROR
    settled = all(one.remaining is not None and not one.remaining.changes for one in applied)
    if clean and settled:
        return Exit.FINE
    return Exit.IN_PART if Status.APPLIED in outcomes else Exit.ERROR


def _report(
    choices: Choices, configuration: Configuration, opened: Session, planned: Planned, applied: list[Applied]
) -> Report:
    spent = reading_cost(opened)
    results = {one.account.name: result for one, result in zip(opened.work, applied, strict=True)}
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
            )
        )
    return build(
        "apply", parts, accounts=choices.accounts, targets=choices.targets, diagnostics=configuration.diagnostics
    )
