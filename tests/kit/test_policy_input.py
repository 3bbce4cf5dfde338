"""The input `policy` of the action; stand-ins for conftest and OPA take their words and answer in their JSON."""

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from leadstate.sandbox import Sandbox, running
from tests.harness.workflow_runner import REPOSITORY, ROOT, Done, Runner

POLICIES = ROOT / "examples" / "policy" / "policy"
HEAD = "b" * 40
MERGED = "c" * 40
TOKEN = {"PIPEDRIVE_TOKEN": "sandbox-token"}
PULL = {
    "number": 7,
    "head": {"sha": HEAD, "repo": {"full_name": REPOSITORY}},
    "user": {"login": "ann"},
}
RED = "live/label:Partner: red is for labels named Hot* or Urgent*. Choose another colour."
FRIDAY = "live/label:Warm: nothing is deleted on a Friday. Apply it on another day."


@pytest.fixture
def sandbox() -> Iterator[tuple[Sandbox, str]]:
    sandbox = Sandbox("fresh")
    with running(sandbox.app) as url:
        yield sandbox, url


@pytest.fixture
def runner(sandbox: tuple[Sandbox, str], tmp_path: Path) -> Runner:
    made = Runner(tmp_path, TOKEN, env={"LEADSTATE_ALLOW_HOSTS": "127.0.0.1"})
    text = (ROOT / "examples" / "policy" / "leadstate.yaml").read_text(encoding="utf-8")
    text = text.replace("http://127.0.0.1:8765", sandbox[1])
    (made.workspace / "leadstate.yaml").write_text(text + "  - {name: Warm, state: absent}\n", encoding="utf-8")
    policies = made.workspace / "policy"
    policies.mkdir()
    for name in ("colors.rego", "quiet_days.rego", "unmanaged.rego"):
        shutil.copy(POLICIES / name, policies)
    today(made, "Monday")
    return made


def install(runner: Runner, engine: str) -> None:
    program = runner.home / "bin" / engine
    fake = ROOT / "tests" / "harness" / "fake_rego.py"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -I {fake} {engine} "$@"\n', encoding="utf-8")
    program.chmod(0o755)


def today(runner: Runner, day: str) -> None:
    (runner.workspace / "policy" / "today.json").write_text(json.dumps({"today": day}), encoding="utf-8")


def edit(runner: Runner, old: str, new: str) -> None:
    file = runner.workspace / "leadstate.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


def plan(runner: Runner, **inputs: str) -> Done:
    runner.event_name, runner.event, runner.run_id = "pull_request", {"pull_request": PULL}, 77
    return runner.action(TOKEN, command="plan", policy="policy", **inputs)


def apply(runner: Runner, **inputs: str) -> Done:
    merged = {**PULL, "merged_at": "2026-11-24T09:05:00Z", "merge_commit_sha": MERGED}
    runner.teach(merged={MERGED: [merged]})
    runner.event_name, runner.event, runner.sha, runner.run_id = "push", {}, MERGED, 78
    return runner.action(TOKEN, command="apply", policy="policy", lock="off", **inputs)


def requests(sandbox: tuple[Sandbox, str]) -> Any:
    return sandbox[0].meter.report()["companies"]


def test_a_plan_that_the_policies_allow_passes(runner: Runner) -> None:
    install(runner, "conftest")
    done = plan(runner)
    assert done.code == 0, done.log
    assert done.summary.startswith("The policies refuse nothing.\n\n## leadstate plan")


@pytest.mark.parametrize("engine", ["conftest", "opa"])
def test_a_plan_that_they_refuse_fails_and_is_shown_with_the_reason(runner: Runner, engine: str) -> None:
    install(runner, engine)
    edit(runner, "name: Partner, color: green", "name: Partner, color: red")
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
    edit(runner, "  - {name: Warm, state: absent}\n", "")
    done = plan(runner)
    assert done.code == 0, done.log
    warning = "live: 1 labels are unmanaged. `leadstate import` declares them."
    assert f"::warning title=leadstate::{warning}" in done.log
    assert f"### The policies warn\n\n```\n{warning}\n```" in done.summary


def test_a_reviewed_plan_is_checked_once_more_before_it_is_applied(
    runner: Runner, sandbox: tuple[Sandbox, str]
) -> None:
    install(runner, "opa")
    assert plan(runner).code == 0
    today(runner, "Friday")
    before, asked = sandbox[0].dump(), requests(sandbox)
    refused = apply(runner)
    assert refused.code == 3, refused.log
    assert refused.outputs["exit-code"] == "3"
    assert "## leadstate apply: not started" in refused.summary
    assert FRIDAY in refused.summary
    assert (sandbox[0].dump(), requests(sandbox)) == (before, asked)

    today(runner, "Monday")
    done = apply(runner)
    assert done.code == 0, done.log
    assert sandbox[0].dump() != before


def test_the_engine_is_given_no_token(runner: Runner) -> None:
    install(runner, "opa")
    assert plan(runner).code == 0
    names = set((runner.workspace / "policy" / "environment.txt").read_text().split())
    assert "PATH" in names
    assert names - {"LC_CTYPE", "PWD", "SHLVL", "_"} <= {"PATH", "HOME", "TMPDIR", "TZ", "LANG"}


def test_without_an_engine_nothing_is_planned(runner: Runner, sandbox: tuple[Sandbox, str]) -> None:
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


def test_what_a_policy_says_commands_neither_the_runner_nor_markdown(runner: Runner) -> None:
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
    runner.event_name = "pull_request"
    runner.event = {"pull_request": {**PULL, "head": {"sha": HEAD, "repo": {"full_name": "eve/crm"}}}}
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
