"""Progress of a long run on stderr: a bar on a terminal, elsewhere a line every few seconds; nothing for a short run.

Events of the run move it; the clock only limits how often a line is written.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

import click

from leadstate.cli import HIDDEN
from leadstate.cli.options import runtime
from leadstate.engine.events import Observer
from leadstate.engine.jobs import AccountJob
from leadstate.model.diagnostics import counted
from leadstate.model.plan import Change, Outcome

QUIET = 10.0
"""Seconds between two lines in a log, and before the first."""

Show = Callable[[int, int], None]
"""Shows how many of all are done, and how many requests were answered."""


class Progress(Observer):
    """Counts what is done of one phase of a run: accounts that were read, or changes that were made."""

    def __init__(self, show: Show) -> None:
        self._show = show
        self._done = 0
        self._requests = 0

    def request(self) -> None:
        """Count a request that was answered."""
        self._requests += 1
        self._show(self._done, self._requests)

    def account(self, _job: AccountJob) -> None:
        """Count an account that was read."""
        self._done += 1
        self._show(self._done, self._requests)

    def finished(self, change: Change, outcome: Outcome) -> None:  # noqa: ARG002  which one does not matter
        """Count a change that has ended."""
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
    context = click.get_current_context(silent=True)
    with ExitStack() as stack:
        if context is not None and context.meta.get(HIDDEN):
            made = Progress(lambda _done, _requests: None)
        elif sys.stderr.isatty():
            made = Progress(stack.enter_context(_bar(doing, of, total)))
        else:
            made = Progress(_lines(doing, of, total))
        for job in work:
            job.connection.heard = made.request
        yield made


@contextmanager
def _bar(doing: str, of: str, total: int) -> Iterator[Show]:
    from rich.console import Console  # noqa: PLC0415  only for a terminal
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (
        TextColumn(doing),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TextColumn(of),
        TextColumn("{task.fields[requests]:,} requests"),
        TimeRemainingColumn(compact=True),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(doing, total=total, requests=0)
        yield lambda done, requests: bar.update(task, completed=done, requests=requests)


def _lines(doing: str, of: str, total: int) -> Show:
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
