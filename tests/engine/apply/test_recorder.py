"""What an observer hears of every write: the object, its state before and after."""

from contextlib import nullcontext, suppress
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from leadstate.engine.apply.execute import execute
from leadstate.engine.apply.recorder import Recorder, Unrecorded
from leadstate.kinds import KINDS
from leadstate.model.account import ImpactLevel, Prune
from leadstate.model.address import Ref, RemoteRef
from leadstate.model.plan import AccountPlan, Status, Touch
from leadstate.model.resource import Money
from leadstate.pipedrive.connection import Connection
from leadstate.pipedrive.errors import ApiError
from leadstate.pipedrive.operations import (
    ADD_LABEL,
    ADD_LEAD,
    DELETE_LABEL,
    DELETE_LEAD,
    GET_LEAD,
    UPDATE_LABEL,
    UPDATE_LEAD,
    Request,
)
from tests.harness.builders import FREE, account, label, lead, lead_id, live_label, live_lead, planned, refs
from tests.harness.fake_api import Fake, failed, ok
from tests.harness.recorded_writes import LABELS, Live, Recording, company

HOT, WARM, COLD = (RemoteRef("label", LABELS[name]) for name in ("Hot", "Warm", "Cold"))


def recorded(
    live: Live, *desired: Any, impact: ImpactLevel = ImpactLevel.LIVE, **policy: Any
) -> dict[tuple[str, str], Touch]:
    """What was touched, by kind and key or id; every touch was announced before it was done."""
    heard = Recording()
    _, applied = live.apply(live.account(*desired, policy=replace(FREE, **policy)), heard, impact)
    assert {outcome.status for outcome in applied.outcomes.values()} == {Status.APPLIED}
    assert [touch.kind for touch in heard.begun] == [touch.kind for touch in heard.done if touch is not None]
    return {(touch.kind, touch.key or touch.remote_id or ""): touch for touch in heard.done if touch is not None}


def test_added_and_updated_labels_are_recorded() -> None:
    live = Live(company())
    touched = recorded(live, label("New", "blue"), label("Lukewarm", "pink", "Warm"))
    new = touched["label", "New"]
    assert (new.before, new.after) == (None, {"name": "New", "color": "blue"})
    assert new.remote_id in live.labels
    update = touched["label", "Lukewarm"]
    assert (update.remote_id, update.before, update.after) == (
        LABELS["Warm"],
        {"name": "Warm", "color": "red"},
        {"name": "Lukewarm", "color": "pink"},
    )


CREATED = {"title": "new", "person": 1, "owner": 1, "visible_to": "3"}
"""What is set after a create: owner and visibility by the server."""


def test_added_and_updated_leads_are_recorded() -> None:
    live = Live(company({"origin_id": "ns:old", "title": "Old", "label_ids": ["Cold"]}))
    touched = recorded(live, label("Hot"), lead("old", labels=refs("Hot")), lead("new", labels=refs("Hot")))
    new, old = touched["lead", "new"], touched["lead", "old"]
    assert (new.before, new.after, new.marker) == (None, {**CREATED, "labels": (HOT,)}, "ns:new")
    assert new.remote_id in live.leads
    assert old.before == {"title": "Old", "labels": (COLD,)}
    assert old.after == {"title": "old", "labels": (HOT,)}


def test_a_create_is_recorded_with_all_that_the_server_answers_but_whether_it_was_seen() -> None:
    fake, plan, key = Fake(), planned(account(lead("x", channel_id="web"))), "a" * 40
    answer = {"id": "1", "title": "x", "origin_id": "ns:x", "channel_id": None, "was_seen": True, key: "given"}
    fake.before["POST leads", 0] = lambda: ok({**answer, "value": {"amount": 0, "currency": "EUR"}}, status=201)
    made = touched(fake, plan, Request(ADD_LEAD, body={"title": "x", "origin_id": "ns:x"}))
    assert made.after is not None
    assert (made.after["channel_id"], made.after["value"]) == (None, Money(Decimal(0), "EUR"))
    assert "was_seen" not in made.after
    assert made.custom == {key: "given"}


