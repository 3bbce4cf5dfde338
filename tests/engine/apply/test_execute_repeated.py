"""A write that failed is sent again only after the object was read and compared again: a person may have changed it."""

from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest

from leadstate.model.account import Prune
from leadstate.pipedrive.pacing import ATTEMPTS
from tests.harness.builders import FREE, label, lead, refs
from tests.harness.fake_api import Fake, details, ends, failed, lost, ok, only

Failure = Callable[[], httpx.Response]
FAILURES = pytest.mark.parametrize(
    "failure", [lambda: failed(429, **{"retry-after": "5"}), lambda: failed(503), lost], ids=["429", "503", "reset"]
)
OWNED = replace(FREE, prune_rules={"lead": Prune.OWNED})
LEAD = ["GET leads/1", "PATCH leads/1"]


def meanwhile(edit: Callable[[], object], failure: Failure) -> Failure:
    """Return what happens at a request: a person edits, then it fails."""

    def happens() -> httpx.Response:
        edit()
        return failure()

    return happens


def merging(leads: int = 1) -> tuple[Fake, list[str]]:
    """Return a company whose leads carry the label Old, and the requests of an undisturbed merge into Warm."""
    fake = Fake().with_label("old", "Old").with_label("warm", "Warm")
    for number in range(1, leads + 1):
        fake.lead(str(number), None, "old")
    return fake, ["GET leadLabels", *LEAD * leads, "GET leads", "GET leadLabels", "DELETE leadLabels/old"]


def merged() -> tuple[object, ...]:
    return label("Warm"), replace(label("Old", present=False), moves_to=label("Warm").address.ref)


@FAILURES
def test_a_label_that_a_person_adds_while_the_move_of_a_lead_fails_stays(failure: Failure) -> None:
    fake, _ = merging()
    plan = fake.plan(*merged())  # type: ignore[arg-type]  # declared labels
    fake.before["PATCH leads/1", 0] = meanwhile(lambda: fake.lead("1", None, "old", "vip"), failure)
    assert ends(fake.apply(plan)) == {"label:Old": "applied"}
    assert fake.leads["1"]["label_ids"] == ["warm", "vip"]
    assert fake.sent == ["GET leadLabels", *LEAD, *LEAD, "GET leads", "GET leadLabels", "DELETE leadLabels/old"]


@pytest.mark.parametrize("failure", [lambda: failed(503), lost])
def test_a_move_whose_answer_was_lost_is_not_made_again(failure: Failure) -> None:
    fake, calm = merging()
    plan = fake.plan(*merged())  # type: ignore[arg-type]  # declared labels
    fake.after["PATCH leads/1", 0] = failure
    assert ends(fake.apply(plan)) == {"label:Old": "applied"}
    assert fake.leads["1"]["label_ids"] == ["warm"]
    assert fake.sent == [*calm[:3], "GET leads/1", *calm[3:]]


def test_a_lead_that_a_person_took_the_label_from_is_not_counted_as_moved() -> None:
    fake, _ = merging(2)
    plan = fake.plan(*merged())  # type: ignore[arg-type]  # declared labels
    fake.before["PATCH leads/1", 0] = meanwhile(lambda: fake.lead("1"), lambda: failed(429))
    fake.before["GET leads", 0] = lambda: failed(400)
    assert "1 lead had been moved to label:Warm and stays moved" in only(fake.apply(plan)).detail


@FAILURES
def test_labels_of_a_lead_that_a_person_changes_while_the_update_fails_are_a_conflict(failure: Failure) -> None:
    fake = Fake().with_label("hot", "Hot").with_lead("1", "ns:a", title="a")
    plan = fake.plan(label("Hot"), lead("a", labels=refs("Hot")))
    fake.before["PATCH leads/1", 0] = meanwhile(lambda: fake.lead("1", "ns:a", "vip", title="a"), failure)
    outcomes = fake.apply(plan)
    assert ends(outcomes) == {"lead:a": "conflict"}
    assert details(outcomes) == ["somebody changed it since it was planned: labels was [], is ['label#vip']"]
    assert fake.leads["1"]["label_ids"] == ["vip"]
    assert fake.writes() == ["PATCH leads/1"]


