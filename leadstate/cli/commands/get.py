"""`leadstate get`: live objects as Pipedrive answers them, as a table, JSON or YAML."""

import io
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from leadstate.cli import options
from leadstate.cli.configuration import load_configuration
from leadstate.cli.diagnostics import say
from leadstate.cli.event_loop import wait_for
from leadstate.cli.exits import Exit
from leadstate.cli.main import COMMANDS
from leadstate.cli.output import columns, wants_color, write_private
from leadstate.cli.session import session
from leadstate.config import Configuration
from leadstate.kinds import KINDS
from leadstate.kinds.base import Kind
from leadstate.kinds.lead import LEAD
from leadstate.model.diagnostics import Diagnostic
from leadstate.model.errors import diagnostic_of
from leadstate.model.escape import is_visible, visible, visible_json
from leadstate.pipedrive.client import Reader
from leadstate.pipedrive.errors import ApiError, BadAnswer
from leadstate.pipedrive.operations import (
    GET_ARCHIVED_LEADS,
    GET_DEAL_FIELDS,
    GET_LEAD,
    GET_SOURCES,
    GET_USERS,
    Operation,
    Request,
)
from leadstate.report.formats.console import drawn

Row = dict[str, Any]
Fetch = Callable[[Reader], Awaitable[list[Row]]]


@click.group(short_help=COMMANDS["get"])
def get() -> None:
    """Read live objects of one or more accounts.

    \b
    Examples:  leadstate get labels
               leadstate get leads -a emea --archived --format json
    """


_form = options.output("table", "json", "yaml")


def _add_listing(kind: Kind) -> None:
    """Add the command that lists the objects of a kind that names tell."""

    def list_all(**chosen: Any) -> int:
        return _get(_listed(kind.listing), kind.columns, **chosen)

    list_all.__doc__ = f"""{kind.description.removesuffix(".")} ({kind.listing.tokens} tokens an account).

    \b
    Examples:  leadstate get {kind.section}
               leadstate get {kind.section} -a tag:prod --format yaml
    """
    get.command(kind.section)(options.configuration(_form(list_all)))


for named in (kind for kind in KINDS.values() if kind.is_named):
    _add_listing(named)


@get.command("sources")
@options.configuration
@_form
def sources(**chosen: Any) -> int:
    """The lead sources (2 tokens an account).

    \b
    Examples:  leadstate get sources
    """
    return _get(_listed(GET_SOURCES), ("name",), **chosen)


@get.command("users")
@options.configuration
@_form
def users(**chosen: Any) -> int:
    """The users (20 tokens an account).

    \b
    Examples:  leadstate get users -a emea
    """
    return _get(_listed(GET_USERS), ("id", "name", "email", "active_flag"), **chosen)


@get.command("fields")
@options.configuration
@_form
def fields(**chosen: Any) -> int:
    """The custom fields that leads have, those of deals, with their options (10 tokens an account).

    \b
    Examples:  leadstate get fields -a emea
    """

    async def fetch(reader: Reader) -> list[Row]:
        rows = [_row(GET_DEAL_FIELDS.id, row) for row in await reader.rows(GET_DEAL_FIELDS)]
        return [row for row in rows if row.get("is_custom_field")]

    return _get(fetch, ("field_name", "field_type", "options", "field_code"), **chosen)


@get.command("leads")
@options.option("--archived", is_flag=True, help="The archived leads instead (40 tokens a page of 500).")
@options.configuration
@_form
def leads(*, archived: bool, **chosen: Any) -> int:
    """The leads that are not archived (20 tokens a page of 500).

    \b
    Examples:  leadstate get leads -a emea
               leadstate get leads --archived --format json
    """
    operation = GET_ARCHIVED_LEADS if archived else LEAD.listing

    async def fetch(reader: Reader) -> list[Row]:
        return [_row(operation.id, row) async for page in reader.pages(operation) for row in page.rows]

    return _get(fetch, LEAD.columns, **chosen)


