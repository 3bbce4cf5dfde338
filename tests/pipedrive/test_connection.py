"""What one request costs, how it travels, how long it is sent again, and what is said where no answer came."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Generator
from typing import Any

import httpx
import pytest

from leadstate.pipedrive.answers import BOUNDS, Bounds
from leadstate.pipedrive.client import Writer
from leadstate.pipedrive.connection import (
    Connection,
    Signer,
    Spent,
    TokenAuth,
    TooLargeError,
    explain_no_answer,
    http_client,
)
from leadstate.pipedrive.errors import (
    ApiError,
    BadAnswer,
    NoTokenServer,
    ServerFailure,
    TooLarge,
    Unreachable,
)
from leadstate.pipedrive.operations import (
    ADD_LABEL,
    GET_LABELS,
    GET_LEAD,
    GET_LEADS,
    SEARCH_PERSONS,
    UPDATE_LEAD,
    Delay,
    Request,
)
from leadstate.pipedrive.pacing import SEARCH_LIMIT
from leadstate.pipedrive.pagination import AT_ONCE
from leadstate.pipedrive.secrets import Secrets, Token
from tests.harness.connections import FakeTime, connect

ADDRESS = "https://acme.pipedrive.com"


class World:
    """One account on a clock that sleeping moves, and `takes` at each request."""

    def __init__(
        self,
        *replies: httpx.Response | Exception,
        takes: float = 0.0,
        bounds: Bounds = BOUNDS,
        signer: Signer | None = None,
    ) -> None:
        self.replies = replies
        self.takes = takes
        self.bounds = bounds
        self.signer = signer or TokenAuth(Token("c0ffee" * 7))
        self.time = FakeTime(0.0)
        self.asked: list[tuple[float, httpx.Request]] = []
        self.heard = 0
        self.connection: Connection

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append((self.time.now, request))
        self.time.now += self.takes
        reply = self.replies[min(len(self.asked), len(self.replies)) - 1]
        if isinstance(reply, Exception):
            raise reply
        return reply

    def run(self, use: Callable[[Writer], Any]) -> Any:
        async def main(connection: Connection) -> Any:
            self.connection = connection
            connection.heard = self._hear
            return await use(Writer(connection))

        transport, pace = httpx.MockTransport(self), self.time.pace(0.0)
        return connect(transport, main, origin=ADDRESS, signer=self.signer, pace=pace, bounds=self.bounds)

    def _hear(self) -> None:
        self.heard += 1


def ok(data: Any = None, **headers: str) -> httpx.Response:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(200, json={"success": True, "data": data}, headers=names)


def labels(client: Writer) -> Any:
    return client.get(Request(GET_LABELS))


def test_spent_tokens_are_counted_in_total_and_by_operation() -> None:
    spent = Spent()
    spent.add(GET_LABELS)
    spent.add(GET_LABELS)
    before = spent.copy()
    spent.add(GET_LEAD, 3)
    assert before == Spent(2, 20, Counter(getLeadLabels=2))
    assert spent == Spent(5, 26, Counter(getLeadLabels=2, getLead=3))
    assert spent.since(before) == Spent(3, 6, Counter(getLead=3))
    spent.add(GET_LABELS, -1)
    assert spent == Spent(4, 16, Counter(getLeadLabels=1, getLead=3))


@pytest.mark.parametrize(
    ("failure", "requests"),
    [
        (httpx.ConnectError("refused"), 0),
        (httpx.ConnectTimeout("slow"), 0),
        (httpx.PoolTimeout("full"), 0),
        (httpx.ReadTimeout("slow"), 5),
        (httpx.WriteError("cut"), 5),
        (httpx.RemoteProtocolError("cut"), 5),
    ],
)
def test_unsent_requests_are_not_counted(failure: Exception, requests: int) -> None:
    world = World(failure)
    with pytest.raises(Unreachable) as caught:
        world.run(labels)
    assert len(world.asked) == 5
    assert str(caught.value).startswith("getLeadLabels: ")
    assert caught.value.perhaps_done is (requests > 0)
    assert world.connection.spent.requests == requests
    assert world.connection.spent.tokens == 10 * requests
    assert not world.heard


def test_a_request_has_the_method_path_query_and_body_of_its_operation() -> None:
    world = World(ok({}))
    world.run(lambda client: client.send(Request(ADD_LABEL, query=(("a", "b c"),), body={"name": "Hot"})))
    [(_, request)] = world.asked
    assert (request.method, str(request.url)) == ("POST", f"{ADDRESS}/api/v1/leadLabels?a=b+c")
    assert request.read() == b'{"name":"Hot"}'
    assert request.headers["x-api-token"] == "c0ffee" * 7
    assert request.headers["accept"] == "application/json"
    assert request.headers["accept-encoding"] == "gzip"
    assert request.headers["user-agent"] == "leadstate"
    assert world.heard == 1


def test_redirects_are_not_followed_and_every_answer_has_its_time() -> None:
    async def main() -> httpx.AsyncClient:
        async with http_client(httpx.MockTransport(World(ok()))) as client:
            return client

    client = asyncio.run(main())
    assert client.follow_redirects is False
    assert client.timeout == httpx.Timeout(30.0, connect=10.0)


@pytest.mark.parametrize(("seconds", "asked"), [(50.0, 2), (51.0, 3), (26.0, 2), (25.0, 1)])
def test_retries_end_after_a_total_duration(seconds: float, asked: int) -> None:
    world = World(httpx.ReadTimeout("slow"), takes=25.0, bounds=Bounds(seconds=seconds))
    with pytest.raises(Unreachable):
        world.run(labels)
    assert len(world.asked) == asked


def test_searches_have_a_rate_limit_window_of_their_own() -> None:
    world = World(ok([]))

    async def searches(client: Writer) -> None:
        for _ in range(11):
            await client.get(Request(SEARCH_PERSONS))
        await client.get(Request(GET_LABELS))

    world.run(searches)
    assert [at for at, _ in world.asked] == [0.0] * 10 + [2.0, 2.0]


def test_each_rate_limit_window_uses_its_own_headers() -> None:
    world = World(ok([], x_ratelimit_limit="1"))

    async def twice(client: Writer) -> None:
        await client.get(Request(SEARCH_PERSONS))
        await client.get(Request(GET_LABELS))  # the first one that tells how large the window of all is
        await client.get(Request(GET_LABELS))
        await client.get(Request(SEARCH_PERSONS))

    world.run(twice)
    assert [at for at, _ in world.asked] == [0.0, 0.0, 2.0, 4.0]


def test_a_header_of_the_larger_window_gives_searches_no_more_room() -> None:
    world = World(ok([], x_ratelimit_limit="100"))

    async def many(client: Writer) -> None:
        for _ in range(SEARCH_LIMIT + 1):
            await client.get(Request(SEARCH_PERSONS))

    world.run(many)
    assert [at for at, _ in world.asked] == [*[0.0] * SEARCH_LIMIT, 2.0]


def test_a_full_rate_limit_window_delays_all_requests() -> None:
    full = httpx.Response(429, json={"success": False, "error": "request over limit"}, headers={"retry-after": "7"})
    world = World(full, ok([]))

    delays: list[Delay] = []

    async def two(client: Writer) -> None:
        world.connection.delayed = delays.append
        await asyncio.gather(client.get(Request(GET_LABELS)), client.get(Request(GET_LEAD, "x")))

    world.run(two)
    assert max(at for at, _ in world.asked) == 7.0
    assert len(world.asked) == 3
    assert Delay(7.0) in delays


def test_the_headers_of_the_last_answer_are_kept() -> None:
    world = World(ok([], x_told="first"), ok([], x_told="last"))

    async def twice(client: Writer) -> str:
        assert not client.headers
        await client.get(Request(GET_LABELS))
        await client.get(Request(GET_LABELS))
        return client.headers["x-told"]

    assert world.run(twice) == "last"
    assert world.heard == 2


def test_data_that_repeats_the_token_is_scrubbed() -> None:
    world = World(ok({"name": f"<{'C0FFEE' * 7}>"}))
    assert world.run(labels).data == {"name": "<***>"}


def test_what_goes_wrong_and_when_it_is_sent_again_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "leadstate.http")
    World(httpx.ReadTimeout("slow"), ok([])).run(labels)
    assert [
        (record.levelname, record.getMessage()) for record in caplog.records if record.name == "leadstate.http"
    ] == [
        ("DEBUG", "GET /leadLabels: ReadTimeout"),
        ("INFO", "getLeadLabels: acme.pipedrive.com did not answer within 30 s; again in 0.2 s"),
        ("DEBUG", "GET /leadLabels -> 200"),
    ]


def test_four_pages_are_under_way_at_a_time_and_a_page_is_read_once_the_next_is_asked_for() -> None:
    steps: list[tuple[str, int]] = []
    most = under_way = 0

    async def answer(request: httpx.Request) -> httpx.Response:
        nonlocal most, under_way
        steps.append(("asked", int(request.url.params["start"])))
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        return httpx.Response(200, json={"success": True, "data": []})

    async def read(connection: Connection) -> None:
        async def get(start: int) -> None:
            await connection.exchange(Request(GET_LEADS, query=(("start", str(start)),)))
            steps.append(("read", start))

        await asyncio.gather(*map(get, range(3 * AT_ONCE)))

    connect(httpx.MockTransport(answer), read, origin=ADDRESS)
    assert most == AT_ONCE == 4
    assert all(steps.index(("asked", start + AT_ONCE)) < steps.index(("read", start)) for start in range(2 * AT_ONCE))


class Failing(Signer):
    """Has no token to sign with; `ask` is called each time that one is wanted."""

    def __init__(self, failure: ApiError | None, ask: Callable[[], None] = lambda: None) -> None:
        self.failure = failure
        self.ask = ask
        self.secrets = Secrets([Token("c0ffee" * 7)])

    @property
    def words(self) -> str:
        return "nothing"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        self.ask()
        if self.failure is not None:
            raise self.failure
        yield request


def test_a_request_that_could_not_be_signed_is_retried_if_that_may_help() -> None:
    world = World(ok(), signer=Failing(NoTokenServer("token", f"cut at {'C0FFEE' * 7}", sent=False)))
    with pytest.raises(NoTokenServer) as caught:
        world.run(labels)
    assert str(caught.value) == "token: cut at ***"
    assert world.connection.spent == Spent(0, 0, Counter(getLeadLabels=0))
    assert not world.asked


def test_the_time_that_signing_takes_counts_from_when_it_began() -> None:
    asked = []

    def ask() -> None:
        asked.append(world.time.now)
        world.time.now += 25.0

    world = World(ok(), signer=Failing(NoTokenServer("token", "slow", sent=False), ask))
    world.time.now = 1_000.0
    with pytest.raises(NoTokenServer) as caught:
        world.run(labels)
    assert asked == [1_000.0, 1_025.25, 1_050.75]
    assert caught.value.seconds == 25.0


def test_a_write_with_a_too_large_answer_may_have_been_executed() -> None:
    world = World(ok("x" * 200), bounds=Bounds(answer=100))
    with pytest.raises(TooLarge) as caught:
        world.run(lambda client: client.send(Request(ADD_LABEL, body={})))
    assert str(caught.value) == "addLeadLabel: the answer is longer than 100 bytes"
    assert caught.value.perhaps_done
    assert isinstance(caught.value, BadAnswer)


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (httpx.ConnectError("refused"), "cannot connect to acme.test (refused)"),
        (httpx.ConnectTimeout(""), "cannot connect to acme.test (no connection)"),
        (TooLargeError("the answer is longer than 5 bytes"), "acme.test: the answer is longer than 5 bytes"),
        (httpx.ReadTimeout("x"), "acme.test did not answer within 30 s"),
        (httpx.ReadError("https://acme.test/?secret"), "the connection to acme.test broke (ReadError)"),
    ],
)
def test_a_connection_error_names_only_the_host(failure: Exception, told: str) -> None:
    assert explain_no_answer(failure, "https://acme.test/secret") == told


def test_the_http_libraries_log_nothing_of_a_request(
    url: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their lines hold searched names at INFO, and at DEBUG the headers in which a server may repeat a token."""
    monkeypatch.setattr(logging.getLogger("leadstate"), "propagate", True)  # `--log-level` turns it off
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "leadstate")

    async def main() -> None:
        async with http_client(https=False) as http:
            connection = Connection(http, url, TokenAuth(Token("sandbox-token")))
            await connection.exchange(Request(SEARCH_PERSONS, query=(("term", "jane@acme.test"), ("fields", "email"))))

    asyncio.run(main())
    assert {record.name for record in caplog.records} >= {"leadstate.http"}
    logged = {record.getMessage() for record in caplog.records if record.name.startswith("http")}
    assert logged <= {"close.started", "close.complete"}
    assert "jane" not in caplog.text


