"""What stands around every operation: the token, the prefixes, unknown paths and methods, and broken bodies."""

import asyncio

import httpx
import pytest

from tests.harness.sandbox_driver import COLD, HOT, OTHER, TOKEN, World, company


@pytest.mark.parametrize("token", [None, "", "wrong", TOKEN.upper()])
def test_an_unknown_token_gets_the_401_of_the_gateway(token: str | None) -> None:
    world = World()
    answer = world.api("GET", "/leadLabels", token=token)
    assert answer.status_code == 401
    assert answer.json() == {
        "success": False,
        "error": "unauthorized access",
        "errorCode": 401,
        "error_info": "Please check developers.pipedrive.com",
    }
    assert answer.headers["x-401-by-gw"] == "true"
    assert answer.headers["x-correlation-id"]
    assert not any("ratelimit" in name for name in answer.headers)
    assert world.sandbox.meter.requests == 0


def test_version_1_accepts_the_token_in_the_query() -> None:
    world = World()
    assert world.api("GET", "/leadLabels", token=None, params={"api_token": TOKEN}).status_code == 200
    assert world.api("GET", "/leadLabels", token=None, params={"api_token": "wrong"}).status_code == 401
    assert world.api("GET", "/leadLabels", token="wrong", params={"api_token": TOKEN}).status_code == 401
    assert world.call("GET", "/api/v2/persons", token=None, params={"api_token": TOKEN}).status_code == 401


@pytest.mark.parametrize("prefix", ["/api/v1", "/v1"])
def test_both_prefixes_serve_the_same_operations(prefix: str) -> None:
    world = World()
    assert [label["id"] for label in world.call("GET", f"{prefix}/leadLabels").json()["data"]] == [HOT, COLD]
    created = world.call("POST", f"{prefix}/leads", {"title": "x", "person_id": 1}).json()["data"]
    assert world.call("GET", f"{prefix}/leads/{created['id']}").json()["data"] == created


@pytest.mark.parametrize("path", ["/nope", "/api/v1/nope", "/api/v2/leads", "/api/v1/leads/", "/leads", "/api/v1"])
def test_an_unknown_path_is_404(path: str) -> None:
    answer = World().call("GET", path)
    assert answer.status_code == 404
    assert answer.json()["success"] is False
    assert answer.json()["data"] is None
    assert answer.headers["x-leadstate-sandbox"] == "1"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/leads", {"GET", "HEAD", "POST"}),
        ("PUT", "/leads/x", {"GET", "HEAD", "PATCH", "DELETE"}),
        ("POST", "/leads/archived", {"GET", "HEAD"}),
        ("DELETE", "/leadLabels", {"GET", "HEAD", "POST"}),
        ("POST", "/users", {"GET", "HEAD"}),
    ],
)
def test_a_wrong_method_is_405_and_names_the_allowed_ones(method: str, path: str, allowed: set[str]) -> None:
    answer = World().api(method, path)
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == allowed
    assert set(answer.json()) == {"success", "error", "error_info", "data", "additional_data"}


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"null",
        b'"title"',
        b"title=x&person_id=1",
        b'{"title": "x", "person_id": 1, "value": {"amount": NaN, "currency": "EUR"}}',
        b'{"title": "x", "person_id": 1, "' + b"f" * 40 + b'": NaN}',
        b'{"title": "x", "person_id": 1, "value": {"amount": 1e999, "currency": "EUR"}}',
        b'{"title": "\xff", "person_id": 1}',
        b'{"title": "x", "person_id": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        rb'{"title": "half a pair: \ud83d", "person_id": 1}',
        rb'{"\uD83D": 1}',
    ],
)
def test_a_body_that_is_not_a_json_object_is_refused(body: bytes) -> None:
    world = World()
    lead = world.add()
    world.refusal("POST", "/leads", body)
    world.refusal("PATCH", f"/leads/{lead['id']}", body)
    world.refusal("POST", "/leadLabels", body)
    world.refusal("PATCH", f"/leadLabels/{HOT}", body)


def test_a_missing_body_is_an_empty_one() -> None:
    world = World()
    lead = world.add()
    assert world.refusal("POST", "/leads") == "title is required"
    assert world.refusal("POST", "/leadLabels", b"") == "name is required"
    assert world.data("PATCH", f"/leads/{lead['id']}", b"") == lead
    assert world.data("PATCH", f"/leadLabels/{HOT}")["name"] == "Hot"


def test_every_answer_has_the_header_of_the_sandbox() -> None:
    world = World()
    for answer in (
        world.call("GET", "/"),
        world.api("GET", "/leads"),
        world.api("GET", "/leads", token=None),
        world.api("GET", "/leads", params={"limit": "x"}),
        world.api("PUT", "/leads"),
        world.call("GET", "/_sandbox/state"),
    ):
        assert answer.headers["x-leadstate-sandbox"] == "1"
    assert world.call("GET", "/").json()["is_pipedrive"] is False


def test_an_internal_error_is_a_500_in_the_error_envelope(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()

    def crash(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(world.sandbox.companies[0], "labels", crash)
    answer = world.api("GET", "/leadLabels")
    assert answer.status_code == 500
    assert answer.json()["error"] == "internal server error"
    assert answer.headers["x-leadstate-sandbox"] == "1"


def test_the_current_user_is_the_first_user_of_the_company() -> None:
    world = World(company(), company(OTHER, 7042))
    me = world.data("GET", "/users/me")
    assert (me["id"], me["email"], me["is_you"]) == (1, "user1@acme.test", True)
    assert (me["company_id"], me["company_name"], me["company_domain"]) == (7041, "Company 7041", "company-7041")
    assert all(access["admin"] for access in me["access"])
    assert world.data("GET", "/users/me", token=OTHER)["company_id"] == 7042


def test_users_and_lead_sources_are_listed() -> None:
    world = World()
    users = world.data("GET", "/users")
    assert [(user["id"], user["is_you"], user["active_flag"]) for user in users] == [(1, True, True), (2, False, True)]
    assert {"name": "API"} in world.data("GET", "/leadSources")
    assert len(world.data("GET", "/leadSources")) == 10


def test_latency_delays_each_admitted_request_once() -> None:
    world = World(latency=0.25, burst=2)
    world.api("GET", "/leads")
    world.api("POST", "/leads", b"{")
    world.api("GET", "/leads")
    world.api("GET", "/leads", token=None)
    world.call("GET", "/_sandbox/meter")
    assert world.slept == [0.25, 0.25]


def test_concurrent_requests_do_not_interleave_a_write() -> None:
    world = World(company(unique_label_names=True), latency=0.1)

    async def both() -> list[int]:
        transport = httpx.ASGITransport(world.sandbox.app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://sandbox/api/v1", headers={"x-api-token": TOKEN}
        ) as client:
            posts = [client.post("/leadLabels", json={"name": "VIP", "color": "red"}) for _ in range(5)]
            return [answer.status_code for answer in await asyncio.gather(*posts)]

    assert sorted(asyncio.run(both())) == [200, 400, 400, 400, 400]
