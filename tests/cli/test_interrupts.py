"""Signals: what the first one does, and the next."""

import asyncio
import select
import signal
import threading
from collections.abc import Iterator

import click
import pytest

from leadstate.cli import interrupts
from leadstate.cli.event_loop import wait_for
from leadstate.cli.interrupts import Interrupted, on_signals, raise_interrupt


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
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", interrupts.SIGNALS)
def test_outside_of_the_loop_the_first_raises_and_the_second_ends(number: signal.Signals) -> None:
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)
    with pytest.raises(Ended):
        signal.raise_signal(number)


def test_each_signal_does_one_step_and_whoever_interrupts_again_is_heard() -> None:
    done: list[str] = []
    with on_signals(lambda: done.append("first"), lambda: done.append("second")):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
        assert done == ["first", "second"]
    with pytest.raises(Ended):
        signal.raise_signal(signal.SIGINT)


def test_the_handler_around_is_as_it_was_where_no_signal_came() -> None:
    with on_signals():
        pass
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_the_handler_around_gets_other_steps() -> None:
    done: list[str] = []
    with on_signals(raise_interrupt):
        with on_signals(raise_interrupt, afterwards=[lambda: done.append("ignored")]):
            pass
        signal.raise_signal(signal.SIGINT)
        assert done == ["ignored"]
        with pytest.raises(Ended):
            signal.raise_signal(signal.SIGINT)


def test_a_signal_that_the_parent_ignores_stays_ignored() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with on_signals(raise_interrupt):
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_a_signal_is_seen_by_what_waits_for_other_things() -> None:
    with on_signals(lambda: None), interrupts.signal_socket() as bell:
        assert bell is not None
        assert select.select([bell], [], [], 0)[0] == []
        signal.raise_signal(signal.SIGTERM)
        assert select.select([bell], [], [], 0)[0] == [bell]
    assert signal.set_wakeup_fd(-1) == -1


def test_other_threads_leave_the_handlers_alone() -> None:
    before = signal.getsignal(signal.SIGINT)

    def work() -> None:
        with on_signals(raise_interrupt):
            assert signal.getsignal(signal.SIGINT) is before

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


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


def test_tasks_that_fail_of_the_signal_are_no_error_of_their_own() -> None:
    async def work() -> None:
        signal.raise_signal(signal.SIGINT)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise LookupError from None

    with pytest.raises(Interrupted):
        wait_for(work())


def test_a_second_signal_ends_the_process_though_a_task_will_not_end() -> None:
    async def work() -> None:
        signal.raise_signal(signal.SIGINT)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(Ended):
        wait_for(work())


def test_what_is_under_way_is_finished_after_the_first_and_stopped_after_the_second() -> None:
    async def work() -> None:
        with interrupts.interrupts() as interrupted:
            signal.raise_signal(signal.SIGINT)
            assert interrupted.is_set()
            await asyncio.sleep(0)
            signal.raise_signal(signal.SIGTERM)
            await asyncio.Event().wait()

    with pytest.raises(click.Abort, match="may or may not have been done"):
        wait_for(work())


def test_once_all_is_done_a_signal_no_longer_loses_the_report() -> None:
    async def work() -> str:
        with interrupts.interrupts():
            pass
        signal.raise_signal(signal.SIGINT)
        await asyncio.sleep(0)
        return "report"

    assert wait_for(work()) == "report"
