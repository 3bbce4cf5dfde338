"""The second outside judge: every operation through a proxy that checks both ways against tests/contract."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from leadstate.sandbox import TOKEN, Sandbox, running
from tests.harness.prism import prism_proxy

NOWHERE = "00000000-0000-4000-8000-00000000dead"


class Judged:
    """A client behind the proxy: an answer that breaks the description is a failed test."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def __call__(self, method: str, path: str, status: int = 200, body: Any = None, *, version: str = "v1") -> Any:
        answer = self._client.request(method, f"/api/{version}{path}", json=body)
        assert violations(answer) is None
        assert answer.status_code == status, answer.text
        return answer.json()["data"]


def violations(answer: httpx.Response) -> str | None:
    """Return what the proxy has to say against a request or its answer."""
    if answer.headers["content-type"].startswith("application/problem+json"):
        return answer.text
    found: str | None = answer.headers.get("sl-violations")
    return found


@pytest.fixture(scope="module")
def judged() -> Iterator[Judged]:
    sandbox = Sandbox("drifted", burst=100_000)
    with (
        running(sandbox.app) as upstream,
        prism_proxy(upstream) as proxy,
        httpx.Client(base_url=proxy, headers={"x-api-token": TOKEN}, trust_env=False, timeout=30) as client,
    ):
        yield Judged(client)


def test_operations_on_leads_are_as_described(judged: Judged) -> None:
    lead = {"title": "Judged", "person_id": 1, "value": {"amount": 1.5, "currency": "EUR"}, "origin_id": "judge:two"}
    created = judged("POST", "/leads", 201, lead)
    assert judged("GET", f"/leads/{created['id']}") == created
    assert created in judged("GET", "/leads?limit=500&start=0&sort=add_time&person_id=1")
    assert judged("GET", "/leads?updated_since=2026-11-24T10:20:00Z&limit=1")
    changed = judged("PATCH", f"/leads/{created['id']}", 200, {"value": None, "expected_close_date": "2026-12-31"})
    assert (changed["value"], changed["expected_close_date"]) == (None, "2026-12-31")
    judged("PATCH", f"/leads/{created['id']}", 200, {"is_archived": True})
    assert created["id"] in [lead["id"] for lead in judged("GET", "/leads/archived?limit=500")]
    assert judged("DELETE", f"/leads/{created['id']}") == {"id": created["id"]}
    for method, body in (("GET", None), ("PATCH", {"title": "x"}), ("DELETE", None)):
        assert judged(method, f"/leads/{NOWHERE}", 404, body) is None


def test_operations_on_labels_are_as_described(judged: Judged) -> None:
    label = judged("POST", "/leadLabels", 200, {"name": "Judged", "color": "brown"})
    assert judged("PATCH", f"/leadLabels/{label['id']}", 200, {"color": "dark-gray"})["color"] == "dark-gray"
    assert "Judged" in [label["name"] for label in judged("GET", "/leadLabels")]
    assert judged("DELETE", f"/leadLabels/{label['id']}") == {"id": label["id"]}
    for method, body in (("PATCH", {"name": "x"}), ("DELETE", None)):
        assert judged(method, f"/leadLabels/{NOWHERE}", 404, body) is None


def test_operations_on_the_account_are_as_described(judged: Judged) -> None:
    assert {"name": "API"} in judged("GET", "/leadSources")
    assert judged("GET", "/users/me")["company_domain"] == "acme-emea"
    assert len(judged("GET", "/users")) == 2


def test_look_ups_are_as_described(judged: Judged) -> None:
    people = judged("GET", "/persons?limit=500", version="v2")
    ids = ",".join(str(person["id"]) for person in people[:2])
    assert judged("GET", f"/persons?ids={ids}", version="v2") == people[:2]
    assert judged("GET", f"/persons/{people[0]['id']}", version="v2") == people[0]
    found = judged("GET", "/persons/search?term=test&fields=email&exact_match=false&limit=2", version="v2")["items"]
    assert {"name", "emails"} <= found[0]["item"].keys()
    assert judged("GET", "/organizations/1", version="v2")["id"] == 1
    assert judged("GET", "/organizations/search?term=ac&fields=name", version="v2")["items"]
    assert "Budget" in [field["field_name"] for field in judged("GET", "/dealFields?limit=100", version="v2")]


def test_custom_fields_are_as_described(judged: Judged) -> None:
    fields = judged("GET", "/leadFields?limit=100")
    industry = next(field for field in fields if field["name"] == "Industry")
    budget = next(field["key"] for field in fields if field["name"] == "Budget")
    money = {budget: 1200.5, f"{budget}_currency": "EUR"}
    option = industry["options"][0]["id"]
    created = judged("POST", "/leads", 201, {"title": "Judged", "person_id": 1, industry["key"]: option, **money})
    assert {key: created[key] for key in (*money, industry["key"])} == {**money, industry["key"]: str(option)}
    changed = judged("PATCH", f"/leads/{created['id']}", 200, {industry["key"]: None, budget: None})
    assert not changed.keys() & {*money, industry["key"]}
    judged("DELETE", f"/leads/{created['id']}")


def test_a_violation_is_reported() -> None:
    async def teal(_request: Request) -> Response:
        label = {"id": NOWHERE, "name": "Hot", "color": "teal"}
        return JSONResponse({"success": True, "data": [label]})

    broken = Starlette(routes=[Route("/api/v1/leadLabels", teal)])
    with running(broken) as upstream, prism_proxy(upstream) as proxy:
        answer = httpx.get(f"{proxy}/api/v1/leadLabels", headers={"x-api-token": TOKEN}, trust_env=False)
        assert "color" in str(violations(answer))
        request = httpx.post(
            f"{proxy}/api/v1/leadLabels",
            headers={"x-api-token": TOKEN},
            json={"name": "Hot", "color": "teal"},
            trust_env=False,
        )
        assert "color" in str(violations(request))
        unknown = httpx.get(f"{proxy}/api/v1/nope", headers={"x-api-token": TOKEN}, trust_env=False)
        assert violations(unknown) is not None
