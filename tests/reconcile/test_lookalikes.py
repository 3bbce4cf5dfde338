"""Which names look alike, and what a plan says of live labels that look like declared ones."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadstate.model.address import Ref
from leadstate.model.diagnostics import Diagnostic, Severity
from leadstate.model.resource import Desired, Live
from leadstate.reconcile.lookalikes import skeleton
from tests.harness.builders import HERE, account, label, live_label, planned, shown

ALIKE = {
    "case": ("Hot", "hOT"),
    "case of another script": ("\u0422\u0415\u0421\u0422", "\u0442\u0435\u0441\u0442"),
    "sharp s": ("Straße", "STRASSE"),
    "width": ("Hot", "\uff28\uff4f\uff54"),
    "form": ("final", "\ufb01nal"),
    "Cyrillic letters": ("Hot", "\u041d\u043e\u0442"),
    "Greek letters": ("HOT", "\u0397\u039f\u03a4"),
    "digits": ("Q10", "QlO"),
    "zero width": ("Hot", "H\u200bo\u00adt\ufeff"),
    "emoji presentation": ("\u2764 Love", "\u2764\ufe0f Love"),
    "skin tone": ("\U0001f44d", "\U0001f44d\U0001f3fd"),
    "white space": ("Very  hot", "Very\u00a0hot"),
    "dashes": ("A-B", "A\u2013B"),
    "minus": ("A-B", "A\u2212B"),
    "markers that NFKC takes apart": ("it's 5\"", "it\u00b4s 5\u2033"),
    "quotes": ('Bob\'s "A"', "Bob\u2019s \u201cA\u201d"),
}


@pytest.mark.parametrize(("name", "other"), ALIKE.values(), ids=ALIKE)
def test_confusable_names_have_equal_skeletons(name: str, other: str) -> None:
    assert skeleton(name) == skeleton(other)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("Hot", "Hat"),
        ("Tier 1", "Tier 2"),
        ("Café", "Cafe"),
        ("A-B", "AB"),
        ("A B", "AB"),
        ("👍", "👎"),
        ("Bill", "Biil"),
    ],
)
def test_distinct_names_have_different_skeletons(name: str, other: str) -> None:
    assert skeleton(name) != skeleton(other)


@given(st.text())
def test_skeletons_are_idempotent_and_ignore_case(name: str) -> None:
    assert skeleton(skeleton(name)) == skeleton(name)
    assert skeleton(name.casefold()) == skeleton(name)


def found(*declared: Desired, live: tuple[Live, ...], labels: str = "none") -> list[Diagnostic]:
    return list(planned(account(*declared, labels=labels), *live).diagnostics)


def test_an_unmanaged_lookalike_of_a_declared_label_is_a_warning() -> None:
    assert found(label("Hot"), live=(live_label("Hot"), live_label("hot", "blue"))) == [
        Diagnostic(
            "looks-alike",
            Severity.WARNING,
            "'hot' in Pipedrive looks like it and is unmanaged",
            hint='to make them one, write `merge_from: ["hot"]`; else rename one in Pipedrive',
            span=HERE,
            account="emea",
            address=label("Hot").address,
        )
    ]


def test_a_lookalike_of_a_missing_label_may_be_the_same_label() -> None:
    (diagnostic,) = found(label("Hot"), live=(live_label("hot"),))
    assert (diagnostic.code, diagnostic.hint) == (
        "looks-alike",
        'if it is the same label, write `previously: ["hot"]`; it keeps its leads',
    )
    (diagnostic,) = found(label("Hot"), live=(live_label("hot"), live_label("HOT")))
    assert "one of them" in diagnostic.hint
    assert diagnostic.summary == "'hot', 'HOT' in Pipedrive look like it and are unmanaged"
    assert diagnostic.hint == "if one of them is the same label, write its name into `previously`; it keeps its leads"


def test_a_lookalike_without_a_unique_name_is_proposed_by_id() -> None:
    twins = (live_label("hot", "red", "id-1"), live_label("hot", "red", "id-2"))
    (diagnostic,) = found(label("Hot"), live=(live_label("Hot"), *twins))
    assert "merge_from: [{id: id-1}, {id: id-2}]" in diagnostic.hint
    (diagnostic,) = found(label("${x}"), live=(live_label("${x}"), live_label("${X}", "red", "id-3")))
    assert "merge_from: [{id: id-3}]" in diagnostic.hint


@pytest.mark.parametrize(
    ("protected", "hint"),
    [
        ("hot", 'to make them one, write `merge_from: ["HOT"]`; else rename one in Pipedrive'),
        ("[hH]*", "rename one in Pipedrive"),
    ],
)
def test_a_merge_of_a_protected_lookalike_is_not_offered(protected: str, hint: str) -> None:
    declared = account(label("Hot"), protect={"label": [protected]})
    (told,) = planned(declared, live_label("Hot"), live_label("hot"), live_label("HOT")).diagnostics
    assert told.hint == hint


def test_invisible_characters_in_a_hint_are_yaml_escapes() -> None:
    (diagnostic,) = found(label('a"\\'), live=(live_label('a"\\'), live_label('A"\\\u200b\ufe0f\U000e0001')))
    assert r'merge_from: ["A\"\\\u200b\ufe0f\U000e0001"]' in diagnostic.hint


def test_a_lookalike_that_the_plan_handles_is_not_reported() -> None:
    live = (live_label("Hot"), live_label("hot", "blue"))
    source = replace(label("hot", present=False), moves_to=Ref("label", "Hot"))
    assert [diagnostic.code for diagnostic in found(label("Hot"), source, live=live)] == ["archived-not-counted"]
    assert [diagnostic.code for diagnostic in found(label("Hot", "red", "hot"), live=live)] == ["previous-name-exists"]
    assert found(label("Hot"), label("hot", "blue"), live=live) == []
    assert found(label("Hot"), live=live, labels="all") == []
    assert found(label("HOT", present=False), live=live) == []


def test_a_lookalike_is_not_also_reported_as_a_likely_rename() -> None:
    plan = planned(account(label("Hot"), label("New", "red")), live_label("Hot"), live_label("hot"))
    assert [diagnostic.code for diagnostic in plan.diagnostics] == ["looks-alike"]


def test_lookalikes_do_not_change_the_plan() -> None:
    assert shown(planned(account(label("Hot")), live_label("hot"))) == ["+ label:Hot"]


@pytest.mark.parametrize(("missing", "remarks"), [(1, 1), (2, 0)])
def test_no_rename_is_guessed_if_several_missing_labels_share_the_color(missing: int, remarks: int) -> None:
    wanted = [label(f"New {number}", "red") for number in range(missing)]
    assert len(planned(account(*wanted), live_label("Old", "red")).diagnostics) == remarks
