"""`leadstate matrix`: labels by accounts, live: where each label is, and where its colour differs."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from leadstate.cli import options
from leadstate.cli.declared import load_configuration
from leadstate.cli.exits import Exit
from leadstate.cli.findings import say
from leadstate.cli.main import COMMANDS
from leadstate.cli.output import columns, wants_color, write_private
from leadstate.cli.session import session
from leadstate.cli.waiting import wait_for
from leadstate.config import Configuration
from leadstate.core.diagnostics import Diagnostic
from leadstate.core.escape import visible, visible_json
from leadstate.core.resource import Live
from leadstate.engine.decoded import decoded
from leadstate.engine.run import Work, each
from leadstate.kinds.label import LABEL
from leadstate.kinds.operations import GET_LABELS, Request
from leadstate.pipedrive.client import Reader
from leadstate.report.console import drawn

Grid = dict[str, dict[str, list[str]]]
"""Label name → account → the colours of the labels that bear it there."""


@click.command(short_help=COMMANDS["matrix"])
@options.configuration
@options.output("table", "json")
def matrix(
    *,
    paths: tuple[Path, ...],
    accounts: tuple[str, ...],
    form: str,
    color: str,
    output: Path | None,
) -> int:
    """Show every live label in every account (10 tokens an account): its colour, and where that differs from most.

    A label that is not everywhere, or not everywhere the same, is marked with `!`.

    \b
    Examples:  leadstate matrix
               leadstate matrix -a tag:prod --format json
    """
    read, failures = wait_for(_read(load_configuration(paths, accounts)))
    grid, names = _grid(read), sorted(read)
    if form == "json":
        text = visible_json(json.dumps(grid, indent=2, ensure_ascii=False)) + "\n"
    else:
        text = drawn(lambda console: _print(console, grid, names), color=wants_color(color), width=columns())
    if output is None:
        click.echo(text, nl=False, color=True)
    else:
        write_private(output, text)
    say(failures)
    return Exit.ERROR if failures else Exit.FINE


async def _read(configuration: Configuration) -> tuple[dict[str, list[Live]], list[Diagnostic]]:
    async with session(configuration) as opened:
        failures = [finding for plan in opened.unusable for finding in plan.diagnostics]
        answers = await each(opened.work, _read_labels, lambda _, finding: finding)
        found = {job.account.name: answer for job, answer in zip(opened.work, answers, strict=True)}
    failures += [answer for answer in found.values() if isinstance(answer, Diagnostic)]
    read = {name: answer for name, answer in found.items() if not isinstance(answer, Diagnostic)}
    return read, sorted(failures, key=lambda finding: finding.account or "")


async def _read_labels(job: Work) -> list[Live] | Diagnostic:
    answer = await Reader(job.connection).get(Request(GET_LABELS))
    return list(decoded(LABEL, GET_LABELS, answer.rows()))


def _grid(read: Mapping[str, Sequence[Live]]) -> Grid:
    grid: Grid = {}
    for name, labels in sorted(read.items()):
        for label in labels:
            grid.setdefault(label.name, {}).setdefault(name, []).append(str(label.attrs["color"]))
    return dict(sorted(grid.items()))


def _print(console: Console, grid: Grid, names: list[str]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("", "label", *names):
        table.add_column(Text(visible(heading)), overflow="fold")
    for label, row in grid.items():
        usual = Counter(color for colors in row.values() for color in colors).most_common(1)[0][0]
        alike = all(row.get(name) == [usual] for name in names)
        cells = [Text(", ".join(row.get(name, ["—"])), "" if row.get(name) == [usual] else "yellow") for name in names]
        table.add_row(Text("" if alike else "!", "yellow"), Text(visible(label)), *cells)
    console.print(table)
