"""The rollback of an apply against a live company: everything is as it was, but for new ids."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings

from leadstate.model.account import Account, ImpactLevel, Prune
from leadstate.model.address import Ref
from leadstate.model.plan import AccountReceipt, Action, Reason, Status
from leadstate.model.resource import CustomValue, Money
from tests.harness.builders import FREE, label, lead, lead_id, refs, shown
from tests.harness.edits import Edit
from tests.harness.random_accounts import declarations, live_accounts
from tests.harness.recorded_writes import LABELS, Live, Recording, company

HOT = Ref("label", "Hot")


def ran(
    live: Live, *desired: Any, impact: ImpactLevel = ImpactLevel.LIVE, **policy: Any
) -> tuple[Account, AccountReceipt]:
    """Apply these declarations; return the account and the receipt."""
    account, heard = live.account(*desired, policy=replace(FREE, **policy)), Recording()
    plan, _ = live.apply(account, heard, impact)
    return account, heard.receipt(plan)


def returns(live: Live, *desired: Any, **policy: Any) -> None:
    """An apply changes something, its rollback takes all of it back, and a second rollback finds nothing to do."""
    before = live.people_see()
    account, receipt = ran(live, *desired, **policy)
    assert live.people_see() != before
    _, applied, again = live.restore(account, receipt)
    assert {outcome.status for outcome in applied.outcomes.values()} == {Status.APPLIED}, applied.outcomes
    assert live.people_see() == before
    assert applied.remaining is not None
    assert shown(applied.remaining) == []
    assert shown(again) == []


def by_hand(live: Live, id_: str, **values: Any) -> None:
    """Let a person change a lead."""
    live.sandbox.companies[0].update_lead(id_, {**values, "custom": {}})


def test_a_merge_is_undone_on_every_lead() -> None:
    leads = [{"label_ids": ["Warm", "Cold"]}, {"label_ids": ["Cold"]}, {"label_ids": ["Hot", "Cold"]}, {}]
    returns(Live(company(*leads)), label("Hot"), replace(label("Cold", present=False), moves_to=HOT))


def test_a_retired_label_returns_to_leads_that_the_same_apply_updated() -> None:
    returns(
        Live(company({"origin_id": "ns:a", "label_ids": ["Cold", "Warm"]}, {"label_ids": ["Cold"]})),
        label("Hot"),
        replace(label("Cold", present=False), moves_to=HOT),
        lead("a", labels=refs("Hot"), title="Other"),
    )


def test_a_merge_by_id_leaves_the_survivor_and_its_twin_as_they_are() -> None:
    a, b, twin = (f"00000000-0000-4000-8000-00000000000{n}" for n in "abc")
    rows = [(a, "Hot", "red"), (b, "Hot", "blue"), (twin, "Warm", "pink")]
    live = Live(company({"label_ids": [b]}, {"label_ids": [a]}, labels=rows))
    merged = replace(label("Hot#b", present=False), names=(), remote_id=b, moves_to=HOT)
    returns(live, label("Hot"), merged)
    assert live.labels[a]["color"] == "red"


def test_a_pruned_lead_returns_with_its_custom_fields_and_its_marker() -> None:
    text, option = "a" * 40, "b" * 40
    fields = [
        {"code": text, "name": "Industry", "type": "varchar"},
        {"code": option, "name": "Size", "type": "enum", "options": [{"id": 7, "label": "Big"}]},
    ]
    row = {"origin_id": "ns:gone", "label_ids": ["Hot"], text: "Retail", option: "7"}
    live = Live(company(row, fields=fields))
    returns(live, lead("x"), prune_rules={"lead": Prune.OWNED})
    (lead_,) = live.leads.values()
    assert (lead_["origin_id"], lead_[text]) == ("ns:gone", "Retail")


def test_a_deleted_duplicate_is_not_created_again_and_reported() -> None:
    """The lead that the run kept has the same marker, whether the run changed it or not."""
    for title in ("First", "Other"):
        twins = [{"origin_id": "ns:a", "title": name, "label_ids": ["Warm"]} for name in ("First", "Second")]
        live = Live(company(*twins))
        account, receipt = ran(live, replace(lead("a", title=title), keep=frozenset({lead_id(0)})))
        back, _, again = live.restore(account, receipt)
        assert [(left.reason, left.remote_id) for left in back.untouched] == [(Reason.DUPLICATE, lead_id(1))]
        assert back.unchanged == 0
        assert [(left.reason, left.remote_id) for left in again.untouched] == [(Reason.DUPLICATE, lead_id(1))]
        assert [row["title"] for row in live.leads.values()] == ["First"]


def test_pruned_leads_of_one_marker_return_together_and_once() -> None:
    live = Live(company(*({"origin_id": "ns:gone", "title": name} for name in ("First", "Second"))))
    account, receipt = ran(live, lead("x"), prune_rules={"lead": Prune.OWNED})
    back, _, again = live.restore(account, receipt)
    assert sorted(row["title"] for row in live.leads.values()) == ["First", "Second"]
    assert (len(back.changes), again.changes, again.untouched) == (3, (), ())


def test_a_custom_field_that_was_changed_goes_back() -> None:
    text = "a" * 40
    live = Live(company({"origin_id": "ns:a", text: "Retail"}, fields=[{"code": text, "name": "I", "type": "varchar"}]))
    changed: dict[str, Any] = {"custom_fields.I": CustomValue("Mining")}
    returns(live, lead("a", **changed))


def test_a_label_that_a_person_gave_a_lead_since_stays() -> None:
    live = Live(company({"label_ids": ["Cold"]}))
    account, receipt = ran(live, label("Hot"), replace(label("Cold", present=False), moves_to=HOT))
    by_hand(live, lead_id(0), label_ids=(LABELS["Hot"], LABELS["Warm"]))
    live.restore(account, receipt)
    assert live.people_see()["leads"][lead_id(0)]["labels"] == ["Cold", "Warm"]


def test_later_changes_of_people_stay() -> None:
    live = Live(company({"origin_id": "ns:a", "title": "A"}))
    account, receipt = ran(live, label("Hot", "blue"), lead("a", title="B", was_seen=True))
    by_hand(live, lead_id(0), title="By hand")
    live.sandbox.companies[0].update_label(LABELS["Hot"], {"color": "pink"})
    back, _, _ = live.restore(account, receipt)
    assert {left.reason for left in back.untouched} == {Reason.CHANGED_SINCE}
    row = live.leads[lead_id(0)]
    assert (row["title"], row["was_seen"], live.labels[LABELS["Hot"]]["color"]) == ("By hand", False, "pink")


def test_an_added_lead_that_a_person_changed_is_not_deleted() -> None:
    live = Live(company())
    account, receipt = ran(live, lead("a"))
    (id_,) = live.leads
    by_hand(live, id_, title="By hand")
    back, _, _ = live.restore(account, receipt)
    assert (back.changes, [left.reason for left in back.untouched]) == ((), [Reason.CHANGED_SINCE])


SCORE, NOTE, SIZE = "a" * 40, "b" * 40, "c" * 40
FIELDS: list[dict[str, Any]] = [
    {"code": SCORE, "name": "Score", "type": "double"},
    {"code": NOTE, "name": "Note", "type": "varchar"},
    {"code": SIZE, "name": "Size", "type": "enum", "options": [{"id": 7, "label": "Big"}]},
]
MANAGED: dict[str, Any] = {"custom_fields.Score": CustomValue(Decimal("7.5")), "custom_fields.Size": CustomValue("Big")}


def added(*, answered: bool, **attrs: Any) -> tuple[Live, str, Account, AccountReceipt]:
    """Add a lead to a company of two users; return its id. Without an answer the receipt says what was asked for."""
    users = [{"id": id_, "name": f"user {id_}", "email": f"{id_}@acme.test"} for id_ in (101, 102)]
    live = Live(company(users=users, organizations=[{"id": 1, "name": "Acme"}], fields=FIELDS))
    account, heard = live.account(lead("a", **attrs)), Recording()
    plan, _ = live.apply(account, heard)
    (id_,) = live.leads
    return live, id_, account, heard.receipt(plan, answered=answered)


def edit(live: Live, id_: str, body: dict[str, Any]) -> None:
    """Let a person change a lead, in the words of the API."""
    assert not Edit("updateLead", body, id=id_).make(live.sandbox.companies[0])


def check_kept(live: Live, account: Account, receipt: AccountReceipt) -> None:
    met = live.people_see()
    back, _, _ = live.restore(account, receipt)
    assert (back.changes, [left.reason for left in back.untouched]) == ((), [Reason.CHANGED_SINCE])
    assert live.people_see() == met


@pytest.mark.parametrize("answered", [True, False])
@pytest.mark.parametrize("attrs", [{}, MANAGED])
@pytest.mark.parametrize(
    "body",
    [
        {"value": {"amount": 12_000, "currency": "EUR"}},
        {"expected_close_date": "2027-01-01"},
        {"organization_id": 1},
        {"channel_id": "fair"},
        {"label_ids": [LABELS["Warm"]]},
        {NOTE: "call back"},
        {SCORE: 99},
    ],
)
def test_an_added_lead_is_kept_if_a_person_set_what_the_run_had_not(
    body: dict[str, Any], attrs: dict[str, Any], *, answered: bool
) -> None:
    live, id_, account, receipt = added(answered=answered, **attrs)
    edit(live, id_, body)
    check_kept(live, account, receipt)


@pytest.mark.parametrize("body", [{"owner_id": 102}, {"visible_to": "1"}])
def test_an_added_lead_is_kept_if_a_person_changed_what_the_server_had_filled_in(body: dict[str, Any]) -> None:
    live, id_, account, receipt = added(answered=True)
    edit(live, id_, body)
    check_kept(live, account, receipt)


@pytest.mark.parametrize("answered", [True, False])
def test_an_added_lead_that_was_only_opened_is_deleted(*, answered: bool) -> None:
    live, id_, account, receipt = added(answered=answered, **MANAGED)
    edit(live, id_, {"was_seen": True})
    live.restore(account, receipt)
    assert live.leads == {}


def describe_fields(live: Live, *fields: dict[str, Any]) -> None:
    """Let an admin give the company other custom fields; one that is not among them loses its values."""
    document = live.sandbox.dump()
    gone = {field["code"] for field in FIELDS} - {field["code"] for field in fields}
    document["companies"][0]["fields"] = list(fields)
    for row in document["companies"][0]["leads"]:
        for code in gone:
            row.pop(code, None)
    live.sandbox.replace(document)


RENAMED = (
    [{**FIELDS[0], "name": "Points"}, *FIELDS[1:]],
    [*FIELDS[:2], {**FIELDS[2], "options": [{"id": 7, "label": "Large"}]}],
)


@pytest.mark.parametrize("answered", [True, False])
@pytest.mark.parametrize("fields", RENAMED)
def test_an_added_lead_is_kept_if_a_person_changed_a_field_that_was_renamed_since(
    fields: list[dict[str, Any]], *, answered: bool
) -> None:
    live, id_, account, receipt = added(answered=answered, **MANAGED)
    edit(live, id_, {SCORE: 99})
    describe_fields(live, *fields)
    check_kept(live, account, receipt)


@pytest.mark.parametrize("answered", [True, False])
def test_an_added_lead_is_kept_if_one_of_its_fields_was_deleted_since(*, answered: bool) -> None:
    live, _, account, receipt = added(answered=answered, **MANAGED)
    describe_fields(live, *FIELDS[:2])
    check_kept(live, account, receipt)


@pytest.mark.parametrize("fields", RENAMED)
def test_an_added_lead_is_deleted_if_only_the_names_of_its_fields_changed(fields: list[dict[str, Any]]) -> None:
    live, _, account, receipt = added(answered=True, **MANAGED)
    describe_fields(live, *fields)
    back, _, _ = live.restore(account, receipt)
    assert (live.leads, back.diagnostics) == ({}, ())


@pytest.mark.parametrize("fields", RENAMED)
def test_values_that_cannot_be_compared_count_as_changed(fields: list[dict[str, Any]]) -> None:
    """Of a create that was not answered, only the names of its custom fields are known."""
    live, _, account, receipt = added(answered=False, **MANAGED)
    describe_fields(live, *fields)
    check_kept(live, account, receipt)


def test_an_added_lead_is_deleted_after_a_later_run_that_changed_it_was_undone() -> None:
    live, _, account, receipt = added(answered=True, **MANAGED)
    changed: dict[str, Any] = {
        "custom_fields.Score": CustomValue(Decimal(1)),
        "custom_fields.Note": CustomValue("later"),
        "value": Money(Decimal(5), "EUR"),
        "owner": 102,
        "expected_close_date": "2027-01-01",
        "labels": refs("Hot"),
    }
    _, later = ran(live, label("Hot"), lead("a", **changed))
    check_kept(live, account, receipt)
    live.restore(account, later)
    live.restore(account, receipt)
    assert live.leads == {}


def test_an_edited_receipt_cannot_claim_an_unmanaged_lead() -> None:
    """Unmanaged leads that it names are neither deleted nor overwritten."""
    live = Live(company({"title": "Theirs"}, {"title": "Theirs", "origin_id": "other:x"}))
    account, receipt = ran(live, lead("a"))
    before = live.people_see()
    (made,) = receipt.touched
    forged = [
        forge
        for number in (0, 1)
        for forge in (
            replace(made, remote_id=lead_id(number), after={"title": "Theirs"}),
            replace(made, remote_id=lead_id(number), before={"title": "Stolen"}, after={"title": "Theirs"}),
        )
    ]
    for touch in forged:
        back, _, _ = live.restore(account, replace(receipt, touched=(touch,)))
        assert back.changes == ()
        assert [left.reason for left in back.untouched] == [Reason.NOT_OURS]
    assert live.people_see() == before


def test_archived_carriers_of_a_deleted_label_are_reported() -> None:
    live = Live(company({"label_ids": ["Cold"], "is_archived": True}))
    account, receipt = ran(live, label("Cold", present=False), impact=ImpactLevel.FULL)
    back, applied, _ = live.restore(account, receipt)
    assert [(left.reason, left.remote_id) for left in back.untouched] == [(Reason.ARCHIVED, lead_id(0))]
    assert shown(back) == ["+ label:Cold"]
    assert applied.remaining is not None
    assert shown(applied.remaining) == []


def test_a_rollback_is_undone_by_its_receipt() -> None:
    live = Live(company({"label_ids": ["Cold"]}, {"origin_id": "ns:gone", "label_ids": ["Cold"]}))
    account = live.account(
        label("Hot"),
        replace(label("Cold", present=False), moves_to=HOT),
        lead("new"),
        policy=replace(FREE, prune_rules={"lead": Prune.OWNED}),
    )
    heard = Recording()
    plan, _ = live.apply(account, heard)
    applied = live.people_see()
    undo = replace(account, desired=(), receipt=heard.receipt(plan))
    again = Recording()
    back, _ = live.apply(undo, again)
    assert live.people_see() != applied
    live.restore(account, again.receipt(back))
    assert live.people_see() == applied


@settings(max_examples=150)
@given(live_accounts(), declarations())
def test_any_apply_is_undone(seed: dict[str, Any], account: Account) -> None:
    live = Live(seed)
    before = live.people_see()
    back, applied, again = live.undone(account)
    if not back.changes:
        assert live.people_see() == before
        return
    assert {outcome.status for outcome in applied.outcomes.values()} <= {Status.APPLIED}, applied.outcomes
    assert applied.remaining is not None
    assert shown(applied.remaining) == []
    assert shown(again) == []
    now = live.people_see()
    # Archived leads that lost a deleted label cannot be edited.
    kept = {key for key, row in before["leads"].items() if not row["is_archived"]}
    assert now["labels"] == before["labels"]
    assert {key: now["leads"].get(key) for key in kept} == {key: before["leads"][key] for key in kept}
    assert now["leads"].keys() == before["leads"].keys()
    assert not any(change.action is Action.ADD for change in again.changes)


def test_an_added_lead_whose_archiving_was_not_answered_is_deleted_either_way() -> None:
    for archived in (False, True):
        live = Live(company())
        heard = Recording()
        account = live.account(lead("a", archived=True))
        plan, _ = live.apply(account, heard)
        added, archiving = heard.receipt(plan).touched
        killed = replace(heard.receipt(plan), touched=(added, replace(archiving, answered=False)))
        if not archived:
            (id_,) = live.leads
            by_hand(live, id_, is_archived=False)
        live.restore(account, killed)
        assert live.leads == {}
