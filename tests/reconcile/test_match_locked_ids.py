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


def test_a_locked_id_with_the_declared_name_is_one_candidate() -> None:
    plan = planned(remembering(label("Hot"), lock={HOT: "id-2"}), live_label("Hot", "blue", "id-2"))
    assert shown(plan) == ["~ label:Hot color"]


def test_a_name_that_another_declaration_claims_goes_to_that_declaration() -> None:
    desired = (label("Hot"), label("Warm"))
    plan = planned(remembering(*desired, lock={HOT: "id-1"}), live_label("Warm", "red", "id-1"))
    assert shown(plan) == ["+ label:Hot"]
    assert plan.unchanged == 1


NURTURE, COLD = label("Nurture", "blue", "Cold"), Ref("label", "Cold")


def test_a_label_renamed_in_pipedrive_and_in_the_file_is_one_label() -> None:
    declared = remembering(NURTURE, lock={COLD: "id-1"}, labels="locked")
    plan = planned(declared, live_label("Cold (do not use)", "blue", "id-1"))
    assert shown(plan) == ["~ label:Nurture name"]
    assert (plan.changes[0].remote_id, plan.changes[0].reason, plan.diagnostics) == ("id-1", Reason.RENAMED, ())


def test_a_label_that_got_a_key_and_was_renamed_in_pipedrive_is_one_label() -> None:
    declared = remembering(label("Hot", key="hot"), lock={HOT: "id-1"})
    assert shown(planned(declared, live_label("Heiß", "red", "id-1"))) == ["~ label:hot name"]
    plan = planned(declared, live_label("Heiß", "red", "id-1"), live_label("Hot", "red", "id-2"))
    assert [found.code for found in plan.diagnostics] == ["ambiguous"]


def test_an_address_that_another_label_has_now_tells_nothing_of_its_former_one() -> None:
    lock, live = {Ref("label", "VIP"): "id-1"}, live_label("Key accounts", "red", "id-1")
    for other in (label("Partner", "red", "VIP"), label("VIP", key="vip")):
        plan = planned(remembering(other, label("Key account", key="VIP"), lock=lock), live)
        assert {*shown(plan)} == {"~ label:VIP name", f"+ {other.address.ref}"}


def test_what_has_a_previous_name_and_what_the_lock_file_knows_by_it_are_two_candidates() -> None:
    live = (live_label("Kalt", "blue", "id-1"), live_label("Cold", "blue", "id-2"))
    plan = planned(remembering(NURTURE, lock={COLD: "id-1"}, labels="locked"), *live)
    (told,) = plan.diagnostics
    assert told.summary == (
        "the lock file knows it as 'Kalt', and 1 label has a previous name of it, so it is not clear which one is meant"
    )
    assert (shown(plan), told.code, told.detail) == ([], "ambiguous", "id-1  Kalt\nid-2  Cold")


def test_labels_that_the_lock_file_knows_by_two_previous_names_are_two_candidates() -> None:
    declared = remembering(label("Nurture", "blue", "Cold", "Cool"), lock={COLD: "id-1", Ref("label", "Cool"): "id-2"})
    (told,) = planned(declared, live_label("A", "blue", "id-1"), live_label("B", "blue", "id-2")).diagnostics
    assert told.summary == "the lock file knows it as 'A' and as 'B', so it is not clear which one is meant"
    assert shown(planned(declared, live_label("A", "blue", "id-1"))) == ["~ label:Nurture name"]


def test_what_the_lock_file_knows_by_a_previous_name_is_not_deleted_where_the_label_exists() -> None:
    live = (live_label("Kalt", "blue", "id-1"), live_label("Nurture", "blue", "id-2"))
    plan = planned(remembering(NURTURE, lock={COLD: "id-1"}, labels="locked"), *live)
    (told,) = plan.diagnostics
    assert (shown(plan), told.code) == ([], "previous-name-exists")
    assert told.summary == (
        "label:Nurture exists, and so does a label named 'Kalt', which the lock file knows by its previous name"
    )
    assert told.hint == (
        "to move its leads and delete it, write `merge_from: [\"Kalt\"]`; else to keep them apart, declare 'Kalt' too"
    )
    two = remembering(NURTURE, label("Kalt", "blue"), lock={COLD: "id-1"}, labels="locked")
    assert (shown(planned(two, *live)), planned(two, *live).diagnostics) == ([], ())


def test_an_absent_label_is_not_deleted_because_the_lock_file_knows_it_by_a_previous_name() -> None:
    gone = label("Old", "red", "Cold", present=False)
    assert shown(planned(remembering(gone, lock={COLD: "id-1"}), live_label("Kalt", "blue", "id-1"))) == []


def test_a_former_name_that_is_taken_in_too_is_a_rename_where_people_renamed_the_label() -> None:
    source = replace(label("Cold", present=False), moves_to=NURTURE.address.ref)
    plan = planned(remembering(NURTURE, source, lock={COLD: "id-1"}), live_label("Kalt", "blue", "id-1"))
    assert shown(plan) == ["~ label:Nurture name"]


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


def test_a_likely_rename_is_a_warning_also_where_the_lock_file_knows_only_other_labels() -> None:
    (found,) = likely(remembering(label("Hot"), lock={Ref("label", "X"): "y"}), "Heiß")
    assert (found.code, found.hint) == ("likely-rename", "to keep it and its leads, add its name to `previously`")


def test_a_rename_is_guessed_only_from_one_label_of_equal_color() -> None:
    assert len(likely(account(label("Hot")), "A")) == 1
    assert likely(account(label("Hot")), "A", "B") == ()
    assert likely(account(label("Hot")), "A", color="blue") == ()
    assert likely(remembering(label("Hot"), lock={HOT: "gone"}), "A") == ()
    assert likely(account(lead("a")), "A") == ()
    assert likely(account(label("Hot", present=False)), "A") == ()
