"""terraform-compliance, which knows plans of Terraform alone, reads ours. It lives in an environment of its own."""

import subprocess
from pathlib import Path

import pytest

from tests.harness import judge_environments

GOLDEN = Path(__file__).parents[1] / "golden" / "cases"
LABELS = """\
Feature: Labels
  Scenario: A label has one of our colours
    Given I have leadstate_label defined
    Then it must have color
    And its value must match the "^({colors})$" regex

  Scenario: A lead has a title
    Given I have leadstate_lead defined
    Then it must have title
"""


def judged(case: str, colors: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the features over the plan of a golden case."""
    (folder / "labels.feature").write_text(LABELS.format(colors=colors), encoding="utf-8")
    program = judge_environments.program("terraform-compliance", "terraform-compliance")
    plan = GOLDEN / case / "plan.terraform.json"
    return judge_environments.run(program, "--features", folder, "--planfile", plan, "--no-ansi")


def test_a_plan_that_keeps_the_rules_passes(tmp_path: Path) -> None:
    done = judged("007-leads-add-and-update", "red|green|blue|yellow", tmp_path)
    assert done.returncode == 0, done.stdout
    assert "2 scenarios (2 passed)" in done.stdout
    assert "skip" not in done.stdout.lower(), "it found no label or no lead"


def test_a_plan_that_breaks_a_rule_fails_at_the_address(tmp_path: Path) -> None:
    done = judged("001-labels-add-update-unchanged", "purple", tmp_path)
    assert done.returncode == 1, done.stdout
    assert 'leadstate_label.this["emea/label:Partner"]' in done.stdout


@pytest.mark.parametrize("case", ["017-names-of-unmanaged-objects-are-escaped", "024-hostile-names-in-every-format"])
def test_a_plan_with_hostile_names_can_be_read(case: str, tmp_path: Path) -> None:
    done = judged(case, ".*", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 scenarios (2 passed)" in done.stdout or "2 scenarios (1 passed, 1 skipped)" in done.stdout
