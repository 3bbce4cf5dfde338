"""What is planned for which pair of declared and live state."""

import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from leadstate.model.address import Address, Ref, RemoteRef, Target
from leadstate.model.diagnostics import Severity
from leadstate.model.plan import Action, Impact, Reason, fingerprint
from leadstate.model.resource import ABSENT, AtLeast, Money, Observed
from leadstate.reconcile.guards import GUARDS
from leadstate.reconcile.planner import plan_account
from tests.harness.builders import HERE, ORDER, account, label, lead, live_label, live_lead, planned, refs, shown


def test_a_missing_label_is_added() -> None:
    plan = planned(account(label("Hot")))
    assert shown(plan) == ["+ label:Hot"]
    assert plan.changes[0].want == {"name": "Hot", "color": "red"}


def test_an_up_to_date_label_is_unchanged() -> None:
    plan = planned(account(label("Hot")), live_label("Hot"))
    assert shown(plan) == []
    assert plan.unchanged == 1


def test_an_update_holds_only_the_fields_that_differ() -> None:
    plan = planned(account(label("Hot")), live_label("Hot", "orange"))
    assert shown(plan) == ["~ label:Hot color"]
    assert plan.changes[0].want == {"color": "red"}
    assert (plan.changes[0].fields[0].before, plan.changes[0].fields[0].after) == ("orange", "red")


def test_a_previous_name_keeps_the_id() -> None:
    plan = planned(account(label("Nurture", "blue", "Cold")), live_label("Cold", "blue", "id-1"))
    assert shown(plan) == ["~ label:Nurture name"]
    assert plan.changes[0].remote_id == "id-1"
    assert plan.changes[0].reason is Reason.RENAMED


def test_a_completed_rename_plans_nothing_with_prune_all() -> None:
    plan = planned(account(label("Nurture", "blue", "Cold"), labels="all"), live_label("Nurture", "blue", "id-1"))
    assert shown(plan) == []


def test_a_label_with_the_previous_name_is_not_pruned_after_the_rename() -> None:
    plan = planned(
        account(label("Nurture", "blue", "Cold"), labels="all"), live_label("Nurture", "blue"), live_label("Cold")
    )
    assert shown(plan) == []
    assert [d.code for d in plan.diagnostics] == ["previous-name-exists"]
    assert plan.applyable
    assert [group.reason for group in plan.untouched] == [Reason.PREVIOUS_NAME]


def test_two_labels_with_one_name_are_an_error_and_untouched() -> None:
    plan = planned(account(label("Hot"), labels="all"), live_label("Hot", "red", "a"), live_label("Hot", "blue", "b"))
    assert shown(plan) == []
    assert [d.code for d in plan.diagnostics] == ["ambiguous"]
    assert "a  Hot" in plan.diagnostics[0].detail
    assert not plan.applyable


def test_two_previous_names_that_both_exist_are_an_error() -> None:
    plan = planned(account(label("Hot", "red", "Heiß", "Chaud")), live_label("Heiß"), live_label("Chaud"))
    assert [d.code for d in plan.diagnostics] == ["ambiguous"]
    assert shown(plan) == []


@pytest.mark.parametrize(("prune", "changes"), [("none", []), ("all", ["- label:VIP"])])
def test_an_unmanaged_label_is_deleted_only_with_prune_all(prune: str, changes: list[str]) -> None:
    plan = planned(account(label("Hot"), labels=prune), live_label("Hot"), live_label("VIP"))
    assert shown(plan) == changes
    assert len(plan.untouched) == (1 if prune == "none" else 0)


def test_unmanaged_labels_with_one_name_get_distinct_addresses() -> None:
    plan = planned(account(labels="all"), live_label("VIP", "red", "a"), live_label("VIP", "red", "b"))
    assert shown(plan) == ["- label:VIP#a", "- label:VIP#b"]


def test_state_absent_deletes_an_existing_object() -> None:
    gone = label("Old", present=False)
    assert shown(planned(account(gone), live_label("Old"))) == ["- label:Old"]
    assert planned(account(gone)).unchanged == 1


