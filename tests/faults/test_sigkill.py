"""A process that is killed at a write, before it is done or before it is answered: the next run ends as declared."""

from pathlib import Path

import pytest

from leadstate.sandbox import Sandbox
from tests.faults.conftest import Counted
from tests.harness.disturbed_company import (
    LONG,
    Run,
    check_nothing_twice,
    check_unmanaged_leads,
    converge,
    image,
    leaks,
    state,
)
from tests.harness.disturbed_process import Process, gated, receipts
from tests.harness.plan_cases import thirty, written

CASE = thirty()
UNDISTURBED = converge(CASE.sandbox(), CASE.account)
WRITES = sum(step.writes for step in UNDISTURBED.writing)
CHOSEN = range(1, WRITES + 1) if LONG else range(1, WRITES + 1, 6)


def test_a_killed_run_of_thirty_changes_is_completed_exactly() -> None:
    assert len(UNDISTURBED.plan.changes) == 30
    assert WRITES == 31


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("k", CHOSEN)
def test_a_killed_run_is_completed_by_the_next(k: int, moment: str, tmp_path: Path, counted: Counted) -> None:
    sandbox, calm = CASE.sandbox(), CASE.sandbox()
    converge(calm, CASE.account)
    process = Process(tmp_path)
    with gated(sandbox, at=k, **{moment: process.signal}) as (_, url):
        (tmp_path / "leadstate.yaml").write_text(written(CASE, url))
        code, out, _ = process.run("apply", "--auto-approve")
        assert (code, out) == (-9, "")
    assert len(receipts(tmp_path)) == 1
    once_and_whole(sandbox)
    run: Run = converge(sandbox, CASE.account)
    assert not leaks(run)
    assert image(state(sandbox)) == image(state(calm))
    counted("SIGKILL", 1)


def once_and_whole(sandbox: Sandbox) -> None:
    """Check that nothing exists twice, and that unmanaged leads are unchanged, but for labels that are to go."""
    check_nothing_twice(state(sandbox))
    check_unmanaged_leads(state(CASE.sandbox()), state(sandbox))
