"""What a listing may not do: end early, repeat a row, or say less than it must."""

import asyncio
from typing import Any

import httpx
import pytest

from leadstate.kinds.operations import GET_LABELS, GET_LEADS, Request
from leadstate.pipedrive.answers import Answer, read
from leadstate.pipedrive.client import Reader
from leadstate.pipedrive.errors import BadAnswer, IncompleteListing
from leadstate.pipedrive.pages import read_pages
from tests.pipedrive.test_client import Listing, run


def listed(*pages: tuple[list[str], bool], limit: int | None = 3) -> list[str]:
    """Read pages of three rows that answer by a script."""
    left = list(pages)

    async def get(_request: Request, _lanes: asyncio.Semaphore) -> Answer:
        rows, more = left.pop(0)
        page = {"limit": limit, "more_items_in_collection": more}
        return Answer(GET_LEADS, [{"id": id_} for id_ in rows], {"pagination": page})

    async def main() -> list[str]:
        return [row["id"] async for page in read_pages(get, GET_LEADS, (), 0, 3) for row in page.rows]

    return asyncio.run(main())


def test_pages_that_overlap_by_one_row_are_a_listing() -> None:
    assert listed((["a", "b", "c"], True), (["c", "d"], False)) == ["a", "b", "c", "d"]


def test_an_empty_page_after_more_follows_is_no_end() -> None:
    with pytest.raises(IncompleteListing, match="changed while it was read"):
        listed((["a", "b", "c"], True), ([], False))


def test_a_row_that_an_earlier_page_held_is_noticed() -> None:
    with pytest.raises(IncompleteListing, match="listed twice"):
        listed((["a", "b", "c"], True), (["c", "d", "a"], False))


def test_a_row_that_stands_twice_on_a_page_is_noticed() -> None:
    with pytest.raises(IncompleteListing, match="listed twice"):
        listed((["a", "b", "b"], False))


@pytest.mark.parametrize("rows", [[], ["a"]])
def test_a_page_too_short_to_go_on_from_is_noticed_where_no_size_is_told(rows: list[str]) -> None:
    with pytest.raises(IncompleteListing, match="were promised"):
        listed((rows, True), limit=None)


@pytest.mark.parametrize("body", [{"data": []}, {"success": 1, "data": []}, {"success": None, "data": []}])
def test_an_answer_that_claims_no_success_is_none(body: dict[str, Any]) -> None:
    with pytest.raises(BadAnswer):
        read(GET_LABELS, httpx.Response(200, json=body))


def test_only_a_listing_that_was_read_to_its_end_has_a_known_length() -> None:
    async def first_page(client: Reader) -> int:
        async for _ in client.pages(GET_LEADS):
            break
        return client.pages_of(GET_LEADS)

    async def every_page(client: Reader) -> int:
        async for _ in client.pages(GET_LEADS):
            pass
        return client.pages_of(GET_LEADS)

    assert run(Listing(list(range(1200))), first_page) == 0
    assert run(Listing(list(range(1200))), every_page) == 3


@pytest.mark.parametrize(("rows", "pages"), [(500, 0), (501, 2), (999, 2)])
def test_a_listing_that_reaches_further_is_known_to(rows: int, pages: int) -> None:
    async def reaches(client: Reader) -> tuple[bool, int]:
        return await client.reaches(GET_LEADS, 1), client.pages_of(GET_LEADS)

    assert run(Listing(list(range(rows))), reaches) == (pages > 0, pages)
