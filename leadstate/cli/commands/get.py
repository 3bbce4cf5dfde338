"""`leadstate get`: live objects as Pipedrive answers them, as a table, JSON or YAML."""

import datetime as dt
import io
import json
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from leadstate.cli import options
from leadstate.cli.completion import complete_labels
from leadstate.cli.event_loop import wait_for
from leadstate.cli.exits import Exit
from leadstate.cli.main import COMMANDS
from leadstate.cli.options import load_configuration
from leadstate.cli.output import say, table, write_private
from leadstate.cli.progress import read_each
from leadstate.cli.session import session
from leadstate.config import Configuration
from leadstate.engine.jobs import AccountJob
from leadstate.engine.read.observe import read_listing
from leadstate.kinds import KINDS
from leadstate.kinds.base import Kind
from leadstate.model.diagnostics import Diagnostic
from leadstate.model.escape import is_visible, visible, visible_json
from leadstate.model.resource import CARRIED, CARRIER, text
from leadstate.pipedrive.client import Reader
from leadstate.pipedrive.errors import BadAnswer
from leadstate.pipedrive.operations import (
    GET_DEAL_FIELDS,
    GET_LEAD,
    GET_SOURCES,
    GET_USERS,
    Operation,
    Request,
)

Row = dict[str, Any]
Fetch = Callable[[Reader], Awaitable[list[Row]]]


