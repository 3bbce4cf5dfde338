"""Sends requests to one account. A `Reader` has no way to write; planning holds nothing else (promise 1)."""

import asyncio
import http.cookiejar
import logging
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from leadstate.kinds.operations import Operation, Request
from leadstate.pipedrive.answers import Answer, read
from leadstate.pipedrive.auth import Token, TokenAuth
from leadstate.pipedrive.errors import IncompleteListing, Unreachable
from leadstate.pipedrive.limiter import Limiter

PAGE = 500
"""Offset-paged listings give 500 rows at most, and cost the same however many (Pipedrive docs: pagination)."""

TIMEOUT = httpx.Timeout(30.0, connect=10.0)

_log = logging.getLogger("leadstate.http")


@dataclass(slots=True)
class Spent:
    """What requests have cost, reads and writes apart."""

    requests: Counter[bool] = field(default_factory=Counter)
    tokens: Counter[bool] = field(default_factory=Counter)

    def add(self, operation: Operation) -> None:
        """Count one request."""
        reading = operation.method == "GET"
        self.requests[reading] += 1
        self.tokens[reading] += operation.tokens


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of a listing that no page before held, and whether more follow."""

    rows: list[Any]
    more: bool


@dataclass(slots=True)
class Connection:
    """The way to one account: where it is, what signs its requests, what paces them, what they have cost."""

    http: httpx.AsyncClient
    origin: str
    token: Token
    limiter: Limiter = field(default_factory=lambda: Limiter(time.monotonic, asyncio.sleep))
    spent: Spent = field(default_factory=Spent)
    headers: httpx.Headers = field(default_factory=httpx.Headers)

    async def exchange(self, request: Request) -> Answer:
        """Send one request and read its answer; `ApiError` for anything but success."""
        operation = request.operation
        await self.limiter.wait()
        self.spent.add(operation)
        try:
            reply = await self.http.request(
                operation.method,
                f"{self.origin}/api/v1{request.path}",
                params=request.query,
                json=request.body,
                auth=TokenAuth(self.token),
            )
        except (httpx.HTTPError, httpx.InvalidURL) as failure:
            _log.debug("%s %s: %s", operation.method, request.path, type(failure).__name__)
            raise Unreachable(operation.id, _why(failure, self.origin)) from None
        _log.debug("%s %s -> %s", operation.method, request.path, reply.status_code)
        self.limiter.learn(reply.headers)
        self.headers = reply.headers
        return read(operation, reply)


class Reader:
    """Reads one account."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def spent(self) -> Spent:
        """What this account's requests have cost so far."""
        return self._connection.spent

    @property
    def headers(self) -> httpx.Headers:
        """The headers of the last answer: limits that are left, the server's clock."""
        return self._connection.headers

    async def get(self, request: Request) -> Answer:
        """Read once."""
        if request.operation.method != "GET":
            raise TypeError(f"{request.operation.id} is no reading operation")
        return await self._connection.exchange(request)

    async def pages(self, operation: Operation, *query: tuple[str, str]) -> AsyncGenerator[Page]:
        """A listing, page by page.

        Pages overlap by one row: an offset skips a row where an earlier one is deleted meanwhile, and then the first
        row of a page is not the last of the page before.

        Raises:
            IncompleteListing: the listing shifted, or a page was shorter than it promised.
        """
        start, last = 0, None
        while True:
            answer = await self.get(Request(operation, query=(*query, ("limit", str(PAGE)), ("start", str(start)))))
            rows = answer.rows()
            granted, more = answer.page()
            if last is not None and (not rows or _id(rows[0]) != last):
                raise IncompleteListing(operation.id, f"the listing changed while it was read (near row {start})")
            if more and len(rows) < max(2, granted or 0):
                raise IncompleteListing(
                    operation.id, f"{len(rows)} rows where {granted} were promised (from row {start})"
                )
            yield Page(rows if last is None else rows[1:], more)
            if not more:
                return
            last = _id(rows[-1])
            start += len(rows) - 1


class Writer(Reader):
    """Reads and writes one account."""

    async def send(self, request: Request) -> Answer:
        """Send one request of any kind, once."""
        return await self._connection.exchange(request)


@asynccontextmanager
async def http_client(transport: httpx.AsyncBaseTransport | None = None) -> AsyncIterator[httpx.AsyncClient]:
    """One HTTP client for all accounts of a run: TLS verified, no redirects, no cookies.

    Proxies of the environment apply to https only: plain http goes to loopback and nowhere else.
    """
    nobody = http.cookiejar.DefaultCookiePolicy(allowed_domains=[])
    async with httpx.AsyncClient(
        transport=transport,
        mounts=None if transport else {"http://": httpx.AsyncHTTPTransport()},
        timeout=TIMEOUT,
        follow_redirects=False,
        cookies=http.cookiejar.CookieJar(policy=nobody),
        headers={"accept": "application/json", "user-agent": "leadstate"},
    ) as client:
        yield client


def _id(row: object) -> object:
    return row.get("id") if isinstance(row, dict) else row


def _why(failure: Exception, origin: str) -> str:
    host = httpx.URL(origin).host
    match failure:
        case httpx.ConnectTimeout() | httpx.ConnectError():
            reason = str(failure) or "no connection"
            return f"cannot connect to {host} ({reason})"
        case httpx.TimeoutException():
            return f"{host} did not answer within {TIMEOUT.read:.0f} s"
        case _:
            return f"the connection to {host} broke ({type(failure).__name__})"
