"""Requests that go wrong: the place where something may happen to a request, and the three faults of `--fault`.

`Backend.intercept` is asked about every request that the token and the limits let in. The tests put faults of their own
there (`tests/harness/faults.py`).
"""

from asyncio import Transport
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from leadstate.sandbox.api import wire
from leadstate.sandbox.api.wire import Call, Reply
from leadstate.sandbox.state.company import Company
from leadstate.sandbox.state.limits import TOKEN_COSTS

TRANSPORT = "leadstate.transport"
"""The key in the scope's state under which the server offers a request's connection: ASGI has no way to close one."""

KINDS = ("429", "503", "lost")


class Interception(Protocol):
    """What happens to one request."""

    @property
    def limited(self) -> bool:
        """Whether the request is answered with the 429 of a full burst window: not done, not charged."""

    def respond(self, call: Call, handle: Callable[[Call], Reply], headers: Mapping[str, str]) -> Response:
        """Answer the request; `handle` does the operation."""


Interceptor = Callable[[str, Company], Interception | None]
"""Given the id of an operation and the company; None where nothing happens."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that happens to one request of this operation (its id in the OpenAPI description), or of any.

    Attributes:
        kind: `429` (rate limited), `503` (not done) or `lost` (done, and the connection is closed without an answer).
        operation: such as `addLead`; None for any.
    """

    kind: str
    operation: str | None = None

    @property
    def limited(self) -> bool:
        """Whether the request is answered with a 429."""
        return self.kind == "429"

    def respond(self, call: Call, handle: Callable[[Call], Reply], headers: Mapping[str, str]) -> Response:
        """Answer 503, or do the operation and lose the answer."""
        if self.kind == "503":
            return wire.error(503, "service unavailable").response(headers)
        handle(call)
        return NoAnswer()


class Faults:
    """An interceptor with faults that happen once each, in this order."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self._pending = list(faults)

    def __call__(self, operation: str, _company: Company) -> Fault | None:
        """Return the next fault that is meant for this operation, if there is one."""
        fault = next((fault for fault in self._pending if fault.operation in (None, operation)), None)
        if fault is not None:
            self._pending.remove(fault)
        return fault


def parse_fault(text: str) -> Fault:
    """Return the fault that `KIND[:OPERATION]` means. Raise `ValueError` with what is wrong."""
    kind, colon, operation = text.partition(":")
    if kind not in KINDS:
        raise ValueError(f"{text!r} is not KIND[:OPERATION]; KIND is one of {', '.join(KINDS)}")
    if colon and operation not in TOKEN_COSTS:
        raise ValueError(f"{text!r}: there is no operation {operation!r}; there are {', '.join(sorted(TOKEN_COSTS))}")
    return Fault(kind, operation or None)


class NoAnswer(Response):
    """Closes the connection without an answer."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 (as ASGI calls it)
        """Close the connection, and wait until it is closed."""
        self.disconnect(scope.get("state", {}).get(TRANSPORT))
        # A server takes an application that ends without an answer for a broken one, and answers 500 in its name.
        while (await receive())["type"] != "http.disconnect":
            pass

    def disconnect(self, transport: Transport | None) -> None:
        """Close the connection, or raise `ConnectionAbortedError` in a process that runs without a server."""
        if transport is None:
            raise ConnectionAbortedError("the sandbox closed the connection")
        transport.close()