def test_a_lead_added_to_the_archive_is_recorded_as_two_writes() -> None:
    live = Live(company())
    heard = Recording()
    live.apply(live.account(lead("new", archived=True)), heard)
    added, archived = (touch for touch in heard.done if touch is not None)
    assert (added.before, added.after) == (None, CREATED)
    assert heard.begun[1].after == {"archived": True}
    assert [touch.key for touch in heard.begun] == ["new", "new"]
    assert heard.accounts == {"emea"}
    assert (archived.remote_id, archived.before, archived.after) == (
        added.remote_id,
        {"archived": False},
        {"archived": True},
    )


def test_a_deleted_lead_is_recorded_with_its_custom_fields() -> None:
    key = "a" * 40
    fields = [{"code": key, "name": "Industry", "type": "varchar"}]
    live = Live(company({"origin_id": "ns:gone", "label_ids": ["Hot"], key: "Retail"}, fields=fields))
    gone = recorded(live, lead("x"), prune_rules={"lead": Prune.OWNED})["lead", "gone"]
    assert (gone.remote_id, gone.after) == (lead_id(0), None)
    assert gone.before is not None
    assert (gone.before["labels"], gone.marker, dict(gone.custom)) == ((HOT,), "ns:gone", {key: "Retail"})


def test_leads_moved_by_a_merge_are_recorded_with_all_their_labels() -> None:
    live = Live(company({"label_ids": ["Warm", "Cold"]}, {"label_ids": ["Hot"]}))
    touched = recorded(live, label("Hot"), replace(label("Cold", present=False), moves_to=Ref("label", "Hot")))
    moved = touched["lead", lead_id(0)]
    assert moved.before == {"labels": tuple(sorted((WARM, COLD)))}
    assert moved.after == {"labels": tuple(sorted((WARM, HOT)))}
    assert ("lead", lead_id(1)) not in touched
    assert touched["label", "Cold"].before == {"name": "Cold", "color": "red"}


def test_live_and_archived_carriers_of_a_deleted_label_are_recorded() -> None:
    live = Live(company({"label_ids": ["Warm", "Cold"]}, {"label_ids": ["Cold"], "is_archived": True}))
    touched = recorded(live, label("Cold", present=False), impact=ImpactLevel.FULL)
    for number in (0, 1):
        carrier = touched["lead", lead_id(number)]
        assert (carrier.before, carrier.after) == ({"labels": (COLD,)}, {"labels": ()})


def test_changes_that_fail_for_one_reason_name_their_own_requests() -> None:
    fake = Fake().with_label("1", "Warm")
    plan = fake.plan(label("Able"), label("Warm", "pink"))
    heard = (Recording(obstacle="the disk is full"),)
    fake.sent.clear()
    # The add is still under way, for its list is asked for again, when the update fails.
    fake.before["GET leadLabels", 0] = lambda: failed(503, "busy")
    ends = fake.connect(lambda connection: execute(plan, connection, heard))
    assert [ends[change.address].detail for change in plan.changes] == [
        "addLeadLabel: the disk is full",
        "updateLeadLabel: the disk is full",
    ]


@pytest.mark.parametrize(("stop", "sent"), [("", 1), ("the disk is full", 0)])
def test_every_observer_hears_of_a_write_and_any_of_them_keeps_it_from_being_sent(stop: str, sent: int) -> None:
    fake = Fake()
    plan = fake.plan(label("New"))
    request = Request(ADD_LABEL, body={"name": "New", "color": "red"})
    heard = (Recording(), Recording(obstacle=stop))

    fake.sent.clear()
    with pytest.raises(Unrecorded, match=stop) if stop else nullcontext():
        fake.connect(lambda connection: Recorder(connection, plan, heard).send(request, plan.changes[0]))
    assert [len(observer.begun) for observer in heard] == [1, 1]
    assert len(fake.sent) == sent


