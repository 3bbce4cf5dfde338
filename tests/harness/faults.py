"""What goes wrong while leadstate works: faults, and lists that lag, as an interceptor of the sandbox.

    sandbox = Sandbox("drifted", intercept=Faults(Fault(FaultKind.LOST, operation="addLead", at=2)))

Nothing happens by chance: the same requests in the same order meet the same faults.
"""

import socket
import struct
import sys
from asyncio import Transport
from collections import Counter, deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from http import HTTPStatus

from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from leadstate.sandbox import TOKEN_COSTS, Company
from leadstate.sandbox.api import wire
from leadstate.sandbox.api.wire import Call, Reply
from leadstate.sandbox.faults import NoAnswer
from leadstate.sandbox.state.records import Tables

PAGED = frozenset({"getLeads", "getArchivedLeads"})
"""The operations that answer in pages, which alone can be short."""
LISTS = PAGED | {"getLeadLabels"}
"""The operations that lag; an object that is read by its id is current."""


class FaultKind(StrEnum):
    """What goes wrong. A write is committed by some and not by others, as each says."""

    ERROR_BEFORE = "error-before"
    """An answer 5xx (`status`); not committed."""
    ERROR_AFTER = "error-after"
    """An answer 5xx (`status`); committed."""
    RATE_LIMITED = "rate-limited"
    """The 429 of a full burst window; not committed, not charged."""
    RESET = "reset"
    """The connection is reset without an answer; not committed."""
    LOST = "lost"
    """The connection is closed without an answer; committed."""
    CUT = "cut"
    """The connection is closed in the middle of the answer's body; committed."""
    SHORT_PAGE = "short-page"
    """A page of leads lacks its last row and says that more follow."""
    SHIELD = "shield"
    """403 with an HTML page, as of the shield in front of Pipedrive; not committed."""
    HTML = "html"
    """200 with an HTML page, as of a proxy in between; not committed."""


PASSING = (
    FaultKind.RATE_LIMITED,
    FaultKind.ERROR_BEFORE,
    FaultKind.ERROR_AFTER,
    FaultKind.RESET,
    FaultKind.LOST,
    FaultKind.CUT,
)
"""What an apply gets over: 429, 5xx before and after the request was done, broken connections before and after."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong, and with which requests.

    Meant are the requests of this `operation` (its id in the OpenAPI description) and `company` (its id), or of any.
    They are counted from 1. Without `at` it strikes the first `times` of them; from a number `at` on, `times` in a row;
    and of several numbers, each one, whatever `times` says. `times=None` is without end.
    """

    kind: FaultKind
    at: int | Collection[int] | None = None
    operation: str | None = None
    times: int | None = 1
    company: int | None = None
    status: int = 503

    def __post_init__(self) -> None:
        known = PAGED if self.kind is FaultKind.SHORT_PAGE else TOKEN_COSTS
        assert self.operation is None or self.operation in known, self.operation

    def means(self, operation: str, company_id: int) -> bool:
        """Return whether a request is one of those that are counted for this fault."""
        return (
            self.operation in (None, operation)
            and self.company in (None, company_id)
            and (self.kind is not FaultKind.SHORT_PAGE or operation in PAGED)
        )

    def due(self, number: int, struck: int) -> bool:
        """Return whether it strikes the request of this number among those it means, after it struck so many."""
        if self.at is None:
            return self.times is None or struck < self.times
        if isinstance(self.at, int):
            return number >= self.at and (self.times is None or number < self.at + self.times)
        return number in self.at


class Faults:
    """An interceptor: faults in order, and the numbers of the requests that met one.

    A request meets the first fault that is due; one that had to stand back without an `at` strikes later. Requests
    count if the limits let them in: a 429 that the limits give has no number, one that a fault gives has. With a `lag`,
    lists show what was so many requests of the company ago.
    """

    def __init__(self, *faults: Fault, lag: int = 0) -> None:
        self.fired: list[int] = []
        self.requests = 0
        self.lag = lag
        self._plan = faults
        self._met: Counter[int] = Counter()
        self._struck: Counter[int] = Counter()
        self._past = Past()

    def __call__(self, operation: str, company: Company) -> "Strike":
        """Count one request, and return what it meets."""
        self.requests += 1
        fault: Fault | None = None
        for place, candidate in enumerate(self._plan):
            if not candidate.means(operation, company.id):
                continue
            self._met[place] += 1
            if fault is None and candidate.due(self._met[place], self._struck[place]):
                self._struck[place] += 1
                self.fired.append(self.requests)
                fault = candidate
        return Strike(self, operation, fault)

    def lists(self, company: Company) -> Company:
        """Return the company as lists show it to the request that is handled now; to be asked once for each."""
        return self._past.lists(company, self.lag)