@pytest.mark.parametrize(("prune", "changes"), [("none", []), ("owned", ["- lead:old"])])
def test_only_leads_with_our_marker_are_pruned(prune: str, changes: list[str]) -> None:
    unmanaged = live_lead(None, remote_id="x")
    plan = planned(account(leads=prune), live_lead("old"), unmanaged)
    assert shown(plan) == changes


def test_an_archived_owned_lead_is_not_pruned() -> None:
    plan = planned(account(leads="owned"), live_lead("old", archived=True))
    assert shown(plan) == []
    assert [left.reason for left in plan.untouched] == [Reason.ARCHIVED]
    plan = planned(account(leads="none"), live_lead("old", archived=True))
    assert [left.reason for left in plan.untouched] == [Reason.UNMANAGED]


def test_label_references_are_compared_as_sets_of_names() -> None:
    wanted = lead("a", labels=refs("Hot", "Warm"))
    there = live_lead("a", labels=["id-Warm", "id-Hot"])
    plan = planned(account(label("Hot"), label("Warm"), wanted), live_label("Hot"), live_label("Warm"), there)
    assert shown(plan) == []


def test_exact_labels_remove_others_and_at_least_keeps_them() -> None:
    hot, vip, there = live_label("Hot"), live_label("VIP"), live_lead("a", labels=["id-VIP"])
    exact = planned(account(label("Hot"), lead("a", labels=refs("Hot"))), hot, vip, there)
    assert exact.changes[0].want == {"labels": refs("Hot")}
    loose = planned(account(label("Hot"), lead("a", labels=AtLeast(refs("Hot")))), hot, vip, there)
    assert loose.changes[0].want == {"labels": refs("Hot", "VIP")}


def test_an_unmanaged_field_never_differs() -> None:
    assert shown(planned(account(lead("a")), live_lead("a", owner=99, was_seen=True))) == []


def test_null_unsets_a_set_field_only() -> None:
    wanted = lead("a", value=None)
    assert shown(planned(account(wanted), live_lead("a"))) == []
    money = Money(Decimal(5), "EUR")
    assert shown(planned(account(wanted), live_lead("a", value=money))) == ["~ lead:a value"]


def test_a_value_changes_as_a_whole() -> None:
    six, five = Money(Decimal(6), "EUR"), Money(Decimal(5), "EUR")
    plan = planned(account(lead("a", value=six)), live_lead("a", value=five))
    assert shown(plan) == ["~ lead:a value"]
    assert plan.changes[0].want == {"value": six}


def test_later_changes_of_a_seed_are_ignored() -> None:
    seed = lead("a", create_only=True, title="as planted")
    assert shown(planned(account(seed))) == ["+ lead:a"]
    plan = planned(account(seed), live_lead("a", title="as people have it"))
    assert shown(plan) == []
    assert [group.reason for group in plan.untouched] == [Reason.SEED]


def test_an_archived_lead_is_untouched() -> None:
    plan = planned(account(lead("a", title="new")), live_lead("a", title="old", archived=True))
    assert shown(plan) == []
    assert [group.reason for group in plan.untouched] == [Reason.ARCHIVED]


def test_archived_false_unarchives_before_other_writes() -> None:
    plan = planned(account(lead("a", title="new", archived=False)), live_lead("a", title="old", archived=True))
    assert shown(plan) == ["~ lead:a archived title"]
    assert plan.changes[0].thaw_first


def test_archived_true_on_an_archived_lead_is_unchanged() -> None:
    plan = planned(account(lead("a", archived=True)), live_lead("a", archived=True))
    assert (shown(plan), plan.unchanged) == ([], 1)


def test_a_lead_waits_for_the_label_it_needs() -> None:
    plan = planned(account(label("Hot"), lead("a", labels=refs("Hot"))))
    by_kind = {change.address.kind: change for change in plan.changes}
    assert by_kind["lead"].after == (Address("emea", "label", "Hot"),)


