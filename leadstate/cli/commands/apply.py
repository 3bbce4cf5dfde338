"""`leadstate apply`: plan, show, ask, do, read again. With a stored plan: refuse where a new one differs."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from leadstate.cli import options
from leadstate.cli.consent import apply_with_consent, check_interactive, read_plan
from leadstate.cli.exits import Exit
from leadstate.cli.main import COMMANDS
from leadstate.cli.output import configuration_report, emit
from leadstate.cli.session import Choices
from leadstate.model.diagnostics import ConfigurationError
from leadstate.model.rollout import REST, Rollout
from leadstate.report import FORMATS


@click.command(short_help=COMMANDS["apply"])
@click.argument(
    "plan_file", metavar="[PLAN]", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@options.configuration
@options.planning
@options.approval
@options.option(
    "--lock/--no-lock",
    default=None,
    help="Update leadstate.lock.json, or do not.  [default: if it exists]",
)
@options.option(
    "--wave",
    "waves",
    metavar="1,10%,rest",
    default=REST,
    help="Write to some accounts before the others: numbers of accounts or percentages, then `rest`.",
)
@options.option(
    "--max-failed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    metavar="N",
    help="Accounts that may fail before the next wave is cancelled.",
)
@options.verbose
@options.output(*FORMATS)
def apply(
    *,
    plan_file: Path | None,
    waves: str,
    max_failed: int,
    form: str,
    color: str,
    output: Path | None,
    **chosen: Any,
) -> int:
    """Apply the configuration: plan, show, ask for `yes`, write, and read again.

    With PLAN (from `plan --out`) everything is planned again, and refused if anything differs from what was reviewed.
    No request is ever read from a plan file. A receipt in .leadstate/receipts says what was done; `restore` undoes it.

    With --interactive each change is asked about before the first one is made. What was declined is not a failure.

    \b
    Examples:  leadstate apply
               leadstate apply plan.json --auto-approve
               leadstate apply -a tag:prod --max-tokens 2000
               leadstate apply --wave 1,10%,rest --auto-approve
    """
    choices = Choices(**chosen, color=color)
    if choices.interactive:
        check_interactive(choices)
    try:
        choices = replace(choices, rollout=Rollout.parse(waves, max_failed))
    except ValueError as failure:
        raise click.BadParameter(str(failure), param_hint="--wave") from None
    if plan_file is not None:
        choices = read_plan(plan_file, choices)
    try:
        configuration = choices.configuration()
    except ConfigurationError as failure:
        emit(configuration_report("apply", failure), form, color, output)
        return Exit.ERROR
    code, report = apply_with_consent(choices, configuration)
    if report is not None:
        emit(report, form, color, output)
    return code
