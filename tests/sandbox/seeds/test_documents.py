"""Seed documents: what they may say, the errors about them, the named ones, and the way back to a document."""

import copy
import json
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from leadstate.sandbox import NAMED, Sandbox, SeedError, load_seed, named
from leadstate.sandbox.seeds.named import INDUSTRY
from tests.harness.sandbox_driver import COLD, FIELD, HOT, NOWHERE, START, TOKEN, UNKNOWN_FIELD, World, company

UUID_EPOCH = 0x01B21DD213814000
OPTIONS = [{"id": 21, "label": "Retail"}, {"id": 22, "label": "Health"}]
ENUM = {"code": "e" * 40, "name": "Industry", "type": "enum", "options": OPTIONS}
SET = {"code": "5" * 40, "name": "Regions", "type": "set", "options": [{"id": 31, "label": "EMEA"}]}
MONEY = {"code": "c" * 40, "name": "Budget", "type": "monetary"}
PEOPLE = {"code": "a" * 40, "name": "Champion", "type": "people"}
CLIENT = {"client_id": "c", "client_secret": "s", "refresh_token": "r"}
FIELDS = [ENUM, FIELD, SET, MONEY, PEOPLE]


def with_leads(*leads: Any, **more: Any) -> dict[str, Any]:
    return company(leads=list(leads), **more)


def with_lead(**values: Any) -> dict[str, Any]:
    return with_leads({"title": "x", "person_id": 1, **values}, fields=FIELDS)


def test_a_seed_may_be_a_single_company() -> None:
    sandbox = Sandbox(company())
    assert [company.domain for company in sandbox.companies] == ["company-7041"]
    assert set(sandbox.dump()) == {"companies"}


def test_omitted_values_of_a_seed_get_defaults() -> None:
    world = World({"token": TOKEN, "company": {"id": 1, "name": "A", "domain": "a"}})
    empty = world.sandbox.companies[0]
    assert (empty.plan, empty.name, len(empty.users), empty.labels(), empty.persons) == ("premium", "A", 1, [], ())
    world = World(with_leads({"title": "x", "person_id": 1}, {"title": "y", "person_id": 1, "origin_id": "a:b"}))
    by_hand, by_api = world.data("GET", "/leads")
    assert by_hand["add_time"] == by_hand["update_time"] == "2026-11-24T10:00:00.000Z"
    assert (by_hand["owner_id"], by_hand["source_name"], by_hand["was_seen"]) == (1, "Manually created", True)
    assert (by_api["source_name"], by_api["origin"], by_api["was_seen"]) == ("API", "API", False)


def test_a_dump_is_a_seed_of_the_same_state() -> None:
    world = World(with_leads({"title": "x", "person_id": 1, "label_ids": [HOT], FIELD: "y", "is_archived": True}))
    world.add(title="z", value={"amount": 1.5, "currency": "EUR"})
    world.data("PATCH", f"/leadLabels/{HOT}", {"color": "green"})
    dumped = world.sandbox.dump()
    assert json.loads(json.dumps(dumped)) == dumped
    again = Sandbox(dumped)
    assert again.dump() == dumped
    assert list(again.dump()["companies"][0]) == list(dumped["companies"][0])


def with_conditions(conditions: Any) -> dict[str, Any]:
    return company(filters=[{"id": 1, "name": "A", "type": "leads", "conditions": {"glue": conditions}}])