def test_a_label_is_deleted_after_leads_that_drop_it() -> None:
    plan = planned(
        account(label("Old", present=False), lead("a", labels=refs())),
        live_label("Old"),
        live_lead("a", labels=["id-Old"]),
        carriers={},
    )
    delete = next(change for change in plan.changes if change.action is Action.DELETE)
    assert delete.after == (Address("emea", "lead", "a"),)


def test_a_kept_label_does_not_wait_for_leads_that_drop_it() -> None:
    plan = planned(
        account(label("Hot"), lead("a", labels=refs())), live_label("Hot", "blue"), live_lead("a", labels=["id-Hot"])
    )
    assert [(str(change.address.ref), change.after) for change in plan.changes] == [("label:Hot", ()), ("lead:a", ())]


def test_a_target_includes_its_dependencies_only() -> None:
    declared = account(label("Hot"), label("Warm"), lead("a", labels=refs("Hot")))
    plan = plan_account(
        declared, Observed({"label": [], "lead": []}), ("label", "lead"), [Target.parse("lead:a", ("label", "lead"))]
    )
    assert shown(plan) == ["+ label:Hot", "+ lead:a"]


def test_dependencies_of_a_target_are_transitive() -> None:
    declared = account(label("Old", present=False), label("Hot"), lead("a", labels=refs("Hot")))
    observed = Observed({"label": [live_label("Old")], "lead": [live_lead("a", labels=["id-Old"])]}, carriers={})
    plan = plan_account(declared, observed, ("label", "lead"), [Target.parse("label:Old", ("label", "lead"))])
    assert shown(plan) == ["+ label:Hot", "- label:Old", "~ lead:a labels"]


def test_the_fingerprint_does_not_depend_on_order() -> None:
    plan = planned(account(label("Hot"), label("Warm")))
    other = planned(account(label("Warm"), label("Hot")))
    assert fingerprint(plan) == fingerprint(other)
    assert fingerprint(plan) != fingerprint(planned(account(label("Hot"))))
    moved = planned(account(label("Hot")), live_label("Hot", "blue"))
    assert fingerprint(moved) != fingerprint(planned(account(label("Hot")), live_label("Hot", "gray")))


def target(text: str) -> list[Target]:
    return [Target.parse(text, ("label", "lead"))]


def test_diagnostics_outside_the_target_are_omitted() -> None:
    declared = account(label("Hot"), label("Nurture", "blue", "Cold"))
    live = [live_label("Hot", "blue"), live_label("Nurture", "blue"), live_label("Cold")]
    plan = plan_account(declared, Observed({"label": live}), ("label",), target("label:Hot"))
    assert (shown(plan), plan.diagnostics) == (["~ label:Hot color"], ())
    plan = plan_account(declared, Observed({"label": live}), ("label",), target("label:Nurture"))
    assert [diagnostic.code for diagnostic in plan.diagnostics] == ["previous-name-exists"]


def test_diagnostics_of_the_whole_account_are_told_for_any_target() -> None:
    declared = account(label("Hot"), labels="locked")
    live = [live_label("Hot"), live_label("Odd")]
    plan = plan_account(declared, Observed({"label": live}), ("label",), target("label:Hot"))
    assert [diagnostic.code for diagnostic in plan.diagnostics] == ["prune-without-lock"]


def test_unchanged_objects_outside_the_target_are_not_counted() -> None:
    declared = account(label("Hot"), label("Old", present=False))
    observed = Observed({"label": [live_label("Hot")]})
    assert plan_account(declared, observed, ("label",)).unchanged == 2
    assert plan_account(declared, observed, ("label",), target("label:Old")).unchanged == 1


def test_an_absent_object_does_not_hide_a_missing_one() -> None:
    plan = planned(account(label("Old", present=False), label("Hot")))
    assert (shown(plan), plan.unchanged) == (["+ label:Hot"], 1)


def test_a_lead_that_is_added_with_at_least_gets_these_labels() -> None:
    plan = planned(account(label("Hot"), lead("a", labels=AtLeast(refs("Hot")))), live_label("Hot"))
    assert plan.changes[0].want["labels"] == refs("Hot")


