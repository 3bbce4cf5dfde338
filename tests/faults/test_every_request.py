"""Whatever happens to whichever request: run again, and the account is as declared, and nothing is there twice."""

from collections.abc import Mapping
from typing import Any

import pytest

from leadstate.model.plan import Status
from leadstate.sandbox import Sandbox
from tests.faults.conftest import Counted
from tests.harness.disturbed_company import (
    LONG,
    State,
    check_nothing_twice,
    check_unmanaged_leads,
    converge,
    image,
    leaks,
    plan_and_apply,
    state,
)
from tests.harness.faults import Fault, FaultKind
from tests.harness.plan_cases import CASES, Case

FAULTS: Mapping[str, Mapping[str, Any]] = {
    "lost": {"kind": FaultKind.LOST},
    "503 before": {"kind": FaultKind.ERROR_BEFORE},
    "503 after": {"kind": FaultKind.ERROR_AFTER},
    "500 before": {"kind": FaultKind.ERROR_BEFORE, "status": 500},
    "500 after": {"kind": FaultKind.ERROR_AFTER, "status": 500},
    "reset": {"kind": FaultKind.RESET},
    "cut": {"kind": FaultKind.CUT},
    "429": {"kind": FaultKind.RATE_LIMITED},
    "a page of html": {"kind": FaultKind.HTML},
    "shield": {"kind": FaultKind.SHIELD},
    **({f"503 after, {n} times": {"kind": FaultKind.ERROR_AFTER, "times": n} for n in (2, 3, 8)} if LONG else {}),
}
PASSING = {"lost", "503 before", "503 after", "reset", "cut", "429"}
"""What one run gets over by itself."""
FOREIGN_LABELS = {"labels": {"Theirs"}, "leads": {"Theirs"}, "both": set[str]()}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_after_a_fault_at_any_request_a_second_run_ends_as_declared(case: Case, fault: str, counted: Counted) -> None:
    calm = case.sandbox()
    undisturbed = converge(calm, case.account)
    wanted, before = state(calm), state(case.sandbox())
    for k in range(1, len(undisturbed.steps) + 1):
        sandbox = case.sandbox()
        first = plan_and_apply(sandbox, case.account, Fault(at=k, **FAULTS[fault]))
        assert not leaks(first)
        if fault in PASSING:
            assert first.plan.complete
            assert first.statuses <= {Status.APPLIED}, f"{fault} at {k}: {first.applied}"
            assert image(state(sandbox)) == image(wanted)
        check(sandbox, before, case)
        converge(sandbox, case.account)
        check(sandbox, before, case)
        assert image(state(sandbox)) == image(wanted), f"{fault} at {k}"
    counted("every request", len(undisturbed.steps))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_plans_use_every_kind_of_change(case: Case) -> None:
    run = converge(case.sandbox(), case.account)
    assert run.statuses == {Status.APPLIED}
    did = {f"{step.method} {step.path.split('/')[3]}" for step in run.writing if step.writes}
    labels, leads = ({f"{method} {what}" for method in ("POST", "PATCH", "DELETE")} for what in ("leadLabels", "leads"))
    assert did == {"labels": labels, "leads": leads, "both": labels | leads}[case.name]


def check(sandbox: Sandbox, before: State, case: Case) -> None:
    """Check that each key has one object, and that unmanaged ones are unchanged, but for labels that are to go."""
    now = state(sandbox)
    check_nothing_twice(now)
    check_unmanaged_leads(before, now)
    for id_, label in before.labels.items():
        if label["name"] in FOREIGN_LABELS[case.name]:
            assert now.labels[id_] == label


@pytest.mark.parametrize("lag", [1, 2])
@pytest.mark.parametrize("operation", ["addLead", "addLeadLabel"])
def test_a_lost_create_is_found_in_lists_that_lag(operation: str, lag: int, counted: Counted) -> None:
    for case in CASES:
        calm = case.sandbox()
        converge(calm, case.account)
        for kind in (FaultKind.LOST, FaultKind.CUT, FaultKind.ERROR_AFTER):
            for at in (1, 2, (1, 2, 3, 4)):
                sandbox, before = case.sandbox(), state(case.sandbox())
                plan_and_apply(sandbox, case.account, Fault(kind, at, operation=operation), lag=lag)
                check(sandbox, before, case)
                converge(sandbox, case.account)
                assert image(state(sandbox)) == image(state(calm))
                counted("lists that lag", 1)
