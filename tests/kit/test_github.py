"""The action and the example workflows for GitHub, step by step, against a sandbox on a port."""

import io
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from leadstate.sandbox import Sandbox, running
from tests.harness.cli_process import Shell
from tests.harness.workflow_runner import ROOT, Done, Runner

EXAMPLES = ROOT / "examples"
HEAD = "b" * 40
MERGED = "c" * 40
PULL = {"pull_request": {"number": 7, "head": {"sha": HEAD}}}
TOKEN = {"PIPEDRIVE_TOKEN": "sandbox-token"}


@pytest.fixture
def sandbox() -> Iterator[tuple[Sandbox, str]]:
    sandbox = Sandbox("fresh")
    with running(sandbox.app) as url:
        yield sandbox, url


@pytest.fixture
def runner(sandbox: tuple[Sandbox, str], tmp_path: Path) -> Runner:
    made = Runner(tmp_path, TOKEN)
    text = (EXAMPLES / "quickstart" / "leadstate.yaml").read_text().replace("http://127.0.0.1:8765", sandbox[1])
    (made.workspace / "leadstate.yaml").write_text(text)
    return made


def check_out_trial_merge(runner: Runner) -> None:
    """Check out a base, a pull request that adds a label, and their merge, as actions/checkout does."""

    def git(*words: str) -> None:
        who = ("-c", "user.name=n", "-c", "user.email=n@acme.test", "-c", "init.defaultBranch=main")
        subprocess.run(["git", *who, *words], cwd=runner.workspace, check=True, capture_output=True)

    git("init")
    git("add", ".")
    git("commit", "-m", "base")
    git("checkout", "-b", "pull")
    file = runner.workspace / "leadstate.yaml"
    file.write_text(file.read_text().replace("labels:\n", "labels:\n  - {name: New, color: blue}\n", 1))
    git("commit", "-am", "one more label")
    git("checkout", "main")
    git("merge", "--no-ff", "pull")


def on_pull_request(runner: Runner) -> Done:
    runner.event_name, runner.event = "pull_request", PULL
    return runner.job(EXAMPLES / "github" / "plan.yml")


def on_merge(runner: Runner) -> Done:
    runner.event_name, runner.event, runner.sha = "push", {}, MERGED
    return runner.job(EXAMPLES / "github" / "apply.yml")


def merge(runner: Runner, **artifact: Any) -> None:
    """Let the fake GitHub know the merged pull request, and the artifact that its run has stored."""
    name = f"leadstate-plan-{HEAD}"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for file in (runner.home / "artifacts" / name).iterdir():
            archive.write(file, file.name)
    (runner.home / "1.zip").write_bytes(packed.getvalue())
    made_by = {"head_sha": HEAD, "repository_id": 1, "head_repository_id": 1, **artifact}
    stored = {"id": 1, "name": name, "expired": False, "created_at": "2026-11-24T09:00:00Z", "workflow_run": made_by}
    runner.teach(
        pulls=[{"head": {"sha": HEAD}, "merged_at": "2026-11-24T09:05:00Z", "merge_commit_sha": MERGED}],
        artifacts=[stored],
        zips={"1": str(runner.home / "1.zip")},
    )


def test_a_pull_request_has_one_comment_with_the_latest_plan(runner: Runner) -> None:
    first = on_pull_request(runner)
    assert first.code == 0, first.log
    assert int(first.outputs["changes"]) > 0
    assert first.outputs["fingerprint"]
    assert "Partner" in first.summary
    assert "::notice" in first.log
    assert "file=leadstate.yaml" in first.log
    (comment,) = runner.hub["comments"]
    assert comment["body"].startswith("<!-- leadstate:leadstate -->\n## leadstate plan")
    assert HEAD[:7] in comment["body"]

    file = runner.workspace / "leadstate.yaml"
    file.write_text(file.read_text().replace("{name: Partner, color: green}", "{name: Partner, color: pink}"))
    assert on_pull_request(runner).code == 0
    (again,) = runner.hub["comments"]
    assert "pink" in again["body"]
    assert "green" not in again["body"]


def test_changes_are_attributed_if_the_base_was_fetched(runner: Runner) -> None:
    check_out_trial_merge(runner)
    done = on_pull_request(runner)
    assert done.code == 0, done.log
    assert "1 from this change" in done.summary
    assert " drift" in done.summary


def test_the_reviewed_plan_is_applied_on_merge(runner: Runner, sandbox: tuple[Sandbox, str]) -> None:
    assert on_pull_request(runner).code == 0
    merge(runner)
    done = on_merge(runner)
    assert done.code == 0, done.log
    assert "made anew" not in done.log
    assert (runner.home / "artifacts" / f"leadstate-apply-{MERGED}" / "receipts").is_dir()
    assert on_pull_request(runner).outputs["changes"] == "0"
    assert any(label["name"] == "Partner" for label in sandbox[0].dump()["companies"][0]["labels"])


