"""What people did between plan and request: seen just before it, and never overwritten."""

from dataclasses import replace

import pytest

from leadstate.kinds import with_calls
from leadstate.model.plan import AccountPlan
from leadstate.model.resource import Desired
from tests.harness.builders import label, lead, refs
from tests.harness.fake_api import Fake, ends, failed


def cost(plan: AccountPlan) -> int:
    """The rate-limit tokens that applying a plan is said to take."""
    _, tokens = replace(plan, changes=with_calls(plan.changes)).forecast
    return tokens


def details(outcomes: object) -> list[str]:
    assert isinstance(outcomes, dict)
    return [outcome.detail for outcome in outcomes.values()]


def merged(name: str, into: str) -> Desired:
    return replace(label(name, present=False), moves_to=refs(into)[0])


def test_labels_are_listed_once_before_the_first_create() -> None:
    fake = Fake()
    plan = fake.plan(label("Hot"), label("Cold"))
    assert ends(fake.apply(plan)) == {"label:Cold": "applied", "label:Hot": "applied"}
    assert fake.sent == ["GET leadLabels", "POST leadLabels", "POST leadLabels"]
    assert cost(plan) == 30


def test_a_label_that_somebody_made_since_the_plan_is_not_made_again() -> None:
    fake = Fake()
    plan = fake.plan(label("Hot"), label("Cold"))
    fake.label("theirs", "Hot", "blue")
    outcomes = fake.apply(plan)
    assert ends(outcomes) == {"label:Cold": "applied", "label:Hot": "conflict"}
    assert "somebody made a label of this name since it was planned (theirs)" in details(outcomes)[1]
    assert fake.writes() == ["POST leadLabels"]


def test_a_label_that_got_the_name_since_the_plan_is_a_conflict_too() -> None:
    fake = Fake()
    fake.label("known", "Other")
    plan = fake.plan(label("Hot"))
    fake.labels["known"]["name"] = " Hot "
    assert ends(fake.apply(plan)) == {"label:Hot": "conflict"}
    assert fake.writes() == []


def test_a_label_of_that_name_that_the_plan_knew_is_none() -> None:
    """It is deleted by its id in this very plan."""
    fake = Fake()
    fake.label("twin", "Hot", "blue")
    twin = replace(label("twin", present=False), remote_id="twin", names=())
    plan = fake.plan(label("Hot"), twin)
    assert set(ends(fake.apply(plan)).values()) == {"applied"}
    assert [label["color"] for label in fake.labels.values()] == ["red"]


def test_what_waits_for_a_label_in_conflict_is_skipped() -> None:
    fake = Fake()
    plan = fake.plan(label("Hot"), lead("a", labels=refs("Hot")))
    fake.label("theirs", "Hot")
    outcomes = fake.apply(plan)
    assert ends(outcomes) == {"label:Hot": "conflict", "lead:a": "skipped"}
    assert details(outcomes)[1] == "because label:Hot was not applied"


@pytest.mark.parametrize("status", [400, 404])
def test_a_listing_that_fails_creates_and_deletes_nothing(status: int) -> None:
    fake = Fake()
    fake.label("old", "Old")
    plan = fake.plan(label("Hot"), label("Old", present=False))
    fake.before = {("GET leadLabels", number): lambda: failed(status) for number in range(2)}
    assert ends(fake.apply(plan)) == {"label:Hot": "failed", "label:Old": "failed"}
    assert fake.writes() == []


@pytest.mark.parametrize(("name", "color"), [("Gold", "red"), ("Old", "blue")])
def test_a_label_that_was_edited_is_not_deleted(name: str, color: str) -> None:
    fake = Fake()
    fake.label("old", "Old")
    plan = fake.plan(label("Old", present=False))
    fake.label("old", name, color)
    outcomes = fake.apply(plan)
    assert ends(outcomes) == {"label:Old": "conflict"}
    before, now, field = ("Old", "Gold", "name") if name == "Gold" else ("red", "blue", "color")
    assert details(outcomes) == [f"somebody changed it since it was planned: {field} was {before}, is {now}"]
    assert fake.writes() == []


def test_labels_are_listed_once_for_all_deletes_and_apart_from_adds() -> None:
    fake = Fake()
    fake.label("a", "A")
    fake.label("b", "B")
    plan = fake.plan(label("A", present=False), label("B", present=False), label("Hot"))
    assert set(ends(fake.apply(plan)).values()) == {"applied"}
    assert fake.sent == [
        "GET leadLabels", "POST leadLabels", "GET leadLabels", "DELETE leadLabels/a", "DELETE leadLabels/b",
    ]  # fmt: skip
    assert cost(plan) == 10 + 10 + 10 + 6 + 6


def test_what_is_gone_counts_as_deleted() -> None:
    fake = Fake()
    fake.label("old", "Old")
    plan = fake.plan(label("Old", present=False))
    fake.labels.clear()
    outcomes = fake.apply(plan)
    assert ends(outcomes) == {"label:Old": "applied"}
    assert details(outcomes) == ["it was gone already"]
    assert fake.sent == ["GET leadLabels"]


@pytest.mark.parametrize(("name", "color"), [("Gold", "red"), ("Old", "blue")])
def test_a_label_that_was_edited_while_its_leads_moved_is_not_deleted(name: str, color: str) -> None:
    fake = Fake()
    fake.label("old", "Old")
    fake.label("hot", "Hot")
    fake.lead("x", None, "old")
    plan = fake.plan(label("Hot"), merged("Old", "Hot"))
    fake.before["PATCH leads/x", 0] = lambda: fake.label("old", name, color)
    outcomes = fake.apply(plan)
    assert ends(outcomes) == {"label:Old": "conflict"}
    assert details(outcomes)[0].endswith("; 1 lead had been moved to label:Hot and stays moved")
    assert fake.sent == ["GET leadLabels", "GET leads/x", "PATCH leads/x", "GET leads", "GET leadLabels"]
    assert fake.leads["x"]["label_ids"] == ["hot"]


