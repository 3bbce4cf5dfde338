"""Waits for work that goes over the network."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import click

from leadstate.cli.interrupts import NOTHING_CHANGED, Interrupted, on_signals, raise_interrupt

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
