"""What goes over the wire, and what must not."""

import asyncio
import logging
import pickle
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from leadstate.pipedrive.answers import Answer, read
from leadstate.pipedrive.client import Reader, Writer
from leadstate.pipedrive.connection import Connection, Pace, TokenAuth, http_client
from leadstate.pipedrive.errors import (
    ApiError,
    Blocked,
    IncompleteListing,
    Redirected,
    ServerFailure,
    Unreachable,
)
from leadstate.pipedrive.operations import ADD_LABEL, GET_LABELS, GET_LEADS, Request
from leadstate.pipedrive.secrets import Token

SECRET = "c0ffee" * 6 + "abcd"
Handler = Callable[[httpx.Request], httpx.Response]


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    @property
    def pace(self) -> Pace:
        return Pace(lambda: self.now, self.sleep, lambda: 0.0)


def run(handler: Handler, use: Callable[[Writer], Any], time: Time | None = None) -> Any:
    """Call a function with a client whose requests the handler answers."""

    async def main() -> Any:
        async with http_client(httpx.MockTransport(handler)) as http:
            pace = (time or Time()).pace
            return await use(Writer(Connection(http, "https://acme.pipedrive.com", TokenAuth(Token(SECRET)), pace)))

    return asyncio.run(main())


def ok(data: Any, **additional: Any) -> httpx.Response:
    return httpx.Response(200, json={"success": True, "data": data, "additional_data": additional})


def test_a_waiting_request_is_sent_before_the_previous_answer_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        told.append(f"asked {request.url.params['start']}")
        return ok([])

    def reading(*words: Any) -> Answer:
        told.append("read")
        return read(*words)

    async def pages(client: Reader, lanes: int) -> None:
        lane = asyncio.Semaphore(lanes)
        requests = [Request(GET_LEADS, query=(("start", str(start)),)) for start in range(3)]
        await asyncio.gather(*(client.get(request, lane) for request in requests))

    monkeypatch.setattr("leadstate.pipedrive.connection.read", reading)
    run(handler, lambda client: pages(client, 1))
    assert told.index("asked 1") < told.index("read")
    assert told.count("read") == 3


def test_a_fatal_answer_is_parsed_before_the_next_request_is_sent() -> None:
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.params["start"])
        return httpx.Response(403, text="<html>blocked</html>")

    async def pages(client: Reader) -> list[Any]:
        lane = asyncio.Semaphore(1)
        requests = [Request(GET_LEADS, query=(("start", str(start)),)) for start in range(3)]
        return list(await asyncio.gather(*(client.get(request, lane) for request in requests), return_exceptions=True))

    assert [type(failure) for failure in run(handler, pages)] == [Blocked] * 3
    assert asked == ["0"]


def test_the_token_is_in_the_header_and_nowhere_else(caplog: pytest.LogCaptureFixture) -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return ok([])

    with caplog.at_level(logging.DEBUG):
        run(handler, lambda client: client.get(Request(GET_LABELS)))
    assert seen[0].headers["x-api-token"] == SECRET
    assert SECRET not in str(seen[0].url)
    assert str(seen[0].url) == "https://acme.pipedrive.com/api/v1/leadLabels"
    assert SECRET not in caplog.text


def test_a_token_does_not_appear_in_its_repr() -> None:
    token = Token(SECRET)
    assert SECRET not in f"{token} {token!r} {token:>50} {[token]}"
    with pytest.raises(TypeError):
        pickle.dumps(token)


def test_a_token_quoted_by_the_server_is_masked() -> None:
    reply = httpx.Response(400, json={"success": False, "error": f"bad token {SECRET}"})
    with pytest.raises(ApiError) as caught:
        run(lambda _: reply, lambda client: client.get(Request(GET_LABELS)))
    assert "bad token ***" in str(caught.value)
    assert SECRET not in str(caught.value)


def test_a_token_at_the_end_of_a_truncated_text_is_masked() -> None:
    reply = httpx.Response(400, json={"success": False, "error": "x" * 290 + f" {SECRET}"})
    with pytest.raises(ApiError) as caught:
        run(lambda _: reply, lambda client: client.get(Request(GET_LABELS)))
    assert str(caught.value).endswith("x ***")


