"""What a run is about: the configuration and its lock file, or a report of what is wrong. Opens no connection."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from leadstate.config import Configuration, Lock, Trust, load, lock_path, read_lock
from leadstate.model.errors import ConfigurationError
from leadstate.report.build import Command, build
from leadstate.report.document import Report

DEFAULT = Path("leadstate.yaml")


def load_configuration(paths: Sequence[Path], accounts: Sequence[str]) -> Configuration:
    """Read the configuration and its lock file.

    Raises:
        ConfigurationError: with all that is wrong with it.
        LockError: the lock file is none.
        TrustError: what the environment allows is not understood.
    """
    return _with_lock(load(list(paths) or [DEFAULT], accounts, Trust.of(os.environ)), read_lock(lock_file(paths)))


def lock_file(paths: Sequence[Path]) -> Path:
    """Where the lock file of a configuration is: beside the first of its paths."""
    return lock_path(next(iter(paths), DEFAULT))


def configuration_report(command: Command, failure: ConfigurationError) -> Report:
    """The document of a run that ended at its configuration."""
    return build(command, [], diagnostics=failure.diagnostics)


def _with_lock(configuration: Configuration, lock: Lock) -> Configuration:
    """The configuration with what the lock file remembers of each account."""
    if not lock:
        return configuration
    accounts = tuple(
        replace(account, account=replace(account.account, lock=lock.get(account.account.name, {})))
        for account in configuration.accounts
    )
    return replace(configuration, accounts=accounts)
