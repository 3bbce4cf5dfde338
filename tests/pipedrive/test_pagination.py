"""Pages of a listing: each row once, several pages at a time where they are there, and no shift unnoticed."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadstate.pipedrive.answers import Answer, Bounds
from leadstate.pipedrive.errors import EndlessListing, IncompleteListing
from leadstate.pipedrive.operations import GET_LEADS, Request
from leadstate.pipedrive.pagination import AHEAD, AT_ONCE, GUESSES, check_length, read_pages
from tests.harness.listing_server import SIZE, ListingServer, pages_of

TURNS = st.lists(st.integers(0, 9), min_size=1, max_size=8)


def delete(ids: list[int], at: int) -> None:
    """Delete a row if the listing is that long."""
    del ids[at : at + 1]


def read(server: ListingServer, known: int = 0, size: int = SIZE) -> list[int]:
    async def main() -> list[int]:
        pages = read_pages(server.get, GET_LEADS, (), known, size)
        return [int(row["id"]) async for page in pages for row in page.rows]

    return asyncio.run(main())


@given(st.integers(0, 300), st.integers(0, 80), TURNS)
def test_rows_come_once_and_in_order_for_any_known_length(count: int, known: int, turns: list[int]) -> None:
    server = ListingServer(list(range(count)), turns=turns)
    assert read(server, known) == list(range(count))
    assert server.most <= AHEAD
    there = pages_of(count)
    beyond = len(server.starts) - there
    if known == there:
        assert beyond == 0
    assert beyond < AHEAD if known > there else beyond <= there // GUESSES


@given(st.integers(0, 60), st.integers(0, 20), TURNS, st.dictionaries(st.integers(0, 20), st.integers(0, 60)))
def test_a_skipped_row_is_always_noticed(count: int, known: int, turns: list[int], deletes: dict[int, int]) -> None:
    """Whatever is deleted between whichever answers: what stayed is read, or the reading fails."""
    changes: dict[int, Callable[[list[int]], object]] = {
        answer: partial(delete, at=at) for answer, at in deletes.items()
    }
    server = ListingServer(list(range(count)), turns=turns, changes=changes)
    try:
        found = read(server, known)
    except IncompleteListing:
        return
    assert set(server.ids) <= set(found)


@given(st.integers(0, 60), st.integers(0, 20), st.integers(2, SIZE), TURNS)
def test_the_granted_page_size_may_be_smaller(count: int, known: int, granted: int, turns: list[int]) -> None:
    """Pages that were asked for as if it granted all are dropped, and every row still comes once."""
    server = ListingServer(list(range(count)), granted, turns)
    assert read(server, known) == list(range(count))
    assert server.most <= AHEAD


def test_pages_of_known_length_are_read_concurrently() -> None:
    server = ListingServer(list(range(41)))
    assert read(server, known=10) == list(range(41))
    assert AT_ONCE <= server.most <= AHEAD
    assert server.starts == list(range(0, 40, SIZE - 1))


def test_a_slow_page_but_the_first_does_not_delay_later_requests() -> None:
    server = ListingServer(list(range(41)), turns=[3, 50, *[3] * (AHEAD - 1), 0, 0])

    async def asked_before_each_page() -> list[int]:
        return [len(server.starts) async for _ in read_pages(server.get, GET_LEADS, (), 10, SIZE)]

    assert asyncio.run(asked_before_each_page())[:2] == [AT_ONCE, 1 + AHEAD]


def test_pages_of_unknown_length_are_read_one_by_one_until_ten_are_there() -> None:
    server = ListingServer(list(range(37)))
    read(server)
    assert server.most == 1
    assert len(server.starts) == GUESSES - 1


def test_a_long_listing_of_unknown_length_is_read_concurrently_at_a_tenth_in_vain() -> None:
    server = ListingServer(list(range(401)))

    async def main() -> list[int]:
        return [len(server.starts) async for _ in read_pages(server.get, GET_LEADS, (), 0, SIZE)]

    asked = asyncio.run(main())
    assert server.most == AHEAD
    assert pages_of(401) == 100
    assert len(server.starts) - 100 <= AHEAD
    assert [asked[number] for number in (8, 9, 19)] == [9, 11, 22]


def test_a_listing_that_may_be_left_before_its_end_is_read_one_page_after_the_other() -> None:
    server = ListingServer(list(range(401)))

    async def main() -> None:
        async for page in read_pages(server.get, GET_LEADS, (), None, SIZE):
            assert len(server.starts) <= 101, page

    asyncio.run(main())
    assert server.most == 1


@pytest.mark.parametrize("pages", [2, 3, 5])
def test_stopping_early_cancels_pending_requests(pages: int) -> None:
    server = ListingServer(list(range(60)), turns=[1, 1, 50])

    async def main() -> None:
        seen: list[Any] = []
        async with aclosing(read_pages(server.get, GET_LEADS, (), 99, SIZE)) as found:
            async for page in found:
                seen.append(page)
                if len(seen) == pages:
                    break
        assert server.under_way == 0

    asyncio.run(main())
    assert len(server.starts) <= pages + AHEAD


def scripted(*pages: tuple[list[Any], bool], limit: int | None = 3) -> list[Any]:
    """Return the rows of a listing, three on a page, whose pages are these."""
    left = list(pages)

    async def get(_request: Request) -> Answer:
        rows, more = left.pop(0)
        return Answer(GET_LEADS, rows, {"pagination": {"limit": limit, "more_items_in_collection": more}})

    async def main() -> list[Any]:
        return [row async for page in read_pages(get, GET_LEADS, (), 0, 3) for row in page.rows]

    return asyncio.run(main())


def ids(names: str) -> list[dict[str, str]]:
    return [{"id": name} for name in names]


@pytest.mark.parametrize(
    ("pages", "message"),
    [
        ([(ids("abc"), True), (ids("x"), False)], "the listing changed while it was read (near row 2)"),
        ([(ids("abc"), True), ([], False)], "the listing changed while it was read (near row 2)"),
        ([(ids("abc"), True), (ids("cd"), True)], "2 rows where 3 were promised (from row 2)"),
        ([(ids("abc"), True), (ids("cda"), False)], "a row is listed twice (from row 2)"),
        ([(ids("abb"), False)], "a row is listed twice (from row 0)"),
    ],
)
def test_an_incomplete_listing_names_its_operation_and_offset(
    pages: list[tuple[list[Any], bool]], message: str
) -> None:
    with pytest.raises(IncompleteListing) as caught:
        scripted(*pages)
    assert str(caught.value) == f"getLeads: {message}"


@pytest.mark.parametrize("rows", ["", "a"])
def test_a_page_too_short_to_overlap_is_an_error_without_a_page_size(rows: str) -> None:
    with pytest.raises(IncompleteListing, match="were promised"):
        scripted((ids(rows), True), limit=None)


def test_rows_that_are_not_objects_are_passed_on() -> None:
    assert scripted((["odd", None], False)) == ["odd", None]


@pytest.mark.parametrize(("pages", "rows"), [(3, 1), (4, 1), (1, 5), (1, 6)])
def test_a_listing_beyond_its_page_or_row_limit_is_an_error(pages: int, rows: int) -> None:
    with pytest.raises(EndlessListing) as caught:
        check_length(GET_LEADS, pages, rows, Bounds(pages=3, rows=5))
    assert str(caught.value) == f"getLeads: the listing does not end: more follows after {pages} pages"


def test_a_listing_below_its_limits_may_continue() -> None:
    check_length(GET_LEADS, 2, 4, Bounds(pages=3, rows=5))
