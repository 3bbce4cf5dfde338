"""Two applies of one account at the same time, as real processes on one machine: nothing exists twice."""

import time
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pytest

from leadstate.sandbox import running
from tests.faults.conftest import Counted
from tests.harness.builders import label, lead, refs
from tests.harness.disturbed_company import (
    LONG,
    check_nothing_twice,
    check_unmanaged_leads,
    company,
    converge,
    image,
    state,
)
from tests.harness.disturbed_process import PATIENCE, Process
from tests.harness.faults import Fault, FaultKind, Faults
from tests.harness.plan_cases import Case, account, live_label, live_lead, written

CASE = Case(
    "two applies",
    company([live_label(1, "Cold"), live_label(2, "Theirs")], [live_lead(1, None, 1, 2), live_lead(2, "other:a", 2)]),
    account(
        label("Nurture", "green", "Cold"),
        *(label(f"L{number}") for number in range(8)),
        *(lead(f"k{number}", labels=refs(f"L{number}")) for number in range(8)),
    ),
)
LOST = (
    Fault(FaultKind.LOST, at=(1, 3, 4), operation="addLeadLabel"),
    Fault(FaultKind.CUT, at=(2, 3), operation="addLead"),
)


@dataclass(frozen=True)
class Pair:
    """How two applies meet.

    Attributes:
        folders: whether they run in one folder or in two.
        lost: whether answers to creates are lost.
        waits: whether each waits for the other.
        later: seconds after which the second one starts.
    """

    folders: int
    lost: bool
    waits: bool
    later: float


PAIRS = [Pair(*chosen) for chosen in product((1, 2), (False, True), (False, True), (0.0, 0.1, 0.3, 0.5, 0.8))]
CHOSEN = PAIRS if LONG else PAIRS[::7]
LATENCY = 0.04
"""Seconds that the server takes for each answer."""


@pytest.mark.parametrize("pair", CHOSEN, ids=str)
def test_two_applies_create_no_duplicates(
    pair: Pair, tmp_path: Path, counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folders = [tmp_path / str(number) for number in range(pair.folders)]
    sandbox = CASE.sandbox(latency=LATENCY, intercept=Faults(*LOST) if pair.lost else None)
    with running(sandbox.app) as url:
        for folder in folders:
            folder.mkdir()
            (folder / "leadstate.yaml").write_text(written(CASE, url))
        both = [Process(folders[0]), Process(folders[-1])]
        words = ("apply", "--auto-approve", "--lock-timeout", "60" if pair.waits else "0")
        both[0].start(*words)
        time.sleep(pair.later)
        both[1].start(*words)
        # Each lost answer is looked for after some seconds.
        ended = [process.end(3 * PATIENCE) for process in both]
    said = "\n".join(out + err for _, out, err in ended)
    assert sorted(code for code, _, _ in ended) in ([[0, 0]] if pair.waits else [[0, 0], [0, 3]]), said
    for process, (code, out, err) in zip(both[::-1], ended, strict=True):
        if code:
            assert process.running is not None
            assert str(process.running.pid) in out + err, (
                "the refused apply does not name the process that holds the account"
            )
    check_nothing_twice(state(sandbox))
    check_unmanaged_leads(state(CASE.sandbox()), state(sandbox))
    calm = CASE.sandbox()
    converge(calm, CASE.account)
    assert image(state(sandbox)) == image(state(calm))
    counted("two applies at once", 1)
