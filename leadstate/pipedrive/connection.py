"""How a request travels to one account: signed, paced, sent again where that is safe and may help, and counted."""

import asyncio
import http.cookiejar
import logging
import random
import ssl
import time
import zlib
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, TypeAlias, TypeVar

import httpx

from leadstate.pipedrive.answers import BOUNDS, Answer, Bounds, read
from leadstate.pipedrive.errors import ApiError, RateLimited, TooLarge, Unreachable
from leadstate.pipedrive.operations import Delay, Operation, Request
from leadstate.pipedrive.pacing import ATTEMPTS, SEARCH_LIMIT, Limiter, Reservation, pause_before_retry
from leadstate.pipedrive.pagination import AT_ONCE
from leadstate.pipedrive.secrets import RunSecrets, Secrets, Token

TIMEOUT = httpx.Timeout(30.0, connect=10.0)

TURNS = 12
"""Turns of the event loop that httpx takes to send a request, and some more; too few cost a little time."""

HEADER: Final = "x-api-token"

_PIECE = 2**20
"""Bytes that are decompressed at a time."""

Transport: TypeAlias = httpx.AsyncBaseTransport
"""Carries requests in place of the network."""

HttpClient: TypeAlias = httpx.AsyncClient
"""Asks all accounts of a run; what `http_client` makes."""

Headers: TypeAlias = httpx.Headers
"""Headers of an answer, in any case."""

T = TypeVar("T")

_log = logging.getLogger("leadstate.http")

_sending: ContextVar[bool] = ContextVar("sending", default=False)
"""Whether this task sends a request of leadstate."""


@dataclass(slots=True)
class Spent:
    """What requests have cost: how many, by operation too, and their rate-limit tokens. Failed ones are counted."""

    requests: int = 0
    tokens: int = 0
    by_operation: Counter[str] = field(default_factory=Counter)

    def add(self, operation: Operation, times: int = 1) -> None:
        """Count a request."""
        self.requests += times
        self.tokens += times * operation.tokens
        self.by_operation[operation.id] += times

    @property
    def cost(self) -> tuple[int, int]:
        """Requests and rate-limit tokens."""
        return self.requests, self.tokens

    def since(self, earlier: "Spent") -> "Spent":
        """Return what was added since an earlier reading."""
        return Spent(
            self.requests - earlier.requests, self.tokens - earlier.tokens, self.by_operation - earlier.by_operation
        )

    def copy(self) -> "Spent":
        """Return the same, as it is now."""
        return Spent(self.requests, self.tokens, self.by_operation.copy())


@dataclass(frozen=True, slots=True)
class Pace:
    """Time and chance, injected: monotonic seconds, a sleep of seconds, a number from 0 to 1."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    draw: Callable[[], float] = random.random


class Signer(httpx.Auth, ABC):
    """Signs the requests of one account; `secrets` are those that it knows: a server may quote what it was sent."""

    secrets: Secrets

    @property
    @abstractmethod
    def words(self) -> str:
        """What it signs with, for people: the kind of token, never the token."""


class TokenAuth(Signer):
    """Puts the token into the header at the last moment, so that requests shown or logged before do not hold it."""

    def __init__(self, token: Token, run: RunSecrets | None = None) -> None:
        self._token = token
        self.secrets = Secrets([token], run)

    @property
    def words(self) -> str:
        """An API token does not expire."""
        return "an API token"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sign one request."""
        request.headers[HEADER] = self._token.reveal()
        yield request


_reservation: ContextVar[Reservation | None] = ContextVar("reservation", default=None)
"""The places that are kept for the attempt of `Connection.repeat` that this task makes."""


class PausedError(Exception):
    """A write was not sent, as all is to pause: what was read for it is old by then."""


