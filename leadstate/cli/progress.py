"""Progress of a long run on stderr: a bar on a terminal, elsewhere a line every few seconds; nothing for a short run.

Events of the run move it; the clock only limits how often a line is written.
"""

import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, TypeVar

import click

from leadstate.cli.options import HIDDEN, runtime
from leadstate.engine.events import Observer
from leadstate.engine.jobs import AccountJob, each
from leadstate.model.diagnostics import Diagnostic, counted
from leadstate.model.plan import Change, Outcome

T = TypeVar("T")

QUIET = 10.0
"""Seconds between two lines in a log, and before the first."""


class _Show(Protocol):
    def __call__(self, done: int, requests: int) -> None:
        """Show so many of all, and so many requests."""


class Progress(Observer):
    """Counts what is done of one phase of a run: accounts that were read, or changes that were made."""

    def __init__(self, show: _Show) -> None:
        self._show = show
        self._done = 0
        self._requests = 0

    def request(self) -> None:
        """Count a request that was answered."""
        self._requests += 1
        self._show(self._done, self._requests)

    def account(self, work: AccountJob) -> None:  # noqa: ARG002  which one does not matter
        """Count an account that was read."""
        self._step()

    def finished(self, change: Change, outcome: Outcome) -> None:  # noqa: ARG002  as above
        """Count a change that has ended."""
        self._step()

    def _step(self) -> None:
        self._done += 1
        self._show(self._done, self._requests)


@contextmanager
def progress(doing: str, of: str, total: int, work: Sequence[AccountJob]) -> Iterator[Progress]:
    """Show how far a phase is while it lasts.

    Args:
        doing: what is done: `Reading`.
        of: what is counted: `accounts`.
        total: how many there are.
        work: the accounts whose requests are counted too.
    """
    with _shown(doing, of, total) as show:
        made = Progress(show)
        for job in work:
            job.connection.heard = made.request
        try:
            yield made
        finally:
            for job in work:
                job.connection.heard = _nothing


async def read_each(
    work: Sequence[AccountJob],
    do: Callable[[AccountJob], Awaitable[T]],
    fail: Callable[[AccountJob, Diagnostic], T],
) -> list[T]:
    """Read every account and show how far that is; see `leadstate.engine.jobs.each`."""
    with progress("Reading", "accounts", len(work), work) as shown:
        return await each(work, do, fail, shown.account)


def _nothing() -> None:
    pass


@contextmanager
def _shown(doing: str, of: str, total: int) -> Iterator[_Show]:
    context = click.get_current_context(silent=True)
    if context is not None and context.meta.get(HIDDEN):
        yield lambda done, requests: None  # noqa: ARG005  the form of all of them
    elif sys.stderr.isatty():
        with _bar(doing, of, total) as show:
            yield show
    else:
        yield _lines(doing, of, total)


@contextmanager
def _bar(doing: str, of: str, total: int) -> Iterator[_Show]:
    from rich.console import Console  # noqa: PLC0415  only for a terminal
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (
        TextColumn(doing),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TextColumn(of),
        TextColumn("{task.fields[requests]:,} requests"),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(compact=True),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(doing, total=total, requests=0, rate="")

        def show(done: int, requests: int) -> None:
            speed = bar.tasks[0].speed
            rate = f"{speed:,.1f}/s" if speed else ""
            bar.update(task, completed=done, requests=requests, rate=rate)

        yield show


def _lines(doing: str, of: str, total: int) -> _Show:
    clock = runtime().pace.clock
    begun = last = clock()

    def show(done: int, requests: int) -> None:
        nonlocal last
        now = clock()
        if now - last < QUIET:
            return
        last = now
        left = f", about {(now - begun) / done * (total - done):,.0f} s left" if done else ""
        click.echo(f"{doing}: {done:,} of {total:,} {of}, {counted(requests, 'request')}{left}", err=True)

    return show
