"""What a person chose to read and plan, as a configuration, connected accounts and a plan."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from pathlib import Path

import click

from leadstate.api.configuration import Baseline
from leadstate.api.results import Plan
from leadstate.api.session import Limit, Session, UnknownTarget, connect
from leadstate.cli.exits import Exit
from leadstate.cli.options import load_configuration, runtime
from leadstate.cli.output import say
from leadstate.cli.progress import progress
from leadstate.config import Configuration
from leadstate.kinds import KINDS
from leadstate.model.account import Impact
from leadstate.model.address import Target
from leadstate.model.diagnostics import Severity
from leadstate.model.rollout import Shard


def session(configuration: Configuration, limit: Limit | None = None) -> AbstractAsyncContextManager[Session]:
    """Connect to every account of the configuration; warnings go to stderr."""
    return connect(configuration, runtime=runtime(), warn=lambda diagnostic: say([diagnostic]), limit=limit)


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person chose; the fields are the parameters of `options.planning` and `options.configuration`."""

    paths: tuple[Path, ...]
    accounts: tuple[str, ...]
    allow: tuple[str, ...]
    max_tokens: int | None
    reserve: int | None
    targets: tuple[str, ...] = ()
    impact: str = Impact.LIVE
    shard: str | None = None
    stats: bool = False

    @property
    def limit(self) -> Limit:
        """The part of all accounts that was chosen."""
        return Limit(self.accounts, self.shard)

    def check(self) -> None:
        """Raise a usage error if a target is not an address, before anything is read."""
        try:
            for text in self.targets:
                Target.parse(text, tuple(KINDS))
        except ValueError as failure:
            raise click.BadParameter(str(failure), param_hint="--target") from None

    def configuration(self) -> Configuration:
        """Read the files, and keep the accounts that were chosen."""
        self.check()
        shard: Shard | None = None
        if self.shard:
            try:
                shard = Shard.parse(self.shard)
            except ValueError as failure:
                raise click.BadParameter(str(failure), param_hint="--shard") from None
        configuration = load_configuration(self.paths, self.accounts)
        if shard is None:
            return configuration
        held = (declared for declared in configuration.accounts if shard.holds(declared.account.name))
        return replace(configuration, accounts=tuple(held))

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
