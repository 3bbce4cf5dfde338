"""Sends requests to one account. A `Reader` has no way to write; planning holds nothing else (promise 1)."""

import asyncio
import datetime as dt
import email.utils
import http.cookiejar
import itertools
import logging
import random
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field

import httpx

from leadstate.kinds.operations import Operation, Request
from leadstate.pipedrive.answers import Answer, read
from leadstate.pipedrive.auth import Signer
from leadstate.pipedrive.errors import ApiError, IncompleteListing, RateLimited, Unreachable
from leadstate.pipedrive.limiter import SEARCH_LIMIT, Limiter
from leadstate.pipedrive.pages import PAGE, Page, read_pages
from leadstate.pipedrive.retry import Again, verdict

_LONGEST_COUNT = 18
"""Digits: more tokens than these can tell are no budget."""

TIMEOUT = httpx.Timeout(30.0, connect=10.0)

_log = logging.getLogger("leadstate.http")


@dataclass(slots=True)
class Spent:
    """What requests have cost: how many, by operation too, and their API tokens. Requests that failed are counted."""

    requests: int = 0
    tokens: int = 0
    by_operation: Counter[str] = field(default_factory=Counter)

    def add(self, operation: Operation, times: int = 1) -> None:
        """Count a request."""
        self.requests += times
        self.tokens += times * operation.tokens
        self.by_operation[operation.id] += times

    def since(self, earlier: "Spent") -> "Spent":
        """What was added since an earlier reading."""
        return Spent(
            self.requests - earlier.requests, self.tokens - earlier.tokens, self.by_operation - earlier.by_operation
        )

    def copy(self) -> "Spent":
        """The same, as it is now."""
        return Spent(self.requests, self.tokens, self.by_operation.copy())


@dataclass(frozen=True, slots=True)
class Pace:
    """Time and chance, injected: monotonic seconds, a sleep of seconds, a number from 0 to 1."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    draw: Callable[[], float] = random.random


class Connection:
    """The way to one account: where it is, what signs its requests, what paces them, what they have cost.

    `lengths` holds how many pages each listing had when it was last read to its end, by operation id. `heard` is called
    at each answer, for whoever wants to know how far a run is.
    """

    def __init__(self, http: httpx.AsyncClient, origin: str, signer: Signer, pace: Pace | None = None) -> None:
        self._http = http
        self._origin = origin
        self.signer = signer
        self.pace = pace or Pace()
        self._limiter = Limiter(self.pace.clock, self.pace.sleep)
        self._searches = Limiter(self.pace.clock, self.pace.sleep, SEARCH_LIMIT)
        self._over: ApiError | None = None
        self.spent = Spent()
        self.lengths: dict[str, int] = {}
        self.headers = httpx.Headers()
        self.heard: Callable[[], None] = lambda: None

    async def exchange(self, request: Request) -> Answer:
        """Send a request, again where that is safe and may help, and read its answer.

        After a failure that no other request can survive nothing is sent any more: each further one fails alike.

        Raises:
            ApiError: it failed for good, or it is a POST of which nobody knows whether it was done.
        """
        method = request.operation.method
        for attempt in itertools.count(1):
            try:
                return await self._once(request)
            except ApiError as failure:
                failure.args = (self.signer.scrub(str(failure)),)
                if failure.fatal:
                    self._over = failure
                judged = verdict(method, attempt, failure, self.pace.draw())
                if not isinstance(judged, Again):
                    raise
                _log.info("%s; again in %.1f s", failure, judged.after)
                if isinstance(failure, RateLimited):
                    self._limiter.pause(judged.after)
                else:
                    await self.pace.sleep(judged.after)
        raise AssertionError  # count() does not end

    async def _once(self, request: Request) -> Answer:
        operation = request.operation
        async with AsyncExitStack() as places:
            if operation.search:
                await places.enter_async_context(self._searches.place())
            await places.enter_async_context(self._limiter.place())
            if self._over is not None:
                raise self._over
            self.spent.add(operation)
            try:
                reply = await self._http.request(
                    operation.method,
                    f"{self._origin}/api/{operation.version}{request.path}",
                    params=request.query,
                    json=request.body,
                    auth=self.signer,
                )
            except ApiError:  # of the signer
                self.spent.add(operation, -1)
                raise
            except (httpx.HTTPError, httpx.InvalidURL, ValueError) as failure:
                _log.debug("%s %s: %s", operation.method, request.path, type(failure).__name__)
                sent = not isinstance(failure, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
                if not sent:
                    self.spent.add(operation, -1)
                raise Unreachable(operation.id, why(failure, self._origin), sent=sent) from None
        _log.debug("%s %s -> %s", operation.method, request.path, reply.status_code)
        (self._searches if operation.search else self._limiter).learn(reply.headers)
        self.headers = reply.headers
        self.heard()
        return read(operation, reply, self.signer.scrub)


class Reader:
    """Reads one account."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def spent(self) -> Spent:
        """What this account's requests have cost so far."""
        return self._connection.spent

    @property
    def pace(self) -> Pace:
        """Time and chance, as this account's requests have them."""
        return self._connection.pace

    @property
    def headers(self) -> httpx.Headers:
        """The headers of the last answer: limits that are left, the server's clock."""
        return self._connection.headers

    @property
    def tokens_today(self) -> tuple[int | None, int | None]:
        """API tokens that the company has left today, and has a day, where the last answer told (undocumented)."""
        names = ("x-daily-ratelimit-token-remaining", "x-daily-ratelimit-token-limit")
        left, limit = (self.headers.get(name, "").strip() for name in names)
        return _count(left), _count(limit)

    @property
    def server_time(self) -> dt.datetime | None:
        """The server's clock when it gave the last answer, in UTC and whole seconds; None where it does not say."""
        try:
            told = email.utils.parsedate_to_datetime(self.headers.get("date", ""))
        except ValueError:
            return None
        return told.astimezone(dt.UTC) if told.tzinfo else None

    def pages_of(self, operation: Operation) -> int:
        """How many pages a listing had when it was last read to its end; 0 where that is not known."""
        return self._connection.lengths.get(operation.id, 0)

    async def get(self, request: Request) -> Answer:
        """Read once."""
        if request.operation.method != "GET":
            raise TypeError(f"{request.operation.id} is no reading operation")
        return await self._connection.exchange(request)

    async def pages(self, operation: Operation, *query: tuple[str, str], whole: bool = True) -> AsyncGenerator[Page]:
        """A listing, page by page (see `pages`).

        Args:
            operation: the listing.
            query: what is asked besides the page.
            whole: the caller reads to the end, so that pages which were there the last time may be read ahead.

        Raises:
            IncompleteListing: the listing changed while it was read.
        """
        lengths, count = self._connection.lengths, 0
        known = self.pages_of(operation) if whole else 0
        async with aclosing(read_pages(self.get, operation, query, known)) as pages:
            async for page in pages:
                count += 1
                if whole and not page.more:
                    lengths[operation.id] = count
                yield page

    async def rows(self, operation: Operation) -> list[object]:
        """A whole listing of the second version, whose pages tell where the next one begins.

        Raises:
            IncompleteListing: the listing goes in circles.
        """
        rows: list[object] = []
        seen: set[str] = set()
        query: tuple[tuple[str, str], ...] = (("limit", str(PAGE)),)
        while True:
            answer = await self.get(Request(operation, query=query))
            rows += answer.rows()
            cursor = answer.cursor()
            if cursor is None:
                return rows
            if cursor in seen:
                raise IncompleteListing(operation.id, "a page says that it comes after itself")
            seen.add(cursor)
            query = (("limit", str(PAGE)), ("cursor", cursor))