def touches(fake: Fake, plan: AccountPlan, *requests: Request) -> Recording:
    """Send these requests, each for its change of the plan, or as many of them as are taken."""
    heard = Recording()
    changes = {(KINDS[c.address.kind].operation(c.action), c.remote_id): c for c in plan.changes}

    async def do(connection: Connection) -> None:
        recorder = Recorder(connection, plan, (heard,))
        for request in requests:
            with suppress(ApiError):
                if request.operation is GET_LEAD:
                    await recorder.get(request)
                else:
                    await recorder.send(request, changes.get((request.operation, request.remote_id)))

    fake.connect(do)
    return heard


def touched(fake: Fake, plan: AccountPlan, request: Request) -> Touch:
    """Send a request; return what it was noted to have done."""
    (done,) = touches(fake, plan, request).done
    assert done is not None
    return done


RETIRES = planned(
    account(label("Hot"), lead("x"), labels="all", leads="owned"),
    live_label("Cold", remote_id="cold"),
    live_label("Hot", remote_id="hot"),
    live_lead("gone", remote_id="1", labels=["hot", "unknown"]),
)


def test_a_create_is_announced_with_its_labels() -> None:
    plan = planned(account(lead("x", labels=refs("Hot"), organization=None)), live_label("Hot", remote_id="hot"))
    heard = touches(Fake(), plan, Request(ADD_LEAD, body={"title": "x", "origin_id": "ns:x", "label_ids": ["b", "a"]}))
    (begun,) = heard.begun
    assert (begun.kind, begun.remote_id, begun.key, begun.before, begun.marker) == ("lead", None, "x", None, "ns:x")
    assert begun.after == {"title": "x", "person": 1, "labels": (RemoteRef("label", "a"), RemoteRef("label", "b"))}


def test_a_lead_that_was_not_read_is_recorded_as_planned() -> None:
    fake = Fake().with_lead("1", "ns:gone")
    (begun,) = touches(fake, RETIRES, Request(DELETE_LEAD, "1")).begun
    assert (begun.remote_id, begun.key, begun.after, begun.marker) == ("1", "gone", None, "ns:gone")
    assert begun.before is not None
    assert begun.before["labels"] == (RemoteRef("label", "hot"), RemoteRef("label", "unknown"))
    assert begun.before["title"] == "gone"


def test_labels_of_an_unread_lead_are_recorded_as_added() -> None:
    fake = Fake().with_lead("2")
    heard = touches(fake, RETIRES, Request(UPDATE_LEAD, "2", body={"label_ids": ["hot"]}))
    (begun,), (done,) = heard.begun, heard.done
    assert (begun.before, begun.after) == ({"labels": ()}, {"labels": (RemoteRef("label", "hot"),)})
    assert (begun.answered, done is not None and done.answered) == (False, True)


def test_a_read_is_the_state_before_one_write_only() -> None:
    fake = Fake().with_lead("2", None, "cold")
    write = Request(UPDATE_LEAD, "2", body={"label_ids": ["hot"]})
    begun = touches(fake, RETIRES, Request(GET_LEAD, "2"), write, write).begun
    assert [touch.before for touch in begun] == [{"labels": (RemoteRef("label", "cold"),)}, {"labels": ()}]


def test_a_malformed_read_is_not_used_as_the_state_before() -> None:
    fake = Fake().with_lead("2", None, "cold")
    fake.before["GET leads/2", 0] = lambda: ok({"id": 2, "title": None})
    begun = touches(fake, RETIRES, Request(GET_LEAD, "2"), Request(DELETE_LEAD, "2")).begun
    assert [touch.before for touch in begun] == [{}]


