"""Seeds with fields, contacts and a wording: their errors, the way back to a document, and the lists of fields."""

import json
from pathlib import Path
from typing import Any

import pytest

from leadstate.sandbox import Sandbox, SeedError
from leadstate.sandbox.seeds.named import INDUSTRY
from tests.harness.sandbox_driver import FIELD, TOKEN, UNKNOWN_FIELD, World, company

OPTIONS = [{"id": 21, "label": "Retail"}, {"id": 22, "label": "Health"}]
ENUM = {"code": "e" * 40, "name": "Industry", "type": "enum", "options": OPTIONS}
SET = {"code": "5" * 40, "name": "Regions", "type": "set", "options": [{"id": 31, "label": "EMEA"}]}
MONEY = {"code": "c" * 40, "name": "Budget", "type": "monetary"}
PEOPLE = {"code": "a" * 40, "name": "Champion", "type": "people"}
FIELDS = [ENUM, FIELD, SET, MONEY, PEOPLE]


def with_lead(**values: Any) -> dict[str, Any]:
    return company(fields=FIELDS, leads=[{"title": "x", "person_id": 1, **values}])


def test_a_dump_keeps_fields_contacts_and_wording(tmp_path: Path) -> None:
    seed = company(
        fields=FIELDS,
        wire={"enum": "number", "set": "list"},
        persons=[{"id": 1, "name": "Jane", "emails": ["j@acme.test"], "phones": ["1"], "organization_id": 1}],
        organizations=[{"id": 1, "name": "Acme", "address": "3 Mill Lane"}],
        leads=[{"title": "x", "person_id": 1, "e" * 40: "21", "5" * 40: [31], UNKNOWN_FIELD: "any"}],
    )
    sandbox = Sandbox(seed, db=tmp_path / "a.db")
    dumped = sandbox.dump()
    (acme,) = dumped["companies"]
    assert json.loads(json.dumps(dumped)) == dumped
    assert acme["fields"] == [*FIELDS, UNKNOWN_FIELD], "a field that a lead has is there"
    assert {key: acme[key] for key in ("wire", "persons", "organizations")} == {
        key: seed[key] for key in ("wire", "persons", "organizations")
    }
    assert (acme["leads"][0]["e" * 40], acme["leads"][0]["5" * 40]) == (21, [31])
    acme["leads"][0]["5" * 40].append(99)
    dumped = sandbox.dump()
    assert dumped["companies"][0]["leads"][0]["5" * 40] == [31], "a dump is a copy"
    sandbox.close()
    for again in (Sandbox(dumped), Sandbox("empty", db=tmp_path / "a.db")):
        assert again.dump() == dumped
        again.close()


def test_a_written_lead_is_stored_in_normal_form(tmp_path: Path) -> None:
    world = World(company(fields=FIELDS), db=tmp_path / "a.db")
    world.add(**{"e" * 40: "22", "5" * 40: "31", "c" * 40: 5, "c" * 40 + "_currency": "EUR"})
    world.sandbox.close()
    again = Sandbox("empty", db=tmp_path / "a.db")
    assert again.dump() == world.sandbox.dump()
    (lead,) = again.companies[0].tables().leads
    assert lead.custom == {"e" * 40: 22, "5" * 40: (31,), "c" * 40: 5, "c" * 40 + "_currency": "EUR"}
    again.close()


def test_unset_values_are_not_dumped() -> None:
    (acme,) = Sandbox(company()).dump()["companies"]
    assert acme["persons"][0] == {"id": 1, "name": "Person 1"}
    assert acme["organizations"][0] == {"id": 1, "name": "Organization 1"}
    assert acme["fields"] == [FIELD]
    assert "wire" not in acme


ERRORS: list[tuple[Any, str, str]] = [
    (company(fields=[7]), "fields[0]", "key of a custom field, or an object"),
    (company(fields=["industry"]), "fields[0]", "40 hexadecimal digits"),
    (company(fields=[{**ENUM, "code": "E" * 40}]), "fields[0].code", "40 hexadecimal digits"),
    (company(fields=[{"code": "e" * 40, "type": "text"}]), "fields[0].name", "is missing"),
    (company(fields=[{"code": "e" * 40, "name": "x"}]), "fields[0].type", "is missing"),
    (company(fields=[{**MONEY, "type": "json"}]), "fields[0].type", "must be one of varchar"),
    (company(fields=[{**MONEY, "type": []}]), "fields[0].type", "must be one of varchar"),
    (company(fields=[{**MONEY, "options": OPTIONS}]), "fields[0].options", "are only for enum and set"),
    (company(fields=[{**ENUM, "options": []}]), "fields[0].options", "at least one option"),
    (company(fields=[{**ENUM, "options": 5}]), "fields[0].options", "must be an array"),
    (company(fields=[{**ENUM, "options": [{"id": 1}]}]), "fields[0].options[0].label", "is missing"),
    (company(fields=[{**ENUM, "options": OPTIONS * 2}]), "fields[0].options[2].id", "id 21 is taken"),
    (company(fields=[ENUM, "e" * 40]), "fields[1]", "is taken by fields[0]"),
    (company(fields=[{**ENUM, "color": 1}]), "fields[0].color", "is no key here"),
    (company(wire=[]), "wire", "must be an object"),
    (company(wire={"enum": "list"}), "wire.enum", "must be one of string, number"),
    (company(wire={"set": "number"}), "wire.set", "must be one of string, list"),
    (company(wire={"date": "string"}), "wire.date", "is no key here"),
    (company(persons=[{"id": 1, "name": "A", "emails": "a@b"}]), "persons[0].emails", "must be an array"),
    (company(persons=[{"id": 1, "name": "A", "phones": [1]}]), "persons[0].phones", "must be a string"),
    (
        company(persons=[{"id": 1, "name": "A", "organization_id": 9}]),
        "persons[0].organization_id",
        "there is no organization 9",
    ),
    (company(organizations=[{"id": 1, "name": "A", "address": ""}]), "organizations[0].address", "must not be empty"),
    (with_lead(**{"e" * 40: "Retail"}), f"leads[0].{'e' * 40}", "must be the id of an option: 21, 22"),
    (with_lead(**{"5" * 40: [21]}), f"leads[0].{'5' * 40}", "must be the id of an option"),
    (with_lead(**{"c" * 40: 5}), f"leads[0].{'c' * 40}", "needs both"),
    (with_lead(**{"c" * 40 + "_currency": "EUR"}), f"leads[0].{'c' * 40}_currency", "needs both"),
    (
        with_lead(**{"e" * 40 + "_currency": "EUR"}),
        f"leads[0].{'e' * 40}_currency",
        "no key of a field of the type enum",
    ),
    (with_lead(**{"a" * 40: 9}), f"leads[0].{'a' * 40}", "there is no person 9"),
]


