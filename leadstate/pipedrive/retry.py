"""What to do about a failed request: send it again, give up, or look before anything else. Pure.

Reads, PATCH and DELETE may be repeated: they converge. A POST whose answer was lost may have created something, and
there is no idempotency key (Pipedrive docs name none), so it is never repeated blindly: `LOOK` says that the caller has
to find out first.
"""

from dataclasses import dataclass
from typing import Final, TypeAlias

from leadstate.pipedrive.errors import ApiError, RateLimited, ServerFailure, Unreachable
from leadstate.pipedrive.operations import Method

ATTEMPTS: Final = 5
"""How often one request is sent at the most."""

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 8.0
_WINDOW = 2.0
_LONGEST_WINDOW = 30.0
_PASSING = (502, 503, 504)
"""Statuses of a gateway or of a server that is busy; 500 and 501 say that the request itself fails."""


@dataclass(frozen=True, slots=True)
class Delay:
    """A while in which nothing is sent, or after which a request is sent again.

    Attributes:
        seconds: how long.
        operation: what is sent again; empty where the burst window has no room.
        attempt: how often that was sent already.
        reason: what came of it the last time.
    """

    seconds: float
    operation: str = ""
    attempt: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Again:
    """Send it again after so many seconds."""

    after: float


class _Verdict:
    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name


GIVE_UP: Final = _Verdict("GIVE_UP")
LOOK: Final = _Verdict("LOOK")
Verdict: TypeAlias = Again | _Verdict


def verdict(method: Method, attempt: int, failure: ApiError, draw: float) -> Verdict:
    """Judge one failure.

    Args:
        method: of the request.
        attempt: how often it has been sent, from 1.
        failure: what came of the last time.
        draw: a random number from 0 to 1, which spreads clients that failed together.
    """
    if failure.fatal:
        return GIVE_UP
    if method == "POST" and failure.perhaps_done:
        return LOOK
    if attempt >= ATTEMPTS or not _passes(failure):
        return GIVE_UP
    if isinstance(failure, RateLimited):
        # It was refused before anything happened, whatever the method.
        return Again(min(failure.retry_after or _WINDOW, _LONGEST_WINDOW) + draw / 2)
    return Again(min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** (attempt - 1)) * (1 + draw) / 2)


def _passes(failure: ApiError) -> bool:
    """Whether the same request may succeed a little later."""
    if isinstance(failure, ServerFailure):
        return failure.status in _PASSING
    return isinstance(failure, RateLimited | Unreachable)
