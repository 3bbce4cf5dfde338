"""The surroundings of a run on the command line, and its connected accounts."""

from contextlib import AbstractAsyncContextManager

import click

from leadstate.api.session import Limit, Runtime, Session, connect
from leadstate.cli.diagnostics import say
from leadstate.config import Configuration


def runtime() -> Runtime:
    """Return the current run's surroundings; tests put their own into click's context."""
    return click.get_current_context().find_object(Runtime) or Runtime()


def session(configuration: Configuration, limit: Limit | None = None) -> AbstractAsyncContextManager[Session]:
    """Connect to every account of the configuration; warnings go to stderr."""
    return connect(configuration, runtime=runtime(), warn=lambda diagnostic: say([diagnostic]), limit=limit)