@pytest.mark.parametrize(("document", "path", "message"), ERRORS, ids=[case[1] for case in ERRORS])
def test_an_error_names_its_place(document: Any, path: str, message: str) -> None:
    with pytest.raises(SeedError) as caught:
        Sandbox(document)
    assert caught.value.path == path
    assert message in str(caught.value)


def test_deal_fields_are_standard_and_custom_ones() -> None:
    rows = World(company(fields=FIELDS)).second("/dealFields")["data"]
    standard = {row["field_code"]: row for row in rows if not row["is_custom_field"]}
    assert {"title", "value", "owner_id", "person_id", "org_id"} <= standard.keys()
    assert standard["value"]["subfields"]
    own = [row for row in rows if row["is_custom_field"]]
    assert [(row["field_code"], row["field_name"], row["field_type"]) for row in own] == [
        ("e" * 40, "Industry", "enum"),
        (FIELD, FIELD, "varchar"),
        ("5" * 40, "Regions", "set"),
        ("c" * 40, "Budget", "monetary"),
        ("a" * 40, "Champion", "people"),
    ]
    assert [{"id": option["id"], "label": option["label"]} for option in own[0]["options"]] == OPTIONS
    assert own[1]["options"] is None


def test_deal_fields_come_in_pages() -> None:
    world = World(company(fields=FIELDS))
    whole = world.second("/dealFields")
    assert whole["additional_data"] == {"next_cursor": None}
    first = world.second("/dealFields", limit=len(whole["data"]) - 1)
    rest = world.second("/dealFields", cursor=first["additional_data"]["next_cursor"])
    assert first["data"] + rest["data"] == whole["data"]
    assert len(rest["data"]) == 1
    assert world.call("GET", "/api/v2/dealFields", params={"cursor": "x"}).status_code == 400


def test_lead_fields_have_the_shape_of_version_1() -> None:
    world = World(company(fields=FIELDS))
    answer = world.api("GET", "/leadFields").json()
    rows = answer["data"]
    assert answer["additional_data"] == {
        "pagination": {"start": 0, "limit": 100, "more_items_in_collection": False},
    }
    assert [(row["key"], row["name"], row["field_type"]) for row in rows if row["edit_flag"]] == [
        ("e" * 40, "Industry", "enum"),
        (FIELD, FIELD, "varchar"),
        ("5" * 40, "Regions", "set"),
        ("c" * 40, "Budget", "monetary"),
        ("a" * 40, "Champion", "people"),
    ]
    assert {"title", "value", "organization_id"} <= {row["key"] for row in rows if not row["edit_flag"]}
    assert next(row["options"] for row in rows if row["key"] == "e" * 40) == OPTIONS
    assert len({row["id"] for row in rows}) == len(rows)
    page = world.api("GET", "/leadFields", params={"start": 2, "limit": 3}).json()
    assert page["data"] == rows[2:5]
    assert page["additional_data"]["pagination"]["next_start"] == 5
    assert "limit" in world.refusal("GET", "/leadFields", params={"limit": "0"})


@pytest.mark.parametrize("name", ["fresh", "drifted"])
def test_the_named_seeds_have_fields_and_people_with_emails(name: str) -> None:
    tables = Sandbox(name).companies[0].tables()
    assert {field.name: field.type for field in tables.fields} == {
        "Industry": "enum",
        "Score": "double",
        "Budget": "monetary",
        "Regions": "set",
        "Renewal date": "date",
        "Notes": "text",
    }
    (industry,) = (field for field in tables.fields if field.name == "Industry")
    assert [option.label for option in industry.options] == ["Retail", "Logistics", "Health"]
    assert industry.code == INDUSTRY
    assert all(person.emails and person.organization_id == person.id for person in tables.persons)
    emails = [email for person in tables.persons for email in person.emails]
    assert emails.count("jane@acme.test") == 1
    assert all(organization.address for organization in tables.organizations)


def test_drifted_leads_hold_option_ids() -> None:
    sandbox = Sandbox("drifted")
    tables = sandbox.companies[0].tables()
    assert {lead.custom[INDUSTRY] for lead in tables.leads if lead.custom} == {22}
    shared = [person.id for person in tables.persons if "frontdesk@harbour.test" in person.emails]
    assert shared == [8, 9], "an email need not tell one person"
    world = World()
    world.sandbox.replace({**sandbox.dump()["companies"][0], "token": TOKEN})
    assert {lead[INDUSTRY] for lead in world.data("GET", "/leads") if INDUSTRY in lead} == {"22"}
