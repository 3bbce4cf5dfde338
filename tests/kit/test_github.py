"""The action and the example workflows for GitHub, step by step, against a sandbox on a port."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from leadstate.sandbox import Sandbox
from tests.harness.cli_process import Shell
from tests.harness.hub import git
from tests.harness.workflow_runner import HEAD, MERGED, REPOSITORY, ROOT, Done, Runner, read

GITHUB = ROOT / "examples" / "github"
TOKEN = {"PIPEDRIVE_TOKEN": "sandbox-token"}
LOOPBACK = {"LEADSTATE_ALLOW_HOSTS": "127.0.0.1"}


@pytest.fixture
def runner(url: str, tmp_path: Path) -> Runner:
    made = Runner(tmp_path, TOKEN, env=LOOPBACK)
    made.copy_example("quickstart", url)
    return made


def check_out_trial_merge(runner: Runner) -> None:
    """Check out a base, a pull request that adds a label, and their merge, as actions/checkout does."""
    git(runner.workspace, "init")
    git(runner.workspace, "add", ".")
    git(runner.workspace, "commit", "-m", "base")
    git(runner.workspace, "checkout", "-b", "pull")
    runner.edit("labels:\n", "labels:\n  - {name: New, color: blue}\n")
    git(runner.workspace, "commit", "-am", "one more label")
    git(runner.workspace, "checkout", "main")
    git(runner.workspace, "merge", "--no-ff", "pull")


def on_pull_request(runner: Runner) -> Done:
    runner.opened()
    return runner.job(GITHUB / "plan.yml")


def on_merge(runner: Runner) -> Done:
    runner.pushed_merge()
    return runner.job(GITHUB / "apply.yml")


def plan_and_merge(runner: Runner) -> None:
    """Plan a pull request and merge it."""
    assert on_pull_request(runner).code == 0
    runner.merged()


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

    runner.edit("{name: Partner, color: green}", "{name: Partner, color: pink}")
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


def test_the_reviewed_plan_is_applied_on_merge_and_each_attempt_keeps_its_receipt(
    runner: Runner, sandbox: Sandbox
) -> None:
    plan_and_merge(runner)
    done = on_merge(runner)
    assert done.code == 0, done.log
    (kept,) = (runner.home / "artifacts").glob(f"leadstate-apply-{MERGED}-78-1")
    (report,) = kept.glob("apply.json")
    (receipt,) = set(kept.iterdir()) - {report}
    assert json.loads(receipt.read_text())["accounts"][0]["touched"]
    assert "Partner" in {label.name for label in sandbox.companies[0].labels()}
    runner.attempt = 2
    on_merge(runner)
    assert len(list((runner.home / "artifacts").glob(f"leadstate-apply-{MERGED}-78-*"))) == 2
    assert on_pull_request(runner).outputs["changes"] == "0"


OWN = {"id": 77, "head_sha": HEAD, "repository_id": 1, "head_repository_id": 1}


def test_a_plan_of_a_fork_or_another_commit_or_an_expired_one_is_not_applied(runner: Runner, sandbox: Sandbox) -> None:
    plan_and_merge(runner)
    before, stored = sandbox.dump(), runner.hub["artifacts"]
    cases: list[tuple[dict[str, Any], str]] = [
        ({"workflow_run": {**OWN, "head_repository_id": 2}}, "has stored no plan"),
        ({"workflow_run": {**OWN, "head_sha": MERGED}}, "has stored no plan"),
        ({"workflow_run": None}, "has stored no plan"),  # the run was deleted
        ({"expired": True}, "which has expired"),
        ({"name": "other"}, "has stored no plan"),
    ]
    for change, words in cases:
        runner.teach(artifacts=[{**artifact, **change} for artifact in stored])
        done = on_merge(runner)
        assert done.code == 3, done.log
        assert words in done.summary
        assert "Run workflow" in done.summary
        assert sandbox.dump() == before


@pytest.mark.parametrize(
    ("event_name", "changes"),
    [
        ("schedule", [{}]),
        ("push", [{}]),
        # Before this push (who looked at it, and when?), or on another branch.
        ("workflow_dispatch", [{"pushed": "2026-11-24T09:00:01Z"}, {"pushed": 1_795_510_801}, {"ref": "other"}]),
    ],
)
def test_a_plan_that_nobody_made_for_this_push_is_not_a_reviewed_one(
    runner: Runner, event_name: str, changes: list[dict[str, Any]]
) -> None:
    runner.event_name, runner.sha = event_name, MERGED
    assert runner.job(GITHUB / "plan.yml").code == 0
    for change in changes:
        usual = {name: getattr(runner, name) for name in change}
        for name, value in change.items():
            setattr(runner, name, value)
        assert on_merge(runner).code == 3, change
        for name, value in usual.items():
            setattr(runner, name, value)


def test_a_plan_of_another_event_is_not_a_reviewed_one(runner: Runner) -> None:
    """A push to the branch of a pull request has the same commit, and any workflow may choose an artifact's name."""
    runner.event_name, runner.sha = "push", HEAD
    assert runner.action(TOKEN).code == 0
    runner.merged()
    for name in (f"leadstate-plan-{HEAD}", "leadstate-plan-by-hand"):
        runner.teach(artifacts=[{**stored, "name": name} for stored in runner.hub["artifacts"]])
        assert on_merge(runner).code == 3, name


