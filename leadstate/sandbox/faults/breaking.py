"""Connections that break: an answer that hangs up on purpose, and what a server has to offer for it.

ASGI has no way to hang up: an application that sends nothing and ends, or raises, gets a 500 sent in its name. So our
server puts a `HangUp` for the request's connection into the scope's state (`server`). Where there is none, as in a
process without a server, `ConnectionLost` is raised instead.
"""

from typing import Protocol

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from leadstate.sandbox.faults.fault import FaultKind

HANG_UP = "leadstate.hang_up"
"""The key in the scope's state under which a server offers a `HangUp`."""


class ConnectionLost(Exception):
    """Stands for a connection that broke, where there is none.

    A test that gives the application to `httpx.ASGITransport` catches it around `handle_async_request` and raises what
    httpx raises on a port: `httpx.ReadError` where `kind` is `reset`, `httpx.RemoteProtocolError` for `lost` and `cut`.
    The transport must raise an application's exceptions, which it does unless told otherwise.
    """

    def __init__(self, kind: FaultKind) -> None:
        super().__init__(f"the sandbox broke the connection ({kind})")
        self.kind = kind


class HangUp(Protocol):
    """Ends a request's connection: with a reset, or by closing it after what was written is sent."""

    def __call__(self, *, reset: bool) -> None:
        """Ends it; the application hears of it by `http.disconnect`."""


class Breaking(Response):
    """Sends half of an answer, or nothing of it, and hangs up. Its head promises the whole body."""

    def __init__(self, kind: FaultKind, whole: Response | None = None) -> None:
        super().__init__()
        self._kind = kind
        self._whole = whole

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers as far as it goes. Raises `ConnectionLost` where the server cannot hang up."""
        if self._whole is not None:
            head = {"status": self._whole.status_code, "headers": self._whole.raw_headers}
            await send({"type": "http.response.start", **head})
            half = bytes(self._whole.body[: len(self._whole.body) // 2])
            await send({"type": "http.response.body", "body": half, "more_body": True})
        hang_up: HangUp | None = scope.get("state", {}).get(HANG_UP)
        if hang_up is None:
            raise ConnectionLost(self._kind)
        hang_up(reset=self._kind is FaultKind.RESET)
        # A server takes an application that ends too early for a broken one, and says so in its log.
        while (await receive())["type"] != "http.disconnect":
            pass
