"""Live labels and leads as items of a file: one for what accounts agree on, and nothing that cannot be declared."""

from decimal import Decimal
from typing import Any

import pytest

from leadstate.edit.import_ import Declared, Imported, import_leads, import_named
from leadstate.edit.spelling import ReadableKeys
from leadstate.kinds.label import LABEL
from leadstate.model.address import Ref, RemoteRef
from leadstate.model.resource import Live, Money, Value

EVERYONE = frozenset("ab")
NONE: dict[str, Value] = dict.fromkeys(
    ("person", "organization", "owner", "labels", "value", "expected_close_date", "visible_to", "channel", "channel_id")
)


def label(name: str, color: str = "red") -> Live:
    return Live("label", f"id-{name}", {"name": name, "color": color}, name)


def lead(title: str, marker: str | None = None, remote_id: str = "i", **attrs: Any) -> Live:
    return Live("lead", remote_id, {**NONE, "title": title, "person": 1, **attrs}, title, marker)


def taken(found: dict[str, list[Live]], **known: dict[str, str]) -> Imported:
    everything = Declared(
        EVERYONE, "ns", frozenset(("taken",)), {name: {Ref("label", "Hot"): "hot"} for name in "ab"}, {"a": "premium"}
    )
    people = {("person", 1): known["person"]} if "person" in known else {}
    return import_leads(found, dict.fromkeys(found, people), everything)


def said(found: Imported) -> list[tuple[str, str]]:
    assert all(diagnostic.code == "not-imported" and diagnostic.hint for diagnostic in found.diagnostics)
    return [(diagnostic.account or "", diagnostic.summary) for diagnostic in found.diagnostics]


def test_labels_of_several_accounts_are_one_item_with_overrides() -> None:
    found = import_named(LABEL, {"a": [label("Hot"), label("Cold", "blue")], "b": [label("Hot", "green")]}, EVERYONE)
    assert found.items == [
        {"name": "Hot", "color": "red", "overrides": {"b": {"color": "green"}}},
        {"name": "Cold", "color": "blue", "accounts": ["a"]},
    ]
    assert found.accounts == {"Hot": ["a", "b"], "Cold": ["a"]}
    assert said(found) == []


def test_a_label_that_cannot_be_declared_is_left_out() -> None:
    found = import_named(LABEL, {"a": [label("${x}"), label("Hot", "mauve"), label(""), label("Warm")]}, frozenset("a"))
    assert found.items == [{"name": "Warm", "color": "red"}]
    assert [diagnostic.hint for diagnostic in found.diagnostics] == [
        "rename it in Pipedrive",
        *["change it in Pipedrive"] * 2,
    ]
    assert said(found) == [
        ("a", "the label '${x}': it holds `${`, which would be taken for a variable"),
        ("a", "the label 'Hot': its name or a value cannot be declared (color mauve)"),
        ("a", "the label '': its name or a value cannot be declared (color red)"),
    ]


def test_a_marked_lead_gets_the_key_of_its_marker_and_an_unmarked_one_is_adopted() -> None:
    found = taken({"a": [lead("T", "ns:k"), lead("T", remote_id="i2"), lead("T", remote_id="i3"), lead("Taken")]})
    assert [(item["key"], item.get("adopted"), item["accounts"]) for item in found.items] == [
        ("k", None, ["a"]),
        ("t", True, ["a"]),
        ("t-2", True, ["a"]),
        ("taken-2", True, ["a"]),
    ]
    assert found.adopted == {"a": {Ref("lead", "t"): "i2", Ref("lead", "t-2"): "i3", Ref("lead", "taken-2"): "i"}}


def test_lead_fields_are_written_in_the_form_of_the_configuration() -> None:
    fields: dict[str, Any] = {
        "labels": (Ref("label", "Hot"),), "value": Money(Decimal("1.50"), "EUR"), "visible_to": "3",
        "expected_close_date": "2026-12-31", "owner": 7,
    }  # fmt: skip
    (item,) = taken({"a": [lead("T", "ns:k", **fields)]}, person={"email": "j@acme.test"}).items
    assert item == {
        "key": "k", "title": "T", "person": {"email": "j@acme.test"}, "owner": 7, "labels": ["hot"],
        "value": {"amount": Decimal("1.50"), "currency": "EUR"}, "expected_close_date": "2026-12-31",
        "visible_to": "group", "accounts": ["a"],
    }  # fmt: skip


