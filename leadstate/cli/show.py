"""`leadstate show`: a stored report in any form."""

from pathlib import Path

import click

from leadstate.cli import options
from leadstate.cli.exits import Exit
from leadstate.cli.main import COMMANDS
from leadstate.cli.output import emit
from leadstate.report.document import parse


@click.command(short_help=COMMANDS["show"])
@click.argument("report", metavar="REPORT", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@options.output("text", "json")
def show(*, report: Path, form: str, color: str, output: Path | None) -> int:
    """Render a report that `plan --out` or `-o FILE --format json` has stored."""
    emit(parse(report.read_text(encoding="utf-8", errors="replace")), form, color, output)
    return Exit.FINE
