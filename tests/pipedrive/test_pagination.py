"""Pages of a listing: each row once, several pages at a time where they are there, and no shift unnoticed."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadstate.pipedrive.answers import Answer
from leadstate.pipedrive.errors import IncompleteListing
from leadstate.pipedrive.operations import GET_LEADS, Request
from leadstate.pipedrive.pagination import AHEAD, AT_ONCE, GUESSES, read_pages

GRANTED = 5
"""Rows on a page of the server below, so that short listings have many pages, which overlap by one row."""


@dataclass
class Server:
    """Answers each request some turns of the loop later, as `turns` says, and deletes before the n-th answer."""

    ids: list[int]
    granted: int = GRANTED
    turns: list[int] = field(default_factory=lambda: [3])
    deletes: dict[int, int] = field(default_factory=dict)
    starts: list[int] = field(default_factory=list)
    answered: int = 0
    under_way: int = 0
    most: int = 0

    async def get(self, request: Request, lanes: asyncio.Semaphore) -> Answer:
        async with lanes:
            return await self._answer(request)

    async def _answer(self, request: Request) -> Answer:
        start = int(dict(request.query)["start"])
        turns = self.turns[len(self.starts) % len(self.turns)]
        self.starts.append(start)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            for _ in range(turns):
                await asyncio.sleep(0)
            at = self.deletes.get(self.answered)
            if at is not None and at < len(self.ids):
                del self.ids[at]
            self.answered += 1
            rows = [{"id": str(id_)} for id_ in self.ids[start : start + self.granted]]
            page = {"limit": self.granted, "more_items_in_collection": start + self.granted < len(self.ids)}
            return Answer(GET_LEADS, rows, {"pagination": page})
        finally:
            self.under_way -= 1


def read(server: Server, known: int = 0, size: int = GRANTED) -> list[int]:
    async def main() -> list[int]:
        pages = read_pages(server.get, GET_LEADS, (), known, size)
        return [int(row["id"]) async for page in pages for row in page.rows]

    return asyncio.run(main())


def pages_of(count: int) -> int:
    return 1 + max(0, -(-(count - GRANTED) // (GRANTED - 1)))


TURNS = st.lists(st.integers(0, 9), min_size=1, max_size=8)


@given(st.integers(0, 300), st.integers(0, 80), TURNS)
def test_rows_come_once_and_in_order_for_any_known_length(count: int, known: int, turns: list[int]) -> None:
    server = Server(list(range(count)), turns=turns)
    assert read(server, known) == list(range(count))
    assert server.most <= AT_ONCE
    there = pages_of(count)
    beyond = len(server.starts) - there
    if known == there:
        assert beyond == 0
    assert beyond < AHEAD if known > there else beyond <= there // GUESSES


@given(st.integers(0, 60), st.integers(0, 20), TURNS, st.dictionaries(st.integers(0, 20), st.integers(0, 60)))
def test_a_skipped_row_is_always_noticed(count: int, known: int, turns: list[int], deletes: dict[int, int]) -> None:
    """Whatever is deleted between whichever answers: what stayed is read, or the reading fails."""
    server = Server(list(range(count)), turns=turns, deletes=deletes)
    try:
        found = read(server, known)
    except IncompleteListing:
        return
    assert set(server.ids) <= set(found)


@given(st.integers(0, 60), st.integers(0, 20), st.integers(2, GRANTED), TURNS)
def test_the_granted_page_size_may_be_smaller(count: int, known: int, granted: int, turns: list[int]) -> None:
    """Pages that were asked for as if it granted all are dropped, and every row still comes once."""
    server = Server(list(range(count)), granted, turns)
    assert read(server, known) == list(range(count))
    assert server.most <= AT_ONCE


def test_pages_of_known_length_are_read_concurrently() -> None:
    server = Server(list(range(41)))
    assert read(server, known=10) == list(range(41))
    assert server.most == AT_ONCE
    assert server.starts == list(range(0, 40, GRANTED - 1))


def test_a_slow_page_does_not_delay_later_requests() -> None:
    server = Server(list(range(41)), turns=[50, *[3] * (AHEAD - 1), 0, 0])

    async def asked_before_each_page() -> list[int]:
        return [len(server.starts) async for _ in read_pages(server.get, GET_LEADS, (), 10, GRANTED)]

    assert asyncio.run(asked_before_each_page())[0] == AHEAD
    assert server.most == AT_ONCE


def test_pages_of_unknown_length_are_read_one_by_one_until_ten_are_there() -> None:
    server = Server(list(range(37)))
    read(server)
    assert server.most == 1
    assert len(server.starts) == GUESSES - 1


def test_a_long_listing_of_unknown_length_is_read_concurrently_at_a_tenth_in_vain() -> None:
    server = Server(list(range(401)))

    async def main() -> list[int]:
        return [len(server.starts) async for _ in read_pages(server.get, GET_LEADS, (), 0, GRANTED)]

    asked = asyncio.run(main())
    assert server.most == AT_ONCE
    assert pages_of(401) == 100
    assert len(server.starts) - 100 <= AHEAD
    assert [asked[number] for number in (8, 9, 19)] == [9, 11, 22]


def test_a_listing_that_may_be_left_before_its_end_is_read_one_page_after_the_other() -> None:
    server = Server(list(range(401)))

    async def main() -> None:
        async for page in read_pages(server.get, GET_LEADS, (), None, GRANTED):
            assert len(server.starts) <= 101, page

    asyncio.run(main())
    assert server.most == 1


@pytest.mark.parametrize("pages", [2, 3, 5])
def test_stopping_early_cancels_pending_requests(pages: int) -> None:
    server = Server(list(range(60)), turns=[1, 1, 50])

    async def main() -> None:
        seen: list[Any] = []
        async with aclosing(read_pages(server.get, GET_LEADS, (), 99, GRANTED)) as found:
            async for page in found:
                seen.append(page)
                if len(seen) == pages:
                    break
        assert server.under_way == 0

    asyncio.run(main())
    assert len(server.starts) <= pages + AHEAD
