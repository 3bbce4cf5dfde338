"""Creating, changing, archiving and deleting leads."""

from typing import Any

import pytest

from tests.harness.sandbox_driver import COLD, FIELD, HOT, NOWHERE, UNKNOWN_FIELD, World, company


def test_a_new_lead_has_every_documented_key() -> None:
    world = World()
    answer = world.api("POST", "/leads", {"title": "Promising Lead", "organization_id": 2, "person_id": 1})
    assert answer.status_code == 201
    lead_id = answer.json()["data"]["id"]
    assert answer.json() == {
        "success": True,
        "data": {
            "id": lead_id,
            "title": "Promising Lead",
            "owner_id": 1,
            "creator_id": 1,
            "label_ids": [],
            "value": None,
            "expected_close_date": None,
            "person_id": 1,
            "organization_id": 2,
            "is_archived": False,
            "archive_time": None,
            "source_name": "API",
            "source_deal_id": None,
            "origin": "API",
            "origin_id": None,
            "channel": None,
            "channel_id": None,
            "was_seen": False,
            "next_activity_id": None,
            "add_time": "2026-11-24T10:00:00.000Z",
            "update_time": "2026-11-24T10:00:00.000Z",
            "visible_to": "3",
            "cc_email": f"company-7041+7041+lead{lead_id.replace('-', '')[:22]}@pipedrivemail.invalid",
        },
    }


def test_every_writable_field_is_stored() -> None:
    given = {
        "title": "Full",
        "owner_id": 2,
        "label_ids": [COLD, HOT],
        "person_id": 3,
        "organization_id": 2,
        "value": {"amount": 12.5, "currency": "EUR"},
        "expected_close_date": "2026-12-31",
        "visible_to": "7",
        "was_seen": True,
        "origin_id": "acme:renewal",
        "channel": 52,
        "channel_id": "Billboards",
        FIELD: "Retail",
    }
    world = World()
    lead = world.data("POST", "/leads", given)
    assert {key: lead[key] for key in given} == given
    assert lead["creator_id"] == 1
    assert world.data("GET", f"/leads/{lead['id']}") == lead == world.data("GET", "/leads")[0]


def test_a_whole_amount_stays_an_integer() -> None:
    world = World()
    lead = world.add(value={"amount": 100, "currency": "EUR"})
    assert b'"amount":100,' in world.api("GET", f"/leads/{lead['id']}").content


