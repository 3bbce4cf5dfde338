"""Changes that somebody declined: what is declined with them, and that nothing is sent for any of them."""

from dataclasses import replace

from leadstate.engine.apply.execute import decline, execute
from leadstate.model.account import Prune
from leadstate.model.address import Address, Ref
from leadstate.model.plan import AccountPlan, Action, Change, Reason
from leadstate.reconcile.diff import diff, removed
from tests.harness.builders import FREE, label, lead, refs
from tests.harness.fake_api import Fake, Heard, ends

PRUNED = replace(FREE, prune_rules={"label": Prune.ALL, "lead": Prune.NONE})


def address(text: str) -> Address:
    kind, _, key = text.partition(":")
    return Address("emea", kind, key)


def renamed(before: str, after: str) -> Change:
    """Return the change of a name."""
    fields = diff({"name": before}, {"name": after})
    return Change(address(f"label:{before}"), Action.UPDATE, Reason.RENAMED, fields, {"name": after}, before)


def declined(plan: AccountPlan, *texts: str) -> dict[str, str]:
    """Return what is declined with these changes, and why."""
    ends_ = decline(plan, {address(text) for text in texts})
    assert {end.status for end in ends_.values()} == {"declined"}
    return {str(address.ref): end.detail for address, end in ends_.items()}


def test_a_lead_is_declined_with_the_label_that_it_would_get() -> None:
    plan = Fake().plan(label("Hot"), label("Warm"), lead("a", labels=refs("Hot")), lead("b", labels=refs("Warm")))
    assert declined(plan, "label:Hot") == {"label:Hot": "not chosen", "lead:a": "because label:Hot was declined"}
    assert declined(plan, "lead:a") == {"lead:a": "not chosen"}


def test_a_label_is_not_deleted_while_a_declined_change_leaves_it_on_a_lead() -> None:
    fake = Fake().with_label("1", "Old").with_lead("7", "ns:a", "1", title="a")
    plan = fake.plan(label("New"), lead("a", labels=refs("New")), policy=PRUNED)
    because = "because lead:a was declined"
    assert declined(plan, "lead:a") == {"lead:a": "not chosen", "label:Old": because}
    assert declined(plan, "label:New") == {
        "label:New": "not chosen",
        "lead:a": "because label:New was declined",
        "label:Old": because,
    }


def test_a_merge_is_declined_with_the_label_that_takes_the_leads() -> None:
    fake = Fake().with_label("1", "Old")
    old = replace(label("Old", present=False), moves_to=Ref("label", "New"))
    assert declined(fake.plan(label("New"), old), "label:New") == {
        "label:New": "not chosen",
        "label:Old": "because label:New was declined",
    }


def test_no_label_takes_a_name_that_another_one_keeps() -> None:
    """A rollback renames a label back while it deletes the one that took its name."""
    back = renamed("Hot", "Cold")
    taken = Change(address("label:Cold"), Action.DELETE, Reason.UNDONE, removed({"name": "Cold"}), {}, "2")
    plan = replace(Fake().plan(), changes=(taken, back))
    assert declined(plan, "label:Cold") == {"label:Cold": "not chosen", "label:Hot": "because label:Cold was declined"}
    assert declined(plan, "label:Hot") == {"label:Hot": "not chosen"}


def test_two_labels_that_swap_names_are_declined_together() -> None:
    plan = replace(Fake().plan(), changes=(renamed("A", "B"), renamed("B", "A")))
    assert declined(plan, "label:A") == {"label:A": "not chosen", "label:B": "because label:A was declined"}
    assert declined(plan, "label:A", "label:B") == {"label:A": "not chosen", "label:B": "not chosen"}


def test_a_merge_waits_for_a_lead_that_is_brought_back_from_the_archive_with_the_label() -> None:
    fake = Fake().with_label("1", "Old").with_label("2", "New")
    fake.lead("7", "ns:a", "1", title="a", is_archived=True)
    old = replace(label("Old", present=False), moves_to=Ref("label", "New"))
    plan = fake.plan(label("New"), old, lead("a", archived=False))
    assert declined(plan, "lead:a") == {"lead:a": "not chosen", "label:Old": "because lead:a was declined"}


def test_an_unplanned_address_declines_nothing() -> None:
    plan = Fake().plan(label("Hot"))
    assert decline(plan, {address("label:Cold")}) == decline(plan, ()) == {}


def test_a_declined_change_sends_no_request_and_is_reported() -> None:
    fake, heard = Fake(), Heard()
    plan = fake.plan(label("Hot"), label("Warm"), lead("a", labels=refs("Hot")))
    fake.sent.clear()
    declined = decline(plan, {address("label:Hot")})
    outcomes = fake.connect(lambda connection: execute(plan, connection, (heard,), declined=declined))
    assert ends(outcomes) == {"label:Hot": "declined", "label:Warm": "applied", "lead:a": "declined"}
    assert [*outcomes] == [change.address for change in plan.changes]
    assert fake.writes() == ["POST leadLabels"]
    assert [row["name"] for row in fake.labels.values()] == ["Warm"]
    assert dict(heard.ended) == ends(outcomes)
