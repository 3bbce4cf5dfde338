"""The example for Dagster, run by Dagster: `make partitions` with few accounts."""

import re
from pathlib import Path

from tests.harness.judge_environments import program, run

ROOT = Path(__file__).parents[2]


def test_partitions_plan_what_one_run_plans_and_those_that_are_killed_are_tried_again() -> None:
    python = program("dagster", "python")
    done = run(python, "-m", "benchmarks.partitions", "--partitions", "4", seconds=600, PYTHONPATH=str(ROOT))
    assert done.returncode == 0, done.stdout + done.stderr
    figures = dict(re.findall(r"^(\w+) +(.+)$", done.stdout, re.MULTILINE))
    assert (figures["partitions_killed"], figures["runs_failed"], figures["accounts_wrong"]) == ("2", "0", "0")
    assert (figures["retried"], figures["same_plan"]) == ("['a00000', 'a00001']", "True")