class Writer(Reader):
    """Reads and writes one account."""

    async def send(self, request: Request) -> Answer:
        """Send one request of any kind; a POST that may have been done is not sent again (see `retry`)."""
        return await self._connection.exchange(request)


@asynccontextmanager
async def http_client(transport: httpx.AsyncBaseTransport | None = None) -> AsyncIterator[httpx.AsyncClient]:
    """One HTTP client for all accounts of a run: TLS verified, no redirects, no cookies.

    Proxies of the environment apply to https only: plain http goes to loopback and nowhere else.
    """
    # Loading the certificates takes 15 ms, so both transports share them.
    tls = httpx.create_ssl_context() if transport is None else True
    nobody = http.cookiejar.DefaultCookiePolicy(allowed_domains=[])
    async with httpx.AsyncClient(
        transport=transport,
        verify=tls,
        mounts=None if transport else {"http://": httpx.AsyncHTTPTransport(verify=tls)},
        timeout=TIMEOUT,
        follow_redirects=False,
        cookies=http.cookiejar.CookieJar(policy=nobody),
        headers={"accept": "application/json", "user-agent": "leadstate"},
    ) as client:
        yield client


def _count(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) <= _LONGEST_COUNT else None


def why(failure: Exception, address: str) -> str:
    """Why no answer came of an address, in words that name its host and nothing of the request."""
    host = httpx.URL(address).host
    match failure:
        case httpx.ConnectTimeout() | httpx.ConnectError():
            reason = str(failure) or "no connection"
            return f"cannot connect to {host} ({reason})"
        case httpx.TimeoutException():
            return f"{host} did not answer within {TIMEOUT.read:.0f} s"
        case _:
            return f"the connection to {host} broke ({type(failure).__name__})"
