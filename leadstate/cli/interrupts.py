"""Ctrl-C and SIGTERM: the first lets what is under way finish, the second stops at once (spec section 4)."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import click

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interrupts() -> Iterator[asyncio.Event]:
    """An event that the first signal sets; the second cancels the current task."""
    loop, event = asyncio.get_running_loop(), asyncio.Event()
    task = asyncio.current_task()

    def heard() -> None:
        if event.is_set() and task is not None:
            task.cancel()
            return
        event.set()
        click.echo(
            "Interrupted: what is under way is finished, nothing new is begun. Once more stops at once.", err=True
        )

    for one in _SIGNALS:
        with suppress(NotImplementedError):  # Windows: Ctrl-C stops at once there
            loop.add_signal_handler(one, heard)
    try:
        yield event
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    finally:
        for one in _SIGNALS:
            with suppress(NotImplementedError):
                loop.remove_signal_handler(one)
