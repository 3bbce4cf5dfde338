"""Waits for work that goes over the network."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from leadstate.cli.interrupts import NOTHING_CHANGED, Interrupted, on_signals, raise_interrupt, signal_socket

T = TypeVar("T")


def wait_for(work: Coroutine[Any, Any, T]) -> T:
    """Run the work in an event loop and return its result.

    Raises:
        Interrupted: a signal came before anything was written.
    """
    running: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = []
    stopped = False

    def stop() -> None:
        nonlocal stopped
        if not running:
            raise_interrupt()
        stopped = True
        loop, task = running[0]
        if not loop.is_closed():
            loop.call_soon_threadsafe(task.cancel)

    async def keep() -> T:
        task = asyncio.current_task()
        if task is not None:
            running.append((asyncio.get_running_loop(), task))
        with _woken_by_signals():
            return await work

    with on_signals(stop):
        try:
            return asyncio.run(keep())
        except click.Abort:
            raise
        except (asyncio.CancelledError, Exception):
            # Several tasks may have failed of the same signal, each in its own way.
            if stopped:
                raise Interrupted(NOTHING_CHANGED) from None
            raise


@contextmanager
def _woken_by_signals() -> Iterator[None]:
    """Let a signal end the wait of the running loop for its next event."""
    loop = asyncio.get_running_loop()
    with signal_socket() as bell:
        if bell is None:
            yield
            return
        loop.add_reader(bell, bell.recv, 4096)
        try:
            yield
        finally:
            loop.remove_reader(bell)
