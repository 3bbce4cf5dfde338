"""What people did between plan and request: seen just before it, and never overwritten."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from leadstate.kinds import with_calls
from leadstate.model.plan import AccountPlan
from leadstate.model.resource import Desired
from tests.harness.builders import label, lead, refs
from tests.harness.fake_api import Fake, details, ends, failed, ok

HOT, COLD = label("Hot"), label("Cold")
OLD = label("Old", present=False)
LEAD = replace(lead("a"), present=False)
RELABELLED = lead("a", labels=refs("Hot"))
MONEY = {"amount": 1, "currency": "EUR"}


def cost(plan: AccountPlan) -> int:
    """Return the rate-limit tokens that applying a plan is said to take."""
    _, tokens = replace(plan, changes=with_calls(plan.changes)).forecast
    return tokens


def merged(name: str) -> Desired:
    """Return a declared label that is merged into Hot."""
    return replace(label(name, present=False), moves_to=refs("Hot")[0])


def company(*labels: str) -> Fake:
    """Return an account with these labels, whose ids are their names in small letters."""
    fake = Fake()
    for name in labels:
        fake.label(name.lower(), name)
    return fake


def test_labels_are_listed_once_before_the_first_create() -> None:
    fake = Fake()
    plan = fake.plan(HOT, COLD)
    assert ends(fake.apply(plan)) == {"label:Cold": "applied", "label:Hot": "applied"}
    assert fake.sent == ["GET leadLabels", "POST leadLabels", "POST leadLabels"]
    assert cost(plan) == 30


@pytest.mark.parametrize("made", [True, False], ids=["made", "renamed"])
def test_a_label_whose_name_somebody_has_taken_since_the_plan_is_not_created(*, made: bool) -> None:
    fake = company("Other")
    plan = fake.plan(HOT, COLD)
    fake.label("theirs" if made else "other", " Hot ", "blue")
    outcomes = fake.apply(plan)
    assert ends(outcomes) == {"label:Cold": "applied", "label:Hot": "conflict"}
    assert (
        f"somebody made a label of this name since it was planned ({'theirs' if made else 'other'})"
        in details(outcomes)[1]
    )
    assert fake.writes() == ["POST leadLabels"]


def test_a_label_of_that_name_that_the_plan_deletes_is_no_conflict() -> None:
    fake = Fake().with_label("twin", "Hot", "blue")
    twin = replace(label("twin", present=False), remote_id="twin", names=())
    plan = fake.plan(HOT, twin)
    assert set(ends(fake.apply(plan)).values()) == {"applied"}
    assert [label["color"] for label in fake.labels.values()] == ["red"]


def test_a_change_that_needs_a_label_in_conflict_is_skipped() -> None:
    fake = Fake()
    plan = fake.plan(HOT, RELABELLED)
    fake.label("theirs", "Hot")
    outcomes = fake.apply(plan)
    assert ends(outcomes) == {"label:Hot": "conflict", "lead:a": "skipped"}
    assert details(outcomes)[1] == "because label:Hot was not applied"


@pytest.mark.parametrize("status", [400, 404])
def test_nothing_is_created_or_deleted_if_the_labels_cannot_be_listed(status: int) -> None:
    fake = company("Old")
    plan = fake.plan(HOT, OLD)
    fake.before = {("GET leadLabels", number): lambda: failed(status) for number in range(2)}
    assert ends(fake.apply(plan)) == {"label:Hot": "failed", "label:Old": "failed"}
    assert fake.writes() == []


def test_nothing_is_created_or_deleted_if_more_labels_follow_than_were_listed() -> None:
    fake = company("Old")
    plan = fake.plan(HOT, OLD)
    part = {"start": 0, "limit": 1, "more_items_in_collection": True, "next_start": 1}
    fake.before |= {("GET leadLabels", n): lambda: ok([*fake.labels.values()], pagination=part) for n in range(2)}
    follow = "getLeadLabels: answered 1 row and that more follow, of a listing that has no pages"
    assert details(fake.apply(plan)) == [follow] * 2
    assert fake.writes() == []


def test_nothing_is_created_or_deleted_if_a_label_is_malformed() -> None:
    fake = company("Old")
    plan = fake.plan(HOT, OLD)
    del fake.labels["old"]["color"]
    assert details(fake.apply(plan)) == ["getLeadLabels: answered a malformed label: `color` is missing"] * 2
    assert fake.writes() == []


EDITED = pytest.mark.parametrize(
    ("name", "color", "difference"),
    [
        ("Gold", "red", "name was Old, is Gold"),
        ("Old", "blue", "color was red, is blue"),
        ("Gold", "blue", "color was red, is blue; name was Old, is Gold"),
    ],
)


@EDITED
def test_a_label_that_was_edited_is_not_deleted(name: str, color: str, difference: str) -> None:
    fake = company("Old")
    plan = fake.plan(OLD)
    fake.label("old", name, color)
    outcomes = fake.apply(plan)
    assert ends(outcomes) == {"label:Old": "conflict"}
    assert details(outcomes) == [f"somebody changed it since it was planned: {difference}"]
    assert fake.writes() == []


@EDITED
def test_a_label_that_was_edited_while_its_leads_moved_is_not_deleted(name: str, color: str, difference: str) -> None:
    fake = company("Old", "Hot")
    fake.lead("x", None, "old")
    plan = fake.plan(HOT, merged("Old"))
    fake.before["PATCH leads/x", 0] = lambda: fake.label("old", name, color)
    outcomes = fake.apply(plan)
    assert ends(outcomes) == {"label:Old": "conflict"}
    assert details(outcomes)[0].endswith(f"{difference}; 1 lead had been moved to label:Hot and stays moved")
    assert fake.sent == ["GET leadLabels", "GET leads/x", "PATCH leads/x", "GET leads", "GET leadLabels"]
    assert fake.leads["x"]["label_ids"] == ["hot"]


def test_a_label_that_was_edited_before_its_leads_move_keeps_them() -> None:
    fake = company("Old", "Hot")
    fake.lead("x", None, "old")
    plan = fake.plan(HOT, merged("Old"))
    fake.label("old", "Gold")
    assert ends(fake.apply(plan)) == {"label:Old": "conflict"}
    assert fake.sent == ["GET leadLabels"]


def test_labels_are_listed_once_for_all_deletes_and_apart_from_adds() -> None:
    fake = company("A", "B")
    plan = fake.plan(label("A", present=False), label("B", present=False), HOT)
    assert set(ends(fake.apply(plan)).values()) == {"applied"}
    assert fake.sent == [
        "GET leadLabels", "POST leadLabels", "GET leadLabels", "DELETE leadLabels/a", "DELETE leadLabels/b",
    ]  # fmt: skip
    assert cost(plan) == 10 + 10 + 10 + 6 + 6


@pytest.mark.parametrize(("desired", "request_"), [(OLD, "GET leadLabels"), (LEAD, "GET leads/1")])
def test_an_object_that_is_gone_counts_as_deleted(desired: Desired, request_: str) -> None:
    fake = company("Old")
    fake.lead("1", "ns:a")
    plan = fake.plan(desired)
    fake.labels.clear()
    fake.leads.clear()
    outcomes = fake.apply(plan)
    assert list(ends(outcomes).values()) == ["applied"]
    assert details(outcomes) == ["it was gone already"]
    assert fake.sent == [request_]


def test_the_forecast_of_merges_is_what_they_take() -> None:
    fake = company("Hot", "Old0", "Old1", "Old2")
    for number in range(3):
        fake.lead(f"x{number}", None, f"old{number}")
    plan = fake.plan(HOT, merged("Old0"), merged("Old1"), label("Old2", present=False))
    before = cost(plan)
    assert set(ends(fake.apply(plan)).values()) == {"applied"}
    tokens = {"GET leadLabels": 10, "GET leads": 20}
    spent = sum(tokens.get(name, {"GET": 2, "PATCH": 10, "DELETE": 6}[name.split()[0]]) for name in fake.sent)
    assert fake.sent.count("GET leadLabels") == 3
    assert before == spent


@pytest.mark.parametrize(
    ("edit", "end", "detail", "writes"),
    [
        (
            lambda fake: fake.lead("1", "ns:a", "vip", title="a"),
            "conflict",
            "somebody changed it since it was planned: labels was [], is ['VIP']",
            [],
        ),
        (lambda fake: fake.lead("1", "ns:a", title="theirs", value=MONEY), "applied", "", ["PATCH leads/1"]),
        (lambda fake: fake.leads.clear(), "failed", "getLead: 404, not found", []),
    ],
    ids=["other labels", "other fields", "gone"],
)
def test_a_lead_is_relabelled_unless_people_changed_its_labels(
    edit: Callable[[Fake], None], end: str, detail: str, writes: list[str]
) -> None:
    fake = company("Hot", "VIP")
    fake.lead("1", "ns:a", title="a")
    plan = fake.plan(HOT, RELABELLED)
    edit(fake)
    outcomes = fake.apply(plan)
    assert ends(outcomes) == {"lead:a": end}
    assert details(outcomes) == [detail]
    assert fake.writes() == writes
    assert all(body == {"label_ids": ["hot"]} for _, body in fake.bodies)


@pytest.mark.parametrize(
    ("before", "now", "end"),
    [
        ({}, {"value": MONEY}, "conflict"),
        ({"value": MONEY}, {}, "conflict"),
        ({}, {"title": "theirs"}, "conflict"),
        ({}, {"was_seen": True}, "conflict"),
        ({}, {"title": None}, "failed"),
    ],
)
def test_a_lead_of_which_any_field_changed_is_not_deleted(before: Any, now: Any, end: str) -> None:
    fake = Fake().with_lead("1", "ns:a", **before)
    plan = fake.plan(LEAD)
    fake.lead("1", "ns:a", **now)
    assert ends(fake.apply(plan)) == {"lead:a": end}
    assert fake.writes() == []