def test_a_label_that_was_edited_before_its_leads_move_keeps_them() -> None:
    fake = Fake()
    fake.label("old", "Old")
    fake.label("hot", "Hot")
    fake.lead("x", None, "old")
    plan = fake.plan(label("Hot"), merged("Old", "Hot"))
    fake.label("old", "Gold")
    assert ends(fake.apply(plan)) == {"label:Old": "conflict"}
    assert fake.sent == ["GET leadLabels"]


def test_the_forecast_of_merges_is_what_they_take() -> None:
    fake = Fake()
    fake.label("hot", "Hot")
    for number in range(3):
        fake.label(f"old{number}", f"Old{number}")
        fake.lead(f"x{number}", None, f"old{number}")
    plan = fake.plan(
        label("Hot"), *(merged(f"Old{number}", "Hot") for number in range(2)), label("Old2", present=False)
    )

    fake.sent.clear()
    before = cost(plan)
    assert set(ends(fake.apply(plan)).values()) == {"applied"}
    tokens = {"GET leadLabels": 10, "GET leads": 20}
    spent = sum(tokens.get(name, {"GET": 2, "PATCH": 10, "DELETE": 6}[name.split()[0]]) for name in fake.sent)
    assert fake.sent.count("GET leadLabels") == 3
    assert before == spent


RELABELLED = lead("a", labels=refs("Hot"))


def test_a_lead_whose_labels_people_changed_is_not_relabelled() -> None:
    fake = Fake()
    fake.label("hot", "Hot")
    fake.label("vip", "VIP")
    fake.lead("1", "ns:a", title="a")
    plan = fake.plan(label("Hot"), RELABELLED)
    fake.leads["1"]["label_ids"] = ["vip"]
    outcomes = fake.apply(plan)
    assert ends(outcomes) == {"lead:a": "conflict"}
    assert details(outcomes) == ["somebody changed it since it was planned: labels was [], is ['VIP']"]
    assert fake.writes() == []


def test_a_lead_whose_other_fields_people_changed_is_relabelled() -> None:
    fake = Fake()
    fake.label("hot", "Hot")
    fake.lead("1", "ns:a", title="a")
    plan = fake.plan(label("Hot"), RELABELLED)
    fake.leads["1"] |= {"title": "theirs", "value": {"amount": 1, "currency": "EUR"}}
    assert ends(fake.apply(plan)) == {"lead:a": "applied"}
    assert fake.bodies == [("PATCH leads/1", {"label_ids": ["hot"]})]


def test_a_lead_that_is_relabelled_and_gone_is_a_failure() -> None:
    fake = Fake()
    fake.label("hot", "Hot")
    fake.lead("1", "ns:a", title="a")
    plan = fake.plan(label("Hot"), RELABELLED)
    fake.leads.clear()
    assert ends(fake.apply(plan)) == {"lead:a": "failed"}


@pytest.mark.parametrize(
    "values", [{"value": {"amount": 1, "currency": "EUR"}}, {"title": "theirs"}, {"was_seen": True}]
)
def test_a_lead_that_got_or_changed_any_field_is_not_deleted(values: dict[str, object]) -> None:
    """A field that only one side has counts."""
    fake = Fake()
    fake.lead("1", "ns:a", title="a")
    plan = fake.plan(replace(lead("a"), present=False))
    fake.leads["1"] |= values
    assert ends(fake.apply(plan)) == {"lead:a": "conflict"}
    assert fake.writes() == []


def test_a_lead_that_lost_a_field_is_not_deleted() -> None:
    fake = Fake()
    fake.lead("1", "ns:a", value={"amount": 1, "currency": "EUR"})
    plan = fake.plan(replace(lead("a"), present=False))
    del fake.leads["1"]["value"]
    assert ends(fake.apply(plan)) == {"lead:a": "conflict"}


def test_a_lead_that_is_gone_counts_as_deleted() -> None:
    fake = Fake()
    fake.lead("1", "ns:a")
    plan = fake.plan(replace(lead("a"), present=False))
    fake.leads.clear()
    outcomes = fake.apply(plan)
    assert ends(outcomes) == {"lead:a": "applied"}
    assert fake.sent == ["GET leads/1"]


def test_an_answer_that_is_no_lead_is_a_failure_and_nothing_is_written() -> None:
    fake = Fake()
    fake.lead("1", "ns:a")
    plan = fake.plan(replace(lead("a"), present=False))
    del fake.leads["1"]["title"]
    assert ends(fake.apply(plan)) == {"lead:a": "failed"}
    assert fake.writes() == []


def test_a_label_that_is_not_understood_keeps_labels_from_being_created_and_deleted() -> None:
    fake = Fake()
    fake.label("old", "Old")
    plan = fake.plan(label("Hot"), label("Old", present=False))
    del fake.labels["old"]["color"]
    words = "getLeadLabels: answered a malformed label: `color` is missing"
    assert details(fake.apply(plan)) == [words, words]
    assert fake.writes() == []


def test_every_field_that_moved_is_named() -> None:
    fake = Fake()
    fake.label("old", "Old")
    plan = fake.plan(label("Old", present=False))
    fake.label("old", "Gold", "blue")
    words = "color was red, is blue; name was Old, is Gold"
    assert details(fake.apply(plan)) == [f"somebody changed it since it was planned: {words}"]
