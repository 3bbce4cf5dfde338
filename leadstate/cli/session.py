"""What a person chose to read and plan, as a configuration, connected accounts and a plan."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import click

from leadstate.api.configuration import Baseline
from leadstate.api.results import Plan
from leadstate.api.session import Session, UnknownTarget, connect
from leadstate.cli.exits import Exit
from leadstate.cli.options import load_configuration, runtime
from leadstate.cli.output import say
from leadstate.cli.progress import progress
from leadstate.config import Configuration
from leadstate.engine.jobs import AccountJob, each
from leadstate.kinds import KINDS
from leadstate.model.account import Impact
from leadstate.model.address import Target
from leadstate.model.diagnostics import Diagnostic, Severity
from leadstate.model.rollout import Limit, Shard

T = TypeVar("T")


def session(configuration: Configuration, limit: Limit | None = None) -> AbstractAsyncContextManager[Session]:
    """Connect to every account of the configuration; warnings go to stderr."""
    return connect(configuration, runtime=runtime(), warn=lambda diagnostic: say([diagnostic]), limit=limit)


async def read_accounts(
    configuration: Configuration, read: Callable[[AccountJob], Awaitable[T]]
) -> tuple[dict[str, T], list[Diagnostic]]:
    """Connect to every account and read each, with progress on stderr.

    Returns:
        Account → what was read, sorted by name; and why other accounts could not be read, sorted by account.
    """
    async with session(configuration) as opened:
        failures = list(opened.failures)
        found: dict[str, T] = {}

        async def keep(job: AccountJob) -> None:
            found[job.account.name] = await read(job)

        with progress("Reading", "accounts", len(opened.work), opened.work) as shown:
            await each(opened.work, keep, lambda _, diagnostic: failures.append(diagnostic), shown.account)
        return dict(sorted(found.items())), sorted(failures, key=lambda diagnostic: diagnostic.account or "")


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person chose; the fields are parameters of `options.configuration`, `planning` and `approval`."""

    paths: tuple[Path, ...]
    accounts: tuple[str, ...]
    allow: tuple[str, ...] = ()
    max_tokens: int | None = None
    reserve: int | None = None
    targets: tuple[str, ...] = ()
    impact: str = Impact.LIVE
    shard: str | None = None
    stats: bool = False
    everything: bool = False
    auto_approve: bool = False
    interactive: bool = False
    lock_timeout: float = 0.0
    events: Path | None = None

    @property
    def limit(self) -> Limit:
        """The part of all accounts that was chosen."""
        return Limit(self.accounts, self.shard)

    def configuration(self) -> Configuration:
        """Read the files, and keep the accounts that were chosen; a malformed target or shard is a usage error."""
        try:
            for text in self.targets:
                Target.parse(text, tuple(KINDS))
        except ValueError as failure:
            raise click.BadParameter(str(failure), param_hint="--target") from None
        try:
            shard = Shard.parse(self.shard) if self.shard else None
        except ValueError as failure:
            raise click.BadParameter(str(failure), param_hint="--shard") from None
        configuration = load_configuration(self.paths, self.accounts)
        if shard is None:
            return configuration
        held = (declared for declared in configuration.accounts if shard.holds(declared.account.name))
        return replace(configuration, accounts=tuple(held))

    async def plan_alone(self, configuration: Configuration) -> Plan:
        """Connect to the accounts and plan them."""
        async with session(configuration, self.limit) as opened:
            return await self.plan(opened)

    async def plan(self, opened: Session, baseline: Baseline | None = None) -> Plan:
        """Plan the accounts, with progress on stderr; a target that names nothing is a usage error."""
        with progress("Reading", "accounts", len(opened.work), opened.work) as shown:
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


def exit_of(severity: Severity | None) -> Exit:
    """Return the exit code of a plan's gravest diagnostic."""
    if severity is Severity.ERROR:
        return Exit.ERROR
    return Exit.REFUSED if severity is Severity.GUARD else Exit.FINE
