"""Listings whose length is found out first: exact, at the price that was told, and no shift unnoticed."""

import asyncio
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadstate.pipedrive.answers import Bounds
from leadstate.pipedrive.errors import EndlessListing, IncompleteListing
from leadstate.pipedrive.operations import GET_LEADS
from leadstate.pipedrive.pagination import MeasuredListing
from tests.harness.listing_server import SIZE, ListingServer, pages_of


@dataclass
class Read:
    """What reading a listing came to.

    Attributes:
        rows: those that were handed on.
        pages: how many pages it had, as was found out.
        searched: requests until that was known.
        told: requests that were still to follow then.
    """

    rows: list[int]
    pages: int
    searched: int
    told: int


def read(server: ListingServer, expected: int = 0, bounds: Bounds | None = None) -> Read:
    rows: list[int] = []

    async def main() -> Read:
        listing = MeasuredListing(
            server.get,
            GET_LEADS,
            lambda page: rows.extend(int(row["id"]) for row in page),
            SIZE,
            expected=expected,
            bounds=bounds or Bounds(rows=1_000),
        )
        await listing.read(0)
        while listing.pages is None:
            await listing.narrow()
        found = Read(rows, listing.pages, len(server.starts), listing.left)
        assert found.searched <= 1 + listing.longest_search
        await asyncio.gather(*map(listing.read, listing.unread))
        listing.check()
        return found

    return asyncio.run(main())


@given(st.integers(0, 700), st.integers(0, 200), st.integers(2, SIZE))
def test_each_row_comes_once_and_the_cost_is_what_was_told(count: int, expected: int, size: int) -> None:
    server = ListingServer(list(range(count)), size)
    found = read(server, expected)
    assert sorted(found.rows) == list(range(count))
    assert found.pages == pages_of(count, size)
    assert len(server.starts) == found.searched + found.told


@pytest.mark.parametrize("count", [1, 5, 6, 100, 401])
def test_a_remembered_length_that_still_holds_costs_no_page_more(count: int) -> None:
    server = ListingServer(list(range(count)))
    read(server, expected=pages_of(count))
    assert len(server.starts) == pages_of(count)


@pytest.mark.parametrize(("pages", "wasted"), [(1, 0), (2, 0), (3, 1), (41, 2), (61, 1)])
def test_most_pages_of_the_search_have_to_be_read_anyway(pages: int, wasted: int) -> None:
    server = ListingServer(list(range(pages * (SIZE - 1) + 1)))
    assert read(server).pages == pages
    assert len(server.starts) == pages + wasted


@given(st.integers(20, 200), st.data())
def test_a_listing_that_shifts_is_noticed_or_read_exactly(count: int, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, count - 2))
    server = ListingServer(list(range(count)))
    server.changes[data.draw(st.integers(1, pages_of(count) - 1))] = lambda ids: ids.pop(at)
    before = set(range(count))
    try:
        rows = read(server).rows
    except IncompleteListing:
        return
    assert len(rows) == len(set(rows))
    assert before - {at} <= set(rows) <= before


def test_a_listing_without_an_end_is_refused() -> None:
    with pytest.raises(EndlessListing):
        read(ListingServer(list(range(300))), bounds=Bounds(rows=200))
    with pytest.raises(EndlessListing):
        read(ListingServer(list(range(300))), bounds=Bounds(rows=1_000, pages=8))


@pytest.mark.parametrize(
    ("count", "expected", "asked"),
    [
        (21, 0, [0, 1, 3, 7, 6, 5, 2, 4]),
        (21, 5, [0, 4, 1, 2, 3]),
        (21, 9, [0, 8, 5, 3, 1, 2, 4]),
        (21, 3, [0, 2, 5, 4, 1, 3]),
    ],
)
def test_pages_are_asked_for_where_they_tell_most_of_the_length(count: int, expected: int, asked: list[int]) -> None:
    server = ListingServer(list(range(count)))
    assert read(server, expected).pages == pages_of(count)
    assert [start // (SIZE - 1) for start in server.starts] == asked


def test_a_shift_is_reported_with_the_list_and_the_row() -> None:
    server = ListingServer(list(range(21)), changes={1: lambda ids: ids.pop(0)})
    with pytest.raises(
        IncompleteListing, match=rf"getLeads.*the listing changed while it was read \(near row {SIZE - 1}\)"
    ):
        read(server, expected=5)


def test_a_change_of_length_is_reported_with_the_list() -> None:
    server = ListingServer(list(range(21)), changes={4: lambda ids: ids.extend(range(21, 60))})
    with pytest.raises(IncompleteListing, match=r"getLeads.*the listing became longer or shorter while it was read"):
        read(server)


def test_the_longest_search_is_known_before_it_begins() -> None:
    listing = MeasuredListing(ListingServer([]).get, GET_LEADS, lambda _rows: None, SIZE, bounds=Bounds(rows=1_000))
    assert listing.longest_search == 16
    assert (listing.pages, listing.estimate, listing.left) == (None, None, 1)
