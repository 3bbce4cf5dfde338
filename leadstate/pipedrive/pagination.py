"""Reads a listing page by page, or in jumps to find out its length first, and notices one that changes meanwhile.

Pages overlap by one row: an offset skips a row where an earlier one is deleted meanwhile, and then the first row of a
page is not the last of the page before. That holds in whatever order the pages were answered (docs/decisions/0017).
"""

import asyncio
import functools
import itertools
import math
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from leadstate.pipedrive.answers import BOUNDS, Answer, Bounds
from leadstate.pipedrive.errors import EndlessListing, IncompleteListing
from leadstate.pipedrive.operations import Operation, Request

AT_ONCE = 4
"""Pages of an account that are under way at the same time; `Connection` holds the others back, and paces them."""

AHEAD = 2 * AT_ONCE
"""Pages asked for or answered that wait for their turn: a slow one does not keep those behind it from being asked."""

GUESSES = 10
"""Of so many pages that are known to be there one more is asked for on a guess, so at most a tenth is asked in vain."""

SHIFTS = 3
"""How often a listing is read that shifts under the reading."""

NEWEST_FIRST = ("sort", "add_time DESC")

P = ParamSpec("P")
T = TypeVar("T")

Get = Callable[[Request], Coroutine[Any, Any, Answer]]


