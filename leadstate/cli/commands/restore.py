"""`leadstate restore`: the rollback of an apply, as a plan and an apply like any other."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from leadstate.cli import options
from leadstate.cli.applying import Consent, carry_out, read_plan
from leadstate.cli.configuration import configuration_report, lock_file
from leadstate.cli.event_loop import wait_for
from leadstate.cli.exits import Exit
from leadstate.cli.main import COMMANDS
from leadstate.cli.output import emit, write_private
from leadstate.cli.planning import Choices, exit_of, make_plans, plan_report
from leadstate.cli.receipts import read_report
from leadstate.cli.session import session
from leadstate.config import Configuration, DeclaredAccount
from leadstate.model.errors import ConfigurationError, ReportError
from leadstate.report import RENDERERS
from leadstate.report.document import Account, Report
from leadstate.report.formats.json import to_json
from leadstate.report.touches import receipt_of


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
    if done.command != "apply" or any(account.touched is None for account in done.accounts):
        raise click.BadParameter("is no receipt: those are in .leadstate/receipts", param_hint="RECEIPT")
    choices = Choices(**chosen)
    try:
        configuration = _back(choices.configuration(), done, str(receipt))
    except ConfigurationError as failure:
        emit(configuration_report("plan", failure), form, color, output)
        return Exit.ERROR
    if out is not None:
        code, planned = wait_for(_plan(choices, configuration))
        write_private(out, to_json(planned))
        emit(planned, form, color, output)
        return code
    lock = lock_file(choices.paths)
    kept = lock if lock.exists() else None
    consent = Consent(read_plan(plan_file), auto_approve, color, kept, lock_timeout=lock_timeout)
    code, report = carry_out(choices, configuration, consent)
    if report is not None:
        emit(report, form, color, output)
    return code


def _back(configuration: Configuration, done: Report, receipt: str) -> Configuration:
    """The configuration with the receipt in place of what it declares, in the accounts that the receipt is about."""
    about = {account.account: account for account in done.accounts if account.changes}
    declared = {account.account.name: account for account in configuration.accounts}
    missing = sorted(about.keys() - declared.keys())
    if missing and not set(about) & set(declared):
        raise click.UsageError(f"The configuration has no account {', '.join(missing)}, which the receipt is about.")
    chosen = [_account(declared[name], about[name], receipt) for name in sorted(about.keys() & declared.keys())]
    return replace(configuration, accounts=tuple(chosen), diagnostics=())


def _account(declared: DeclaredAccount, done: Account, receipt: str) -> DeclaredAccount:
    account = declared.account
    if done.origin != account.origin:
        raise ReportError(
            f"{receipt} is of {done.origin}, while {account.name} is {account.origin}",
            hint="use the configuration that was applied, or the receipt of this account",
        )
    if None not in (done.company_id, account.company_id) and done.company_id != account.company_id:
        raise ReportError(
            f"{receipt} is of company {done.company_id}, while {account.name} is company {account.company_id}",
            hint="use the configuration that was applied, or the receipt of this company",
        )
    return replace(declared, account=replace(account, desired=(), receipt=receipt_of(done, receipt)))


async def _plan(choices: Choices, configuration: Configuration) -> tuple[Exit, Report]:
    async with session(configuration) as opened:
        planned = await make_plans(opened, choices.settings())
        return exit_of(planned.severity), plan_report(planned, opened, choices, configuration)
