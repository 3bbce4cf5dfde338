"""Only what has changed since: a hint, which never makes a lead and says when it will not do."""

from dataclasses import replace
from datetime import timedelta

import pytest

from leadstate.core.policy import Prune
from leadstate.core.resource import Desired
from leadstate.engine.delta import OLDEST, OVERLAP, Snapshot
from leadstate.pipedrive.pages import AHEAD
from tests.builders import label, lead, shown
from tests.engine.reading import BEGIN, LABEL_ID, Company, Kept, lead_id, refused, words

COUNT = 20
DELTA = {"leadLabels": 1, "leads?updated_since": 1}


def declared(count: int = COUNT) -> list[Desired]:
    return [label("Hot"), *(replace(lead(f"k{number}"), leave_gone=True) for number in range(count))]


def begun(ours: int = COUNT, pages: int = 9) -> tuple[Company, Kept]:
    """A company of which everything was read, two hours ago."""
    company, kept = Company(ours, others=5, pages=pages), Kept()
    plan = company.plan(company.account(*declared(ours)), memory=kept)
    assert refused(plan) == "nothing is kept"
    company.later(hours=2)
    return company, kept


def snapshot(kept: Kept) -> Snapshot:
    assert isinstance(kept.snapshot, Snapshot)
    return kept.snapshot


def test_what_people_changed_is_seen_and_what_they_did_before_is_not_asked_for_again() -> None:
    company, kept = begun()
    account = company.account(*declared())
    company.update(3, title="drifted")
    company.update(COUNT + 1, title="a stranger's")
    company.later(minutes=20)
    plan = company.plan(account, memory=kept)
    assert shown(plan) == ["~ lead:k3 title"]
    assert company.sent == DELTA
    since = (BEGIN - OVERLAP).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert words(plan) == f"2 leads updated since {since} (20 tokens); everything would take 40"
    assert plan.reading is not None
    assert plan.reading.full == BEGIN
    assert snapshot(kept).full == BEGIN
    assert snapshot(kept).since == company.now

    company.later(hours=3)
    plan = company.plan(account, memory=kept)
    assert shown(plan) == ["~ lead:k3 title"]
    assert "0 leads updated" in words(plan)


def test_an_update_within_the_overlap_is_seen() -> None:
    """The server that took it was behind the one that told the time."""
    company, kept = begun()
    company.now = BEGIN - OVERLAP / 2
    company.update(3, title="drifted")
    company.now = BEGIN + timedelta(hours=1)
    assert shown(company.plan(company.account(*declared()), memory=kept)) == ["~ lead:k3 title"]


def test_a_label_that_leads_lost_is_no_difference() -> None:
    """A label that goes takes itself off its leads, and they do not count as updated."""
    company, kept = begun()
    company.company.delete_label(LABEL_ID)
    wanted = [replace(one, attrs={**one.attrs, "labels": ()}) if one.mark else one for one in declared()]
    assert shown(company.plan(company.account(*wanted), memory=kept)) == ["+ label:Hot"]
    assert company.sent == DELTA


def test_what_was_deleted_since_is_not_seen_until_everything_is_read() -> None:
    company, kept = begun()
    account = company.account(*declared())
    company.company.delete_lead(lead_id(3))
    assert company.plan(account, memory=kept).left_alone == ()
    assert [one.key for one in company.plan(account).left_alone] == ["k3"]


def test_one_that_was_gone_stays_gone() -> None:
    company = Company(COUNT, pages=9)
    company.company.delete_lead(lead_id(3))
    account, kept = company.account(*declared()), Kept()
    company.plan(account, memory=kept)
    plan = company.plan(account, memory=kept)
    assert company.sent == DELTA
    assert [one.key for one in plan.left_alone] == ["k3"]
    assert "lead:k3 is not in what is kept" in refused(
        company.plan(
            company.account(*declared()[:4], replace(lead("k3"), leave_gone=False), *declared()[5:]), memory=kept
        )
    )


def test_nothing_is_created_and_nothing_is_deleted_from_it() -> None:
    company, kept = begun()
    account = company.account(*declared(), replace(lead("new"), leave_gone=True))
    plan = company.plan(account, memory=kept)
    assert shown(plan) == ["+ lead:new"]
    assert refused(plan) == "lead:new is not in what is kept"
    assert company.sent["leads"] == AHEAD, "one page is there, nine were remembered: the price of that, once"
    assert company.lengths["getLeads"] == 1
    account = company.account(*declared())
    pruned = replace(account, policy=replace(account.policy, prune_leads=Prune.OWNED))
    assert "pruned" in refused(company.plan(pruned, memory=kept))
    merged = replace(account, desired=(*account.desired[1:], label("Hot", present=False)))
    assert "a label goes away" in refused(company.plan(merged, memory=kept))


def test_one_that_was_made_again_is_no_second_one() -> None:
    company, kept = begun()
    company.company.delete_lead(lead_id(3))
    company.company.add_lead({"title": "k3", "person_id": 1, "origin_id": "ns:k3", "custom": {}})
    plan = company.plan(company.account(*declared()), memory=kept)
    assert refused(plan) == "lead:k3 is there twice"
    assert plan.changes == ()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"namespace": "other"}, "what is kept is of the namespace 'other'"),
        ({"full": BEGIN - OLDEST}, "all was read last on 2026-11-17, over 7 days ago"),
        ({"since": BEGIN + timedelta(days=2)}, "what is kept is of a later time than the server's"),
    ],
)
def test_what_does_not_fit_is_not_used(change: dict[str, object], why: str) -> None:
    company, kept = begun()
    kept.keep(replace(snapshot(kept), **change))  # type: ignore[arg-type]  # one field of three types
    plan = company.plan(company.account(*declared()), memory=kept)
    assert refused(plan) == why
    assert snapshot(kept).full == company.now, "everything was read, and is kept"


def test_a_server_that_tells_no_time_is_read_in_full_and_nothing_is_kept() -> None:
    company, kept = begun()
    before, company.tells_time = kept.snapshot, False
    assert refused(company.plan(company.account(*declared()), memory=kept)) == "the server does not tell the time"
    assert kept.snapshot is before


def test_everything_is_read_where_that_costs_no_more() -> None:
    company, kept = begun(ours=5)
    plan = company.plan(company.account(*declared(5)), memory=kept)
    assert refused(plan) == "everything takes 10 tokens, and asking for changes 20"
    assert company.sent == {"leadLabels": 1, "leads/{id}": 5}


def test_more_changes_than_everything_are_not_read_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leadstate.pipedrive.client.PAGE", 4)
    company, kept = begun()
    for number in range(COUNT):
        company.update(number, title="drifted")
    plan = company.plan(company.account(*declared()), memory=kept)
    assert company.sent == {"leadLabels": 1, "leads?updated_since": 1, "leads/{id}": COUNT}
    assert refused(plan) == "more has changed than reading everything takes"
    assert len(plan.changes) == COUNT
