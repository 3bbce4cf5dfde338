"""The laws of tests/properties and tests/faults, again and again with new random cases until the time is up."""

import os
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any

import pytest
from _pytest.runner import runtestprotocol  # as pytest-rerunfailures runs a test again; there is no public name
from hypothesis import core

ROOT = Path(__file__).resolve().parents[1]


@dataclass
class Law:
    """A law and what came of it.

    Attributes:
        name: the row of the table.
        test: its tests, as pytest names them.
        cases: how many held.
        seconds: how long they took.
        failed: whether a case did not hold.
        again: the command that draws the cases of the failed round again.
    """

    name: str
    test: str
    cases: int = 0
    seconds: float = 0.0
    failed: bool = False
    again: str = ""


def all_laws() -> list[Law]:
    """The laws about random accounts, configurations, faults, people, kills and rollbacks."""
    laws, policies, files = (f"tests/properties/test_{name}.py" for name in ("laws", "policy_laws", "configurations"))
    restores, runs = "tests/faults/test_random_restores.py", "tests/faults/test_random_runs.py"
    return [
        Law("two applies at once create no duplicates", f"{runs}::test_two_applies"),
        Law("a killed process is completed or restored", f"{runs}::test_a_killed_run"),
        Law("people between plan and apply are noticed", f"{runs}::test_people_who_work"),
        Law("any file is read or refused with a place", files),
        Law(
            "an apply converges, unmanaged objects are kept",
            f"{laws}::test_an_apply_converges_and_unmanaged_objects_keep_what_they_have",
        ),
        Law("the forecast is what the meter counts", f"{laws}::test_the_forecast_is_what_the_meter_counts"),
        Law("the same input gives the same plan", f"{laws}::test_the_same_input_gives_the_same_plan"),
        Law("ignored and protected labels are kept", policies),
        Law("people, faults and new configurations at once", "tests/faults/test_state_machine.py::test_the_laws_hold"),
        Law("any answer to a write: the next run converges", "tests/faults/test_answers.py::test_after_any_answer"),
        Law("a restore returns what was", f"{restores}::test_restore_returns_the_account"),
        Law("a killed apply is restored", f"{restores}::test_a_run_that_was_killed"),
        Law("a killed restore is completed", f"{restores}::test_a_killed_restore"),
        Law("a restore can be restored", f"{restores}::test_a_rollback_can_be_rolled_back"),
        Law("a restore undoes nothing of a later run", f"{restores}::test_a_receipt_undoes_nothing"),
        Law("a restore keeps what people changed", f"{restores}::test_changes_made_by_people"),
    ]


def run_laws(laws: Sequence[Law], seconds: float) -> None:
    """Run every law at least once, then as often as there is time; the laws hold the figures afterwards."""
    for name in ("CI", "LEADSTATE_PROVE"):  # the one has the same cases tried each time, the other makes rounds long
        os.environ.pop(name, None)
    files = sorted({law.test.partition("::")[0] for law in laws})
    unheard = ("-W", "ignore::pytest.PytestAssertRewriteWarning")  # of what this process has imported before
    pytest.main(
        ["--quiet", "--no-header", "-rfE", "-p", "no:cacheprovider", "--rootdir", str(ROOT), *unheard, *files],
        plugins=[Rounds(laws, time.monotonic() + seconds)],
    )
    for law in laws:
        law.failed |= not law.cases


@dataclass
class Rounds:
    """A plugin of pytest: keeps the tests of the laws, runs each until its share of the time is up, and counts."""

    laws: Sequence[Law]
    end: float
    _left: list[pytest.Item] = field(default_factory=list)

    def law(self, item: pytest.Item) -> Law | None:
        return next((law for law in self.laws if item.nodeid.startswith(law.test)), None)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if self.law(item)]
        self._left = list(items)
        for item in items:
            law, handle = self.law(item), getattr(getattr(item, "obj", None), "hypothesis", None)
            if law is not None and handle is not None:
                handle.inner_test = _counting(handle.inner_test, law)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        law = self.law(item)
        if law is None:
            return None
        begun = now = time.monotonic()
        until = now + (self.end - now) / len(self._left)
        self._left.remove(item)
        again = True
        while again:
            started, item.user_properties[:] = now, []
            seed = secrets.randbits(64)
            core.global_force_seed = seed  # type: ignore[assignment]  # as --hypothesis-seed does
            reports = runtestprotocol(item, nextitem=nextitem)
            if any(report.failed for report in reports):
                law.failed, law.again = True, f"python -m pytest '{item.nodeid}' --hypothesis-seed={seed}"
            law.cases += sum(int(value[1]) for name, value in _properties(item) if name == "prove")
            now = time.monotonic()
            again = not law.failed and now + (now - started) <= until
        law.seconds += now - begun
        return True


def _properties(item: pytest.Item) -> Sequence[tuple[str, Any]]:
    return item.user_properties


def _counting(inner: Callable[..., Any], law: Law) -> Callable[..., Any]:
    """Count the cases of a law that hypothesis draws and that hold."""

    @wraps(inner)
    def counted(*arguments: Any, **named: Any) -> Any:
        result = inner(*arguments, **named)
        law.cases += 1
        return result

    return counted
