"""Settings of all tests."""

import pytest
from hypothesis import HealthCheck, settings

# Time is no subject of a test: a busy machine must not fail one.
settings.register_profile("leadstate", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("leadstate")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden files instead of comparing them")
