"""The structural description of the API: complete for what is used and served, and as the vendor's own says."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from leadstate.pipedrive import operations as used
from leadstate.sandbox import TOKEN_COSTS
from leadstate.sandbox.app import OPERATIONS as SERVED
from tests.harness import contract

VENDOR = Path(__file__).resolve().parents[2].parent / "shared" / "openapi"
FILES = {"v1": VENDOR / "pipedrive-v1-leads.yaml", "v2": VENDOR / "pipedrive-v2-lookups.yaml"}

UNDESCRIBED = {"getPersons", "getFilters", "getFilter"}
"""What the vendor's files in that folder leave out."""

PROSE = {"description", "summary", "title", "example", "examples", "externalDocs", "tags"}

DIFFERENCES = {
    # Answers nest the pagination, and name the next page's start where there is one.
    "getLeads 200 .additional_data": "pagination is described flat",
    "getArchivedLeads 200 .additional_data": "pagination is described flat",
    "getLeadFields 200 .additional_data": "pagination is described flat",
    # The words say that a field may be followed by DESC, and the enumeration forgets it.
    "getLeads sort": "add_time DESC is accepted",
    "getArchivedLeads sort": "add_time DESC is accepted",
    # Leads of 2026 have a property more.
    **{
        f"{operation} .data{rows}.archive_time": "is answered"
        for operation, rows in {
            "getLeads 200": "[]",
            "getArchivedLeads 200": "[]",
            "getLead 200": "",
            "addLead 201": "",
            "updateLead 200": "",
        }.items()
    },
    # Real answers are null here.
    "getPerson 200 .data.last_name": "null",
    "getPerson 200 .data.org_id": "null",
    "getPerson 200 .data.picture_id": "null",
    "getOrganization 200 .data.address": "null",
    "searchPersons 200 .data.items[].item.organization": "null",
    "searchOrganization 200 .data.items[].item.address": "null",
    "searchPersons 200 .additional_data.next_cursor": "null at the end",
    "searchOrganization 200 .additional_data.next_cursor": "null at the end",
    # Answered, and not described.
    "searchPersons 200 .data.items[].item.organization.address": "is answered",
    # Only in answers to `include_fields`, which nobody here sends.
    "getDealFields 200 .data[].ui_visibility": "on request",
    "getDealFields 200 .data[].important_fields": "on request",
    "getDealFields 200 .data[].required_fields": "on request",
    # Only of persons whose contacts are synchronized.
    "getPerson 200 .data.postal_address": "with contact sync",
    "getPerson 200 .data.notes": "with contact sync",
    "getPerson 200 .data.im": "with contact sync",
    "getPerson 200 .data.birthday": "with contact sync",
    "getPerson 200 .data.job_title": "with contact sync",
}
"""Where this description is not what the vendor's says, and why."""


def test_every_used_operation_has_its_path_method_and_cost() -> None:
    rows = [value for value in vars(used).values() if isinstance(value, used.Operation)]
    assert len(rows) > 15
    for row in rows:
        described = contract.operations()[row.id]
        assert (described.version, described.method, described.path) == (row.version, row.method, row.path)
        assert described.body["x-token-cost"] == row.tokens


def test_every_served_operation_has_its_path_method_and_cost_and_no_other_is_described() -> None:
    for row in SERVED:
        described = contract.operations()[row.id]
        assert (described.version, described.method, described.path) == (f"v{row.version}", row.method, row.path)
        assert described.body["x-token-cost"] == TOKEN_COSTS[row.id]
    assert contract.operations().keys() == {row.id for row in SERVED} == TOKEN_COSTS.keys()


def test_the_newest_recorded_shape_of_a_lead_is_as_described() -> None:
    rows = json.loads((Path(__file__).parents[1] / "data" / "leads.json").read_text(encoding="utf-8"))
    newest = next(row for year, row in rows.items() if year.startswith("2026"))
    contract.check_answer("getLead", {"success": True, "data": newest})


def test_there_is_structure_and_no_prose() -> None:
    for operation in contract.operations().values():
        assert not PROSE & set(_keywords(operation.body)), operation.path


def test_every_listed_property_that_is_required_has_a_type() -> None:
    for name, operation in contract.operations().items():
        for status in operation.body["responses"]:
            schema = operation.schema(status)
            jsonschema.Draft202012Validator.check_schema(schema)
            for where, part in _objects(schema, f"{name} {status}"):
                assert set(part.get("required", ())) <= part["properties"].keys(), where


@pytest.mark.skipif(not VENDOR.is_dir(), reason=f"the vendor's OpenAPI descriptions are not at {VENDOR}")
def test_the_description_differs_from_the_vendors_only_as_listed() -> None:
    vendor = {
        operation.body["operationId"]: operation
        for version, file in FILES.items()
        for operation in contract.read_operations(file, version)
    }
    # Leads are searched in both versions, and nowhere here.
    ours = contract.operations()
    assert ours.keys() - vendor.keys() == UNDESCRIBED
    found = [line for name in ours.keys() & vendor.keys() for line in _compare(name, ours[name], vendor[name])]
    assert {line.partition(":")[0] for line in found} == DIFFERENCES.keys(), "\n".join(sorted(found))