@get.command("lead")
@click.argument("lead_id", metavar="ID", type=click.UUID)
@options.configuration
@_form
def lead(*, lead_id: object, **chosen: Any) -> int:
    """One lead by its id, archived or not (2 tokens).

    \b
    Examples:  leadstate get lead 4f1c0d3e-8f7a-4a55-9a5e-0d1f6c9c7b11 -a emea
    """

    async def fetch(reader: Reader) -> list[Row]:
        return [_row(GET_LEAD.id, (await reader.get(Request(GET_LEAD, str(lead_id)))).data)]

    return _get(fetch, LEAD.columns, **chosen)


def _listed(operation: Operation) -> Fetch:
    async def fetch(reader: Reader) -> list[Row]:
        answer = await reader.get(Request(operation))
        return [_row(operation.id, row) for row in answer.rows()]

    return fetch


def _row(operation: str, raw: object) -> Row:
    if not isinstance(raw, dict):
        raise BadAnswer(operation, "answered something that is no object")
    return raw


def _get(
    fetch: Fetch,
    shown: Sequence[str],
    *,
    paths: tuple[Path, ...],
    accounts: tuple[str, ...],
    form: str,
    color: str,
    output: Path | None,
) -> int:
    configuration = load_configuration(paths, accounts)
    rows, failures = wait_for(_fetch(configuration, fetch))
    names = ("account", *shown) if len(configuration.accounts) > 1 else shown
    text = _table(rows, names, color=wants_color(color)) if form == "table" else _FORMS[form](rows)
    if output is None:
        click.echo(text, nl=False, color=True)
    else:
        write_private(output, text)
    say(failures)
    return Exit.ERROR if failures else Exit.FINE


async def _fetch(configuration: Configuration, fetch: Fetch) -> tuple[list[Row], list[Diagnostic]]:
    rows: list[Row] = []
    failures: list[Diagnostic] = []
    async with session(configuration) as opened:
        failures += [diagnostic for plan in opened.unusable for diagnostic in plan.diagnostics]
        for job in opened.work:
            name = job.account.name
            try:
                rows += [{"account": name, **row} for row in await fetch(Reader(job.connection))]
            except ApiError as failure:
                failures.append(diagnostic_of(failure, name))
    return rows, failures


def _table(rows: Sequence[Row], names: Sequence[str], *, color: bool) -> str:
    from rich.table import Table  # noqa: PLC0415  only for this form

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in names:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(visible(_cell(row.get(name))) for name in names))
    return drawn(lambda console: console.print(table), color=color, width=columns())


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case {"amount": amount, "currency": currency}:
            return f"{amount} {currency}"
        case [{"label": _}, *_]:
            return ", ".join(str(option.get("label")) for option in value)
        case _:
            return str(value)


def _number(value: object) -> object:
    """Amounts are decimals here; JSON and YAML take them as numbers."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def to_json_rows(rows: Sequence[Row]) -> str:
    """Return rows as JSON."""
    return visible_json(json.dumps(rows, indent=2, ensure_ascii=False, default=_number)) + "\n"


def to_yaml_rows(rows: Sequence[Row]) -> str:
    """Return rows as YAML."""
    from ruamel.yaml import YAML  # noqa: PLC0415  only for this form

    out = io.StringIO()
    writer = YAML(typ="safe", pure=True)
    writer.default_flow_style = False
    writer.allow_unicode = True
    writer.width = sys.maxsize
    writer.representer.add_representer(
        str,
        # Between double quotes YAML has the escapes of JSON.
        lambda made, text: made.represent_scalar(
            "tag:yaml.org,2002:str", text, style=None if is_visible(text) else '"'
        ),
    )
    writer.dump(json.loads(to_json_rows(rows)), out)
    return visible_json(out.getvalue())


_FORMS: dict[str, Callable[[Sequence[Row]], str]] = {"json": to_json_rows, "yaml": to_yaml_rows}
