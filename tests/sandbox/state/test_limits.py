"""Token costs, the meter, the burst window and the daily budget."""

import httpx
import pytest

from leadstate.sandbox import TOKEN_COSTS
from tests.harness.sandbox_driver import COLD, HOT, NOWHERE, OTHER, World, company

CALLS = [
    ("getLeads", "GET", "/leads", 20),
    ("getArchivedLeads", "GET", "/leads/archived", 40),
    ("getLead", "GET", f"/leads/{NOWHERE}", 2),
    ("addLead", "POST", "/leads", 10),
    ("updateLead", "PATCH", f"/leads/{NOWHERE}", 10),
    ("deleteLead", "DELETE", f"/leads/{NOWHERE}", 6),
    ("getLeadLabels", "GET", "/leadLabels", 10),
    ("addLeadLabel", "POST", "/leadLabels", 10),
    ("updateLeadLabel", "PATCH", f"/leadLabels/{COLD}", 10),
    ("deleteLeadLabel", "DELETE", f"/leadLabels/{HOT}", 6),
    ("getLeadSources", "GET", "/leadSources", 2),
    ("getUsers", "GET", "/users", 20),
    ("getCurrentUser", "GET", "/users/me", 2),
    ("getLeadFields", "GET", "/leadFields", 20),
    ("getDealFields", "GET", "/api/v2/dealFields", 10),
    ("getPersons", "GET", "/api/v2/persons", 10),
    ("searchPersons", "GET", "/api/v2/persons/search", 20),
    ("searchOrganization", "GET", "/api/v2/organizations/search", 20),
]
SEARCHES = ("/api/v2/persons/search", "/api/v2/organizations/search")


@pytest.mark.parametrize(("operation", "method", "path", "cost"), CALLS)
def test_each_operation_costs_its_documented_tokens(operation: str, method: str, path: str, cost: int) -> None:
    world = World(daily=100)
    answer = world.call(method, path) if path.startswith("/api/") else world.api(method, path)
    assert answer.headers["x-daily-ratelimit-token-limit"] == "100"
    assert answer.headers["x-daily-ratelimit-token-remaining"] == str(100 - cost)
    assert world.sandbox.meter.report() == {
        "requests": 1,
        "tokens": cost,
        "refused": 0,
        "companies": {
            "7041": {
                "requests": 1,
                "tokens": cost,
                "refused": 0,
                "operations": {operation: {"requests": 1, "tokens": cost}},
            }
        },
    }
    assert TOKEN_COSTS[operation] == cost


def test_the_meter_counts_by_company_and_can_be_reset() -> None:
    world = World(company(), company(OTHER, 7042))
    for _ in range(3):
        world.api("GET", "/leadLabels")
    world.api("GET", "/users/me", token=OTHER)
    meter = world.sandbox.meter
    assert (meter.requests, meter.tokens, meter.refused) == (4, 32, 0)
    report = world.call("GET", "/_sandbox/meter").json()
    assert report == meter.report()
    assert report["companies"]["7042"]["operations"] == {"getCurrentUser": {"requests": 1, "tokens": 2}}
    assert "token-of" not in world.call("GET", "/_sandbox/meter").text
    meter.reset()
    assert (meter.requests, meter.tokens) == (0, 0)


@pytest.mark.parametrize(
    ("plan", "burst", "daily"), [("lite", 20, 1), ("growth", 40, 2), ("premium", 100, 5), ("ultimate", 120, 7)]
)
def test_each_plan_has_its_documented_limits(plan: str, burst: int, daily: int) -> None:
    headers = World(company(plan=plan), burst="plan", daily="plan").api("GET", "/users/me").headers
    assert headers["x-ratelimit-limit"] == str(burst)
    assert headers["x-ratelimit-remaining"] == str(burst - 1)
    assert headers["x-ratelimit-reset"] == "2"
    assert headers["x-daily-ratelimit-token-limit"] == str(30_000 * daily * 2), "two users are two seats"


