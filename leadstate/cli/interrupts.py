"""Ctrl-C (SIGINT) and SIGTERM: what the first signal does, and the next (spec section 4).

A handler that raises `KeyboardInterrupt` wherever the event loop happens to be can lose the wake-up of a task, and the
process hangs: `asyncio.run` does so at a second Ctrl-C. So while the loop runs a signal only asks for the end of the
main task, elsewhere it raises; once no step is left, the process ends at once.
"""

import os
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import click

from leadstate.cli.exits import Exit

if TYPE_CHECKING:
    import asyncio
    import socket

T = TypeVar("T")

SIGNALS = (signal.SIGINT, signal.SIGTERM)
NOTHING_CHANGED = "Interrupted. Nothing was changed."

Step: TypeAlias = Callable[[], None]
"""What one signal does."""


class Interrupted(click.Abort):
    """A signal ended the run; the message says what that leaves behind."""


def raise_interrupt() -> None:
    """Stop where the program is. Only outside of the event loop."""
    raise KeyboardInterrupt


_stack: list[list[Step]] = [[raise_interrupt]]
"""The steps that are left; those of the innermost `on_signals` last."""


def install() -> None:
    """Handle signals for the rest of the process. A signal that our parent wants ignored stays ignored."""
    _stack[:] = [[raise_interrupt]]
    for number in SIGNALS:
        if signal.getsignal(number) not in (signal.SIG_IGN, None):
            signal.signal(number, _handle)


def _handle(_number: int, _frame: FrameType | None) -> None:
    steps = _stack[-1]
    if not steps:
        _end()
    step = steps.pop(0)
    for outer in _stack[:-1]:
        outer.clear()  # another signal, later, ends the process
    step()


@contextmanager
def on_signals(*steps: Step) -> Iterator[None]:
    """While this lasts the first signal does the first step, and so on; the one after the last ends the process."""
    _stack.append(list(steps))
    try:
        yield
    finally:
        _stack.pop()


def is_interrupted() -> bool:
    """Return whether a signal came, also one that the event loop has not handled yet."""
    return not _stack[0]


@contextmanager
def signal_socket() -> Iterator["socket.socket | None"]:
    """Yield a socket that a signal makes readable: who waits for it, too, stops waiting at a signal.

    Without it a signal that comes just before a system call that waits is handled when that call ends, if it ever does.
    None on Windows, which has no such thing, and in other threads than the main one.
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


def _end() -> None:
    """End the process now, without waiting for anything."""
    cursor = "\x1b[?25h" if os.isatty(2) else ""  # a progress bar may have hidden it
    os.write(2, f"{cursor}\nStopped at once.\n".encode())
    os._exit(Exit.INTERRUPTED)


def wait_for(work: Coroutine[Any, Any, T]) -> T:
    """Run the work in an event loop and return its result.

    Raises:
        Interrupted: a signal came before anything was written.
    """
    import asyncio  # noqa: PLC0415  takes as long as `--version`, which needs none

    stopped = False
    with signal_socket() as bell, asyncio.Runner() as runner:
        loop = runner.get_loop()
        task = loop.create_task(work)

        def stop() -> None:
            nonlocal stopped
            stopped = True
            loop.call_soon_threadsafe(task.cancel)

        if bell is not None:
            loop.add_reader(bell, bell.recv, 4096)
        with on_signals(stop):
            try:
                return loop.run_until_complete(task)
            except click.Abort:
                raise
            except (asyncio.CancelledError, Exception):
                # Several tasks may have failed of the same signal, each in its own way.
                if stopped:
                    raise Interrupted(NOTHING_CHANGED) from None
                raise


@contextmanager
def interrupts() -> Iterator["asyncio.Event"]:
    """Yield an event that the first signal sets, after which nothing new is begun; the second cancels the current task.

    Afterwards a first signal does nothing, so that the report is written: all is done.

    Raises:
        Interrupted: a second signal came.
    """
    import asyncio  # noqa: PLC0415  as above

    loop, event, task = asyncio.get_running_loop(), asyncio.Event(), asyncio.current_task()
    message = "Interrupted: what is under way is finished, nothing new is begun. Once more stops at once."

    def finish() -> None:
        event.set()
        loop.call_soon_threadsafe(lambda: click.echo(message, err=True))  # not here: the main program may be writing

    def stop() -> None:
        if task is not None:
            loop.call_soon_threadsafe(task.cancel)

    with on_signals(finish, stop):
        try:
            yield event
        except asyncio.CancelledError:
            raise Interrupted("Stopped at once. What was under way may or may not have been done.") from None
    if not is_interrupted():
        for steps in _stack:
            steps[:] = [lambda: None]