def test_a_field_that_one_account_lacks_is_null_in_its_override() -> None:
    found = taken({"a": [lead("T", "ns:k", channel_id="x", owner=7)], "b": [lead("T", "ns:k")]})
    assert found.items == [
        {
            "key": "k",
            "title": "T",
            "person": 1,
            "labels": [],
            "channel_id": "x",
            "overrides": {"b": {"channel_id": None}},
        }
    ]


def test_each_imported_lead_names_the_accounts_that_have_it() -> None:
    assert taken({"a": [lead("T", "ns:k")], "b": [lead("T", "ns:k"), lead("U")]}).accounts == {
        "k": ["a", "b"],
        "u": ["b"],
    }


def test_an_unknown_visibility_cannot_be_declared() -> None:
    found = taken({"a": [lead("T", "ns:k", visible_to="everybody")]})
    assert (found.items, said(found)) == ([], [("a", "the lead 'k': its key or a field cannot be declared")])


def test_without_declared_labels_a_lead_keeps_those_it_carries() -> None:
    nothing = Declared(EVERYONE, "ns", frozenset(), {}, {})
    found = import_leads({"a": [lead("T", "ns:k", labels=(Ref("label", "Hot"),))]}, {"a": {}}, nothing)
    assert found.items[0]["labels"] == {"at_least": []}


def test_undeclared_labels_stay_on_their_lead() -> None:
    carried = (Ref("label", "Hot"), RemoteRef("label", "x"))
    found = taken({"a": [lead("T", "ns:k", labels=carried)]})
    assert found.items[0]["labels"] == {"at_least": ["hot"]}
    assert said(found) == [("a", "the lead 'k': some of its labels are not declared, and stay untouched")]
    assert found.diagnostics[0].severity == "warning"
    assert found.diagnostics[0].hint == "import the labels too, and write the list out"


@pytest.mark.parametrize(
    ("leads", "why", "hint"),
    [
        ([lead("T", "ns:k"), lead("T", "ns:k")], "several carry this marker", "delete the others in Pipedrive"),
        ([lead("${x}", "ns:k")], "it holds `${`, which would be taken for a variable", "rename it in Pipedrive"),
        (
            [lead("T", "ns:k", channel_id="${x}")],
            "it holds `${`, which would be taken for a variable",
            "rename it in Pipedrive",
        ),
        ([lead("T", "ns:K K")], "its key or a field cannot be declared", "declare it by hand"),
        ([lead("", "ns:k")], "its key or a field cannot be declared", "declare it by hand"),
    ],
)
def test_a_lead_that_cannot_be_declared_is_left_out(leads: list[Live], why: str, hint: str) -> None:
    found = taken({"a": leads})
    assert found.items == []
    assert {(account, summary.partition(": ")[2]) for account, summary in said(found)} == {("a", why)}
    assert all(summary.startswith("the lead '") for _, summary in said(found))
    assert {diagnostic.hint for diagnostic in found.diagnostics} == {hint}


@pytest.mark.parametrize(
    ("title", "others", "key"),
    [
        ("Acme Renewal 2026!", (), "acme-renewal-2026"),
        ("Café  Ünïcode", (), "cafe-unicode"),
        ("--X--", (), "x"),
        ("日本", (), "lead"),
        ("日本", ("lead", "lead-2"), "lead-3"),
        ("x" * 100, (), "x" * 44),
        ("a" * 43 + " b", (), "a" * 43),
    ],
)
def test_a_readable_key(title: str, others: tuple[str, ...], key: str) -> None:
    assert ReadableKeys({*others}).make(title) == key


def test_a_number_that_is_taken_is_not_tried_again_for_the_same_title() -> None:
    class Counting(set[str]):
        asked = 0

        def __contains__(self, key: object) -> bool:
            self.asked += 1
            return super().__contains__(key)

    taken = Counting({"renewal-3"})
    keys = ReadableKeys(taken)
    assert [keys.make("Renewal") for _ in range(5)] == ["renewal", "renewal-2", "renewal-4", "renewal-5", "renewal-6"]
    assert taken.asked == 1 + 2 * 4 + 1
