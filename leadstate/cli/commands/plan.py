"""`leadstate plan`: what an apply would do. Its clients have no way to write."""

from pathlib import Path
from typing import Any

import click

from leadstate.api.configuration import Baseline, read_baseline
from leadstate.api.results import Plan
from leadstate.cli import options
from leadstate.cli.completion import complete_revisions
from leadstate.cli.exits import Exit
from leadstate.cli.interrupts import wait_for
from leadstate.cli.main import COMMANDS
from leadstate.cli.metrics import metrics_of, to_text
from leadstate.cli.output import configuration_report, emit, replace_public, say_stats, write_private
from leadstate.cli.session import Choices, exit_of, session
from leadstate.config import Configuration
from leadstate.model.diagnostics import ConfigurationError
from leadstate.report import FORMATS


@click.command(short_help=COMMANDS["plan"])
@options.configuration
@options.planning
@options.option(
    "--out", type=options.OutputFile(), metavar="FILE", help="Also store the plan as JSON, for `apply PLAN` and `show`."
)
@options.option(
    "--base",
    "base_revision",
    metavar="REF",
    shell_complete=complete_revisions,
    help="Mark each change as new since this git revision, or as drift.",
)
@options.option(
    "--metrics",
    type=options.OutputFile(),
    metavar="FILE",
    help="Write drift, tokens and time as OpenMetrics text, for a textfile collector.",
)
@options.option("--detailed-exitcode", is_flag=True, help="Exit 2 if changes are pending.")
@options.verbose
@options.output(*FORMATS)
def plan(
    *,
    out: Path | None,
    base_revision: str | None,
    metrics: Path | None,
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
    made = wait_for(_plan(choices, configuration, baseline, metrics))
    emit(made.report, form, color, output)
    if out is not None:
        write_private(out, made.to_json())
    code = exit_of(made.severity)
    if code is Exit.FINE and detailed_exitcode and made.summary.changes:
        return Exit.CHANGES
    return code


async def _plan(
    choices: Choices, configuration: Configuration, baseline: Baseline | None, metrics: Path | None
) -> Plan:
    async with session(configuration) as opened:
        plan = await choices.plan(opened, baseline)
        if choices.stats:
            say_stats(opened, plan.plans)
        if metrics is not None:
            compared = baseline is not None and baseline.accounts is not None
            replace_public(metrics, to_text(metrics_of(plan, opened, options.runtime().now(), compared=compared)))
        return plan
