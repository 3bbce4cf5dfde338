"""`leadstate help COMMAND`: the same as `leadstate COMMAND --help`."""

import click

from leadstate.cli.main import COMMANDS, cli


@click.command(short_help=COMMANDS["help"])
@click.argument("command", nargs=-1, metavar="[COMMAND]...")
def help(*, command: tuple[str, ...]) -> None:  # noqa: A001  named as the command is
    """Show the help of a command, as its --help does; without one, the list of commands.

    \b
    Examples:  leadstate help
               leadstate help plan
               leadstate help get labels
    """
    cli.main([*command, "--help"], prog_name="leadstate", standalone_mode=False)
