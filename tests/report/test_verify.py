"""A stored report is believed only as leadstate wrote it: what follows from its changes is derived again."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from leadstate.model.diagnostics import ReportError
from leadstate.report.document import Cost, Remaining, Requests, Scope, Touch, Untouched
from leadstate.report.formats.json import to_json
from leadstate.report.verify import read_stored
from tests.harness.reports import account, change, diagnostic, many, report

PLAN = report(
    account(
        "emea",
        change("+", "emea/label:Hot", ("color", None, "red")),
        change("-", "emea/label:Old", ("color", "pink", None)),
        change(
            "~", "emea/lead:seed", ("value", {"amount": "0.5", "currency": "EUR"}, {"amount": 2, "currency": "EUR"})
        ),
        origin="https://emea.pipedrive.com",
        company_id=7041,
        untouched=(Untouched(address=None, kind="label", reason="unmanaged", count=3),),
    )
)


def written(plan: Any) -> str:
    return "".join(to_json(plan))


def test_what_was_written_is_read() -> None:
    assert read_stored(written(PLAN)) == PLAN
    assert read_stored(written(many(changes=40, accounts=3))) == many(changes=40, accounts=3)


def test_a_receipt_whose_account_had_an_error_when_it_was_read_again_is_read() -> None:
    error = diagnostic("error", "ambiguous", "2 leads carry its marker")
    again = Remaining(add=0, update=0, delete=0, errors=(error,))
    receipt = replace(PLAN, command="apply", accounts=(replace(PLAN.accounts[0], remaining=again),))
    assert read_stored(written(receipt)) == receipt


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (
            lambda plan: replace(plan, accounts=(replace(plan.accounts[0], changes=plan.accounts[0].changes[:1]),)),
            "emea",
        ),
        (lambda plan: replace(plan, accounts=()), "not that of its accounts"),
        (lambda plan: replace(plan, accounts=plan.accounts * 2), "in it twice"),
        (lambda plan: replace(plan, accounts=(replace(plan.accounts[0], origin="https://evil.test"),)), "emea"),
        (lambda plan: replace(plan, accounts=(replace(plan.accounts[0], company_id=None),)), "emea"),
        (lambda plan: replace(plan, accounts=(replace(plan.accounts[0], company=""),)), "not the host of emea"),
        (lambda _: report(account("emea", origin="http://[::1")), "not the host of emea"),
        (lambda plan: replace(plan, summary=replace(plan.summary, delete=0)), "summary does not count its changes"),
        (
            lambda plan: replace(plan, summary=replace(plan.summary, add=2, update=0)),
            "summary does not count its changes",
        ),
        (lambda plan: replace(plan, summary=replace(plan.summary, untouched=2)), "does not count what is untouched"),
        (lambda plan: replace(plan, cost=Cost(apply=Requests(requests=1, tokens=2))), "forecast"),
        (lambda plan: replace(plan, complete=False), "can be applied"),
        (lambda plan: replace(plan, diagnostics=(diagnostic("guard", "in-use", "refused"),)), "can be applied"),
        (lambda plan: replace(plan, scope=Scope(shard="0/0")), "0/0"),
    ],
)
def test_a_report_that_contradicts_its_changes_is_refused(edit: Callable[[Any], Any], says: str) -> None:
    with pytest.raises(ReportError, match=says):
        read_stored(written(edit(PLAN)))


@pytest.mark.parametrize("field", ["address", "action", "reason", "remote_id", "marker", "moves_to"])
def test_every_part_of_a_change_is_in_the_fingerprint(field: str) -> None:
    (emea,) = PLAN.accounts
    first, *others = emea.changes
    other: dict[str, Any] = {field: "emea/label:Other" if field == "address" else "delete"}
    edited = replace(first, **other)
    with pytest.raises(ReportError, match="fingerprint of emea"):
        read_stored(written(replace(PLAN, accounts=(replace(emea, changes=(edited, *others)),))))


@pytest.mark.parametrize("field", [("title", None, "red"), ("color", "red", "red"), ("color", None, None)])
def test_every_part_of_a_field_is_in_the_fingerprint(field: tuple[str, Any, Any]) -> None:
    (emea,) = PLAN.accounts
    _, *others = emea.changes
    edited = change("+", "emea/label:Hot", field)
    with pytest.raises(ReportError, match="fingerprint of emea"):
        read_stored(written(replace(PLAN, accounts=(replace(emea, changes=(edited, *others)),))))


@pytest.mark.parametrize(
    "changed",
    [
        change("+", "emea/deal:Hot", ("color", None, "red")),
        change("+", "us/label:Hot", ("color", None, "red")),
        change("+", "Hot", ("color", None, "red")),
    ],
)
def test_an_address_of_another_account_or_kind_is_refused(changed: Any) -> None:
    with pytest.raises(ReportError, match=r"is not a (label of|kind)|kind: string should match"):
        read_stored(written(report(account("emea", changed))))


def _paths(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    steps = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path, *(found for key, inner in steps for found in _paths(inner, (*path, key)))]


ODD: tuple[Any, ...] = ("edited", 77, None, True, [], {}, math.inf)


HOSTILE = ["x\x1b[31m", "a\u202eb", "a\n::error::x", "::add-mask::x", "##[error]x", "a\uffff", ""]


@pytest.mark.parametrize("word", HOSTILE)
def test_a_code_reason_or_kind_that_is_no_word_is_refused(word: str) -> None:
    left = Untouched(address=None, kind="label", reason="unmanaged")
    touch = Touch(kind=word)
    for forged in (
        report(diagnostics=(diagnostic("warning", word, "text"),)),
        report(account("emea", change("-", "emea/label:Hot", reason=word))),
        report(account("emea", untouched=(replace(left, reason=word),))),
        report(account("emea", untouched=(replace(left, kind=word),))),
        report(account("emea", touched=(touch,))),
    ):
        with pytest.raises(ReportError, match="string should match"):
            read_stored(written(forged))


def test_an_edited_value_is_refused() -> None:
    """Nor what nothing follows from: places, impact, messages."""
    text = written(PLAN)
    for path in _paths(json.loads(text))[1:]:
        edited = json.loads(text)
        node = edited
        for step in path[:-1]:
            node = node[step]
        for value in ODD:
            node[path[-1]] = value
            assert _is_refused(json.dumps(edited)), (path, value)


def _is_refused(text: str) -> bool:
    """Whether a text is refused, or says nothing else than what was written."""
    try:
        return read_stored(text) == PLAN
    except ReportError:
        return True


def test_a_report_without_a_digest_is_refused() -> None:
    edited = json.loads(written(PLAN))
    del edited["digest"]
    with pytest.raises(ReportError, match="digest"):
        read_stored(json.dumps(edited))
