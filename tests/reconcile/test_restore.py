"""The rollback as a pure function: what an apply has touched, and what is there now."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from leadstate.model.account import Account
from leadstate.model.address import Address, Ref, RemoteRef, Span, Target
from leadstate.model.diagnostics import Diagnostic, Severity
from leadstate.model.plan import AccountPlan, AccountReceipt, Action, Change, FieldDiff, Reason, Touch, Untouched
from leadstate.model.resource import ABSENT, Live, Observed
from leadstate.reconcile.changed import with_ids
from leadstate.reconcile.restore import plan_restore
from tests.harness.builders import account, live_label, live_lead, refs, shown

FILE = Span("receipt.json", 1, 1)
RENAMED = Touch("label", "id-1", "x", {"name": "Cold", "color": "red"}, {"name": "Warm", "color": "blue"})
DELETED = Touch("label", "gone", None, {"name": "Cold", "color": "red"}, None, answered=True)
ADDED_LEAD = Touch("lead", "id-a", "a", None, {"title": "a", "person": 1}, marker="ns:a", answered=True)
DELETED_LEAD = Touch("lead", "old-a", None, {"title": "a"}, None, marker="ns:a", answered=True)


def done(touch: Touch) -> Touch:
    return replace(touch, answered=True)


def receipt(*touches: Touch, before: Mapping[str, str] | None = None, **known: Any) -> AccountReceipt:
    """Return the receipt of a run; `before` holds the labels that existed before it."""
    return AccountReceipt("receipt.json", touches, before or {}, **known)


def back(
    *touches: Touch,
    live: tuple[Live, ...] = (),
    before: Mapping[str, str] | None = None,
    declared: Account | None = None,
    targets: Sequence[Target] = (),
    known: Mapping[str, Any] | None = None,
    **seen: Any,
) -> Any:
    """Return the plan of a rollback; `before` holds the labels from before the run, `known` what else it knew."""
    by_kind = {kind: [there for there in live if there.kind == kind] for kind in ("label", "lead")}
    told = receipt(*touches, before=before, **(known or {}))
    return plan_restore(declared or account(), told, Observed(by_kind, **seen), targets)


def left(plan: AccountPlan) -> list[tuple[str, str]]:
    return [(entry.remote_id or "", entry.reason.value) for entry in plan.untouched]


@pytest.mark.parametrize(("answered", "expected"), [(False, ["- lead:a"]), (True, [])])
def test_an_added_lead_is_deleted_if_the_run_ended_before_archiving_it(
    answered: bool,  # noqa: FBT001  a parameter
    expected: list[str],
) -> None:
    archived = Touch("lead", "id-a", "a", {"archived": False}, {"archived": True}, answered=answered)
    assert shown(back(ADDED_LEAD, archived, live=(live_lead("a"),))) == expected


def test_a_delete_names_its_values_and_its_place_in_the_receipt() -> None:
    (change,) = back(ADDED_LEAD, live=(live_lead("a"),)).changes
    assert (change.address, change.action, change.reason) == (
        Address("emea", "lead", "a"),
        Action.DELETE,
        Reason.UNDONE,
    )
    assert (change.remote_id, change.marker, change.span, change.want) == ("id-a", "ns:a", FILE, {})
    assert FieldDiff("title", "a", ABSENT) in change.fields


def test_an_add_names_its_values_and_its_place_in_the_receipt() -> None:
    assert back(DELETED).changes == (
        Change(
            Address("emea", "label", "gone"),
            Action.ADD,
            Reason.MISSING,
            (FieldDiff("color", ABSENT, "red"), FieldDiff("name", ABSENT, "Cold")),
            {"name": "Cold", "color": "red"},
            span=FILE,
        ),
    )


def test_an_untouched_object_is_listed_with_key_and_reason() -> None:
    plan = back(done(RENAMED))
    assert plan.untouched == (Untouched("label", Reason.GONE, "x", "id-1", FILE),)
    assert plan.changes == ()


def test_a_renamed_label_is_renamed_back() -> None:
    plan = back(done(RENAMED), live=(live_label("Warm", "blue", "id-1"),))
    (change,) = plan.changes
    assert (change.action, change.reason, change.remote_id, change.span) == (
        Action.UPDATE,
        Reason.RENAMED,
        "id-1",
        FILE,
    )
    assert change.want == {"name": "Cold", "color": "red"}
    assert not change.thaw_first
    assert plan.unchanged == 0


def test_a_name_that_another_label_took_since_is_not_taken_back() -> None:
    plan = back(done(RENAMED), live=(live_label("Warm", "blue", "id-1"), live_label("Cold", remote_id="id-2")))
    assert [change.want for change in plan.changes] == [{"color": "red"}]
    assert left(plan) == [("id-1", "changed-since")]


def test_a_name_is_restored_beside_an_equally_old_namesake() -> None:
    live = (live_label("Warm", "blue", "id-1"), live_label("Cold", remote_id="id-2"))
    plan = back(done(RENAMED), live=live, before={"id-1": "Cold", "id-2": "Cold"})
    assert [change.want for change in plan.changes] == [{"name": "Cold", "color": "red"}]
    assert left(plan) == []


def test_a_name_is_taken_back_from_a_label_that_the_run_added() -> None:
    made = Touch("label", "id-2", "Cold", None, {"name": "Cold", "color": "red"}, answered=True)
    live = (live_label("Warm", "blue", "id-1"), live_label("Cold", remote_id="id-2"))
    plan = back(done(RENAMED), made, live=live, before={"id-1": "Cold"})
    assert [(change.remote_id, change.action, change.want) for change in plan.changes] == [
        ("id-2", Action.DELETE, {}),
        ("id-1", Action.UPDATE, {"name": "Cold", "color": "red"}),
    ]


def test_a_label_that_is_ignored_by_now_is_left_as_it_is() -> None:
    plan = back(done(RENAMED), ignored={"label": [live_label("tmp", "blue", "id-1")]})
    assert (plan.changes, left(plan)) == ((), [("id-1", "ignored")])


@pytest.mark.parametrize("turn", [1, -1])
def test_swapped_names_are_restored_to_each_label(turn: int) -> None:
    first = Touch("label", "id-1", "x", {"name": "A"}, {"name": "B"}, answered=True)
    second = Touch("label", "id-2", "y", {"name": "B"}, {"name": "C"}, answered=True)
    live = (live_label("B", remote_id="id-1"), live_label("C", remote_id="id-2"))
    plan = back(*(first, second)[::turn], live=live, before={"id-1": "A", "id-2": "B"})
    assert [change.want for change in plan.changes] == [{"name": "A"}, {"name": "B"}]


@pytest.mark.parametrize("turn", [1, -1])
def test_a_passed_on_name_stays_if_its_new_owner_keeps_it(turn: int) -> None:
    first = Touch("label", "id-1", "x", {"name": "A"}, {"name": "B"}, answered=True)
    second = Touch("label", "id-2", "y", {"name": "B"}, {"name": "C"}, answered=True)
    live = (live_label("B", remote_id="id-1"), live_label("C", remote_id="id-2"), live_label("A"))
    plan = back(*(first, second)[::turn], live=live, before={"id-1": "A", "id-2": "B"})
    assert plan.changes == ()
    assert left(plan) == [("id-1", "changed-since"), ("id-2", "changed-since")]


def test_objects_already_in_their_former_state_are_counted() -> None:
    deleted = replace(DELETED, remote_id="id-3")
    labels = (live_label("Cold", remote_id="id-3"), live_label("Cool", remote_id="id-4"))
    again = replace(deleted, remote_id="id-4", before={"name": "Cool", "color": "red"})
    plan = back(deleted, again, live=labels)
    assert (plan.unchanged, plan.changes) == (2, ())


def test_added_leads_that_are_gone_are_counted() -> None:
    plan = back(ADDED_LEAD, *(replace(ADDED_LEAD, remote_id=f"id-{key}", key=key) for key in "bc"))
    assert (plan.unchanged, plan.changes, left(plan)) == (3, (), [])


def test_deleted_leads_that_exist_again_are_counted() -> None:
    other = replace(DELETED_LEAD, remote_id="old-b", marker="ns:b")
    plan = back(DELETED_LEAD, other, live=(live_lead("a"), live_lead("b")))
    assert (plan.unchanged, plan.changes) == (2, ())


def test_a_lead_that_exists_again_stands_for_one_deleted_lead_of_its_marker() -> None:
    plan = back(DELETED_LEAD, replace(DELETED_LEAD, remote_id="old-b"), live=(live_lead("a"),))
    assert (plan.unchanged, plan.changes, left(plan)) == (1, (), [("old-b", "duplicate")])


def test_a_lead_that_the_run_left_stands_for_no_deleted_lead() -> None:
    plan = back(DELETED_LEAD, live=(live_lead("a"),), known={"leads": frozenset({"id-a"})})
    assert (plan.unchanged, plan.changes, left(plan)) == (0, (), [("old-a", "duplicate")])


@pytest.mark.parametrize(("archived", "expected"), [(True, (1, [])), (False, (0, [("old-a", "duplicate")]))])
def test_an_archived_lead_stands_for_a_deleted_lead_that_was_archived_only(
    archived: bool,  # noqa: FBT001  a parameter
    expected: tuple[int, list[tuple[str, str]]],
) -> None:
    """One that was archived before the run, which reads no archived leads, is another lead of the same marker."""
    gone = replace(DELETED_LEAD, before={"title": "a", "archived": archived})
    plan = back(gone, live=(live_lead("a", archived=True),))
    assert (plan.changes, plan.unchanged, left(plan)) == ((), *expected)


def test_a_deleted_lead_without_a_marker_is_reported_whatever_else_has_none() -> None:
    plan = back(replace(DELETED_LEAD, marker=None), live=(live_lead(None, remote_id="id-b"),))
    assert (plan.unchanged, plan.changes, left(plan)) == (0, (), [("old-a", "not-ours")])


def test_a_namesake_replaces_a_deleted_label() -> None:
    lost = Touch("lead", "id-a", None, {"labels": (RemoteRef("label", "gone"),)}, {"labels": ()}, answered=True)
    twins = (live_label("Cold", "blue", "id-1"), live_label("Cold", "red", "id-2"))
    plan = back(DELETED, lost, live=(*twins, live_lead("a")))
    assert shown(plan) == ["~ lead:a labels"]
    assert plan.changes[0].want == {"labels": refs("Cold#id-2")}
    assert plan.unchanged == 1


def test_of_equal_namesakes_the_lowest_id_replaces_a_deleted_label() -> None:
    lost = Touch("lead", "id-a", None, {"labels": (RemoteRef("label", "gone"),)}, {"labels": ()}, answered=True)
    twins = (live_label("Cold", "red", "id-2"), live_label("Cold", "red", "id-1"))
    plan = back(DELETED, lost, live=(*twins, live_lead("a")))
    assert [plan.bindings.id_of(ref) for ref in plan.changes[0].want["labels"]] == ["id-1"]


def test_two_deleted_labels_with_one_name_are_both_restored() -> None:
    gone = (DELETED, replace(DELETED, remote_id="gone-2"))
    plan = back(*gone, live=(live_label("Cold"),))
    assert ([change.action for change in plan.changes], plan.unchanged) == ([Action.ADD], 1)
    plan = back(*gone, live=(live_label("Cold"), live_label("Cold", remote_id="twin")))
    assert (plan.changes, plan.unchanged) == ((), 2)


@pytest.mark.parametrize(("archived", "expected"), [(True, {"archived": True}), (False, {}), (None, {})])
def test_a_restored_lead_is_archived_if_it_was_archived(
    archived: bool | None,  # noqa: FBT001  a parameter
    expected: dict[str, bool],
) -> None:
    labels = (RemoteRef("label", "id-Warm"), RemoteRef("label", "id-Hot"), RemoteRef("label", "id-unknown"))
    gone = replace(DELETED_LEAD, before={"title": "a", "archived": archived, "labels": labels})
    plan = back(gone, live=(live_label("Hot"), live_label("Warm")))
    assert [change.want for change in plan.changes] == [{"title": "a", "labels": refs("Hot", "Warm"), **expected}]
    assert [change.marker for change in plan.changes] == ["ns:a"]


def test_a_restored_lead_carries_its_ignored_labels_again() -> None:
    labels = (RemoteRef("label", "id-Hot"), RemoteRef("label", "id-tmp"))
    gone = replace(DELETED_LEAD, before={"title": "a", "labels": labels})
    plan = back(gone, live=(live_label("Hot"),), ignored={"label": [live_label("tmp", remote_id="id-tmp")]})
    assert [change.want["labels"] for change in plan.changes] == [refs("Hot", "tmp")]
    assert plan.bindings.id_of(Ref("label", "tmp")) == "id-tmp", "its receipt would take the label for a new one"


def test_a_deleted_unmanaged_lead_is_not_created_again() -> None:
    gone = replace(DELETED_LEAD, key="a", marker="other:a")
    assert back(gone).untouched == (Untouched("lead", Reason.NOT_OURS, "a", "old-a", FILE),)
    assert back(replace(gone, marker=None)).changes == ()


def test_a_deleted_lead_that_may_be_archived_is_guarded() -> None:
    gone = replace(DELETED_LEAD, key="a")
    plan = back(gone, unsure=frozenset({"ns:a"}))
    assert plan.diagnostics == (
        Diagnostic(
            "archived-unknown",
            Severity.GUARD,
            "it may exist among archived leads that were not read, older than the newest 10 pages of 500",
            hint="raise policy.archived_pages, or pass `--allow archived-unknown` to create it",
            span=FILE,
            account="emea",
            address=Address("emea", "lead", "a"),
        ),
    )
    assert back(gone, unsure=frozenset({"ns:b"})).diagnostics == ()


@pytest.mark.parametrize(
    ("lock", "expected"),
    [
        ({Ref("lead", "a"): "id-None"}, ["~ lead:a title"]),
        ({Ref("lead", "a"): "id-other"}, []),
        ({Ref("label", "a"): "id-None"}, []),
        ({}, []),
    ],
)
def test_an_unmarked_lead_is_restored_only_if_it_was_adopted(lock: Mapping[Ref, str], expected: list[str]) -> None:
    changed = Touch("lead", "id-None", "a", {"title": "old"}, {"title": "new"}, answered=True)
    declared = replace(account(), lock=lock)
    assert shown(back(changed, live=(live_lead(None, title="new"),), declared=declared)) == expected


def test_an_unanswered_create_of_a_lead_is_found_by_its_marker() -> None:
    made = Touch("lead", None, "a", None, {"title": "a"}, marker="ns:a", locked_as="old")
    there = Observed({"lead": [live_lead("a"), live_lead("b"), live_lead(None)]})
    assert [
        (touch.remote_id, touch.key, touch.marker, touch.locked_as) for touch in with_ids(receipt(made), there).touched
    ] == [("id-a", "a", "ns:a", "old")]
    unmarked = receipt(replace(made, marker=None))
    assert with_ids(unmarked, Observed({"lead": [live_lead(None)]})) == unmarked
    assert with_ids(receipt(made), Observed({"lead": [live_lead("b")]})) == receipt(made)


@pytest.mark.parametrize(
    ("live", "before", "found"),
    [
        ([live_label("New", "blue")], {}, "id-New"),
        ([live_label("New", "blue")], {"id-New": "New"}, None),
        ([live_label("New", "red")], {}, None),
        ([live_label("New", "blue"), live_label("New", "blue", "twin")], {}, None),
    ],
)
def test_an_unanswered_create_of_a_label_is_found_by_name_and_color(
    live: list[Live], before: Mapping[str, str], found: str | None
) -> None:
    made = Touch("label", None, "New", None, {"name": "New", "color": "blue"})
    (touch,) = with_ids(receipt(made, before=before), Observed({"label": live})).touched
    assert touch.remote_id == found


@pytest.mark.parametrize(
    ("targets", "expected"), [((), [("label", "New"), ("lead", "a")]), ((Target(None, "lead", "a"),), [("lead", "a")])]
)
def test_an_unanswered_create_that_several_objects_could_be_is_reported(
    targets: tuple[Target, ...], expected: list[tuple[str, str]]
) -> None:
    label = Touch("label", None, "New", None, {"name": "New", "color": "blue"})
    lead = Touch("lead", None, "a", None, {"title": "a"}, marker="ns:a")
    labels, leads = (
        (live_label("New", "blue"), live_label("New", "blue", "twin")),
        (live_lead("a"), live_lead("a", remote_id="twin")),
    )
    plan = back(label, lead, live=(*labels, *leads), targets=targets)
    assert plan.changes == ()
    assert {entry.reason for entry in plan.untouched} == {Reason.AMBIGUOUS}
    assert [(entry.kind, entry.key) for entry in plan.untouched] == expected
    words = "stays: several {}s could be the one that the run created"
    assert [entry.detail for entry in plan.untouched] == [words.format(kind) for kind, _ in expected]


def relabelled(*before: str, then: tuple[str, ...], remote_id: str = "id-a") -> Touch:
    """Return a lead whose labels the run changed."""
    had, has = (tuple(RemoteRef("label", label) for label in labels) for labels in (before, then))
    return Touch("lead", remote_id, None, {"labels": had}, {"labels": has}, answered=True)


def retitled(remote_id: str = "id-a", key: str | None = "a") -> Touch:
    return Touch("lead", remote_id, key, {"title": "old"}, {"title": "new"}, answered=True)


def test_a_restore_plan_names_account_and_strategy() -> None:
    declared = replace(account(), company_id=7041)
    plan = back(live=(live_label("Hot"),), declared=declared, reading="by id")
    assert (plan.account, plan.origin, plan.company_id) == ("emea", declared.origin, 7041)
    assert (plan.reading, plan.unchanged) == ("by id", 0)


def test_kinds_that_were_not_read_are_not_restored() -> None:
    touches = (Touch("lead", None, "a", None, {"title": "a"}, marker="ns:a"), retitled(), done(RENAMED))
    plan = plan_restore(account(), receipt(*touches), Observed({}))
    assert (plan.changes, left(plan)) == ((), [("id-1", "gone"), ("id-a", "gone")])
    carried = plan_restore(account(), receipt(retitled()), Observed({"lead": [live_lead("a", title="new")]}))
    assert shown(carried) == ["~ lead:a title"]


def test_untouched_objects_are_sorted_by_kind_and_key() -> None:
    plan = back(retitled("2", "b"), retitled("1", "a"), done(RENAMED))
    assert [(entry.kind, entry.key) for entry in plan.untouched] == [("label", "x"), ("lead", "a"), ("lead", "b")]


def test_an_update_names_the_values_it_restores() -> None:
    (change,) = back(retitled(), live=(live_lead("a", title="new"),)).changes
    assert change == Change(
        Address("emea", "lead", "a"),
        Action.UPDATE,
        Reason.DIFFERS,
        (FieldDiff("title", "new", "old", ("title",)),),
        {"title": "old"},
        remote_id="id-a",
        span=FILE,
    )


def test_keys_of_the_plan_win_over_generated_ones() -> None:
    nameless = Touch("label", "1", None, {"color": "red"}, {"color": "blue"}, answered=True)
    named = Touch("label", "2", "Hot", {"color": "red"}, {"color": "blue"}, answered=True)
    plan = back(nameless, named, live=(live_label("Hot", "blue", "1"), live_label("Warm", "blue", "2")))
    assert [(change.address.key, change.remote_id) for change in plan.changes] == [("Hot", "2"), ("Hot#1", "1")]


def test_the_key_of_an_unplanned_object_is_its_marker_name_or_id() -> None:
    leads = (live_lead("a:b", remote_id="1"), live_lead(None, remote_id="2"))
    touches = [relabelled("id-Hot", then=(), remote_id=lead.remote_id) for lead in leads]
    plan = back(*touches, live=(live_label("Hot"), *leads))
    assert [change.address.key for change in plan.changes] == ["#2", "a:b"]
    assert {change.want["labels"] for change in plan.changes} == {refs("Hot")}


def test_a_lead_without_a_key_is_known_by_its_title_there_or_not() -> None:
    there = (live_label("Hot"), live_lead(None, title="Renewal", remote_id="2"), live_lead("b", remote_id="3"))
    touches = [relabelled("id-Hot", then=(), remote_id=remote_id) for remote_id in "23"]
    gone = Touch("lead", "4", None, {"title": "Before"}, {"title": "After"}, answered=True)
    untitled = relabelled("id-Hot", then=(), remote_id="5")
    plan = back(*touches, gone, untitled, live=there, known={"names": {"person:7": "p7@acme.test"}})
    assert plan.names == {"lead:#2": "Renewal", "lead:4": "Before", "person:7": "p7@acme.test"}


def test_labels_that_the_run_did_not_write_keep_their_names() -> None:
    changed = Touch("label", "id-Hot", "Hot", {"color": "red"}, {"color": "blue"}, answered=True)
    lead_ = live_lead("a", labels=["id-Warm"])
    live = (live_label("Hot", "blue"), live_label("Cold"), live_label("Warm"), lead_)
    plan = back(changed, relabelled("id-Cold", then=()), live=live)
    assert [change.want for change in plan.changes] == [{"color": "red"}, {"labels": refs("Cold", "Warm")}]


def test_added_labels_that_are_gone_are_counted() -> None:
    made = Touch("label", "1", "Hot", None, {"name": "Hot", "color": "red"}, answered=True)
    plan = back(made, replace(made, remote_id="2", key="Warm"))
    assert (plan.unchanged, plan.changes, left(plan)) == (2, (), [])


def test_an_added_label_that_was_changed_since_is_kept() -> None:
    made = Touch("label", "id-Hot", "Hot", None, {"name": "Hot", "color": "red"}, answered=True)
    plan = back(made, live=(live_label("Hot", "pink"),))
    assert plan.untouched == (Untouched("label", Reason.CHANGED_SINCE, "Hot", "id-Hot", FILE),)
    assert plan.changes == ()


def test_an_added_label_in_use_is_kept() -> None:
    made = Touch("label", "id-Hot", "h", None, {"name": "Hot", "color": "red"}, answered=True)
    plan = back(made, live=(live_label("Hot"),), carriers={RemoteRef("label", "id-Hot"): ["9"]})
    assert plan.untouched == (Untouched("label", Reason.CHANGED_SINCE, "h", "id-Hot", FILE),)
    assert plan.changes == ()
    assert shown(back(made, live=(live_label("Hot"),), carriers={})) == ["- label:h"]


def test_objects_that_are_back_already_are_counted() -> None:
    live = (live_lead("a", title="old"), live_lead("b", title="old"), live_label("Cold", "red", "id-1"))
    plan = back(retitled(), retitled("id-b", "b"), done(RENAMED), live=live)
    assert (plan.unchanged, plan.changes, left(plan)) == (3, (), [])


def test_attributes_are_restored_one_by_one() -> None:
    changed = Touch(
        "lead",
        "id-a",
        "a",
        {"title": "old", "owner": 1, "person": 2, "channel": 5},
        {"title": "new", "owner": 7, "person": 3},
        answered=True,
    )
    plan = back(changed, live=(live_lead("a", title="old", owner=7, person=9),))
    assert [change.want for change in plan.changes] == [{"owner": 1}]
    assert left(plan) == [("id-a", "changed-since")]
    assert plan.unchanged == 0
    moved = back(changed, live=(live_lead("a", title="old", owner=1, person=9),))
    assert (moved.changes, left(moved), moved.unchanged) == ((), [("id-a", "changed-since")], 0)


def test_a_lead_that_the_run_created_and_deleted_is_ignored() -> None:
    made = Touch("lead", "1", "x", None, {"title": "x"}, marker="ns:x", answered=True)
    plan = back(made, Touch("lead", "1", "x", {"title": "x"}, None, marker="ns:x"), retitled())
    assert left(plan) == [("id-a", "gone")]


def test_a_lead_whose_delete_failed_is_untouched() -> None:
    gone = Touch("lead", "id-None", "a", {"title": "a"}, None, marker="ns:a")
    plan = back(gone, live=(live_lead(None),))
    assert (plan.changes, left(plan), plan.unchanged) == ((), [], 1)


def test_an_archived_lead_with_nothing_to_restore_is_counted() -> None:
    plan = back(
        relabelled("id-Hot", then=()), live=(live_label("Hot"), live_lead("a", labels=["id-Hot"], archived=True))
    )
    assert (plan.changes, left(plan), plan.unchanged) == ((), [], 1)
    plan = back(relabelled("id-Hot", then=()), live=(live_label("Hot"), live_lead("a", archived=True)))
    assert (plan.changes, left(plan)) == ((), [("id-a", "archived")])


def test_the_id_of_a_deleted_label_is_replaced_by_the_restored_label() -> None:
    live = (live_label("Hot"), live_lead("a", labels=["gone", "id-Hot", "unknown"]))
    plan = back(DELETED, relabelled("gone", then=()), live=live)
    assert [change.want for change in plan.changes if change.address.kind == "lead"] == [
        {"labels": (RemoteRef("label", "unknown"), Ref("label", "Hot"), Ref("label", "gone"))}
    ]


def test_labels_that_the_run_added_are_removed_and_labels_of_people_stay() -> None:
    live = (live_label("Hot"), live_label("Warm"), live_lead("a", labels=["id-Hot", "id-Warm"]))
    plan = back(relabelled(then=("id-Hot",)), live=live)
    assert [change.want for change in plan.changes] == [{"labels": refs("Warm")}]


def test_an_added_label_that_people_used_on_an_archived_lead_is_kept() -> None:
    made = Touch("label", "id-New", "New", None, {"name": "New", "color": "red"}, answered=True)
    lead = Touch("lead", "id-a", "a", {"archived": True}, {"archived": False}, answered=True)
    label, carriers = live_label("New"), {RemoteRef("label", "id-New"): ["id-a"]}
    first = back(made, lead, live=(label, live_lead("a", labels=["id-New"])), carriers=carriers)
    assert shown(first) == ["~ lead:a archived"]
    again = back(made, lead, live=(label, live_lead("a", labels=["id-New"], archived=True)), carriers={})
    assert shown(again) == [], "the rollback has converged"


def test_equal_restored_labels_are_distinguished_by_their_leads() -> None:
    deleted = [Touch("label", f"gone-{n}", None, {"name": "Old", "color": "green"}, None, answered=True) for n in "12"]
    moved = Touch("lead", "id-a", None, {"labels": (RemoteRef("label", "gone-2"),)}, {"labels": ()}, answered=True)
    live = (live_label("Old", "green", "id-1"), live_label("Old", "green", "id-2"))
    plan = back(*deleted, moved, live=(*live, live_lead("a", labels=["id-1"])))
    assert shown(plan) == [], "id-1 stands for gone-2, since the lead that lost gone-2 carries it"


BEFORE = {"old": "Hot", "id-Warm": "Warm"}
"""The labels before a run, of which one was deleted after the run."""
WARMED = relabelled("old", then=("id-Warm",))
"""A lead that lost that label and got the other one."""


def test_a_label_that_exists_again_under_another_id_comes_back_on_leads() -> None:
    live = (live_label("Hot", remote_id="new"), live_label("Warm"), live_lead("a", labels=["id-Warm"]))
    (change,) = back(WARMED, live=live, before=BEFORE).changes
    assert change.want == {"labels": refs("Hot")}


@pytest.mark.parametrize(
    "hot",
    [
        (),
        (live_label("Hot", remote_id="new"), live_label("Hot", remote_id="newer")),
        (live_label("Hot", remote_id="twin"),),
    ],
    ids=["gone", "two have come", "it was there before the run"],
)
def test_a_lead_keeps_its_labels_if_one_that_it_lost_does_not_exist(hot: tuple[Live, ...]) -> None:
    lead = live_lead("a", labels=["id-Warm"], title="new")
    touches = (WARMED, retitled())
    plan = back(*touches, live=(*hot, live_label("Warm"), lead), before={**BEFORE, "twin": "Hot"})
    assert [change.want for change in plan.changes] == [{"title": "old"}]
    assert left(plan) == [("id-a", "changed-since")]


def test_a_lead_gets_back_the_labels_that_exist_where_another_one_that_it_lost_does_not() -> None:
    lost = relabelled("old", "id-Cold", then=("id-Warm",))
    live = (live_label("Warm"), live_label("Cold"), live_lead("a", labels=["id-Warm"]))
    plan = back(lost, live=live, before={**BEFORE, "id-Cold": "Cold"})
    assert [change.want for change in plan.changes] == [{"labels": refs("Cold", "Warm")}]
    assert left(plan) == [("id-a", "changed-since")]


def test_two_labels_of_one_name_that_are_gone_are_not_confused() -> None:
    live = (live_label("Hot", remote_id="new"), live_label("Warm"), live_lead("a", labels=["id-Warm"]))
    assert back(WARMED, live=live, before={**BEFORE, "other": "Hot"}).changes == ()


def test_a_label_that_is_ignored_now_is_not_looked_for_under_another_id() -> None:
    live = (live_label("Hot", remote_id="new"), live_label("Warm"), live_lead("a", labels=["id-Warm"]))
    plan = back(WARMED, live=live, before=BEFORE, ignored={"label": [live_label("tmp", remote_id="old")]})
    assert [change.want for change in plan.changes] == [{"labels": ()}]


def test_a_given_label_is_taken_from_leads_also_where_it_exists_under_another_id() -> None:
    live = (live_label("Hot", remote_id="old"), live_label("Warm", remote_id="new"), live_lead("a", labels=["new"]))
    (change,) = back(WARMED, live=live, before=BEFORE).changes
    assert change.want == {"labels": refs("Hot")}


def test_a_label_that_exists_again_under_another_id_is_changed_back() -> None:
    (change,) = back(done(RENAMED), live=(live_label("Warm", "blue", "new"),), before={"id-1": "Cold"}).changes
    assert (change.remote_id, change.want) == ("new", {"name": "Cold", "color": "red"})


def test_a_lead_is_created_again_without_a_label_that_does_not_exist_and_says_so() -> None:
    labels = (RemoteRef("label", "old"),)
    gone = replace(DELETED_LEAD, before={"title": "a", "labels": labels})
    plan = back(gone, live=(live_label("Warm"),), before=BEFORE)
    assert [change.want for change in plan.changes] == [{"title": "a", "labels": ()}]
    assert left(plan) == [("old-a", "changed-since")]


def test_a_lead_is_created_again_with_a_label_once_that_stands_for_two_that_it_had() -> None:
    labels = (RemoteRef("label", "id-Warm"), RemoteRef("label", "id-Cold"))
    gone = replace(DELETED_LEAD, before={"title": "a", "labels": labels})
    deleted = replace(DELETED, remote_id="id-Cold")
    # A later run has given the name of the deleted label to the other one.
    live = (live_label("Cold", remote_id="id-Warm"),)
    plan = back(gone, deleted, live=live, before={"id-Warm": "Warm", "id-Cold": "Cold"})
    assert [change.want for change in plan.changes] == [{"title": "a", "labels": refs("Cold")}]


LOST = {"labels": (RemoteRef("label", "gone"), RemoteRef("label", "id-y"))}
KEPT = {"labels": ()}


def limited(*targets: str) -> Any:
    """Return the rollback, limited to targets, of a run that deleted two labels and changed a label and two leads."""
    touches = (
        Touch("label", "gone", "Cold", {"name": "Cold", "color": "red"}, None, answered=True),
        Touch("label", "id-y", "y", {"name": "y", "color": "red"}, None, answered=True),
        Touch("label", "id-x", "x", {"color": "red"}, {"color": "blue"}, answered=True),
        Touch("lead", "id-a", "a", {**LOST, "title": "before"}, {**KEPT, "title": "a"}, answered=True),
        Touch("lead", "id-b", "b", {"title": "before"}, {"title": "b"}, answered=True),
    )
    live = (live_label("x", color="blue"), live_lead("a"), live_lead("b"))
    return back(*touches, live=live, targets=[Target.parse(target, ("label", "lead")) for target in targets])


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        (("label:x",), {"emea/label:x": {"color": "red"}}),
        (("lead:b",), {"emea/lead:b": {"title": "before"}}),
        (
            ("emea/label:Cold",),
            {"emea/label:Cold": {"name": "Cold", "color": "red"}, "emea/lead:a": {"labels": refs("Cold")}},
        ),
        (
            ("lead:a",),
            {
                "emea/label:Cold": {"name": "Cold", "color": "red"},
                "emea/label:y": {"name": "y", "color": "red"},
                "emea/lead:a": {"title": "before", "labels": refs("Cold", "y")},
            },
        ),
        (("us/label:x",), {}),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, tuple) else "",
)
def test_a_target_is_restored_with_what_it_needs_and_nothing_else(
    targets: tuple[str, ...], expected: dict[str, Any]
) -> None:
    plan = limited(*targets)
    assert {str(change.address): dict(change.want) for change in plan.changes} == expected
    assert plan.unchanged == 0


def test_a_target_is_restored_as_the_whole_run_restores_it() -> None:
    whole = {str(change.address): change for change in limited().changes}
    assert len(whole) == 5
    for address, change in whole.items():
        alone = {str(found.address): found for found in limited(address).changes}
        assert alone[address] == change
        assert alone.keys() <= whole.keys()


def test_a_target_gets_its_name_back_from_labels_to_which_the_run_gave_it() -> None:
    first, second = (
        done(Touch("label", remote_id, then, {"name": was}, {"name": then}))
        for remote_id, was, then in (("id-1", "Cold", "Warm"), ("id-2", "Cool", "Cold"))
    )
    made = done(Touch("label", "id-3", "Cool", None, {"name": "Cool", "color": "red"}))
    live = [live_label(name, remote_id=f"id-{n}") for n, name in enumerate(("Warm", "Cold", "Cool", "Hot"), 1)]
    other = done(Touch("label", "id-4", "Hot", {"name": "Old"}, {"name": "Hot"}))
    receipt = AccountReceipt("receipt.json", (first, second, made, other), {"id-1": "Cold", "id-2": "Cool"})
    plan = plan_restore(account(), receipt, Observed({"label": live}, carriers={}), [Target(None, "label", "Warm")])
    assert shown(plan) == ["~ label:Cold name", "- label:Cool", "~ label:Warm name"]
    assert left(plan) == []


def test_a_target_leaves_a_new_label_of_the_run_where_leads_created_by_it_carry_it() -> None:
    made = Touch("label", "id-x", "x", None, {"name": "x", "color": "red"}, answered=True)
    gave = Touch("lead", "id-a", "a", KEPT, {"labels": (RemoteRef("label", "id-x"),)}, answered=True)
    seed = Touch("lead", "id-b", "b", None, {"title": "b", "labels": (RemoteRef("label", "id-x"),)}, marker="ns:b")
    target = [Target(None, "label", "x")]
    first, second = (live_lead(key, labels=("id-x",)) for key in "ab")

    def plan(*touches: Touch, leads: tuple[Live, ...]) -> Any:
        carriers = {RemoteRef("label", "id-x"): [lead.remote_id for lead in leads]}
        return back(*touches, live=(live_label("x"), *leads), targets=target, carriers=carriers)

    assert shown(plan(made, gave, leads=(first,))) == ["- label:x", "~ lead:a labels"]
    assert shown(plan(made, gave, done(seed), leads=(first, second))) == ["~ lead:a labels"]


def test_a_rollback_deletes_no_protected_label() -> None:
    made = done(Touch("label", "id-1", "VIP", None, {"name": "VIP", "color": "red"}))
    plan = back(made, live=(live_label("VIP", "red", "id-1"),), declared=account(protect={"label": ["VIP"]}))
    assert (plan.changes, left(plan)) == ((), [("id-1", "protected")])


def test_a_rollback_leaves_ignored_labels_and_their_leads_alone() -> None:
    tmp = live_label("tmp-1", "red", "id-1")
    changed = done(
        Touch("label", "id-1", "tmp-1", {"name": "tmp-1", "color": "blue"}, {"name": "tmp-1", "color": "red"})
    )
    carries = {"labels": (RemoteRef("label", "id-1"),)}
    gained = done(Touch("lead", "id-a", "a", {"labels": ()}, carries, marker="ns:a"))
    deleted = done(Touch("label", "gone", "tmp-2", {"name": "tmp-2", "color": "red"}, None))
    declared, lead = account(ignore={"label": ["tmp-*"]}), live_lead("a", labels=("id-1",))
    plan = back(changed, gained, deleted, live=(lead,), declared=declared, ignored={"label": [tmp]})
    assert (plan.changes, left(plan)) == ((), [("id-1", "ignored"), ("gone", "ignored")])


def test_a_label_that_the_run_deleted_is_none_of_those_deleted_since() -> None:
    renamed = Touch("label", "id-3", "Hot", {"name": "Cold"}, {"name": "Hot"}, answered=True)
    merged = Touch("label", "id-1", "Hot#id-1", {"name": "Hot", "color": "red"}, None, answered=True)
    moved = relabelled("id-1", "id-3", then=("id-3",))
    live = (live_label("Hot", remote_id="id-4"), live_lead("a", labels=["id-4"]))
    plan = back(moved, merged, renamed, live=live, before={"id-1": "Hot", "id-3": "Cold"})
    assert [(change.action, change.remote_id, change.want.get("name")) for change in plan.changes[:2]] == [
        (Action.UPDATE, "id-4", "Cold"),
        (Action.ADD, None, "Hot"),
    ]
    assert len(plan.changes[2].want["labels"]) == 2


def test_a_restored_label_is_not_taken_for_one_of_its_name_that_the_run_added() -> None:
    """The run merged one label into a new one of the same name: the rollback, done twice, changes nothing more."""
    merged = Touch("label", "id-1", "Hot#id-1", {"name": "Hot", "color": "red"}, None, answered=True)
    added = Touch("label", "id-2", "Hot", None, {"name": "Hot", "color": "red"}, answered=True)
    plan = back(added, merged, live=(live_label("Hot", color="red", remote_id="id-3"),), before={"id-1": "Hot"})
    assert (plan.changes, plan.unchanged) == ((), 2)


def test_a_restored_label_is_not_taken_for_one_that_got_its_name_and_is_restored_too() -> None:
    """The run merged Hot into Cold and renamed that Hot; both were deleted since, and both are back."""
    merged = Touch("label", "id-1", "Hot#id-1", {"name": "Hot", "color": "red"}, None, answered=True)
    renamed = Touch("label", "id-2", "Hot", {"name": "Cold", "color": "blue"}, {"name": "Hot", "color": "red"})
    live = (live_label("Hot", color="red", remote_id="id-3"), live_label("Cold", color="blue", remote_id="id-4"))
    plan = back(done(renamed), merged, live=live, before={"id-1": "Hot", "id-2": "Cold"})
    assert (plan.changes, plan.unchanged) == ((), 2)


def test_what_a_rollback_has_created_is_known_when_the_account_is_read_again() -> None:
    """It merged Hot into Cold, which it renamed; that one was deleted since, and the rollback created the other."""
    merged = Touch("label", "id-1", "Hot#id-1", {"name": "Hot", "color": "red"}, None, answered=True)
    renamed = Touch("label", "id-2", "Hot", {"name": "Cold", "color": "red"}, {"name": "Hot", "color": "red"})
    declared = replace(account(), lock={Ref("label", "Hot#id-1"): "id-3"})
    live, before = (live_label("Hot", color="red", remote_id="id-3"),), {"id-1": "Hot", "id-2": "Cold"}
    plan = back(done(renamed), merged, live=live, before=before, declared=declared)
    assert (plan.changes, plan.unchanged, left(plan)) == ((), 1, [("id-2", "gone")])