def test_the_comparison_notices_each_kind_of_difference() -> None:
    theirs = {
        "type": "object",
        "required": ["id"],
        "properties": {
            "id": {"type": "string", "format": "uuid"},
            "color": {"type": "string", "enum": ["red", "blue"]},
            "rows": {"type": "array", "nullable": True, "items": {"type": "integer"}},
        },
    }
    same = {
        "type": "object",
        "required": ["id"],
        "properties": {
            "id": {"type": "string", "format": "uuid"},
            "color": {"type": "string", "enum": ["blue", "red"]},
            "rows": {"type": ["array", "null"], "items": {"type": "integer"}},
        },
    }
    assert list(_differences(same, theirs, "x")) == []
    for change in (
        {"id": {"type": "string"}},
        {"id": {"type": "integer", "format": "uuid"}},
        {"color": {"type": "string", "enum": ["red"]}},
        {"rows": {"type": "array", "items": {"type": "integer"}}},
        {"rows": {"type": ["array", "null"], "items": {"type": "string"}}},
        {"more": {"type": "string"}},
    ):
        changed = {**same, "properties": {**same["properties"], **change}}  # type: ignore[dict-item] # of literals
        assert len(list(_differences(changed, theirs, "x"))) == 1, change
    assert list(_differences({**same, "required": []}, theirs, "x"))
    assert list(_differences({"type": "object", "properties": {}}, theirs, "x"))


def _compare(name: str, ours: contract.Operation, theirs: contract.Operation) -> Iterator[str]:
    """Yield a line for every difference, `PLACE: what`."""
    if (ours.version, ours.method, ours.path) != (theirs.version, theirs.method, theirs.path):
        yield f"{name}: {theirs.method} {theirs.path} of {theirs.version}"
    if ours.body["x-token-cost"] != theirs.body["x-token-cost"]:
        yield f"{name}: costs {theirs.body['x-token-cost']}"
    wanted = {(part["in"], part["name"]): part for part in theirs.body.get("parameters", ())}
    here = {(part["in"], part["name"]): part for part in ours.body.get("parameters", ())}
    for key, part in here.items():
        if key not in wanted or part.get("required", False) != wanted[key].get("required", False):
            yield f"{name} {key[1]}: unknown, or required in one of the two"
        else:
            yield from _differences(part["schema"], wanted[key]["schema"], f"{name} {key[1]}")
    # What is optional and nobody sends may be left out.
    for key in wanted.keys() - here.keys():
        if wanted[key].get("required"):
            yield f"{name} {key[1]}: missing"
    yield from _differences(_body(ours), _body(theirs), f"{name} request")
    if ours.body["responses"].keys() != theirs.body["responses"].keys():
        yield f"{name}: answers {sorted(theirs.body['responses'])}"
    for status in ours.body["responses"].keys() & theirs.body["responses"].keys():
        yield from _differences(ours.schema(status), theirs.schema(status), f"{name} {status} ")


def _body(operation: contract.Operation) -> Any:
    request = operation.body.get("requestBody", {"content": {"application/json": {"schema": {}}}})
    return request["content"]["application/json"]["schema"]


def _differences(ours: Any, theirs: Any, where: str) -> Iterator[str]:
    """Yield a line for every difference of two schemas; ours may require more."""
    ours, theirs = _normal(ours), _normal(theirs)
    for part in ("type", "format", "enum"):
        if ours.get(part) != theirs.get(part):
            yield f"{where}: {part} {ours.get(part)}, not {theirs.get(part)}"
    if not set(theirs.get("required", ())) <= set(ours.get("required", ())):
        yield f"{where}: requires {theirs['required']}"
    if "items" in ours or "items" in theirs:
        yield from _differences(ours.get("items", {}), theirs.get("items", {}), f"{where}[]")
    mine, wanted = ours.get("properties", {}), theirs.get("properties", {})
    if mine and wanted and not mine.keys() & wanted.keys():
        yield f"{where}: {sorted(mine)}, not {sorted(wanted)}"
        return
    for name in sorted(mine.keys() ^ wanted.keys()):
        yield f"{where}.{name}: {'missing' if name in wanted else 'unknown'}"
    for name in mine.keys() & wanted.keys():
        yield from _differences(mine[name], wanted[name], f"{where}.{name}")


def _normal(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema without spellings: types as a set that contains "null", `allOf` and `oneOf` put together."""
    types = schema.get("type", ())
    result = dict(schema)
    result["type"] = {types} if isinstance(types, str) else set(types)
    for part in schema.get("oneOf", ()):
        result["type"] |= _normal(part)["type"]
    if schema.get("nullable"):
        result["type"].add("null")
    if "enum" in schema:
        result["enum"] = set(schema["enum"])
    for part in map(_normal, schema.get("allOf", ())):
        result["type"] |= part["type"]
        if "enum" in part:
            result["enum"] = part["enum"] & result.get("enum", part["enum"])
        result["required"] = [*result.get("required", ()), *part.get("required", ())]
        properties = dict(result.get("properties", {}))
        for name, value in part.get("properties", {}).items():
            properties[name] = {"allOf": [properties[name], value]} if name in properties else value
        if properties:
            result["properties"] = properties
    return result


def _keywords(node: Any, *, names: bool = False) -> Iterator[str]:
    """Yield the keywords of a description; the names of properties are none."""
    if isinstance(node, list):
        for item in node:
            yield from _keywords(item)
    elif isinstance(node, dict):
        if not names:
            yield from node
        for key, value in node.items():
            yield from _keywords(value, names=key == "properties" and not names)


def _objects(schema: Any, where: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(schema, list):
        for item in schema:
            yield from _objects(item, where)
    elif isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict):
            yield where, schema
        for key, value in schema.items():
            yield from _objects(value, f"{where}.{key}")
