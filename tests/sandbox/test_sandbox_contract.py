"""Every answer against the response schemas of the vendor's OpenAPI description."""

import copy
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from leadstate.sandbox import TOKEN_COSTS, Sandbox
from leadstate.sandbox.routes import OPERATIONS
from tests.sandbox.driver import NOWHERE, TOKEN, World

OPENAPI = Path(__file__).resolve().parents[2].parent / "shared" / "openapi"
SPECS = {1: OPENAPI / "pipedrive-v1-leads.yaml", 2: OPENAPI / "pipedrive-v2-lookups.yaml"}

pytestmark = pytest.mark.skipif(
    not all(spec.exists() for spec in SPECS.values()), reason=f"the vendor's OpenAPI descriptions are not at {OPENAPI}"
)

UNDESCRIBED = {"getPersons": 10}
"""What the folder's descriptions leave out, with its price in the facts beside them."""
NULLS = {"next_cursor", "organization", "address", "org_id", "last_name", "picture_id"}
"""What the second version's description forgets to call nullable: its words say so of one, real bodies of others."""
ON_REQUEST = {"ui_visibility", "important_fields", "required_fields"}
"""What a field has only if `include_fields` asks for it."""
OCCASIONAL = {"is_subfield", "subfields", "options_deleted"}
"""What a lead field has only if there is such a thing, as its description says."""
CONTACT_SYNC = {"postal_address", "notes", "im", "birthday", "job_title"}
"""What a person has only where contacts are synchronized."""


@cache
def described(version: int = 1) -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Operation id → path, method, operation."""
    spec = YAML(typ="safe").load(SPECS[version].read_text(encoding="utf-8"))
    return {
        operation["operationId"]: (path, method.upper(), operation)
        for path, methods in spec["paths"].items()
        for method, operation in methods.items()
    }


def converted(schema: Any) -> Any:
    """OpenAPI 3.0 to JSON Schema: `nullable` becomes a type more, and an enum value more."""
    if isinstance(schema, list):
        return [converted(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result = {key: converted(value) for key, value in schema.items() if key not in ("nullable", "example")}
    if schema.get("nullable") is True and "type" in result:
        result["type"] = [result["type"], "null"]
    return result


def closed(schema: Any) -> Any:
    """The same, but every named property has to be there: real bodies have them all."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result = {key: closed(value) for key, value in schema.items()}
    if schema.get("type") == "object" and isinstance(schema.get("properties"), dict):
        result["required"] = sorted(schema["properties"])
        if schema.get("title") == "Field":
            result["required"] = sorted(schema["properties"].keys() - OCCASIONAL)
    return result


def second(schema: Any) -> Any:
    """A schema of the second version, with the nulls that it forgets and without what is not always there."""
    if isinstance(schema, list):
        return [second(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result = {key: second(value) for key, value in schema.items()}
    if isinstance(result.get("properties"), dict):
        kept = {name: one for name, one in result["properties"].items() if name not in ON_REQUEST}
        result["properties"] = {
            name: {**one, "nullable": True} if name in NULLS and "type" in one else one for name, one in kept.items()
        }
    return result


def checked_second(operation: str, body: Any) -> None:
    schema = described(2)[operation][2]["responses"]["200"]["content"]["application/json"]["schema"]
    strict = closed(converted(second(schema)))
    jsonschema.Draft202012Validator(strict, format_checker=jsonschema.FormatChecker()).validate(body)


def checked(operation: str, status: int, body: Any) -> None:
    schema = described()[operation][2]["responses"][str(status)]["content"]["application/json"]["schema"]
    strict = closed(converted(copy.deepcopy(schema)))
    if operation in ("getLeads", "getArchivedLeads", "getLeadFields"):
        # The description writes the pagination flat; real bodies nest it.
        envelope = strict["allOf"][2] if operation == "getLeadFields" else strict
        flat = envelope["properties"]["additional_data"]
        envelope["properties"]["additional_data"] = {
            "type": "object",
            "required": ["pagination"],
            "properties": {"pagination": flat},
        }
        if operation == "getLeads" and status == 200:
            assert "more_items_in_collection" in flat["required"]
    checker = jsonschema.FormatChecker()
    jsonschema.Draft202012Validator(strict, format_checker=checker).validate(body)


def test_every_served_operation_is_described_with_this_path_method_and_price() -> None:
    for operation in OPERATIONS:
        if operation.id in UNDESCRIBED:
            assert operation.id not in described(operation.version)
            assert TOKEN_COSTS[operation.id] == UNDESCRIBED[operation.id]
            continue
        path, method, description = described(operation.version)[operation.id]
        assert (operation.path, operation.method) == (path, method)
        assert TOKEN_COSTS[operation.id] == description["x-token-cost"]
    assert {operation.id for operation in OPERATIONS} == set(TOKEN_COSTS)
    leads = {name for name, (path, _, _) in described().items() if path.startswith(("/leads", "/leadLabels"))}
    assert leads - {operation.id for operation in OPERATIONS} == {"searchLeads"}


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
        ("getLeadFields", "/leadFields", None, 200),
        ("getLeadFields", "/leadFields?limit=2", None, 200),
        ("getCurrencies", "/currencies", None, 200),
        ("getUsers", "/users", None, 200),
        ("findUsersByName", "/users/find?term=sam", None, 200),
        ("getCurrentUser", "/users/me", None, 200),
        ("getCurrentUser", "/users/me", None, 401),
    ):
        answer = world.api(described()[operation][1], path, body, token=None if status == 401 else token)
        assert answer.status_code == status
        checked(operation, status, answer.json())
        seen.add((operation, status))
    declared = {
        (operation.id, int(status))
        for operation in OPERATIONS
        if operation.version == 1
        for status in described()[operation.id][2]["responses"]
    }
    assert seen == declared


def test_every_answer_of_the_second_version_satisfies_its_schema() -> None:
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
    ):
        body = world.second(path, **query)
        assert body["data"]
        checked_second(operation, body)
        seen.add(operation)
    people = world.second("/persons")["data"]
    for operation, bodies in (
        ("getPerson", [*people, world.second("/persons/1")["data"]]),
        ("getOrganization", [world.second(f"/organizations/{id_}")["data"] for id_ in (1, 2)]),
    ):
        described_as = described(2)[operation][2]["responses"]["200"]["content"]["application/json"]["schema"]
        schema = second(described_as["allOf"][1]["properties"]["data"])
        schema["properties"] = {name: one for name, one in schema["properties"].items() if name not in CONTACT_SYNC}
        for body in bodies:
            jsonschema.Draft202012Validator(closed(converted(schema))).validate(body)
        seen.add(operation)
    assert seen | UNDESCRIBED.keys() == {operation.id for operation in OPERATIONS if operation.version == 2}


def test_this_judge_can_say_no() -> None:
    body = World().api("GET", "/leadLabels").json()
    checked("getLeadLabels", 200, body)
    body["data"][0]["color"] = "teal"
    with pytest.raises(jsonschema.ValidationError):
        checked("getLeadLabels", 200, body)
    found = World().second("/persons/search", term="person")
    checked_second("searchPersons", found)
    del found["data"]["items"][0]["item"]["emails"]
    with pytest.raises(jsonschema.ValidationError):
        checked_second("searchPersons", found)
    del body["data"][0]["color"]
    with pytest.raises(jsonschema.ValidationError):
        checked("getLeadLabels", 200, body)