def retry_if_shifted(read: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Let a function that reads a listing begin again, some times, where the listing shifts under the reading."""

    @functools.wraps(read)
    async def again(*args: P.args, **kwargs: P.kwargs) -> T:
        for _ in range(SHIFTS - 1):
            with suppress(IncompleteListing):
                return await read(*args, **kwargs)
        return await read(*args, **kwargs)

    return again


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
    """Yield the pages of a listing, in order.

    Args:
        get: sends one request.
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
    listed = _Rows(operation, bounds)
    under_way: deque[asyncio.Task[Answer]] = deque()
    asked = 0
    try:
        for number in itertools.count():
            while asked <= number or asked < _reach(number, known):
                request = Request(operation, query=(*query, ("limit", str(size)), ("start", str(asked * step))))
                under_way.append(asyncio.create_task(get(request)))
                asked += 1
            answer, start = await under_way.popleft(), number * step
            rows = answer.rows()
            if last is not None and (not rows or _id(rows[0]) != last):
                raise listed.shifted(start)
            fresh, more = listed.take(answer, number, start)
            yield Page(fresh, more)
            if not more:
                return
            last = _id(rows[-1])
            if not number and len(rows) - 1 != step:
                await _drop(under_way)
                step, asked = len(rows) - 1, 1
    finally:
        await _drop(under_way)


async def read_cursor_pages(get: Get, operation: Operation, size: int, bounds: Bounds) -> AsyncGenerator[list[Any]]:
    """Yield the rows of each page of a listing of the second version, whose pages tell where the next one begins.

    Args:
        get: sends one request.
        operation: the listing.
        size: rows on a page.
        bounds: how long a listing may be.

    Raises:
        EndlessListing: the listing does not end within the bounds, or goes in circles.
    """
    seen: set[str] = set()
    rows = 0
    query: tuple[tuple[str, str], ...] = (("limit", str(size)),)
    while True:
        answer = await get(Request(operation, query=query))
        rows += len(answer.rows())
        yield answer.rows()
        cursor = answer.cursor()
        if cursor is None:
            return
        if cursor in seen:
            raise EndlessListing(operation.id, "a page says that it comes after itself")
        seen.add(cursor)
        check_length(operation, len(seen), rows, bounds)
        query = (("limit", str(size)), ("cursor", cursor))


def _reach(number: int, known: int | None) -> int:
    """Return how many pages may have been asked for before the one of this number, from 0, is answered."""
    if known is None:
        return number + 1
    if number < known:
        # The first answer tells how much the server grants, and whether the listing costs more than is left today.
        return min(known, number + AHEAD if number else AT_ONCE)
    # The pages before this one had more behind them, so this one is there.
    return number + 1 + min((number + 1) // GUESSES, AHEAD - 1)


def check_length(operation: Operation, pages: int, rows: int, bounds: Bounds) -> None:
    """Raise `EndlessListing` where more is to follow of a listing than any account has."""
    if pages >= bounds.pages or rows >= bounds.rows:
        raise EndlessListing(operation.id, f"the listing does not end: more follows after {pages:,} pages")


class _Rows:
    """What the pages of one listing have shown, whatever their order."""

    def __init__(self, operation: Operation, bounds: Bounds) -> None:
        self._operation = operation
        self._bounds = bounds
        self._seen: set[str] = set()

    def take(self, answer: Answer, number: int, start: int) -> tuple[list[Any], bool]:
        """Return the rows of a page that the page before it does not hold, and whether more follow."""
        rows, (granted, more) = answer.rows(), answer.page()
        if more and len(rows) < max(2, granted or 0):
            words = f"{len(rows)} rows where {granted} were promised (from row {start})"
            raise IncompleteListing(self._operation.id, words)
        fresh = rows[1:] if number else rows
        ids = [row_id for row_id in map(_id, fresh) if isinstance(row_id, str)]
        if len(ids) != len({*ids}) or not self._seen.isdisjoint(ids):
            raise IncompleteListing(self._operation.id, f"a row is listed twice (from row {start})")
        self._seen.update(ids)
        if more:
            check_length(self._operation, number + 1, start + len(rows), self._bounds)
        return fresh, more

    def shifted(self, start: int) -> IncompleteListing:
        """Return the error of two pages that do not follow on each other."""
        return IncompleteListing(self._operation.id, f"the listing changed while it was read (near row {start})")


async def _drop(under_way: deque[asyncio.Task[Answer]]) -> None:
    for task in under_way:
        task.cancel()
    await asyncio.gather(*under_way, return_exceptions=True)
    under_way.clear()


def _id(row: object) -> object:
    return row.get("id") if isinstance(row, dict) else row


class MeasuredListing:
    """One listing, read in steps: the first page, then its length, then the rest."""

    def __init__(
        self,
        get: Get,
        operation: Operation,
        take: Callable[[Sequence[Any]], None],
        size: int,
        *,
        expected: int = 0,
        bounds: Bounds = BOUNDS,
    ) -> None:
        """Read nothing yet.

        Args:
            get: sends one request.
            operation: the listing.
            take: is given the rows of a page that no page before it holds.
            size: rows on a page; a server that grants fewer is believed.
            expected: how many pages there were the last time; 0 where that is not known.
            bounds: how long a listing may be.
        """
        self._get = get
        self._operation = operation
        self._take = take
        self._size = size
        self._expected = expected
        self._bounds = bounds
        self._step = size - 1
        self._least = 1
        self._most: int | None = None
        self._edges: dict[int, tuple[object, object]] = {}
        self._rows = _Rows(operation, bounds)

    @property
    def pages(self) -> int | None:
        """How many pages there are; None where that is not known for certain."""
        return self._least if self._least == self._most else None

    @property
    def estimate(self) -> int | None:
        """How many pages there should be: found out, or remembered and not disproved; None where nothing tells."""
        if self.pages is not None:
            return self.pages
        fits = self._least <= self._expected and (self._most is None or self._expected <= self._most)
        return self._expected if fits else None

    @property
    def left(self) -> int:
        """How many pages are still to be read, as far as is known."""
        return len(self.unread)

    @property
    def longest_search(self) -> int:
        """How many pages finding out the length may take at most."""
        return 2 * math.ceil(math.log2(self._bounds.rows / self._step + 1))

    @property
    def unread(self) -> list[int]:
        """The pages, by number from 0, that are known to be there and were not read."""
        return [number for number in range(self.estimate or self._least) if number not in self._edges]

    async def narrow(self) -> None:
        """Read the one page that tells most of the length, while that is not known.

        Raises:
            IncompleteListing: the listing changed meanwhile.
            EndlessListing: it is longer than the bounds.
        """
        if self.pages is not None:
            return
        if self.estimate is not None and self.estimate - 1 not in self._edges:
            number = self.estimate - 1
        elif self._most is None:
            number = 2 * self._least - 3  # 1, 3, 7, 15, …: the first of them is known to be there
        else:
            number = (self._least + self._most) // 2
        await self.read(number)

    def check(self) -> None:
        """Raise `IncompleteListing` unless the pages, which all are read, follow on each other."""
        for number in range(1, len(self._edges)):
            if self._edges[number][0] != self._edges[number - 1][1]:
                raise self._rows.shifted(number * self._step)

    async def read(self, number: int) -> None:
        """Read one page; however many are asked for, only a few are under way at a time.

        Raises:
            IncompleteListing: the listing changed meanwhile.
            EndlessListing: it is longer than the bounds.
        """
        start = number * self._step
        query = (("limit", str(self._size)), ("start", str(start)))
        answer = await self._get(Request(self._operation, query=query))
        rows = answer.rows()
        if number and len(rows) <= 1 and not answer.page()[1]:  # at most the last row of the page before
            self._most = number if self._most is None else min(self._most, number)
        else:
            fresh, more = self._rows.take(answer, number, start)
            if not number and more:
                self._step = len(rows) - 1
            self._take(fresh)
            self._edges[number] = (_id(rows[0]), _id(rows[-1])) if rows else ("", "")
            self._least = max(self._least, number + (2 if more else 1))
            if not more:
                self._most = number + 1 if self._most is None else min(self._most, number + 1)
        if self._most is not None and self._least > self._most:
            raise IncompleteListing(self._operation.id, "the listing became longer or shorter while it was read")