def test_nothing_is_applied_if_github_names_no_reviewed_commit(runner: Runner, sandbox: Sandbox) -> None:
    runner.teach(refuse=["GET commits/"])
    before = sandbox.dump()
    done = on_merge(runner)
    assert done.code == 1
    assert "actions: read" in done.log
    assert sandbox.dump() == before


def test_an_artifact_without_a_plan_is_refused(runner: Runner) -> None:
    plan_and_merge(runner)
    for packed in (b"", b"PK", b"no zip at all"):
        (runner.home / "artifacts" / "0.zip").write_bytes(packed)
        done = on_merge(runner)
        assert done.code == 3
        assert "holds no plan.json" in done.summary


@pytest.mark.parametrize(("repository", "user"), [("fork/crm", "eve"), (REPOSITORY, "dependabot[bot]")])
def test_a_pull_request_without_secrets_is_checked_and_says_so(runner: Runner, repository: str, user: str) -> None:
    runner.secrets = {}
    runner.opened(repository, user)
    done = runner.job(GITHUB / "plan.yml")
    assert done.code == 0, done.log
    assert "has no secrets: the files were checked, and not planned" in done.summary
    assert "::notice title=leadstate::This pull request comes from" in done.log
    assert not runner.hub.get("comments")
    assert not runner.hub.get("artifacts")
    runner.configuration.write_text("labels: [{name: Hot, color: rde}]\n")
    assert runner.job(GITHUB / "plan.yml").code == 1


def test_a_pull_request_of_this_repository_without_its_secret_fails(runner: Runner) -> None:
    runner.secrets = {}
    assert on_pull_request(runner).code == 1


@pytest.mark.parametrize(
    ("token", "args", "code", "summary", "comment"),
    [
        ("sandbox-token", "--max-tokens 1", 3, "max-tokens", "max-tokens"),
        ("wrong", "", 1, "401", "401"),
        ("sandbox-token", "--target nonsense", 64, "ended with exit code 64 and no report", "nonsense"),
    ],
    ids=["a guard refuses", "an account fails", "no report"],
)
def test_summary_and_comment_say_why_a_plan_fails(  # noqa: PLR0917  a row of a table
    runner: Runner, token: str, args: str, code: int, summary: str, comment: str
) -> None:
    runner.opened()
    done = runner.action({"PIPEDRIVE_TOKEN": token}, args=args)
    assert done.code == code, done.log
    assert summary in done.summary
    assert comment in runner.hub["comments"][0]["body"]


def commit_link(runner: Runner, name: str, target: str | Path) -> None:
    link = runner.workspace / name
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(target)


def test_a_committed_link_among_the_receipts_is_kept_nowhere(runner: Runner) -> None:
    commit_link(runner, ".leadstate/receipts/20991231T000000Z-0-1.json", "/proc/self/environ")
    commit_link(runner, ".leadstate/receipts/more", "/etc")
    (runner.workspace / ".leadstate" / "receipts" / "20200101T000000Z-0-1.json").write_text("of an earlier run")
    done = runner.action(TOKEN, command="apply", reviewed="none")
    assert done.code == 0, done.log
    (kept,) = (runner.home / "artifacts").glob("leadstate-apply-*/")
    assert len(list(kept.iterdir())) == 2
    assert "::error" not in done.log
    assert not [path for path in kept.iterdir() if "20991231" in path.name or b"GITHUB_" in path.read_bytes()]


