"""Waiting for work that goes over the network."""

import pytest

from leadstate.cli.event_loop import wait_for


class Large:
    """Counts how often somebody wants to see all of it."""

    seen = 0

    def __repr__(self) -> str:
        Large.seen += 1
        return "Large"


def test_a_result_is_returned_unread() -> None:
    async def work() -> Large:
        return Large()

    assert isinstance(wait_for(work()), Large)
    assert Large.seen == 0


def test_an_error_of_work_is_raised() -> None:
    async def work() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        wait_for(work())