def nested(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = [value]
    return value


ERRORS: list[tuple[Any, str, str]] = [
    ([], "", "must be an object"),
    ({"companies": {}}, "companies", "must be an array"),
    ({"companies": [], "more": 1}, "more", "is not a key here"),
    ({"companies": [1]}, "companies[0]", "must be an object"),
    ({"companies": [{}]}, "companies[0].token", "is missing"),
    ({"companies": [{"token": "t"}]}, "companies[0].company", "is missing"),
    ({"companies": [company(company={"id": 1, "name": "A"})]}, "companies[0].company.domain", "is missing"),
    ({"companies": [company(oauth={"client_id": "a"})]}, "companies[0].oauth.client_secret", "is missing"),
    ({"companies": [company(oauth=[])]}, "companies[0].oauth", "must be an object"),
    ({"companies": [company(plan="gold")]}, "companies[0].plan", "must be one of lite"),
    ({"companies": [company(), company()]}, "companies[1].token", "token is taken by companies[0].token"),
    ({"companies": [company(), company("t")]}, "companies[1].company.id", "id 7041 is taken"),
    (company(users=[]), "users", "at least one user"),
    (company(users=[{"id": 1, "name": "A"}]), "users[0].email", "is missing"),
    (company(persons=[{"id": 1, "name": "A"}, {"id": 1, "name": "B"}]), "persons[1].id", "taken by persons[0].id"),
    (company(organizations=[{"id": True, "name": "A"}]), "organizations[0].id", "positive integer"),
    (company(labels=[{"name": "A"}]), "labels[0].color", "is missing"),
    (company(labels=[{"name": "A", "color": "teal"}]), "labels[0].color", "must be one of"),
    (company(labels=[{"id": "hot", "name": "A", "color": "red"}]), "labels[0].id", "must be a UUID"),
    (company(fields=["x"]), "fields[0]", "40 hexadecimal"),
    (company(filters=[{"id": 1, "name": "A"}]), "filters[0].type", "is missing"),
    (company(filters=[{"id": 1, "name": "A", "type": "lead"}]), "filters[0].type", "must be one of deals, leads"),
    (company(filters=[{"id": 1, "name": "A", "type": "leads", "user_id": 9}]), "filters[0].user_id", "no user 9"),
    (company(filters=[{"id": 1, "name": "A", "type": "leads", "conditions": []}]), "filters[0].conditions", "object"),
    (company(filters=[{"id": 1, "name": "A", "type": "org"}] * 2), "filters[1].id", "taken by filters[0].id"),
    (company(unique_label_names=1), "unique_label_names", "boolean"),
    (company(lead=[]), "lead", "is not a key here"),
    (with_leads(1), "leads[0]", "must be an object"),
    (with_leads({"person_id": 1}), "leads[0].title", "is missing"),
    (with_leads({"title": "x"}), "leads[0]", "needs a person_id or an organization_id"),
    (with_leads({"title": "x", "person_id": 9}), "leads[0].person_id", "there is no person 9"),
    (with_leads({"title": "x", "person_id": 1, "owner_id": 9}), "leads[0].owner_id", "there is no owner 9"),
    (with_leads({"title": "x", "person_id": 1, "label_ids": [NOWHERE]}), "leads[0].label_ids", "there is no label"),
    (with_leads({"title": "x", "person_id": 1, "color": 1}), "leads[0].color", "is not a key here"),
    (with_leads({"title": "x", "person_id": 1, "add_time": "2026"}), "leads[0].add_time", "must be a time"),
    (with_leads({"title": "x", "person_id": 1, FIELD: {}}), f"leads[0].{FIELD}", "must be a string, a number"),
    (
        with_leads({"title": "x", "person_id": 1, "archive_time": "2026-01-01T00:00:00.000Z"}),
        "leads[0].archive_time",
        "must be set exactly where is_archived is true",
    ),
    (
        {"companies": [company("t", 1), with_leads({"title": "x", "person_id": 1}, {"title": "y", "label_ids": 1})]},
        "companies[1].leads[1].label_ids",
        "must be an array",
    ),
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
    (company(fields=[{**ENUM, "color": 1}]), "fields[0].color", "is not a key here"),
    (company(wire=[]), "wire", "must be an object"),
    (company(wire={"enum": "list"}), "wire.enum", "must be one of string, number"),
    (company(wire={"set": "number"}), "wire.set", "must be one of string, list"),
    (company(wire={"date": "string"}), "wire.date", "is not a key here"),
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
        "not a key of a field of the type enum",
    ),
    (with_lead(**{"a" * 40: 9}), f"leads[0].{'a' * 40}", "there is no person 9"),
    (company(number=10**23), "company.id", "must be at most 9007199254740991"),
    (company(oauth={**CLIENT, "expires_in": 10**23}), "oauth.expires_in", "must be at most 9007199254740991"),
    (with_lead(value={"amount": 10**400, "currency": "EUR"}), "leads[0].value", "amount must be a number"),
    (with_conditions(float("nan")), "filters[0].conditions", "must be a number"),
    (with_conditions([10**400]), "filters[0].conditions", "must be a number"),
    (with_conditions({"\ud800": 1}), "filters[0].conditions", "must be valid Unicode"),
    (with_conditions(nested(400)), "filters[0].conditions", "nested too deep"),
]


@pytest.mark.parametrize(("document", "path", "message"), ERRORS, ids=[case[1] or "document" for case in ERRORS])
def test_an_error_names_its_place(document: Any, path: str, message: str) -> None:
    with pytest.raises(SeedError) as caught:
        Sandbox(document)
    assert caught.value.path == path
    assert message in str(caught.value)
    assert TOKEN not in str(caught.value)


def test_an_invalid_seed_replaces_nothing() -> None:
    world = World(with_leads({"title": "x", "person_id": 1}))
    before = world.sandbox.dump()
    with pytest.raises(SeedError):
        world.sandbox.replace({"companies": [company(plan="gold")]})
    assert world.sandbox.dump() == before


