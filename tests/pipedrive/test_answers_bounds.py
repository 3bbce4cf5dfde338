"""What a server sends beyond the bounds is a typed error, and takes neither the time nor the memory that it could."""

import asyncio
import gzip
import itertools
import json
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from typing import Any

import httpx
import pytest

from leadstate.pipedrive.answers import (
    DEPTH,
    DIGITS,
    LARGE,
    VALUES,
    Bounds,
    has_many_values,
    is_deep,
    is_deep_value,
    read,
)
from leadstate.pipedrive.client import Reader, Writer
from leadstate.pipedrive.connection import Pace, read_bounded
from leadstate.pipedrive.errors import BadAnswer, EndlessListing, TooLarge, Unreachable
from leadstate.pipedrive.operations import ADD_LABEL, EXPONENT, GET_DEAL_FIELDS, GET_LABELS, GET_LEADS, Request
from tests.harness.connections import FakeTime, connect

SMALL = Bounds(answer=10_000, pages=5, rows=40)
BRIEF = Bounds(seconds=0.05)


class Stream(httpx.AsyncByteStream):
    """A body in pieces; `wait` comes before each one."""

    def __init__(self, *pieces: bytes, wait: float = 0.0) -> None:
        self.pieces = pieces
        self.wait = wait
        self.sent = 0
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            await asyncio.sleep(self.wait)
            self.sent += 1
            yield piece

    async def aclose(self) -> None:
        self.closed = True


Handler = Callable[[httpx.Request], httpx.Response]


def run(handler: Handler, use: Callable[[Writer], Any], bounds: Bounds = SMALL) -> Any:
    return connect(
        httpx.MockTransport(handler),
        lambda connection: use(Writer(connection)),
        origin="https://acme.pipedrive.com",
        pace=Pace(sleep=FakeTime().sleep, draw=lambda: 0.0),
        bounds=bounds,
    )


def labels(client: Reader) -> Any:
    return client.get(Request(GET_LABELS))


def reply(*pieces: bytes, **headers: str) -> tuple[httpx.Response, Stream]:
    stream = Stream(*pieces)
    return httpx.Response(200, stream=stream, headers={k.replace("_", "-"): v for k, v in headers.items()}), stream


BODY = b'{"success": true, "data": [1, 2, 3]}'


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(BODY)),
        ("GZIP ", gzip.compress(BODY)),
        ("x-gzip", gzip.compress(BODY)),
        ("deflate", zlib.compress(BODY)),
        ("identity", BODY),
        ("", BODY),
    ],
    ids=["gzip", "GZIP", "x-gzip", "deflate", "identity", "none"],  # a gzip body holds the time, and ids must not
)
def test_a_body_is_decompressed_and_its_stream_closed(encoding: str, body: bytes) -> None:
    answer, stream = reply(*(bytes([byte]) for byte in body), content_encoding=encoding)
    assert run(lambda _: answer, labels).data == [1, 2, 3]
    assert stream.closed


def test_a_body_longer_than_one_piece_is_whole() -> None:
    text = json.dumps({"success": True, "data": "x" * (3 * 2**20 + 17)}).encode()
    answer, _ = reply(gzip.compress(text), content_encoding="gzip")
    assert len(run(lambda _: answer, labels, Bounds()).data) == 3 * 2**20 + 17


@pytest.mark.parametrize(
    ("encoding", "body"),
    [("br", BODY), ("zstd", BODY), ("gzip, gzip", BODY), ("gzip,identity", BODY), ("gzip", b"no gzip")],
)
def test_an_unrequested_or_invalid_content_encoding_is_an_error(encoding: str, body: bytes) -> None:
    asked = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers["accept-encoding"])
        return reply(body, content_encoding=encoding)[0]

    with pytest.raises(Unreachable, match="DecodingError"):
        run(handler, labels)
    assert set(asked) == {"gzip"}


async def _bound(answer: httpx.Response) -> None:
    await read_bounded(SMALL, answer)


@pytest.mark.parametrize(
    ("encoding", "content", "failure", "message"),
    [
        ("br", [], httpx.DecodingError, "^the answer has an encoding that was not asked for$"),
        ("gzip", [b"no gzip"], httpx.DecodingError, "incorrect header check$"),
    ],
)
def test_a_body_that_cannot_be_decompressed_says_why(
    encoding: str, content: list[bytes], failure: type[Exception], message: str
) -> None:
    answer, stream = reply(*content, content_encoding=encoding)
    with pytest.raises(failure, match=message):
        asyncio.run(_bound(answer))
    assert stream.closed


