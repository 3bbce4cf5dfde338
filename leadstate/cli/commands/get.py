"""`leadstate get`: live objects as Pipedrive answers them, as a table, JSON or YAML."""

import datetime as dt
import io
import json
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from leadstate.cli import options
from leadstate.cli.exits import Exit
from leadstate.cli.interrupts import wait_for
from leadstate.cli.main import COMMANDS
from leadstate.cli.options import load_configuration
from leadstate.cli.output import say, table, to_json, write
from leadstate.cli.session import read_accounts
from leadstate.engine.read.observe import read_listing
from leadstate.kinds import KINDS
from leadstate.kinds.base import LONGEST_ID
from leadstate.model.address import normalize_text
from leadstate.model.escape import is_visible, visible, visible_json
from leadstate.model.resource import CARRIED, CARRIER
from leadstate.pipedrive.client import Reader
from leadstate.pipedrive.errors import BadAnswer, NotFound
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

_TIMES = ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z")
"""Forms of a time; the last one is with `Z` or an offset."""


class _Time(click.DateTime):
    """A time, whose forms a message shows by examples: people do not read `%Y`."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            self.fail(f"{value!r} is not a time; write 2026-11-24, or 2026-11-24T09:00:00Z", param, ctx)


@click.group(short_help=COMMANDS["get"])
def get() -> None:
    """Read live objects of one or more accounts. An account that declares `company_id` takes 2 tokens more.

    \b
    Examples:  leadstate get labels
               leadstate get leads -a emea --archived --format json
    """


_common = options.combine(options.configuration, options.progress, options.output("table", "json", "yaml"))


def _add_listing(name: str, operation: Operation, columns: Sequence[str]) -> None:
    """Add a command that lists all objects that one request answers."""

    async def fetch(reader: Reader) -> list[Row]:
        answer = await reader.get(Request(operation))
        return [_row(operation, row) for row in answer.all_rows()]

    def list_all(**chosen: Any) -> int:
        return _get(fetch, columns, **chosen)

    list_all.__doc__ = f"""List the {name} ({operation.tokens} tokens an account).

    \b
    Examples:  leadstate get {name}
               leadstate get {name} -a tag:prod --format yaml
    """
    get.command(name)(_common(list_all))


for named in (kind for kind in KINDS.values() if kind.is_named):
    _add_listing(named.section, named.listing, named.columns)
_add_listing("sources", GET_SOURCES, ("name",))
_add_listing("users", GET_USERS, ("id", "name", "email", "active_flag"))


@get.command("fields")
@_common
def fields(**chosen: Any) -> int:
    """List the custom fields of leads, which are those of deals, with their options (10 tokens an account).

    \b
    Examples:  leadstate get fields -a emea
    """

    async def fetch(reader: Reader) -> list[Row]:
        rows = [_row(GET_DEAL_FIELDS, row) for row in await reader.rows(GET_DEAL_FIELDS)]
        return [row for row in rows if row.get("is_custom_field")]

    return _get(fetch, ("field_name", "field_type", "options", "field_code"), **chosen)


@get.command("lead")
@click.argument("lead_id", metavar="ID", type=click.UUID)
@_common
def lead(*, lead_id: object, **chosen: Any) -> int:
    """Show one lead by its id, archived or not, with its labels (12 tokens; 2 in an account that does not have it).

    \b
    Examples:  leadstate get lead 4f1c0d3e-8f7a-4a55-9a5e-0d1f6c9c7b11 -a emea
    """
    missing: list[NotFound] = []

    async def fetch(reader: Reader) -> list[Row]:
        try:
            answer = await reader.get(Request(GET_LEAD, str(lead_id)))
        except NotFound as failure:
            missing.append(failure)
            return []
        return [_with_labels(GET_LEAD, _row(GET_LEAD, answer.data), await _label_names(reader))]

    def check(rows: Sequence[Row]) -> None:
        if missing and not rows:
            raise missing[0]

    return _get(fetch, KINDS[CARRIER].columns, check, **chosen)


def _check_owners(_ctx: click.Context, _param: click.Parameter, owners: tuple[str, ...]) -> tuple[str, ...]:
    """Return the owners; raise a usage error for a number that is not an id."""
    for owner in owners:
        if owner.isdecimal() and len(owner) > LONGEST_ID:
            raise click.BadParameter(f"a number of {len(owner):,} digits is not the id of a user")
    return owners


@get.command("leads")
@options.option("--archived", is_flag=True, help="List archived leads instead (40 tokens a page of 500).")
@options.option(
    "--label",
    "labels",
    multiple=True,
    metavar="NAME",
    help="Only leads that carry this label; may be repeated: any.",
)
@options.option(
    "--owner",
    "owners",
    multiple=True,
    callback=_check_owners,
    metavar="ID|EMAIL",
    help="Only leads of this user; an email address takes 20 tokens. May be repeated.",
)
@options.option("--source", "sources", multiple=True, metavar="NAME", help="Only leads from this source.")
@options.option(
    "--updated-since",
    "since",
    type=_Time(_TIMES),
    metavar="TIME",
    help="Only leads that were changed since: 2026-11-24, or 2026-11-24T09:00:00Z; UTC unless it says otherwise.",
)
@_common
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
    wanted_names = {normalize_text(name) for name in labels}
    not_before = None if since is None else _in_utc(since)
    unknown = {*wanted_names, *owners}  # what no account has had so far
    kind = KINDS[CARRIER]
    operation = kind.archive if archived and kind.archive is not None else kind.listing

    async def fetch(reader: Reader) -> list[Row]:
        names = await _label_names(reader)
        wanted = {remote_id for remote_id, name in names.items() if name in wanted_names}
        owner_ids = await _owner_ids(reader, owners)
        unknown.difference_update(names.values(), owner_ids)
        users = set().union(*owner_ids.values())
        if (wanted_names and not wanted) or (owners and not users):
            return []
        query = [("owner_id", str(user)) for user in users] if len(users) == 1 else []
        if not_before is not None and not archived:
            # Not `%Y`, which C leaves unpadded before the year 1000.
            query.append(("updated_since", f"{not_before.replace(tzinfo=None, microsecond=0).isoformat()}Z"))
        found = []
        async for page in reader.pages(operation, *query, whole=not query):
            for row in (_row(operation, raw) for raw in page.rows):
                fits = (
                    (not wanted or not wanted.isdisjoint(_label_ids(operation, row)))
                    and (not users or row.get("owner_id") in users)
                    and (not sources or row.get("source_name") in sources)
                    and (not_before is None or _updated(operation, row) >= not_before)
                )
                if fits:
                    found.append(_with_labels(operation, row, names))
        return found

    def check(_rows: Sequence[Row]) -> None:
        for name in sorted(unknown):
            what, hint = ("a label", "--label") if name in wanted_names else ("a user", "--owner")
            raise click.BadParameter(f"no account has {what} {visible(name)!r}", param_hint=hint)

    return _get(fetch, KINDS[CARRIER].columns, check, **chosen)


async def _owner_ids(reader: Reader, owners: Sequence[str]) -> dict[str, set[int]]:
    """Return owner → ids of that user in one account; users are read only if an owner is an email address."""
    found = {owner: {int(owner)} for owner in owners if owner.isdecimal()}
    emails = {owner.casefold(): owner for owner in owners if owner not in found}
    if emails:
        for raw in (await reader.get(Request(GET_USERS))).all_rows():
            user = _row(GET_USERS, raw)
            owner = emails.get(str(user.get("email")).casefold())
            if owner is not None and isinstance(user.get("id"), int):
                found.setdefault(owner, set()).add(user["id"])
    return found


async def _label_names(reader: Reader) -> dict[str, str]:
    """Return id → name of the labels of an account."""
    return {label.remote_id: label.name for label in await read_listing(KINDS[CARRIED], reader)}


def _with_labels(operation: Operation, row: Row, names: Mapping[str, str]) -> Row:
    """Return a lead with the names of its labels; a label that no list has is named by its id."""
    return {**row, "labels": [names.get(remote_id, remote_id) for remote_id in _label_ids(operation, row)]}


def _label_ids(operation: Operation, row: Row) -> list[str]:
    ids = row.get("label_ids")
    if not isinstance(ids, list):
        raise BadAnswer(operation.id, "answered a lead without a list of label_ids")
    return [str(remote_id) for remote_id in ids]


def _updated(operation: Operation, row: Row) -> dt.datetime:
    try:
        return _in_utc(dt.datetime.fromisoformat(str(row.get("update_time"))))
    except ValueError:
        raise BadAnswer(operation.id, "answered a lead whose update_time is not a time") from None


def _in_utc(time: dt.datetime) -> dt.datetime:
    """Return a time in UTC; one without an offset is in UTC already."""
    try:
        return time.astimezone(dt.UTC) if time.tzinfo else time.replace(tzinfo=dt.UTC)
    except OverflowError:  # in UTC it is before the year 1 or after 9999; a day more or less does not matter there
        return time.replace(tzinfo=dt.UTC)


def _row(operation: Operation, raw: object) -> Row:
    if not isinstance(raw, dict):
        raise BadAnswer(operation.id, "answered something that is not an object")
    return raw


def _get(
    fetch: Fetch,
    columns: Sequence[str],
    check: Callable[[Sequence[Row]], None] = lambda _rows: None,
    *,
    paths: tuple[Path, ...],
    accounts: tuple[str, ...],
    form: str,
    color: str,
    output: Path | None,
) -> int:
    """Read every account and write the rows, unless `check` raises an error after all could be read."""
    configuration = load_configuration(paths, accounts)
    found, failures = wait_for(read_accounts(configuration, lambda job: fetch(Reader(job.connection))))
    rows = [{"account": name, **row} for name, its_rows in found.items() for row in its_rows]
    if not failures:
        check(rows)
    if form == "table":
        names = ("account", *columns) if len(configuration.accounts) > 1 else columns
        shown = table([[_cell(row.get(name)) for name in names] for row in rows], names, color=color, output=output)
    else:
        shown = to_json(rows) if form == "json" else to_yaml(rows)
    write(shown, output)
    say(failures)
    return Exit.ERROR if failures else Exit.FINE


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


def to_yaml(rows: Sequence[Row]) -> str:
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
    writer.dump(json.loads(to_json(rows)), out)
    return visible_json(out.getvalue())
