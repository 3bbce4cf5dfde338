"""Labels that go with a successor: what is planned, told and refused, and from which day on."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from leadstate.model.account import Policy
from leadstate.model.address import Address, Ref, RemoteRef, Target
from leadstate.model.diagnostics import Diagnostic, Severity
from leadstate.model.plan import Action, Reason
from leadstate.model.resource import AtLeast, Desired, Live, Observed, pages_of
from leadstate.reconcile.guards import Budget, guard
from leadstate.reconcile.planner import plan_account
from tests.harness.builders import HERE, ORDER, account, label, lead, live_label, live_lead, planned

HOT, OLD = Ref("label", "Hot"), RemoteRef("label", "id-Old")
FREE = Budget(0)


def merged(*, not_before: str | None = None) -> Desired:
    return replace(label("Old", present=False), moves_to=HOT, not_before=not_before)


def test_a_merged_label_is_deleted_after_its_successor_exists() -> None:
    carriers = {OLD: ["x", "y"]}
    plan = planned(account(label("Hot"), merged()), live_label("Old"), carriers=carriers, archived_carriers={}, pages=3)
    delete = next(change for change in plan.changes if change.action is Action.DELETE)
    assert (delete.reason, delete.moves_to, delete.span) == (Reason.MERGED, HOT, HERE)
    assert (delete.carriers, delete.pages) == (("x", "y"), 3)
    assert delete.after == (Address("emea", "label", "Hot"),)
    assert plan.diagnostics == ()


def test_a_delete_without_merge_reads_no_leads_again() -> None:
    plan = planned(account(label("Old", present=False)), live_label("Old"), carriers={}, pages=3)
    assert (plan.changes[0].reason, plan.changes[0].moves_to, plan.changes[0].pages) == (Reason.STATE_ABSENT, None, 0)
    assert plan.diagnostics == ()


def test_a_merge_warns_about_uncounted_archived_leads() -> None:
    plan = planned(account(label("Hot"), merged()), live_label("Hot"), live_label("Old"), carriers={})
    assert plan.diagnostics == (
        Diagnostic(
            "archived-not-counted",
            Severity.WARNING,
            "archived leads that carry it do not get the other label: nobody can edit an archived lead",
            hint="plan with `--impact full` to have them counted",
            span=HERE,
            account="emea",
            address=merged().address,
        ),
    )


@pytest.mark.parametrize(
    ("open_leads", "archived", "told"),
    [
        (["x"], [], []),
        ([], ["z"], ["1 archived lead carries it and does not get the other label: nobody can edit an archived lead"]),
        (
            ["x"],
            ["y", "z"],
            ["2 archived leads carry it and do not get the other label: nobody can edit an archived lead"],
        ),
    ],
)
def test_a_merge_moves_open_leads_and_reports_archived_ones(
    open_leads: list[str], archived: list[str], told: list[str]
) -> None:
    plan = planned(
        account(label("Hot"), merged()),
        live_label("Hot"),
        live_label("Old"),
        carriers={OLD: open_leads},
        archived_carriers={OLD: archived},
    )
    assert guard(plan, Policy(), {}, FREE) == ()
    assert [diagnostic.summary for diagnostic in plan.diagnostics] == told
    assert {(diagnostic.code, diagnostic.severity, diagnostic.hint) for diagnostic in plan.diagnostics} <= {
        ("archived-carriers", Severity.WARNING, "to move them too, bring them back from the archive first")
    }


def test_a_merge_deletes_every_label_with_the_merged_names() -> None:
    old = replace(label("Old", "red", "Cold", present=False), moves_to=HOT)
    live = [live_label("Hot"), live_label("Old"), live_label("Cold")]
    carriers = {OLD: ["x"], RemoteRef("label", "id-Cold"): ["y"]}
    plan = planned(account(label("Hot"), old), *live, carriers=carriers, archived_carriers={})
    assert [(str(change.address), change.remote_id, change.moves_to, change.carriers) for change in plan.changes] == [
        ("emea/label:Cold", "id-Cold", HOT, ("y",)),
        ("emea/label:Old", "id-Old", HOT, ("x",)),
    ]
    assert plan.diagnostics == ()
    assert planned(account(label("Hot"), old), live_label("Hot")).changes == ()


@pytest.mark.parametrize(
    ("observed", "detail"),
    [
        (Observed({"label": [live_label("Old")]}), "is deleted from 2026-12-31 on, in 2 days"),
        (
            Observed({"label": [live_label("Old")]}, carriers={OLD: ["x"]}),
            "is deleted from 2026-12-31 on, in 2 days; 1 lead carries it",
        ),
        (
            Observed({"label": [live_label("Old")]}, carriers={}),
            "is deleted from 2026-12-31 on, in 2 days; 0 leads carry it",
        ),
    ],
)
def test_a_label_is_untouched_until_its_remove_after_date(observed: Observed, detail: str) -> None:
    declared = account(merged(not_before="2026-12-31"))
    plan = plan_account(declared, observed, ("label",), today=dt.date(2026, 12, 29))
    assert (plan.changes, plan.diagnostics, plan.unchanged) == ((), (), 0)
    told = [
        (group.kind, group.reason, group.key, group.remote_id, group.span, group.detail) for group in plan.untouched
    ]
    assert told == [("label", Reason.RETIRING, "Old", "id-Old", HERE, detail)]


def test_a_label_is_deleted_on_its_remove_after_date() -> None:
    declared, observed = account(merged(not_before="2026-12-31")), Observed({"label": [live_label("Old")]})
    plan = plan_account(declared, observed, ("label",), today=dt.date(2026, 12, 31))
    assert [change.reason for change in plan.changes] == [Reason.MERGED]
    assert len(plan_account(declared, observed, ("label",)).changes) == 1


def test_a_label_merged_by_id_that_is_gone_needs_no_change() -> None:
    plan = planned(account(label("Hot"), replace(merged(), remote_id="id-9")), live_label("Hot"))
    assert (plan.changes, plan.untouched, plan.unchanged) == ((), (), 2)
    targets = [Target.parse("label:Old", ("label",))]
    declared = account(label("Hot"), replace(merged(), remote_id="id-9"))
    assert plan_account(declared, Observed({"label": []}), ("label",), targets).unchanged == 1


def test_a_gone_id_does_not_hide_later_declarations() -> None:
    absent, present = replace(merged(), remote_id="id-8"), replace(label("Hot"), remote_id="id-9")
    plan = planned(account(absent, present))
    assert [(group.reason, group.key) for group in plan.untouched] == [(Reason.GONE, "Hot")]


@pytest.mark.parametrize("declared", [{}, {"labels": AtLeast((HOT,))}])
def test_a_lead_gets_the_successor_before_it_is_archived(declared: dict[str, Any]) -> None:
    plan = planned(
        account(label("Hot"), merged(), lead("a", archived=True, **declared)),
        live_label("Hot"),
        live_label("Old"),
        live_lead("a", labels=["id-Old", "id-Other"]),
        carriers={OLD: ["id-a"]},
    )
    delete, update = plan.changes
    assert update.want == {"archived": True, "labels": (RemoteRef("label", "id-Other"), HOT)}
    assert (delete.after, delete.carriers) == ((update.address,), ())


@pytest.mark.parametrize(("labels", "left"), [(None, ("x", "id-a")), ((), ("x",))])
def test_an_unarchived_lead_is_part_of_the_merge(labels: tuple[()] | None, left: tuple[str, ...]) -> None:
    fields: dict[str, Any] = {} if labels is None else {"labels": labels}
    plan = planned(
        account(label("Hot"), merged(), lead("a", archived=False, **fields)),
        live_label("Hot"),
        live_label("Old"),
        live_lead("a", labels=["id-Old"], archived=True),
        carriers={OLD: ["x"]},
    )
    delete = next(change for change in plan.changes if change.action is Action.DELETE)
    assert delete.carriers == left


@pytest.mark.parametrize(
    ("listed", "more", "pages"),
    [
        (0, 0, 1), (0, 500, 1), (0, 501, 2), (499, 1, 1), (499, 2, 2), (500, 1, 2), (998, 1, 2), (998, 2, 3),
    ],
)  # fmt: skip
def test_the_merge_estimate_includes_added_leads(listed: int, more: int, pages: int) -> None:
    declared = account(label("Hot"), merged(), *(lead(f"k{number}") for number in range(more)))
    there = {"others": {"lead": listed}, "pages": pages_of(listed), "carriers": {}, "archived_carriers": {}}
    plan = planned(declared, live_label("Hot"), live_label("Old"), **there)
    (delete,) = (change for change in plan.changes if change.moves_to)
    assert delete.pages == pages


def pages_after(*declared: Desired, live: tuple[Live, ...], others: int, pages: int) -> int:
    there = {"others": {"lead": others}, "pages": pages, "carriers": {}, "archived_carriers": {}}
    plan = planned(account(label("Hot"), merged(), *declared), live_label("Hot"), live_label("Old"), *live, **there)
    return next(change.pages for change in plan.changes if change.moves_to)


def test_the_merge_estimate_excludes_deleted_and_archived_leads() -> None:
    here, archived = live_lead("a"), live_lead("a", archived=True)
    absent = replace(lead("a"), present=False)
    for declared, live, before, after in (
        (lead("a", title="new"), here, 2, 2),
        (absent, here, 2, 1),
        (absent, archived, 1, 1),
        (lead("a", archived=True), here, 2, 1),
        (lead("a", archived=True), archived, 1, 1),
        (lead("a", archived=False, title="new"), archived, 1, 2),
        (lead("b", archived=True), archived, 1, 1),
        (lead("b"), archived, 1, 2),
    ):
        assert pages_after(declared, live=(live,), others=500, pages=before) == after, declared


def test_the_merge_estimate_uses_the_granted_page_size() -> None:
    assert pages_after(live=(), others=600, pages=7) == 7
    assert pages_after(live=(), others=0, pages=0) == 1


def test_the_merge_estimate_counts_targeted_leads_only() -> None:
    declared = account(label("Hot"), merged(), *(lead(f"k{number}") for number in range(501)))
    observed = Observed({"label": [live_label("Hot"), live_label("Old")], "lead": []}, pages=1, carriers={})
    plan = plan_account(declared, observed, ORDER, [Target.parse("label:Old", ORDER)])
    (delete,) = plan.changes
    assert delete.pages == 1
