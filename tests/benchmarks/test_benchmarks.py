"""The benchmark runs and tells what it is said to tell. How fast anything is, no test asks."""

import json
from pathlib import Path

from tests.harness.cli_process import python


def test_a_row_can_be_run_alone_and_its_json_has_the_declared_shape(tmp_path: Path) -> None:
    output = tmp_path / "results.json"
    done = python("-m", "benchmarks", "--only", "start-version", "-o", str(output))
    assert done.returncode in (0, 1), done.stderr
    assert "start-version" in done.stdout
    document = json.loads(output.read_text(encoding="utf-8"))
    assert document.keys() == {"format_version", "machine", "rows"}
    assert {"cpu", "cores", "memory_mb", "python", "versions", "load_before"} <= document["machine"].keys()
    (row,) = document["rows"]
    assert row.keys() == {"name", "compared", "unit", "limit", "limit_is", "value", "holds", "numbers", "skipped"}
    assert row["numbers"].keys() == {"leadstate_seconds", "click_seconds"}
    assert row["limit"] == 1.2
    assert row["value"] > 0
    assert row["holds"] is (row["value"] <= row["limit"])


def test_every_budget_of_the_specification_has_a_row() -> None:
    done = python("-m", "benchmarks", "--only", "?")
    budgets = ["start-version", "start-help", "validate-10000", "diff-100000", "plan-labels", "plan-50000"]
    budgets += ["memory-50000", "memory-100000", "accounts-100", "memory-accounts-1000", "apply-1000", "forecast"]
    budgets += ["day-full", "validate-accounts-5000", "memory-validate-accounts"]
    assert all(f"'{name}'" in done.stderr for name in budgets), done.stderr
