"""A connection whose requests a transport of the test answers, and a clock that only sleeping moves."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

import httpx

from leadstate.pipedrive.answers import BOUNDS, Bounds
from leadstate.pipedrive.connection import Connection, Pace, Signer, TokenAuth, http_client
from leadstate.pipedrive.secrets import Token

T = TypeVar("T")

TOKEN = "t" * 40
NOWHERE = "http://127.0.0.1:1"
"""The address of an account whose requests never leave this process."""


@dataclass
class FakeTime:
    """A clock that only sleeping moves.

    Attributes:
        now: seconds.
        slept: the length of each pause, in seconds.
    """

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        """Let the time pass at once."""
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)

    def pace(self, draw: float = 0.5) -> Pace:
        """Return this clock with a fixed random number."""
        return Pace(lambda: self.now, self.sleep, lambda: draw)


def connect(
    transport: httpx.AsyncBaseTransport,
    use: Callable[[Connection], Awaitable[T]],
    *,
    origin: str = NOWHERE,
    signer: Signer | None = None,
    pace: Pace | None = None,
    bounds: Bounds = BOUNDS,
) -> T:
    """Return what a function returns that is given a connection over this transport."""

    async def main() -> T:
        async with http_client(transport, bounds) as http:
            return await use(Connection(http, origin, signer or TokenAuth(Token(TOKEN)), pace, bounds))

    return asyncio.run(main())