def test_a_lead_that_may_be_archived_is_not_created_and_the_guard_names_the_pages_read_and_the_option() -> None:
    plan = planned(account(lead("a"), archived_pages=3), unsure=frozenset({"ns:a"}))
    assert not plan.applyable
    (found,) = plan.diagnostics
    assert found.severity is Severity.GUARD
    assert found.summary == "it may exist among archived leads that were not read, older than the newest 3 pages of 500"
    assert found.hint == "raise policy.archived_pages, or pass `--allow archived-unknown` to create it"
    assert found.code in GUARDS
    assert (found.account, found.address, found.span) == ("emea", lead("a").address, HERE)


def test_an_object_declared_by_id_that_is_gone_is_not_created() -> None:
    plan = planned(account(replace(label("Hot"), remote_id="id-9")), live_label("Hot"))
    assert shown(plan) == []
    gone = plan.untouched[0]
    assert (gone.kind, gone.reason, gone.key, gone.remote_id, gone.span) == ("label", Reason.GONE, "Hot", "id-9", HERE)


def test_generated_keys_avoid_declared_keys() -> None:
    declared = account(label("Heiß", key="VIP"))
    assert planned(declared, live_label("VIP")).untouched[0].key == "VIP#id-VIP"
    known = replace(account(), lock={Ref("label", "Known"): "id-VIP"})
    assert planned(known, live_label("VIP")).untouched[0].key == "Known"
    marked = replace(live_lead("x"), marker="other:a:b")
    assert planned(account(), marked).untouched[0].key == "a:b"
    assert planned(account(), live_label("", remote_id="id-1")).untouched[0].key == "id-1"


def test_a_delete_lists_the_labels_leads_and_a_rename_their_number() -> None:
    ref = RemoteRef("label", "id-Old")
    observed: dict[str, Any] = {"carriers": {ref: ["x", "y"]}, "archived_carriers": {}}
    (delete,) = planned(account(label("Old", present=False)), live_label("Old"), **observed).changes
    assert delete.carriers == ("x", "y")
    assert delete.impact == Impact(leads=2, archived_leads=0)
    (rename,) = planned(account(label("New", "red", "Old")), live_label("Old"), **observed).changes
    assert rename.carriers is None
    assert rename.impact == Impact(leads=2, archived_leads=0)


def test_a_plan_binds_managed_and_unmanaged_objects() -> None:
    plan = planned(account(label("Hot")), live_label("Hot"), live_label("VIP"))
    assert plan.bindings.ids() == {"label:Hot": "id-Hot", "label:VIP": "id-VIP"}
    assert plan.bindings.id_of(Ref("label", "Warm")) is None


def test_a_plan_of_incomplete_live_state_is_not_applied() -> None:
    plan = planned(account(label("Hot")))
    assert plan.applyable
    assert not replace(plan, complete=False).applyable


def test_a_kind_that_was_not_read_plans_nothing() -> None:
    assert shown(plan_account(account(label("Hot")), Observed({}), ("label", "lead"))) == ["+ label:Hot"]


def test_untouched_objects_are_sorted_by_kind_reason_and_name() -> None:
    declared = account(label("Nurture", "blue", "Cold"), label("Hot"), lead("s", create_only=True))
    twice = [live_label("Hot", remote_id="h1"), live_label("Hot", remote_id="h2")]
    loose = [live_label("VIP"), live_label("Also"), live_label("Cold"), live_label("Nurture", "blue")]
    plan = planned(declared, *loose, *twice, live_lead("s"), others={"lead": 7})
    assert [
        (group.kind, group.reason, group.key, group.remote_id, group.span, group.count) for group in plan.untouched
    ] == [
        ("label", Reason.AMBIGUOUS, "Hot#h1", "h1", None, 1),
        ("label", Reason.AMBIGUOUS, "Hot#h2", "h2", None, 1),
        ("label", Reason.PREVIOUS_NAME, "Cold", "id-Cold", None, 1),
        ("label", Reason.UNMANAGED, "Also", "id-Also", None, 1),
        ("label", Reason.UNMANAGED, "VIP", "id-VIP", None, 1),
        ("lead", Reason.NOT_OURS, None, None, None, 7),
        ("lead", Reason.SEED, "s", "id-s", HERE, 1),
    ]


