"""The configuration of a run on the command line, or a report of what is wrong with it. Loads no HTTP client."""

import os
from collections.abc import Sequence
from pathlib import Path

from leadstate.api.configuration import DEFAULT, load
from leadstate.config import Configuration, Trust
from leadstate.model.errors import ConfigurationError
from leadstate.report.build import Command, build
from leadstate.report.document import Report


def load_configuration(paths: Sequence[Path], accounts: Sequence[str]) -> Configuration:
    """Read the configuration and its lock file, within what the environment allows.

    Raises:
        ConfigurationError: with all that is wrong with it.
        LockError: the lock file is none.
        TrustError: what the environment allows is not understood.
    """
    return load(list(paths) or [DEFAULT], accounts, Trust.of(os.environ))


def configuration_report(command: Command, failure: ConfigurationError) -> Report:
    """Return the document of a run that ended at its configuration."""
    return build(command, [], diagnostics=failure.diagnostics)