def test_the_largest_numbers_are_stored() -> None:
    world = World()
    lead = world.add(channel=2**53 - 1, value={"amount": 10**308, "currency": "EUR"})
    assert (lead["channel"], lead["value"]["amount"]) == (2**53 - 1, 10**308)


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"title": None}, "title"),
        ({"title": ""}, "title"),
        ({"title": " \t"}, "title"),
        ({"title": "x" * 256}, "title"),
        ({"title": 7}, "title"),
        ({"title": ["x"]}, "title"),
        ({"owner_id": 99}, "owner_id"),
        ({"owner_id": True}, "owner_id"),
        ({"owner_id": "1"}, "owner_id"),
        ({"owner_id": None}, "owner_id"),
        ({"owner_id": 1.0}, "owner_id"),
        ({"person_id": 99}, "person_id"),
        ({"person_id": 0}, "person_id"),
        ({"organization_id": 99}, "organization_id"),
        ({"organization_id": 10**30}, "organization_id"),
        ({"label_ids": HOT}, "label_ids"),
        ({"label_ids": [NOWHERE]}, "label_ids"),
        ({"label_ids": ["Hot"]}, "label_ids"),
        ({"label_ids": [HOT.upper()]}, "label_ids"),
        ({"label_ids": [1]}, "label_ids"),
        ({"label_ids": None}, "label_ids"),
        ({"value": 5}, "value"),
        ({"value": {"amount": 5}}, "value"),
        ({"value": {"currency": "EUR"}}, "value"),
        ({"value": {"amount": "5", "currency": "EUR"}}, "value"),
        ({"value": {"amount": True, "currency": "EUR"}}, "value"),
        ({"value": {"amount": 10**400, "currency": "EUR"}}, "value amount must be a number"),
        ({"value": {"amount": -(10**400), "currency": "EUR"}}, "value amount must be a number"),
        ({"value": {"amount": 5, "currency": None}}, "value"),
        ({"value": {"amount": 5, "currency": ""}}, "value"),
        ({"value": {"amount": 5, "currency": "EUR", "rate": 1}}, "value"),
        ({"expected_close_date": "31.12.2026"}, "expected_close_date"),
        ({"expected_close_date": "2026-02-30"}, "expected_close_date"),
        ({"expected_close_date": "2026-12-31T00:00:00Z"}, "expected_close_date"),
        ({"expected_close_date": "20261231"}, "expected_close_date"),
        ({"visible_to": 3}, "visible_to"),
        ({"visible_to": "2"}, "visible_to"),
        ({"was_seen": 1}, "was_seen"),
        ({"channel": "52"}, "channel"),
        ({"owner_id": 10**400}, "owner_id"),
        ({"channel_id": 52}, "channel_id"),
        ({FIELD: True}, FIELD),
        ({FIELD: 10**400}, f"{FIELD} must be a number"),
        ({FIELD: [10**400]}, f"{FIELD} must be at most 9007199254740991"),
        ({FIELD: {"id": 1}}, FIELD),
        ({FIELD: [None]}, FIELD),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_wrong_value_is_refused_and_changes_nothing(method: str, values: dict[str, Any], word: str) -> None:
    world = World()
    lead = world.add(title="Before", label_ids=[HOT])
    before = world.sandbox.dump()
    path, whole = ("/leads", {"title": "New", "person_id": 1, **values}) if method == "POST" else ("", values)
    assert word in world.refusal(method, path or f"/leads/{lead['id']}", whole)
    assert world.sandbox.dump() == before


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"person_id": 1}, "title is required"),
        ({"title": "x"}, "person_id or organization_id must be given"),
        ({"title": "x", "person_id": None}, "person_id must be a positive integer"),
        ({"title": "x", "person_id": 1, "nonsense": 1}, "Invalid field(s) in the payload: nonsense"),
        ({"title": "x", "person_id": 1, "is_archived": True}, "Invalid field(s) in the payload: is_archived"),
        ({"title": "x", "person_id": 1, "add_time": "2026"}, "Invalid field(s) in the payload: add_time"),
        ({"title": "x", "person_id": 1, "expected_close_date": None}, "expected_close_date must be a string"),
    ],
)
def test_a_new_lead_with_missing_or_forbidden_fields_is_refused(body: dict[str, Any], message: str) -> None:
    world = World()
    assert world.refusal("POST", "/leads", body) == message
    assert world.listed() == []


def test_an_update_changes_the_named_fields_and_the_update_time() -> None:
    world = World()
    before = world.add(label_ids=[HOT], value={"amount": 1, "currency": "EUR"}, origin_id="acme:x")
    world.clock.pass_by(61.25)
    answer = world.api("PATCH", f"/leads/{before['id']}", {"title": "After"})
    assert answer.status_code == 200
    assert answer.json()["data"] == {**before, "title": "After", "update_time": "2026-11-24T10:01:01.250Z"}


def test_label_ids_replace_the_whole_list() -> None:
    world = World()
    lead = world.add(label_ids=[HOT])
    assert world.data("PATCH", f"/leads/{lead['id']}", {"label_ids": [COLD, COLD]})["label_ids"] == [COLD]
    assert world.data("PATCH", f"/leads/{lead['id']}", {"title": "x"})["label_ids"] == [COLD]
    assert world.data("PATCH", f"/leads/{lead['id']}", {"label_ids": []})["label_ids"] == []


def test_null_unsets_a_field() -> None:
    world = World()
    given = {"value": {"amount": 1, "currency": "EUR"}, "expected_close_date": "2026-12-31", "organization_id": 1}
    more = {"channel": 5, "channel_id": "x", FIELD: 10, f"{FIELD}_currency": "EUR"}
    lead = world.add(**given, **more)
    bare = world.data("PATCH", f"/leads/{lead['id']}", {**dict.fromkeys(given), **dict.fromkeys(more)})
    assert all(bare[key] is None for key in (*given, "channel", "channel_id"))
    assert FIELD not in bare
    assert f"{FIELD}_currency" not in bare


