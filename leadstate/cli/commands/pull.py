"""`leadstate pull`: live values of declared objects into the YAML. Its clients have no way to write to an account."""

from pathlib import Path

import click

from leadstate.api.configuration import lock_file
from leadstate.api.results import Plan
from leadstate.cli import options
from leadstate.cli.exits import Exit
from leadstate.cli.interrupts import wait_for
from leadstate.cli.main import COMMANDS
from leadstate.cli.options import load_configuration
from leadstate.cli.output import say
from leadstate.cli.patch import new_texts, patch, patch_options, read_files
from leadstate.cli.session import Choices
from leadstate.edit.pull import accept
from leadstate.edit.writer import EditError
from leadstate.model.account import ImpactLevel
from leadstate.model.escape import visible
from leadstate.model.plan import Action, Change


@click.command(short_help=COMMANDS["pull"])
@options.configuration
@options.targets
@patch_options
@options.progress
@options.display
def pull(
    *,
    paths: tuple[Path, ...],
    accounts: tuple[str, ...],
    targets: tuple[str, ...],
    check: bool,
    auto_approve: bool,
    color: str,
) -> int:
    """Accept drift: write the live values of declared labels and leads into the YAML.

    Only values that differ are written; comments, order and quoting stay. A value that all accounts of an object share
    goes into the object itself, any other into its `overrides`. Shows the patch and asks for `yes`. An object that no
    longer exists stays declared. For unmanaged objects see `import`.

    \b
    Examples:  leadstate pull
               leadstate pull --check
               leadstate pull -a emea --target label:Hot
    """
    choices = Choices(paths, accounts, targets=targets, impact=ImpactLevel.NONE)
    files = read_files(paths)
    configuration = choices.configuration()
    everything = load_configuration(paths, ()) if choices.limited else configuration
    plan = wait_for(choices.plan_alone(configuration))
    fields = {account.account: known for account in plan.plans if (known := account.bindings.fields) is not None}
    accepted = accept(_changes(plan, Action.UPDATE), files, everything, fields)
    try:
        changed = new_texts(files, accepted.edits)
    except EditError:
        accepted.leave_out(files)
        changed = new_texts(files, accepted.edits)
    renamed = accepted.renamed
    code = patch(changed, paths, check=check, auto_approve=auto_approve, color=color, renamed=renamed)
    if code is Exit.FINE and renamed:
        click.echo(f"{lock_file(paths)} knows what was renamed by its new name: commit it.", err=True)
    errors = plan.errors
    say([*errors, *accepted.diagnostics])
    for change in _changes(plan, Action.ADD):
        address = visible(str(change.address))
        click.echo(f"{address} is not in Pipedrive and stays declared; an apply would add it.", err=True)
    if not changed and not errors and not accepted.diagnostics:
        click.echo("Nothing to pull.", err=True)
    if code is Exit.FINE and (errors or accepted.diagnostics):
        return Exit.IN_PART if changed else Exit.ERROR
    return code


def _changes(plan: Plan, action: Action) -> list[Change]:
    """Return changes of accounts that were read completely, without those that a target only depends on."""
    targets = plan.settings.targets
    return [
        change
        for account in plan.plans
        if account.complete
        for change in account.changes
        if change.action is action and (not targets or any(target.selects(change.address) for target in targets))
    ]
