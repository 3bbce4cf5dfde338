"""Each kind of fault: what the client gets, what is committed, and what it costs."""

import httpx
import pytest

from leadstate.sandbox import Edit, Fault, FaultError, FaultKind
from tests.harness.sandbox_driver import COLD, HOT, NOWHERE, World

NEW = {"title": "new", "person_id": 1}


def struck(kind: FaultKind, **more: object) -> World:
    """A world whose next request meets this fault."""
    world = World(daily=1000)
    world.sandbox.faults.add(Fault(kind, **more))  # type: ignore[arg-type]
    return world


@pytest.mark.parametrize(("kind", "committed"), [(FaultKind.ERROR_BEFORE, []), (FaultKind.ERROR_AFTER, ["new"])])
@pytest.mark.parametrize("status", [500, 502, 503, 599])
def test_a_server_error_before_or_after_the_commit(kind: FaultKind, committed: list[str], status: int) -> None:
    world = struck(kind, status=status)
    answer = world.api("POST", "/leads", NEW)
    assert answer.status_code == status
    assert set(answer.json()) == {"success", "error", "error_info", "data", "additional_data"}
    assert answer.json()["success"] is False
    assert answer.headers["x-daily-ratelimit-token-remaining"] == "990"
    assert world.titles == committed
    assert world.sandbox.meter.tokens == 10
    assert world.api("POST", "/leads", NEW).status_code == 201, "a fault strikes once"


def test_a_server_error_is_503_unless_another_is_asked_for() -> None:
    assert struck(FaultKind.ERROR_BEFORE).api("GET", "/leads").status_code == 503


def test_a_429_that_costs_nothing() -> None:
    world = World(burst=5, daily=1000, latency=1)
    world.sandbox.faults.add(Fault(FaultKind.RATE_LIMITED))
    refused = world.api("POST", "/leads", NEW)
    assert refused.status_code == 429
    assert refused.json() == {"success": False, "error": "request over limit", "errorCode": 429}
    assert refused.headers["retry-after"] == "2"
    assert refused.headers["x-ratelimit-remaining"] == "0"
    assert refused.headers["x-daily-ratelimit-token-remaining"] == "1000"
    assert (world.titles, world.slept) == ([], [])
    assert (world.sandbox.meter.requests, world.sandbox.meter.tokens, world.sandbox.meter.refused) == (0, 0, 1)
    assert world.api("GET", "/leads").headers["x-ratelimit-remaining"] == "4", "the window took no notice"


@pytest.mark.parametrize(("seconds", "header"), [(0, "0"), (9, "9"), (None, None)])
def test_a_429_says_when_to_come_back_or_does_not(seconds: int | None, header: str | None) -> None:
    answer = struck(FaultKind.RATE_LIMITED, retry_after=seconds).api("GET", "/leads")
    assert answer.headers.get("retry-after") == header


@pytest.mark.parametrize(
    ("kind", "error", "committed"),
    [
        (FaultKind.RESET, httpx.ReadError, []),
        (FaultKind.LOST, httpx.RemoteProtocolError, ["new"]),
        (FaultKind.CUT, httpx.RemoteProtocolError, ["new"]),
    ],
)
def test_a_connection_that_breaks(kind: FaultKind, error: type[Exception], committed: list[str]) -> None:
    world = struck(kind)
    assert type(world.broken("POST", "/leads", NEW)) is error
    assert world.titles == committed
    assert world.sandbox.meter.tokens == 10


@pytest.mark.parametrize("kind", [FaultKind.LOST, FaultKind.CUT, FaultKind.ERROR_AFTER])
def test_what_is_refused_is_not_committed_by_a_fault(kind: FaultKind) -> None:
    world = struck(kind)
    if kind is FaultKind.ERROR_AFTER:
        assert world.api("POST", "/leads", {"title": "nobody's"}).status_code == 503
    else:
        world.broken("POST", "/leads", {"title": "nobody's"})
    assert world.titles == []


@pytest.mark.parametrize(("kind", "status"), [(FaultKind.SHIELD, 403), (FaultKind.HTML, 200)])
def test_a_page_of_somebody_in_between(kind: FaultKind, status: int) -> None:
    world = struck(kind)
    answer = world.api("POST", "/leads", NEW)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.text.startswith("<!DOCTYPE html>")
    assert not any("ratelimit" in name or "correlation" in name for name in answer.headers)
    assert world.titles == []
    assert world.sandbox.meter.tokens == 10


@pytest.mark.parametrize(("missing", "titles"), [(1, ["0", "1"]), (2, ["0"]), (4, [])])
def test_a_short_page(missing: int, titles: list[str]) -> None:
    world = World()
    for number in range(3):
        world.add(title=str(number))
    world.sandbox.faults.add(Fault(FaultKind.SHORT_PAGE, missing=missing))
    world.api("GET", "/leadLabels")
    body = world.api("GET", "/leads", params={"limit": 3}).json()
    assert [lead["title"] for lead in body["data"]] == titles
    assert body["additional_data"]["pagination"] == {
        "start": 0,
        "limit": 3,
        "more_items_in_collection": True,
        "next_start": 3,
    }
    assert world.listed() == ["0", "1", "2"]
    assert [(fired.number, fired.operation) for fired in world.sandbox.faults.fired] == [(2, "getLeads")]


