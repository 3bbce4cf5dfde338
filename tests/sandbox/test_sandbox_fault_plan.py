"""Which requests meet which faults; lists that lag; answers that are late by chance."""

from collections.abc import Collection
from random import Random

import pytest

from leadstate.sandbox import Edit, Fault, FaultKind
from tests.harness.sandbox_driver import COLD, HOT, OTHER, World, company

FAIL = FaultKind.ERROR_BEFORE
LABEL = {"name": "VIP", "color": "pink"}


def failing(world: World, requests: int, path: str = "/users/me") -> list[int]:
    """Which of so many requests fail."""
    answers = [world.api("GET", path).status_code for _ in range(requests)]
    return [number for number, status in enumerate(answers, 1) if status != 200]


@pytest.mark.parametrize(
    ("at", "times", "fail"),
    [
        (None, 1, [1]),
        (None, 3, [1, 2, 3]),
        (None, None, [1, 2, 3, 4, 5, 6]),
        (3, 1, [3]),
        (3, 2, [3, 4]),
        (3, None, [3, 4, 5, 6]),
        ({2, 5}, 1, [2, 5]),
        (range(2, 5), 1, [2, 3, 4]),
        ([6], None, [6]),
    ],
)
def test_when_a_fault_strikes(at: int | Collection[int] | None, times: int | None, fail: list[int]) -> None:
    world = World()
    world.sandbox.faults.add(Fault(FAIL, at=at, times=times))
    assert failing(world, 6) == fail
    assert [fired.number for fired in world.sandbox.faults.fired] == fail
    assert world.sandbox.faults.requests == 6


def test_an_operation_has_its_own_count() -> None:
    world = World()
    world.sandbox.faults.add(Fault(FAIL, at=2, operation="getLeadLabels"))
    assert failing(world, 3, "/leads") == []
    assert failing(world, 3, "/leadLabels") == [2]
    assert failing(world, 3, "/leadLabels") == []
    assert [(fired.number, fired.operation) for fired in world.sandbox.faults.fired] == [(5, "getLeadLabels")]


def test_a_company_has_its_own_count() -> None:
    world = World(company(), company(OTHER, 7042))
    world.sandbox.faults.add(Fault(FAIL, at=2, company=7042))
    assert failing(world, 3) == []
    assert [world.api("GET", "/leads", token=OTHER).status_code for _ in range(3)] == [200, 503, 200]
    assert [fired.company for fired in world.sandbox.faults.fired] == [7042]


def test_only_requests_that_are_let_in_have_a_number() -> None:
    world = World(burst=1)
    world.sandbox.faults.add(Fault(FAIL, at=2))
    world.api("GET", "/leads", token=None)
    world.api("GET", "/nowhere")
    world.call("GET", "/_sandbox/meter")
    assert [world.api("GET", "/leads").status_code for _ in range(3)] == [200, 429, 429]
    world.clock.pass_by(2)
    assert world.api("GET", "/leads").status_code == 503


def test_requests_count_from_when_the_plan_was_set() -> None:
    world = World()
    faults = world.sandbox.faults
    assert failing(world, 5) == []
    faults.add(Fault(FAIL, at=2))
    assert failing(world, 3) == [2]
    faults.add(Fault(FAIL, at=4))
    assert failing(world, 3) == [1], "one that is added later counts with the plan"
    faults.clear()
    assert (faults.plan, faults.fired, faults.requests) == ((), [], 0)
    faults.add(Fault(FAIL))
    assert failing(world, 3) == [1]
    faults.replace([Fault(FAIL), Fault(FAIL, at=3)])
    assert failing(world, 3) == [1, 3]


def test_one_fault_strikes_and_the_next_waits_for_its_turn() -> None:
    world = World()
    fault = Fault(FaultKind.SHIELD)
    world.sandbox.faults.add(Fault(FAIL), fault, fault)
    assert [world.api("GET", "/leads").status_code for _ in range(4)] == [503, 403, 403, 200]


def test_faults_given_at_the_start() -> None:
    world = World(faults=[Fault(FAIL, at=2)])
    assert failing(world, 3) == [2]


@pytest.mark.parametrize("lag", [0, 1, 3])
def test_lists_lag_by_so_many_requests(lag: int) -> None:
    world = World()
    kept, doomed = world.add(title="kept"), world.add(title="doomed")
    world.sandbox.lag = lag
    world.listed()
    world.data("PATCH", f"/leads/{kept['id']}", {"title": "changed"})
    assert [world.listed() for _ in range(lag + 1)] == [["kept", "doomed"]] * lag + [["changed", "doomed"]]
    world.data("DELETE", f"/leads/{doomed['id']}")
    assert [world.listed() for _ in range(lag + 1)] == [["changed", "doomed"]] * lag + [["changed"]]
    world.data("POST", "/leadLabels", LABEL)
    seen = [[label["id"] for label in world.data("GET", "/leadLabels")] for _ in range(lag + 1)]
    assert seen[:lag] == [[HOT, COLD]] * lag
    assert len(seen[lag]) == 3


def test_a_lead_by_its_id_and_the_archive() -> None:
    world = World(lag=2)
    world.listed()
    lead = world.add(title="new")
    assert world.data("GET", f"/leads/{lead['id']}")["title"] == "new"
    world.data("PATCH", f"/leads/{lead['id']}", {"is_archived": True})
    assert world.listed("/leads/archived") == []
    assert world.listed("/leads") == ["new"]
    assert world.listed("/leads/archived") == ["new"]
    assert world.listed("/leads") == []


def test_a_company_lags_by_its_own_requests_and_an_end_ends_it() -> None:
    world = World(company(), company(OTHER, 7042), lag=1)
    world.listed()
    world.add(title="new")
    world.api("GET", "/leads", token=OTHER)
    world.api("GET", "/leads", token=OTHER)
    assert world.listed() == []
    assert world.listed() == ["new"]
    world.add(title="newer")
    world.sandbox.lag = 0
    assert world.listed() == ["new", "newer"]
    world.sandbox.lag = 1
    assert world.listed() == ["new", "newer"], "the past begins anew"
    world.sandbox.replace({"companies": [company()]})
    assert world.listed() == []


def test_what_people_and_faults_write_lags_too() -> None:
    world = World(lag=1)
    world.data("GET", "/leadLabels")
    world.sandbox.faults.add(
        Fault(FaultKind.EDIT, changes=[Edit("deleteLeadLabel", id=HOT)]),
        Fault(FaultKind.ERROR_AFTER, operation="addLeadLabel"),
    )
    assert world.api("POST", "/leadLabels", LABEL).status_code == 503
    seen = [[label["name"] for label in world.data("GET", "/leadLabels")] for _ in range(2)]
    assert seen == [["Cold"], ["Cold", "VIP"]], "the edit came a request earlier than the label"


def test_jitter_is_drawn_from_the_chance_that_is_given() -> None:
    world = World(latency=0.25, jitter=0.5, chance=Random(7))  # noqa: S311
    failing(world, 3)
    dice = Random(7)  # noqa: S311
    assert world.slept == [0.25 + dice.uniform(0, 0.5) for _ in range(3)]
    assert len(set(world.slept)) == 3
    world.sandbox.latency = 0
    failing(world, 1)
    assert world.slept[3] == dice.uniform(0, 0.5)