@pytest.mark.parametrize("name", [".leadstate", ".leadstate/receipts"])
def test_nothing_is_applied_if_the_folder_of_receipts_is_a_link(
    runner: Runner, sandbox: Sandbox, tmp_path: Path, name: str
) -> None:
    (tmp_path / "elsewhere" / "receipts").mkdir(parents=True)
    commit_link(runner, name, tmp_path / "elsewhere")
    before = sandbox.dump()
    done = runner.action(TOKEN, command="apply", reviewed="none")
    assert done.code == 1
    assert f"{name} is a link in this checkout" in done.summary
    assert sandbox.dump() == before
    assert not list((tmp_path / "elsewhere").rglob("*.json"))
    assert not runner.hub.get("artifacts")


def test_the_token_of_the_workflow_is_in_no_environment_of_leadstate(runner: Runner) -> None:
    """A program that the configuration names sees all that leadstate sees; GH_TOKEN could also be the job's own."""
    runner.edit("{env: PIPEDRIVE_TOKEN}", "{command: [provide]}")
    runner.provide_token("env > $HOME/seen\ncat /proc/$PPID/environ >> $HOME/seen")
    secret = {"GITHUB_TOKEN": "workflow-token", "AWS_SECRET": "other-secret", "NAMED": "named-secret"}
    done = runner.action({**TOKEN, **secret}, env="NAMED")
    assert done.code == 0, done.log
    seen = (runner.home / "home" / "seen").read_text()
    assert "named-secret" in seen
    assert "workflow-token" not in seen
    assert "other-secret" not in seen


@pytest.mark.parametrize(
    ("account", "code"),
    [
        ("domain: acme\n    token: {env: GH_TOKEN}", "token-source-not-allowed"),
        ("domain: acme\n    token: {env: GITHUB_TOKEN}", "token-source-not-allowed"),
        ("domain: acme\n    token: {env: AWS_SECRET}", "token-source-not-allowed"),
        ("domain: acme\n    token: {file: /proc/self/environ}", "token-source-not-allowed"),
        ("domain: acme\n    token: {command: [env]}", "token-source-not-allowed"),
        ("url: https://evil.test\n    token: {env: PIPEDRIVE_TOKEN}", "host-not-allowed"),
        ("url: http://127.0.0.1:9\n    token: {env: PIPEDRIVE_TOKEN}", "host-not-allowed"),
    ],
)
def test_a_configuration_gets_no_other_secret_and_reaches_no_other_host(
    runner: Runner, account: str, code: str
) -> None:
    runner.env = {}
    runner.configuration.write_text(f"version: 1\naccounts:\n  a:\n    {account}\n")
    done = runner.action({**TOKEN, "AWS_SECRET": "other-secret"})
    assert done.code == 1
    assert code in done.summary
    everything = (
        done.log + done.summary + "".join(path.read_text() for path in (runner.home / "artifacts").rglob("*.json"))
    )
    assert not [secret for secret in ("workflow-token", "other-secret", "sandbox-token") if secret in everything]


def test_installing_runs_no_code_of_the_checkout(runner: Runner) -> None:
    """The step as it is, with a real Python: pip finds no package, and that is far enough."""
    for name in (
        "venv.py",
        "pip.py",
        "ensurepip.py",
        "sitecustomize.py",
        "runpy.py",
        "json.py",
        "gh.py",
        "leadstate.py",
    ):
        (runner.workspace / name).write_text(f"open({str(runner.home / 'pwned')!r}, 'w')\n")
    (runner.home / "bin" / "python").unlink()
    (runner.home / "bin" / "python").symlink_to(os.path.realpath(sys.executable))
    alone = {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull, "PYTHONPATH": str(runner.workspace)}
    runner.env = {**LOOPBACK, **alone}
    done = runner.action(TOKEN)
    assert "No matching distribution found" in done.log
    assert (runner.home / "temp" / "leadstate" / "bin" / "python").exists()
    assert not (runner.home / "pwned").exists()


def test_running_runs_no_code_of_the_checkout(runner: Runner) -> None:
    for name in ("gh.py", "inputs.py", "json.py", "leadstate.py", "click.py", "sitecustomize.py"):
        (runner.workspace / name).write_text(f"open({str(runner.home / 'pwned')!r}, 'w')\n")
    runner.env = {**LOOPBACK, "PYTHONPATH": str(runner.workspace)}
    assert on_pull_request(runner).code == 0
    assert not (runner.home / "pwned").exists()


