"""Who is who: id, marker, name, previous name; and what is said where that is not clear."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from leadstate.model.account import Policy
from leadstate.model.address import Ref
from leadstate.model.diagnostics import Diagnostic, Severity
from leadstate.model.resource import Desired, Live
from leadstate.reconcile.match import Matching, known_by, match_kind
from tests.harness.builders import HERE, account, label, lead, live_label, live_lead

LEAVE_ONE = "leave one of them in Pipedrive (move its leads, rename or delete the other label), then plan again"


def match(
    desired: Sequence[Desired],
    live: Sequence[Live],
    lock: Mapping[Ref, str] | None = None,
    policy: Policy | None = None,
) -> Matching:
    declared = replace(account(*desired), lock=lock or {}, policy=policy or Policy())
    return match_kind(declared, desired[0].address.kind, live)


def pinned(desired: Desired, remote_id: str) -> Desired:
    return replace(desired, remote_id=remote_id)


def test_a_declared_id_wins_over_a_name() -> None:
    there, gone = pinned(label("Hot"), "id-1"), pinned(label("Warm"), "id-9")
    found = match([there, gone], [live_label("Tepid", remote_id="id-1"), live_label("Warm", remote_id="id-2")])
    assert [(declared.address.key, live.remote_id) for declared, live in found.pairs] == [("Hot", "id-1")]
    assert found.missing == (gone,)
    assert [live.remote_id for live in found.extra] == ["id-2"]


def test_two_declarations_of_one_id_are_an_error() -> None:
    found = match([pinned(label("Hot"), "id-1"), pinned(label("Warm"), "id-1")], [live_label("Hot", remote_id="id-1")])
    assert [(told.summary, told.hint) for told in found.diagnostics] == [
        ("another declared label is already the one that has its id", "remove one of the two declarations")
    ]


def test_a_lead_is_matched_by_its_marker_only() -> None:
    wanted = lead("a", title="T")
    found = match([wanted], [live_lead(None, remote_id="x", title="T"), live_lead("a", remote_id="y", title="other")])
    assert [live.remote_id for _, live in found.pairs] == ["y"]
    assert [live.remote_id for live in found.undeclared] == ["x"]
    assert match([wanted], [live_lead(None, title="T")]).missing == (wanted,)


def test_two_leads_with_one_marker_are_an_error_that_names_both() -> None:
    found = match([lead("a")], [live_lead("a", remote_id="x", title="X"), live_lead("a", remote_id="y", title="Y")])
    assert found.diagnostics == (
        Diagnostic(
            "ambiguous",
            Severity.ERROR,
            "2 leads carry its marker, so it is not clear which one is meant",
            detail="x  X\ny  Y",
            hint="to keep the first and delete the others, write `keep: [x]` in it",
            span=HERE,
            account="emea",
            address=lead("a").address,
        ),
    )
    assert [live.remote_id for live in found.ambiguous] == ["x", "y"]
    assert (found.pairs, found.missing, found.extra) == ((), (), ())


@pytest.mark.parametrize("lock", [{}, {Ref("lead", "a"): "y"}], ids=["no lock file", "it knows one of them"])
def test_the_duplicate_error_gives_the_same_advice_whatever_the_lock_file_knows(lock: dict[Ref, str]) -> None:
    live = [live_lead("a", remote_id="y", title="Y"), live_lead("a", remote_id="x", title="X")]
    (told,) = match([lead("a")], live, lock).diagnostics
    assert (told.detail, "`keep: [x]`" in told.hint) == ("x  X\ny  Y", True)


def test_of_duplicates_none_is_offered_to_keep_while_one_is_archived() -> None:
    live = [live_lead("a", remote_id="x"), live_lead("a", remote_id="y", archived=True)]
    (told,) = match([lead("a")], live).diagnostics
    assert told.hint == "in Pipedrive bring y back from the archive, or delete all but one of them; then plan again"


def test_an_adopted_lead_and_one_with_its_marker_are_two_candidates_and_the_hint_is_about_leads() -> None:
    adopted = replace(lead("a"), adopted=True)
    live = [live_lead(None, remote_id="x"), live_lead("a", remote_id="y")]
    (told,) = match([adopted], live, {Ref("lead", "a"): "x"}).diagnostics
    assert told.hint == "delete one of them in Pipedrive, or correct its id in the lock file; then plan again"
    assert match([adopted], live, {Ref("lead", "a"): "y"}).diagnostics == (), "what the hint says"


def test_the_duplicate_error_lists_the_fields_that_differ() -> None:
    live = [live_lead("a", remote_id="x", owner=1), live_lead("a", remote_id="y", owner=2, labels=["hot"])]
    (told,) = match([lead("a")], live).diagnostics
    assert told.detail == "x  a  owner: 1\ny  a  owner: 2"


def test_duplicates_keep_names_the_lead_that_stays() -> None:
    wanted = replace(lead("a"), keep=frozenset({"y", "elsewhere"}))
    live = [live_lead("a", remote_id=id_) for id_ in "xyz"]
    found = match([wanted], live)
    assert [live.remote_id for _, live in found.pairs] == ["y"]
    assert [live.remote_id for live in found.duplicates] == ["x", "z"]
    assert (found.diagnostics, found.extra) == ((), ())
    alone = match([wanted], [live_lead("a", remote_id="y")])
    assert (len(alone.pairs), alone.duplicates) == (1, ())


@pytest.mark.parametrize(
    ("keep", "live"),
    [
        ("n", [live_lead("a", remote_id="x"), live_lead("a", remote_id="y")]),
        ("xy", [live_lead("a", remote_id="x"), live_lead("a", remote_id="y")]),
        ("x", [live_lead("a", remote_id="x"), live_lead("a", remote_id="y", archived=True)]),
    ],
)
def test_a_possible_duplicate_is_not_deleted(keep: str, live: list[Live]) -> None:
    found = match([replace(lead("a"), keep=frozenset(keep))], live)
    assert (found.pairs, found.duplicates) == ((), ())
    assert [diagnostic.code for diagnostic in found.diagnostics] == ["ambiguous"]


def test_a_lead_with_another_marker_is_not_a_duplicate() -> None:
    wanted = replace(lead("a"), keep=frozenset({"x"}))
    found = match([wanted], [live_lead("a", remote_id="x"), live_lead(None, remote_id="y", title="a")])
    assert (len(found.pairs), found.duplicates) == (1, ())


def test_the_ambiguity_error_names_the_matching_rule() -> None:
    by_name = match([label("Hot")], [live_label("Hot", remote_id="a"), live_label("Hot", remote_id="b")])
    assert by_name.diagnostics[0].summary.startswith("2 labels have its name, so")
    assert by_name.diagnostics[0].hint.startswith(
        "to keep the first with the leads of all, write `merge_from: [{id: b}]`"
    )
    former = match([label("Hot", "red", "Heiß", "Chaud")], [live_label("Heiß"), live_label("Chaud")])
    assert former.diagnostics[0].summary.startswith("2 labels have a previous name of it, so")


def test_a_current_name_wins_over_a_previous_name() -> None:
    swapped = [label("A", "red", "B"), label("B", "red", "A")]
    found = match(swapped, [live_label("A"), live_label("B")])
    assert [(declared.address.key, live.name) for declared, live in found.pairs] == [("A", "A"), ("B", "B")]
    assert found.diagnostics == ()
    assert found.undeclared == ()


def test_a_previous_name_claimed_twice_is_an_error() -> None:
    found = match([label("A", "red", "Cold"), label("B", "red", "Cold")], [live_label("Cold")])
    assert [diagnostic.address for diagnostic in found.diagnostics] == [label("B").address]


def test_a_remaining_label_with_the_previous_name_is_reported_with_both_ids() -> None:
    found = match([label("Nurture", "blue", "Cold")], [live_label("Nurture"), live_label("Cold")])
    assert found.diagnostics == (
        Diagnostic(
            "previous-name-exists",
            Severity.WARNING,
            "label:Nurture exists, and so does a label named 'Cold', its previous name",
            detail="id-Nurture  Nurture\nid-Cold  Cold",
            hint='to move its leads and delete it, write `merge_from: ["Cold"]`; '
            "else take the name out of `previously`",
            span=HERE,
            account="emea",
            address=label("Nurture").address,
        ),
    )
    assert [live.name for live in found.shadowed] == ["Cold"]
    assert found.extra == ()


@pytest.mark.parametrize(
    ("name", "source"),
    [("No", '"No"'), ('a: "b"', '"a: \\"b\\""'), ("a\u200bb", '"a\\u200bb"'), ("${x}", "{id: id-7}")],
)
def test_a_previous_name_is_offered_as_yaml_takes_it_and_by_id_if_it_would_be_a_variable(
    name: str, source: str
) -> None:
    (told,) = match([label("Warm", "red", name)], [live_label("Warm"), live_label(name, remote_id="id-7")]).diagnostics
    assert f"`merge_from: [{source}]`" in told.hint


def test_state_absent_matches_every_name_of_the_label() -> None:
    old = label("Old", "red", "Cold", "Tepid", "Gone", present=False)
    found = match([old], [live_label("Cold"), live_label("Old"), live_label("Tepid"), live_label("Hot")])
    assert [(str(declared.address.ref), live.name) for declared, live in found.pairs] == [
        ("label:Old", "Old"),
        ("label:Cold", "Cold"),
        ("label:Tepid", "Tepid"),
    ]
    assert found.diagnostics == ()
    assert found.missing == ()
    assert [live.name for live in found.undeclared] == ["Hot"]


def test_a_name_that_is_another_labels_key_is_not_an_address() -> None:
    old, warm = label("Old", "red", "Cold", present=False), label("Warm", key="Cold")
    found = match([old, warm], [live_label("Cold"), live_label("Old"), live_label("Warm")])
    assert {str(declared.address.ref): live.name for declared, live in found.pairs} == {
        "label:Old": "Old",
        "label:Old#Cold": "Cold",
        "label:Cold": "Warm",
    }


@pytest.mark.parametrize(
    ("live", "lock", "expected"),
    [
        ([live_label("Cold")], {}, {"Nurture": "Cold"}),
        ([live_label("Cold"), live_label("Nurture")], {}, {"Nurture": "Nurture", "Cold": "Cold"}),
        ([live_label("Cold"), live_label("Other")], {"Nurture": "id-Other"}, {"Nurture": "Other", "Cold": "Cold"}),
        ([live_label("Cold"), live_label("Other")], {"Nurture": "id-Cold"}, {"Nurture": "Cold"}),
        (
            [live_label("Cold"), live_label("Cold", remote_id="twin")],
            {"Nurture": "id-Cold"},
            {"Nurture": "Cold", "Cold": "Cold"},
        ),
    ],
)
def test_a_former_name_that_is_taken_in_too_is_a_rename_where_nothing_else_is_the_label(
    live: list[Live], lock: dict[str, str], expected: dict[str, str]
) -> None:
    nurture = label("Nurture", "blue", "Cold")
    source = replace(label("Cold", present=False), moves_to=Ref("label", "Nurture"))
    found = match([nurture, source], live, {Ref("label", key): remote_id for key, remote_id in lock.items()})
    assert {declared.address.key: there.name for declared, there in found.pairs} == expected
    assert {declared.address.key for declared in found.missing} == {"Nurture", "Cold"} - expected.keys()


def test_two_labels_with_one_name_are_an_error_with_state_absent_too() -> None:
    old = label("Old", "red", "Cold", present=False)
    found = match([old], [live_label("Cold"), live_label("Cold", remote_id="id-2"), live_label("Old")])
    assert [live.name for _, live in found.pairs] == ["Old"]
    assert [(told.code, str(told.address), told.hint) for told in found.diagnostics] == [
        (
            "ambiguous",
            "emea/label:Cold",
            LEAVE_ONE,
        )
    ]


def test_a_lock_file_and_a_name_that_disagree_are_an_error_that_names_both() -> None:
    live = [live_label("Hot", remote_id="1"), live_label("Old", remote_id="2")]
    (told,) = match([label("Hot")], live, {Ref("label", "Hot"): "2"}).diagnostics
    assert told.code == "ambiguous"
    assert told.summary == (
        "the lock file knows it as 'Old', and 1 label has its name, so it is not clear which one is meant"
    )
    assert told.detail.splitlines() == ["1  Hot", "2  Old"]
    merge = "to keep the first with the leads of all, write `merge_from: [{id: 2}]`"
    assert told.hint == f"{merge}; else to keep them apart, declare 'Old' too; else {LEAVE_ONE}"
    apart = match([label("Hot"), label("Old")], live, {Ref("label", "Hot"): "2"})
    assert (apart.diagnostics, len(apart.pairs)) == ((), 2), "what the hint says"


def test_a_merge_of_a_protected_label_is_not_offered() -> None:
    live = [live_label("Hot", remote_id="1"), live_label("Old", remote_id="2")]

    def hint(*patterns: str) -> str:
        policy = Policy(protect={"label": patterns})
        (told,) = match([label("Hot")], live, {Ref("label", "Hot"): "2"}, policy).diagnostics
        return told.hint

    assert hint("Old") == f"to keep them apart, declare 'Old' too; else {LEAVE_ONE}"
    assert "merge_from: [{id: 2}]" in hint("Hot")
    (told,) = match(
        [label("Hot")], [live[0], replace(live[0], remote_id="3")], {}, Policy(protect={"label": ["H*"]})
    ).diagnostics
    assert told.hint == LEAVE_ONE
    nurture, there = label("Nurture", "blue", "Cold"), [live_label("Nurture"), live_label("Cold")]
    (told,) = match([nurture], there, {}, Policy(protect={"label": ["Cold"]})).diagnostics
    assert told.hint == "take the name out of `previously`"


def test_three_labels_with_one_name_are_an_error_that_tells_how_to_keep_the_first() -> None:
    found = match([label("Été")], [live_label("Été", color, remote_id=color) for color in ("red", "blue", "gray")])
    (told,) = found.diagnostics
    assert told.hint.startswith("to keep the first with the leads of all, write `merge_from: [{id: gray}, {id: red}]`")
    assert told.detail.splitlines()[0] == 'blue  Été  color: "blue"'


def test_a_match_says_which_rule_made_it() -> None:
    hot, seed, remembered = label("Hot", "red", "Cold"), lead("seed"), {Ref("label", "Hot"): "id-1"}
    assert known_by(hot, live_label("Hot"), {}) == ("name",)
    assert known_by(hot, live_label("Cold"), {}) == ("previous-name",)
    assert known_by(hot, live_label("Other", remote_id="id-1"), remembered) == ("lock",)
    assert known_by(hot, live_label("Hot", remote_id="id-1"), remembered) == ("lock", "name")
    assert known_by(hot, live_label("Other", remote_id="id-1"), {Ref("label", "Cold"): "id-1"}) == ("lock",)
    assert known_by(pinned(hot, "id-1"), live_label("Hot", remote_id="id-1"), remembered) == ("id",)
    assert known_by(seed, live_lead("seed"), {}) == ("marker",)
    assert known_by(replace(hot, present=False), live_label("Hot", remote_id="id-1"), remembered) == ("name",)
