"""What the proofs have found, one small case each."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx
import pytest

from leadstate.model.address import Target
from leadstate.model.plan import Status
from leadstate.model.resource import Money, Observed
from leadstate.pipedrive.pagination import SHIFTS
from leadstate.reconcile.planner import plan_account
from tests.harness.builders import ORDER, label, lead, live_label, live_lead, refs
from tests.harness.disturbed_company import TOKEN, Spoil, company, leaks, plan_and_apply
from tests.harness.faults import Fault, FaultKind
from tests.harness.plan_cases import LABELS, LEADS, Case, account
from tests.harness.plan_cases import live_lead as seeded_lead


def answering(number: int, reply: Callable[[Any], httpx.Response]) -> Spoil:
    """Put another answer in the place of one; it is given the JSON of the real one."""
    return lambda n, _request, real: reply(json.loads(real.content)) if n == number else real


def test_archiving_with_a_lost_answer_succeeds() -> None:
    sandbox = LEADS.sandbox()
    run = plan_and_apply(
        sandbox, LEADS.account, *(Fault(FaultKind.LOST, operation="updateLead", at=k) for k in range(1, 20, 2))
    )
    assert run.statuses == {Status.APPLIED}


def test_archiving_that_is_refused_fails() -> None:
    case = Case("one", company([], [seeded_lead(1, "ns:a", title="a")]), account(lead("a", archived=True)))

    def spoil(_: int, request: httpx.Request, real: httpx.Response) -> httpx.Response:
        return httpx.Response(400, json={"success": False}) if request.method == "PATCH" else real

    run = plan_and_apply(case.sandbox(), case.account, Fault(FaultKind.HTML, operation="updateLead"), spoil=spoil)
    assert run.status("lead:a") is Status.FAILED


@pytest.mark.parametrize(
    "reply",
    [
        lambda _: httpx.Response(403, html="<h1>blocked</h1>"),
        lambda _: httpx.Response(401, json={"success": False, "error": "unauthorized access"}),
        lambda _: httpx.Response(429, json={"success": False, "error": "daily budget"}),
    ],
    ids=["shield", "token", "budget"],
)
def test_nothing_is_sent_after_a_fatal_answer(reply: Callable[[Any], httpx.Response]) -> None:
    calm = plan_and_apply(LEADS.sandbox(), LEADS.account)
    for k in range(1, len(calm.steps) + 1):
        run = plan_and_apply(LEADS.sandbox(), LEADS.account, spoil=answering(k, reply))
        assert [step.path for step in run.steps if step.begun >= k] == []


def test_a_target_includes_all_its_dependencies() -> None:
    declared = account(label("Old", present=False), label("New"), lead("a", labels=refs("New")))
    live = [live_label("Old"), live_lead("a", labels=["id-Old"])]
    observed = Observed({kind: [row for row in live if row.kind == kind] for kind in ORDER})
    plan = plan_account(declared, observed, ORDER, [Target.parse("label:Old", ORDER)])
    assert [str(change.address.ref) for change in plan.changes] == ["label:New", "label:Old", "lead:a"]


@pytest.mark.parametrize("amount", ["1e5000", "-1e999998", "9e99", "0e999999", "1e-999"])
def test_an_amount_out_of_bounds_is_a_bad_answer(amount: str) -> None:
    case = Case(
        "one",
        company([], [seeded_lead(1, "ns:a", title="a", value={"amount": 1, "currency": "EUR"})]),
        account(lead("a", value=Money(Decimal(12), "EUR"))),
    )

    def spoil(_: int, __: httpx.Request, real: httpx.Response) -> httpx.Response:
        return httpx.Response(200, content=real.content.replace(b'"amount":1,', f'"amount":{amount},'.encode()))

    run = plan_and_apply(case.sandbox(), case.account, spoil=spoil, apply=False)
    assert [diagnostic.code for diagnostic in run.plan.diagnostics] == ["bad-answer"]
    assert not run.plan.complete


def test_a_token_in_an_error_body_is_not_shown() -> None:
    for k in (1, 3):
        spoil = answering(k, lambda _: httpx.Response(400, json={"success": False, "error": f"bad token {TOKEN}!"}))
        run = plan_and_apply(LABELS.sandbox(), LABELS.account, spoil=spoil)
        assert "bad token" in run.output
        assert not leaks(run)


def test_an_error_with_invalid_unicode_is_reported() -> None:
    error = b'{"success": false, "error": "\\ud800 \\u0000 \\u202e"}'
    for k in (1, 3):
        run = plan_and_apply(
            LABELS.sandbox(), LABELS.account, spoil=answering(k, lambda _: httpx.Response(400, content=error))
        )
        assert "400" in run.output


@pytest.mark.parametrize("digits", [10, 5_000])
def test_a_budget_header_of_many_digits_is_accepted(digits: int) -> None:
    headers = {"x-daily-ratelimit-token-remaining": "9" * digits, "x-daily-ratelimit-token-limit": "9" * digits}

    def spoil(_: int, __: httpx.Request, real: httpx.Response) -> httpx.Response:
        return httpx.Response(200, content=real.content, headers=headers)

    assert plan_and_apply(LABELS.sandbox(), LABELS.account, spoil=spoil, apply=False).plan.complete


def test_a_listing_that_repeats_itself_is_incomplete() -> None:
    row = {"id": "x", "title": "y"}
    more = {"pagination": {"start": 0, "limit": 2, "more_items_in_collection": True}}
    endless = httpx.Response(200, json={"success": True, "data": [row, row], "additional_data": more})

    def spoil(_: int, request: httpx.Request, real: httpx.Response) -> httpx.Response:
        return endless if request.url.path.endswith("/leads") else real

    run = plan_and_apply(LEADS.sandbox(), LEADS.account, spoil=spoil)
    assert [diagnostic.code for diagnostic in run.plan.diagnostics] == ["incomplete-listing"]
    assert len(run.steps) == 1 + SHIFTS
