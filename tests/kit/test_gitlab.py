"""GitLab's jobs from a merge request to its apply: their scripts, with a real repository and a fake API of GitLab."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from leadstate.sandbox import Sandbox, running
from tests.harness.hub import EMPTY, LOCK, Hub, git
from tests.harness.workflow_runner import ROOT, Done, Runner, read

TEMPLATE = ROOT / "action" / "gitlab.yml"
TOKEN = {"PIPEDRIVE_TOKEN": "sandbox-token"}
ARTIFACTS = "/api/v4/projects/1/jobs/artifacts/refs"
ADD = ("labels:\n", "labels:\n  - {name: Partner, color: green}\n")


@dataclass
class Project:
    """A project: its repository, its jobs, and the artifacts that they have left.

    Attributes:
        hub: the repository, and the runner of scripts.
        sandbox: the account.
        api: address of the fake API.
        plans: merge request → the plan that its pipeline has stored.
        variables: CI/CD variables.
        answers: end of a path → what the fake API answers there, whatever it knows.
    """

    hub: Hub
    sandbox: Sandbox
    api: str
    plans: dict[int, bytes]
    asked: list[dict[str, str]]
    variables: dict[str, str] = field(default_factory=lambda: dict(TOKEN))
    answers: dict[str, bytes] = field(default_factory=dict)

    def job(self, name: str, message: str = "", **variables: str) -> Done:
        """Run a job of the template in the checkout, as the runner does; its artifacts replace what is there."""
        template = read(TEMPLATE)
        job: dict[str, Any] = template[name]
        while "extends" in job:
            job = {**template[job["extends"]], **{key: value for key, value in job.items() if key != "extends"}}
        runner = self.hub.runner
        lines = [*job["before_script"], *job["script"]]
        assert lines.pop(0).startswith("git clone")
        tools = runner.home / "opt"
        tools.mkdir(exist_ok=True)
        if not (tools / "leadstate").exists():
            (tools / "leadstate").symlink_to(ROOT)
        script = "\n".join(lines).replace("/opt", str(tools))
        commit = git(runner.workspace, "rev-parse", "HEAD")
        known = {
            "CI_API_V4_URL": self.api,
            "CI_COMMIT_BRANCH": "main",
            "CI_COMMIT_MESSAGE": message,
            "CI_COMMIT_SHA": commit,
            "CI_JOB_NAME": name,
            "CI_JOB_TOKEN": "job-token",
            "CI_JOB_URL": "https://gitlab.test/acme/crm/-/jobs/1",
            "CI_PROJECT_DIR": str(runner.workspace),
            "CI_PROJECT_ID": "1",
            "CI_PROJECT_PATH": "origin",
            "CI_SERVER_URL": f"file://{runner.home}",
            "XDG_CACHE_HOME": str(runner.workspace / ".leadstate-cache"),
        }
        known |= {"LEADSTATE_ALLOW_HOSTS": "127.0.0.1", **runner.env}
        return runner.run(script, {**template["variables"], **known, **self.variables, **variables})

    def apply_main(self, **variables: str) -> Done:
        """Check main out, and apply it without a reviewed plan."""
        self.hub.check_out("origin/main")
        return self.job("leadstate-apply", LEADSTATE_CI_REVIEWED="none", **variables)

    def merge_request(self, number: int, branch: str) -> Done:
        """Run the pipeline of a merge request; GitLab shows artifacts of pipelines that passed."""
        self.hub.check_out(f"origin/{branch}")
        done = self.job("leadstate-plan")
        file = self.hub.runner.workspace / "leadstate-run" / "plan.json"
        if done.code == 0 and file.exists():
            self.plans[number] = file.read_bytes()
        return done

    def merge(self, number: int, branch: str) -> str:
        """Merge it, check out what was merged, and return the message of the merge."""
        self.hub.check_out(self.hub.merge(number, branch))
        return f"Merge branch '{branch}' into 'main'\n\nSee merge request acme/crm!{number}"

    def labels(self) -> set[str]:
        """Return the names of the labels of the account."""
        return {label["name"] for label in self.sandbox.dump()["companies"][0]["labels"]}


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    plans: dict[int, bytes] = {}
    asked: list[dict[str, str]] = []
    answers: dict[str, bytes] = {}

    class Api(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append({"path": self.path, **{name.lower(): value for name, value in self.headers.items()}})
            beginning, end = f"{ARTIFACTS}%2Fmerge-requests%2F", "%2Fhead/raw/leadstate-run/plan.json"
            path, _, query = self.path.partition("?")
            found: bytes | None = None
            if told := [answer for end_of_path, answer in answers.items() if path.endswith(end_of_path)]:
                found = told[0]
            elif path.startswith("/storage/"):
                found = plans.get(int(path.removeprefix("/storage/")))
            elif path.startswith(beginning) and path.endswith(end) and query == "job=leadstate-plan":
                number = int(path.removeprefix(beginning).removesuffix(end))
                if number in plans:  # GitLab.com keeps artifacts elsewhere, too
                    self.send_response(302)
                    self.send_header("Location", f"/storage/{number}")
                    self.end_headers()
                    return
            elif path.endswith("/merge_requests") and self.headers["PRIVATE-TOKEN"] == "own-token":
                done = {"merge_commit_sha": None, "squash_commit_sha": None, "sha": path.split("/")[-2]}
                found = json.dumps([{"state": "merged", "iid": 7, **done}]).encode()
            self.send_response(404 if found is None else 200)
            self.end_headers()
            self.wfile.write(found or b"")

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  http.server's name
            pass

    sandbox = Sandbox("fresh")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
    hub = Hub(Runner(tmp_path, TOKEN), TEMPLATE)
    with running(sandbox.app) as url:
        text = (ROOT / "examples" / "quickstart" / "leadstate.yaml").read_text().replace("http://127.0.0.1:8765", url)
        text = text.replace("  - {name: Partner, color: green}\n", "").replace("[Hot, Partner]", "[Hot]")
        text = text.replace("{at_least: [Partner]}", "[Hot]")
        hub.begin(leadstate__yaml=text, **{LOCK.replace(".", "__"): EMPTY})
        git(hub.origin, "config", "receive.advertisePushOptions", "true")
        yield Project(hub, sandbox, f"http://127.0.0.1:{server.server_port}/api/v4", plans, asked, answers=answers)
    server.shutdown()
    server.server_close()


def test_a_merge_applies_the_plan_of_its_merge_request_and_pushes_the_lock_file(project: Project) -> None:
    project.variables["LEADSTATE_ACCOUNT"] = "main"  # a variable of all jobs, which the apply of a plan is given too
    project.hub.push("partner", *ADD)
    planned = project.merge_request(7, "partner")
    assert planned.code == 0, planned.log
    run = project.hub.runner.workspace / "leadstate-run"
    assert "Partner" in (run / "plan.html").read_text()

    applied = project.job("leadstate-apply", project.merge(7, "partner"))
    assert applied.code == 0, applied.log
    assert "Partner" in project.labels()
    assert {path.name for path in run.iterdir() if not path.name[:4].isdigit()} == {
        "apply.json",
        "apply.html",
        "reviewed.json",
        LOCK,
    }
    (receipt,) = (path for path in run.iterdir() if path.name[:4].isdigit())
    assert json.loads(receipt.read_text())["accounts"][0]["touched"]
    assert "label:Partner" in json.loads(project.hub.file(LOCK))["accounts"]["main"]
    assert git(project.hub.origin, "log", "-1", "--format=%s", "main") == f"Update {LOCK}"
    assert git(project.hub.runner.workspace, "status", "--porcelain", "--", "leadstate.yaml") == ""
    # The token goes to the API, and not to where that redirects.
    assert {request["path"].startswith("/api/"): request.get("job-token") for request in project.asked} == {
        True: "job-token",
        False: None,
    }
    project.hub.check_out("origin/main")
    assert project.job("leadstate-drift").code == 0


def test_without_a_reviewed_plan_a_person_looks_at_the_one_of_the_pipeline(project: Project) -> None:
    project.hub.push("partner", *ADD)
    message = project.merge(7, "partner")
    before = project.sandbox.dump()
    refused = project.job("leadstate-apply", message)
    assert refused.code == 3
    assert "Merge request !7 has stored no plan that can be read (GitLab answers 404)" in refused.log
    assert "leadstate-apply-planned" in refused.log
    assert project.sandbox.dump() == before
    assert project.job("leadstate-plan").code == 0
    applied = project.job("leadstate-apply-planned")
    assert applied.code == 0, applied.log
    assert "Partner" in project.labels()


def test_a_stale_plan_is_refused(project: Project) -> None:
    project.hub.push("partner", *ADD)
    assert project.merge_request(7, "partner").code == 0
    project.hub.push("partner", "name: Partner, color: green", "name: Partner, color: pink")
    message = project.merge(7, "partner")
    refused = project.job("leadstate-apply", message)
    assert refused.code == 3
    assert "Partner" not in project.labels()
    assert (project.hub.runner.workspace / "leadstate-run" / "apply.html").exists()


def test_a_commit_that_no_merge_request_has_made_is_not_applied(project: Project) -> None:
    project.hub.check_out("origin/main")
    for number in ("7, which was good", "9" * 5000):
        refused = project.job("leadstate-apply", f"Push to main\n\nSee merge request acme/crm!{number}")
        assert refused.code == 3
        assert "No merge request was found" in refused.log


def test_a_token_of_ones_own_finds_fast_forward_merges(project: Project) -> None:
    project.hub.push("partner", *ADD)
    assert project.merge_request(7, "partner").code == 0
    project.merge(7, "partner")
    done = project.job("leadstate-apply", "one more label", GITLAB_TOKEN="own-token")
    assert done.code == 0, done.log
    assert {request.get("private-token") for request in project.asked} == {"own-token", None}
    assert not [request for request in project.asked if "job-token" in request]


def test_a_token_that_gitlab_refuses_is_named(project: Project) -> None:
    project.hub.check_out("origin/main")
    done = project.job("leadstate-apply", GITLAB_TOKEN="expired")
    assert done.code == 3, done.log
    assert "GitLab does not say which merge request made" in done.log
    assert "GitLab answers 404" in done.log
    assert "Traceback" not in done.log
    assert "expired" not in done.log


def test_artifacts_are_there_when_a_guard_refuses_and_when_an_account_fails(project: Project) -> None:
    for job in ("leadstate-plan", "leadstate-apply", "leadstate-drift"):
        assert read(TEMPLATE)[job]["artifacts"]["when"] == "always"
    project.hub.push("partner", *ADD)
    page = project.hub.runner.workspace / "leadstate-run" / "plan.html"
    project.variables["LEADSTATE_MAX_TOKENS"] = "1"
    assert project.merge_request(7, "partner").code == 3
    assert "max-tokens" in page.read_text()
    project.variables = {"PIPEDRIVE_TOKEN": "wrong"}
    assert project.merge_request(7, "partner").code == 1
    assert "401" in page.read_text()


def test_a_pipeline_without_variables_checks_the_files_and_says_so(project: Project) -> None:
    project.hub.push("partner", *ADD)
    project.variables = {}
    done = project.merge_request(7, "partner")
    assert done.code == 0, done.log
    assert "There is no PIPEDRIVE_* variable, so the files are checked and not planned" in done.log
    project.hub.push("partner", "color: green", "color: grene")
    assert project.merge_request(7, "partner").code == 1


def test_leadstate_sees_no_token_of_gitlab(project: Project) -> None:
    project.hub.provide_token("env > $HOME/seen")
    project.hub.check_out("origin/main")
    done = project.job("leadstate-plan", GITLAB_TOKEN="own-token")
    assert done.code == 0, done.log
    seen = (project.hub.runner.home / "home" / "seen").read_text()
    assert "sandbox-token" in seen
    assert "job-token" not in seen
    assert "own-token" not in seen


@pytest.mark.parametrize("name", ["CI_JOB_TOKEN", "GITLAB_TOKEN", "gitlab_token"])
def test_a_variable_of_gitlab_cannot_be_named(project: Project, name: str) -> None:
    project.hub.check_out("origin/main")
    done = project.job("leadstate-plan", LEADSTATE_CI_ENV=f"OTHER {name}", GITLAB_TOKEN="own-token")
    assert done.code == 3, done.log
    assert f"LEADSTATE_CI_ENV names {name}, which belongs to GitLab" in done.log


@pytest.mark.parametrize("name", ["leadstate-run", ".leadstate", ".leadstate/receipts", LOCK])
def test_a_committed_link_leads_nowhere(project: Project, tmp_path: Path, name: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "mine").write_text("mine")
    link = project.hub.desk / name
    link.unlink(missing_ok=True)
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(elsewhere / "mine" if name == LOCK else elsewhere)
    project.hub.publish("link")
    done = project.apply_main()
    assert done.code == (0 if name == "leadstate-run" else 1), done.log
    assert {path.name for path in elsewhere.iterdir()} == {"mine"}
    assert (elsewhere / "mine").read_text() == "mine"


def test_a_configuration_that_does_not_exist_is_an_error_of_leadstate(project: Project) -> None:
    done = project.apply_main(LEADSTATE_CONFIG="no/leadstate.yaml")
    assert done.code == 1, done.log
    assert "error[file-missing]" in done.log
    assert "Traceback" not in done.log


def test_the_lock_entries_that_others_have_pushed_meanwhile_stay(project: Project) -> None:
    entry = {"other": {"label:X": "1b4e28ba-2fa1-11d2-883f-b9a761bde3fb"}}
    project.hub.lock_meanwhile(EMPTY.replace("{}", json.dumps(entry)))
    done = project.apply_main()
    assert done.code == 0, done.log
    assert set(json.loads(project.hub.file(LOCK))["accounts"]) == {"main", "other"}


def test_a_lock_file_that_cannot_be_pushed_fails_the_job_and_is_kept(project: Project) -> None:
    hook = project.hub.origin / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho 'not allowed to push' >&2\nexit 1\n")
    hook.chmod(0o755)
    done = project.apply_main()
    assert done.code == 1
    assert "not allowed to push" in done.log
    assert "Let job tokens push to the repository" in done.log
    assert "label:Hot" in (project.hub.runner.workspace / "leadstate-run" / LOCK).read_text()
    assert project.apply_main(LEADSTATE_CI_LOCK="off").code == 0


def test_a_branch_that_cannot_be_fetched_after_the_apply_fails_the_job_and_names_no_refusal(project: Project) -> None:
    project.hub.provide_token(f"mv {project.hub.origin} {project.hub.origin}.gone")
    done = project.apply_main()
    assert done.code == 1, done.log
    assert "The branch cannot be fetched: " in done.log
    assert f"{LOCK} could not be pushed; it is among the artifacts of this job." in done.log
    assert "label:Hot" in (project.hub.runner.workspace / "leadstate-run" / LOCK).read_text()


def test_a_lock_file_that_was_damaged_meanwhile_stays_as_it_is(project: Project) -> None:
    project.hub.lock_meanwhile("<<<<<<< HEAD")
    done = project.apply_main()
    assert done.code == 1, done.log
    assert f"{LOCK} was damaged by another commit while leadstate was running" in done.log
    assert "Traceback" not in done.log
    assert project.hub.file(LOCK) == "<<<<<<< HEAD"
    assert "label:Hot" in (project.hub.runner.workspace / "leadstate-run" / LOCK).read_text()


def test_a_committed_lock_file_that_is_missing_from_the_checkout_is_restored(project: Project) -> None:
    project.hub.check_out("origin/main")
    (project.hub.runner.workspace / LOCK).unlink()  # a sparse checkout has not written it
    done = project.job("leadstate-apply", LEADSTATE_CI_REVIEWED="none")
    assert done.code == 0, done.log
    assert "label:Hot" in json.loads(project.hub.file(LOCK))["accounts"]["main"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [(b"<html>Sign in</html>", "not a list of merge requests"), (b'{"message": "x"}', "not a list of merge requests")],
)
def test_an_answer_that_names_no_merge_requests_is_no_reviewed_plan(
    project: Project, answer: bytes, reason: str
) -> None:
    project.hub.check_out("origin/main")
    project.answers["/merge_requests"] = answer
    done = project.job("leadstate-apply", GITLAB_TOKEN="own-token")
    assert done.code == 3, done.log
    assert reason in done.log
    assert "Traceback" not in done.log


def test_a_gitlab_that_cannot_be_reached_is_named(project: Project) -> None:
    project.hub.push("partner", *ADD)
    message = project.merge(7, "partner")
    done = project.job("leadstate-apply", message, CI_API_V4_URL="http://127.0.0.1:1/api/v4")
    assert done.code == 3, done.log
    assert "Merge request !7 has stored no plan that can be read (GitLab cannot be reached: " in done.log
    assert "Traceback" not in done.log


def test_without_the_plan_of_the_pipeline_nothing_is_applied(project: Project) -> None:
    project.hub.check_out("origin/main")
    done = project.job("leadstate-apply-planned")
    assert done.code == 3, done.log
    assert "This pipeline has stored no plan (leadstate-run/plan.json)" in done.log
    assert "Traceback" not in done.log


def test_the_example_overrides_nothing_that_is_not_there() -> None:
    example = read(ROOT / "examples" / "gitlab" / ".gitlab-ci.yml")
    assert set(example) - {"stages", "include", "variables"} <= set(read(TEMPLATE))
    (included,) = example["include"]
    assert included["remote"].endswith("/leadstate/v1/action/gitlab.yml")
