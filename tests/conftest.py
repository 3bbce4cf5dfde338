"""Settings of all tests, and a sandbox on a real port. Files that need another account give their own `sandbox`."""

import os
import tempfile
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from leadstate.sandbox import Sandbox, running

# Time is no subject of a test: a busy machine must not fail one. In CI the same examples are tried each time, so that
# it judges the change and nothing else; new ones are found on people's machines, and by `make prove`.
settings.register_profile(
    "leadstate",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=bool(os.environ.get("CI")) and os.environ.get("LEADSTATE_PROVE") != "long",
)
settings.load_profile("leadstate")

# Runs in one process share an address that leads nowhere, so each process of the tests has locks of its own.
_STATE = tempfile.TemporaryDirectory(prefix="leadstate-tests-")
os.environ["XDG_STATE_HOME"] = _STATE.name


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden files instead of comparing them")


@pytest.fixture
def sandbox() -> Sandbox:
    """An account that people have changed by hand, without limits."""
    return Sandbox("drifted", burst=100_000, daily=None)


@pytest.fixture
def url(sandbox: Sandbox) -> Iterator[str]:
    """Where it is."""
    with running(sandbox.app) as base:
        yield base
