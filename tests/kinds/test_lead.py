"""Leads between YAML, wire and plan: normal forms in, exact requests out."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from leadstate.kinds.base import Symbols
from leadstate.kinds.lead import LeadSpec, declare_lead, decode, requests, visibility
from leadstate.model.address import Address, Ref, RemoteRef
from leadstate.model.plan import Action, Change, Reason
from leadstate.model.resource import AtLeast, Lookup, Money
from tests.harness.builders import HERE, refs

BODIES = json.loads((Path(__file__).parents[1] / "data" / "leads.json").read_text(encoding="utf-8"))


def spec(**fields: Any) -> LeadSpec:
    return LeadSpec.model_validate({"key": "k", "title": "T", "person": 1, **fields})


def attrs(**fields: Any) -> Any:
    keys = {"Hot": "Hot", "Warm": "Warm"}
    return declare_lead(
        spec(**fields), Address("a", "lead", "k"), HERE, namespace="ns", label_keys=keys, place=lambda _: HERE
    ).attrs


def change(action: Action = Action.UPDATE, **more: Any) -> Change:
    wanted = {"want": {}, "remote_id": "id-1", "fields": (), **more}
    return Change(Address("a", "lead", "k"), action, Reason.DIFFERS, **wanted)


class Ids(Symbols):
    def resolve(self, ref: Ref) -> str:
        return f"id-{ref.key}"


def sent(change: Change) -> list[tuple[str, str, Any]]:
    made = requests(change, Ids())
    return [(r.operation.method, r.path, None if r.body is None else json.loads(json.dumps(r.body))) for r in made]


def test_a_field_that_is_not_written_is_not_managed() -> None:
    assert attrs() == {"title": "T", "person": 1}


def test_people_are_looked_up_where_they_are_described() -> None:
    found = attrs(person={"email": "jane@acme.test"}, organization={"name": " Acme "}, owner={"email": "sam@acme.test"})
    assert found["person"] == Lookup("person", "email", "jane@acme.test", HERE)
    assert found["organization"] == Lookup("organization", "name", "Acme", HERE)
    assert found["owner"] == Lookup("user", "email", "sam@acme.test", HERE)


@pytest.mark.parametrize(
    ("word", "plan", "number"),
    [
        ("owner", "lite", 1),
        ("company", "growth", 3),
        ("group", "growth", None),
        ("owner", "premium", 1),
        ("group", "premium", 3),
        ("subgroups", "ultimate", 5),
        ("company", "ultimate", 7),
        ("company", None, None),
        (5, None, 5),
        (5, "growth", None),
        (3, "growth", 3),
        (7, "premium", 7),
    ],
)
def test_the_visibility_word_depends_on_the_pipedrive_plan(word: Any, plan: Any, number: int | None) -> None:
    assert visibility(word, plan) == number


def test_null_is_kept_as_unset() -> None:
    assert attrs(value=None, organization=None)["value"] is None


def test_values_have_normal_forms() -> None:
    found = attrs(
        title="  Cafe\u0301 ", labels=["Warm", "Hot", "Hot"], value={"amount": Decimal("12000.00"), "currency": "EUR"},
        visible_to=3,
    )  # fmt: skip
    assert found["title"] == "Café"
    assert found["labels"] == refs("Hot", "Warm")
    assert found["value"] == Money(Decimal(12000), "EUR")
    assert found["visible_to"] == "3"
    assert attrs(labels={"at_least": ["Hot"]})["labels"] == AtLeast(refs("Hot"))


@pytest.mark.parametrize(
    "fields",
    [
        {"title": None},
        {"title": " "},
        {"title": "a\nb"},
        {"title": "x" * 256},
        {"title": 5},
        {"key": "Upper"},
        {"key": ""},
        {"labels": None},
        {"owner": None},
        {"person": 0},
        {"person": "1"},
        {"person": True},
        {"person": {}},
        {"person": {"email": "jane"}},
        {"person": {"email": "jane@acme.test", "name": "Jane"}},
        {"organization": {"email": "a@b"}},
        {"owner": {"name": "Sam"}},
        {"visible_to": "everybody"},
        {"visible_to": 2},
        {"visible_to": "3"},
        {"value": {"amount": 5}},
        {"value": {"amount": "5", "currency": "EUR"}},
        {"value": {"amount": True, "currency": "EUR"}},
        {"value": {"amount": Decimal("NaN"), "currency": "EUR"}},
        {"value": {"amount": Decimal("Infinity"), "currency": "EUR"}},
        {"value": {"amount": Decimal("1e400"), "currency": "EUR"}},
        {"value": {"amount": Decimal(1234567890123456), "currency": "EUR"}},
        {"value": {"amount": 5, "currency": "eur"}},
        {"expected_close_date": "0000-01-01"},
        {"expected_close_date": "2026-02-30"},
        {"expected_close_date": "20261231"},
        {"expected_close_date": "2026-12-31T00:00:00"},
        {"unknown": 1},
    ],
)
def test_an_invalid_lead_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        spec(**fields)


def test_a_patch_holds_the_changed_fields_only() -> None:
    assert sent(change(want={"labels": refs("Hot", "Warm")})) == [
        ("PATCH", "/leads/id-1", {"label_ids": ["id-Hot", "id-Warm"]})
    ]


def test_undeclared_labels_keep_their_ids() -> None:
    want = {"labels": (*refs("Hot"), RemoteRef("label", "dangling"))}
    assert sent(change(want=want))[0][2] == {"label_ids": ["id-Hot", "dangling"]}


def test_a_patch_unsets_with_null_and_a_post_leaves_it_out() -> None:
    want = {"title": "T", "value": None, "person": 1}
    assert sent(change(want=want))[0][2] == {"title": "T", "value": None, "person_id": 1}
    added = change(Action.ADD, want=want, remote_id=None, marker="ns:k")
    assert sent(added) == [("POST", "/leads", {"title": "T", "person_id": 1, "origin_id": "ns:k"})]


def test_archiving_is_a_request_of_its_own_after_the_rest() -> None:
    want = {"title": "T", "archived": True}
    assert sent(change(want=want)) == [
        ("PATCH", "/leads/id-1", {"title": "T"}),
        ("PATCH", "/leads/id-1", {"is_archived": True}),
    ]
    assert sent(change(Action.ADD, want=want, remote_id=None, marker="ns:k"))[1] == (
        "PATCH",
        "/leads/{id}",
        {"is_archived": True},
    )


def test_a_lead_is_unarchived_before_it_is_updated() -> None:
    assert sent(change(want={"title": "T", "archived": False}, thaw_first=True)) == [
        ("PATCH", "/leads/id-1", {"is_archived": False}),
        ("PATCH", "/leads/id-1", {"title": "T"}),
    ]


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=2))
def test_an_amount_comes_back_as_it_was_declared(amount: Decimal) -> None:
    wanted = attrs(value={"amount": amount, "currency": "EUR"})
    text = json.dumps(sent(change(want=wanted))[0][2]["value"])
    answered = json.loads(text, parse_float=Decimal)
    live = decode({"id": "x", "title": "T", "value": answered})
    assert live.attrs["value"] == wanted["value"]


@pytest.mark.parametrize("row", BODIES.values(), ids=BODIES)
def test_a_body_of_each_year_is_decoded(row: dict[str, Any]) -> None:
    live = decode(row)
    assert (live.remote_id, live.name, live.marker) == (row["id"], row["title"], row.get("origin_id"))
    plain = ("title", "channel", "channel_id", "expected_close_date", "visible_to", "was_seen")
    assert {name: live.attrs[name] for name in plain} == {name: row.get(name) for name in plain}
    assert live.attrs["archived"] is row["is_archived"]
    assert (live.attrs["person"], live.attrs["organization"]) == (row["person_id"], row["organization_id"])
    assert live.custom == {key: value for key, value in row.items() if len(key) == 40}


def test_a_body_with_missing_fields_and_numbers_for_text_is_decoded() -> None:
    live = decode({"id": "x", "title": "T", "visible_to": 3})
    assert live.attrs["visible_to"] == "3"
    assert live.marker is None


@pytest.mark.parametrize("amount", ["1e5000000", "1e-5000000", "1e51", "9" * 52])
def test_an_amount_out_of_bounds_is_no_lead(amount: str) -> None:
    with pytest.raises(ValueError, match="out of bounds"):
        decode({"id": "x", "title": "t", "value": {"amount": amount, "currency": "EUR"}})
