"""The rollback as a pure function: what an apply has touched, and what is there now."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from leadstate.core.address import Address, Ref, RemoteRef, Span
from leadstate.core.diagnostics import Diagnostic, Severity
from leadstate.core.diff import FieldDiff
from leadstate.core.observed import Observed
from leadstate.core.plan import AccountPlan, Action, Change, LeftAlone, Reason
from leadstate.core.resource import ABSENT, Live
from leadstate.core.restore import plan_restore, with_ids
from leadstate.core.touch import AccountReceipt, Touch
from tests.builders import account, live_label, live_lead, refs, shown

FILE = Span("receipt.json", 1, 1)
RENAMED = Touch("label", "id-1", "x", {"name": "Cold", "color": "red"}, {"name": "Warm", "color": "blue"})
DELETED = Touch("label", "gone", None, {"name": "Cold", "color": "red"}, None, answered=True)


def done(touch: Touch) -> Touch:
    return replace(touch, answered=True)


def back(*touches: Touch, live: tuple[Live, ...] = (), before: Mapping[str, str] | None = None, **seen: Any) -> Any:
    """The plan of a rollback; `before` holds the labels that existed before the run."""
    receipt = AccountReceipt("receipt.json", touches, before or {})
    by_kind = {kind: [there for there in live if there.kind == kind] for kind in ("label", "lead")}
    return plan_restore(account(), receipt, Observed(by_kind, **seen))


def left(plan: AccountPlan) -> list[tuple[str, str]]:
    return [(entry.remote_id or "", entry.reason.value) for entry in plan.left_alone]


@pytest.mark.parametrize(("answered", "expected"), [(False, ["- lead:a"]), (True, [])])
def test_an_added_lead_is_deleted_where_the_run_ended_before_it_was_archived(
    answered: bool,  # noqa: FBT001  a parameter
    expected: list[str],
) -> None:
    made = Touch("lead", "id-a", "a", None, {"title": "a"}, mark="ns:a", answered=True)
    archived = Touch("lead", "id-a", "a", {"archived": False}, {"archived": True}, answered=answered)
    plan = plan_restore(
        account(), AccountReceipt("receipt.json", (made, archived), {}), Observed({"lead": [live_lead("a")]})
    )
    assert shown(plan) == expected


def test_a_delete_says_what_goes_and_where_that_is_written() -> None:
    made = Touch("lead", "id-a", "a", None, {"title": "a"}, mark="ns:a", answered=True)
    (change,) = back(made, live=(live_lead("a"),)).changes
    assert (change.address, change.action, change.reason) == (
        Address("emea", "lead", "a"),
        Action.DELETE,
        Reason.UNDONE,
    )
    assert (change.remote_id, change.mark, change.span, change.want) == ("id-a", "ns:a", FILE, {})
    assert FieldDiff("title", "a", ABSENT) in change.fields


def test_an_add_says_what_comes_back_and_where_that_is_written() -> None:
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


def test_what_stays_is_named_with_its_key_and_reason() -> None:
    plan = back(done(RENAMED))
    assert plan.left_alone == (LeftAlone("label", Reason.GONE, "x", "id-1", FILE),)
    assert plan.changes == ()


def test_a_renamed_label_gets_its_name_and_color_back() -> None:
    (change,) = back(done(RENAMED), live=(live_label("Warm", "blue", "id-1"),)).changes
    assert (change.action, change.reason, change.remote_id, change.span) == (
        Action.UPDATE,
        Reason.RENAMED,
        "id-1",
        FILE,
    )
    assert change.want == {"name": "Cold", "color": "red"}


def test_a_former_name_that_another_label_took_since_stays_with_that_label() -> None:
    plan = back(done(RENAMED), live=(live_label("Warm", "blue", "id-1"), live_label("Cold", remote_id="id-2")))
    assert [change.want for change in plan.changes] == [{"color": "red"}]
    assert left(plan) == [("id-1", "changed-since")]


def test_a_former_name_goes_back_where_its_namesake_is_as_old() -> None:
    live = (live_label("Warm", "blue", "id-1"), live_label("Cold", remote_id="id-2"))
    plan = back(done(RENAMED), live=live, before={"id-1": "Cold", "id-2": "Cold"})
    assert [change.want for change in plan.changes] == [{"name": "Cold", "color": "red"}]
    assert left(plan) == []


@pytest.mark.parametrize("turn", [1, -1])
def test_names_that_labels_passed_on_go_back_to_each(turn: int) -> None:
    first = Touch("label", "id-1", "x", {"name": "A"}, {"name": "B"}, answered=True)
    second = Touch("label", "id-2", "y", {"name": "B"}, {"name": "C"}, answered=True)
    live = (live_label("B", remote_id="id-1"), live_label("C", remote_id="id-2"))
    plan = back(*(first, second)[::turn], live=live, before={"id-1": "A", "id-2": "B"})
    assert [change.want for change in plan.changes] == [{"name": "A"}, {"name": "B"}]


@pytest.mark.parametrize("turn", [1, -1])
def test_a_name_that_was_passed_on_stays_where_its_owner_cannot_give_it_back(turn: int) -> None:
    first = Touch("label", "id-1", "x", {"name": "A"}, {"name": "B"}, answered=True)
    second = Touch("label", "id-2", "y", {"name": "B"}, {"name": "C"}, answered=True)
    live = (live_label("B", remote_id="id-1"), live_label("C", remote_id="id-2"), live_label("A"))
    plan = back(*(first, second)[::turn], live=live, before={"id-1": "A", "id-2": "B"})
    assert plan.changes == ()
    assert left(plan) == [("id-1", "changed-since"), ("id-2", "changed-since")]


def test_what_is_as_it_was_is_counted() -> None:
    deleted = replace(DELETED, remote_id="id-3")
    labels = (live_label("Cold", remote_id="id-3"), live_label("Cool", remote_id="id-4"))
    again = replace(deleted, remote_id="id-4", before={"name": "Cool", "color": "red"})
    plan = back(deleted, again, live=labels)
    assert (plan.unchanged, plan.changes) == (2, ())


def test_added_leads_that_are_gone_are_counted() -> None:
    made = Touch("lead", "id-a", "a", None, {"title": "a"}, mark="ns:a", answered=True)
    plan = back(made, replace(made, remote_id="id-b", key="b"), replace(made, remote_id="id-c", key="c"))
    assert (plan.unchanged, plan.changes, left(plan)) == (3, (), [])


def test_deleted_leads_that_exist_again_are_counted() -> None:
    gone = Touch("lead", "old-a", None, {"title": "a"}, None, mark="ns:a", answered=True)
    other = replace(gone, remote_id="old-b", mark="ns:b")
    plan = back(gone, other, live=(live_lead("a"), live_lead("b")))
    assert (plan.unchanged, plan.changes) == (2, ())


def test_a_label_of_the_same_name_stands_for_a_deleted_one() -> None:
    lost = Touch("lead", "id-a", None, {"labels": (RemoteRef("label", "gone"),)}, {"labels": ()}, answered=True)
    twins = (live_label("Cold", "blue", "id-1"), live_label("Cold", "red", "id-2"))
    plan = back(DELETED, lost, live=(*twins, live_lead("a")))
    assert shown(plan) == ["~ lead:a labels"]
    assert plan.changes[0].want == {"labels": refs("Cold#id-2")}
    assert plan.unchanged == 1


def test_of_equal_namesakes_the_one_of_the_lowest_id_stands_for_a_deleted_one() -> None:
    lost = Touch("lead", "id-a", None, {"labels": (RemoteRef("label", "gone"),)}, {"labels": ()}, answered=True)
    twins = (live_label("Cold", "red", "id-2"), live_label("Cold", "red", "id-1"))
    plan = back(DELETED, lost, live=(*twins, live_lead("a")))
    assert [plan.bindings.id_of(ref) for ref in plan.changes[0].want["labels"]] == ["id-1"]


def test_two_deleted_labels_of_one_name_are_two_again() -> None:
    plan = back(DELETED, replace(DELETED, remote_id="gone-2"), live=(live_label("Cold"),))
    assert [change.action for change in plan.changes] == [Action.ADD]
    assert plan.unchanged == 1


@pytest.mark.parametrize(("archived", "expected"), [(True, {"archived": True}), (False, {}), (None, {})])
def test_a_deleted_lead_is_archived_again_only_where_it_was(
    archived: bool | None,  # noqa: FBT001  a parameter
    expected: dict[str, bool],
) -> None:
    labels = (RemoteRef("label", "id-Warm"), RemoteRef("label", "id-Hot"), RemoteRef("label", "id-unknown"))
    gone = Touch(
        "lead", "old", "a", {"title": "a", "archived": archived, "labels": labels}, None, mark="ns:a", answered=True
    )
    plan = back(gone, live=(live_label("Hot"), live_label("Warm")))
    assert [change.want for change in plan.changes] == [{"title": "a", "labels": refs("Hot", "Warm"), **expected}]
    assert [change.mark for change in plan.changes] == ["ns:a"]


def test_a_deleted_lead_of_others_is_not_created_again() -> None:
    gone = Touch("lead", "old", "a", {"title": "a"}, None, mark="other:a", answered=True)
    assert back(gone).left_alone == (LeftAlone("lead", Reason.NOT_OURS, "a", "old", FILE),)
    assert back(replace(gone, mark=None)).changes == ()


def test_a_deleted_lead_that_may_be_archived_is_guarded() -> None:
    gone = Touch("lead", "old", "a", {"title": "a"}, None, mark="ns:a", answered=True)
    plan = back(gone, unsure=frozenset({"ns:a"}))
    assert plan.diagnostics == (
        Diagnostic(
            "archived-unknown",
            Severity.GUARD,
            "it may have been created again and archived; only the newest 5,000 archived leads were read",
            hint="raise policy.archived_pages, or pass --allow archived-unknown to create it",
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
def test_a_lead_without_our_mark_goes_back_only_where_it_was_adopted(
    lock: Mapping[Ref, str], expected: list[str]
) -> None:
    changed = Touch("lead", "id-None", "a", {"title": "old"}, {"title": "new"}, answered=True)
    plan = plan_restore(
        replace(account(), lock=lock),
        AccountReceipt("receipt.json", (changed,), {}),
        Observed({"lead": [live_lead(None, title="new")]}),
    )
    assert shown(plan) == expected


def test_a_create_that_was_not_answered_is_found_by_the_marker_alone() -> None:
    made = Touch("lead", None, "a", None, {"title": "a"}, mark="ns:a", locked_as="old")
    receipt = AccountReceipt("receipt.json", (made,), {})
    assert [
        (touch.remote_id, touch.key, touch.mark, touch.locked_as)
        for touch in with_ids(receipt, Observed({"lead": [live_lead("a"), live_lead("b"), live_lead(None)]}))
    ] == [("id-a", "a", "ns:a", "old")]
    unmarked = replace(receipt, touched=(replace(made, mark=None),))
    assert with_ids(unmarked, Observed({"lead": [live_lead(None)]})) == ()
    assert with_ids(receipt, Observed({"lead": [live_lead("b")]})) == ()


@pytest.mark.parametrize(
    ("live", "before", "found"),
    [
        ([live_label("New", "blue")], {}, ["id-New"]),
        ([live_label("New", "blue")], {"id-New": "New"}, []),
        ([live_label("New", "red")], {}, []),
        ([live_label("New", "blue"), live_label("New", "blue", "twin")], {}, []),
    ],
)
def test_a_label_whose_create_was_not_answered_is_found_by_name_and_color_among_new_ones(
    live: list[Live], before: Mapping[str, str], found: list[str]
) -> None:
    made = Touch("label", None, "New", None, {"name": "New", "color": "blue"})
    receipt = AccountReceipt("receipt.json", (made,), before)
    assert [touch.remote_id for touch in with_ids(receipt, Observed({"label": live}))] == found
