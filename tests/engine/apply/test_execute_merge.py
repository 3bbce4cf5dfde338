"""Leads get another label before theirs is deleted; none keeps it, and none is moved that should not be."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from leadstate.engine.apply.execute import ROUNDS
from leadstate.model.plan import AccountPlan
from tests.harness.builders import label, refs
from tests.harness.fake_api import Fake, ends, failed, lost, ok, only

NOT_GIVEN = "updateLead: lead x0: did not answer that it has the labels that it was given"


def merge(fake: Fake) -> AccountPlan:
    return fake.plan(label("Hot"), replace(label("Old", present=False), moves_to=refs("Hot")[0]))


def account(leads: int) -> Fake:
    return Fake().with_label("hot", "Hot").with_label("old", "Old").with_leads("x", leads, "old")


def test_a_lead_gets_the_label_in_the_place_of_the_old_one_and_only_once() -> None:
    fake = account(0)
    fake.label("vip", "VIP")
    fake.lead("x", None, "vip", "old", "hot")
    fake.lead("y", None, "old", "vip")
    assert ends(fake.apply(merge(fake))) == {"label:Old": "applied"}
    assert fake.leads["x"]["label_ids"] == ["vip", "hot"]
    assert fake.leads["y"]["label_ids"] == ["hot", "vip"]
    assert "old" not in fake.labels
    assert fake.bodies == [
        ("PATCH leads/x", {"label_ids": ["vip", "hot"]}),
        ("PATCH leads/y", {"label_ids": ["hot", "vip"]}),
    ]


def test_a_lead_that_lost_the_label_or_was_deleted_or_archived_is_not_updated() -> None:
    fake = account(4)
    plan = merge(fake)
    fake.leads["x0"]["label_ids"] = []
    del fake.leads["x1"]
    fake.leads["x2"]["is_archived"] = True
    assert ends(fake.apply(plan)) == {"label:Old": "applied"}
    assert fake.writes() == ["PATCH leads/x3", "DELETE leadLabels/old"]
    assert fake.leads["x2"]["label_ids"] == ["old"]


def test_a_lead_that_got_the_label_during_the_merge_is_moved_too() -> None:
    fake = account(1)
    plan = merge(fake)
    fake.before["PATCH leads/x0", 0] = lambda: fake.lead("late", None, "old")
    assert ends(fake.apply(plan)) == {"label:Old": "applied"}
    assert fake.leads["late"]["label_ids"] == ["hot"]


def comes_back(fake: Fake, lead: str) -> None:
    """Let people give a lead the label again each time that it was moved."""
    times = range(ROUNDS)
    fake.after |= {(f"PATCH leads/{lead}", number): lambda: fake.lead(lead, None, "old") for number in times}


def delete(fake: Fake, label_id: str) -> None:
    del fake.labels[label_id]


def test_the_last_lead_that_keeps_the_label_keeps_it_from_being_deleted() -> None:
    fake = account(1)
    plan = merge(fake)
    comes_back(fake, "x0")
    outcomes = fake.apply(plan)
    assert ends(outcomes) == {"label:Old": "failed"}
    moved = "1 lead had been moved to label:Hot and stays moved"
    assert only(outcomes).detail == f"updateLead: 1 lead still carries the label; {moved}"
    assert fake.sent.count("GET leads") == ROUNDS == 3
    assert "old" in fake.labels
    fake.lead("x1", None, "old")
    comes_back(fake, "x1")
    moved = "2 leads had been moved to label:Hot and stay moved"
    assert only(fake.apply(merge(fake))).detail == f"updateLead: 2 leads still carry the label; {moved}"


@pytest.mark.parametrize("alters", [lambda _: {}, lambda _: {"label_ids": []}, lambda _: {"label_ids": ["vip"]}])
def test_a_label_is_not_deleted_if_a_lead_was_not_given_the_other_one(
    alters: Callable[[dict[str, Any]], dict[str, Any]],
) -> None:
    fake = account(2)
    plan = merge(fake)
    fake.alters["PATCH leads/x0"] = alters
    outcomes = fake.apply(plan)
    assert ends(outcomes) == {"label:Old": "failed"}
    assert only(outcomes).detail == f"{NOT_GIVEN}; 1 lead had been moved to label:Hot and stays moved"
    assert "old" in fake.labels
    assert fake.sent.count("PATCH leads/x0") == 1
    # The same if another lead is answered.
    fake.lead("x0", None, "old")
    plan = merge(fake)
    del fake.alters["PATCH leads/x0"]
    fake.after["PATCH leads/x0", 0] = lambda: ok(fake.leads["x1"])
    assert only(fake.apply(plan)).detail == NOT_GIVEN
    # The same if the answer is lost, and the labels are read afterwards.
    fake.lead("x0", None, "old")
    plan = merge(fake)
    fake.alters["PATCH leads/x0"] = lambda _: {"label_ids": []}
    fake.after["PATCH leads/x0", 0] = lost
    assert only(fake.apply(plan)).detail == NOT_GIVEN


def test_labels_that_are_answered_in_another_order_are_those_that_were_given() -> None:
    fake = account(0)
    fake.lead("x", None, "vip", "old")
    plan = merge(fake)
    fake.alters["PATCH leads/x"] = lambda body: {"label_ids": body["label_ids"][::-1]}
    assert ends(fake.apply(plan)) == {"label:Old": "applied"}


def test_a_label_is_not_deleted_if_somebody_deletes_the_one_that_its_leads_get() -> None:
    fake = account(2)
    plan = merge(fake)
    fake.before["GET leads", 0] = lambda: delete(fake, "hot")
    outcomes = fake.apply(plan)
    assert ends(outcomes) == {"label:Old": "conflict"}
    assert only(outcomes).detail == (
        "somebody deleted label:Hot, which its leads get, since it was planned; "
        "2 leads had been moved to label:Hot and stay moved"
    )
    assert "old" in fake.labels


def test_a_merge_lists_leads_even_if_none_is_known_to_carry_the_label() -> None:
    fake = account(0)
    plan = merge(fake)
    fake.lead("late", None, "old")
    assert ends(fake.apply(plan)) == {"label:Old": "applied"}
    assert fake.leads["late"]["label_ids"] == ["hot"]


@pytest.mark.parametrize("leads", [1, 30])
def test_a_lead_that_cannot_be_updated_does_not_stop_a_merge_but_keeps_its_label(leads: int) -> None:
    fake = account(leads)
    plan = merge(fake)
    fake.before["PATCH leads/x0", 0] = lambda: failed(400, "locked")
    outcomes = fake.apply(plan)
    moved = "; 29 leads had been moved to label:Hot and stay moved" if leads == 30 else ""
    assert only(outcomes).detail == f"updateLead: lead x0: 400, locked{moved}"
    assert [lead["label_ids"] for lead in fake.leads.values()] == [["old"], *[["hot"]] * (leads - 1)]
    assert "GET leads" not in fake.sent
    assert "old" in fake.labels


def test_a_merge_names_one_lead_that_could_not_be_moved_and_counts_the_others() -> None:
    fake = account(5)
    plan = merge(fake)
    for lead in ("x1", "x3", "x4"):
        fake.before[f"PATCH leads/{lead}", 0] = lambda: failed(400, "locked")
    detail = only(fake.apply(plan)).detail
    assert detail.startswith(
        "updateLead: lead x1: 400, locked; 2 other leads could not be moved either; 2 leads had been"
    )


def test_after_a_failure_that_no_request_survives_no_lead_is_begun() -> None:
    fake = account(50)
    plan = merge(fake)
    fake.before["PATCH leads/x9", 0] = lambda: failed(400, "locked")
    fake.before["PATCH leads/x0", 0] = lambda: failed(401)
    outcomes = fake.apply(plan)
    assert only(outcomes).detail.startswith("updateLead: 401")
    assert len(fake.writes()) < 20


@pytest.mark.parametrize(
    "answer",
    [ok({"id": "x0"}), ok(None), ok({"id": "x0", "title": "x0", "label_ids": "old"}), ok([])],
    ids=["no title", "nothing", "labels that are no list", "a list"],
)
def test_an_answer_that_is_no_lead_ends_no_sibling_and_nothing_is_sent_after_the_report(answer: httpx.Response) -> None:
    fake = account(20)
    plan = merge(fake)
    fake.before["GET leads/x0", 0] = lambda: answer
    outcomes = fake.apply(plan)
    assert ends(outcomes) == {"label:Old": "failed"}
    assert "getLead: lead x0: answered a malformed lead: " in only(outcomes).detail
    assert [lead["label_ids"] for lead in fake.leads.values()] == [["old"], *[["hot"]] * 19]
    assert "old" in fake.labels


def test_a_malformed_listing_of_leads_deletes_nothing() -> None:
    fake = account(1)
    plan = merge(fake)
    page = ok([{"id": 1, "label_ids": None}], pagination={"limit": 500, "more_items_in_collection": False})
    fake.before["GET leads", 0] = lambda: page
    outcomes = fake.apply(plan)
    wrong = "getLeads: answered a malformed lead: in row 1, `label_ids` is not a list"
    assert only(outcomes).detail == f"{wrong}; 1 lead had been moved to label:Hot and stays moved"
    assert "old" in fake.labels


def test_two_merges_of_one_lead_are_made_one_after_the_other() -> None:
    fake = account(1)
    fake.label("older", "Older")
    fake.leads["x0"]["label_ids"] = ["old", "older"]
    merges = [replace(label(name, present=False), moves_to=refs("Hot")[0]) for name in ("Old", "Older")]
    plan = fake.plan(label("Hot"), *merges)
    assert set(ends(fake.apply(plan)).values()) == {"applied"}
    assert fake.leads["x0"]["label_ids"] == ["hot"]
    assert json.dumps(fake.bodies).count("old") == 1, "the first write still holds the second label"


def test_a_lead_on_the_first_of_two_pages_that_keeps_the_label_is_seen() -> None:
    fake = account(1)
    fake.with_leads("y", 600)
    plan = merge(fake)
    comes_back(fake, "x0")
    assert ends(fake.apply(plan)) == {"label:Old": "failed"}
    assert "old" in fake.labels


def test_the_labels_of_another_lead_are_not_written_to_the_one_that_was_asked_for() -> None:
    fake = account(1).with_lead("other", None, "old", "vip")
    plan = merge(fake)
    fake.before["GET leads/x0", 0] = lambda: ok(fake.leads["other"])
    assert ends(fake.apply(plan)) == {"label:Old": "failed"}
    assert fake.leads["x0"]["label_ids"] == ["old"]
    assert "old" in fake.labels
