"""Every answer against the structural description of the API in tests/contract."""

import jsonschema
import pytest

from leadstate.sandbox import Sandbox
from tests.harness.contract import check_answer, operations
from tests.harness.sandbox_driver import NOWHERE, TOKEN, World


def test_every_answer_satisfies_its_schema() -> None:
    world = World()
    world.sandbox.replace(Sandbox("drifted").dump())
    token = world.sandbox.companies[0].token
    label = world.data("POST", "/leadLabels", {"name": "New", "color": "dark-gray"}, token=token)["id"]
    new = {"title": "New", "person_id": 1, "label_ids": [label], "value": {"amount": 9.5, "currency": "EUR"}}
    lead = world.data("POST", "/leads", new, token=token)["id"]
    seen: set[tuple[str, int]] = set()
    for operation, path, body, status in (
        ("getLeads", "/leads?limit=500", None, 200),
        ("getLeads", "/leads?limit=3", None, 200),
        ("getArchivedLeads", "/leads/archived", None, 200),
        ("getLead", f"/leads/{lead}", None, 200),
        ("getLead", f"/leads/{NOWHERE}", None, 404),
        ("addLead", "/leads", new, 201),
        ("updateLead", f"/leads/{lead}", {"value": None, "expected_close_date": "2026-12-31"}, 200),
        ("updateLead", f"/leads/{NOWHERE}", {"title": "x"}, 404),
        ("getLeadLabels", "/leadLabels", None, 200),
        ("addLeadLabel", "/leadLabels", {"name": "Newer", "color": "brown"}, 200),
        ("updateLeadLabel", f"/leadLabels/{label}", {"name": "Newest"}, 200),
        ("updateLeadLabel", f"/leadLabels/{NOWHERE}", {"name": "x"}, 404),
        ("deleteLeadLabel", f"/leadLabels/{label}", None, 200),
        ("deleteLeadLabel", f"/leadLabels/{NOWHERE}", None, 404),
        ("deleteLead", f"/leads/{lead}", None, 200),
        ("deleteLead", f"/leads/{NOWHERE}", None, 404),
        ("getLeadSources", "/leadSources", None, 200),
        ("getFilters", "/filters", None, 200),
        ("getFilters", "/filters?type=leads", None, 200),
        ("getFilter", "/filters/1", None, 200),
        ("getFilter", "/filters/404", None, 404),
        ("getLeadFields", "/leadFields", None, 200),
        ("getLeadFields", "/leadFields?limit=2", None, 200),
        ("getUsers", "/users", None, 200),
        ("getCurrentUser", "/users/me", None, 200),
        ("getCurrentUser", "/users/me", None, 401),
    ):
        answer = world.api(operations()[operation].method, path, body, token=None if status == 401 else token)
        assert answer.status_code == status
        check_answer(operation, answer.json(), status)
        seen.add((operation, status))
    assert seen == {
        (name, int(status))
        for name, operation in operations().items()
        if operation.version == "v1"
        for status in operation.body["responses"]
    }


def test_every_answer_of_version_2_satisfies_its_schema() -> None:
    world = World()
    drifted = Sandbox("drifted").dump()["companies"][0]
    del drifted["persons"][0]["organization_id"], drifted["organizations"][0]["address"]
    world.sandbox.replace({**drifted, "token": TOKEN})
    seen = set()
    for operation, path, query in (
        ("searchPersons", "/persons/search", {"term": "test", "fields": "email"}),
        ("searchPersons", "/persons/search", {"term": "test", "limit": 3}),
        ("searchOrganization", "/organizations/search", {"term": "ac"}),
        ("getDealFields", "/dealFields", {}),
        ("getDealFields", "/dealFields", {"limit": 3}),
        ("getPersons", "/persons", {}),
        ("getPersons", "/persons", {"limit": 2}),
        ("getPerson", "/persons/1", {}),
        ("getPerson", "/persons/2", {}),
        ("getOrganization", "/organizations/1", {}),
        ("getOrganization", "/organizations/2", {}),
    ):
        body = world.second(path, **query)
        assert body["data"]
        check_answer(operation, body)
        seen.add(operation)
    assert seen == {name for name, operation in operations().items() if operation.version == "v2"}


def test_the_schema_check_refuses_a_malformed_answer() -> None:
    labels = World().api("GET", "/leadLabels").json()
    check_answer("getLeadLabels", labels)
    labels["data"][0]["color"] = "teal"
    with pytest.raises(jsonschema.ValidationError, match="teal"):
        check_answer("getLeadLabels", labels)
    del labels["data"][0]["color"]
    with pytest.raises(jsonschema.ValidationError, match="color"):
        check_answer("getLeadLabels", labels)
    found = World().second("/persons/search", term="person")
    check_answer("searchPersons", found)
    del found["data"]["items"][0]["item"]["emails"]
    with pytest.raises(jsonschema.ValidationError, match="emails"):
        check_answer("searchPersons", found)
