"""Who may send what to one account. A `Reader` has no way to write; planning holds nothing else (promise 1)."""

import datetime as dt
import email.utils
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Any, TypeVar

import httpx

from leadstate.model.diagnostics import counted
from leadstate.model.resource import PAGE
from leadstate.pipedrive.answers import Answer
from leadstate.pipedrive.connection import Connection, Pace, Spent
from leadstate.pipedrive.errors import BadAnswer, BudgetSpent
from leadstate.pipedrive.operations import Operation, Request
from leadstate.pipedrive.pagination import MeasuredListing, Page, read_cursor_pages, read_pages

T = TypeVar("T")

_LONGEST_COUNT = 18
"""Digits: more tokens than these can tell are no budget."""


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
        """The headers of the last answer, without secrets: limits that are left, the server's clock."""
        scrub = self._connection.signer.secrets.scrub
        return httpx.Headers([(name, scrub(text)) for name, text in self._connection.headers.multi_items()])

    @property
    def tokens_today(self) -> tuple[int | None, int | None]:
        """Rate-limit tokens that the company has left today, and has a day, as the last answer says (undocumented)."""
        names = ("x-daily-ratelimit-token-remaining", "x-daily-ratelimit-token-limit")
        scrub, headers = self._connection.signer.secrets.scrub, self._connection.headers
        texts = [scrub(headers.get(name, "")).strip() for name in names]
        left, limit = (int(text) if text.isdecimal() and len(text) <= _LONGEST_COUNT else None for text in texts)
        return left, limit

    @property
    def server_time(self) -> dt.datetime | None:
        """The server's clock when it gave the last answer, in UTC and whole seconds; None where it does not say."""
        try:
            time = email.utils.parsedate_to_datetime(self.headers.get("date", ""))
            return time.astimezone(dt.UTC) if time.tzinfo else None
        except (ValueError, OverflowError):  # no date, or one that is beyond the year 9999 in UTC
            return None

    def known_pages(self, operation: Operation) -> int:
        """Return how many pages a listing is known to have, as when it was last read to its end; 0 if unknown."""
        return self._connection.lengths.get(operation.id, 0)

    async def get(self, request: Request) -> Answer:
        """Read once.

        Raises:
            BadAnswer: another object was answered than the one that was asked for.
            ApiError: as `Connection.exchange`.
        """
        if request.operation.method != "GET":
            raise TypeError(f"{request.operation.id} is no reading operation")
        answer = await self._connection.exchange(request)
        answered, asked = answer.data.get("id") if isinstance(answer.data, dict) else None, request.remote_id
        if asked is not None and isinstance(answered, int | str) and str(answered).lower() != asked.lower():
            raise BadAnswer(request.operation.id, "answered another object than the one that was asked for")
        return answer

    async def pages(self, operation: Operation, *query: tuple[str, str], whole: bool = True) -> AsyncGenerator[Page]:
        """Yield the pages of a listing in order (see `read_pages`); of a whole one, while that does not cost too much.

        Args:
            operation: the listing.
            query: what is asked besides the page.
            whole: the caller reads to the end, so that pages may be read ahead: those that were there the last time,
                and a few that may be there.

        Raises:
            IncompleteListing: the listing changed while it was read.
            EndlessListing: it does not end within the bounds.
            BudgetSpent: as long as it is known to be, it costs more than was left of the day's tokens.
        """
        lengths, count, before = self._connection.lengths, 0, self.spent.tokens
        if whole:
            self._check_budget(operation, before)
        known = self.known_pages(operation) if whole else None
        bounds = self._connection.bounds
        async with aclosing(read_pages(self.get, operation, query, known, PAGE, bounds=bounds)) as pages:
            async for page in pages:
                count += 1
                if whole and page.more:
                    self._check_budget(operation, before)
                elif whole:
                    lengths[operation.id] = count
                yield page

    def _check_budget(self, operation: Operation, before: int) -> None:
        """Raise `BudgetSpent` if a listing, as long as it is known to be, costs more than was left when it was begun.

        What is left is what the last answer says, which may be one of the listing itself.

        Args:
            operation: the listing.
            before: tokens that this account's requests had cost when it was begun.
        """
        pages, left = self.known_pages(operation), self.tokens_today[0]
        if left is not None and pages * operation.tokens > left + self.spent.tokens - before:
            cost = counted(pages * operation.tokens, "rate-limit token")
            words = f"the listing was not read: its {counted(pages, 'page')} cost {cost}; {left:,} are left today"
            raise BudgetSpent(operation.id, words)

    def measure(self, operation: Operation, take: Callable[[Sequence[Any]], None]) -> MeasuredListing:
        """Return a listing of which the length is found out before the rest is read; see `MeasuredListing`."""
        return MeasuredListing(
            self.get, operation, take, PAGE, expected=self.known_pages(operation), bounds=self._connection.bounds
        )

    def remember_pages(self, operation: Operation, pages: int) -> None:
        """Remember how many pages a listing has."""
        self._connection.lengths[operation.id] = pages

    async def has_more_pages(self, operation: Operation, pages: int) -> bool:
        """Return whether a listing has more than so many pages, at the cost of one; remember it if so."""
        beyond = (("limit", "1"), ("start", str(pages * (PAGE - 1) + 1)))
        found = bool((await self.get(Request(operation, query=beyond))).rows())
        if found:
            self._connection.lengths[operation.id] = pages + 1
        return found

    async def rows(self, operation: Operation) -> list[object]:
        """Return a whole listing of the second version, whose pages tell where the next one begins.

        Raises:
            EndlessListing: the listing does not end within the bounds, or goes in circles.
        """
        async with aclosing(read_cursor_pages(self.get, operation, PAGE, self._connection.bounds)) as pages:
            return [row async for rows in pages for row in rows]


class Writer(Reader):
    """Reads and writes one account."""

    async def send(self, request: Request) -> Answer:
        """Send one request of any kind; a POST that may have been done is not sent again (see `retry`)."""
        return await self._connection.exchange(request)

    async def repeat(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Read, compare and write; all three again where one failed and that may help (see `Connection.repeat`)."""
        return await self._connection.repeat(attempt)
