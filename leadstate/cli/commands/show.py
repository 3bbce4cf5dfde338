"""`leadstate show`: a stored report in any form."""

from pathlib import Path

import click

from leadstate.api.receipts import read_report
from leadstate.cli import options
from leadstate.cli.exits import Exit
from leadstate.cli.main import COMMANDS
from leadstate.cli.output import emit
from leadstate.report import FORMATS
from leadstate.report.merge_reports import merge_reports, missing_shards


@click.command(short_help=COMMANDS["show"])
@click.argument(
    "files", metavar="REPORT...", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@options.verbose
@options.output(*FORMATS)
def show(*, files: tuple[Path, ...], form: str, color: str, output: Path | None) -> int:
    """Render a report that `plan --out` or `-o FILE --format json` has stored; several, of shards, as one.

    \b
    Examples:  leadstate show plan.json
               leadstate show shard-*.json --format json -o plan.json
    """
    reports = [read_report(file) for file in files]
    if absent := missing_shards(reports):
        shards = f"shard {absent[0]} is" if len(absent) == 1 else f"shards {', '.join(map(str, absent))} are"
        click.echo(f"Not all accounts are there: the {shards} missing.", err=True)
    emit(merge_reports(reports), form, color, output)
    # One shard may be looked at alone; several are meant to be the whole.
    return Exit.ERROR if absent and len(files) > 1 else Exit.FINE