def test_a_missing_attribute_is_recorded_as_empty() -> None:
    there = live_lead("x", remote_id="1")
    there = replace(there, attrs={name: value for name, value in there.attrs.items() if name != "value"})
    plan = planned(account(lead("x", value=3)), there)
    fake = Fake().with_lead("1", "ns:x")
    (begun,) = touches(fake, plan, Request(UPDATE_LEAD, "1", body={"value": 3})).begun
    assert (begun.key, begun.before, begun.after) == ("x", {"value": None}, {"value": 3})


def test_a_write_that_failed_may_have_been_done_unless_it_was_a_create_that_was_refused() -> None:
    fake = Fake().with_lead("1", "ns:gone")
    fake.before["DELETE leads/1", 0] = lambda: failed(400)
    fake.before["POST leads", 0] = lambda: failed(400)
    deleted = touches(fake, RETIRES, Request(DELETE_LEAD, "1"))
    added = touches(fake, RETIRES, Request(ADD_LEAD, body={"title": "x", "origin_id": "ns:x"}))
    assert (len(deleted.begun), deleted.done) == (1, [])
    assert (len(added.begun), added.done) == (1, [None])


def test_an_answer_is_recorded_rather_than_the_request() -> None:
    plan = planned(account(label("Hot", "blue")), live_label("Hot", remote_id="hot"))
    fake = Fake(alters={"PATCH leadLabels/hot": lambda body: {**body, "color": "pink"}})
    fake.label("hot", "Hot")
    done = touched(fake, plan, Request(UPDATE_LABEL, "hot", body={"color": "blue"}))
    assert (done.before, done.after, done.answered) == ({"color": "red"}, {"color": "pink"}, True)


def test_a_malformed_answer_records_what_was_requested() -> None:
    plan = planned(account(label("Hot", "blue"), lead("x")), live_label("Hot", remote_id="hot"))
    fake = Fake().with_label("hot", "Hot")
    for body in ({"id": "other", "name": "Other", "color": "red"}, {"id": "hot"}):
        fake.before["PATCH leadLabels/hot", fake.sent.count("PATCH leadLabels/hot")] = lambda body=body: ok(body)  # type: ignore[misc]  # a loop variable
        done = touched(fake, plan, Request(UPDATE_LABEL, "hot", body={"color": "blue"}))
        assert (done.remote_id, done.after, done.answered) == ("hot", {"color": "blue"}, True)
    fake.before["POST leads", 0] = lambda: ok({"title": "x"})
    (added,) = touches(fake, plan, Request(ADD_LEAD, body={"title": "x", "origin_id": "ns:x"})).done
    assert added is not None
    assert (added.remote_id, added.answered) == (None, False)


def test_a_deleted_label_is_recorded_after_its_carriers() -> None:
    fake = Fake().with_label("cold", "Cold")
    begun = touches(fake, RETIRES, Request(DELETE_LABEL, "cold")).begun
    assert [(touch.kind, touch.key, touch.before) for touch in begun] == [
        ("label", "Cold", {"name": "Cold", "color": "red"})
    ]
    assert touches(fake, RETIRES, Request(DELETE_LABEL, "hot")).begun[0].before == {}


def test_a_delete_that_answers_with_the_object_is_a_delete() -> None:
    fake = Fake().with_lead("1", "ns:gone")
    fake.before["DELETE leads/1", 0] = lambda: ok(fake.leads.pop("1"))
    done = touched(fake, RETIRES, Request(DELETE_LEAD, "1"))
    assert (done.after, done.answered) == (None, True)


def test_labels_that_the_server_ignored_are_not_recorded() -> None:
    fake = Fake(alters={"PATCH leads/2": lambda body: {**body, "label_ids": []}}).with_lead("2")
    done = touched(fake, RETIRES, Request(UPDATE_LEAD, "2", body={"label_ids": ["hot"]}))
    assert (done.after, done.answered) == ({"labels": ()}, True)
