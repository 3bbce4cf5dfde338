"""`leadstate plan`: what an apply would do. Its clients have no way to write."""

from pathlib import Path
from typing import Any

import click

from leadstate.cli import options
from leadstate.cli.baseline import Baseline, read_baseline
from leadstate.cli.configuration import configuration_report
from leadstate.cli.event_loop import wait_for
from leadstate.cli.exits import Exit
from leadstate.cli.main import COMMANDS
from leadstate.cli.output import emit, write_private
from leadstate.cli.planning import (
    Choices,
    Planned,
    check_targets,
    exit_of,
    make_plans,
    plan_report,
)
from leadstate.cli.read_summary import say_stats
from leadstate.cli.session import session
from leadstate.config import Configuration
from leadstate.model.errors import ConfigurationError
from leadstate.report import RENDERERS
from leadstate.report.document import Report
from leadstate.report.formats.json import to_json


@click.command(short_help=COMMANDS["plan"])
@options.configuration
@options.planning
@options.option("--out", type=options.OutputFile(), metavar="FILE", help="Store the plan for apply and show.")
@options.option(
    "--base",
    "base_revision",
    metavar="REF",
    help="Say of each change whether it is new since this git revision, or drift that it would mend too.",
)
@options.option("--detailed-exitcode", is_flag=True, help="Exit 2 where changes are pending.")
@options.output(*RENDERERS)
def plan(
    *,
    out: Path | None,
    base_revision: str | None,
    detailed_exitcode: bool,
    form: str,
    color: str,
    output: Path | None,
    **chosen: Any,
) -> int:
    """Show what an apply would add, update and delete, and what it costs. Never writes to an account.

    \b
    Examples:  leadstate plan
               leadstate plan -a emea --target label:Hot
               leadstate plan --base origin/main
               leadstate plan --out plan.json && leadstate apply plan.json
    """
    choices = Choices(**chosen)
    try:
        configuration = choices.configuration()
    except ConfigurationError as failure:
        emit(configuration_report("plan", failure), form, color, output)
        return Exit.ERROR
    baseline = None if base_revision is None else read_baseline(base_revision, choices.paths, configuration)
    planned, report = wait_for(_plan(choices, configuration, baseline))
    emit(report, form, color, output)
    if out is not None:
        write_private(out, to_json(report))
    code = exit_of(planned.severity)
    if code is Exit.FINE and detailed_exitcode and report.summary.changes:
        return Exit.CHANGES
    return code


async def _plan(choices: Choices, configuration: Configuration, baseline: Baseline | None) -> tuple[Planned, Report]:
    settings = choices.settings()
    async with session(configuration) as opened:
        planned = await make_plans(opened, settings, baseline)
        if choices.stats:
            say_stats(opened, planned.plans)
        check_targets(settings.targets, planned.plans, configuration)
        return planned, plan_report(planned, opened, choices, configuration, baseline)
