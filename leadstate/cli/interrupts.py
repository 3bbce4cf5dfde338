"""Ctrl-C (SIGINT) and SIGTERM: what the first signal does, and the next (spec section 4).

A handler that raises `KeyboardInterrupt` wherever the event loop happens to be can lose the wake-up of a task, and the
process hangs: `asyncio.run` does so at a second Ctrl-C. So while the loop runs a signal only asks for the end of the
main task, elsewhere it raises; once no step is left, the process ends at once.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from leadstate.cli.exits import Exit

if TYPE_CHECKING:
    import asyncio
    import socket

SIGNALS = (signal.SIGINT, signal.SIGTERM)
NOTHING_CHANGED = "Interrupted. Nothing was changed."

_Found: TypeAlias = Callable[[int, FrameType | None], Any] | int | None
Step: TypeAlias = Callable[[], None]
"""What one signal does."""


class Interrupted(click.Abort):
    """A signal ended the run; the message says what that leaves behind."""


def raise_interrupt() -> None:
    """Stop where the program is. Only outside of the event loop."""
    raise KeyboardInterrupt


def install() -> None:
    """Handle signals for the rest of the process: the first one raises `KeyboardInterrupt`, the second one ends it."""
    _set(_Handler([raise_interrupt]))


@contextmanager
def on_signals(*steps: Step, afterwards: Sequence[Step] | None = None) -> Iterator[bool]:
    """Let each signal do its step while this lasts.

    Args:
        steps: what the first signal does, the second, and so on; the one after the last ends the process.
        afterwards: the steps of the handler around this one from then on; unless given it keeps its own. After a signal
            it has none, so that whoever interrupts twice is heard the second time.

    Yields:
        Whether the handler around has heard a signal already, to which the event loop may not have come yet.
    """
    if threading.current_thread() is not threading.main_thread():  # only the main thread may set handlers
        yield False
        return
    handler = _Handler(list(steps))
    before = _set(handler)
    try:
        yield any(isinstance(outer, _Handler) and outer.heard for outer in before.values())
    finally:
        for number, outer in before.items():
            if isinstance(outer, _Handler):
                if handler.heard:
                    outer.steps = []
                elif afterwards is not None:
                    outer.steps = list(afterwards)
            signal.signal(number, outer)


@contextmanager
def signal_socket() -> Iterator["socket.socket | None"]:
    """Give a socket that a signal makes readable, so that waiting for it beside other things ends at a signal.

    Without it a signal that comes just before a system call that waits is handled when that call ends, if it ever does.
    None where there is no such thing: on Windows, and in other threads than the main one.
    """
    if os.name == "nt" or threading.current_thread() is not threading.main_thread():
        yield None
        return
    import socket  # noqa: PLC0415  `--version` needs none

    ours, theirs = socket.socketpair()
    with ours, theirs:
        for end in (ours, theirs):
            end.settimeout(0)
        before = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
        try:
            yield ours
        finally:
            signal.set_wakeup_fd(before)


class _Handler:
    """Does one step a signal."""

    def __init__(self, steps: list[Step]) -> None:
        self.steps = steps
        self.heard = False

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        self.heard = True
        if not self.steps:
            _end()
        self.steps.pop(0)()


def _set(handler: _Handler) -> dict[signal.Signals, _Found]:
    """Set the handler of both signals; the ones before. A signal that our parent wants ignored stays ignored."""
    before: dict[signal.Signals, _Found] = {number: signal.getsignal(number) for number in SIGNALS}
    taken: dict[signal.Signals, _Found] = {
        number: found for number, found in before.items() if found is not signal.SIG_IGN and found is not None
    }
    for number in taken:
        signal.signal(number, handler)
    return taken


def _end() -> None:
    """End the process now. Nothing is waited for: whoever signals so often has a reason."""
    cursor = "\x1b[?25h" if os.isatty(2) else ""  # a progress bar may have hidden it
    os.write(2, f"{cursor}\nStopped at once.\n".encode())
    os._exit(Exit.INTERRUPTED)


@contextmanager
def interrupts() -> Iterator["asyncio.Event"]:
    """Yield an event that the first signal sets, after which nothing new is begun; the second cancels the current task.

    Raises:
        Interrupted: a second signal came.
    """
    import asyncio  # noqa: PLC0415  takes as long as `--version`, which needs none

    loop, event, task = asyncio.get_running_loop(), asyncio.Event(), asyncio.current_task()
    said = "Interrupted: what is under way is finished, nothing new is begun. Once more stops at once."

    def finish() -> None:
        event.set()
        loop.call_soon_threadsafe(lambda: click.echo(said, err=True))  # not here: the main program may be writing

    def stop() -> None:
        if task is not None:
            loop.call_soon_threadsafe(task.cancel)

    def ignore() -> None:
        """Let the report be written: all is done."""

    with on_signals(finish, stop, afterwards=[ignore]):
        try:
            yield event
        except asyncio.CancelledError:
            raise Interrupted("Stopped at once. What was under way may or may not have been done.") from None
