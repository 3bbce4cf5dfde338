"""`leadstate restore`: the rollback of an apply, as a plan and an apply like any other."""

from pathlib import Path
from typing import Any

import click

from leadstate.api.configuration import is_receipt, lock_file, rollback
from leadstate.api.receipts import read_report
from leadstate.api.results import Plan
from leadstate.cli import options
from leadstate.cli.choices import Choices, exit_of
from leadstate.cli.configuration import configuration_report
from leadstate.cli.consent import Consent, carry_out, read_plan
from leadstate.cli.event_loop import wait_for
from leadstate.cli.exits import Exit
from leadstate.cli.main import COMMANDS
from leadstate.cli.output import emit, write_private
from leadstate.cli.session import session
from leadstate.config import Configuration
from leadstate.model.errors import ConfigurationError
from leadstate.report import RENDERERS


@click.command(short_help=COMMANDS["restore"])
@click.argument("receipt", metavar="RECEIPT", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument(
    "plan_file", metavar="[PLAN]", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@options.configuration
@options.guards
@options.option("--out", type=options.OutputFile(), metavar="FILE", help="Only plan, and store the plan.")
@options.approval
@options.output(*RENDERERS)
def restore(
    *,
    receipt: Path,
    plan_file: Path | None,
    out: Path | None,
    auto_approve: bool,
    lock_timeout: float,
    form: str,
    color: str,
    output: Path | None,
    **chosen: Any,
) -> int:
    """Undo an apply by its RECEIPT: deleted labels come back on the leads that had them, changed fields return.

    What somebody has changed since stays as it is. What was added is deleted again, under the same guards as any
    delete. A lead that was deleted comes back as a new one: its notes and activities are gone. The lock file, where
    there is one, is brought up to date.

    \b
    Examples:  leadstate restore .leadstate/receipts/20261124T090000Z-1f2e3d4c-812.json
               leadstate restore RECEIPT --out back.json && leadstate restore RECEIPT back.json
    """
    if out is not None and plan_file is not None:
        raise click.UsageError("--out makes a plan and PLAN applies one: give one of the two.")
    done = read_report(receipt)
    if not is_receipt(done):
        raise click.BadParameter("is not a receipt: those are in .leadstate/receipts", param_hint="RECEIPT")
    choices = Choices(**chosen)
    try:
        configuration = rollback(choices.configuration(), done, str(receipt))
    except ConfigurationError as failure:
        emit(configuration_report("plan", failure), form, color, output)
        return Exit.ERROR
    if out is not None:
        plan = wait_for(_plan(choices, configuration))
        write_private(out, plan.to_json())
        emit(plan.report, form, color, output)
        return exit_of(plan.severity)
    lock = lock_file(choices.paths)
    kept = lock if lock.exists() else None
    consent = Consent(read_plan(plan_file), auto_approve, color, kept, lock_timeout=lock_timeout)
    code, report = carry_out(choices, configuration, consent)
    if report is not None:
        emit(report, form, color, output)
    return code


async def _plan(choices: Choices, configuration: Configuration) -> Plan:
    async with session(configuration, choices.limit) as opened:
        return await choices.plan(opened)
