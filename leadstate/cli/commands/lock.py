"""`leadstate lock`: refreshes the lock file from the live accounts. Writes to no account."""

from pathlib import Path

import click

from leadstate.api.configuration import lock_file
from leadstate.api.lockfile import update_lock_file
from leadstate.cli import options
from leadstate.cli.exits import Exit
from leadstate.cli.interrupts import wait_for
from leadstate.cli.main import COMMANDS
from leadstate.cli.options import runtime
from leadstate.cli.output import say
from leadstate.cli.session import Choices
from leadstate.model.diagnostics import counted


@click.command(short_help=COMMANDS["lock"])
@options.configuration
@options.progress
@options.display
def lock(*, paths: tuple[Path, ...], accounts: tuple[str, ...], color: str) -> int:  # noqa: ARG001  the bar reads it
    """Write leadstate.lock.json: the id of each declared label and lead that is there. Commit it.

    The lock file is a cache of ids; live data wins. With it a rename in Pipedrive is recognised, `prune: {labels:
    locked}` deletes labels that the lock file knows and no file declares any more, and a seed that people deleted stays
    deleted. `apply` keeps it up to date if it exists.

    \b
    Examples:  leadstate lock
               leadstate lock -a emea

    """
    choices = Choices(paths, accounts, everything=True)
    configuration = choices.configuration()
    planned = wait_for(choices.plan_alone(configuration))
    path = lock_file(paths)
    known = [account.account for account in configuration.accounts]
    now = update_lock_file(path, known, {plan.account: plan for plan in planned.plans}, {}, runtime().state)
    if path.exists():
        click.echo(f"{path}: {counted(sum(map(len, now.values())), 'entry', 'entries')}")
    say(planned.errors)
    return Exit.ERROR if planned.errors else Exit.FINE
