"""Custom fields of every type: what leads may be given, what their bodies show, and what is kept."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.harness.sandbox_driver import UNKNOWN_FIELD, World, company

TYPES = (
    "varchar", "text", "phone", "double", "monetary", "date", "time", "enum", "set", "user", "people", "org",
    "timerange", "daterange", "address",
)  # fmt: skip
KEYS = {kind: f"{place:x}" * 40 for place, kind in enumerate(TYPES)}
MONEY, CURRENCY = KEYS["monetary"], KEYS["monetary"] + "_currency"
OPTIONS = [{"id": 30, "label": "C"}, {"id": 10, "label": "A"}, {"id": 20, "label": "B"}]


def fields() -> list[dict[str, Any]]:
    choices = {kind: {"options": OPTIONS} for kind in ("enum", "set")}
    return [{"code": code, "name": kind, "type": kind, **choices.get(kind, {})} for kind, code in KEYS.items()]


def new_world(**more: Any) -> World:
    return World(company(fields=fields(), **more))


def stored_values(world: World) -> dict[str, Any]:
    (lead,) = world.sandbox.companies[0].tables().leads
    return dict(lead.custom)


GOOD: list[tuple[str, Any, Any, Any]] = [
    ("varchar", "Retail", "Retail", "Retail"),
    ("varchar", "x" * 255, "x" * 255, "x" * 255),
    ("text", "two\nlines " * 100, "two\nlines " * 100, "two\nlines " * 100),
    ("text", "x" * 65_000, "x" * 65_000, "x" * 65_000),
    ("phone", "+372 555", "+372 555", "+372 555"),
    ("double", 7, 7, 7),
    ("double", -0.5, -0.5, -0.5),
    ("date", "2026-12-31", "2026-12-31", "2026-12-31"),
    ("time", "00:00:00", "00:00:00", "00:00:00"),
    ("time", "23:59:59", "23:59:59", "23:59:59"),
    ("enum", 10, 10, "10"),
    ("enum", "10", 10, "10"),
    ("set", [10, 30], (30, 10), "30,10"),
    ("set", ["20", 10, 10], (10, 20), "10,20"),
    ("set", "20", (20,), "20"),
    ("set", "20,10", (10, 20), "10,20"),
    ("user", 2, 2, 2),
    ("people", 3, 3, 3),
    ("org", 1, 1, 1),
]


@pytest.mark.parametrize(
    ("kind", "sent", "stored", "shown"), GOOD, ids=[f"{case[0]}{i}" for i, case in enumerate(GOOD)]
)
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_value_is_stored_in_normal_form_and_shown_as_the_api_does(
    method: str, kind: str, sent: Any, stored: Any, shown: Any
) -> None:
    world = new_world()
    lead = world.add(**({KEYS[kind]: sent} if method == "POST" else {}))
    if method == "PATCH":
        lead = world.data("PATCH", f"/leads/{lead['id']}", {KEYS[kind]: sent})
    assert lead[KEYS[kind]] == shown
    assert type(lead[KEYS[kind]]) is type(shown)
    assert stored_values(world) == {KEYS[kind]: stored}
    assert world.data("GET", f"/leads/{lead['id']}") == world.data("GET", "/leads")[0] == lead


BAD: list[tuple[str, Any]] = [
    ("varchar", 7),
    ("varchar", ""),
    ("varchar", "x" * 256),
    ("varchar", ["x"]),
    ("text", True),
    ("text", "x" * 65_001),
    ("phone", 372),
    ("double", "7"),
    ("double", True),
    ("double", ""),
    ("double", [7]),
    ("date", "2026-02-30"),
    ("date", "31.12.2026"),
    ("date", ""),
    ("date", 20261231),
    ("time", "24:00:00"),
    ("time", "9:00:00"),
    ("time", "09:00"),
    ("time", "09:00:00Z"),
    ("time", 9),
    ("enum", 11),
    ("enum", "A"),
    ("enum", "11"),
    ("enum", "1" * 5000),
    ("enum", "\u0661\u0660"),
    ("enum", True),
    ("enum", 10.0),
    ("enum", [10]),
    ("enum", ""),
    ("set", 10),
    ("set", [11]),
    ("set", [[10]]),
    ("set", "10,11"),
    ("set", "10, 20"),
    ("set", ","),
    ("set", []),
    ("set", ""),
    ("set", {"id": 10}),
    ("user", 9),
    ("user", "2"),
    ("user", 0),
    ("user", {"id": 2}),
    ("people", 9),
    ("org", 9),
    ("org", True),
    ("monetary", "5"),
    ("monetary", {"amount": 5, "currency": "EUR"}),
    ("timerange", "09:00:00"),
    ("timerange", None),
    ("daterange", "2026-12-31"),
    ("address", "3 Mill Lane"),
]


@pytest.mark.parametrize(("kind", "value"), BAD, ids=[f"{case[0]}{i}" for i, case in enumerate(BAD)])
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_value_of_another_type_is_refused_and_changes_nothing(method: str, kind: str, value: Any) -> None:
    world = new_world()
    lead = world.add(title="Before")
    before = world.sandbox.dump()
    body = {"title": "After", "person_id": 1, KEYS[kind]: value}
    path = "/leads" if method == "POST" else f"/leads/{lead['id']}"
    assert KEYS[kind] in world.refusal(method, path, body)
    assert world.sandbox.dump() == before


@pytest.mark.parametrize(("enum", "many"), [("number", "list"), ("string", "list"), ("number", "string"), (None, None)])
def test_options_are_worded_as_the_company_is_configured(enum: str | None, many: str | None) -> None:
    wire = {key: value for key, value in (("enum", enum), ("set", many)) if value}
    world = new_world(wire=wire)
    lead = world.add(**{KEYS["enum"]: "20", KEYS["set"]: "20,10"})
    assert lead[KEYS["enum"]] == (20 if enum == "number" else "20")
    assert lead[KEYS["set"]] == ([10, 20] if many == "list" else "10,20")
    assert stored_values(world) == {KEYS["enum"]: 20, KEYS["set"]: (10, 20)}


def test_amount_and_currency_are_given_together() -> None:
    world = new_world()
    lead = world.add(**{MONEY: 12.5, CURRENCY: "EUR"})
    assert (lead[MONEY], lead[CURRENCY]) == (12.5, "EUR")
    path = f"/leads/{lead['id']}"
    wrong: list[dict[str, Any]] = [
        {MONEY: 5},
        {CURRENCY: "USD"},
        {CURRENCY: None},
        {MONEY: 5, CURRENCY: None},
        {MONEY: None, CURRENCY: "EUR"},
        {MONEY: 5, CURRENCY: ""},
        {MONEY: 5, CURRENCY: 978},
    ]
    for body in wrong:
        assert MONEY in world.refusal("PATCH", path, body)
        assert MONEY in world.refusal("POST", "/leads", {"title": "x", "person_id": 1, **body})
    changed = world.data("PATCH", path, {MONEY: 0, CURRENCY: "USD"})
    assert (changed[MONEY], changed[CURRENCY]) == (0, "USD")
    for unset in ({MONEY: None}, {MONEY: None, CURRENCY: None}):
        world.data("PATCH", path, {MONEY: 5, CURRENCY: "EUR"})
        bare = world.data("PATCH", path, unset)
        assert MONEY not in bare
        assert CURRENCY not in bare


@pytest.mark.parametrize("kind", ["varchar", "text", "phone", "double", "date", "time", "enum", "set", "user", "org"])
def test_an_unset_custom_field_is_absent(kind: str) -> None:
    world = new_world()
    sent = next(value for name, value, _, _ in GOOD if name == kind)
    lead = world.add(**{KEYS[kind]: sent, KEYS["people"]: 1})
    bare = world.data("PATCH", f"/leads/{lead['id']}", {KEYS[kind]: None})
    assert KEYS[kind] not in bare
    assert bare[KEYS["people"]] == 1, "other fields stay"
    assert KEYS[kind] not in world.data("POST", "/leads", {"title": "x", "person_id": 1, KEYS[kind]: None})


def test_keys_that_belong_to_no_field_are_ignored() -> None:
    world = new_world()
    strange = {UNKNOWN_FIELD: {"any": "thing"}, KEYS["varchar"] + "_currency": 5, KEYS["set"] + "_until": True}
    lead = world.add(**strange)
    lead = world.data("PATCH", f"/leads/{lead['id']}", {**strange, "title": "After"})
    assert lead["title"] == "After"
    assert not lead.keys() & strange.keys()


READ_ONLY = {
    KEYS["timerange"]: "09:00:00",
    KEYS["timerange"] + "_until": "17:30:00",
    KEYS["timerange"] + "_timezone_id": 269,
    KEYS["daterange"]: "2026-12-01",
    KEYS["daterange"] + "_until": "2026-12-31",
    KEYS["address"]: "3 Mill Lane, Tallinn",
    KEYS["address"] + "_route": "Mill Lane",
    KEYS["address"] + "_formatted_address": "3 Mill Lane, 10111 Tallinn",
}


def test_ranges_and_addresses_are_read_only() -> None:
    world = new_world(leads=[{"title": "x", "person_id": 1, **READ_ONLY}])
    (lead,) = world.data("GET", "/leads")
    assert {key: lead[key] for key in READ_ONLY} == READ_ONLY
    before = world.sandbox.dump()
    for key, value in READ_ONLY.items():
        for body in ({key: value}, {key: None}):
            assert world.refusal("PATCH", f"/leads/{lead['id']}", body) == f"{key} can not be written"
            assert key in world.refusal("POST", "/leads", {"title": "x", "person_id": 1, **body})
    assert world.sandbox.dump() == before
    changed = world.data("PATCH", f"/leads/{lead['id']}", {"title": "y"})
    assert {key: changed[key] for key in READ_ONLY} == READ_ONLY, "another change leaves them"


def test_the_time_zone_of_a_time_is_read_only() -> None:
    zone = KEYS["time"] + "_timezone_id"
    world = new_world(leads=[{"title": "x", "person_id": 1, KEYS["time"]: "09:00:00", zone: 269}])
    path = f"/leads/{world.data('GET', '/leads')[0]['id']}"
    assert zone in world.refusal("PATCH", path, {zone: 1})
    changed = world.data("PATCH", path, {KEYS["time"]: "10:00:00"})
    assert (changed[KEYS["time"]], changed[zone]) == ("10:00:00", 269)
    assert zone not in world.data("PATCH", path, {KEYS["time"]: None})


VALUES = st.fixed_dictionaries(
    {},
    optional={
        KEYS["varchar"]: st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
        KEYS["double"]: st.integers(-(10**9), 10**9) | st.floats(allow_nan=False, allow_infinity=False),
        KEYS["date"]: st.dates().map(str),
        KEYS["time"]: st.times().map(lambda time: f"{time:%H:%M:%S}"),
        KEYS["enum"]: st.sampled_from([10, 20, 30]),
        KEYS["set"]: st.lists(st.sampled_from([10, 20, 30]), min_size=1),
        KEYS["people"]: st.integers(1, 3),
        "money": st.tuples(st.integers(0, 9), st.sampled_from(["EUR", "USD"])),
    },
)
WIRES = st.fixed_dictionaries(
    {"enum": st.sampled_from(["string", "number"]), "set": st.sampled_from(["string", "list"])}
)


@settings(max_examples=60, deadline=None)
@given(values=VALUES, wire=WIRES)
def test_a_shown_value_can_be_written_back_unchanged(values: dict[str, Any], wire: dict[str, str]) -> None:
    if "money" in values:
        values[MONEY], values[CURRENCY] = values.pop("money")
    world = new_world(wire=wire)
    lead = world.add(**values)
    shown = {key: lead[key] for key in values}
    again = world.data("PATCH", f"/leads/{lead['id']}", shown)
    assert again == lead
    dumped = world.sandbox.dump()
    world.sandbox.replace(dumped)
    assert world.sandbox.dump() == dumped
    assert world.data("GET", f"/leads/{lead['id']}") == lead