@pytest.mark.parametrize("failure", [lambda: failed(503), lost])
def test_an_update_whose_answer_was_lost_is_done(failure: Failure) -> None:
    fake = Fake().with_label("hot", "Hot").with_lead("1", "ns:a", title="a")
    plan = fake.plan(label("Hot"), lead("a", labels=refs("Hot")))
    fake.after["PATCH leads/1", 0] = failure
    outcome = only(fake.apply(plan))
    assert (outcome.status, outcome.remote_id) == ("applied", "1")
    assert fake.sent == [*LEAD, "GET leads/1"]


def test_what_a_refused_update_would_have_written_is_a_conflict_where_a_person_wrote_it() -> None:
    fake = Fake().with_label("hot", "Hot").with_lead("1", "ns:a", title="a")
    plan = fake.plan(label("Hot"), lead("a", labels=refs("Hot")))
    edit = meanwhile(lambda: fake.lead("1", "ns:a", "hot", title="a"), lambda: failed(429))
    fake.before["PATCH leads/1", 0] = edit
    assert ends(fake.apply(plan)) == {"lead:a": "conflict"}


@pytest.mark.parametrize("first", [0, 1])
def test_an_update_of_two_requests_goes_on_where_the_answer_of_one_was_lost(first: int) -> None:
    fake = Fake().with_label("hot", "Hot").with_lead("1", "ns:a", title="a", is_archived=True)
    plan = fake.plan(label("Hot"), lead("a", labels=refs("Hot"), archived=False))
    fake.after["PATCH leads/1", first] = lost
    assert ends(fake.apply(plan)) == {"lead:a": "applied"}
    assert (fake.leads["1"]["label_ids"], fake.leads["1"]["is_archived"]) == (["hot"], False)


@FAILURES
def test_a_lead_that_a_person_edits_while_its_delete_fails_stays(failure: Failure) -> None:
    fake = Fake().with_lead("1", "ns:a")
    plan = fake.plan(policy=OWNED)
    fake.before["DELETE leads/1", 0] = meanwhile(lambda: fake.lead("1", "ns:a", title="ours"), failure)
    assert ends(fake.apply(plan)) == {"lead:a": "conflict"}
    assert "1" in fake.leads


@FAILURES
def test_a_label_that_a_person_edits_while_its_delete_fails_stays(failure: Failure) -> None:
    fake = Fake().with_label("old", "Old")
    plan = fake.plan(label("Old", present=False))
    fake.before["DELETE leadLabels/old", 0] = meanwhile(lambda: fake.label("old", "Kept"), failure)
    assert ends(fake.apply(plan)) == {"label:Old": "conflict"}
    assert fake.labels["old"]["name"] == "Kept"


def test_a_label_that_a_person_adds_while_ours_is_refused_gets_no_twin() -> None:
    fake = Fake()
    plan = fake.plan(label("Hot"))
    fake.before["POST leadLabels", 0] = meanwhile(lambda: fake.label("theirs", "Hot"), lambda: failed(429))
    assert ends(fake.apply(plan)) == {"label:Hot": "conflict"}
    assert list(fake.labels) == ["theirs"]


@pytest.mark.parametrize("name", ["PATCH leads/1", "GET leads/1"])
def test_an_update_that_always_fails_takes_five_attempts_in_all(name: str) -> None:
    fake = Fake().with_label("hot", "Hot").with_lead("1", "ns:a", title="a")
    plan = fake.plan(label("Hot"), lead("a", labels=refs("Hot")))
    fake.before |= {(name, number): lambda: failed(503) for number in range(9)}
    assert ends(fake.apply(plan)) == {"lead:a": "failed"}
    assert fake.sent.count(name) == ATTEMPTS
    assert fake.sent.count("GET leads/1") == ATTEMPTS


def test_a_window_that_somebody_else_keeps_full_delays_a_write_and_does_not_keep_it_from_being_sent() -> None:
    fake = Fake().with_label("hot", "Hot").with_lead("1", "ns:a", title="a")
    plan = fake.plan(label("Hot"), lead("a", labels=refs("Hot")))
    full = {"x-ratelimit-limit": "80", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "2"}

    def read() -> httpx.Response:
        answer = ok(fake.leads["1"])
        answer.headers.update(full)
        return answer

    fake.before |= {("GET leads/1", number): read for number in range(20)}
    assert ends(fake.apply(plan)) == {"lead:a": "applied"}
    assert fake.sent == ["GET leads/1"] * (ATTEMPTS + 1) + ["PATCH leads/1"]
