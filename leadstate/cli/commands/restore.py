"""`leadstate restore`: the rollback of an apply, as a plan and an apply like any other."""

from pathlib import Path
from typing import Any

import click

from leadstate.api.configuration import is_receipt, rollback
from leadstate.api.receipts import (
    LISTED,
    StoredReceipt,
    describe_undo,
    find_latest,
    list_receipts,
    read_receipts,
    read_report,
)
from leadstate.cli import options
from leadstate.cli.completion import complete_receipts
from leadstate.cli.consent import apply_with_consent, check_interactive, read_plan
from leadstate.cli.exits import Exit
from leadstate.cli.interrupts import wait_for
from leadstate.cli.main import COMMANDS
from leadstate.cli.output import configuration_report, emit, table, to_json, write, write_private
from leadstate.cli.session import Choices, exit_of
from leadstate.config import Configuration
from leadstate.model.diagnostics import ConfigurationError, counted, some
from leadstate.model.escape import visible
from leadstate.report import FORMATS
from leadstate.report.document import Report

_LISTS = ("text", "json")
"""Formats of a list of receipts."""
_HEADINGS = ("when (UTC)", "did", "undo", "accounts", "command", "receipt")


@click.command(short_help=COMMANDS["restore"])
@click.argument(
    "receipt", metavar="[RECEIPT]", required=False, type=click.Path(path_type=Path), shell_complete=complete_receipts
)
@click.argument(
    "plan_file", metavar="[PLAN]", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@options.configuration
@options.option("--list", "list_", is_flag=True, help="Only list the receipts, and say which can be undone.")
@options.targets
@options.guards
@options.option(
    "--out",
    type=options.OutputFile(),
    metavar="FILE",
    help="Only plan, and store the plan as JSON, for `restore RECEIPT PLAN`.",
)
@options.approval
@options.verbose
@options.output(*FORMATS)
def restore(
    *,
    receipt: Path | None,
    plan_file: Path | None,
    list_: bool,
    out: Path | None,
    form: str,
    color: str,
    output: Path | None,
    **chosen: Any,
) -> int:
    """Undo an apply by its RECEIPT: deleted labels come back on the leads that had them, changed fields return.

    Without RECEIPT, the latest receipt of an apply of these accounts in .leadstate/receipts is used. Its name is
    printed first. A receipt of a restore has to be named.

    What somebody has changed since stays as it is. What was added is deleted again, under the same guards as any
    delete. A lead that was deleted comes back as a new one: its notes and activities are gone. The lock file, where
    there is one, is brought up to date. With --target a label comes back on its leads, and a lead with its labels.

    \b
    Examples:  leadstate restore --list
               leadstate restore --target label:Hot
               leadstate restore .leadstate/receipts/20261124T090000Z-1f2e3d4c-812.json
               leadstate restore RECEIPT --out rollback.json && leadstate restore RECEIPT rollback.json
    """
    choices = Choices(**chosen, color=color)
    if list_:
        if receipt is not None or out is not None or choices.events or choices.interactive or form not in _LISTS:
            forms = " or ".join(_LISTS)
            raise click.UsageError(f"--list takes no RECEIPT, --out, --events and --interactive, and --format {forms}.")
        return _list(choices.configuration(), form, color, output)
    if out is not None and (plan_file is not None or choices.events or choices.interactive):
        raise click.UsageError("--out makes a plan; PLAN, --events and --interactive apply one: give one of the two.")
    if choices.interactive:
        check_interactive(choices)
    if plan_file is not None:
        choices = read_plan(plan_file, choices)
    try:
        configuration = choices.configuration()
        path, done = _read_receipt(receipt, configuration)
        configuration = rollback(configuration, done, str(path), limited=choices.limited)
    except ConfigurationError as failure:
        emit(configuration_report("plan", failure), form, color, output)
        return Exit.ERROR
    if out is not None:
        plan = wait_for(choices.plan_alone(configuration))
        write_private(out, plan.to_json())
        emit(plan.report, form, color, output)
        return exit_of(plan.severity)
    code, report = apply_with_consent(choices, configuration)
    if report is not None:
        emit(report, form, color, output)
    return code


def _read_receipt(path: Path | None, configuration: Configuration) -> tuple[Path, Report]:
    """Read a receipt, named by its path or by its name in the folder of receipts; else the latest one of an apply."""
    folder = options.runtime().receipts
    if path is None:
        path, report, description = find_latest(folder, configuration)
        click.echo(f"Latest receipt: {visible(description)}", err=True)
    else:
        path = path if path.exists() or path.name != str(path) else folder / path
        report = read_report(path)
    if report.command == "plan":
        raise click.BadParameter(f"{path} is a plan: name the receipt first, then the plan", param_hint="RECEIPT")
    if not is_receipt(report):
        raise click.BadParameter("is not a receipt: those are in .leadstate/receipts", param_hint="RECEIPT")
    for diagnostic in report.diagnostics:
        if diagnostic.code == "unfinished-run":
            click.echo(f"Of this receipt, {visible(diagnostic.summary)}.", err=True)
    return path, report


def _list(configuration: Configuration, form: str, color: str, output: Path | None) -> int:
    """Write the newest receipts, what each run did, and whether it can be undone."""
    folder = options.runtime().receipts
    paths = list_receipts(folder)
    found = list(read_receipts(paths[:LISTED]))
    undos = [describe_undo(stored, found[:number], configuration) for number, stored in enumerate(found)]
    if form == "json":
        text = to_json([_plain(stored, *undo) for stored, undo in zip(found, undos, strict=True)])
    else:
        rows = [_row(stored, *undo) for stored, undo in zip(found, undos, strict=True)]
        text = table(rows, _HEADINGS, color=color, output=output) if rows else ""
    write(text, output)
    if not found:
        click.echo(f"There is no receipt in {folder}.", err=True)
    if len(paths) > LISTED:
        click.echo(f"{counted(len(paths) - LISTED, 'older receipt')} in {folder}.", err=True)
    return Exit.FINE


def _plain(stored: StoredReceipt, undo: str, detail: str) -> dict[str, object]:
    return {
        "receipt": str(stored.path),
        "when": f"{stored.when.replace(' ', 'T')}Z",
        "command": stored.command or None,
        "accounts": stored.accounts,
        "done": dict(stored.done),
        "undo": undo,
        "detail": detail,
    }


def _row(stored: StoredReceipt, undo: str, detail: str) -> list[str]:
    answer = f"{undo}: {detail}" if detail else undo
    return [stored.when, stored.did, answer, some(stored.accounts), stored.command, stored.path.name]