class Connection:
    """The connection to one account: its address, signer, rate limit and what its requests have cost.

    `lengths` holds how many pages each listing is known to have, by operation id. `heard` is called
    at each answer, to show progress, and `delayed` before each delay.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        origin: str,
        signer: Signer,
        pace: Pace | None = None,
        bounds: Bounds = BOUNDS,
    ) -> None:
        self._http = http
        self.bounds = bounds
        self._origin = origin
        self.signer = signer
        self.pace = pace or Pace()
        self._limiter = Limiter(self.pace.clock, self._wait)
        self._searches = Limiter(self.pace.clock, self._wait, SEARCH_LIMIT)
        self._pages = asyncio.Semaphore(AT_ONCE)
        self._over: ApiError | None = None
        self.spent = Spent()
        self.lengths: dict[str, int] = {}
        self.headers = httpx.Headers()
        self.heard: Callable[[], None] = lambda: None
        self.delayed: Callable[[Delay], None] = lambda _: None

    @property
    def closed(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._http.is_closed

    async def exchange(self, request: Request) -> Answer:
        """Send a request, again where that is safe and may help, and read its answer.

        Within an attempt of `repeat` the request is sent once, and the whole attempt is what is made again.

        Raises:
            ApiError: it failed for good, or it is a POST of which nobody knows whether it was done.
        """
        if _reservation.get() is not None:
            return await self._exchange_once(request)
        return await self._retry(lambda: self._exchange_once(request))

    async def repeat(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Read, compare and write, all three again where one request failed and that is safe and may help.

        What was read is old after a pause, so a write is never sent again without the reading before it. The burst
        window has room for both before the first is sent. If all is to pause between the two (another request got a
        429), the reading is made anew after the pause, some times; then the write is sent all the same.

        Args:
            attempt: sends a reading and a write, or a reading alone where that shows that nothing is to be written.

        Raises:
            ApiError: as `exchange`.
        """
        paused = 0

        async def reserved() -> T:
            nonlocal paused
            while True:
                async with self._limiter.reserve(2) as held:
                    held.patient = paused == ATTEMPTS
                    token = _reservation.set(held)
                    try:
                        return await attempt()
                    except PausedError:
                        paused += 1
                    finally:
                        _reservation.reset(token)

        return await self._retry(reserved)

    async def _retry(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Make an attempt until it succeeds or fails for good.

        After a failure that no other request can survive nothing is sent any more: each further one fails alike.
        """
        number, waited = 0, 0.0
        while True:
            number += 1
            try:
                return await attempt()
            except ApiError as failure:
                failure.args = (self.signer.secrets.scrub(str(failure)),)
                waited += failure.seconds
                if failure.fatal:
                    self._over = failure
                pause = pause_before_retry(failure.method, number, failure, self.pace.draw())
                if pause is None or waited >= self.bounds.seconds:
                    raise
                _log.info("%s; again in %.1f s", failure, pause)
                self.delayed(Delay(pause, failure.operation, number, str(failure)))
                if isinstance(failure, RateLimited):
                    self._limiter.pause(pause)
                else:
                    await self.pace.sleep(pause)

    async def _exchange_once(self, request: Request) -> Answer:
        """Send a request once and read its answer."""
        try:
            async with self._pages if request.operation.paged else nullcontext():
                reply = await self._transmit(request)
            if request.operation.paged and reply.is_success:
                # Reading a page holds up all else for some ms, so the request that waited for this one goes out first.
                for _ in range(TURNS):
                    await asyncio.sleep(0)
            return read(request.operation, reply, self.signer.secrets)
        except ApiError as failure:
            failure.method = request.operation.method
            raise

    async def _wait(self, seconds: float) -> None:
        self.delayed(Delay(seconds))
        await self.pace.sleep(seconds)

    async def _transmit(self, request: Request) -> httpx.Response:
        """Send a request within the rate limit, and return what came back; raise `ApiError` where nothing did."""
        operation = request.operation
        limiter = self._searches if operation.search else self._limiter
        async with AsyncExitStack() as places:
            held = _reservation.get()
            ending = held if operation.method != "GET" else None  # the write is the last request of an attempt
            if ending is not None and not ending.patient and limiter.is_paused:
                raise PausedError
            left = await places.enter_async_context(limiter.place(held))
            if ending is not None:
                limiter.release(ending)  # labels are compared with one list, so often nothing was read
            if operation.search:  # it takes a place in both windows
                await places.enter_async_context(self._limiter.place())
            if self._over is not None:
                raise self._over
            self.spent.add(operation)
            begun = self.pace.clock()
            try:
                async with asyncio.timeout(self.bounds.seconds):
                    reply = await self._http.request(
                        operation.method,
                        f"{self._origin}/api/{operation.version}{request.path}",
                        params=request.query,
                        json=request.body,
                        auth=self.signer,
                    )
            except ApiError as failure:  # of the signer
                self.spent.add(operation, -1)
                failure.seconds = self.pace.clock() - begun
                raise
            except TooLargeError as failure:
                raise TooLarge(operation.id, str(failure)) from None
            except TimeoutError:
                summary = f"{httpx.URL(self._origin).host} did not end its answer within {self.bounds.seconds:.0f} s"
                raise Unreachable(operation.id, summary, sent=True, seconds=self.bounds.seconds) from None
            except (httpx.HTTPError, httpx.InvalidURL, ValueError) as failure:
                _log.debug("%s %s: %s", operation.method, request.path, type(failure).__name__)
                sent = not isinstance(failure, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
                if not sent:
                    self.spent.add(operation, -1)
                summary, seconds = explain_no_answer(failure, self._origin), self.pace.clock() - begun
                raise Unreachable(operation.id, summary, sent=sent, seconds=seconds) from None
        _log.debug("%s %s -> %s", operation.method, request.path, reply.status_code)
        limiter.learn(reply.headers, left)
        self.headers = reply.headers
        self.heard()
        return reply


class TooLargeError(httpx.DecodingError):
    """An answer is longer than it may be."""


async def read_bounded(bounds: Bounds, reply: httpx.Response) -> None:
    """Read the body of an answer within the bounds, before httpx does, which knows none.

    What `accept-encoding: gzip` may bring is decompressed a piece at a time: 64 KB of it can become 64 MB.
    """
    stream = reply.stream
    if not isinstance(stream, httpx.AsyncByteStream):
        raise TypeError("the hook is for an AsyncClient")
    content = bytearray()
    encoding = reply.headers.pop("content-encoding", "identity").strip().lower()
    zipped = encoding in ("gzip", "x-gzip", "deflate")
    decoder = zlib.decompressobj(zlib.MAX_WBITS | 32)  # 32: the header tells gzip from zlib
    try:
        if not zipped and encoding not in ("", "identity"):
            raise httpx.DecodingError("the answer has an encoding that was not asked for")
        async for received in stream:
            rest = received
            while rest:
                content += decoder.decompress(rest, _PIECE) if zipped else rest
                rest = decoder.unconsumed_tail if zipped else b""
                if len(content) > bounds.answer:
                    raise TooLargeError(f"the answer is longer than {bounds.answer:,} bytes")
        content += decoder.flush() if zipped else b""
    except zlib.error as failure:
        raise httpx.DecodingError(str(failure)) from None
    finally:
        await stream.aclose()
    reply.stream = httpx.ByteStream(bytes(content))


def _is_of_others(_record: logging.LogRecord) -> bool:
    """Return whether a line that an HTTP library logs is of a request that other code of the process sends."""
    return not _sending.get()


class _UnloggedClient(httpx.AsyncClient):
    """Sends requests of which httpx and httpcore log nothing, whatever the level.

    At INFO they log URLs, with the names and email addresses that are searched for, and at DEBUG headers of answers, in
    which a server may repeat a token. `leadstate.http` logs the same requests without either.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        for name, logger in list(logging.root.manager.loggerDict.items()):
            if name.partition(".")[0] in ("httpx", "httpcore") and isinstance(logger, logging.Logger):
                logger.addFilter(_is_of_others)  # a filter of `httpcore` alone does not see what `httpcore.http11` logs

    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """Send a request, which the libraries log nothing of."""
        before = _sending.set(True)
        try:
            return await super().send(request, **options)
        finally:
            _sending.reset(before)


@asynccontextmanager
async def http_client(
    transport: Transport | None = None,
    bounds: Bounds = BOUNDS,
    *,
    https: bool = True,
) -> AsyncIterator[HttpClient]:
    """Open an HTTP client for all accounts of a run: TLS verified, no redirects, no cookies, answers within bounds.

    Proxies of the environment apply to https only: plain http goes to loopback and nowhere else.

    Args:
        transport: carries requests in place of the network.
        bounds: of answers.
        https: whether any address is reached over https; otherwise every certificate is refused.
    """
    # Loading the certificates takes 15 ms, so both transports share them. Without https they are not loaded, and a
    # context that trusts none takes their place.
    loads = https and transport is None
    tls = httpx.create_ssl_context() if loads else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    nobody = http.cookiejar.DefaultCookiePolicy(allowed_domains=[])
    async with _UnloggedClient(
        transport=transport,
        verify=tls,
        mounts=None if transport else {"http://": httpx.AsyncHTTPTransport(verify=tls)},
        timeout=TIMEOUT,
        follow_redirects=False,
        cookies=http.cookiejar.CookieJar(policy=nobody),
        headers={"accept": "application/json", "accept-encoding": "gzip", "user-agent": "leadstate"},
        event_hooks={"response": [partial(read_bounded, bounds)]},
    ) as client:
        yield client


def explain_no_answer(failure: Exception, address: str) -> str:
    """Return why no answer came of an address, in words that name its host and nothing of the request."""
    host = httpx.URL(address).host
    match failure:
        case httpx.ConnectTimeout() | httpx.ConnectError():
            reason = str(failure) or "no connection"
            return f"cannot connect to {host} ({reason})"
        case TooLargeError():
            return f"{host}: {failure}"
        case httpx.TimeoutException():
            return f"{host} did not answer within {TIMEOUT.read:.0f} s"
        case _:
            return f"the connection to {host} broke ({type(failure).__name__})"
