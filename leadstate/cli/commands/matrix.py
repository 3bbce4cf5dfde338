"""`leadstate matrix`: labels by accounts, live: where each label is, and where its colour differs."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from leadstate.cli import options
from leadstate.cli.exits import Exit
from leadstate.cli.interrupts import wait_for
from leadstate.cli.main import COMMANDS
from leadstate.cli.options import load_configuration
from leadstate.cli.output import color_and_width, say, to_json, write
from leadstate.cli.session import read_accounts
from leadstate.engine.jobs import AccountJob
from leadstate.engine.read.observe import read_listing, without_ignored
from leadstate.kinds import KINDS
from leadstate.model.diagnostics import NAMED, counted, some
from leadstate.model.escape import visible
from leadstate.model.resource import CARRIED, Live
from leadstate.pipedrive.client import Reader
from leadstate.report.formats.console import Cell, draw, fit, print_rows

Grid = dict[str, dict[str, list[str]]]
"""Label name → account → the colours of the labels that have it there."""
Rows = Mapping[str, Sequence[str]]
"""Label name → what each account shows for it: its colours, or that it is missing."""

MISSING = "—"


@click.command(short_help=COMMANDS["matrix"])
@options.configuration
@options.progress
@options.option("--differences", is_flag=True, help="Only labels that differ, and the accounts in which they do.")
@options.output("table", "json")
def matrix(
    *,
    paths: tuple[Path, ...],
    accounts: tuple[str, ...],
    differences: bool,
    form: str,
    color: str,
    output: Path | None,
) -> int:
    """Show every live label in every account (10 tokens an account): its colour, and where that differs from most.

    An account with `company_id` costs 2 more tokens. If its token belongs to another company, it is not read.

    A label that is not everywhere, or not everywhere the same, is marked with `!`. Where the accounts do not fit the
    terminal side by side, each label says which accounts have it in which colour, and names the first of many; with
    -o FILE all of them stand side by side.

    \b
    Examples:  leadstate matrix
               leadstate matrix --differences
               leadstate matrix -a tag:prod --format json
    """
    read, failures = wait_for(read_accounts(load_configuration(paths, accounts), _read_labels))
    grid, names = _grid(read), list(read)
    rows = {
        label: [", ".join(map(visible, row.get(name, ()))) or MISSING for name in names] for label, row in grid.items()
    }
    if differences:
        rows = {label: cells for label, cells in rows.items() if len(set(cells)) > 1}
    if form == "json":
        text = to_json({label: grid[label] for label in rows})
    else:
        colored, width = color_and_width(color, output)
        text, whole = to_text(rows, names, differences=differences, color=colored, width=width)
        if differences and not rows and not failures:
            click.echo(f"No differences in {counted(len(names), 'account')}.", err=True)
        if not whole:
            click.echo("Not every account is named: `-o FILE` or `--format json` writes all of them.", err=True)
    write(text, output)
    say(failures)
    return Exit.ERROR if failures else Exit.FINE


async def _read_labels(job: AccountJob) -> Sequence[Live]:
    listed = await read_listing(KINDS[CARRIED], Reader(job.connection))
    kept, _ = without_ignored(job.account, {CARRIED: listed})
    return kept[CARRIED]


def _grid(read: Mapping[str, Sequence[Live]]) -> Grid:
    grid: Grid = {}
    for name, labels in read.items():
        for label in labels:
            grid.setdefault(label.name, {}).setdefault(name, []).append(str(label.attrs["color"]))
    return dict(sorted(grid.items()))


def to_text(rows: Rows, names: Sequence[str], *, differences: bool, color: bool, width: int) -> tuple[str, bool]:
    """Return labels by accounts, and whether every account is named: side by side if they fit, else lists by colour.

    Args:
        rows: the labels.
        names: the accounts.
        differences: whether accounts in which every label is as in most accounts are left out.
        color: whether to colour.
        width: columns of the terminal.
    """
    if not rows:
        return "", True
    lines, whole = _side_by_side(rows, names, differences=differences), True
    if not fit(width, lines):
        lines, whole = _by_color(rows, names)
    last = len(lines[0]) - 1
    return draw(lambda console: print_rows(console, lines, folds=last), color=color, width=width), whole


def _side_by_side(rows: Rows, names: Sequence[str], *, differences: bool) -> list[list[Cell]]:
    """Return a heading and a line for each label, with a column for each account."""
    most = {label: Counter(cells).most_common(1)[0][0] for label, cells in rows.items()}
    shown = [
        at
        for at in range(len(names))
        if not differences or any(cells[at] != most[label] for label, cells in rows.items())
    ]
    lines: list[list[Cell]] = [[[(text, "bold")] for text in ("", "label", *(visible(names[at]) for at in shown))]]
    for label, cells in rows.items():
        usual = _usual(cells)
        accounts: list[Cell] = [[(cells[at], "" if cells[at] == usual else "yellow")] for at in shown]
        lines.append([_marker(cells), [(visible(label), "")], *accounts])
    return lines


def _by_color(rows: Rows, names: Sequence[str]) -> tuple[list[list[Cell]], bool]:
    """Return a line for each colour that a label has, and one for where it is missing; and whether all are named."""
    lines: list[list[Cell]] = []
    whole = True
    for label, cells in rows.items():
        usual = _usual(cells)
        begin: list[Cell] = [_marker(cells), [(visible(label), "")]]
        for color in sorted(set(cells), key=lambda color: (color != usual, color == MISSING, color)):
            where = [visible(name) for name, cell in zip(names, cells, strict=True) if cell == color]
            # The usual colour needs no list: it is everywhere else.
            accounts, style = (counted(len(where), "account"), "") if color == usual else (some(where), "yellow")
            whole = whole and (color == usual or len(where) <= NAMED)
            lines.append([*begin, [(color, style)], [(accounts, style)]])
            begin = [[], []]
    return lines, whole


def _marker(cells: Sequence[str]) -> Cell:
    return [("!" if len(set(cells)) > 1 else "", "yellow")]


def _usual(cells: Sequence[str]) -> str:
    """Return the colour that most accounts have that have the label at all."""
    return Counter(cell for cell in cells if cell != MISSING).most_common(1)[0][0]
