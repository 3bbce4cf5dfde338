"""What an earlier create may have made, under another name, marker or namespace: not created once more."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from leadstate.model.address import Ref
from leadstate.model.diagnostics import Severity
from leadstate.model.plan import AccountPlan
from leadstate.model.resource import Live
from leadstate.reconcile.unclear import SHORTEST, find_altered, is_altered
from tests.harness.builders import HERE, account, label, lead, live_label, live_lead, planned, shown

LONG = "A label of more than twenty characters"


def codes(plan: AccountPlan) -> list[str]:
    return [found.code for found in plan.diagnostics if found.severity is Severity.GUARD]


@pytest.mark.parametrize(
    ("wanted", "live", "altered"),
    [
        ("A  B", "A B", True),
        ("A B", "A  B", True),
        ("A\u00a0B", "A B", True),
        ("A B", "AB", False),
        ("Hot", "hot", False),
        (LONG, LONG[:SHORTEST], True),
        (f"A  {LONG}", f"A  {LONG}"[:SHORTEST], True),
        (f"A  {LONG}", f"A {LONG}"[:SHORTEST], True),
        (LONG, LONG[: SHORTEST - 1], False),
        (LONG, LONG[1 : SHORTEST + 1], False),
        (LONG[:SHORTEST], LONG, False),
        (LONG, LONG, False),
    ],
)
def test_a_label_whose_name_the_server_altered_is_recognised(wanted: str, live: str, *, altered: bool) -> None:
    assert is_altered(wanted, None, live_label(live)) is altered
    plan = planned(account(label(wanted)), live_label(live))
    assert codes(plan) == (["created-altered"] if altered else [])


@pytest.mark.parametrize(
    ("title", "marker", "altered"),
    [
        ("a", None, True),
        ("a", "", True),
        ("a", "ns:", True),
        ("a", "ns:a", False),
        ("a", "ns:b", False),
        ("a", "ns:a2", False),
        ("b", None, False),
        ("b", "ns:", False),
    ],
)
def test_a_lead_whose_marker_the_server_altered_is_recognised(title: str, marker: str | None, *, altered: bool) -> None:
    live = replace(live_lead("a", title=title), marker=marker)
    assert is_altered("a", "ns:a", live) is altered
    plan = planned(account(lead("a")), live)
    assert codes(plan) == (["created-altered"] if altered else [])


def test_an_intact_marker_is_not_altered() -> None:
    assert not is_altered("a", "ns:a", live_lead("a", title="drifted"))
    assert not is_altered(None, "ns:a", live_lead(None, title="a"))


def test_the_diagnostic_names_the_ids_and_a_fix() -> None:
    (found,) = find_altered([lead("a")], [live_lead(None, remote_id="z", title="a")], {"a": ["x", "y"]}, {})
    assert found.severity is Severity.GUARD
    assert found.summary == "an earlier run may have created it, and the server changed its ownership marker: x, y, z"
    assert (
        found.hint == "delete that lead in Pipedrive if it is one, or pass `--allow created-altered` to create another"
    )
    (found,) = find_altered([label("A  B")], [live_label("A B")], {}, {})
    assert found.summary == "an earlier run may have created it, and the server changed its name: id-A B"
    assert "that label" in found.hint


RENAMED = 'if its key was changed, write `previously: ["pilot"]`; else '
DELETE = "delete that lead in Pipedrive if it is one, or pass `--allow created-altered` to create another"


@pytest.mark.parametrize(
    ("lock", "summary", "hint"),
    [
        (
            {},
            "an earlier run may have created it, and the server changed its ownership marker: 1",
            RENAMED + DELETE,
        ),
        (
            {Ref("lead", "pilot"): "2", Ref("lead", "other"): "1"},
            "an earlier run may have created it, and the server changed its ownership marker: 1",
            RENAMED + DELETE,
        ),
        (
            {Ref("lead", "pilot"): "1"},
            "the lock file knows a lead of this title by another key: 1",
            RENAMED + "pass `--allow created-altered` to create another",
        ),
    ],
    ids=["no lock file", "it knows another one", "it knows this one"],
)
def test_a_lead_whose_key_got_longer_is_offered_as_the_same_lead(lock: dict[Ref, str], summary: str, hint: str) -> None:
    declared = replace(account(lead("pilot-2027", title="Pilot")), lock=lock)
    there = live_lead("pilot", remote_id="1", title="Pilot")
    (found,) = (told for told in planned(declared, there).diagnostics if told.severity is Severity.GUARD)
    assert (found.code, found.summary, found.hint) == ("created-altered", summary, hint)


def test_a_lead_that_the_lock_file_knows_and_one_that_the_server_altered_are_told_of_apart() -> None:
    declared = replace(account(lead("ab", title="t")), lock={Ref("lead", "a"): "1"})
    known, cut = (
        live_lead("a", remote_id="1", title="t"),
        replace(live_lead("", remote_id="2", title="t"), marker="ns:"),
    )
    first, second = (told.summary for told in planned(declared, known, cut).diagnostics)
    assert first == "the lock file knows a lead of this title by another key: 1"
    assert second.endswith("the server changed its ownership marker: 2")


@pytest.mark.parametrize(("unmarked", "expected"), [({"a": ["x"]}, ["created-altered"]), ({"b": ["x"]}, []), ({}, [])])
def test_unmarked_leads_with_origin_api_may_be_altered_ones(
    unmarked: Mapping[str, Sequence[str]], expected: list[str]
) -> None:
    assert codes(planned(account(lead("a", title="a")), unmarked=unmarked)) == expected
    assert codes(planned(account(label("a")), unmarked=unmarked)) == []


def test_objects_that_match_are_not_reported_as_altered() -> None:
    there: list[Live] = [live_label("A  B"), live_label("A B"), live_lead("a")]
    plan = planned(account(label("A  B"), lead("a")), *there, unmarked={"a": ["x"]})
    assert codes(plan) == []
    assert shown(plan) == []
    assert codes(planned(account(label("A  B", present=False)), live_label("A B"))) == []


def test_a_lead_without_a_title_is_not_compared() -> None:
    untitled = replace(lead("a"), attrs={"person": 1})
    assert next(find_altered([untitled, lead("b")], [], {"b": ["x"], "": ["y"]}, {})).address == lead("b").address


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("a", "1 lead to be created under the namespace `ns` exists under `old`: a"),
        ("ab", "2 leads to be created under the namespace `ns` exist under `old`: a, b"),
    ],
)
def test_leads_under_a_namespace_that_may_be_a_former_one_are_guarded(keys: str, said: str) -> None:
    declared = account(*(lead(key) for key in keys))
    (told,) = planned(declared, elsewhere={f"old:{key}": ["1"] for key in keys}).diagnostics
    assert (told.code, told.severity, told.summary) == ("namespace-changed", Severity.GUARD, said)
    assert (told.account, told.span) == ("emea", HERE)
    assert told.hint.startswith(
        "to take them over, write `previously: [old:a]` and the like in each, or `namespace: old`"
    )
