"""From declared accounts to work: their tokens, and one HTTP client for all accounts of a run."""

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import click
import httpx
import platformdirs

from leadstate.cli.credentials import signer_of
from leadstate.cli.listing_lengths import read_lengths, write_lengths
from leadstate.config import Configuration, DeclaredAccount
from leadstate.engine.jobs import AccountJob
from leadstate.engine.run import unread
from leadstate.model.account import Account
from leadstate.model.errors import SecretError, diagnostic_of
from leadstate.model.plan import AccountPlan
from leadstate.pipedrive.bounds import BOUNDS, Bounds
from leadstate.pipedrive.connection import Connection, Pace, http_client


@dataclass(frozen=True)
class Runtime:
    """What a run takes from its surroundings; tests give their own."""

    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    transport: httpx.AsyncBaseTransport | None = None
    pace: Pace = field(default_factory=Pace)
    bounds: Bounds = BOUNDS
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    receipts: Path = Path(".leadstate", "receipts")
    cache: Path = field(default_factory=lambda: platformdirs.user_cache_path("leadstate"))
    state: Path = field(default_factory=lambda: platformdirs.user_state_path("leadstate"))


def runtime() -> Runtime:
    """The current run's surroundings."""
    found = click.get_current_context().find_object(Runtime)
    return found or Runtime()


@dataclass(frozen=True, slots=True)
class Session:
    """The accounts of a run: those that can be worked on, and a plan that says why for each that cannot."""

    work: tuple[AccountJob, ...]
    unusable: tuple[AccountPlan, ...]
    hosts: Mapping[str, str]


@asynccontextmanager
async def session(configuration: Configuration) -> AsyncIterator[Session]:
    """Open the way to every account of the configuration. An account without a usable token does not stop the rest."""
    surroundings = runtime()
    async with http_client(surroundings.transport, surroundings.bounds) as http:
        work, unusable = [], []
        for declared in configuration.accounts:
            try:
                signer = signer_of(declared, http, surroundings.environ, surroundings.pace.clock)
                connection = Connection(http, declared.account.origin, signer, surroundings.pace, surroundings.bounds)
                work.append(AccountJob(declared.account, connection))
            except SecretError as failure:
                unusable.append(_without_token(declared, failure))
        remembered = read_lengths(surroundings.cache)
        for job in work:
            job.connection.lengths.update(remembered.get(_way(job.account), {}))
        hosts = {account.account.name: account.account.host for account in configuration.accounts}
        yield Session(tuple(work), tuple(unusable), hosts)
        write_lengths(surroundings.cache, remembered, {_way(job.account): job.connection.lengths for job in work})


def _way(account: Account) -> str:
    """An account as it is reached."""
    return f"{account.name} {account.origin}"


def _without_token(declared: DeclaredAccount, failure: SecretError) -> AccountPlan:
    return unread(declared.account, diagnostic_of(failure, declared.account.name))