def test_a_stale_plan_is_refused_on_merge(runner: Runner, sandbox: tuple[Sandbox, str]) -> None:
    assert on_pull_request(runner).code == 0
    merge(runner)
    file = runner.workspace / "leadstate.yaml"
    file.write_text(file.read_text().replace("{name: Hot, color: red}", "{name: Hot, color: pink}"))
    before = sandbox[0].dump()
    done = on_merge(runner)
    assert done.code == 3, done.log
    assert sandbox[0].dump() == before


@pytest.mark.parametrize("artifact", [{"head_repository_id": 2}, {"head_sha": "d" * 40}])
def test_a_plan_of_a_fork_or_another_commit_is_ignored(runner: Runner, artifact: dict[str, Any]) -> None:
    assert on_pull_request(runner).code == 0
    merge(runner, **artifact)
    done = on_merge(runner)
    assert done.code == 0, done.log
    assert "made anew" in done.log


def test_nothing_is_applied_if_github_names_no_reviewed_commit(runner: Runner, sandbox: tuple[Sandbox, str]) -> None:
    runner.teach(refuse=["GET commits/"])
    before = sandbox[0].dump()
    done = on_merge(runner)
    assert done.code == 1
    assert "actions: read" in done.log
    assert sandbox[0].dump() == before


def test_a_missing_required_plan_stops_the_apply(runner: Runner, sandbox: tuple[Sandbox, str]) -> None:
    before = sandbox[0].dump()
    done = runner.action(TOKEN, command="apply", reviewed="required")
    assert done.code == 64
    assert "has stored a plan" in done.log
    assert sandbox[0].dump() == before


def test_a_comment_without_permission_is_a_warning(runner: Runner) -> None:
    runner.teach(refuse=["POST issues/7/comments"])
    done = on_pull_request(runner)
    assert done.code == 0, done.log
    assert "::warning" in done.log
    assert "pull-requests: write" in done.log


def test_a_comment_of_another_author_is_untouched(runner: Runner) -> None:
    theirs = {"id": 1, "user": {"type": "User"}, "body": "<!-- leadstate:leadstate -->\nmine"}
    runner.teach(comments=[theirs])
    assert on_pull_request(runner).code == 0
    assert runner.hub["comments"][0] == theirs
    assert len(runner.hub["comments"]) == 2


def test_drift_opens_updates_and_closes_one_issue(runner: Runner) -> None:
    runner.event_name = "schedule"
    for _ in range(2):
        assert runner.job(EXAMPLES / "github" / "drift.yml").code == 0
        (issue,) = runner.hub["issues"]
        assert (issue["title"], issue["state"]) == ("Pipedrive is not as declared", "open")
    assert runner.action(TOKEN, command="apply", reviewed="none").code == 0
    assert runner.job(EXAMPLES / "github" / "drift.yml").code == 0
    assert runner.hub["issues"][0]["state"] == "closed"


def test_a_configuration_error_is_annotated_at_its_line(runner: Runner) -> None:
    file = runner.workspace / "leadstate.yaml"
    file.write_text(file.read_text().replace("color: green", "color: grene"))
    done = on_pull_request(runner)
    assert done.code == 1
    assert "::error file=leadstate.yaml" in done.log
    assert "grene" in runner.hub["comments"][0]["body"]


def test_a_plan_with_changes_fails_if_asked_to(runner: Runner) -> None:
    done = runner.action(TOKEN, args="--detailed-exitcode --target 'label:Partner'")
    assert (done.code, done.outputs["exit-code"], done.outputs["changes"]) == (2, "2", "1")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("command", "plan; touch pwned"),
        ("name", "$(touch pwned)"),
        ("args", "'unfinished"),
        ("args", "; touch pwned"),
        ("config", "$(touch${IFS}pwned)"),
        ("accounts", "`touch pwned`"),
        ("version", "1; touch pwned"),
        ("reviewed", "perhaps"),
        ("comment", "yes"),
    ],
)
def test_inputs_are_never_executed(runner: Runner, name: str, value: str) -> None:
    done = runner.action(TOKEN, **{name: value})
    assert not list(runner.home.rglob("pwned"))
    if name == "version":
        assert "leadstate==1; touch pwned" in (runner.home / "pip.log").read_text()
    else:
        assert done.code
        assert "Traceback" not in done.log


def test_the_workflow_of_init_plans_and_applies(runner: Runner) -> None:
    check_out_trial_merge(runner)
    starter = ROOT / "leadstate" / "cli" / "starter" / "workflow.yml"
    runner.event_name = "pull_request"
    planned = runner.job(starter)
    assert planned.code == 0, planned.log
    assert "Partner" in planned.summary
    runner.event_name = "push"
    applied = runner.job(starter)
    assert applied.code == 0, applied.log
    assert runner.action(TOKEN).outputs["changes"] == "0"


def test_the_workflow_of_init_reads_the_named_token_variable(tmp_path: Path) -> None:
    assert Shell(tmp_path, {})("init", "--token-env", "ACME_TOKEN").returncode == 0
    text = (tmp_path / ".github" / "workflows" / "leadstate.yml").read_text()
    assert "ACME_TOKEN: ${{ secrets.ACME_TOKEN }}" in text
    assert "PIPEDRIVE_TOKEN" not in text
