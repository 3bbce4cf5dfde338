"""The requests of one change, in their order, each with what it needs of those before."""

from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest

from leadstate.engine.apply.create import _Bound, bound
from leadstate.model.address import Ref
from leadstate.model.plan import Outcome
from leadstate.model.resource import Bindings, CustomValue
from tests.harness.builders import label, lead, refs
from tests.harness.fake_api import Fake, failed, lost


def only(outcomes: object) -> Outcome:
    assert isinstance(outcomes, dict)
    (found,) = outcomes.values()
    assert isinstance(found, Outcome)
    return found


def test_a_reference_without_an_id_is_a_mistake_of_ours() -> None:
    bindings = Bindings()
    with pytest.raises(LookupError, match="label:Hot has no id, though every change that it depends on was applied"):
        bound(bindings, Ref("label", "Hot"))
    bindings.bind(Ref("label", "Hot"), "7")
    assert bound(bindings, Ref("label", "Hot")) == _Bound(bindings)(Ref("label", "Hot")) == "7"
    with pytest.raises(LookupError, match=r"custom_fields\.Score has no key, though it was planned"):
        _Bound(bindings).custom("custom_fields.Score", CustomValue(1))


def test_a_lead_that_is_created_archived_is_archived_by_its_new_id() -> None:
    fake = Fake()
    outcome = only(fake.apply(fake.plan(lead("a", archived=True))))
    assert (outcome.status, outcome.remote_id) == ("applied", "new-1")
    assert fake.bodies == [
        ("POST leads", {"title": "a", "person_id": 1, "origin_id": "ns:a"}),
        ("PATCH leads/new-1", {"is_archived": True}),
    ]


def thawed(fake: Fake) -> Outcome:
    fake.lead("1", "ns:a", title="old", is_archived=True)
    return only(fake.apply(fake.plan(lead("a", archived=False))))


def test_an_archived_lead_is_brought_back_before_anything_else() -> None:
    fake = Fake()
    assert thawed(fake).status == "applied"
    assert fake.bodies == [("PATCH leads/1", {"is_archived": False}), ("PATCH leads/1", {"title": "a"})]


@pytest.mark.parametrize(
    ("alter", "detail"),
    [
        (lambda body: {} if "title" in body else body, "title is old, not a"),
        (lambda body: {} if "is_archived" in body else body, "archived is True, not False"),
    ],
)
def test_a_lead_that_was_brought_back_is_compared_with_what_was_asked(
    alter: Callable[[dict[str, object]], dict[str, object]], detail: str
) -> None:
    fake = Fake()
    fake.alters["PATCH leads/1"] = alter
    outcome = thawed(fake)
    assert outcome.status == "failed"
    assert outcome.detail == f"not converged: Pipedrive answered that {detail}"


def test_a_lead_that_was_only_brought_back_is_compared_too() -> None:
    fake = Fake()
    fake.lead("1", "ns:a", title="a", is_archived=True)
    fake.alters["PATCH leads/1"] = lambda _: {}
    assert only(fake.apply(fake.plan(lead("a", archived=False)))).detail.endswith("archived is True, not False")


def test_archiving_whose_answer_was_lost_and_is_refused_afterwards_is_done() -> None:
    fake = Fake()
    fake.lead("1", "ns:a", title="a")
    plan = fake.plan(lead("a", archived=True))
    fake.after["PATCH leads/1", 0] = lost
    fake.before["PATCH leads/1", 1] = lambda: failed(400, "archived")
    assert only(fake.apply(plan)).status == "applied"
    assert fake.sent == ["PATCH leads/1", "PATCH leads/1", "GET leads/1"]


@pytest.mark.parametrize("answer", [None, [], {"id": "1"}, {"id": "1", "is_archived": "yes"}])
def test_archiving_that_is_refused_and_not_done_is_a_failure(answer: object) -> None:
    fake = Fake()
    fake.lead("1", "ns:a", title="a")
    plan = fake.plan(lead("a", archived=True))
    fake.before["PATCH leads/1", 0] = lambda: failed(400, "no")
    fake.before["GET leads/1", 0] = lambda: httpx.Response(200, json={"success": True, "data": answer})
    outcome = only(fake.apply(plan))
    assert (outcome.status, outcome.detail) == ("failed", "updateLead: 400, no")


def test_another_request_that_is_refused_is_not_asked_about() -> None:
    fake = Fake()
    fake.lead("1", "ns:a", title="old", is_archived=False)
    plan = fake.plan(lead("a"))
    fake.before["PATCH leads/1", 0] = lambda: failed(400, "no")
    assert only(fake.apply(plan)).status == "failed"
    assert fake.sent == ["PATCH leads/1"]


def test_a_new_label_is_known_by_its_id_to_what_comes_after() -> None:
    fake = Fake()
    fake.lead("1", "ns:a", title="a")
    plan = fake.plan(label("Hot"), lead("a", labels=refs("Hot")))
    fake.apply(plan)
    assert plan.bindings.id_of(Ref("label", "Hot")) == "new-1"
    assert fake.bodies[-1] == ("PATCH leads/1", {"label_ids": ["new-1"]})


def test_a_delete_sends_nothing_but_itself() -> None:
    fake = Fake()
    fake.lead("1", "ns:a")
    outcome = only(fake.apply(fake.plan(replace(lead("a"), present=False))))
    assert (outcome.status, outcome.detail, outcome.remote_id) == ("applied", "", None)
    assert fake.sent == ["GET leads/1", "DELETE leads/1"]
    assert fake.bodies == []
