"""`leadstate matrix`: labels by accounts, live: where each label is, and where its colour differs."""

import asyncio
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from leadstate.cli import options
from leadstate.cli.declared import DEFAULT, load_configuration
from leadstate.cli.exits import Exit
from leadstate.cli.findings import say
from leadstate.cli.main import COMMANDS
from leadstate.cli.output import columns, wants_color, write_private
from leadstate.cli.patching import Way, asking, file_for, new_texts, patch
from leadstate.cli.session import session
from leadstate.cli.waiting import wait_for
from leadstate.config import Configuration
from leadstate.config.writing.alike import like as made_alike
from leadstate.config.writing.items import Files
from leadstate.core.diagnostics import Diagnostic
from leadstate.core.errors import ConfigurationError, finding_of
from leadstate.core.escape import visible
from leadstate.core.resource import Live
from leadstate.engine.decoded import decoded
from leadstate.kinds.label import LABEL
from leadstate.kinds.operations import GET_LABELS, Request
from leadstate.pipedrive.client import Reader
from leadstate.pipedrive.errors import ApiError
from leadstate.report.console import drawn

Grid = dict[str, dict[str, list[str]]]
"""Label name → account → the colours of the labels that bear it there."""


@click.command(short_help=COMMANDS["matrix"])
@options.configuration
@options.option(
    "--like", metavar="ACCOUNT", help="Write the labels and colours of this account into the YAML, for every account."
)
@asking
@options.output("table", "json")
def matrix(
    *,
    paths: tuple[Path, ...],
    accounts: tuple[str, ...],
    like: str | None,
    check: bool,
    auto_approve: bool,
    form: str,
    color: str,
    output: Path | None,
) -> int:
    """Show every live label in every account (10 tokens an account): its colour, and where that differs from most.

    A label that is not everywhere, or not everywhere the same, is marked with `!`.

    --like emea shows a patch of the files instead, and asks: every label that emea has live, in its colour, for every
    account. A plan then says what that changes. Labels that only others have are left alone.

    \b
    Examples:  leadstate matrix
               leadstate matrix --like emea --check
    """
    if like is not None:
        return _make_alike(like, paths or (DEFAULT,), Way(check, auto_approve, color))
    if check or auto_approve:
        raise click.UsageError("--check and --auto-approve are about a patch: add --like.")
    read, failures = wait_for(_read(load_configuration(paths, accounts)))
    grid, names = _grid(read), sorted(read)
    if form == "json":
        text = json.dumps(grid, indent=2, ensure_ascii=False) + "\n"
    else:
        text = drawn(lambda console: _print(console, grid, names), color=wants_color(color), width=columns())
    if output is None:
        click.echo(text, nl=False, color=True)
    else:
        write_private(output, text)
    say(failures)
    return Exit.ERROR if failures else Exit.FINE


def _make_alike(name: str, paths: tuple[Path, ...], way: Way) -> Exit:
    try:
        files = Files.read(paths)
        everything = load_configuration(paths, ())
        read, failures = wait_for(_read(load_configuration(paths, (name,))))
        if len(read) != 1 or failures:
            say(failures)
            if len(read) > 1:
                raise click.BadParameter("names more than one account", param_hint="--like")
            return Exit.ERROR
        ((account, labels),) = read.items()
        alike = made_alike(account, labels, files, everything, file_for("labels", files, None))
        changed = new_texts(files, alike.edits)
    except ConfigurationError as failure:
        say(failure.diagnostics)
        return Exit.ERROR
    code = patch(changed, paths, way)
    say(alike.findings)
    if not changed:
        click.echo(f"Every account is declared to have what {account} has.", err=True)
    if code is Exit.FINE and alike.findings:
        return Exit.IN_PART if changed else Exit.ERROR
    return code


async def _read(configuration: Configuration) -> tuple[dict[str, list[Live]], list[Diagnostic]]:
    failures: list[Diagnostic] = []
    read: dict[str, list[Live]] = {}
    async with session(configuration) as opened:
        failures += [finding for plan in opened.unusable for finding in plan.diagnostics]

        async def one(name: str, reader: Reader) -> None:
            try:
                read[name] = list(decoded(LABEL, GET_LABELS, (await reader.get(Request(GET_LABELS))).rows()))
            except ApiError as failure:
                failures.append(finding_of(failure, name))

        async with asyncio.TaskGroup() as group:
            for work in opened.work:
                group.create_task(one(work.account.name, Reader(work.connection)))
    return read, sorted(failures, key=lambda one: one.account or "")


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
