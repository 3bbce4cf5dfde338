"""Live values of declared objects as edits: what is written where, and what is refused."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from leadstate.config.configuration import Configuration
from leadstate.config.loader import understand
from leadstate.config.yaml.diagnostics import Diagnostics, Place, Source
from leadstate.edit.items import Files
from leadstate.edit.pull import Accepted, accept
from leadstate.edit.writer import Edit, Set
from leadstate.kinds.custom_fields import CustomField, CustomFields
from leadstate.model.address import Ref, RemoteRef, Span
from leadstate.model.plan import Action, Change, FieldDiff, Reason
from leadstate.model.resource import Money, Side

TEXT = """\
version: 1
namespace: ns
accounts:
  a: {domain: a, token: {env: T}, plan: premium}
  b: {domain: b, token: {env: T}}
labels:
  - {name: Hot, color: red}
  - {name: Cold, key: c, color: blue, overrides: {b: {color: gray}}}
  - {name: Only, color: red, accounts: [a]}
leads:
  - {key: l, title: T, person: 1, labels: [Hot, c], value: {amount: 1.50, currency: EUR}, custom_fields: {X: 1, a.b: 2}}
  - {key: m, title: M, person: 1, organization: 2, labels: {at_least: [Hot]}, accounts: [a], visible_to: company}