def test_a_redirect_is_an_error_and_is_not_followed() -> None:
    seen = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.host)
        return httpx.Response(307, headers={"location": "https://evil.test/"})

    with pytest.raises(Redirected, match=r"evil\.test"):
        run(handler, lambda client: client.get(Request(GET_LABELS)))
    assert seen == ["acme.pipedrive.com"]


def test_a_reader_cannot_write() -> None:
    assert not hasattr(Reader, "send")
    with pytest.raises(TypeError, match=r"^addLeadLabel is no reading operation$"):
        run(lambda _: ok({}), lambda client: client.get(Request(ADD_LABEL, body={})))


@pytest.mark.parametrize("failure", [httpx.ConnectError("refused"), httpx.ReadTimeout("slow"), httpx.ReadError("cut")])
def test_a_connection_failure_is_an_unreachable_error(failure: Exception) -> None:
    def handler(_: httpx.Request) -> httpx.Response:
        raise failure

    with pytest.raises(Unreachable, match=r"acme\.pipedrive\.com"):
        run(handler, lambda client: client.get(Request(GET_LABELS)))


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
    """A paged listing that changes by a script: `before_page[n]` is called before the n-th page."""

    def __init__(self, ids: list[int], before_page: dict[int, Callable[[list[int]], None]] | None = None) -> None:
        self.ids = ids
        self.before_page = before_page or {}
        self.starts: list[int] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if (change := self.before_page.get(len(self.starts))) is not None:
            change(self.ids)
        start, limit = int(request.url.params["start"]), int(request.url.params["limit"])
        self.starts.append(start)
        rows = self.ids[start : start + limit]
        more = start + limit < len(self.ids)
        page = {"start": start, "limit": limit, "more_items_in_collection": more}
        return ok([{"id": row} for row in rows], pagination=page)


async def _all_ids(client: Writer) -> list[int]:
    return [row["id"] async for page in client.pages(GET_LEADS) for row in page.rows]


@pytest.mark.parametrize("count", [0, 1, 499, 500, 501, 999, 1000, 1001, 2500])
def test_a_listing_holds_every_row_once(count: int) -> None:
    assert run(Listing(list(range(count))), _all_ids) == list(range(count))


def test_pages_are_requested_with_one_row_of_overlap() -> None:
    listing = Listing(list(range(1200)))
    run(listing, _all_ids)
    assert listing.starts == [0, 499, 998]


def test_a_row_deleted_during_a_listing_is_noticed() -> None:
    listing = Listing(list(range(1200)), {1: lambda ids: ids.remove(3)})
    with pytest.raises(IncompleteListing):
        run(listing, _all_ids)


def test_a_short_page_with_more_items_is_an_error() -> None:
    def handler(_: httpx.Request) -> httpx.Response:
        page = {"start": 0, "limit": 500, "more_items_in_collection": True}
        return ok([{"id": i} for i in range(400)], pagination=page)

    with pytest.raises(IncompleteListing, match="400 rows where 500 were promised"):
        run(handler, _all_ids)


def test_smaller_pages_than_requested_are_accepted() -> None:
    ids = list(range(250))

    def handler(request: httpx.Request) -> httpx.Response:
        start = int(request.url.params["start"])
        page = {"start": start, "limit": 100, "more_items_in_collection": start + 100 < len(ids)}
        return ok([{"id": id_} for id_ in ids[start : start + 100]], pagination=page)

    assert run(handler, _all_ids) == ids


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

    async def main() -> list[int]:
        nonlocal most
        found = []
        async with http_client(httpx.MockTransport(handler)) as http:
            client = Reader(Connection(http, "https://acme.pipedrive.com", TokenAuth(Token(SECRET)), Time().pace))
            for whole in (False, True, True, False):
                most = 0
                rows = [row["id"] async for page in client.pages(GET_LEADS, whole=whole) for row in page.rows]
                assert rows == listing.ids
                found.append(most)
        return found

    assert asyncio.run(main()) == [1, 1, 4, 1]
    assert len(listing.starts) == 4 * 7


