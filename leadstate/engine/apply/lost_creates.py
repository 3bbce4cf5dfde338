"""After a create whose answer was lost: look whether it happened before anything is sent again.

Listings may lag behind writes (Pipedrive documents nothing about it), so one look that finds nothing is not believed.
"""

from collections.abc import Sequence
from contextlib import aclosing
from typing import Any

from leadstate.engine.read.decoded import decoded, understood
from leadstate.engine.read.leads import NEWEST_FIRST, again_if_shifted
from leadstate.kinds.base import Kind
from leadstate.kinds.label import LABEL
from leadstate.kinds.lead import LEAD, glances
from leadstate.model.address import RemoteRef
from leadstate.model.observed import PAGE
from leadstate.model.plan import Change
from leadstate.model.resource import Bindings, Live
from leadstate.pipedrive.client import Reader
from leadstate.pipedrive.errors import BadAnswer, Rejected
from leadstate.pipedrive.operations import GET_LABELS, GET_LEADS, Request
from leadstate.reconcile.altered import is_altered

PATIENCE = (0.5, 1.5, 4.0)
"""Seconds before each look."""


async def look_for(change: Change, kind: Kind, bindings: Bindings, reader: Reader) -> Live | None:
    """Return the object that an add may have made; None if it does not exist after some patience.

    A lead is known by its ownership marker. A label is one of the wanted name that did not exist when the account was
    read.

    Raises:
        ApiError: it could not be looked for, more than one object could be the one, or one could be that the server
            has stored otherwise than it was asked to.
    """
    for pause in PATIENCE:
        await reader.pace.sleep(pause)
        if change.marker:
            found, altered = await _look_for_lead(change, reader)
        else:
            found, altered = await _look_for_label(change, bindings, reader)
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


async def _look_for_label(change: Change, bindings: Bindings, reader: Reader) -> Found:
    rows = (await reader.get(Request(GET_LABELS))).rows()
    listed = decoded(LABEL, GET_LABELS, rows)
    unknown = [live for live in listed if not bindings.knows(RemoteRef(live.kind, live.remote_id))]
    name = change.want["name"]
    return (
        [live for live in unknown if live.name == name],
        [live for live in unknown if is_altered(name, None, live)],
    )


async def _look_for_lead(change: Change, reader: Reader) -> Found:
    """Look on the newest page, which holds what was created a moment ago, or on all if the server does not sort."""
    try:
        query = (NEWEST_FIRST, ("limit", str(PAGE)), ("start", "0"))
        answer = await reader.get(Request(GET_LEADS, query=query))
    except Rejected:
        return await again_if_shifted(lambda: _look_on_all_pages(change, reader))
    rows = answer.rows()
    found = _of_create(change, rows)
    if not found[0] and answer.page()[1] and not _is_newest_first(rows):
        return await again_if_shifted(lambda: _look_on_all_pages(change, reader))
    return found


async def _look_on_all_pages(change: Change, reader: Reader) -> Found:
    found: Found = ([], [])
    async with aclosing(reader.pages(GET_LEADS)) as pages:
        async for page in pages:
            for kept, new in zip(found, _of_create(change, page.rows), strict=True):
                kept.extend(new)
    return found


def _of_create(change: Change, rows: Sequence[Any]) -> Found:
    """Return the leads of a page that the create may have made. All others are not looked into."""
    title = change.want.get("title")
    with understood(LEAD, GET_LEADS):
        near = [
            row
            for lead, row in zip(glances(rows), rows, strict=True)
            if lead.origin_id == change.marker or row.get("title") == title
        ]
    leads = list(decoded(LEAD, GET_LEADS, near))
    return (
        [lead for lead in leads if lead.marker == change.marker],
        [lead for lead in leads if is_altered(title, change.marker, lead)],
    )


def _is_newest_first(rows: Sequence[Any]) -> bool:
    """Return whether the rows show that the server has sorted them: some servers ignore `sort` without a word."""
    times = [row.get("add_time") for row in rows]
    return all(isinstance(time, str) for time in times) and times == sorted(times, reverse=True) != sorted(times)
