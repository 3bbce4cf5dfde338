"""What a person chose to read and plan, as a configuration, connected accounts and a plan; progress meanwhile.

Progress is a bar on a terminal, elsewhere a line every few seconds; nothing for a short run.
"""

import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import click

from leadstate.api.configuration import Baseline, UnknownAccount, select
from leadstate.api.results import Plan
from leadstate.api.session import Session, UnknownTarget, connect
from leadstate.cli import HIDDEN
from leadstate.cli.exits import Exit
from leadstate.cli.options import load_configuration, runtime
from leadstate.cli.output import say, wants_color
from leadstate.config import Configuration
from leadstate.engine.events import Observer
from leadstate.engine.jobs import AccountJob, each
from leadstate.engine.read.observe import check_company
from leadstate.kinds import KINDS
from leadstate.model.account import ImpactLevel
from leadstate.model.address import Target, accounts_of
from leadstate.model.diagnostics import Diagnostic, Severity, counted, some
from leadstate.model.plan import Change, Outcome
from leadstate.model.rollout import Limit, Rollout, Shard
from leadstate.pipedrive.client import Reader
from leadstate.report.document import Report

T = TypeVar("T")

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
def progress(work: Sequence[AccountJob], *, changes: int | None = None) -> Iterator[Progress]:
    """Show how far a phase is while it lasts.

    Args:
        work: the accounts that are read; their requests are counted too.
        changes: in an apply, how many changes are made; unless given, accounts are counted.
    """
    words = ("Reading", "accounts", len(work)) if changes is None else ("Applying", "changes", changes)
    context = click.get_current_context(silent=True)
    with ExitStack() as stack:
        if context is not None and context.meta.get(HIDDEN):
            made = Progress(lambda _done, _requests: None)
        elif sys.stderr.isatty():
            color = None if context is None else context.params.get("color")
            made = Progress(stack.enter_context(_bar(*words, colored=wants_color(color or "auto", err=True))))
        else:
            made = Progress(_lines(*words))
        for job in work:
            job.connection.heard = made.request
        yield made


@contextmanager
def _bar(doing: str, of: str, total: int, *, colored: bool) -> Iterator[Show]:
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
    console = Console(stderr=True, color_system="auto" if colored else None)
    with Progress(*columns, console=console, transient=True) as bar:
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


def session(configuration: Configuration) -> AbstractAsyncContextManager[Session]:
    """Connect to every account of the configuration; warnings go to stderr."""
    return connect(configuration, runtime=runtime(), warn=lambda diagnostic: say([diagnostic]))


async def read_accounts(
    configuration: Configuration, read: Callable[[AccountJob], Awaitable[T]], *, any_company: bool = False
) -> tuple[dict[str, T], list[Diagnostic]]:
    """Connect to every account and read each, with progress on stderr.

    Args:
        configuration: the accounts.
        read: reads one of them.
        any_company: whether to read an account whose token belongs to another company than is declared.

    Returns:
        Account → what was read, sorted by name; and why other accounts could not be read, sorted by account.
    """
    async with session(configuration) as opened:
        failures = list(opened.failures)
        found: dict[str, T] = {}

        async def keep(job: AccountJob) -> None:
            if not any_company:
                await check_company(job.account, Reader(job.connection))
            found[job.account.name] = await read(job)

        with progress(opened.work) as shown:
            await each(opened.work, keep, lambda _, diagnostic: failures.append(diagnostic), shown.account)
        return dict(sorted(found.items())), sorted(failures, key=lambda diagnostic: diagnostic.account or "")


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person chose; most fields are parameters of `options.configuration`, `planning` and `approval`.

    Attributes:
        color: how a plan is shown to who is asked.
        lock: whether to bring the lock file up to date; unless given, where it exists.
        rollout: which accounts come before the others.
        reviewed: the plan that was reviewed, if one was.
    """

    paths: tuple[Path, ...]
    accounts: tuple[str, ...]
    allow: tuple[str, ...] = ()
    max_tokens: int | None = None
    reserve: int = 0
    targets: tuple[str, ...] = ()
    impact: str = ImpactLevel.LIVE
    shard: str | None = None
    stats: bool = False
    everything: bool = False
    auto_approve: bool = False
    interactive: bool = False
    lock_timeout: float = 0.0
    events: Path | None = None
    color: str = "auto"
    lock: bool | None = None
    rollout: Rollout | None = None
    reviewed: Report | None = None

    @property
    def limited(self) -> bool:
        """Whether only a part of all accounts was chosen."""
        return bool(self.accounts or self.shard or accounts_of(self._targets()))

    def configuration(self) -> Configuration:
        """Read the files, and keep the accounts that were chosen; a malformed target or shard is a usage error."""
        targets = self._targets()
        try:
            if self.shard:
                Shard.parse(self.shard)
        except ValueError as failure:
            raise click.BadParameter(str(failure), param_hint="--shard") from None
        named = accounts_of(targets)
        configuration = load_configuration(self.paths, self.accounts or sorted(named))
        if named:
            try:
                configuration = select(configuration, sorted(named))
            except UnknownAccount:
                known = {declared.account.name for declared in configuration.accounts}
                words = f"the account {some(sorted(named - known))} is not among the chosen accounts"
                raise click.BadParameter(words, param_hint="--target") from None
        limit = Limit(self.accounts, self.shard)  # the accounts of targets are a matter of those
        if not self.shard:
            return replace(configuration, limit=limit)
        unknown = (_undeclared(target) for target in targets if not _is_declared(target, configuration))
        diagnostics = (*configuration.diagnostics, *unknown)
        return replace(select(configuration, (), self.shard), diagnostics=diagnostics, limit=limit)

    def _targets(self) -> list[Target]:
        try:
            return [Target.parse(text, tuple(KINDS)) for text in self.targets]
        except ValueError as failure:
            raise click.BadParameter(str(failure), param_hint="--target") from None

    async def plan_alone(self, configuration: Configuration) -> Plan:
        """Connect to the accounts and plan them."""
        async with session(configuration) as opened:
            return await self.plan(opened)

    async def plan(self, opened: Session, baseline: Baseline | None = None) -> Plan:
        """Plan the accounts, with progress on stderr; a target that names nothing is a usage error."""
        with progress(opened.work) as shown:
            try:
                return await opened.plan(
                    self.targets,
                    impact=self.impact,
                    allow=self.allow,
                    max_tokens=self.max_tokens,
                    reserve=self.reserve,
                    everything=self.everything,
                    base=baseline,
                    ended=shown.account,
                )
            except UnknownTarget as failure:
                raise click.BadParameter(str(failure), param_hint="--target") from None


def _is_declared(target: Target, configuration: Configuration) -> bool:
    return any(
        target.selects(desired.address)
        for declared in configuration.accounts
        for desired in declared.account.of_kind(target.kind)
    )


def _undeclared(target: Target) -> Diagnostic:
    """Return the warning of a shard, which cannot know whether another one has an object that no file declares."""
    return Diagnostic(
        UnknownTarget.code,
        Severity.WARNING,
        f"no account declares {target}",
        hint="correct the address, unless it is that of an unmanaged object which `prune` deletes",
    )


def exit_of(severity: Severity | None) -> Exit:
    """Return the exit code of a plan's gravest diagnostic."""
    if severity is Severity.ERROR:
        return Exit.ERROR
    return Exit.REFUSED if severity is Severity.GUARD else Exit.FINE
