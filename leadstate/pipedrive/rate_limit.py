"""One account's burst window: requests start only where the server has room for them, as far as can be foreseen.

Pipedrive lets a token make so many requests in a rolling window of 2 seconds, 20 on the smallest plan, and names the
number in `x-ratelimit-limit` (Pipedrive docs: rate limiting). A request counts from when it arrives, which is before we
have its answer, so a place that was taken is free 2 seconds after the answer: later than need be, and never too early.
"""

import asyncio
import math
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]

WINDOW = 2.0
SMALLEST_LIMIT = 20
"""What the smallest plan allows an API token, and OAuth four times over: enough to know before the first answer."""

SEARCH_LIMIT = 10
"""What every plan allows of searches (Pipedrive docs: rate limiting)."""

LONGEST_WAIT = 10.0
"""A header that asks for much more than a window is not about the window."""


class Limiter:
    """Paces the requests of one account. `clock` gives monotonic seconds, `limit` what is known of the window."""

    def __init__(self, clock: Clock, sleep: Sleep, limit: int = SMALLEST_LIMIT) -> None:
        self._clock = clock
        self._sleep = sleep
        self._limit = limit
        self._in_flight = 0
        self._free_at: deque[float] = deque()
        self._not_before = 0.0
        self._turn = asyncio.Lock()
        self._answered = asyncio.Event()

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """A place in the window, taken for as long as the request in this context is under way, and 2 s longer."""
        async with self._turn:
            await self._room()
            self._in_flight += 1
        try:
            yield
        finally:
            self._in_flight -= 1
            self._free_at.append(self._clock() + WINDOW)
            self._answered.set()

    async def _room(self) -> None:
        while True:
            now = self._clock()
            while self._free_at and self._free_at[0] <= now:
                self._free_at.popleft()
            if self._not_before > now:
                await self._sleep(self._not_before - now)
            elif self._taken < self._limit:
                return
            elif self._free_at:
                await self._sleep(self._free_at[0] - now)
            else:
                self._answered.clear()
                await self._answered.wait()

    @property
    def _taken(self) -> int:
        return self._in_flight + len(self._free_at)

    def learn(self, headers: Mapping[str, str]) -> None:
        """Take note of the headers of an answer. All of them are optional; without them the smallest limit holds."""
        limit = _number(headers.get("x-ratelimit-limit"))
        if limit is not None and limit >= 1:
            self._limit = int(limit)
        remaining, reset = _number(headers.get("x-ratelimit-remaining")), _number(headers.get("x-ratelimit-reset"))
        if remaining is not None and remaining <= 0 and self._taken < self._limit:
            # Somebody else uses this token, so our own count does not tell when there is room.
            self.pause(WINDOW if reset is None else min(reset, LONGEST_WAIT))

    def pause(self, seconds: float) -> None:
        """Start nothing for so many seconds."""
        self._not_before = max(self._not_before, self._clock() + seconds)


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return max(0.0, number) if math.isfinite(number) else None