class _Time(click.DateTime):
    """A day or a time, in UTC where it does not say otherwise; the API takes whole seconds."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dt.datetime:
        """Return the time in UTC; raise a usage error for what is none."""
        try:
            found = value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(value)
            found = found.replace(tzinfo=found.tzinfo or dt.UTC).astimezone(dt.UTC)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no time: write 2026-11-24, or 2026-11-24T09:00:00Z", param, ctx)
        if found.microsecond:
            self.fail(f"{value!r} has parts of a second, which Pipedrive does not take", param, ctx)
        return found


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

    list_all.__doc__ = f"""List the {kind.section} ({kind.listing.tokens} tokens an account).

    \b
    Examples:  leadstate get {kind.section}
               leadstate get {kind.section} -a tag:prod --format yaml
    """
    get.command(kind.section)(options.configuration(options.progress(_form(list_all))))


for named in (kind for kind in KINDS.values() if kind.is_named):
    _add_listing(named)


@get.command("sources")
@options.configuration
@options.progress
@_form
def sources(**chosen: Any) -> int:
    """List the lead sources (2 tokens an account).

    \b
    Examples:  leadstate get sources
    """
    return _get(_listed(GET_SOURCES), ("name",), **chosen)


@get.command("users")
@options.configuration
@options.progress
@_form
def users(**chosen: Any) -> int:
    """List the users (20 tokens an account).

    \b
    Examples:  leadstate get users -a emea
    """
    return _get(_listed(GET_USERS), ("id", "name", "email", "active_flag"), **chosen)


@get.command("fields")
@options.configuration
@options.progress
@_form
def fields(**chosen: Any) -> int:
    """List the custom fields of leads, which are those of deals, with their options (10 tokens an account).

    \b
    Examples:  leadstate get fields -a emea
    """

    async def fetch(reader: Reader) -> list[Row]:
        rows = [_row(GET_DEAL_FIELDS.id, row) for row in await reader.rows(GET_DEAL_FIELDS)]
        return [row for row in rows if row.get("is_custom_field")]

    return _get(fetch, ("field_name", "field_type", "options", "field_code"), **chosen)


@get.command("leads")
@options.option("--archived", is_flag=True, help="List archived leads instead (40 tokens a page of 500).")
@options.option(
    "--label",
    "labels",
    multiple=True,
    metavar="NAME",
    shell_complete=complete_labels,
    help="Only leads that carry this label; may be repeated: any.",
)
@options.option(
    "--owner",
    "owners",
    multiple=True,
    metavar="ID|EMAIL",
    help="Only leads of this user; an email address takes 20 tokens. May be repeated.",
)
@options.option("--source", "sources", multiple=True, metavar="NAME", help="Only leads from this source.")
@options.option(
    "--updated-since",
    "since",
    type=_Time(),
    metavar="TIME",
    help="Only leads that were changed since: 2026-11-24, or 2026-11-24T09:00:00Z; UTC unless it says otherwise.",
)
@options.configuration
@options.progress
@_form
def leads(
    *,
    archived: bool,
    labels: tuple[str, ...],
    owners: tuple[str, ...],
    sources: tuple[str, ...],
    since: dt.datetime | None,
    **chosen: Any,
) -> int:
    """List the leads that are not archived, with their labels (20 tokens a page of 500, and 10 for the labels).

    One --owner, and --updated-since, are asked of Pipedrive, so fewer pages are read; all else is looked for in them.

    \b
    Examples:  leadstate get leads -a emea
               leadstate get leads --label Hot --owner sam@acme.test --updated-since 2026-11-01
               leadstate get leads --archived --format json
    """
    fetch = _Leads(archived, frozenset(map(text, labels)), owners, frozenset(sources), since)
    return _get(fetch, KINDS[CARRIER].columns, fetch.check, **chosen)


@get.command("lead")
@click.argument("lead_id", metavar="ID", type=click.UUID)
@options.configuration
@options.progress
@_form
def lead(*, lead_id: object, **chosen: Any) -> int:
    """Show one lead by its id, archived or not, with its labels (12 tokens).

    \b
    Examples:  leadstate get lead 4f1c0d3e-8f7a-4a55-9a5e-0d1f6c9c7b11 -a emea
    """

    async def fetch(reader: Reader) -> list[Row]:
        found = _row(GET_LEAD.id, (await reader.get(Request(GET_LEAD, str(lead_id)))).data)
        return [_with_labels(found, await _label_names(reader))]

    return _get(fetch, KINDS[CARRIER].columns, **chosen)


@dataclass(frozen=True, slots=True)
class _Leads:
    """Reads the leads of one account after the other that fit all that was asked for.

    Attributes:
        archived: whether archived ones are read.
        labels: names of which a lead carries one; none means any lead.
        owners: ids and email addresses of their users; none means any.
        sources: names of their sources; none means any.
        since: when they were changed at the earliest.
        unknown: those of `labels` and `owners` that no account had so far.
    """

    archived: bool
    labels: frozenset[str]
    owners: Sequence[str]
    sources: frozenset[str]
    since: dt.datetime | None
    unknown: set[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "unknown", {*self.labels, *self.owners})

    async def __call__(self, reader: Reader) -> list[Row]:
        names = await _label_names(reader)
        wanted = {remote_id for remote_id, name in names.items() if name in self.labels}
        self.unknown.difference_update(names.values())
        owners = await self._owners(reader)
        if (self.labels and not wanted) or (self.owners and not owners):
            return []
        kind = KINDS[CARRIER]
        operation = kind.archive if self.archived and kind.archive is not None else kind.listing
        query = [("owner_id", str(owner)) for owner in owners] if len(owners) == 1 else []
        if self.since is not None and not self.archived:
            query.append(("updated_since", f"{self.since:%Y-%m-%dT%H:%M:%SZ}"))
        rows = []
        async for page in reader.pages(operation, *query, whole=not query):
            for row in (_row(operation.id, raw) for raw in page.rows):
                carried = _ids(operation.id, row)
                fits = (not wanted or not wanted.isdisjoint(carried)) and (not owners or row.get("owner_id") in owners)
                fits = fits and (not self.sources or row.get("source_name") in self.sources)
                if fits and (self.since is None or _updated(operation.id, row) >= self.since):
                    rows.append(_with_labels(row, names))
        return rows

    def check(self) -> None:
        """Raise a usage error if there is a label or an owner that no account has."""
        for name in sorted(self.unknown):
            what, hint = ("a label", "--label") if name in self.labels else ("a user", "--owner")
            raise click.BadParameter(f"no account has {what} {visible(name)!r}", param_hint=hint)

    async def _owners(self, reader: Reader) -> set[int]:
        """Return the ids of the owners in one account; users are read where one is an email address."""
        found = {owner: {int(owner)} for owner in self.owners if owner.isdecimal()}
        emails = {owner.casefold(): owner for owner in self.owners if owner not in found}
        if emails:
            for raw in (await reader.get(Request(GET_USERS))).rows():
                user = _row(GET_USERS.id, raw)
                owner = emails.get(str(user.get("email")).casefold())
                if owner is not None and isinstance(user.get("id"), int):
                    found.setdefault(owner, set()).add(user["id"])
        self.unknown.difference_update(found)
        return set().union(*found.values())


async def _label_names(reader: Reader) -> dict[str, str]:
    """Return id → name of the labels of an account."""
    return {label.remote_id: label.name for label in await read_listing(KINDS[CARRIED], reader)}


def _with_labels(row: Row, names: Mapping[str, str]) -> Row:
    """Return a lead with the names of its labels; a label that is in no list is named by its id."""
    return {**row, "labels": [names.get(remote_id, remote_id) for remote_id in _ids(KINDS[CARRIER].listing.id, row)]}


def _ids(operation: str, row: Row) -> list[str]:
    ids = row.get("label_ids")
    if not isinstance(ids, list):
        raise BadAnswer(operation, "answered a lead without a list of label_ids")
    return [str(remote_id) for remote_id in ids]


def _updated(operation: str, row: Row) -> dt.datetime:
    try:
        found = dt.datetime.fromisoformat(str(row.get("update_time")))
    except ValueError:
        raise BadAnswer(operation, "answered a lead whose update_time is no time") from None
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


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
    check: Callable[[], None] = lambda: None,
    *,
    paths: tuple[Path, ...],
    accounts: tuple[str, ...],
    form: str,
    color: str,
    output: Path | None,
) -> int:
    configuration = load_configuration(paths, accounts)
    rows, failures = wait_for(_fetch(configuration, fetch))
    if not failures:
        check()
    names = ("account", *shown) if len(configuration.accounts) > 1 else shown
    if form == "table":
        cells = [[_cell(row.get(name)) for name in names] for row in rows]
        text = table(cells, names, color=color, output=output)
    else:
        text = _FORMS[form](rows)
    if output is None:
        click.echo(text, nl=False, color=True)
    else:
        write_private(output, text)
    say(failures)
    return Exit.ERROR if failures else Exit.FINE


async def _fetch(configuration: Configuration, fetch: Fetch) -> tuple[list[Row], list[Diagnostic]]:
    async with session(configuration) as opened:
        failures = [diagnostic for plan in opened.unusable for diagnostic in plan.diagnostics]

        async def read(job: AccountJob) -> list[Row] | Diagnostic:
            return await fetch(Reader(job.connection))

        answers = await read_each(opened.work, read, lambda _, diagnostic: diagnostic)
        rows: list[Row] = []
        for job, answer in zip(opened.work, answers, strict=True):
            if isinstance(answer, Diagnostic):
                failures.append(answer)
            else:
                rows += [{"account": job.account.name, **row} for row in answer]
    return rows, failures


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case {"amount": amount, "currency": currency}:
            return f"{amount} {currency}"
        case [{"label": _}, *_]:
            return ", ".join(str(option.get("label")) for option in value)
        case list():
            return ", ".join(map(str, value))
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
