"""What the lock file makes of a plan: a hint that is believed where nothing speaks against it."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from leadstate.model.account import Account, Prune
from leadstate.model.address import Ref
from leadstate.model.diagnostics import Diagnostic, Severity
from leadstate.model.plan import Reason, Untouched
from leadstate.model.resource import Desired
from tests.harness.builders import HERE, account, label, lead, live_label, live_lead, planned, shown

HOT, SEED = Ref("label", "Hot"), Ref("lead", "a")


def remembering(*desired: Desired, lock: dict[Ref, str], **policy: str) -> Account:
    return replace(account(*desired, **policy), lock=lock)


def test_a_label_renamed_in_pipedrive_is_matched_by_its_locked_id() -> None:
    plan = planned(remembering(label("Hot"), lock={HOT: "id-1"}), live_label("Heiß", "red", "id-1"))
    assert shown(plan) == ["~ label:Hot name"]
    assert (plan.changes[0].remote_id, plan.changes[0].reason) == ("id-1", Reason.RENAMED)
    assert plan.diagnostics == ()


@pytest.mark.parametrize(
    "lock",
    [{}, {HOT: "id-of-nothing"}, {Ref("label", "Other"): "id-1"}, {HOT: "id-1", Ref("label", "Other"): "id-1"}],
)
def test_a_locked_id_that_matches_nothing_is_ignored(lock: dict[Ref, str]) -> None:
    plan = planned(remembering(label("Hot"), lock=lock), live_label("Heiß", "blue", "id-1"))
    assert shown(plan) == ["+ label:Hot"]


def test_a_locked_id_and_a_namesake_are_two_candidates() -> None:
    live = (live_label("Heiß", "red", "id-1"), live_label("Hot", "red", "id-2"))
    plan = planned(remembering(label("Hot"), lock={HOT: "id-1"}), *live)
    assert [diagnostic.code for diagnostic in plan.diagnostics] == ["ambiguous"]
    assert plan.diagnostics[0].detail == "id-1  Heiß\nid-2  Hot"
    assert shown(plan) == []


def test_a_locked_id_with_the_declared_name_is_one_candidate() -> None:
    plan = planned(remembering(label("Hot"), lock={HOT: "id-2"}), live_label("Hot", "blue", "id-2"))
    assert shown(plan) == ["~ label:Hot color"]


def test_a_name_that_another_declaration_claims_goes_to_that_declaration() -> None:
    desired = (label("Hot"), label("Warm"))
    plan = planned(remembering(*desired, lock={HOT: "id-1"}), live_label("Warm", "red", "id-1"))
    assert shown(plan) == ["+ label:Hot"]
    assert plan.unchanged == 1


def test_a_locked_id_alone_deletes_nothing() -> None:
    plan = planned(remembering(label("Hot", present=False), lock={HOT: "id-1"}), live_label("Heiß", "red", "id-1"))
    assert shown(plan) == []


def test_an_unmarked_lead_is_managed_only_if_adopted() -> None:
    wanted = lead("a", title="after")
    unmarked = live_lead(None, remote_id="id-1", title="before")
    assert shown(planned(remembering(wanted, lock={SEED: "id-1"}), unmarked)) == ["+ lead:a"]
    adopted = replace(wanted, adopted=True)
    assert shown(planned(remembering(adopted, lock={SEED: "id-1"}), unmarked)) == ["~ lead:a title"]


def test_a_lead_with_another_marker_is_not_managed_despite_the_lock_file() -> None:
    wanted = lead("a", title="after")
    other = live_lead("b", remote_id="id-1", title="before")
    assert shown(planned(remembering(wanted, lock={SEED: "id-1"}), other)) == ["+ lead:a"]
    ours = live_lead("a", remote_id="id-1", title="before")
    assert shown(planned(remembering(wanted, lock={SEED: "id-1"}), ours)) == ["~ lead:a title"]


def test_a_gone_lead_is_left_or_created_as_if_gone_says() -> None:
    gone = frozenset({"ns:a"})
    plan = planned(remembering(lead("a"), lock={SEED: "id-1"}), gone=gone)
    assert plan.untouched == (Untouched("lead", Reason.GONE, "a", "id-1", HERE),)
    assert shown(plan) == []
    again = replace(lead("a"), leave_gone=False)
    assert shown(planned(remembering(again, lock={SEED: "id-1"}), gone=gone)) == ["+ lead:a"]
    assert shown(planned(account(lead("a")))) == ["+ lead:a"]


def test_prune_locked_deletes_locked_objects_that_are_no_longer_declared() -> None:
    lock = {HOT: "id-1", Ref("label", "Gone"): "id-9"}
    declared = replace(account(labels="locked"), lock=lock)
    plan = planned(declared, live_label("Hot", "red", "id-1"), live_label("VIP", "red", "id-2"))
    assert shown(plan) == ["- label:Hot"]
    assert [(group.key, group.reason) for group in plan.untouched] == [("VIP", Reason.NOT_LOCKED)]
    assert declared.policy.prune("label") is Prune.LOCKED


def test_prune_locked_without_a_lock_file_warns() -> None:
    plan = planned(account(labels="locked"), live_label("VIP"))
    assert [(diagnostic.code, diagnostic.severity) for diagnostic in plan.diagnostics] == [
        ("prune-without-lock", Severity.WARNING)
    ]
    assert "the lock file knows no label of this account" in plan.diagnostics[0].summary
    remembered = replace(account(labels="locked"), lock={HOT: "id-1"})
    assert planned(remembered, live_label("VIP")).diagnostics == ()
    assert planned(account(labels="locked")).diagnostics == ()


@pytest.mark.parametrize("leave_gone", [True, False])
def test_an_adopted_lead_is_never_created(*, leave_gone: bool) -> None:
    adopted = replace(lead("a"), adopted=True, leave_gone=leave_gone)
    for gone in (frozenset[str](), frozenset({"ns:a"})):
        plan = planned(account(adopted), gone=gone)
        assert plan.changes == ()
        left = [group.reason for group in plan.untouched] == [Reason.GONE]
        assert left or [diagnostic.code for diagnostic in plan.diagnostics] == ["adopted-unknown"]


@pytest.mark.parametrize(
    ("lock", "gone", "why", "restore"),
    [
        ({}, frozenset(), "the lock file does not know it", "restore the lock file from git, or "),
        ({SEED: "id-1"}, frozenset({"ns:a"}), "the lead that the lock file knows is gone", ""),
        (
            {SEED: "id-1"},
            frozenset(),
            "the lead that the lock file knows has the marker of another one",
            "restore the lock file from git, or ",
        ),
        (
            {SEED: "id-1", Ref("lead", "z"): "id-1", Ref("lead", "c"): "id-1", Ref("label", "y"): "id-1"},
            frozenset(),
            "the lock file gives the id id-1 to lead:c and lead:z too",
            "give each its own id in the lock file, as its history in git knows them, or ",
        ),
        (
            {SEED: "id-2", Ref("lead", "z"): "id-1", Ref("lead", "c"): "id-1"},
            frozenset({"ns:a"}),
            "the lead that the lock file knows is gone",
            "",
        ),
    ],
)
def test_an_adopted_lead_that_is_not_found_is_an_error_that_says_why(
    lock: dict[Ref, str], gone: frozenset[str], why: str, restore: str
) -> None:
    adopted = replace(lead("a"), adopted=True, leave_gone=False)
    (told,) = planned(replace(account(adopted), lock=lock), live_lead("b", remote_id="id-1"), gone=gone).diagnostics
    assert (told.code, told.severity) == ("adopted-unknown", Severity.ERROR)
    assert told.summary == f"it is declared as adopted, and cannot be identified: {why}"
    assert told.hint == f"{restore}remove the item and import it again; without `adopted` it is created"


def test_prune_locked_does_not_mix_ids_of_two_kinds() -> None:
    declared = replace(account(labels="locked"), lock={SEED: "id-1"})
    assert shown(planned(declared, live_label("Theirs", "red", "id-1"))) == []


def test_an_undeclared_object_keeps_its_locked_key() -> None:
    lock, live = {HOT: "id-1"}, live_label("Heiß", "red", "id-1")
    assert planned(remembering(lock=lock), live).untouched[0].key == "Hot"
    assert planned(account(), live).untouched[0].key == "Heiß"


def likely(declared: Account, *live: str, color: str = "red") -> Sequence[Diagnostic]:
    return planned(declared, *(live_label(name, color) for name in live)).diagnostics


def test_a_likely_rename_is_a_warning() -> None:
    (found,) = likely(account(label("Hot")), "Heiß")
    assert found == Diagnostic(
        "likely-rename",
        Severity.WARNING,
        "it does not exist, and its colour is that of 'Heiß': was it renamed in Pipedrive?",
        hint="to keep it and its leads, add its name to `previously`; with a lock file renames are recognised",
        span=HERE,
        account="emea",
        address=label("Hot").address,
    )


def test_a_rename_is_guessed_only_from_one_label_of_equal_color() -> None:
    assert len(likely(account(label("Hot")), "A")) == 1
    assert likely(account(label("Hot")), "A", "B") == ()
    assert likely(account(label("Hot")), "A", color="blue") == ()
    assert likely(remembering(label("Hot"), lock={Ref("label", "X"): "y"}), "A") == ()
    assert likely(account(lead("a")), "A") == ()
    assert likely(account(label("Hot", present=False)), "A") == ()
