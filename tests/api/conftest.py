"""A sandbox on a port, for tests of what is below the command line."""

from collections.abc import Iterator

import pytest

from leadstate.sandbox import Sandbox, running


@pytest.fixture
def sandbox() -> Sandbox:
    """An account that people have changed by hand, without limits."""
    return Sandbox("drifted", burst=100_000, daily=None)


@pytest.fixture
def url(sandbox: Sandbox) -> Iterator[str]:
    """Where it is."""
    with running(sandbox.app) as base:
        yield base
