"""The window is never overrun, and hardly ever left empty."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine

import pytest

from leadstate.pipedrive.pacing import Limiter, Reservation
from tests.harness.connections import FakeTime

WINDOW = 2.0


class World:
    """A server with a rolling window, on a clock that only moves when everybody waits."""

    def __init__(self, limit: int, latency: float) -> None:
        self.now = 0.0
        self.limit = limit
        self.latency = latency
        self.arrived: deque[float] = deque()
        self.overruns = 0
        self.done = 0
        self.gaps: list[float] = []
        self._sleepers: list[tuple[float, int, asyncio.Event]] = []
        self._number = 0

    async def sleep(self, seconds: float) -> None:
        self._number += 1
        event = asyncio.Event()
        self._sleepers.append((self.now + seconds, self._number, event))
        await event.wait()

    async def tick(self) -> None:
        """Let everything run that can, then move the clock to the next sleeper."""
        for _ in range(50):
            await asyncio.sleep(0)
        if self._sleepers:
            self._sleepers.sort(key=lambda sleeper: sleeper[:2])
            at, _, event = self._sleepers.pop(0)
            self.now = max(self.now, at)
            event.set()

    async def pair(self, limiter: Limiter) -> None:
        """Send two requests, with places that are kept for both."""
        async with limiter.reserve(2) as held:
            await self.request(limiter, held)
            answered = self.now
            await self.request(limiter, held)
            self.gaps.append(self.now - self.latency - answered)

    async def request(self, limiter: Limiter, held: Reservation | None = None) -> None:
        async with limiter.place(held) as before:
            while self.arrived and self.now - self.arrived[0] >= WINDOW:
                self.arrived.popleft()
            self.overruns += len(self.arrived) >= self.limit
            self.arrived.append(self.now)
            await self.sleep(self.latency)
        left = max(0, self.limit - len(self.arrived))
        limiter.learn(
            {"x-ratelimit-limit": str(self.limit), "x-ratelimit-remaining": str(left), "x-ratelimit-reset": "2"},
            before,
        )
        self.done += 1


async def _drive(
    world: World, send: Callable[[Limiter], Coroutine[object, object, None]], times: int, at_once: int
) -> None:
    limiter = Limiter(lambda: world.now, world.sleep)
    limiter.learn({"x-ratelimit-limit": str(world.limit)}, 0)
    gate = asyncio.Semaphore(at_once)

    async def one_after_another() -> None:
        async with gate:
            await send(limiter)

    tasks = [asyncio.create_task(one_after_another()) for _ in range(times)]
    for _ in range(10_000):
        await world.tick()
        if all(task.done() for task in tasks):
            return
    raise AssertionError("everything waits")


@pytest.mark.parametrize(("latency", "share"), [(0.001, 0.95), (0.05, 0.9), (0.2, 0.8)])
@pytest.mark.parametrize("limit", [20, 100])
def test_the_window_is_filled_and_never_exceeded(limit: int, latency: float, share: float) -> None:
    world = World(limit, latency)
    asyncio.run(_drive(world, world.request, limit * 10, 32))
    assert world.overruns == 0
    assert world.done == limit * 10
    # The first window is free, so ten windows of requests need nine windows of time at best.
    assert 9 * WINDOW / world.now >= share


@pytest.mark.parametrize(("limit", "share"), [(1, 0.0), (2, 0.0), (5, 0.6), (20, 0.9), (100, 0.85)])
def test_two_requests_that_belong_together_follow_each_other_at_once(limit: int, share: float) -> None:
    world = World(limit, 0.05)
    asyncio.run(_drive(world, world.pair, limit * 5, 8))
    assert world.overruns == 0
    assert world.done == limit * 10
    assert limit == 1 or max(world.gaps) < 0.001
    assert 9 * WINDOW / world.now >= share


def test_places_that_were_kept_in_vain_are_free_at_once() -> None:
    time = FakeTime()

    async def main() -> None:
        limiter = Limiter(lambda: time.now, time.sleep)
        limiter.learn({"x-ratelimit-limit": "2"}, 0)
        for _ in range(5):
            async with limiter.reserve(2):
                pass

    asyncio.run(main())
    assert time.slept == []


def test_a_request_that_is_cancelled_in_a_pause_keeps_no_place() -> None:
    time = FakeTime()

    async def send(limiter: Limiter, held: Reservation) -> None:
        async with limiter.place(held):
            raise AssertionError

    async def main() -> None:
        limiter = Limiter(lambda: time.now, time.sleep)
        limiter.learn({"x-ratelimit-limit": "2"}, 0)
        async with limiter.reserve(2) as held:
            limiter.pause(5)
            request = asyncio.create_task(send(limiter, held))
            await asyncio.sleep(0)
            request.cancel()
            await asyncio.wait([request])
            assert request.cancelled()
        async with asyncio.timeout(1), limiter.reserve(2):
            pass

    asyncio.run(main())


def pauses(tell: Callable[[Limiter], None], requests: int = 1) -> list[float]:
    """Return the pauses of requests, one after the other, once the limiter was told something."""
    time = FakeTime()

    async def main() -> None:
        limiter = Limiter(lambda: time.now, time.sleep)
        tell(limiter)
        for _ in range(requests):
            async with limiter.place():
                pass

    asyncio.run(main())
    return time.slept


@pytest.mark.parametrize(
    ("reset", "wait"), [({"x-ratelimit-reset": "7"}, 7.0), ({"x-ratelimit-reset": "60"}, 10.0), ({}, 2.0)]
)
def test_a_window_filled_by_other_clients_is_waited_for(reset: dict[str, str], wait: float) -> None:
    full = {"x-ratelimit-limit": "100", "x-ratelimit-remaining": "0", **reset}
    assert pauses(lambda limiter: limiter.learn(full, 0)) == [wait]


@pytest.mark.parametrize(("others", "slept"), [(0, []), (1, [2.0])])
def test_a_full_window_is_waited_for_only_if_other_clients_have_a_part_in_it(others: int, slept: list[float]) -> None:
    """The answer is late: all but one of the requests that filled the window have left it meanwhile."""
    time = FakeTime()

    async def main() -> None:
        limiter = Limiter(lambda: time.now, time.sleep)
        limiter.learn({"x-ratelimit-limit": "5"}, 0)
        async with limiter.place() as left:
            for _ in range(3 - others):
                async with limiter.place():
                    pass
            time.now += 3.0
            async with limiter.place():
                pass
        limiter.learn({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "2"}, left)
        async with limiter.place():
            pass

    asyncio.run(main())
    assert time.slept == slept


@pytest.mark.parametrize(
    ("reset", "wait"), [({"x-ratelimit-reset": "0.5"}, 0.5), ({"x-ratelimit-reset": "60"}, 2.0), ({}, 2.0)]
)
def test_places_that_other_clients_have_taken_are_left_to_them(reset: dict[str, str], wait: float) -> None:
    partly = {"x-ratelimit-limit": "20", "x-ratelimit-remaining": "15", **reset}
    assert pauses(lambda limiter: limiter.learn(partly, 0), requests=15) == []
    assert pauses(lambda limiter: limiter.learn(partly, 0), requests=20) == [wait]


def test_however_many_other_clients_there_are_a_request_is_made() -> None:
    crowded = {"x-ratelimit-limit": "1000", "x-ratelimit-remaining": "0.5"}
    assert pauses(lambda limiter: limiter.learn(crowded, 0)) == []


def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    def tell(limiter: Limiter) -> None:
        limiter.pause(5.0)
        limiter.pause(1.0)

    assert pauses(tell) == [5.0]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-ratelimit-remaining": "5", "x-ratelimit-reset": "2"},
        {"x-ratelimit-remaining": "x", "x-ratelimit-limit": "inf"},
        {"x-ratelimit-limit": "nan"},
        {"x-ratelimit-limit": "-1"},
        {"x-ratelimit-limit": "0"},
    ],
)
def test_invalid_rate_limit_headers_are_ignored(headers: dict[str, str]) -> None:
    assert pauses(lambda limiter: limiter.learn(headers, 0)) == []


def test_a_limit_of_one_is_respected() -> None:
    assert pauses(lambda limiter: limiter.learn({"x-ratelimit-limit": "1"}, 0), requests=3) == [2.0, 2.0]