def test_the_lengths_of_listings_are_kept_between_runs(runner: Runner) -> None:
    known = json.dumps({"acme": {"getLeads": 3}})
    (runner.home / "caches" / "leadstate-pages-leadstate-1-1").write_text(known)
    assert on_pull_request(runner).code == 0
    file = runner.home / "temp" / "leadstate-cache" / "leadstate" / "pages.json"
    assert file.read_text() == known
    assert len(list((runner.home / "caches").iterdir())) == 1, "nothing new to keep"
    longer = known.replace("3", "4")
    runner.edit("{env: PIPEDRIVE_TOKEN}", "{command: [provide]}")
    runner.provide_token(f"echo '{longer}' > $XDG_CACHE_HOME/leadstate/pages.json")
    assert on_pull_request(runner).code == 0
    assert (runner.home / "caches" / "leadstate-pages-leadstate-77-1").read_text().strip() == longer


def test_summary_and_comment_say_that_a_run_was_killed(runner: Runner) -> None:
    runner.edit("{env: PIPEDRIVE_TOKEN}", "{command: [provide]}")
    runner.provide_token("kill -9 $(ps -o ppid= -p $PPID) $PPID")
    done = on_pull_request(runner)
    assert done.code == -9
    assert "was ended before it wrote a report" in done.summary
    assert "was ended before it wrote a report" in runner.hub["comments"][0]["body"]


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
        assert runner.job(GITHUB / "drift.yml").code == 0
        (issue,) = runner.hub["issues"]
        assert (issue["title"], issue["state"]) == ("Pipedrive is not as declared", "open")
    assert runner.action(TOKEN, command="apply", reviewed="none").code == 0
    assert runner.job(GITHUB / "drift.yml").code == 0
    assert runner.hub["issues"][0]["state"] == "closed"


def test_a_configuration_error_is_annotated_at_its_line(runner: Runner) -> None:
    runner.edit("color: green", "color: grene")
    done = on_pull_request(runner)
    assert done.code == 1
    assert "::error file=leadstate.yaml" in done.log
    assert "grene" in runner.hub["comments"][0]["body"]


def test_a_configuration_that_does_not_exist_is_an_error_of_leadstate(runner: Runner) -> None:
    done = runner.action(TOKEN, command="apply", config="no/leadstate.yaml", reviewed="none")
    assert done.code == 1, done.log
    assert "the file does not exist" in done.summary
    assert "Traceback" not in done.log


def test_a_plan_with_changes_fails_if_asked_to(runner: Runner) -> None:
    done = runner.action(TOKEN, args="--detailed-exitcode --target 'label:Partner'")
    assert (done.code, done.outputs["exit-code"], done.outputs["changes"]) == (2, "2", "1")


@pytest.mark.parametrize("args", ["--config=crm", "--max-tokens 5 -c crm"])
def test_a_configuration_that_args_name_is_refused_as_its_lock_file_would_not_come_back(
    runner: Runner, args: str
) -> None:
    done = runner.action(TOKEN, args=args)
    assert done.code != 0
    assert "belongs into the input `config`" in done.log


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("command", "plan; touch pwned"),
        ("name", "$(touch pwned)"),
        ("args", "'unfinished"),
        ("args", "; touch pwned"),
        ("config", "$(touch${IFS}pwned)"),
        ("accounts", "`touch pwned`"),
        ("reviewed", "auto"),
        ("lock", "perhaps"),
        ("env", "$(touch pwned)"),
        ("env", "GITHUB_TOKEN"),
        ("env", "PIPEDRIVE_X Actions_Id_Token_Request_Token"),
        ("comment", "yes"),
    ],
)
def test_inputs_are_never_executed(runner: Runner, name: str, value: str) -> None:
    done = runner.action(TOKEN, **{name: value})
    assert not list(runner.home.rglob("pwned"))
    assert done.code
    assert "Traceback" not in done.log


def test_the_workflow_of_init_reads_the_named_token_variable(tmp_path: Path) -> None:
    assert Shell(tmp_path, {})("init", "--token-env", "ACME_TOKEN").returncode == 0
    text = (tmp_path / ".github" / "workflows" / "leadstate.yml").read_text()
    assert "ACME_TOKEN: ${{ secrets.ACME_TOKEN }}" in text
    assert "PIPEDRIVE_TOKEN" not in text
    for job in read(tmp_path / ".github" / "workflows" / "leadstate.yml")["jobs"].values():
        assert job["steps"][-1]["with"]["env"] == "ACME_TOKEN", "the action hands over PIPEDRIVE_* only"
