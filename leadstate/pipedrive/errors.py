"""What can go wrong between us and Pipedrive.

ApiError
├── Unreachable       no answer: no connection, a time-out, a broken connection
│   └── NoTokenServer       none of use from the server of OAuth access tokens
├── Redirected        3xx; none is followed, since it would carry the token elsewhere
├── Unauthorized      401; the token is not valid
│   └── NoAccessToken       the server of OAuth access tokens refuses, or gives none
├── WrongCompany      the OAuth client was authorised for another company
├── Forbidden         403 with a JSON body; the token may not do this
├── Blocked           403 without one: the vendor's shield; stop sending at once
├── NotFound          404
├── RateLimited       429; the burst window is full
├── BudgetSpent       429; the company's tokens of the day are gone
├── Rejected          any other 4xx; the request is wrong
├── ServerFailure     5xx
└── BadAnswer         an answer that is not JSON, or not of the documented shape
    ├── TooLarge            an answer that is longer, or holds more, than is taken in
    ├── EndlessListing      a listing that does not end within the bounds, or whose pages follow themselves
    └── IncompleteListing   a listing that shifted while it was read, or held less than it promised
"""

from typing import ClassVar

from leadstate.model.address import Span
from leadstate.model.diagnostics import LeadstateError
from leadstate.pipedrive.operations import Method


class ApiError(LeadstateError):
    """A request that did not do what it should.

    Attributes:
        operation: the vendor's operation id.
        status: the HTTP status, where there was an answer.
        retry_after: seconds that the server asks to wait, where it does.
        fatal: no other request to this account can succeed now.
        perhaps_done: a write may have happened all the same.
        seconds: how long the request was under way.
        method: of the request.
    """

    code = "api"
    fatal: ClassVar[bool] = False
    perhaps_done: bool = False
    seconds: float = 0.0
    method: Method = "GET"

    def __init__(
        self,
        operation: str,
        summary: str,
        *,
        status: int | None = None,
        retry_after: float | None = None,
        hint: str = "",
        span: Span | None = None,
    ) -> None:
        super().__init__(f"{operation}: {summary}", hint=hint or self.fix, span=span)
        self.operation = operation
        self.status = status
        self.retry_after = retry_after

    fix: ClassVar[str] = ""

    @property
    def summary(self) -> str:
        """What happened, without the operation."""
        return str(self).removeprefix(f"{self.operation}: ")


class Unreachable(ApiError):
    """No answer came. Where no connection was made, nothing can have happened."""

    code = "unreachable"
    fix = "check the network and the account's `domain` or `url`, then run again"

    def __init__(self, operation: str, summary: str, *, sent: bool, seconds: float = 0.0) -> None:
        super().__init__(operation, summary)
        self.perhaps_done = sent
        self.seconds = seconds


class NoTokenServer(Unreachable):
    """The token server cannot be asked now. The request that needed one was not sent."""

    code = "no-token-server"
    fix = "check the network, and the account's `token_url` if it has one, then run again"


class Redirected(ApiError):
    """The server points elsewhere."""

    code = "redirected"
    fatal = True
    fix = "write the address that it points to as the account's `domain` or `url`, if you trust it"


class Unauthorized(ApiError):
    """The token is not valid."""

    code = "unauthorized"
    fatal = True
    fix = (
        "check the account's `token` source; an API token is under Personal preferences > API in Pipedrive, an OAuth "
        "client may have been uninstalled there"
    )


class NoAccessToken(Unauthorized):
    """The token server gives no access token: the refresh token or the client is not valid, or it is another server."""

    code = "no-access-token"
    fix = "check that `token_url` is the address that gives Pipedrive's OAuth tokens"


class WrongCompany(ApiError):
    """The token belongs to another company than the account is declared to be."""

    code = "wrong-company"
    fatal = True


class Forbidden(ApiError):
    """The token's user may not do this."""

    code = "forbidden"
    fix = (
        "use the token of a user who may do it; an admin sets permission sets in Pipedrive, and an OAuth client needs "
        "the scope for it"
    )


class Blocked(ApiError):
    """The vendor's shield stands before the API (Pipedrive docs: rate limiting, abuse)."""

    code = "blocked"
    fatal = True
    fix = "wait before you run again; more requests now lengthen the block"


class NotFound(ApiError):
    """There is no such object."""

    code = "not-found"
    fix = "check the id, and whether the token's user may see it"


class RateLimited(ApiError):
    """Too many requests in the burst window."""

    code = "rate-limited"
    fix = "run again in a few seconds; what was done stays done"


class BudgetSpent(ApiError):
    """The company's rate-limit tokens of the day are gone."""

    code = "budget-spent"
    fatal = True
    fix = "run again after the budget was reset (midnight at the vendor); what was done stays done"


class Rejected(ApiError):
    """The request is wrong in the server's eyes."""

    code = "rejected"
    fix = "correct what Pipedrive objects to; if it names nothing, run with `--log-level debug` and report it"


class ServerFailure(ApiError):
    """The server failed."""

    code = "server-failure"
    perhaps_done = True
    fix = "run again; what was done stays done"


class BadAnswer(ApiError):
    """The answer cannot be understood."""

    code = "bad-answer"
    perhaps_done = True
    fix = "check that `domain` or `url` names a Pipedrive account"


class TooLarge(BadAnswer):
    """The answer is longer, or holds more, than is taken in (`bounds`)."""

    code = "answer-too-large"


class EndlessListing(BadAnswer):
    """A listing has more pages or rows than any account has, or a page follows itself (`bounds`)."""

    code = "endless-listing"


class IncompleteListing(BadAnswer):
    """A listing changed while it was read, or was short of what it promised."""

    code = "incomplete-listing"
    fix = "run again when the account is quieter; nothing was planned from half a listing"
