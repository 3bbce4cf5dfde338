"""What goes over the wire, and what must not."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import httpx
import pytest

from leadstate.pipedrive.answers import Bounds
from leadstate.pipedrive.client import Reader, Writer
from leadstate.pipedrive.connection import Connection, TokenAuth
from leadstate.pipedrive.errors import ApiError, BadAnswer, Blocked, BudgetSpent, Redirected, Unauthorized
from leadstate.pipedrive.operations import (
    ADD_LABEL,
    GET_DEAL_FIELDS,
    GET_LABELS,
    GET_LEAD,
    GET_LEADS,
    GET_PERSON,
    Operation,
    Request,
)
from leadstate.pipedrive.secrets import Token
from tests.harness.connections import FakeTime, connect

SECRET, ORIGIN = "c0ffee" * 6 + "abcd", "https://acme.pipedrive.com"
CREATE = Request(ADD_LABEL, body={})
Handler = Callable[[httpx.Request], Any]
"""Returns the answer to a request, or an awaitable of it."""


def run(handler: Handler, use: Callable[[Writer], Any]) -> Any:
    """Return what a function returns that is given a client whose requests the handler answers."""
    return connect(
        httpx.MockTransport(handler),
        lambda connection: use(Writer(connection)),
        origin=ORIGIN,
        signer=TokenAuth(Token(SECRET)),
        pace=FakeTime().pace(),
    )


def labels(client: Reader) -> Any:
    return client.get(Request(GET_LABELS))


def ok(data: Any, **additional: Any) -> httpx.Response:
    return httpx.Response(200, json={"success": True, "data": data, "additional_data": additional})


@pytest.mark.parametrize(
    ("reply", "failure"),
    [
        (httpx.Response(403, text="<html>blocked</html>"), Blocked),
        (httpx.Response(401, json={"success": False, "error": "unauthorized access"}), Unauthorized),
        (httpx.Response(429, json={"success": False, "error": "daily budget"}), BudgetSpent),
    ],
    ids=["blocked", "token", "budget"],
)
def test_nothing_is_sent_after_a_fatal_answer(reply: httpx.Response, failure: type[ApiError]) -> None:
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.params["start"])
        return reply

    async def pages(client: Reader) -> list[Any]:
        requests = [Request(GET_LEADS, query=(("start", str(start)),)) for start in range(3)]
        ends = [await asyncio.gather(client.get(request), return_exceptions=True) for request in requests]
        return [failure for (failure,) in ends]

    assert [type(found) for found in run(handler, pages)] == [failure] * 3
    assert asked == ["0"]


def test_the_token_is_in_the_header_and_nowhere_else(caplog: pytest.LogCaptureFixture) -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return ok([])

    with caplog.at_level(logging.DEBUG):
        run(handler, labels)
    assert seen[0].headers["x-api-token"] == SECRET
    assert SECRET not in str(seen[0].url)
    assert str(seen[0].url) == f"{ORIGIN}/api/v1/leadLabels"
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    ("error", "message"), [(f"bad token {SECRET}", "bad token ***"), ("x" * 290 + f" {SECRET}", "x" * 290 + " ***")]
)
def test_a_token_quoted_by_the_server_is_masked_even_where_the_text_is_cut(error: str, message: str) -> None:
    reply = httpx.Response(400, json={"success": False, "error": error})
    with pytest.raises(ApiError) as caught:
        run(lambda _: reply, labels)
    assert str(caught.value) == f"getLeadLabels: 400, {message}"


def test_a_redirect_is_an_error_and_is_not_followed() -> None:
    seen = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.host)
        return httpx.Response(307, headers={"location": "https://evil.test/"})

    with pytest.raises(Redirected, match=r"evil\.test"):
        run(handler, labels)
    assert seen == ["acme.pipedrive.com"]


def test_a_reader_cannot_write() -> None:
    assert not hasattr(Reader, "send")
    with pytest.raises(TypeError, match=r"^addLeadLabel is no reading operation$"):
        run(lambda _: ok({}), lambda client: client.get(CREATE))


@pytest.mark.parametrize(
    ("operation", "asked", "answered", "same"),
    [
        (GET_LEAD, "a1", "a1", True),
        (GET_LEAD, "A1", "a1", True),
        (GET_LEAD, "a1", "a2", False),
        (GET_LEAD, "a1", "", False),
        (GET_PERSON, "7", 7, True),
        (GET_PERSON, "7", 8, False),
        (GET_PERSON, "7", 0, False),
    ],
)
def test_another_object_than_the_one_that_was_asked_for_is_a_bad_answer(
    operation: Operation, asked: str, answered: object, *, same: bool
) -> None:
    def read() -> Any:
        return run(lambda _: ok({"id": answered}), lambda client: client.get(Request(operation, asked))).data

    if same:
        assert read() == {"id": answered}
    else:
        with pytest.raises(BadAnswer, match=f"^{operation.id}: answered another object than the one that was asked"):
            read()


def test_cookies_are_not_kept() -> None:
    cookies = []

    def handler(request: httpx.Request) -> httpx.Response:
        cookies.append(request.headers.get("cookie"))
        return httpx.Response(200, json={"success": True, "data": []}, headers={"set-cookie": "a=b; Path=/"})

    async def twice(client: Writer) -> None:
        await client.get(Request(GET_LABELS))
        await client.get(Request(GET_LABELS))

    run(handler, twice)
    assert cookies == [None, None]


class Listing:
    """A paged listing."""

    def __init__(self, ids: list[int]) -> None:
        self.ids = ids
        self.starts: list[int] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        start, limit = int(request.url.params["start"]), int(request.url.params["limit"])
        self.starts.append(start)
        rows = self.ids[start : start + limit]
        more = start + limit < len(self.ids)
        page = {"start": start, "limit": limit, "more_items_in_collection": more}
        return ok([{"id": row} for row in rows], pagination=page)


async def _all_ids(client: Writer) -> list[int]:
    return [row["id"] async for page in client.pages(GET_LEADS) for row in page.rows]


@pytest.mark.parametrize("count", [0, 1, 500, 501, 999, 1000, 2500])
def test_a_listing_holds_every_row_once(count: int) -> None:
    assert run(Listing(list(range(count))), _all_ids) == list(range(count))


def test_a_listing_of_known_length_is_read_concurrently() -> None:
    listing = Listing(list(range(3000)))
    under_way, most = 0, 0

    async def handler(request: httpx.Request) -> httpx.Response:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        return listing(request)

    async def read_four_times(client: Reader) -> list[int]:
        nonlocal most
        found = []
        for whole in (False, True, True, False):
            most = 0
            rows = [row["id"] async for page in client.pages(GET_LEADS, whole=whole) for row in page.rows]
            assert rows == listing.ids
            found.append(most)
        return found

    assert run(handler, read_four_times) == [1, 1, 4, 1]
    assert len(listing.starts) == 4 * 7


@pytest.mark.parametrize(("rows", "pages"), [(500, 0), (501, 2), (999, 2)])
def test_a_listing_that_reaches_a_page_has_a_known_length(rows: int, pages: int) -> None:
    async def reaches(client: Reader) -> tuple[bool, int]:
        return await client.has_more_pages(GET_LEADS, 1), client.known_pages(GET_LEADS)

    assert run(Listing(list(range(rows))), reaches) == (pages > 0, pages)


@pytest.mark.parametrize(("whole", "pages"), [(False, 0), (True, 3)])
def test_only_a_completely_read_listing_has_a_known_length(*, whole: bool, pages: int) -> None:
    async def read(client: Reader) -> int:
        async for _ in client.pages(GET_LEADS):
            if not whole:
                break
        return client.known_pages(GET_LEADS)

    assert run(Listing(list(range(1200))), read) == pages


def test_a_cursor_listing_holds_every_row_of_every_page() -> None:
    asked: list[dict[str, str]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(dict(request.url.params))
        rows, cursor = [([{"id": 1}, {"id": 2}], "b"), ([], "c"), ([{"id": 3}], None)][len(asked) - 1]
        return ok(rows, next_cursor=cursor)

    rows = run(handler, lambda client: client.rows(GET_DEAL_FIELDS))
    assert rows == [{"id": 1}, {"id": 2}, {"id": 3}]
    assert asked == [{"limit": "500"}, {"limit": "500", "cursor": "b"}, {"limit": "500", "cursor": "c"}]


def test_a_measured_listing_begins_with_what_is_known_of_its_length_and_its_bounds() -> None:
    async def main(connection: Connection) -> tuple[int | None, int]:
        connection.lengths["getLeads"] = 7
        listing = Reader(connection).measure(GET_LEADS, lambda _: None)
        return listing.estimate, listing.longest_search

    assert connect(httpx.MockTransport(lambda _: ok([])), main, bounds=Bounds(rows=998)) == (7, 4)


BUSY = httpx.Response(503, json={"success": False})
FULL = httpx.Response(429, json={"success": False, "error": "request over limit"}, headers={"retry-after": "2"})


@pytest.mark.parametrize(
    ("request_", "failure", "sent"),
    [
        (Request(GET_LABELS), BUSY, 3),
        (Request(GET_LABELS), FULL, 3),
        (Request(GET_LABELS), httpx.ReadTimeout("slow"), 3),
        (Request(GET_LABELS), httpx.ConnectError("refused"), 3),
        (CREATE, FULL, 3),
        (CREATE, httpx.ConnectError("refused"), 3),
        (CREATE, BUSY, 1),
        (CREATE, httpx.ReadTimeout("slow"), 1),
        (CREATE, httpx.WriteTimeout("slow"), 1),
    ],
)
def test_a_request_is_retried_unless_it_is_a_create_that_may_have_been_executed(
    request_: Request, failure: httpx.Response | Exception, sent: int
) -> None:
    replies, seen = [failure, failure, ok({})], []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.method)
        reply = replies[len(seen) - 1]
        if isinstance(reply, Exception):
            raise reply
        return reply

    with nullcontext() if sent == 3 else pytest.raises(ApiError):
        run(handler, lambda client: client.send(request_))
    assert len(seen) == sent


def reader(token: str = SECRET, **headers: str) -> Reader:
    """Return a reader that has heard these headers last."""
    connection = Connection(httpx.AsyncClient(), ORIGIN, TokenAuth(Token(token)))
    connection.headers = httpx.Headers({name.replace("_", "-"): value for name, value in headers.items()})
    return Reader(connection)


@pytest.mark.parametrize(("left", "whole", "read"), [(139, True, 0), (139, False, 1), (140, True, 1)])
def test_a_whole_list_that_costs_more_than_is_left_today_is_not_begun(*, left: int, whole: bool, read: int) -> None:
    async def main(connection: Connection) -> int:
        connection.lengths["getLeads"] = 7
        connection.headers = httpx.Headers({"x-daily-ratelimit-token-remaining": str(left)})
        with nullcontext() if read else pytest.raises(BudgetSpent, match=f"140 rate-limit tokens; {left} are left"):
            async for _ in Reader(connection).pages(GET_LEADS, whole=whole):
                pass
        return connection.spent.requests

    only_page = ok([], pagination={"limit": 500, "more_items_in_collection": False})
    assert (connect(httpx.MockTransport(lambda _: only_page), main) > 0) == (read > 0)


@pytest.mark.parametrize(("left", "whole"), [(40 * 20, True), (40 * 20 - 1, True), (40 * 20 - 1, False)])
def test_a_whole_list_is_left_at_the_answer_that_tells_that_it_costs_more(*, left: int, whole: bool) -> None:
    listing = Listing(list(range(40 * 499 + 1)))

    def metered(request: httpx.Request) -> httpx.Response:
        answer = listing(request)
        answer.headers["x-daily-ratelimit-token-remaining"] = str(left - 20 * len(listing.starts))
        return answer

    async def main(connection: Connection) -> None:
        connection.lengths["getLeads"] = 40
        with pytest.raises(BudgetSpent, match="40 pages cost 800 ") if whole and left < 800 else nullcontext():
            async for _ in Reader(connection).pages(GET_LEADS, whole=whole):
                pass

    connect(httpx.MockTransport(metered), main)
    assert len(listing.starts) == 40 if left == 800 or not whole else len(listing.starts) <= 40 // 10


@pytest.mark.parametrize(
    ("date", "told"),
    [
        ("Sat, 28 Nov 2026 02:00:00 GMT", "2026-11-28T02:00:00+00:00"),
        ("Sat, 28 Nov 2026 02:00:00 +0200", "2026-11-28T00:00:00+00:00"),
        ("Fri, 31 Dec 9999 23:59:59 -1200", None),
        ("Fri, 31 Dec 99999 23:59:59 GMT", None),
        ("Sat, 28 Nov 2026 02:00:00 +9999999999", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_an_invalid_date_header_is_ignored(date: str, told: str | None) -> None:
    time = reader(date=date).server_time
    assert (time and time.isoformat()) == told


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("0", 0),
        (" 4800 ", 4800),
        ("9" * 18, 10**18 - 1),
        ("9" * 19, None),
        ("9" * 5_000, None),
        ("-1", None),
        ("1.5", None),
        ("", None),
    ],
)
def test_an_invalid_daily_budget_header_is_unknown(text: str, count: int | None) -> None:
    limit = {"x_daily_ratelimit_token_limit": "50000"}
    assert reader(x_daily_ratelimit_token_remaining=text, **limit).tokens_today == (count, 50_000)
    assert reader(x_daily_ratelimit_token_limit=text).tokens_today == (None, count)


def test_a_token_of_digits_that_a_header_repeats_is_no_budget() -> None:
    token = "48151623"
    heard = reader(token, x_daily_ratelimit_token_remaining=token, x_daily_ratelimit_token_limit="50000")
    assert heard.tokens_today == (None, 50_000)