"""

FIELDS = CustomFields(
    CustomField(letter * 40, name, type_, {1: "North", 2: "x ${b}"} if type_ in ("enum", "set") else {})
    for letter, name, type_ in (
        *(("1", "X", "double"), ("2", "a.b", "double"), ("3", "Größe", "double"), ("4", "Day", "date")),
        *(("5", "Hour", "time"), ("6", "Industry", "enum"), ("7", "Regions", "set"), ("8", "Short", "varchar")),
    )
)


def declared(text: str = TEXT) -> tuple[Files, Configuration]:
    source = Source("f.yaml", text, Path())
    return Files.of([source], Diagnostics()), understand([source], (), Diagnostics())


def accepted(*drifts: tuple[str, str, Side], text: str = TEXT, lock: Mapping[Ref, str] | None = None) -> Accepted:
    """What is accepted of drifts: address, field, live value."""
    files, everything = declared(text)
    locked = (replace(known, account=replace(known.account, lock=lock or {})) for known in everything.accounts)
    everything = replace(everything, accounts=tuple(locked))
    desired = {str(desired.address): desired for account in everything.accounts for desired in account.account.desired}
    changes = [
        Change(
            desired[address].address, Action.UPDATE, Reason.DIFFERS, (FieldDiff(path, live, None),), {},
            span=desired[address].span,
        )
        for address, path, live in drifts
    ]  # fmt: skip
    return accept(changes, files, everything, dict.fromkeys("ab", FIELDS))


def edits(*drifts: tuple[str, str, Side]) -> list[Edit]:
    found = accepted(*drifts)
    assert found.diagnostics == []
    return found.edits["f.yaml"]


CHANGE_OR_LEAVE_OUT = "change it in Pipedrive, or leave the field out"


def refusal(*drifts: tuple[str, str, Side]) -> str:
    found = accepted(*drifts)
    assert not any(found.edits.values())
    (diagnostic,) = found.diagnostics
    assert (diagnostic.code, diagnostic.severity, diagnostic.account) == ("not-pulled", "error", "a")
    assert (str(diagnostic.address), diagnostic.span) == (drifts[0][0], Span("f.yaml", 11, 5))
    return f"{diagnostic.summary} | {diagnostic.hint}"


def test_a_drift_of_all_accounts_is_written_to_the_item() -> None:
    drifts = [(f"{name}/label:Hot", "color", "green") for name in "ab"]
    assert edits(*drifts) == [Set(("labels", 0, "color"), "green")]


def test_a_drift_of_one_account_is_written_to_its_override() -> None:
    assert edits(("b/label:Hot", "color", "green")) == [Set(("labels", 0, "overrides", "b", "color"), "green")]
    drifts = (("a/label:Hot", "color", "green"), ("b/label:Hot", "color", "pink"))
    assert edits(*drifts) == [
        Set(("labels", 0, "overrides", "a", "color"), "green"),
        Set(("labels", 0, "overrides", "b", "color"), "pink"),
    ]


def test_an_existing_override_is_edited_and_other_accounts_use_the_item() -> None:
    assert edits(("a/label:c", "color", "green")) == [Set(("labels", 1, "color"), "green")]
    assert edits(("b/label:c", "color", "green")) == [Set(("labels", 1, "overrides", "b", "color"), "green")]


def test_a_removed_value_is_written_as_null() -> None:
    drifts = [(f"{name}/lead:l", path, None) for name in "ab" for path in ("value", "custom_fields.X")]
    assert edits(*drifts) == [Set(("leads", 0, "value"), None), Set(("leads", 0, "custom_fields", "X"), None)]
    assert edits(("a/lead:m", "person", None)) == [Set(("leads", 1, "person"), None)]


def test_a_custom_field_name_may_hold_dots() -> None:
    found = edits(("a/lead:l", "custom_fields.a.b", Decimal(3)))
    assert found == [Set(("leads", 0, "overrides", "a", "custom_fields", "a.b"), 3)]


def test_an_unchanged_amount_keeps_its_digits() -> None:
    (first,) = edits(*((f"{name}/lead:l", "value", Money(Decimal("1.5"), "USD")) for name in "ab"))
    assert isinstance(first, Set)
    assert str(first.value) == str({"amount": Decimal("1.50"), "currency": "USD"})
    (other,) = edits(*((f"{name}/lead:l", "value", Money(Decimal("2.0"), "EUR")) for name in "ab"))
    assert isinstance(other, Set)
    assert str(other.value) == str({"amount": 2, "currency": "EUR"})


def test_labels_of_a_lead_are_written_by_key_and_kept_ones_keep_their_order() -> None:
    live = (Ref("label", "Only"), Ref("label", "c"), Ref("label", "Hot"))
    assert edits(("a/lead:l", "labels", live)) == [Set(("leads", 0, "overrides", "a", "labels"), ["Hot", "c", "Only"])]
    text = TEXT.replace("name: Only,", "name: Only, key: o,")
    found = accepted(("a/lead:l", "labels", (*live[1:2], Ref("label", "o"))), text=text)
    assert found.edits["f.yaml"] == [Set(("leads", 0, "overrides", "a", "labels"), ["c", "o"])]
    assert edits(("a/lead:m", "labels", (Ref("label", "Hot"), Ref("label", "c")))) == [
        Set(("leads", 1, "labels"), {"at_least": ["Hot"]})
    ]
    assert edits(("a/lead:m", "labels", ())) == [Set(("leads", 1, "labels"), {"at_least": []})]


def test_a_lead_without_labels_gets_an_empty_list() -> None:
    assert edits(("a/lead:l", "labels", None)) == [Set(("leads", 0, "overrides", "a", "labels"), [])]


def test_an_absent_label_is_not_written_to_a_lead() -> None:
    text = TEXT.replace("{name: Only, color: red, accounts: [a]}", "{name: Only, state: absent}")
    found = accepted(("a/lead:l", "labels", (Ref("label", "Hot"), Ref("label", "Only"))), text=text)
    assert not any(found.edits.values())
    assert "it carries labels that are not declared: Only" in found.diagnostics[0].summary


def test_visible_to_is_a_word_if_the_plan_has_one_and_no_number_was_written() -> None:
    assert edits(("a/lead:m", "visible_to", "1")) == [Set(("leads", 1, "visible_to"), "owner")]
    assert edits(("b/lead:l", "visible_to", "3")) == [Set(("leads", 0, "overrides", "b", "visible_to"), 3)]


def test_a_renamed_label_that_is_referred_to_keeps_its_old_name_as_key() -> None:
    drifts = [(f"{name}/label:Hot", "name", "Hotter") for name in "ab"]
    assert edits(*drifts) == [Set(("labels", 0, "name"), "Hotter"), Set(("labels", 0, "key"), "Hot")]
    assert edits(("a/label:c", "name", "Colder")) != []
    drifts = [("a/label:Only", "name", "Lonely")]
    assert edits(*drifts) == [Set(("labels", 2, "name"), "Lonely")]


def test_a_renamed_label_that_a_lead_gets_in_the_same_run_keeps_its_old_name_as_key() -> None:
    drifts: list[tuple[str, str, Side]] = [("a/label:Only", "name", "Lonely")]
    drifts += [("a/lead:l", "labels", (Ref("label", "Hot"), Ref("label", "Only")))]
    assert Set(("labels", 2, "key"), "Only") in edits(*drifts)


@pytest.mark.parametrize(
    ("override", "path", "live", "expected"),
    [
        ("labels: [c, Hot]", "labels", (Ref("label", "Hot"), Ref("label", "c")), ["c", "Hot"]),
        ("organization: 2", "person", None, None),
        ("visible_to: 3", "visible_to", "1", 1),
        ("visible_to: company", "visible_to", "1", "owner"),
    ],
)
def test_the_value_of_an_override_decides_the_form_of_the_new_value(
    override: str, path: str, live: Side, expected: object
) -> None:
    text = TEXT.replace("labels: [Hot, c],", f"labels: [Hot, c], overrides: {{a: {{{override}}}}},")
    found = accepted(("a/lead:l", path, live), text=text)
    assert found.diagnostics == []
    assert found.edits["f.yaml"] == [Set(("leads", 0, "overrides", "a", path), expected)]


def keys_kept(text: str, table: str = "") -> list[Edit]:
    """Return what is set beside the name where people rename the first label, `Old`, to `New` in account a."""
    source, diagnostics = Source("f.yaml", text, Path()), Diagnostics()

    def read(path: Path, diagnostics: Diagnostics, named: Place, delimiter: str) -> Source:
        del diagnostics, named
        return Source(str(path), table, Path(), delimiter)

    everything = understand([source], (), diagnostics, read)
    assert not diagnostics.any_error
    (label, *_) = (desired for desired in everything.accounts[0].account.desired if "Old" in desired.names)
    drift = FieldDiff("name", "New", "Old")
    change = Change(label.address, Action.UPDATE, Reason.DIFFERS, (drift,), {}, span=label.span)
    found = accept([change], Files.of([source], Diagnostics()), everything, {})
    assert found.diagnostics == []
    first, *others = found.edits["f.yaml"]
    assert first == Set(("labels", 0, "name"), "New")
    return others


HEAD = "version: 1\nnamespace: ns\naccounts: {a: {domain: a, token: {env: T}}}\n"
LEAD = "{key: k, title: T, person: 1"
OLD_IS_THE_KEY: list[Edit] = [Set(("labels", 0, "key"), "Old")]


@pytest.mark.parametrize(
    "rest",
    [
        f"labels: [{{name: Old, color: red}}]\nleads: [{LEAD}, labels: [Old]}}]\n",
        f"labels: [{{name: Old, color: red}}]\nleads: [{LEAD}, labels: {{at_least: [Old]}}}}]\n",
        f"labels: [{{name: Old, color: red}}]\nleads: [{LEAD}, overrides: {{a: {{labels: [Old]}}}}}}]\n",
        "labels: [{name: Old, color: red}, {name: X, state: absent, replace_with: Old}]\n",
    ],
    ids=["a lead", "at least", "an override", "a successor"],
)
def test_every_kind_of_reference_keeps_the_old_name_as_key(rest: str) -> None:
    assert keys_kept(HEAD + rest) == OLD_IS_THE_KEY


@pytest.mark.parametrize("cell", ["labels", "labels.at_least"])
def test_a_reference_in_a_csv_file_keeps_the_old_name_as_key(cell: str) -> None:
    text = f"{HEAD}labels: [{{name: Old, color: red}}]\nleads_from: seeds.csv\n"
    assert keys_kept(text, f"key,title,person,{cell}\nk,T,1,Old\n") == OLD_IS_THE_KEY
    assert keys_kept(text, f"key,title,person,{cell}\nk,T,1,\n") == []


OVERRIDDEN = """\
version: 1
accounts: {a: {domain: a, token: {env: T}}, b: {domain: b, token: {env: T}, vars: {x: "1"}}}
labels:
  - {name: Hot, color: red, overrides: {b: {name: Heiß}}}
  - {name: Cold, key: c, color: blue}
  - {name: Warm, color: gray}
