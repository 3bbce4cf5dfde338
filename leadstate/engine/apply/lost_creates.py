"""After a create whose answer was lost: look whether it happened before anything is sent again.

Listings may lag behind writes (Pipedrive documents nothing about it), so one look that finds nothing is not believed.
"""

from collections.abc import Sequence
from contextlib import aclosing
from typing import Any

from leadstate.engine.read.decoded import decoded, understood
from leadstate.engine.read.leads import NEWEST_FIRST, again_if_shifted
from leadstate.kinds.base import Kind
from leadstate.model.address import RemoteRef
from leadstate.model.plan import Change
from leadstate.model.resource import PAGE, Bindings, Live
from leadstate.pipedrive.client import Reader
from leadstate.pipedrive.errors import BadAnswer, Rejected
from leadstate.pipedrive.operations import Request
from leadstate.reconcile.lookalikes import is_altered

PATIENCE = (0.5, 1.5, 4.0)
"""Seconds before each look."""


async def look_for(change: Change, kind: Kind, bindings: Bindings, reader: Reader) -> Live | None:
    """Return the object that an add may have made; None if it does not exist after some patience.

    An object is known by its ownership marker. One that can bear none is of the wanted name and did not exist when the
    account was read.

    Raises:
        ApiError: it could not be looked for, more than one object could be the one, or one could be that the server
            has stored otherwise than it was asked to.
    """
    for pause in PATIENCE:
        await reader.pace.sleep(pause)
        found, altered = await (
            _look_by_name(change, kind, bindings, reader) if kind.is_named else _look_by_marker(change, kind, reader)
        )
        if len(found) > 1:
            raise BadAnswer(kind.listing.id, f"{len(found)} {kind.name}s could be the one that was to be created")
        if found:
            return found[0]
        if altered:
            ids = ", ".join(live.remote_id for live in altered)
            raise BadAnswer(kind.listing.id, f"a {kind.name} could be it, with another name or marker ({ids})")
    return None


Found = tuple[list[Live], list[Live]]
"""What is the wanted object, and what may be it in another form."""


async def _look_by_name(change: Change, kind: Kind, bindings: Bindings, reader: Reader) -> Found:
    rows = (await reader.get(Request(kind.listing))).rows()
    listed = decoded(kind, kind.listing, rows)
    unknown = [live for live in listed if not bindings.knows(RemoteRef(live.kind, live.remote_id))]
    name = change.want["name"]
    return (
        [live for live in unknown if live.name == name],
        [live for live in unknown if is_altered(name, None, live)],
    )


async def _look_by_marker(change: Change, kind: Kind, reader: Reader) -> Found:
    """Look on the newest page, which holds what was created a moment ago, or on all if the server does not sort."""
    try:
        query = (NEWEST_FIRST, ("limit", str(PAGE)), ("start", "0"))
        answer = await reader.get(Request(kind.listing, query=query))
    except Rejected:
        return await again_if_shifted(lambda: _look_on_all_pages(change, kind, reader))
    rows = answer.rows()
    found = _of_create(change, kind, rows)
    if not found[0] and answer.page()[1] and not _is_newest_first(rows):
        return await again_if_shifted(lambda: _look_on_all_pages(change, kind, reader))
    return found


async def _look_on_all_pages(change: Change, kind: Kind, reader: Reader) -> Found:
    found: Found = ([], [])
    async with aclosing(reader.pages(kind.listing)) as pages:
        async for page in pages:
            for kept, new in zip(found, _of_create(change, kind, page.rows), strict=True):
                kept.extend(new)
    return found


def _of_create(change: Change, kind: Kind, rows: Sequence[Any]) -> Found:
    """Return the objects of a page that the create may have made. All others are not looked into."""
    title = change.want.get("title")
    with understood(kind, kind.listing):
        near = [
            row
            for glance, row in zip(kind.glances(rows), rows, strict=True)
            if glance.origin_id == change.marker or row.get("title") == title
        ]
    found = list(decoded(kind, kind.listing, near))
    return (
        [live for live in found if live.marker == change.marker],
        [live for live in found if is_altered(title, change.marker, live)],
    )


def _is_newest_first(rows: Sequence[Any]) -> bool:
    """Return whether the rows show that the server has sorted them: some servers ignore `sort` without a word."""
    times = [row.get("add_time") for row in rows]
    return all(isinstance(time, str) for time in times) and times == sorted(times, reverse=True) != sorted(times)