def test_unsetting_a_custom_field_unsets_its_companions() -> None:
    world = World()
    lead = world.add(**{FIELD: 10, f"{FIELD}_currency": "EUR"})
    assert f"{FIELD}_currency" not in world.data("PATCH", f"/leads/{lead['id']}", {FIELD: None})


def test_a_lead_keeps_a_person_or_an_organization() -> None:
    world = World()
    lead = world.add()
    assert "organization_id" in world.refusal("PATCH", f"/leads/{lead['id']}", {"person_id": None})
    moved = world.data("PATCH", f"/leads/{lead['id']}", {"person_id": None, "organization_id": 2})
    assert (moved["person_id"], moved["organization_id"]) == (None, 2)


def test_origin_id_can_only_be_set_on_creation() -> None:
    world = World()
    lead = world.add(origin_id="acme:one")
    message = world.refusal("PATCH", f"/leads/{lead['id']}", {"origin_id": "acme:two"})
    assert message == "Invalid field(s) in the payload: origin_id"
    assert world.data("GET", f"/leads/{lead['id']}")["origin_id"] == "acme:one"


def test_known_custom_fields_are_stored_and_unknown_ones_ignored() -> None:
    world = World()
    lead = world.add(**{FIELD: 10, UNKNOWN_FIELD: "lost"})
    assert lead[FIELD] == 10
    assert UNKNOWN_FIELD not in lead
    assert UNKNOWN_FIELD not in world.data("PATCH", f"/leads/{lead['id']}", {UNKNOWN_FIELD: "lost again"})
    assert world.data("PATCH", f"/leads/{lead['id']}", {FIELD: [12, 34]})[FIELD] == "12,34"
    assert FIELD not in world.add()


def test_custom_fields_of_seeded_leads_are_known() -> None:
    world = World(company(fields=[], leads=[{"title": "x", "person_id": 1, UNKNOWN_FIELD: "y"}]))
    assert world.add(**{UNKNOWN_FIELD: "kept"})[UNKNOWN_FIELD] == "kept"


def test_an_archived_lead_can_only_be_unarchived() -> None:
    world = World()
    path = f"/leads/{world.add()['id']}"
    archived = world.data("PATCH", path, {"is_archived": True, "title": "Both at once"})
    assert (archived["title"], archived["archive_time"]) == ("Both at once", archived["update_time"])
    refused: list[dict[str, Any]] = [
        {"title": "x"},
        {"is_archived": False, "title": "x"},
        {"is_archived": True},
        {},
        {"label_ids": []},
    ]
    for body in refused:
        assert "archived" in world.refusal("PATCH", path, body)
    assert world.data("GET", path) == archived
    back = world.data("PATCH", path, {"is_archived": False})
    assert (back["is_archived"], back["archive_time"]) == (False, None)


def test_a_deleted_lead_is_gone() -> None:
    world = World()
    live, archived = world.add()["id"], world.add()["id"]
    world.data("PATCH", f"/leads/{archived}", {"is_archived": True})
    for lead_id in (live, archived):
        answer = world.api("DELETE", f"/leads/{lead_id}")
        assert answer.json() == {"success": True, "data": {"id": lead_id}}
        for method in ("GET", "PATCH", "DELETE"):
            assert world.api(method, f"/leads/{lead_id}", {"title": "x"}).status_code == 404
    assert world.listed() == world.listed("/leads/archived") == []


@pytest.mark.parametrize("lead_id", [NOWHERE, "not-a-uuid"])
@pytest.mark.parametrize(("method", "body"), [("GET", None), ("PATCH", b"{"), ("DELETE", None)])
def test_a_missing_lead_is_404(method: str, body: bytes | None, lead_id: str) -> None:
    answer = World().api(method, f"/leads/{lead_id}", body)
    assert answer.status_code == 404
    assert answer.json() == {
        "success": False,
        "error": "requested lead not found",
        "error_info": "Object was not found.",
        "data": None,
        "additional_data": None,
    }