def test_requests_of_other_clients_of_the_process_are_logged_as_ever(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    async def main() -> None:
        async with http_client(https=False), httpx.AsyncClient() as other:
            await other.get(f"{url}/elsewhere")

    asyncio.run(main())
    logged = [record for record in caplog.records if record.name.startswith("http")]
    assert f'HTTP Request: GET {url}/elsewhere "HTTP/1.1 404 Not Found"' in [record.getMessage() for record in logged]
    assert any(record.name.startswith("httpcore.") for record in logged)


def test_what_was_read_before_a_pause_is_read_again_after_it() -> None:
    world = World(ok())

    async def main(writer: Writer) -> None:
        async def both() -> None:
            await writer.get(Request(GET_LEAD, "1"))
            if len(world.asked) == 1:
                world.connection._limiter.pause(30.0)  # noqa: SLF001  as a 429 of another request does
            await writer.send(Request(UPDATE_LEAD, "1", {}))

        await writer.repeat(both)

    world.run(main)
    sent = [(request.method, at) for at, request in world.asked]
    assert sent == [("GET", 0.0), ("GET", 30.0), ("PATCH", 30.0)]


def test_what_is_raised_between_a_reading_and_a_write_ends_both() -> None:
    world = World(ok())

    async def main(writer: Writer) -> None:
        async def compare() -> None:
            await writer.get(Request(GET_LEAD, "1"))
            raise LookupError

        await writer.repeat(compare)

    with pytest.raises(LookupError):
        world.run(main)
    assert len(world.asked) == 1


@pytest.mark.parametrize("fails", ["GET", "PATCH"])
def test_a_reading_and_a_write_are_repeated_together_as_often_as_one_request(fails: str) -> None:
    world = World()

    def answer(request: httpx.Request) -> httpx.Response:
        world.asked.append((world.time.now, request))
        return httpx.Response(503) if request.method == fails else ok()

    async def main(connection: Connection) -> None:
        writer = Writer(connection)

        async def both() -> None:
            await writer.get(Request(GET_LEAD, "1"))
            await writer.send(Request(UPDATE_LEAD, "1", {}))

        await writer.repeat(both)

    with pytest.raises(ServerFailure):
        connect(httpx.MockTransport(answer), main, pace=world.time.pace())
    methods = [request.method for _, request in world.asked]
    assert methods == (["GET"] * 5 if fails == "GET" else ["GET", "PATCH"] * 5)
    assert len(world.time.slept) == 4