def test_disabled_limits_send_no_headers() -> None:
    answer = World(burst=None, daily=None).api("GET", "/leads")
    assert not any("ratelimit" in name for name in answer.headers)


def test_the_burst_window_rolls() -> None:
    world = World(company(), company(OTHER, 7042), burst=2)
    assert world.api("GET", "/users/me").headers["x-ratelimit-remaining"] == "1"
    world.clock.pass_by(1.5)
    second = world.api("GET", "/users/me")
    assert (second.headers["x-ratelimit-remaining"], second.headers["x-ratelimit-reset"]) == ("0", "1")
    refused = world.api("GET", "/users/me")
    assert refused.status_code == 429
    assert refused.json() == {"success": False, "error": "request over limit", "errorCode": 429}
    assert refused.headers["retry-after"] == "2"
    assert refused.headers["x-ratelimit-remaining"] == "0"
    assert world.api("GET", "/users/me", token=OTHER).status_code == 200, "the window is a token's own"
    world.clock.pass_by(0.5)
    assert world.api("GET", "/users/me").status_code == 200, "the first request has left the window"
    assert world.api("GET", "/users/me").status_code == 429
    assert (world.sandbox.meter.requests, world.sandbox.meter.refused) == (4, 2)


def search(world: World, place: int = 0) -> httpx.Response:
    return world.call("GET", SEARCHES[place % len(SEARCHES)], params={"term": "nobody"})


def test_searches_count_in_their_own_and_in_the_general_window() -> None:
    world = World(company(plan="ultimate"), burst="plan")
    first = search(world)
    assert (first.headers["x-ratelimit-limit"], first.headers["x-ratelimit-remaining"]) == ("10", "9")
    assert all(search(world, place).status_code == 200 for place in range(1, 10))
    refused = search(world)
    assert (refused.status_code, refused.json()["error"]) == (429, "request over limit")
    assert (refused.headers["retry-after"], refused.headers["x-ratelimit-remaining"]) == ("2", "0")
    other = world.api("GET", "/users/me")
    assert other.status_code == 200, "only searches are refused"
    assert other.headers["x-ratelimit-remaining"] == str(120 - 11), "searches count in the general window too"
    world.clock.pass_by(2)
    assert search(world).status_code == 200


def test_a_full_general_window_refuses_searches() -> None:
    world = World(burst=2)
    assert [search(world, place).status_code for place in range(3)] == [200, 200, 429]
    assert world.api("GET", "/users/me").status_code == 429


def test_without_a_burst_limit_searches_are_not_limited() -> None:
    world = World(burst=None)
    assert {search(world, place).status_code for place in range(12)} == {200}


def test_the_daily_budget_ends_at_midnight() -> None:
    world = World(daily=25)
    assert world.api("GET", "/leads").status_code == 200
    refused = world.api("POST", "/leads", {"title": "x", "person_id": 1})
    assert refused.status_code == 429
    assert refused.json() == {"success": False, "error": "daily request budget exceeded", "errorCode": 429}
    assert refused.headers["retry-after"] == str(14 * 3600)
    assert refused.headers["x-daily-ratelimit-token-remaining"] == "5"
    assert world.api("GET", "/users/me").status_code == 200, "what is left can be spent"
    world.clock.pass_by(14 * 3600 - 1)
    assert world.api("POST", "/leads", {"title": "x", "person_id": 1}).headers["retry-after"] == "1"
    world.clock.pass_by(1)
    assert world.api("POST", "/leads", {"title": "x", "person_id": 1}).status_code == 201
    assert [lead.title for lead in world.sandbox.companies[0].tables().leads] == ["x"]


def test_a_refused_request_costs_nothing() -> None:
    world = World(burst=1, daily=1000)
    world.api("GET", "/leads")
    refused = world.api("GET", "/leads")
    assert refused.headers["x-daily-ratelimit-token-remaining"] == "980"
    assert world.sandbox.meter.tokens == 20
