"""The input `policy` of the action; stand-ins for conftest and OPA take their words and answer in their JSON."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from leadstate.sandbox import Sandbox
from tests.harness.workflow_runner import ROOT, Done, Runner

POLICIES = ROOT / "examples" / "policy" / "policy"
TOKEN = {"PIPEDRIVE_TOKEN": "sandbox-token"}
RED = "live/label:Partner: red is for labels named Hot* or Urgent*. Choose another colour."
WARM = "  - {name: Warm, state: absent}\n"
FRIDAY = "live/label:Warm: nothing is deleted on a Friday. Apply it on another day."


@pytest.fixture
def runner(url: str, tmp_path: Path) -> Runner:
    made = Runner(tmp_path, TOKEN, env={"LEADSTATE_ALLOW_HOSTS": "127.0.0.1"})
    made.copy_example("policy", url)
    made.edit("labels:\n", f"labels:\n{WARM}")
    policies = made.workspace / "policy"
    policies.mkdir()
    for name in ("colors.rego", "quiet_days.rego", "unmanaged.rego"):
        shutil.copy(POLICIES / name, policies)
    today(made, "Monday")
    return made


def install(runner: Runner, engine: str) -> None:
    runner.program(engine, f'exec {sys.executable} -I {ROOT / "tests" / "harness" / "fake_rego.py"} {engine} "$@"')


def today(runner: Runner, day: str) -> None:
    (runner.workspace / "policy" / "today.json").write_text(json.dumps({"today": day}), encoding="utf-8")


def plan(runner: Runner) -> Done:
    runner.opened()
    return runner.action(TOKEN, command="plan", policy="policy")


def apply(runner: Runner) -> Done:
    runner.merged()
    return runner.action(TOKEN, command="apply", policy="policy", lock="off")


def requests(sandbox: Sandbox) -> Any:
    return sandbox.meter.report()["companies"]


def test_a_plan_that_the_policies_allow_passes(runner: Runner) -> None:
    install(runner, "conftest")
    done = plan(runner)
    assert done.code == 0, done.log
    assert done.summary.startswith("The policies refuse nothing.\n\n## leadstate plan")


@pytest.mark.parametrize("engine", ["conftest", "opa"])
def test_a_plan_that_they_refuse_fails_and_is_shown_with_the_reason(runner: Runner, engine: str) -> None:
    install(runner, engine)
    runner.edit("name: Partner, color: green", "name: Partner, color: red")
    done = plan(runner)
    assert done.code == 3, done.log
    assert done.outputs["exit-code"] == "3"
    assert f"::error title=leadstate::{RED}" in done.log
    assert done.summary.startswith(f"### The policies refuse this plan\n\n```\n{RED}\n```\n\n## leadstate plan")
    (comment,) = runner.hub["comments"]
    assert RED in comment["body"]


@pytest.mark.parametrize("engine", ["conftest", "opa"])
def test_a_warning_is_shown_and_fails_nothing(runner: Runner, engine: str) -> None:
    install(runner, engine)
    file = runner.workspace / "policy" / "unmanaged.rego"
    file.write_text(file.read_text().replace(":= 10", ":= 0"))
    runner.edit(WARM, "")
    done = plan(runner)
    assert done.code == 0, done.log
    warning = "live: 1 labels are unmanaged. `leadstate import` declares them."
    assert f"::warning title=leadstate::{warning}" in done.log
    assert f"### The policies warn\n\n```\n{warning}\n```" in done.summary


def test_a_reviewed_plan_is_checked_once_more_before_it_is_applied(runner: Runner, sandbox: Sandbox) -> None:
    install(runner, "opa")
    assert plan(runner).code == 0
    today(runner, "Friday")
    before, asked = sandbox.dump(), requests(sandbox)
    refused = apply(runner)
    assert refused.code == 3, refused.log
    assert refused.outputs["exit-code"] == "3"
    assert "## leadstate apply: not started" in refused.summary
    assert FRIDAY in refused.summary
    assert (sandbox.dump(), requests(sandbox)) == (before, asked)

    today(runner, "Monday")
    done = apply(runner)
    assert done.code == 0, done.log
    assert sandbox.dump() != before


def test_the_engine_is_given_no_token(runner: Runner) -> None:
    install(runner, "opa")
    assert plan(runner).code == 0
    names = set((runner.workspace / "policy" / "environment.txt").read_text().split())
    assert "PATH" in names
    assert names - {"LC_CTYPE", "PWD", "SHLVL", "_"} <= {"PATH", "HOME", "TMPDIR", "TZ", "LANG"}


def test_without_an_engine_nothing_is_planned(runner: Runner, sandbox: Sandbox) -> None:
    done = plan(runner)
    assert done.code == 64, done.log
    assert "needs conftest or opa on PATH" in done.summary
    assert "leadstate plan:" not in done.summary
    assert not requests(sandbox)


@pytest.mark.parametrize("engine", ["conftest", "opa"])
@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("package main\ndeny contains {", "rego_parse_error"),
        ("package other\n\nimport rego.v1\n\ndeny contains msg if {\n\tmsg := input.no\n}\n", "no rule `deny`"),
    ],
)
def test_policies_that_cannot_be_evaluated_refuse_the_plan(runner: Runner, engine: str, text: str, why: str) -> None:
    install(runner, engine)
    for file in (runner.workspace / "policy").glob("*.rego"):
        file.unlink()
    (runner.workspace / "policy" / "policy.rego").write_text(text)
    done = plan(runner)
    assert done.code == 3, done.log
    assert "The policies could not be evaluated:" in done.summary
    assert why in done.summary


@pytest.mark.parametrize(
    ("main", "why"),
    [
        ('{"deny": true}', "the rule `deny` is not a set of messages; write `deny contains msg if {"),
        ('{"deny": false}', "the rule `deny` is not a set of messages"),
        ('{"violation_x": "no"}', "the rule `violation_x` is not a set of messages"),
        ('{"deny": [], "warn": {"a": "b"}}', "the rule `warn` is not a set of messages"),
        ('{"deny": [{"message": "x"}]}', "the rule `deny` is not a set of messages"),
        ('{"deny": [null]}', "the rule `deny` is not a set of messages"),
        ("[]", "`data.main` is not a package"),
    ],
)
def test_rules_that_are_no_set_of_messages_refuse_the_plan(runner: Runner, main: str, why: str) -> None:
    runner.program("opa", f'echo \'{{"result": [{{"expressions": [{{"value": {main}}}]}}]}}\'')
    done = plan(runner)
    assert done.code == 3, done.log
    assert f"The policies could not be evaluated: {why}" in done.summary
    assert "Traceback" not in done.log


def test_a_comment_that_is_too_long_is_cut_between_lines_and_says_so(runner: Runner) -> None:
    labels = "".join(f"  - {{name: Label {number} of {'many ' * 20}, color: red}}\n" for number in range(600))
    runner.edit("labels:\n", f"labels:\n{labels}")
    said = json.dumps([f"{number} {'long ' * 100}" for number in range(100)])
    runner.program("opa", f'echo \'{{"result": [{{"expressions": [{{"value": {{"deny": {said}}}}}]}}]}}\'')
    assert plan(runner).code == 3
    body = runner.hub["comments"][0]["body"]
    assert 60_000 < len(body) <= 65_536
    assert "\nand 85 more\n```\n" in body
    assert body.count("\n<details>") == body.count("\n</details>\n") == 1
    *_, row, _, _, _, rest, _, foot = body.rstrip("\n").split("\n")
    assert row.startswith("| `+` |")
    assert row.endswith(" |")
    assert rest.startswith("**This is too long for a comment. The rest is in the summary of the [run](")
    assert foot.startswith("<sub>Commit ")


def test_a_policy_message_is_escaped_for_the_runner_and_markdown(runner: Runner) -> None:
    install(runner, "opa")
    text = (
        'package main\n\nimport rego.v1\n\ndeny contains msg if {\n\tmsg := "``` ::error::x ##[error]y @octocat"\n}\n'
    )
    (runner.workspace / "policy" / "loud.rego").write_text(text)
    done = plan(runner)
    assert done.code == 3
    assert "````\n``` ::error::x # #[error]y @octocat\n````" in done.summary
    assert "##[error]" not in done.log


def test_a_pull_request_without_secrets_is_validated_and_needs_no_engine(runner: Runner) -> None:
    runner.opened("eve/crm")
    done = runner.action({"PIPEDRIVE_TOKEN": ""}, command="plan", policy="policy")
    assert done.code == 0, done.log
    assert "policies" not in done.summary


@pytest.mark.parametrize(
    ("inputs", "why"),
    [
        ({"command": "validate", "policy": "policy"}, "makes none"),
        ({"command": "apply", "policy": "policy", "reviewed": "none"}, "passes no policy"),
        ({"command": "plan", "policy": "polices"}, "'polices', which is no folder"),
    ],
)
def test_an_input_that_would_check_nothing_is_refused(runner: Runner, inputs: dict[str, str], why: str) -> None:
    install(runner, "opa")
    done = runner.action(TOKEN, **inputs)
    assert done.code == 64, done.log
    assert why in done.summary