def test_a_change_has_its_reason_marker_and_place() -> None:
    declared = account(
        label("Hot"), label("Old", present=False), lead("new"), lead("moved", title="T"), labels="all", leads="owned"
    )
    live = [live_label("Hot", "blue"), live_label("Old"), live_label("VIP"), live_lead("moved"), live_lead("gone")]
    plan = planned(declared, *live, carriers={})
    assert [(str(change.address.ref), change.reason, change.marker, change.span) for change in plan.changes] == [
        ("label:Hot", Reason.DIFFERS, None, HERE),
        ("label:Old", Reason.STATE_ABSENT, None, HERE),
        ("label:VIP", Reason.UNMANAGED, None, None),
        ("lead:gone", Reason.UNMANAGED, "ns:gone", None),
        ("lead:moved", Reason.DIFFERS, None, HERE),
        ("lead:new", Reason.MISSING, "ns:new", HERE),
    ]


def test_a_delete_holds_the_deleted_values_with_label_names() -> None:
    plan = planned(account(label("Hot"), leads="owned"), live_label("Hot"), live_lead("old", labels=["id-Hot", "id-9"]))
    before = {field.path: field.before for field in plan.changes[0].fields}
    assert before["title"] == "old"
    assert before["labels"] == (RemoteRef("label", "id-9"), Ref("label", "Hot"))
    assert {field.after for field in plan.changes[0].fields} == {ABSENT}


def test_duplicates_are_deleted_if_the_lead_says_which_one_stays() -> None:
    wanted = replace(lead("a"), keep=frozenset({"y"}))
    plan = planned(account(wanted), live_lead("a", remote_id="x"), live_lead("a", remote_id="y"))
    (change,) = plan.changes
    assert (str(change.address), change.action, change.reason) == ("emea/lead:a#x", Action.DELETE, Reason.DUPLICATE)
    assert (change.remote_id, change.marker) == ("x", "ns:a")
    assert (plan.diagnostics, plan.unchanged) == ((), 1)


def test_every_part_of_a_change_is_in_the_fingerprint() -> None:
    there, six, five = live_label("Hot", "blue"), Money(Decimal(6), "EUR"), Money(Decimal(5), "EUR")
    plans = [
        planned(account(label("Hot")), there),
        planned(account(label("Hot", "green")), there),
        planned(account(label("Hot", key="K")), there),
        planned(account(label("Hot")), live_label("Hot", "gray")),
        planned(account(label("Hot")), live_label("Hot", "blue", "other-id")),
        planned(account(label("Hot", present=False)), there),
        planned(account(replace(label("Hot", present=False), moves_to=Ref("label", "A"))), there),
        planned(account(replace(label("Hot", present=False), moves_to=Ref("label", "B"))), there),
        planned(account(lead("a", value=five))),
        planned(account(lead("a", value=six))),
        planned(account(replace(lead("a", value=six), marker="other:a"))),
        planned(account()),
    ]
    prints = {fingerprint(plan) for plan in plans}
    assert len(prints) == len(plans)
    assert all(digest is None or re.fullmatch("sha256:[0-9a-f]{64}", digest) for digest in prints)


def test_addresses_are_unique_for_any_names() -> None:
    plan = planned(
        account(labels="all"),
        live_label("VIP", "red", "a"),
        live_label("VIP", "red", "b"),
        live_label("VIP#a", "red", "c"),
    )
    addresses = [change.address for change in plan.changes]
    assert len(set(addresses)) == 3
    assert {plan.bindings.id_of(address.ref) for address in addresses} == {"a", "b", "c"}