def _failing(*replies: httpx.Response | Exception) -> tuple[Handler, list[str]]:
    """Answer in turn; the last one for ever."""
    seen: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        reply = replies[min(len(seen), len(replies) - 1)]
        seen.append(request.method)
        if isinstance(reply, Exception):
            raise reply
        return reply

    return handler, seen


BUSY = httpx.Response(503, json={"success": False})
FULL = httpx.Response(429, json={"success": False, "error": "request over limit"}, headers={"retry-after": "2"})


@pytest.mark.parametrize("failure", [BUSY, FULL, httpx.ReadTimeout("slow"), httpx.ConnectError("refused")])
def test_a_read_is_retried_until_it_succeeds(failure: httpx.Response | Exception) -> None:
    handler, seen = _failing(failure, failure, ok([]))
    time = Time()
    run(handler, lambda client: client.get(Request(GET_LABELS)), time)
    assert len(seen) == 3
    assert len(time.slept) == 2


def test_retries_of_a_read_are_limited() -> None:
    handler, seen = _failing(BUSY)
    with pytest.raises(ServerFailure):
        run(handler, lambda client: client.get(Request(GET_LABELS)))
    assert len(seen) == 5


@pytest.mark.parametrize("failure", [BUSY, httpx.ReadTimeout("slow"), httpx.RemoteProtocolError("cut")])
def test_a_create_with_a_lost_answer_is_not_retried(failure: httpx.Response | Exception) -> None:
    handler, seen = _failing(failure, ok({}))
    with pytest.raises(ApiError) as caught:
        run(handler, lambda client: client.send(Request(ADD_LABEL, body={})))
    assert caught.value.perhaps_done
    assert seen == ["POST"]


@pytest.mark.parametrize("failure", [FULL, httpx.ConnectError("refused")])
def test_a_create_that_was_never_sent_is_retried(failure: httpx.Response | Exception) -> None:
    handler, seen = _failing(failure, ok({}))
    run(handler, lambda client: client.send(Request(ADD_LABEL, body={})))
    assert seen == ["POST", "POST"]


def test_a_firewall_block_is_not_retried() -> None:
    handler, seen = _failing(httpx.Response(403, text="<html>"))
    with pytest.raises(Blocked):
        run(handler, lambda client: client.get(Request(GET_LABELS)))
    assert len(seen) == 1


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
    connection = Connection(httpx.AsyncClient(), "https://acme.test", TokenAuth(Token(SECRET)))
    connection.headers = httpx.Headers({"date": date})
    time = Reader(connection).server_time
    assert (time and time.isoformat()) == told


@pytest.mark.parametrize(
    ("text", "count"),
    [("0", 0), (" 4800 ", 4800), ("9" * 18, 10**18 - 1), ("9" * 19, None), ("-1", None), ("1.5", None), ("", None)],
)
def test_an_invalid_daily_budget_header_is_unknown(text: str, count: int | None) -> None:
    connection = Connection(httpx.AsyncClient(), "https://acme.test", TokenAuth(Token(SECRET)))
    connection.headers = httpx.Headers(
        {"x-daily-ratelimit-token-remaining": text, "x-daily-ratelimit-token-limit": "50000"}
    )
    assert Reader(connection).tokens_today == (count, 50_000)
    connection.headers = httpx.Headers({"x-daily-ratelimit-token-limit": text})
    assert Reader(connection).tokens_today == (None, count)


def test_a_token_of_digits_that_a_header_repeats_is_no_budget() -> None:
    connection = Connection(httpx.AsyncClient(), "https://acme.test", TokenAuth(Token("48151623")))
    connection.headers = httpx.Headers(
        {"x-daily-ratelimit-token-remaining": "48151623", "x-daily-ratelimit-token-limit": "50000"}
    )
    assert Reader(connection).tokens_today == (None, 50_000)
