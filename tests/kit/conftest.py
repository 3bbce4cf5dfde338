"""The account that workflows plan and apply, unless a file gives its own."""

import pytest

from leadstate.sandbox import Sandbox


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox("fresh")
