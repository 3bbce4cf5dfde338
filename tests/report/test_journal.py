"""The journal beside a receipt: what an edited one is worth."""

import json
from dataclasses import replace
from typing import Any

import pytest

from leadstate.model.diagnostics import ReportError
from leadstate.report.document import Account, Change, Report, Result, Summary, Touch
from leadstate.report.journal import Chain, Entry, with_journal, without_repeated
from tests.harness.reports import change

RECEIPT = Report(
    leadstate_version="1",
    command="apply",
    fingerprint="sha256:1",
    summary=Summary(add=0, update=0, delete=0, unchanged=0, untouched=0),
    accounts=(Account(account="emea", company="acme", touched=()),),
)
TOUCHES = [
    Touch(kind="label", remote_id=f"id-{number}", before={"name": "Hot"}, after={"name": "Warm"}, custom={"x": 0.5})
    for number in range(3)
]


def lines() -> list[bytes]:
    chain = Chain(RECEIPT)
    writes = [Entry(account="emea", number=number, touch=touch) for number, touch in enumerate(TOUCHES)]
    end = Entry(account="emea", address="emea/label:Hot", result=Result(status="applied"))
    return [chain.line(entry) for entry in (*writes, end)]


def test_a_truncated_journal_is_read_as_far_as_it_goes() -> None:
    for count in range(4):
        whole = with_journal(RECEIPT, lines()[:count])
        assert whole.accounts[0].touched == tuple(TOUCHES[:count])
    cut = [*lines()[:2], lines()[2][:-1]]
    assert with_journal(RECEIPT, cut).accounts[0].touched == tuple(TOUCHES[:2])


def test_members_of_a_later_version_are_ignored() -> None:
    chain = Chain(RECEIPT)
    written = [{**json.loads(line), "new": {"b": 1, "a": 2}} for line in lines()]
    assert with_journal(RECEIPT, map(chain.seal, written)) == with_journal(RECEIPT, lines())


@pytest.mark.parametrize(
    "edited",
    [
        lines()[1:],
        [lines()[0], lines()[2]],
        [lines()[1], lines()[0]],
        [lines()[0], lines()[0]],
        [lines()[0].replace(b"Hot", b"VIP")],
        [lines()[0].replace(b"digest", b"x")],
        [b"null\n"],
        [b"\xff\n"],
    ],
    ids=["first dropped", "one dropped", "swapped", "twice", "another value", "no digest", "null", "no text"],
)
def test_an_edited_journal_is_refused(edited: list[bytes]) -> None:
    with pytest.raises(ReportError, match="journal"):
        with_journal(RECEIPT, edited)


def test_a_run_that_was_killed_has_declined_what_was_declined_before_it() -> None:
    def add(key: str, **more: Any) -> Change:
        return change("+", f"emea/label:{key}", **more)

    declined = Result(status="declined", detail="not chosen")
    (emea,) = RECEIPT.accounts
    begun = replace(RECEIPT, accounts=(replace(emea, changes=(add("Hot"), add("VIP", result=declined), add("Warm"))),))
    (whole,) = with_journal(begun, lines()).accounts
    assert [each.result and each.result.status for each in whole.changes] == ["applied", "declined", "skipped"]


@pytest.mark.parametrize(
    ("made", "of", "words"),
    [(0, 1, "0 of 1 change was made"), (1, 2, "1 of 2 changes was made"), (2, 2, "2 of 2 changes were made")],
)
def test_an_unfinished_run_counts_the_changes_that_it_made(made: int, of: int, words: str) -> None:
    done = [Result(status="applied")] * made + [None] * (of - made)
    changes = tuple(change("+", f"emea/label:{number}", result=result) for number, result in enumerate(done))
    begun = replace(RECEIPT, accounts=(replace(RECEIPT.accounts[0], changes=changes),))
    assert with_journal(begun, []).diagnostics[0].summary.endswith(words)


def test_the_journal_of_another_receipt_is_refused() -> None:
    with pytest.raises(ReportError, match="line 1"):
        with_journal(replace(RECEIPT, fingerprint="sha256:2"), lines())


def run(*touched: Touch) -> Report:
    return replace(RECEIPT, accounts=(replace(RECEIPT.accounts[0], touched=touched),))


def made(remote_id: str | None, *, answered: bool) -> Touch:
    return Touch(kind="label", remote_id=remote_id, key="New", before=None, after={"name": "New"}, answered=answered)


@pytest.mark.parametrize(
    ("unanswered", "later"),
    [
        (made(None, answered=False), made("id-9", answered=True)),
        (TOUCHES[0], replace(TOUCHES[0], answered=True)),
        (replace(TOUCHES[0], after=None), replace(TOUCHES[0], after=None, answered=True)),
    ],
    ids=["created", "changed", "deleted"],
)
def test_an_unanswered_write_that_a_later_run_made_belongs_to_that_run(unanswered: Touch, later: Touch) -> None:
    assert without_repeated(run(unanswered), [run(later)]).accounts[0].touched == ()
    assert without_repeated(run(unanswered), [run(replace(later, answered=False))]) == run(unanswered)
    answered = replace(unanswered, answered=True)
    assert without_repeated(run(answered), [run(later)]) == run(answered)


def test_a_later_run_with_other_writes_changes_nothing() -> None:
    other = Touch(kind="label", remote_id="id-0", before={"name": "Warm"}, after={"name": "Hot"}, answered=True)
    assert without_repeated(run(TOUCHES[0]), [run(other)]) == run(TOUCHES[0])


def test_a_lead_that_loses_another_label_by_a_later_delete_has_lost_both() -> None:
    cold, warm = (
        Touch(kind="lead", remote_id="id-0", before={"labels": [label]}, after={"labels": []})
        for label in ("cold", "warm")
    )
    assert without_repeated(run(cold), [run(replace(warm, answered=True))]) == run(cold)
    assert without_repeated(run(cold), [run(replace(cold, answered=True))]).accounts[0].touched == ()
