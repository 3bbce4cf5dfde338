"""When a request to one account is sent: while the burst window has room, and again after a failure that may pass.

Pipedrive lets a token make so many requests in a rolling window of 2 seconds, 20 on the smallest plan, and names the
number in `x-ratelimit-limit` (Pipedrive docs: rate limiting). A request counts from when it arrives, which is before we
have its answer, so a place that was taken is free 2 seconds after the answer: later than need be, and never too early.

Reads, PATCH and DELETE may be repeated: they converge, and what a PATCH or DELETE would overwrite is read again first.
A POST whose answer was lost may have created something, and there is no idempotency key (Pipedrive docs name none), so
it is never repeated: the caller has to look first.
"""

import asyncio
import math
import sys
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Final

from leadstate.pipedrive.errors import ApiError, RateLimited, ServerFailure, Unreachable
from leadstate.pipedrive.operations import Method

Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]

WINDOW: Final = 2.0
SMALLEST_LIMIT: Final = 20
"""What the smallest plan allows an API token, and OAuth four times over: enough to know before the first answer."""

SEARCH_LIMIT: Final = 10
"""What every plan allows of searches (Pipedrive docs: rate limiting)."""

LONGEST_WAIT: Final = 10.0
"""A header that asks for much more than a window is not about the window."""

ATTEMPTS: Final = 5
"""How often one request is sent at the most."""

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 8.0
_LONGEST_WINDOW = 30.0
_PASSING = (502, 503, 504)
"""Statuses of a gateway or of a server that is busy; 500 and 501 say that the request itself fails."""


def pause_before_retry(method: Method, attempt: int, failure: ApiError, draw: float) -> float | None:
    """Return the seconds after which a failed request is sent again; None if it is not.

    Args:
        method: of the request.
        attempt: how often it has been sent, from 1.
        failure: what came of the last time.
        draw: a random number from 0 to 1, which spreads clients that failed together.
    """
    if failure.fatal or attempt >= ATTEMPTS or (method == "POST" and failure.perhaps_done):
        return None
    if isinstance(failure, RateLimited):
        # It was refused before anything happened, whatever the method.
        return min(failure.retry_after or WINDOW, _LONGEST_WINDOW) + draw / 2
    if isinstance(failure, Unreachable) or (isinstance(failure, ServerFailure) and failure.status in _PASSING):
        return min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** (attempt - 1)) * (1 + draw) / 2
    return None


@dataclass(slots=True)
class Reservation:
    """Places of the window that are kept for requests which are to follow each other at once.

    Attributes:
        places: how many are left.
        patient: whether a write waits for the end of a pause, rather than to have what it is about read again.
    """

    places: int
    patient: bool = False


class Limiter:
    """Paces the requests of one account."""

    def __init__(self, clock: Clock, sleep: Sleep, most: int = sys.maxsize) -> None:
        """Begin with an empty window, as large as the smallest plan has it until an answer tells.

        Args:
            clock: gives monotonic seconds.
            sleep: waits so many seconds.
            most: requests that the window has room for at most, whatever an answer tells: its headers may be about
                another window.
        """
        self._clock = clock
        self._sleep = sleep
        self._limit = min(SMALLEST_LIMIT, most)
        self._most = most
        self._begun = 0
        self._in_flight = 0
        self._reserved = 0
        self._free_at: deque[float] = deque()
        self._not_before = 0.0
        self._others = 0
        self._others_until = 0.0
        self._turn = asyncio.Lock()
        self._answered = asyncio.Event()

    @property
    def is_paused(self) -> bool:
        """Whether nothing is to be started now, whatever room there is."""
        return self._not_before > self._clock()

    @asynccontextmanager
    async def reserve(self, count: int) -> AsyncIterator[Reservation]:
        """Keep so many places for requests of this context, or all that there are in a smaller window."""
        async with self._turn:
            await self._wait_for_room(count)
            held = Reservation(min(count, self._limit))
            self._reserved += held.places
        try:
            yield held
        finally:
            self.release(held)

    def release(self, held: Reservation) -> None:
        """Give back the places that are left of a reservation."""
        self._reserved -= held.places
        held.places = 0
        self._answered.set()

    @asynccontextmanager
    async def place(self, held: Reservation | None = None) -> AsyncIterator[int]:
        """Take a place in the window for as long as the request in this context is under way, and 2 s longer.

        Yields how many requests had left the window when this one began, for `learn`.

        Args:
            held: has the place ready, unless its places are used up.
        """
        while held is not None and held.places and self.is_paused:
            await self._sleep(self._not_before - self._clock())
        if held is not None and held.places:
            held.places -= 1
            self._reserved -= 1
        else:
            async with self._turn:
                await self._wait_for_room(1)
        # Nothing waits between the look for room and here, so nobody else has taken it.
        self._in_flight += 1
        self._begun += 1
        try:
            yield self._begun - self._taken
        finally:
            self._in_flight -= 1
            self._free_at.append(self._clock() + WINDOW)
            self._answered.set()

    async def _wait_for_room(self, count: int) -> None:
        while True:
            now = self._clock()
            while self._free_at and self._free_at[0] <= now:
                self._free_at.popleft()
            others = self._others if self._others_until > now else 0
            if self._not_before > now:
                await self._sleep(self._not_before - now)
            elif self._taken + others + self._reserved + min(count, self._limit) <= self._limit:
                return
            elif self._free_at or others:
                await self._sleep(min([*islice(self._free_at, 1), *([self._others_until] if others else [])]) - now)
            else:
                self._answered.clear()
                await self._answered.wait()

    @property
    def _taken(self) -> int:
        return self._in_flight + len(self._free_at)

    def learn(self, headers: Mapping[str, str], left: int) -> None:
        """Take note of the headers of an answer. All of them are optional; without them the smallest limit holds.

        Args:
            headers: those of the answer.
            left: what `place` yielded to its request.
        """
        limit = _number(headers.get("x-ratelimit-limit"))
        if limit is not None and limit >= 1:
            self._limit = min(int(limit), self._most)
        remaining, reset = _number(headers.get("x-ratelimit-remaining")), _number(headers.get("x-ratelimit-reset"))
        if remaining is None:
            return
        # Somebody else may use this token too. Some of ours that were in the window when the request began have left it
        # by now, but the server counted them.
        others = self._limit - math.ceil(remaining) - (self._begun - left)
        wait = WINDOW if reset is None else min(reset, LONGEST_WAIT)
        if others > 0 and remaining <= 0:
            self.pause(wait)  # our own count does not tell when there is room
        elif others > 0:
            self._others, self._others_until = min(others, self._limit - 1), self._clock() + min(wait, WINDOW)

    def pause(self, seconds: float) -> None:
        """Start nothing for so many seconds."""
        self._not_before = max(self._not_before, self._clock() + seconds)


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return max(0.0, number) if math.isfinite(number) else None
