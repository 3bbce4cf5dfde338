"""Creates an object; a create whose answer was lost is looked for before it is sent again."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Any

from leadstate.kinds.base import Kind, decode_rows
from leadstate.kinds.lead import decode_summaries
from leadstate.model.address import RemoteRef
from leadstate.model.plan import Action, Change
from leadstate.model.resource import PAGE, Bindings, Live
from leadstate.pipedrive.client import Reader
from leadstate.pipedrive.errors import ApiError, BadAnswer, Rejected
from leadstate.pipedrive.operations import Request
from leadstate.pipedrive.pagination import NEWEST_FIRST, retry_if_shifted
from leadstate.reconcile.unclear import is_altered

CREATES = 3
"""How often a create is sent whose answer is lost each time, and which is then not there."""

PATIENCE = (0.5, 1.5, 4.0)
"""Seconds to wait before each search."""

Found = tuple[list[Live], list[Live]]
"""What is the wanted object, and what may be it in another form."""


class NotCreated(ApiError):
    """Nobody knows whether a create happened."""

    code = "unknown"


async def create(
    change: Change, kind: Kind, bindings: Bindings, reader: Reader, send: Callable[[], Awaitable[object]]
) -> Live:
    """Send a create, and look for the object where the answer is lost.

    Args:
        change: the add.
        kind: its kind.
        bindings: what stands for what.
        reader: the way to the account.
        send: sends its first request, if nothing speaks against that, and returns the data of the answer.

    Raises:
        NotCreated: it may or may not have happened.
        ApiError: it failed for good.
    """
    operation = kind.operation(Action.ADD)
    for _ in range(CREATES):
        try:
            (made,) = decode_rows(kind, operation, [await send()])
        except ApiError as failure:
            if not failure.perhaps_done or failure.operation != operation.id:
                raise
            lost = failure
        else:
            return made
        try:
            found = await _find_created(change, kind, bindings, reader)
        except ApiError as failure:
            if failure.fatal:
                raise
            words = f"the answer was lost ({lost}), and looking for it failed ({failure})"
            raise NotCreated(lost.operation, words) from None
        if found is not None:
            return found
    raise NotCreated(operation.id, f"sent {CREATES} times without an answer ({lost}), and it does not exist")


async def _find_created(change: Change, kind: Kind, bindings: Bindings, reader: Reader) -> Live | None:
    """Return the object that an add may have made; None if it does not exist after some patience.

    Raises:
        ApiError: it could not be looked for, more than one object could be the one, or one could be that the server
            has stored otherwise than it was asked to.
    """
    for pause in PATIENCE:
        await reader.pace.sleep(pause)
        if kind.is_named:
            found, altered = _find_named(change, kind, bindings, (await reader.get(Request(kind.listing))).all_rows())
        else:
            found, altered = await _search_newest_page(change, kind, reader)
        if len(found) > 1:
            raise BadAnswer(kind.listing.id, f"{len(found)} {kind.name}s could be the one that was to be created")
        if found:
            return found[0]
        if altered:
            ids = ", ".join(live.remote_id for live in altered)
            raise BadAnswer(kind.listing.id, f"a {kind.name} could be it, with another name or marker ({ids})")
    return None


async def _search_newest_page(change: Change, kind: Kind, reader: Reader) -> Found:
    """Search the page of the newest objects, or all pages if the server does not sort."""
    try:
        answer = await reader.get(Request(kind.listing, query=(NEWEST_FIRST, ("limit", str(PAGE)))))
    except Rejected:
        return await _search_all_pages(change, kind, reader)
    rows = answer.rows()
    found = _find_marked(change, kind, rows)
    if not found[0] and answer.page()[1] and not _is_newest_first(rows):
        return await _search_all_pages(change, kind, reader)
    return found


@retry_if_shifted
async def _search_all_pages(change: Change, kind: Kind, reader: Reader) -> Found:
    found: Found = ([], [])
    async with aclosing(reader.pages(kind.listing)) as pages:
        async for page in pages:
            for kept, new in zip(found, _find_marked(change, kind, page.rows), strict=True):
                kept.extend(new)
    return found


def _find_named(change: Change, kind: Kind, bindings: Bindings, rows: Sequence[Any]) -> Found:
    """Return what the create of a named object may have made: it is new and has the name."""
    name, listed = change.want.get("name"), decode_rows(kind, kind.listing, rows)
    unknown = [live for live in listed if not bindings.knows(RemoteRef(live.kind, live.remote_id))]
    return [live for live in unknown if live.name == name], [live for live in unknown if is_altered(name, None, live)]


def _find_marked(change: Change, kind: Kind, rows: Sequence[Any]) -> Found:
    """Return what the create of an object with an ownership marker may have made: it has the marker."""
    title = change.want.get("title")
    pairs = zip(decode_summaries(kind.listing, rows), rows, strict=True)
    near = [row for summary, row in pairs if summary.origin_id == change.marker or row.get("title") == title]
    listed = list(decode_rows(kind, kind.listing, near))
    found = [live for live in listed if live.marker == change.marker]
    return found, [live for live in listed if is_altered(title, change.marker, live)]


def _is_newest_first(rows: Sequence[Any]) -> bool:
    """Return whether the rows show that the server has sorted them: some servers ignore `sort` without a word."""
    times = [row.get("add_time") for row in rows]
    return all(isinstance(time, str) for time in times) and times == sorted(times, reverse=True) != sorted(times)