def test_the_hook_is_for_an_async_client() -> None:
    with pytest.raises(TypeError, match=r"^the hook is for an AsyncClient$"):
        asyncio.run(_bound(httpx.Response(200, content=iter([BODY]))))


def test_an_endless_answer_is_cut_and_not_retried() -> None:
    streams = []

    def handler(_: httpx.Request) -> httpx.Response:
        answer, stream = reply(*[b" " * 1000] * 100)
        streams.append(stream)
        return answer

    with pytest.raises(TooLarge, match=r"longer than 10,000 bytes"):
        run(handler, labels)
    assert [stream.sent for stream in streams] == [11]
    assert streams[0].closed


def test_an_answer_of_exactly_the_bound_is_accepted() -> None:
    answer, _ = reply(BODY + b" " * (SMALL.answer - len(BODY)))
    assert run(lambda _: answer, labels).data == [1, 2, 3]


def test_a_decompression_bomb_takes_little_memory() -> None:
    squeezed = zlib.compressobj(level=1, wbits=zlib.MAX_WBITS | 16)
    bomb = b"".join(squeezed.compress(bytes(2**20)) for _ in range(384)) + squeezed.flush()
    answer, _ = reply(bomb, content_encoding="gzip")
    tracemalloc.start()
    with pytest.raises(TooLarge):
        run(lambda _: answer, labels, Bounds())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(bomb) < 2 * 2**20
    assert peak < 150 * 2**20


@pytest.mark.parametrize("request_", [Request(GET_LABELS), Request(ADD_LABEL, body={})])
def test_a_trickling_answer_times_out_and_its_request_may_have_been_executed(request_: Request) -> None:
    asked = []

    def handler(_: httpx.Request) -> httpx.Response:
        asked.append(1)
        return httpx.Response(200, stream=Stream(*[b" "] * 10_000, wait=0.01))

    with pytest.raises(Unreachable) as caught:
        run(handler, lambda client: client.send(request_), BRIEF)
    assert str(caught.value) == f"{request_.operation.id}: acme.pipedrive.com did not end its answer within 0 s"
    assert caught.value.perhaps_done
    assert len(asked) == 1


def answered(text: str) -> Any:
    return read(GET_LABELS, httpx.Response(200, text=f'{{"success": true, "data": {text}}}')).data


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("9" * DIGITS, int("9" * DIGITS)),
        ("1" + "0" * (DIGITS - 1), 10 ** (DIGITS - 1)),
        (f"1e{EXPONENT}", Decimal(f"1e{EXPONENT}")),
        (f"1e-{EXPONENT}", Decimal(f"1e-{EXPONENT}")),
        ("-12000.10", Decimal("-12000.10")),
        ("-" + "9" * DIGITS, -int("9" * DIGITS)),
        (f"-1.{'1' * (DIGITS - 1)}e+050", Decimal(f"-1.{'1' * (DIGITS - 1)}e50")),
    ],
)
def test_numbers_within_the_bounds_are_exact(text: str, value: object) -> None:
    assert answered(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "9" * (DIGITS + 1),
        f"-{'9' * (DIGITS + 1)}",
        f"1e{EXPONENT + 1}",
        f"1e-{EXPONENT + 1}",
        "1e999999999",
        "-1e-999999999",
        "0e999999999",
        f"0.{'1' * 4000}",
        f"-1.{'1' * DIGITS}e+050",
    ],
)
def test_a_number_beyond_the_bounds_is_refused(text: str) -> None:
    assert answered(text) == {"out of bounds": text[:DIGITS]}