def test_an_error_is_no_page_to_shorten() -> None:
    world = struck(FaultKind.SHORT_PAGE, operation="getArchivedLeads")
    assert world.refusal("GET", "/leads/archived", params={"limit": "x"}) == "limit must be an integer of at least 1"


def test_people_change_things_just_before_a_request() -> None:
    world = World()
    lead = world.add(title="theirs", label_ids=[HOT])
    world.clock.pass_by(60)
    world.sandbox.faults.add(
        Fault(
            FaultKind.EDIT,
            at=2,
            changes=[
                Edit("updateLeadLabel", {"color": "pink"}, named="Hot"),
                Edit("deleteLeadLabel", id=COLD),
                Edit("addLeadLabel", {"name": "VIP", "color": "red"}),
                Edit("updateLead", {"title": "renamed"}, named="theirs"),
                Edit("addLead", {"title": "by hand", "person_id": 2}),
            ],
        )
    )
    assert [label["name"] for label in world.data("GET", "/leadLabels")] == ["Hot", "Cold"]
    after = world.data("GET", "/leadLabels")
    assert [(label["name"], label["color"]) for label in after] == [("Hot", "pink"), ("VIP", "red")]
    assert after[0]["update_time"] == "2026-11-24T10:01:00.000Z"
    assert world.data("GET", f"/leads/{lead['id']}")["title"] == "renamed"
    assert world.titles == ["renamed", "by hand"]
    assert world.sandbox.meter.tokens == 32, "people are not charged"
    (fired,) = world.sandbox.faults.fired
    assert (fired.number, fired.problem) == (2, "")


def test_an_edit_that_cannot_be_made_is_told_and_harms_nobody() -> None:
    changes = [
        Edit("deleteLeadLabel", named="Tepid"),
        Edit("deleteLead", id=NOWHERE),
        Edit("updateLead", {"title": "x"}, named="nobody"),
        Edit("addLead", {"title": "x"}),
        Edit("updateLeadLabel", {"color": "pink"}, id=HOT),
    ]
    world = struck(FaultKind.EDIT, changes=changes)
    assert world.data("GET", "/leadLabels")[0]["color"] == "pink"
    assert world.sandbox.faults.fired[0].problem == (
        "deleteLeadLabel: requested lead label not found; deleteLead: requested lead not found; "
        "updateLead: requested lead not found; addLead: person_id or organization_id must be given"
    )


def test_a_lead_can_be_named_by_its_origin_id_and_the_oldest_is_meant() -> None:
    world = World()
    first, second = world.add(title="twin", origin_id="ours/1"), world.add(title="twin", origin_id="ours/2")
    delete = Fault(FaultKind.EDIT, changes=[Edit("deleteLead", named="ours/2")])
    rename = Fault(FaultKind.EDIT, changes=[Edit("updateLead", {"title": "older"}, named="twin")])
    world.sandbox.faults.add(rename, delete)
    assert world.api("GET", f"/leads/{second['id']}").status_code == 404
    assert world.data("GET", f"/leads/{first['id']}")["title"] == "older"


def test_an_edit_comes_with_a_429_and_with_any_other_fault() -> None:
    for kind in (FaultKind.RATE_LIMITED, FaultKind.ERROR_BEFORE, FaultKind.SHIELD):
        world = struck(kind)
        world.sandbox.faults.add(Fault(FaultKind.EDIT, changes=[Edit("deleteLeadLabel", id=HOT)]))
        assert world.api("GET", "/leadLabels").status_code in (429, 503, 403)
        assert [label.id for label in world.sandbox.companies[0].labels()] == [COLD]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"kind": "explode"}, "kind: must be one of error-before, "),
        ({"at": 0}, "at: must be a positive integer"),
        ({"at": True}, "at: must be a positive integer"),
        ({"at": {1, 0}}, "at: must be a positive integer"),
        ({"at": ()}, "at: must name a request"),
        ({"times": 0}, "times: must be a positive integer"),
        ({"company": "acme"}, "company: must be a positive integer"),
        ({"status": 429}, "status: must be from 500 to 599"),
        ({"retry_after": -1}, "retry_after: must be whole seconds"),
        ({"missing": 0}, "missing: must be a positive integer"),
        ({"operation": "addLed"}, "operation: must be one of addLead, "),
        ({"kind": "short-page", "operation": "getLead"}, "operation: must be one of getArchivedLeads, getLeads"),
        ({"changes": [Edit("deleteLead", id=NOWHERE)]}, "changes: must be given for edit"),
        ({"kind": "edit"}, "changes: must be given for edit"),
    ],
)
def test_a_fault_that_makes_no_sense(given: dict[str, object], message: str) -> None:
    with pytest.raises(FaultError, match=f"^{message}"):
        Fault(**{"kind": FaultKind.LOST, **given})  # type: ignore[arg-type]