def test_the_state_is_read_and_replaced_over_http() -> None:
    world = World()
    document = world.call("GET", "/_sandbox/state", token=None).json()
    assert document == world.sandbox.dump()
    document["companies"][0]["labels"].append({"name": "VIP", "color": "pink"})
    answer = world.call("PUT", "/_sandbox/state", document, token=None)
    assert answer.json() == {"companies": [{"id": 7041, "domain": "company-7041"}]}
    assert [label["name"] for label in world.data("GET", "/leadLabels")] == ["Hot", "Cold", "VIP"]
    document["companies"][0]["labels"][0]["color"] = "teal"
    refused = world.call("PUT", "/_sandbox/state", document, token=None)
    assert refused.status_code == 400
    assert refused.json()["error"].startswith("companies[0].labels[0].color: must be one of")
    assert world.call("PUT", "/_sandbox/state", b"{", token=None).status_code == 400
    assert len(world.data("GET", "/leadLabels")) == 3


@pytest.mark.parametrize("name", sorted(NAMED))
def test_a_named_seed_is_the_same_every_time(name: str) -> None:
    assert named(name) == named(name)
    copied = copy.deepcopy(named(name))
    named(name)["companies" if "companies" in copied else "token"] = "changed"
    for field in named(name).get("fields", ()):
        field["name"] = "changed"
    assert named(name) == copied, "a caller gets its own copy"
    assert len(Sandbox(name).companies) == 1
    assert load_seed(name) == named(name)


def test_the_fresh_seed_has_three_labels_and_no_lead() -> None:
    fresh = Sandbox("fresh").companies[0]
    assert [(label.name, label.color) for label in fresh.labels()] == [
        ("Hot", "red"),
        ("Warm", "yellow"),
        ("Cold", "blue"),
    ]
    assert (len(fresh.users), len(fresh.persons), len(fresh.organizations), fresh.tables().leads) == (2, 5, 5, ())


def test_the_drifted_seed_has_leads_in_every_state() -> None:
    drifted = Sandbox("drifted", clock=lambda: START).companies[0].tables()
    names = {label.id: label.name for label in drifted.labels}
    assert {label.name: label.color for label in drifted.labels}["Hot"] == "orange"
    assert sorted(names.values()) == ["Cold", "Hot", "Old campaign", "VIP", "Warm"]
    assert len(drifted.leads) == 40
    carried = [names[label_id] for lead in drifted.leads if not lead.is_archived for label_id in lead.label_ids]
    assert all(carried.count(name) >= 3 for name in names.values())
    assert sum(lead.is_archived for lead in drifted.leads) == 2
    origins = {lead.origin_id for lead in drifted.leads if lead.origin_id}
    assert origins == {"acme-seeds:acme-renewal", "acme-seeds:old-seed"}
    assert (
        {person.id for person in drifted.persons}
        == {person.id for person in drifted.organizations}
        == set(range(1, 13))
    )
    assert all(lead.add_time <= lead.update_time < "2026-11-24" for lead in drifted.leads)


def test_ids_of_drifted_leads_encode_their_time() -> None:
    for lead in Sandbox("drifted").companies[0].tables().leads:
        seconds = (UUID(lead.id).time - UUID_EPOCH) / 1e7
        assert UUID(lead.id).version == 1
        assert abs(datetime.fromisoformat(lead.add_time).timestamp() - seconds) < 0.001


def test_generated_ids_are_uuids_without_a_network_address() -> None:
    sandbox = Sandbox("empty")
    assert [UUID(sandbox.new_id(kind)).version for kind in ("lead", "label", "correlation")] == [1, 4, 4]
    assert len({sandbox.new_id("lead") for _ in range(100)}) == 100


def _missing(folder: Path) -> str:
    return str(folder / "missing.json")


def _written(text: str) -> Callable[[Path], str]:
    def write(folder: Path) -> str:
        (folder / "seed.json").write_text(text)
        return str(folder / "seed.json")

    return write


@pytest.mark.parametrize("source", [_missing, _written("{"), _written("[]"), _written("[" * 200_000), str])
def test_an_unreadable_seed_file_is_an_error_that_names_it(source: Callable[[Path], str], tmp_path: Path) -> None:
    with pytest.raises(SeedError, match=re.escape(source(tmp_path))):
        Sandbox(source(tmp_path))


def test_a_seed_is_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "seed.json").write_text(json.dumps(company()))
    assert [label.id for label in Sandbox(str(tmp_path / "seed.json")).companies[0].labels()] == [HOT, COLD]


@pytest.mark.parametrize("conditions", [None, True, "x", 1.5, nested(5)])
def test_conditions_of_a_filter_are_kept_and_answered(conditions: Any) -> None:
    world = World(with_conditions(conditions))
    assert world.data("GET", "/filters/1")["conditions"] == {"glue": conditions}
    assert world.call("GET", "/_sandbox/state").json() == world.sandbox.dump()


def test_an_unknown_seed_name_is_an_error() -> None:
    with pytest.raises(SeedError, match="empty, fresh, drifted"):
        Sandbox("freshh")
    with pytest.raises(SeedError, match="empty, fresh, drifted"):
        named("freshh")


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
