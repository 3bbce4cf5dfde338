"""What an observer hears of every write: the object, its state before and after."""

from dataclasses import replace
from typing import Any

from leadstate.core.address import Ref, RemoteRef
from leadstate.core.outcome import Status
from leadstate.core.policy import Impact, Prune
from leadstate.core.touch import Touch
from tests.builders import label, lead, refs
from tests.engine.undoing import FREE, LABELS, Live, Recording, company, lead_id

HOT, WARM, COLD = (RemoteRef("label", LABELS[name]) for name in ("Hot", "Warm", "Cold"))


def recorded(live: Live, *desired: Any, impact: Impact = Impact.LIVE, **policy: Any) -> dict[tuple[str, str], Touch]:
    """What was touched, by kind and key or id; every touch was announced before it was done."""
    heard = Recording()
    _, applied = live.apply(live.account(*desired, policy=replace(FREE, **policy)), heard, impact)
    assert {outcome.status for outcome in applied.outcomes.values()} == {Status.APPLIED}
    assert [touch.kind for touch in heard.begun] == [touch.kind for touch in heard.done if touch is not None]
    return {(touch.kind, touch.key or touch.remote_id or ""): touch for touch in heard.done if touch is not None}


def test_an_add_and_an_update_of_a_label() -> None:
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


def test_a_lead_that_is_added_and_one_that_is_updated() -> None:
    live = Live(company({"origin_id": "ns:old", "title": "Old", "label_ids": ["Cold"]}))
    touched = recorded(live, label("Hot"), lead("old", labels=refs("Hot")), lead("new", labels=refs("Hot")))
    new, old = touched["lead", "new"], touched["lead", "old"]
    assert (new.before, new.after, new.mark) == (None, {"title": "new", "person": 1, "labels": (HOT,)}, "ns:new")
    assert new.remote_id in live.leads
    assert old.before == {"title": "Old", "labels": (COLD,)}
    assert old.after == {"title": "old", "labels": (HOT,)}


def test_a_lead_that_is_added_and_archived() -> None:
    live = Live(company())
    heard = Recording()
    live.apply(live.account(lead("new", archived=True)), heard)
    added, archived = (touch for touch in heard.done if touch is not None)
    assert added.before is None
    assert (archived.remote_id, archived.before, archived.after) == (
        added.remote_id,
        {"archived": False},
        {"archived": True},
    )


def test_a_deleted_lead_with_its_custom_fields() -> None:
    key = "a" * 40
    fields = [{"code": key, "name": "Industry", "type": "varchar"}]
    live = Live(company({"origin_id": "ns:gone", "label_ids": ["Hot"], key: "Retail"}, fields=fields))
    gone = recorded(live, lead("x"), prune_leads=Prune.OWNED)["lead", "gone"]
    assert gone.after is None
    assert gone.before is not None
    assert (gone.before["labels"], gone.mark, dict(gone.custom)) == ((HOT,), "ns:gone", {key: "Retail"})


def test_leads_that_a_merge_moves_have_all_their_labels_noted() -> None:
    live = Live(company({"label_ids": ["Warm", "Cold"]}, {"label_ids": ["Hot"]}))
    touched = recorded(live, label("Hot"), replace(label("Cold", present=False), moves_to=Ref("label", "Hot")))
    moved = touched["lead", lead_id(0)]
    assert moved.before == {"labels": tuple(sorted((WARM, COLD)))}
    assert moved.after == {"labels": tuple(sorted((WARM, HOT)))}
    assert ("lead", lead_id(1)) not in touched
    assert touched["label", "Cold"].before == {"name": "Cold", "color": "red"}


def test_carriers_of_a_deleted_label_live_and_archived() -> None:
    live = Live(company({"label_ids": ["Warm", "Cold"]}, {"label_ids": ["Cold"], "is_archived": True}))
    touched = recorded(live, label("Cold", present=False), impact=Impact.FULL)
    for number in (0, 1):
        carrier = touched["lead", lead_id(number)]
        assert (carrier.before, carrier.after) == ({"labels": (COLD,)}, {"labels": ()})


def test_what_cannot_be_noted_is_not_sent() -> None:
    live = Live(company())
    plan, applied = live.apply(live.account(label("New")), Recording(stop="the disk is full"))
    (outcome,) = applied.outcomes.values()
    assert outcome.status is Status.FAILED
    assert "the disk is full" in outcome.detail
    assert len(live.labels) == 3
    assert len(plan.changes) == 1


def test_an_add_that_is_refused_has_touched_nothing() -> None:
    live = Live(company())
    heard = Recording()
    live.apply(live.account(lead("new", person=99)), heard)
    assert (len(heard.begun), heard.done) == (1, [None])
