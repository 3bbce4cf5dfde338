"""`leadstate validate`: the configuration's mistakes, all at once, offline."""

from pathlib import Path

import click

from leadstate.cli import options
from leadstate.cli.exits import Exit
from leadstate.cli.main import COMMANDS
from leadstate.cli.options import load_configuration
from leadstate.cli.output import configuration_report, emit
from leadstate.model.diagnostics import ConfigurationError
from leadstate.report import FORMATS
from leadstate.report.build import build
from leadstate.report.document import Scope


@click.command(short_help=COMMANDS["validate"])
@options.configuration
@options.verbose
@options.output(*FORMATS)
def validate(*, paths: tuple[Path, ...], accounts: tuple[str, ...], form: str, color: str, output: Path | None) -> int:
    """Check the configuration without asking any account: every mistake with its place and its fix.

    \b
    Examples:  leadstate validate
               leadstate validate -c accounts.yaml -c labels.yaml
               leadstate validate --format json
    """
    try:
        configuration = load_configuration(paths, accounts)
    except ConfigurationError as failure:
        emit(configuration_report("validate", failure), form, color, output)
        return Exit.ERROR
    report = build("validate", [], scope=Scope(accounts=accounts), diagnostics=configuration.diagnostics)
    emit(report, form, color, output)
    return Exit.FINE