def test_a_number_beyond_the_bounds_leaves_others_as_they_are() -> None:
    within, beyond = "9" * DIGITS, "9" * (DIGITS + 1)
    assert answered(f"[{within}, {beyond}]") == [int(within), {"out of bounds": within}]


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]"), ('["]","[",', "]")])
def test_a_deeply_nested_answer_is_refused(opening: str, closing: str) -> None:
    levels = DEPTH - 1  # below the answer itself
    per = opening.count("[") - opening.count('"[') + opening.count("{")
    answered(opening * (levels // per) + "1" + closing * (levels // per))
    with pytest.raises(BadAnswer):
        answered(opening * (levels // per + 1) + "1" + closing * (levels // per + 1))


def test_brackets_in_strings_are_not_nesting() -> None:
    assert answered(json.dumps("[" * 5_000)) == "[" * 5_000
    assert not is_deep(b'{"a": [1, {"b": []}]}')
    assert not is_deep_value({"a": [1, {"b": []}]})


def test_a_large_answer_with_too_many_values_is_refused_unparsed() -> None:
    body = b'{"success": true, "data": [' + b"{}," * VALUES + b"{}]" + b" " * LARGE + b"}"
    with pytest.raises(TooLarge) as caught:
        read(GET_LABELS, httpx.Response(200, content=body))
    assert str(caught.value) == "getLeadLabels: the answer holds more than 500,000 values"
    assert caught.value.status == 200
    few = b'{"success": true, "data": [{}]' + b" " * LARGE + b"}"
    assert read(GET_LABELS, httpx.Response(200, content=few)).data == [{}]


@pytest.mark.parametrize("sign", [b",", b"[", b"{"])
def test_values_of_a_large_answer_are_counted_by_their_delimiters(sign: bytes) -> None:
    assert not has_many_values((sign * VALUES).ljust(LARGE))
    assert has_many_values((sign * (VALUES + 1)).ljust(LARGE))
    assert not has_many_values((sign * (VALUES + 1)).ljust(LARGE - 1))


def test_the_depth_estimate_accepts_the_maximum_depth() -> None:
    assert not is_deep(b"{[" * (DEPTH // 2) + b"]}" * (DEPTH // 2))
    assert is_deep(b"{[" * (DEPTH // 2 + 1) + b"]}" * (DEPTH // 2 + 1))


def test_a_scalar_has_no_depth() -> None:
    assert not any(map(is_deep_value, [5, None, "text", Decimal(1)]))


def _page(rows: list[Any], more: object) -> httpx.Response:
    page = {"limit": 5, "more_items_in_collection": more}
    return httpx.Response(200, json={"success": True, "data": rows, "additional_data": {"pagination": page}})


async def _all_rows(client: Reader) -> list[Any]:
    return [row async for page in client.pages(GET_LEADS) for row in page.rows]


def test_an_endless_listing_is_an_error_after_the_page_limit() -> None:
    asked = []

    def handler(request: httpx.Request) -> httpx.Response:
        start = int(request.url.params["start"])
        asked.append(start)
        return _page([{"id": str(start + at)} for at in range(5)], more=True)

    with pytest.raises(EndlessListing, match="after 5 pages"):
        run(handler, _all_rows)
    assert len(asked) == SMALL.pages
    asked.clear()
    with pytest.raises(EndlessListing):
        run(handler, _all_rows, Bounds(rows=40))
    assert len(asked) == 11, "ten pages, and one on a guess"


@pytest.mark.parametrize(
    ("bounds", "asked"), [(Bounds(rows=3), 2), (Bounds(rows=4), 2), (Bounds(rows=5), 3), (Bounds(pages=5), 5)]
)
def test_a_listing_by_cursors_is_an_error_after_the_row_or_the_page_limit(bounds: Bounds, asked: int) -> None:
    numbers = itertools.count()

    def handler(_: httpx.Request) -> httpx.Response:
        body = {"success": True, "data": [{}, {}], "additional_data": {"next_cursor": str(next(numbers))}}
        return httpx.Response(200, json=body)

    with pytest.raises(
        EndlessListing, match=f"getDealFields: the listing does not end: more follows after {asked} pages"
    ):
        run(handler, lambda client: client.rows(GET_DEAL_FIELDS), bounds)
    assert next(numbers) == asked


@pytest.mark.parametrize("cursors", [["a"], ["a", "b"]])
def test_a_repeated_cursor_is_an_error(cursors: list[str]) -> None:
    turns, asked = itertools.cycle(cursors), []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.params.get("cursor"))
        return httpx.Response(200, json={"success": True, "data": [], "additional_data": {"next_cursor": next(turns)}})

    with pytest.raises(EndlessListing, match="getDealFields: a page says that it comes after itself"):
        run(handler, lambda client: client.rows(GET_DEAL_FIELDS))
    assert asked == [None, *cursors]