@dataclass(frozen=True, slots=True)
class Strike:
    """What one request meets: at most one fault, and lists that lag."""

    faults: Faults
    operation: str
    fault: Fault | None

    @property
    def limited(self) -> bool:
        """Whether it is answered with a 429."""
        return self.fault is not None and self.fault.kind is FaultKind.RATE_LIMITED

    def respond(self, call: Call, handle: Callable[[Call], Reply], headers: Mapping[str, str]) -> Response:
        """Answer in place of the operation, or with what it answered, spoiled."""
        past = self.faults.lists(call.company)
        if self.operation in LISTS:
            call = replace(call, company=past)
        return _instead(self.fault, headers) or _afterwards(self.fault, handle(call), headers)


_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head><title>{title}</title></head>
<body><h1>{title}</h1><p>{text}</p></body>
</html>
"""
SHIELD = _PAGE.format(title="Sorry, you have been blocked", text="You are unable to access pipedrive.com.")
"""Stands for the shield's page; the text of the real one is not documented, only that it is HTML."""
STRAY = _PAGE.format(title="We will be right back", text="This page is not what the client asked for.")
"""Stands for the page of a proxy, or of a login."""


def _instead(fault: Fault | None, headers: Mapping[str, str]) -> Response | None:
    """Return the answer of a fault that keeps the operation from being done; None where it is to be done."""
    match fault:
        case Fault(kind=FaultKind.ERROR_BEFORE, status=status):
            return _failure(status).response(headers)
        case Fault(kind=FaultKind.RESET):
            return Reset()
        # A page of somebody in between has none of the API's headers.
        case Fault(kind=FaultKind.SHIELD):
            return HTMLResponse(SHIELD, 403)
        case Fault(kind=FaultKind.HTML):
            return HTMLResponse(STRAY)
    return None


def _afterwards(fault: Fault | None, reply: Reply, headers: Mapping[str, str]) -> Response:
    """Return the answer to an operation that was done, as a fault leaves it."""
    match fault:
        case Fault(kind=FaultKind.ERROR_AFTER, status=status):
            return _failure(status).response(headers)
        case Fault(kind=FaultKind.LOST):
            return NoAnswer()
        case Fault(kind=FaultKind.CUT):
            return Cut(reply.response(headers))
        case Fault(kind=FaultKind.SHORT_PAGE):
            return _shortened(reply).response(headers)
    return reply.response(headers)


def _failure(status: int) -> Reply:
    known = {member.value: member.phrase.lower() for member in HTTPStatus}
    return wire.error(status, known.get(status, "server error"))


def _shortened(reply: Reply) -> Reply:
    """Return a page without its last row that says more follow; an error stays as it is."""
    if not reply.body["success"]:
        return reply
    start, limit = (reply.body["additional_data"]["pagination"][key] for key in ("start", "limit"))
    return replace(reply, body=wire.page(reply.body["data"][:-1], start, limit, more=True).body)


class Reset(NoAnswer):
    """Resets the connection."""

    def disconnect(self, transport: Transport | None) -> None:
        """Reset the connection. Raise `ConnectionResetError` where there is none."""
        if transport is None:
            raise ConnectionResetError("the sandbox reset the connection")
        # Closing a socket that does not linger sends a reset, not an end.
        linger = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        transport.abort()


class Cut(NoAnswer):
    """Sends half of an answer whose head promises the whole, and closes the connection."""

    def __init__(self, whole: Response) -> None:
        super().__init__()
        self._whole = whole

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as far as it goes."""
        head = {"status": self._whole.status_code, "headers": self._whole.raw_headers}
        await send({"type": "http.response.start", **head})
        half = bytes(self._whole.body[: len(self._whole.body) // 2])
        await send({"type": "http.response.body", "body": half, "more_body": True})
        await super().__call__(scope, receive, send)


@dataclass(slots=True)
class Past:
    """What each company held when its last requests came, as far back as the lag reaches.

    Whether Pipedrive's lists lag is not documented.
    """

    _states: dict[Company, deque[tuple[Tables, Company]]] = field(default_factory=dict)

    def lists(self, company: Company, lag: int) -> Company:
        """Return the company that a list shows to the request that is handled now.

        What one request writes is listed after `lag` further ones. The past begins with the first request that lags.
        """
        if not lag:
            self._states.pop(company, None)
            return company
        states = self._states.setdefault(company, deque())
        now = company.tables()
        # Most requests write nothing, and rows are the same objects then; the listings it remembers stay with it.
        states.append(states[-1] if states and states[-1][0] == now else (now, _still(now)))
        while len(states) > lag + 1:
            states.popleft()
        return states[0][1]


def _still(tables: Tables) -> Company:
    """Return a company that is only read."""
    return Company(tables, lambda: datetime.now(UTC), lambda _: "", lambda _: None)