def test_a_generated_key_yields_to_a_declared_key() -> None:
    plan = planned(
        account(label("x", key="VIP#a"), labels="all"), live_label("VIP", "red", "a"), live_label("VIP", "red", "b")
    )
    assert [change.address.key for change in plan.changes if change.action is Action.DELETE] == ["VIP#a#", "VIP#b"]


def test_untouched_objects_outside_the_target_are_omitted() -> None:
    observed = Observed({"label": [live_label("VIP"), live_label("Other")]}, others={"lead": 3})
    for text in ("label:VIP", "emea/label:VIP"):
        plan = plan_account(account(), observed, ORDER, [Target.parse(text, ORDER)])
        assert [group.key for group in plan.untouched] == ["VIP"]
    assert plan_account(account(), observed, ORDER, [Target.parse("us/label:VIP", ORDER)]).untouched == ()


def test_a_changed_copy_of_a_plan_has_its_own_fingerprint() -> None:
    plan = planned(account(label("Hot")))
    assert plan.fingerprint == fingerprint(plan)
    assert replace(plan, origin="https://other.test").fingerprint != plan.fingerprint
    assert replace(plan, changes=()).fingerprint is None


def test_a_lead_keeps_the_ignored_labels_that_it_carries() -> None:
    tmp, odd = live_label("tmp-1"), live_label("Odd")
    carried = live_lead("a", labels=(tmp.remote_id, odd.remote_id))
    plan = planned(
        account(label("Hot"), lead("a", labels=refs("Hot"))), live_label("Hot"), odd, carried, ignored={"label": [tmp]}
    )
    assert plan.changes[0].want["labels"] == (Ref("label", "Hot"), Ref("label", "tmp-1"))
    assert (Reason.IGNORED, 1) in [(group.reason, group.count) for group in plan.untouched]


def test_a_lead_keeps_two_ignored_labels_of_one_name() -> None:
    twins = [live_label("tmp", remote_id="1"), live_label("tmp", remote_id="2")]
    plan = planned(
        account(label("Hot"), lead("a", labels=refs("Hot"))),
        live_label("Hot"),
        live_lead("a", labels=("1", "2")),
        ignored={"label": twins},
    )
    assert plan.changes[0].want["labels"] == (RemoteRef("label", "2"), Ref("label", "Hot"), Ref("label", "tmp"))


def test_a_protected_label_is_not_pruned() -> None:
    plan = planned(account(labels="all", protect={"label": ["V*"]}), live_label("VIP"), live_label("Odd"))
    assert shown(plan) == ["- label:Odd"]
    assert [(group.key, group.reason) for group in plan.untouched] == [("VIP", Reason.PROTECTED)]


@pytest.mark.parametrize("moves_to", [None, Ref("label", "Hot")])
def test_a_protected_label_that_must_not_exist_is_an_error_that_nothing_lifts(moves_to: Ref | None) -> None:
    gone = replace(label("x", present=False), names=("x", "VIP"), moves_to=moves_to)
    plan = planned(account(label("Hot"), gone, protect={"label": ["VIP"]}), live_label("Hot"), live_label("VIP"))
    assert shown(plan) == []
    assert [(told.code, told.severity, told.summary, told.hint) for told in plan.diagnostics] == [
        (
            "protected-label",
            Severity.ERROR,
            "the label 'VIP' is to be deleted, and `policy.protect` protects it",
            "keep the label, or take it out of `policy.protect`",
        )
    ]
    assert "protected-label" not in GUARDS


def test_a_label_that_is_taken_in_by_id_and_ignored_is_an_error() -> None:
    tmp = live_label("tmp-1")
    source = replace(label("Hot#1", present=False), names=(), remote_id=tmp.remote_id, moves_to=Ref("label", "Hot"))
    plan = planned(account(label("Hot"), source), live_label("Hot"), ignored={"label": [tmp]})
    assert [(told.code, told.severity, told.summary, told.hint) for told in plan.diagnostics] == [
        (
            "ignored-label",
            Severity.ERROR,
            "the label id-tmp-1 is to be deleted, and `policy.ignore` ignores it",
            "take it out of one of the two",
        )
    ]
