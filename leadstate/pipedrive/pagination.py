"""Reads a listing page by page, and notices one that changes meanwhile.

Pages overlap by one row: an offset skips a row where an earlier one is deleted meanwhile, and then the first row of a
page is not the last of the page before. That holds in whatever order the pages were answered (docs/decisions/0017).
"""

import asyncio
import itertools
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from leadstate.pipedrive.answers import Answer
from leadstate.pipedrive.bounds import BOUNDS, Bounds
from leadstate.pipedrive.errors import EndlessListing, IncompleteListing
from leadstate.pipedrive.operations import Operation, Request

AT_ONCE = 4
"""Pages of one listing under way at the same time, where they are known to be there; the limiter paces them."""

AHEAD = 2 * AT_ONCE
"""Pages asked for or answered that wait for their turn: a slow one does not keep those behind it from being asked."""

GUESSES = 10
"""Of so many pages that are known to be there one more is asked for on a guess, so at most a tenth is asked in vain."""

Get = Callable[[Request, asyncio.Semaphore], Coroutine[Any, Any, Answer]]


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of a listing that no page before held, and whether more follow."""

    rows: list[Any]
    more: bool


async def read_pages(
    get: Get,
    operation: Operation,
    query: tuple[tuple[str, str], ...],
    known: int | None,
    size: int,
    *,
    bounds: Bounds = BOUNDS,
) -> AsyncGenerator[Page]:
    """The pages of a listing, in order.

    Args:
        get: sends one request, holding the semaphore while it is under way.
        operation: the listing.
        query: what is asked besides `limit` and `start`.
        known: how many pages there should be; 0 where nothing is known, None where the caller may stop before the end.
            So many are read several at a time. Behind them a page beyond the end costs as much as any: one more is
            asked for at a time, and the more the longer the listing has turned out to be.
        size: rows on a page; a server that grants fewer is believed, and pages that were asked for too far apart are
            asked for again.
        bounds: how long a listing may be.

    Raises:
        EndlessListing: it is longer than that.
        IncompleteListing: the listing shifted or goes in circles, or a page was shorter than it promised.
    """
    last, step = None, size - 1
    seen: set[str] = set()
    under_way: deque[asyncio.Task[Answer]] = deque()
    asked = 0
    lanes = asyncio.Semaphore(AT_ONCE)
    try:
        for number in itertools.count():
            while asked <= number or asked < _reach(number, known):
                request = Request(operation, query=(*query, ("limit", str(size)), ("start", str(asked * step))))
                under_way.append(asyncio.create_task(get(request, lanes)))
                asked += 1
            answer = await under_way.popleft()
            rows, start = answer.rows(), number * step
            granted, more = answer.page()
            if last is not None and (not rows or _id(rows[0]) != last):
                raise IncompleteListing(operation.id, f"the listing changed while it was read (near row {start})")
            if more and len(rows) < max(2, granted or 0):
                raise IncompleteListing(
                    operation.id, f"{len(rows)} rows where {granted} were promised (from row {start})"
                )
            fresh = rows if last is None else rows[1:]
            ids = [id_ for id_ in map(_id, fresh) if isinstance(id_, str)]
            if len(ids) != len({*ids}) or not seen.isdisjoint(ids):
                raise IncompleteListing(operation.id, f"a row is listed twice (from row {start})")
            seen.update(ids)
            if more:
                check_length(operation, number + 1, len(seen), bounds)
            yield Page(fresh, more)
            if not more:
                return
            last = _id(rows[-1])
            if not number and len(rows) - 1 != step:
                await _drop(under_way)
                step, asked = len(rows) - 1, 1
    finally:
        await _drop(under_way)


def _reach(number: int, known: int | None) -> int:
    """Return how many pages may have been asked for before the one of this number, from 0, is answered."""
    if known is None:
        return number + 1
    if number < known:
        return min(known, number + AHEAD)
    # The pages before this one had more behind them, so this one is there.
    return number + 1 + min((number + 1) // GUESSES, AHEAD - 1)


def check_length(operation: Operation, pages: int, rows: int, bounds: Bounds) -> None:
    """Raise `EndlessListing` where more is to follow of a listing than any account has."""
    if pages >= bounds.pages or rows >= bounds.rows:
        raise EndlessListing(operation.id, f"the listing does not end: more follows after {pages:,} pages")


async def _drop(under_way: deque[asyncio.Task[Answer]]) -> None:
    for task in under_way:
        task.cancel()
    await asyncio.gather(*under_way, return_exceptions=True)
    under_way.clear()


def _id(row: object) -> object:
    return row.get("id") if isinstance(row, dict) else row