"""


def test_what_the_lock_file_knows_of_a_renamed_label_without_a_key_moves_in_every_account_that_has_it() -> None:
    found = accepted(("a/label:Hot", "name", "New"), text=OVERRIDDEN, lock={Ref("label", "Hot"): "1"})
    assert found.renamed == {"a": {Ref("label", "New"): "1"}, "b": {Ref("label", "New"): "1"}}


@pytest.mark.parametrize(
    ("drifts", "lock"),
    [
        ([("a/label:Hot", "name", "New")], {}),
        ([("a/label:Hot", "name", "New")], {Ref("label", "c"): "1"}),
        ([("a/label:Hot", "color", "gray")], {Ref("label", "Hot"): "1"}),
        ([("b/label:Hot", "name", "New")], {Ref("label", "Hot"): "1"}),
        ([("a/label:c", "name", "New"), ("b/label:c", "name", "New")], {Ref("label", "c"): "1"}),
        ([("a/label:Warm", "name", "New")], {Ref("label", "Warm"): "1"}),
    ],
    ids=["no lock file", "not known", "a colour", "an override", "a key", "a new override"],
)
def test_what_the_lock_file_knows_stays_where_no_address_changes(
    drifts: list[tuple[str, str, Side]], lock: dict[Ref, str]
) -> None:
    found = accepted(*drifts, text=OVERRIDDEN, lock=lock)
    assert (found.renamed, found.diagnostics) == ({}, [])


def test_a_renamed_label_with_a_key_keeps_that_key() -> None:
    assert keys_kept(f"{HEAD}labels: [{{name: Old, key: o, color: red}}]\nleads: [{LEAD}, labels: [Old]}}]\n") == []


@pytest.mark.parametrize(
    ("path", "live", "said"),
    [
        ("title", "a ${x}", "taken for a variable | rename it in Pipedrive"),
        ("title", "", "cannot be declared | change it in Pipedrive, or leave the field out"),
        ("labels", (RemoteRef("label", "i1"), Ref("label", "X")), "not declared: label#i1, X | import or declare"),
        ("person", None, "the live lead has no person, and no organization is declared | declare its organization"),
        ("odd", 1, "pull cannot write this field | write it by hand"),
    ],
)
def test_a_value_that_cannot_be_declared_is_refused(path: str, live: Side, said: str) -> None:
    found = refusal(("a/lead:l", path, live))
    assert f"the live value of `{path}` was not taken: " in found
    assert said in found


@pytest.mark.parametrize(
    ("name", "live", "said"),
    [
        ("Industry", "option 3", "it has no option 'option 3'"),
        ("Regions", ("North", "option 3"), "it has no option 'option 3'"),
        ("X", "? soon", "it takes a number of 15 significant digits at most"),
        ("Hour", "? 9:5", "it takes a time of the day"),
        ("Day", "soon", "it takes a day of the calendar"),
        ("Short", "a\nb", "it takes one line of 255 characters at most"),
        ("X", "7", "it cannot be read"),
        ("Gone", "x", "no field has this name"),
    ],
)
def test_a_value_that_its_custom_field_does_not_accept_is_refused(name: str, live: Side, said: str) -> None:
    found = refusal(("a/lead:l", f"custom_fields.{name}", live))
    assert found.endswith(f"not taken: the field does not accept it: {said} | {CHANGE_OR_LEAVE_OUT}")


@pytest.mark.parametrize(("name", "live"), [("Industry", "x ${b}"), ("Regions", ("North", "x ${b}"))])
def test_an_option_like_a_variable_is_refused(name: str, live: Side) -> None:
    found = refusal(("a/lead:l", f"custom_fields.{name}", live))
    assert "it holds `${`, which would be taken for a variable | rename it in Pipedrive" in found


@pytest.mark.parametrize("name", ["Gro\u0308\u00dfe", " Größe "])
def test_a_custom_field_is_written_under_its_name_as_it_is_spelled(name: str) -> None:
    text = TEXT.replace("{X: 1,", f"{{'{name}': 1,")
    drifts = [(f"{account}/lead:l", "custom_fields.Größe", Decimal(2)) for account in "ab"]
    assert accepted(*drifts, text=text).edits["f.yaml"] == [Set(("leads", 0, "custom_fields", name), 2)]
    overridden = text.replace("a.b: 2}}", "a.b: 2}, overrides: {b: {custom_fields: {Größe: 3}}}}")
    assert accepted(drifts[1], text=overridden).edits["f.yaml"] == [
        Set(("leads", 0, "overrides", "b", "custom_fields", "Größe"), 2)
    ]
    assert accepted(drifts[1], text=text).edits["f.yaml"] == [
        Set(("leads", 0, "overrides", "b", "custom_fields", name), 2)
    ]


def test_an_unknown_colour_is_refused_and_the_other_fields_are_pulled() -> None:
    found = accepted(("a/label:Only", "color", "mauve"), ("a/label:Only", "name", "Lonely"))
    assert [diagnostic.code for diagnostic in found.diagnostics] == ["not-pulled"]
    assert found.edits["f.yaml"] == [Set(("labels", 2, "name"), "Lonely")]


def test_what_cannot_be_edited_in_place_is_left_out_alone() -> None:
    text = TEXT.replace("name: Hot, color: red", "name: Hot, color: &c red").replace(
        "name: Only, color: red", "name: Only, color: *c"
    )
    drifts: list[tuple[str, str, Side]] = [(f"{name}/label:Hot", "color", "green") for name in "ab"]
    drifts += [(f"{name}/label:Hot", "name", "Warm") for name in "ab"]
    drifts += [("a/label:Only", "color", "pink")]
    found = accepted(*drifts, text=text)
    found.leave_out(declared(text)[0])
    assert found.edits["f.yaml"] == [
        Set(("labels", 0, "name"), "Warm"),
        Set(("labels", 0, "key"), "Hot"),
        Set(("labels", 2, "color"), "pink"),
    ]
    assert [(str(left.address), left.code, left.span, left.summary) for left in found.diagnostics] == [
        *(
            (
                f"{name}/label:Hot",
                "not-pulled",
                Span("f.yaml", 7, 27),
                "the live value of `color` was not taken: an alias (*c) stands for this value elsewhere",
            )
            for name in "ab"
        ),
    ]
    assert found.diagnostics[0].hint.startswith("edit this place by hand")


def test_a_csv_file_is_not_edited() -> None:
    files, everything = declared()
    address = everything.accounts[0].account.of_kind("lead")[0].address
    drift = FieldDiff("title", "New", "T")
    change = Change(address, Action.UPDATE, Reason.DIFFERS, (drift,), {}, span=Span("seeds.csv", 2, 1))
    found = accept([change], files, everything, {})
    assert not found.edits
    (diagnostic,) = found.diagnostics
    assert diagnostic.summary.endswith("was not taken: it stands in a CSV file, and only YAML is edited")
    assert diagnostic.hint == "write it there by hand"
