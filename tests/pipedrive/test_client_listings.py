"""What a listing may not do: end early, repeat a row, or say less than it must."""

import asyncio
from typing import Any

import httpx
import pytest

from leadstate.pipedrive.answers import Answer, Bounds, read
from leadstate.pipedrive.client import Reader
from leadstate.pipedrive.errors import BadAnswer, EndlessListing, IncompleteListing
from leadstate.pipedrive.operations import GET_DEAL_FIELDS, GET_LABELS, GET_LEADS, Request
from leadstate.pipedrive.pagination import check_length, read_pages
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


def test_pages_with_one_row_of_overlap_are_joined() -> None:
    assert listed((["a", "b", "c"], True), (["c", "d"], False)) == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("pages", "told"),
    [
        ([(["a", "b", "c"], True), (["x"], False)], "the listing changed while it was read (near row 2)"),
        ([(["a", "b", "c"], True), (["c", "d"], True)], "2 rows where 3 were promised (from row 2)"),
        ([(["a", "b", "c"], True), (["c", "d", "a"], False)], "a row is listed twice (from row 2)"),
    ],
)
def test_an_incomplete_listing_names_its_operation_and_offset(pages: list[tuple[list[str], bool]], told: str) -> None:
    with pytest.raises(IncompleteListing) as caught:
        listed(*pages)
    assert str(caught.value) == f"getLeads: {told}"


def test_rows_that_are_not_objects_are_passed_on() -> None:
    async def get(_request: Request, _lanes: asyncio.Semaphore) -> Answer:
        return Answer(GET_LEADS, ["odd", None], {"pagination": {"limit": 3, "more_items_in_collection": False}})

    async def main() -> list[object]:
        return [row async for page in read_pages(get, GET_LEADS, (), 0, 3) for row in page.rows]

    assert asyncio.run(main()) == ["odd", None]


@pytest.mark.parametrize(("pages", "rows"), [(3, 1), (4, 1), (1, 5), (1, 6)])
def test_a_listing_beyond_its_page_or_row_limit_is_an_error(pages: int, rows: int) -> None:
    with pytest.raises(EndlessListing) as caught:
        check_length(GET_LEADS, pages, rows, Bounds(pages=3, rows=5))
    assert str(caught.value) == f"getLeads: the listing does not end: more follows after {pages} pages"


def test_a_listing_below_its_limits_may_continue() -> None:
    check_length(GET_LEADS, 2, 4, Bounds(pages=3, rows=5))


def test_an_empty_page_with_more_items_is_an_error() -> None:
    with pytest.raises(IncompleteListing, match="changed while it was read"):
        listed((["a", "b", "c"], True), ([], False))


def test_a_row_repeated_on_a_later_page_is_an_error() -> None:
    with pytest.raises(IncompleteListing, match="listed twice"):
        listed((["a", "b", "c"], True), (["c", "d", "a"], False))


def test_a_row_repeated_on_one_page_is_an_error() -> None:
    with pytest.raises(IncompleteListing, match="listed twice"):
        listed((["a", "b", "b"], False))


@pytest.mark.parametrize("rows", [[], ["a"]])
def test_a_page_too_short_to_overlap_is_an_error_without_a_page_size(rows: list[str]) -> None:
    with pytest.raises(IncompleteListing, match="were promised"):
        listed((rows, True), limit=None)


@pytest.mark.parametrize("body", [{"data": []}, {"success": 1, "data": []}, {"success": None, "data": []}])
def test_an_answer_without_success_true_is_an_error(body: dict[str, Any]) -> None:
    with pytest.raises(BadAnswer):
        read(GET_LABELS, httpx.Response(200, json=body))


def test_only_a_completely_read_listing_has_a_known_length() -> None:
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
def test_a_listing_that_reaches_a_page_has_a_known_length(rows: int, pages: int) -> None:
    async def reaches(client: Reader) -> tuple[bool, int]:
        return await client.reaches(GET_LEADS, 1), client.pages_of(GET_LEADS)

    assert run(Listing(list(range(rows))), reaches) == (pages > 0, pages)


def test_a_cursor_listing_holds_every_row_of_every_page() -> None:
    asked: list[dict[str, str]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(dict(request.url.params))
        rows, cursor = [([{"id": 1}, {"id": 2}], "b"), ([], "c"), ([{"id": 3}], None)][len(asked) - 1]
        body = {"success": True, "data": rows, "additional_data": {"next_cursor": cursor}}
        return httpx.Response(200, json=body)

    rows = run(handler, lambda client: client.rows(GET_DEAL_FIELDS))
    assert rows == [{"id": 1}, {"id": 2}, {"id": 3}]
    assert asked == [{"limit": "500"}, {"limit": "500", "cursor": "b"}, {"limit": "500", "cursor": "c"}]


def test_a_cursor_that_points_to_itself_is_an_error() -> None:
    body = {"success": True, "data": [], "additional_data": {"next_cursor": "a"}}
    with pytest.raises(EndlessListing) as caught:
        run(lambda _: httpx.Response(200, json=body), lambda client: client.rows(GET_DEAL_FIELDS))
    assert str(caught.value) == "getDealFields: a page says that it comes after itself"
