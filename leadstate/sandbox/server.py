"""The sandbox on a port: blocking for a command line, or in a thread for a test.

It listens on loopback and refuses every other address and `Host`: what it serves has no real protection.
"""

import errno
import ipaddress
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from leadstate.sandbox.faults import TRANSPORT

if TYPE_CHECKING:
    from asyncio import Transport

    from starlette.types import ASGIApp, Receive, Scope, Send
    from uvicorn import Server

HOST = "127.0.0.1"
_BACKLOG = 1024
"""Connections that may wait to be accepted; a client that plans many accounts opens hundreds at once."""
_GRACE_SECONDS = 2
"""How long requests in flight may take when the server is stopped."""


class PortError(OSError):
    """The port cannot be had. The text names it and says why."""


def serve(app: "ASGIApp", host: str = HOST, port: int = 8765, *, ready: Callable[[str], None] | None = None) -> None:
    """Serve until Ctrl-C or SIGTERM. Port 0 takes a free one.

    `ready` is called with the base URL once requests are answered. Raise `ValueError` for a host that is not loopback
    and `PortError` if the port cannot be had.
    """
    with _bound(host, port) as listener:
        server = _server(app, (lambda: ready(_url(listener))) if ready else None)
        try:
            server.run(sockets=[listener])
        except KeyboardInterrupt:
            # uvicorn has shut down by now and only passes the signal on; the caller asked for this end.
            return


@contextmanager
def running(app: "ASGIApp", host: str = HOST, port: int = 0) -> Iterator[str]:
    """Serve in a background thread, and yield the base URL, without a slash at its end, once requests are answered.

    Raise as `serve` does, and `RuntimeError` if the server stops before it started.
    """
    with _bound(host, port) as listener:
        settled = threading.Event()
        server = _server(app, settled.set)

        def run() -> None:
            try:
                server.run(sockets=[listener])
            finally:
                settled.set()

        thread = threading.Thread(target=run, name="leadstate-sandbox", daemon=True)
        thread.start()
        settled.wait()
        if not server.started:
            raise RuntimeError("the sandbox did not start")
        try:
            yield _url(listener)
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def _bound(host: str, port: int) -> Iterator[socket.socket]:
    """Yield a listening socket: bound here, so that its port is known and a taken one is a `PortError`, not an exit."""
    address = ipaddress.ip_address(HOST) if host == "localhost" else _address(host)
    if not address.is_loopback:
        raise ValueError(f"{host}: the sandbox listens on loopback only, such as {HOST}")
    family = socket.AF_INET6 if isinstance(address, ipaddress.IPv6Address) else socket.AF_INET
    # The protocol is named, though it is the default: asyncio switches Nagle's delay off only where it reads "TCP", and
    # every small answer would take 40 ms.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        if sys.platform != "win32":
            # Elsewhere than on Windows this takes no port from a living server, only from a dead one's last packets.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((str(address), port))
            listener.listen(_BACKLOG)
        except OSError as error:
            why = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be used: {error.strerror}"
            raise PortError(f"port {port} {why}") from None
        yield listener


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        raise ValueError(f"{host} is not an IP address; the sandbox listens on loopback only, such as {HOST}") from None


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _is_loopback(host: str) -> bool:
    """Return whether a `Host` names this machine, with or without a port."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _only_loopback(app: "ASGIApp") -> "ASGIApp":
    """Refuse requests for another host: a page in a browser could let its own name lead here (DNS rebinding)."""

    async def guarded(scope: "Scope", receive: "Receive", send: "Send") -> None:
        hosts = [value.decode("latin-1") for name, value in scope.get("headers", ()) if name == b"host"]
        if scope["type"] != "http" or all(map(_is_loopback, hosts)):
            await app(scope, receive, send)
            return
        headers = [(b"content-type", b"text/plain; charset=utf-8")]
        await send({"type": "http.response.start", "status": 421, "headers": headers})
        await send({"type": "http.response.body", "body": b"The sandbox answers on loopback only.\n"})

    return guarded


def _server(app: "ASGIApp", started: Callable[[], None] | None) -> "Server":
    """Return a quiet uvicorn that calls `started` when it answers, and lets an application close connections.

    uvicorn itself offers only a flag to poll for the one, and nothing for the other.
    """
    from uvicorn import Config, Server  # noqa: PLC0415 (only who serves pays for it)
    from uvicorn.protocols.http.h11_impl import H11Protocol  # noqa: PLC0415

    class Breakable(H11Protocol):
        def connection_made(self, transport: "Transport") -> None:  # type: ignore[override]
            super().connection_made(transport)
            # Every request of this connection gets a copy in its scope.
            self.app_state = {**self.app_state, TRANSPORT: transport}

    class Announcing(Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if started and self.started:
                started()

    config = Config(
        _only_loopback(app),
        http=Breakable,
        lifespan="off",
        ws="none",
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    return Announcing(config)
