"""Signals: what the first one does, and the next."""

import asyncio
import select
import signal
from collections.abc import Iterator

import click
import pytest

from leadstate.cli import interrupts
from leadstate.cli.interrupts import Interrupted, on_signals, wait_for


class Ended(BaseException):
    """In place of the end of the process."""


@pytest.fixture(autouse=True)
def handlers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Handlers as a fresh process has them, and no end of the process."""

    def end() -> None:
        raise Ended

    monkeypatch.setattr(interrupts, "_end", end)
    before = {number: signal.signal(number, signal.SIG_DFL) for number in interrupts.SIGNALS}
    interrupts.install()
    yield
    interrupts.install()  # forgets the signals of this test
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", interrupts.SIGNALS)
def test_outside_the_loop_the_first_signal_raises_and_the_second_ends_the_process(number: signal.Signals) -> None:
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)
    with pytest.raises(Ended):
        signal.raise_signal(number)


def test_each_signal_escalates_by_one_step() -> None:
    done: list[str] = []
    with on_signals(lambda: done.append("first"), lambda: done.append("second")):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
        assert done == ["first", "second"]
    with pytest.raises(Ended):
        signal.raise_signal(signal.SIGINT)


def test_the_steps_before_are_restored_without_a_signal() -> None:
    with on_signals():
        pass
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_a_signal_that_the_parent_ignores_stays_ignored() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    interrupts.install()
    signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_a_signal_interrupts_any_wait() -> None:
    with on_signals(lambda: None), interrupts.signal_socket() as bell:
        assert bell is not None
        assert select.select([bell], [], [], 0)[0] == []
        signal.raise_signal(signal.SIGTERM)
        assert select.select([bell], [], [], 0)[0] == [bell]
    assert signal.set_wakeup_fd(-1) == -1


@pytest.mark.parametrize("number", interrupts.SIGNALS)
def test_a_signal_ends_work_and_says_that_nothing_was_changed(number: signal.Signals) -> None:
    ended: list[str] = []

    async def part(name: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(name)

    async def work() -> None:
        asyncio.get_running_loop().call_soon(signal.raise_signal, number)
        async with asyncio.TaskGroup() as group:
            for name in "ab":
                group.create_task(part(name))

    with pytest.raises(Interrupted, match="Nothing was changed"):
        wait_for(work())
    assert sorted(ended) == ["a", "b"]


def test_a_task_that_fails_because_of_the_signal_is_not_an_error() -> None:
    async def work() -> None:
        signal.raise_signal(signal.SIGINT)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise LookupError from None

    with pytest.raises(Interrupted):
        wait_for(work())


def test_a_second_signal_ends_the_process_despite_a_hanging_task() -> None:
    async def work() -> None:
        signal.raise_signal(signal.SIGINT)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(Ended):
        wait_for(work())


def test_requests_in_flight_finish_after_one_signal_and_stop_after_two() -> None:
    async def work() -> None:
        with interrupts.interrupts() as interrupted:
            signal.raise_signal(signal.SIGINT)
            assert interrupted.is_set()
            await asyncio.sleep(0)
            signal.raise_signal(signal.SIGTERM)
            await asyncio.Event().wait()

    with pytest.raises(click.Abort, match="may or may not have been done"):
        wait_for(work())


def test_a_signal_after_the_last_request_keeps_the_report() -> None:
    async def work() -> str:
        with interrupts.interrupts():
            pass
        signal.raise_signal(signal.SIGINT)
        await asyncio.sleep(0)
        return "report"

    assert wait_for(work()) == "report"


def test_after_the_report_is_kept_a_second_signal_ends_the_process() -> None:
    async def work() -> None:
        with interrupts.interrupts():
            pass
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(Ended):
        wait_for(work())


def test_a_result_is_returned_unread() -> None:
    class Large:
        def __repr__(self) -> str:
            raise AssertionError

    async def work() -> Large:
        return Large()

    assert isinstance(wait_for(work()), Large)


def test_an_error_of_work_is_raised() -> None:
    async def work() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        wait_for(work())
