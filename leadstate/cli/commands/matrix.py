"""`leadstate matrix`: labels by accounts, live: where each label is, and where its colour differs."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from leadstate.cli import options
from leadstate.cli.event_loop import wait_for
from leadstate.cli.exits import Exit
from leadstate.cli.main import COMMANDS
from leadstate.cli.options import load_configuration
from leadstate.cli.output import UNFOLDED, columns, say, wants_color, write_private
from leadstate.cli.progress import read_each
from leadstate.cli.session import session
from leadstate.config import Configuration
from leadstate.engine.jobs import AccountJob
from leadstate.engine.read.observe import read_listing, without_ignored
from leadstate.kinds import KINDS
from leadstate.model.diagnostics import NAMED, Diagnostic, counted, some
from leadstate.model.escape import visible, visible_json
from leadstate.model.resource import CARRIED, Live
from leadstate.pipedrive.client import Reader
from leadstate.report.formats.console import Cell, drawn, print_rows

Grid = dict[str, dict[str, list[str]]]
"""Label name → account → the colours of the labels that bear it there."""
Row = tuple[str, Sequence[str]]
"""A label, and its colours in each account."""


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

    A label that is not everywhere, or not everywhere the same, is marked with `!`. Where the accounts do not fit the
    terminal side by side, each label says which accounts have it in which colour, and names the first of many; with
    -o FILE all of them stand side by side.

    \b
    Examples:  leadstate matrix
               leadstate matrix --differences
               leadstate matrix -a tag:prod --format json
    """
    read, failures = wait_for(_read(load_configuration(paths, accounts)))
    grid, names = _grid(read), sorted(read)
    if differences:
        grid = {label: row for label, row in grid.items() if len(set(_cells(row, names))) > 1}
    if form == "json":
        text = visible_json(json.dumps(grid, indent=2, ensure_ascii=False)) + "\n"
    else:
        width = columns() if output is None else UNFOLDED
        shown = Matrix(grid, names, differences=differences)
        text = drawn(shown.print, color=wants_color(color), width=width)
        if not grid and differences and not failures:
            click.echo(f"No differences in {counted(len(names), 'account')}.", err=True)
        if shown.cut:
            click.echo("Not every account is named: `-o FILE` or `--format json` writes all of them.", err=True)
    if output is None:
        click.echo(text, nl=False, color=True)
    else:
        write_private(output, text)
    say(failures)
    return Exit.ERROR if failures else Exit.FINE


async def _read(configuration: Configuration) -> tuple[dict[str, list[Live]], list[Diagnostic]]:
    async with session(configuration) as opened:
        failures = [diagnostic for plan in opened.unusable for diagnostic in plan.diagnostics]
        answers = await read_each(opened.work, _read_labels, lambda _, diagnostic: diagnostic)
        found = {job.account.name: answer for job, answer in zip(opened.work, answers, strict=True)}
    failures += [answer for answer in found.values() if isinstance(answer, Diagnostic)]
    read = {name: answer for name, answer in found.items() if not isinstance(answer, Diagnostic)}
    return read, sorted(failures, key=lambda diagnostic: diagnostic.account or "")


async def _read_labels(job: AccountJob) -> list[Live] | Diagnostic:
    listed = await read_listing(KINDS[CARRIED], Reader(job.connection))
    kept, _ = without_ignored(job.account, {CARRIED: listed})
    return kept[CARRIED]


def _grid(read: Mapping[str, Sequence[Live]]) -> Grid:
    grid: Grid = {}
    for name, labels in sorted(read.items()):
        for label in labels:
            grid.setdefault(label.name, {}).setdefault(name, []).append(str(label.attrs["color"]))
    return dict(sorted(grid.items()))


MISSING = "—"
GAP = 2
"""Columns between those of rich's table."""


class Matrix:
    """Labels by accounts: a table where that fits, else lists.

    Args:
        grid: the labels.
        names: the accounts.
        differences: whether accounts in which no label differs from most stand together in one column.

    Attributes:
        cut: once printed, whether an account is named nowhere.
    """

    def __init__(self, grid: Grid, names: Sequence[str], *, differences: bool = False) -> None:
        self._rows = [(label, _cells(row, names)) for label, row in grid.items()]
        self._names = [visible(name) for name in names]
        self._differences = differences
        self.cut = False

    def print(self, console: Console) -> None:
        """Print it."""
        if self._differences and not self._rows:
            return
        headings, rows = self._table()
        widths = [max(map(cell_len, column)) for column in zip(headings, *(cells for _, cells in rows), strict=True)]
        first = max(map(cell_len, ("label", *(visible(label) for label, _ in rows))))
        if len("!") + GAP + first + sum(widths) + GAP * len(widths) <= console.width:
            _print_table(console, rows, headings)
        else:
            self._print_lists(console)

    def _table(self) -> tuple[list[str], Sequence[Row]]:
        """Return headings and rows; with differences alone, accounts that are as most of them are become one column."""
        apart = {
            at
            for _, cells in self._rows
            for common in Counter(cells).most_common(1)
            for at, cell in enumerate(cells)
            if cell != common[0]
        }
        alike = [at for at in range(len(self._names)) if at not in apart]
        if not self._differences or len(alike) <= 1:
            return self._names, self._rows
        kept = [*sorted(apart), alike[0]]
        headings = [*(self._names[at] for at in kept[:-1]), f"{len(alike):,} others"]
        return headings, [(label, [cells[at] for at in kept]) for label, cells in self._rows]

    def _print_lists(self, console: Console) -> None:
        """Print a line for each colour that a label has, and one for where it is missing."""
        lines: list[tuple[Cell, Cell, Cell, Cell]] = []
        for label, cells in self._rows:
            usual, counts = _usual(cells), Counter(cells)
            marker, name = ("" if set(cells) == {usual} else "!"), visible(label)
            for color in sorted(counts, key=lambda color: (color != usual, color == MISSING, color)):
                style = "" if color == usual else "yellow"
                where = [account for account, cell in zip(self._names, cells, strict=True) if cell == color]
                # The usual colour needs no list: it is everywhere else.
                told = counted(len(where), "account") if color == usual else some(where)
                self.cut = self.cut or (color != usual and len(where) > NAMED)
                lines.append(([(marker, "yellow")], [(name, "")], [(color, style)], [(told, style)]))
                marker = name = ""
        print_rows(console, lines, folds=3)


def _cells(row: Mapping[str, Sequence[str]], names: Sequence[str]) -> list[str]:
    return [", ".join(visible(color) for color in row.get(name, ())) or MISSING for name in names]


def _usual(cells: Sequence[str]) -> str:
    """The colour that most accounts have that have the label at all."""
    return Counter(cell for cell in cells if cell != MISSING).most_common(1)[0][0]


def _print_table(console: Console, rows: Sequence[Row], headings: Sequence[str]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("", "label", *headings):
        table.add_column(Text(heading), overflow="fold")
    for label, cells in rows:
        usual = _usual(cells)
        marker = "" if set(cells) == {usual} else "!"
        shown = [Text(cell, "" if cell == usual else "yellow") for cell in cells]
        table.add_row(Text(marker, "yellow"), Text(visible(label)), *shown)
    console.print(table)
