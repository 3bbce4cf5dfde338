"""The requests of one change, in their order, each with what it needs of those before."""

from dataclasses import replace

import httpx
import pytest

from leadstate.model.plan import Outcome
from tests.harness.builders import lead
from tests.harness.fake_api import Fake, failed, lost, only


def test_a_lead_that_is_created_archived_is_archived_by_its_new_id() -> None:
    fake = Fake()
    outcome = only(fake.apply(fake.plan(lead("a", archived=True))))
    assert (outcome.status, outcome.remote_id) == ("applied", "new-1")
    assert fake.bodies == [
        ("POST leads", {"title": "a", "person_id": 1, "origin_id": "ns:a"}),
        ("PATCH leads/new-1", {"is_archived": True}),
    ]


def unarchived(fake: Fake, title: str) -> Outcome:
    """Return what became of a change that takes a lead out of the archive and sets its title."""
    fake.lead("1", "ns:a", title=title, is_archived=True)
    return only(fake.apply(fake.plan(lead("a", archived=False))))


def test_an_archived_lead_is_unarchived_before_anything_else() -> None:
    fake = Fake()
    assert unarchived(fake, "old").status == "applied"
    assert fake.bodies == [("PATCH leads/1", {"is_archived": False}), ("PATCH leads/1", {"title": "a"})]


@pytest.mark.parametrize(
    ("title", "ignored", "detail"),
    [
        ("old", "title", "title is old, not a"),
        ("old", "is_archived", "archived is True, not False"),
        ("a", "is_archived", "archived is True, not False"),
    ],
)
def test_an_unarchived_lead_is_compared_with_what_was_requested(title: str, ignored: str, detail: str) -> None:
    fake = Fake()
    fake.alters["PATCH leads/1"] = lambda body: {} if ignored in body else body
    outcome = unarchived(fake, title)
    assert outcome.status == "failed"
    assert outcome.detail == f"not converged: Pipedrive answered that {detail}"


def test_archiving_that_is_refused_after_a_lost_answer_is_applied_if_it_happened() -> None:
    fake = Fake().with_lead("1", "ns:a", title="a")
    plan = fake.plan(lead("a", archived=True))
    fake.after["PATCH leads/1", 0] = lost
    fake.before["PATCH leads/1", 1] = lambda: failed(400, "archived")
    assert only(fake.apply(plan)).status == "applied"
    assert fake.sent == ["PATCH leads/1", "PATCH leads/1", "GET leads/1"]


@pytest.mark.parametrize("answer", [None, [], {"id": "1"}, {"id": "1", "is_archived": "yes"}])
def test_archiving_that_is_refused_and_did_not_happen_is_a_failure(answer: object) -> None:
    fake = Fake().with_lead("1", "ns:a", title="a")
    plan = fake.plan(lead("a", archived=True))
    fake.before["PATCH leads/1", 0] = lambda: failed(400, "no")
    fake.before["GET leads/1", 0] = lambda: httpx.Response(200, json={"success": True, "data": answer})
    outcome = only(fake.apply(plan))
    assert (outcome.status, outcome.detail) == ("failed", "updateLead: 400, no")


def test_a_refused_update_of_other_fields_is_a_failure() -> None:
    fake = Fake().with_lead("1", "ns:a", title="old", is_archived=False)
    plan = fake.plan(lead("a"))
    fake.before["PATCH leads/1", 0] = lambda: failed(400, "no")
    assert only(fake.apply(plan)).status == "failed"
    assert fake.sent == ["PATCH leads/1"]


def test_a_delete_sends_no_body() -> None:
    fake = Fake().with_lead("1", "ns:a")
    outcome = only(fake.apply(fake.plan(replace(lead("a"), present=False))))
    assert (outcome.status, outcome.detail, outcome.remote_id) == ("applied", "", None)
    assert fake.sent == ["GET leads/1", "DELETE leads/1"]
    assert fake.bodies == []
