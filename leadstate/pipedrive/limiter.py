"""One account's burst window: waits where the headers say that the next request would be one too many.

Pipedrive sends `x-ratelimit-remaining` and `x-ratelimit-reset` (whole seconds to the end of the window) with its
answers (Pipedrive docs: rate limiting). All of them are optional: without them nothing waits.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]

LONGEST_WAIT = 10.0
"""A burst window is 2 s; a header that says much more is not about it."""


@dataclass(slots=True)
class Limiter:
    """Paces the requests of one account. `clock` gives monotonic seconds."""

    clock: Clock
    sleep: Sleep
    _not_before: float = 0.0

    async def wait(self) -> None:
        """Return when the next request may be sent."""
        pause = self._not_before - self.clock()
        if pause > 0:
            await self.sleep(pause)

    def learn(self, headers: Mapping[str, str]) -> None:
        """Take note of the headers of an answer."""
        remaining, reset = _number(headers.get("x-ratelimit-remaining")), _number(headers.get("x-ratelimit-reset"))
        if remaining is not None and remaining <= 0 and reset is not None:
            self._not_before = self.clock() + min(reset, LONGEST_WAIT)


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else max(0.0, float(text))
    except ValueError:
        return None
