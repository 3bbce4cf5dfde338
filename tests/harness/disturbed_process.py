"""The real command line against a sandbox on a real port that kills it, holds it up or interrupts it at a request."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.types import Message, Receive, Scope, Send

from leadstate.sandbox import Sandbox, running
from tests.harness.disturbed_company import TOKEN, Body

PATIENCE = 20.0
"""Seconds until a process that should do something is taken for one that hangs."""


@dataclass(frozen=True)
class Sent:
    """A write that the server was sent."""

    method: str
    path: str
    body: Body

    @property
    def about(self) -> str:
        """The id in the path."""
        return self.path.rpartition("/")[2]

    @property
    def identity(self) -> object:
        """The marker or name of what is to be created."""
        return self.body.get("origin_id") or self.body.get("name")


@dataclass
class Gate:
    """An ASGI application before the sandbox: something happens at the write request of a certain number.

    `before` and `after` are called just before it is done, or when it is done and not yet answered. With `every`, reads
    count too.
    """

    sandbox: Sandbox
    at: int = 0
    before: Callable[[], None] = lambda: None
    after: Callable[[], None] = lambda: None
    hold: bool = False
    every: bool = False
    count: int = 0
    sent: list[Sent] = field(default_factory=list)
    reached: threading.Event = field(default_factory=threading.Event)
    opened: threading.Event = field(default_factory=threading.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        writes = scope["type"] == "http" and scope["method"] != "GET"
        if writes:
            receive = await self._noted(scope, receive)
        self.count += writes or self.every
        if self.count != self.at or not (writes or self.every):
            await self.sandbox.app(scope, receive, send)
            return
        self.before()
        self.reached.set()
        if self.hold:
            await asyncio.to_thread(self.opened.wait, PATIENCE)
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self.sandbox.app(scope, receive, keep)
        self.after()
        for message in messages:
            await send(message)

    async def _noted(self, scope: Scope, receive: Receive) -> Receive:
        """Note a write with its body; return what gives the body once more."""
        messages = [await receive()]
        while messages[-1].get("more_body"):
            messages.append(await receive())
        body = b"".join(message.get("body", b"") for message in messages)
        if messages[-1]["type"] == "http.request":  # else its process was killed before the end of the body
            self.sent.append(Sent(scope["method"], scope["path"], json.loads(body) if body else {}))

        async def again() -> Message:
            return messages.pop(0) if messages else await receive()

        return again


@dataclass
class Process:
    """`leadstate` as a process."""

    folder: Path
    running: subprocess.Popen[str] | None = None

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start the process; `kill` and `signal` are about the last one that was started."""
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("LEADSTATE_", "PIPEDRIVE_"))}
        self.running = subprocess.Popen(
            [sys.executable, "-m", "leadstate", *words],
            cwd=self.folder,
            env={**clean, "TOKEN": TOKEN},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        return self.running

    def end(self, patience: float = PATIENCE) -> tuple[int, str, str]:
        """Wait for the end of the process, so many seconds at the most: exit code, stdout, stderr."""
        assert self.running is not None
        out, err = self.running.communicate(timeout=patience)
        return self.running.returncode, out, err

    def run(self, *words: str) -> tuple[int, str, str]:
        """Start the process and wait for its end."""
        self.start(*words)
        return self.end()

    def heard(self, word: str) -> None:
        """Wait until the process has written a word to stderr."""
        assert self.running is not None
        assert self.running.stderr is not None
        while word not in (line := self.running.stderr.readline()):
            assert line, f"it ended and never said {word!r}"

    def signal(self, number: int = signal.SIGKILL) -> None:
        """Send a signal."""
        assert self.running is not None
        os.kill(self.running.pid, number)


@contextmanager
def gated(sandbox: Sandbox, **options: Any) -> Iterator[tuple[Gate, str]]:
    """Serve the sandbox on a port, behind a gate."""
    made = Gate(sandbox, **options)
    with running(made) as url:
        try:
            yield made, url
        finally:
            made.opened.set()


def receipts(folder: Path) -> list[Path]:
    """Return the receipts of a folder, oldest first."""
    return sorted((folder / ".leadstate" / "receipts").glob("*.json"))
