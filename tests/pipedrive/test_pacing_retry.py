"""When a failed request is sent again, as a table: method, what happened, how often it was sent → seconds or None."""

import pytest

from leadstate.pipedrive.errors import (
    ApiError,
    BadAnswer,
    Blocked,
    BudgetSpent,
    Forbidden,
    NotFound,
    RateLimited,
    Redirected,
    Rejected,
    ServerFailure,
    Unauthorized,
    Unreachable,
)
from leadstate.pipedrive.pacing import ATTEMPTS, pause_before_retry

LOST = Unreachable("op", "cut", sent=True)
NEVER_SENT = Unreachable("op", "refused", sent=False)
FULL = RateLimited("op", "429", status=429, retry_after=2.0)


def busy(status: int) -> ApiError:
    return ServerFailure("op", str(status), status=status)


@pytest.mark.parametrize(
    ("failure", "repeatable", "create"),
    [
        (LOST, 0.25, None),
        (NEVER_SENT, 0.25, 0.25),
        (FULL, 2.0, 2.0),
        (RateLimited("op", "429", status=429), 2.0, 2.0),
        (RateLimited("op", "429", status=429, retry_after=59.0), 30.0, 30.0),
        (busy(502), 0.25, None),
        (busy(503), 0.25, None),
        (busy(504), 0.25, None),
        (busy(500), None, None),
        (busy(501), None, None),
        (BadAnswer("op", "html", status=200), None, None),
        (BudgetSpent("op", "429", status=429, retry_after=3939.0), None, None),
        (Blocked("op", "403", status=403), None, None),
        (Unauthorized("op", "401", status=401), None, None),
        (Redirected("op", "302", status=302), None, None),
        (Forbidden("op", "403", status=403), None, None),
        (NotFound("op", "404", status=404), None, None),
        (Rejected("op", "400", status=400), None, None),
    ],
)
def test_the_pause_after_a_first_failure(failure: ApiError, repeatable: float | None, create: float | None) -> None:
    assert pause_before_retry("GET", 1, failure, 0.0) == repeatable
    assert pause_before_retry("PATCH", 1, failure, 0.0) == repeatable
    assert pause_before_retry("DELETE", 1, failure, 0.0) == repeatable
    assert pause_before_retry("POST", 1, failure, 0.0) == create


@pytest.mark.parametrize("failure", [LOST, FULL, busy(503), NEVER_SENT])
def test_retries_are_limited(failure: ApiError) -> None:
    assert pause_before_retry("GET", ATTEMPTS - 1, failure, 0.0) is not None
    assert pause_before_retry("GET", ATTEMPTS, failure, 0.0) is None


def test_backoff_grows_to_a_maximum_with_jitter() -> None:
    pauses = [pause_before_retry("GET", n, LOST, 1.0) for n in range(1, ATTEMPTS)]
    assert pauses == [0.5, 1.0, 2.0, 4.0]
    assert pause_before_retry("GET", 1, LOST, 0.5) == 0.375
    assert pause_before_retry("GET", 1, FULL, 1.0) == 2.5
