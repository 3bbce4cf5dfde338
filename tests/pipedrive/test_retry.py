"""The verdicts, as a table: method, what happened, how often it was sent → what to do."""

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
from leadstate.pipedrive.retry import ATTEMPTS, GIVE_UP, LOOK, Again, Verdict, verdict

LOST = Unreachable("op", "cut", sent=True)
NEVER_SENT = Unreachable("op", "refused", sent=False)
FULL = RateLimited("op", "429", status=429, retry_after=2.0)


def busy(status: int) -> ApiError:
    return ServerFailure("op", str(status), status=status)


@pytest.mark.parametrize(
    ("failure", "repeatable", "create"),
    [
        (LOST, Again(0.25), LOOK),
        (NEVER_SENT, Again(0.25), Again(0.25)),
        (FULL, Again(2.0), Again(2.0)),
        (RateLimited("op", "429", status=429), Again(2.0), Again(2.0)),
        (RateLimited("op", "429", status=429, retry_after=59.0), Again(30.0), Again(30.0)),
        (busy(502), Again(0.25), LOOK),
        (busy(503), Again(0.25), LOOK),
        (busy(504), Again(0.25), LOOK),
        (busy(500), GIVE_UP, LOOK),
        (busy(501), GIVE_UP, LOOK),
        (BadAnswer("op", "html", status=200), GIVE_UP, LOOK),
        (BudgetSpent("op", "429", status=429, retry_after=3939.0), GIVE_UP, GIVE_UP),
        (Blocked("op", "403", status=403), GIVE_UP, GIVE_UP),
        (Unauthorized("op", "401", status=401), GIVE_UP, GIVE_UP),
        (Redirected("op", "302", status=302), GIVE_UP, GIVE_UP),
        (Forbidden("op", "403", status=403), GIVE_UP, GIVE_UP),
        (NotFound("op", "404", status=404), GIVE_UP, GIVE_UP),
        (Rejected("op", "400", status=400), GIVE_UP, GIVE_UP),
    ],
)
def test_the_verdict_on_a_first_failure(failure: ApiError, repeatable: Verdict, create: Verdict) -> None:
    assert verdict("GET", 1, failure, 0.0) == repeatable
    assert verdict("PATCH", 1, failure, 0.0) == repeatable
    assert verdict("DELETE", 1, failure, 0.0) == repeatable
    assert verdict("POST", 1, failure, 0.0) == create


@pytest.mark.parametrize("failure", [LOST, FULL, busy(503), NEVER_SENT])
def test_retries_are_limited(failure: ApiError) -> None:
    assert isinstance(verdict("GET", ATTEMPTS - 1, failure, 0.0), Again)
    assert verdict("GET", ATTEMPTS, failure, 0.0) is GIVE_UP


def test_a_lost_create_is_searched_after_the_last_retry() -> None:
    assert verdict("POST", ATTEMPTS, LOST, 0.0) is LOOK


def test_backoff_grows_to_a_maximum_with_jitter() -> None:
    pauses = [verdict("GET", n, LOST, 1.0) for n in range(1, ATTEMPTS)]
    assert pauses == [Again(0.5), Again(1.0), Again(2.0), Again(4.0)]
    assert verdict("GET", 1, LOST, 0.5) == Again(0.375)
    assert verdict("GET", 1, FULL, 1.0) == Again(2.5)


def test_verdicts_have_readable_reprs() -> None:
    assert [repr(verdict) for verdict in (GIVE_UP, LOOK)] == ["GIVE_UP", "LOOK"]
