"""Reads a listing whose length is found out first, so that what reading it costs can be said before it is read.

No answer says how many rows a listing has. The length is searched for with pages that most often have to be read
anyway, so the rows of a page are handed on at once, in whatever order the pages come. Pages overlap by one row, as in
`pagination`: once all are read, the first row of each has to be the last of the one before.
"""

import asyncio
import math
from collections.abc import Callable, Sequence
from typing import Any

from leadstate.model.diagnostics import counted
from leadstate.pipedrive.bounds import BOUNDS, Bounds
from leadstate.pipedrive.errors import EndlessListing, IncompleteListing
from leadstate.pipedrive.operations import Operation, Request
from leadstate.pipedrive.pagination import AT_ONCE, Get


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
            get: sends one request, holding the semaphore while it is under way.
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
        self._edges: dict[int, tuple[str, str]] = {}
        self._seen: set[str] = set()
        self._lanes = asyncio.Semaphore(AT_ONCE)

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
                raise IncompleteListing(
                    self._operation.id, f"the listing changed while it was read (near row {number * self._step})"
                )

    async def read(self, number: int) -> None:
        """Read one page, of which only a few are under way at a time however many are asked for.

        Raises:
            IncompleteListing: the listing changed meanwhile.
            EndlessListing: it is longer than the bounds.
        """
        start = number * self._step
        query = (("limit", str(self._size)), ("start", str(start)))
        answer = await self._get(Request(self._operation, query=query), self._lanes)
        rows, (granted, more) = answer.rows(), answer.page()
        if number and len(rows) <= 1 and not more:  # at most the last row of the page before
            self._most = number if self._most is None else min(self._most, number)
        else:
            self._note(number, rows, granted, more=more)
        if self._most is not None and self._least > self._most:
            raise IncompleteListing(self._operation.id, "the listing became longer or shorter while it was read")

    def _note(self, number: int, rows: Sequence[Any], granted: int | None, *, more: bool) -> None:
        """Hand the rows of a page on, and note what it tells of the length."""
        start = number * self._step
        if more and (len(rows) < max(2, granted or 0) or (number and len(rows) != self._step + 1)):
            raise IncompleteListing(
                self._operation.id, f"{len(rows)} rows where {granted} were promised (from row {start})"
            )
        if not number and more:
            self._step = len(rows) - 1
        fresh = rows[1:] if number else rows
        ids = [row["id"] for row in fresh if isinstance(row, dict) and isinstance(row.get("id"), str)]
        if len(ids) != len({*ids}) or not self._seen.isdisjoint(ids):
            raise IncompleteListing(self._operation.id, f"a row is listed twice (from row {start})")
        self._seen.update(ids)
        if more and ((number + 1) * self._step >= self._bounds.rows or number + 1 >= self._bounds.pages):
            raise EndlessListing(
                self._operation.id, f"the listing does not end: more follows after {counted(number + 1, 'page')}"
            )
        self._take(fresh)
        self._edges[number] = (_id(rows[0]), _id(rows[-1])) if rows else ("", "")
        if more:
            self._least = max(self._least, number + 2)
        else:
            self._least = max(self._least, number + 1)
            self._most = number + 1 if self._most is None else min(self._most, number + 1)


def _id(row: object) -> str:
    return str(row.get("id")) if isinstance(row, dict) else ""
