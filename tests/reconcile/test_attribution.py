"""Where a change comes from: by object, by field, and by what the other revision would do."""

from dataclasses import replace

from leadstate.model.account import Account
from leadstate.model.address import Ref
from leadstate.model.plan import AccountPlan, Origin, fingerprint
from leadstate.model.resource import Desired, Live
from leadstate.reconcile.attribution import with_origins
from tests.harness.builders import account, label, lead, live_label, live_lead, planned, refs


def origins(here: Account, there: Account | None, *live: Live) -> dict[str, Origin | None]:
    base = None if there is None else planned(there, *live)
    return {str(change.address.ref): change.origin for change in with_origins(planned(here, *live), base).changes}


def test_a_change_that_the_base_plans_too_is_drift() -> None:
    base = account(label("Hot"), label("Gone", "blue"))
    here = account(label("Hot"), label("Gone", "blue"), label("New", "pink"))
    assert origins(here, base, live_label("Hot", "orange")) == {
        "label:Gone": Origin.DRIFT,
        "label:Hot": Origin.DRIFT,
        "label:New": Origin.CHANGE,
    }


def test_every_change_of_a_new_account_is_new() -> None:
    assert origins(account(label("Hot")), None) == {"label:Hot": Origin.CHANGE}


def test_without_a_base_nothing_is_attributed() -> None:
    assert [change.origin for change in planned(account(label("Hot"))).changes] == [None]


def test_another_value_for_a_field_that_drifted_is_both() -> None:
    found = origins(account(label("Hot", "green")), account(label("Hot", "red")), live_label("Hot", "orange"))
    assert found == {"label:Hot": Origin.BOTH}


def test_a_new_value_for_a_field_that_did_not_drift_is_new() -> None:
    found = origins(account(label("Hot", "green")), account(label("Hot", "red")), live_label("Hot", "red"))
    assert found == {"label:Hot": Origin.CHANGE}


def test_fields_of_both_kinds_in_one_change_are_both() -> None:
    base = account(label("Cold", "red"))
    here = account(label("Nurture", "red", "Cold"))
    assert origins(here, base, live_label("Cold", "orange")) == {"label:Nurture": Origin.BOTH}
    assert origins(here, base, live_label("Cold", "red")) == {"label:Nurture": Origin.CHANGE}


def test_drift_of_one_field_does_not_taint_a_change_of_another() -> None:
    base, here = account(lead("a", title="A", owner=1)), account(lead("a", title="Ours", owner=2))
    assert origins(here, base, live_lead("a", title="Ours", owner=1)) == {"lead:a": Origin.CHANGE}


def test_a_lost_object_is_added_again_with_another_colour() -> None:
    assert origins(account(label("Hot", "green")), account(label("Hot", "red"))) == {"label:Hot": Origin.BOTH}


def test_deletes_are_attributed() -> None:
    old = live_label("Old")
    absent = account(label("Old", present=False))
    assert origins(absent, absent, old) == {"label:Old": Origin.DRIFT}
    assert origins(absent, account(), old) == {"label:Old": Origin.CHANGE}
    assert origins(absent, account(label("Old", "blue")), old) == {"label:Old": Origin.BOTH}
    # Pruned here for it is no longer declared, pruned there for people made it.
    assert origins(account(labels="all"), account(label("Old"), labels="all"), old) == {"label:Old": Origin.CHANGE}
    assert origins(account(labels="all"), account(labels="all"), old) == {"label:Old": Origin.DRIFT}


def test_a_delete_that_moves_leads_elsewhere_is_both() -> None:
    live = (live_label("Old"), live_label("Hot"), live_label("Cold"))

    def retiring(into: str, *others: Desired) -> Account:
        return account(replace(label("Old", present=False), moves_to=Ref("label", into)), *others)

    here = retiring("Hot", label("Hot"), label("Cold"))
    assert origins(here, retiring("Cold", label("Hot"), label("Cold")), *live) == {"label:Old": Origin.BOTH}
    assert origins(here, account(label("Old", present=False)), *live) == {"label:Old": Origin.BOTH}
    assert origins(here, retiring("hot", label("Hot", key="hot")), *live) == {"label:Old": Origin.DRIFT}


def test_an_object_is_identified_by_its_id_when_its_key_changes() -> None:
    base, here = account(label("Hot")), account(label("Hot", key="hot"))
    assert origins(here, base, live_label("Hot", "orange")) == {"label:hot": Origin.DRIFT}


def test_a_label_and_a_lead_with_one_id_are_two_objects() -> None:
    live = (live_label("Hot", "orange", remote_id="1"), live_lead("a", remote_id="1", title="a"))
    base = account(leads="owned")
    assert origins(account(label("Hot")), base, *live) == {"label:Hot": Origin.CHANGE}


def test_references_are_compared_by_id_when_keys_change() -> None:
    live = (live_label("Hot"), live_lead("a", title="a"))
    base = account(label("Hot"), lead("a", labels=refs("Hot")))
    here = account(label("Hot", key="hot"), lead("a", labels=refs("hot")))
    assert origins(here, base, *live) == {"lead:a": Origin.DRIFT}
    other = account(label("Hot"), label("Cold"), lead("a", labels=refs("Cold")))
    assert origins(here, other, *live, live_label("Cold")) == {"lead:a": Origin.BOTH}


def test_attribution_does_not_change_the_fingerprint() -> None:
    plan: AccountPlan = planned(account(label("Hot")), live_label("Hot", "orange"))
    assert fingerprint(with_origins(plan, plan)) == fingerprint(with_origins(plan, None)) == fingerprint(plan)
