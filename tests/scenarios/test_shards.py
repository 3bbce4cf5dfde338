"""The jobs of examples/shards, as GitHub, GitLab and Kubernetes would start them: a process each, then `show`."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from leadstate.sandbox import Sandbox, running
from tests.harness.workflow_runner import REPOSITORY, ROOT, Runner, read

EXAMPLE = Path(__file__).parents[2] / "examples" / "shards"
ADDRESS = "http://127.0.0.1:8765"
LOOPBACK = {"LEADSTATE_ALLOW_HOSTS": "127.0.0.1"}
SHARDS = 3
NAMES = ["apac", "dach", "emea", "iberia", "nordics", "us"]


class Jobs:
    """A checkout of the example, its sandbox, and a shell that knows `leadstate`."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        text = (folder / "leadstate.yaml").read_text()
        (folder / "leadstate.yaml").write_text(text.replace(ADDRESS, url))
        bin_ = folder / "bin"
        bin_.mkdir()
        (bin_ / "leadstate").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m leadstate "$@"\n')
        (bin_ / "leadstate").chmod(0o755)
        root = Path(__file__).parents[2]
        tokens = {f"PIPEDRIVE_TOKEN_{name.upper()}": f"sandbox-{name}" for name in NAMES}
        self.environ = {"PATH": f"{bin_}:/usr/bin:/bin", "PYTHONPATH": str(root), "HOME": str(folder), **tokens}

    def definition(self, name: str) -> Any:
        """A file of the example as data."""
        return YAML(typ="safe").load(EXAMPLE / name)

    def run(self, script: str, environ: Mapping[str, str]) -> str:
        """Run a job's script to its end; what it said."""
        done = subprocess.run(
            ["sh", "-ec", script],
            cwd=self.folder,
            env={**self.environ, **environ},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def judge(self) -> None:
        """Each account is in one report, and `show` makes one of all."""
        files = sorted(self.folder.glob("shard-*.json"))
        assert len(files) == SHARDS
        each = [[account["account"] for account in json.loads(file.read_text())["accounts"]] for file in files]
        assert sorted(name for names in each for name in names) == NAMES
        assert all(each), "a shard has nothing to do"
        shown = self.run("leadstate show shard-*.json --format json -o all.json", {})
        assert shown == "", "all shards are there"
        together = json.loads((self.folder / "all.json").read_text())
        assert [account["account"] for account in together["accounts"]] == NAMES
        assert together["summary"]["update"] == 3


@pytest.fixture
def jobs(tmp_path: Path) -> Any:
    folder = tmp_path / "shards"
    shutil.copytree(EXAMPLE, folder)
    with running(Sandbox(str(folder / "sandbox.json")).app) as url:
        yield Jobs(folder, url)


def test_a_github_matrix_runs_all_shards(tmp_path: Path) -> None:
    """A pull request whose plan each job makes a part of, and its merge, which applies those parts."""
    secrets = {f"PIPEDRIVE_TOKEN_{name.upper()}": f"sandbox-{name}" for name in NAMES}
    runner = Runner(tmp_path, secrets, env=LOOPBACK)
    with running(Sandbox(str(EXAMPLE / "sandbox.json")).app) as url:
        text = (EXAMPLE / "leadstate.yaml").read_text().replace(ADDRESS, url)
        (runner.workspace / "leadstate.yaml").write_text(text)
        head = {"sha": "b" * 40, "repo": {"full_name": REPOSITORY}}
        pull = {"number": 7, "head": head, "user": {"login": "ann"}}
        runner.event_name, runner.event = "pull_request", {"pull_request": pull}
        planned = runner.job(EXAMPLE / "github.yml")
        assert planned.code == 0, planned.log
        assert planned.summary.count("# leadstate plan") == SHARDS + 1
        assert all(name in planned.summary for name in NAMES)
        assert len(runner.hub["comments"]) == SHARDS

        merged = {**pull, "merged_at": "2026-11-24T09:05:00Z", "merge_commit_sha": runner.sha}
        runner.teach(merged={runner.sha: [merged]})
        runner.event_name, runner.event, runner.run_id = "push", {}, 78
        applied = runner.job(EXAMPLE / "github.yml")
        assert applied.code == 0, applied.log
        assert runner.action(secrets).outputs["changes"] == "0"


def test_gitlab_parallel_runs_all_shards(tmp_path: Path) -> None:
    """The plans of parallel jobs, the report of all, and the applies of those plans."""
    secrets = {f"PIPEDRIVE_TOKEN_{name.upper()}": f"sandbox-{name}" for name in NAMES}
    runner = Runner(tmp_path, secrets)
    template, pipeline = read(ROOT / "action" / "gitlab.yml"), read(EXAMPLE / "gitlab.yml")

    def job(name: str, shard: int) -> None:
        known = {"CI_NODE_INDEX": str(shard), "CI_NODE_TOTAL": str(SHARDS), "CI_SERVER_URL": "", "CI_JOB_TOKEN": ""}
        given = {key: re.sub(r"\$(\w+)", lambda found: known[found[1]], text) for key, text in variables(name).items()}
        (script,) = pipeline[name].get("script") or template[name]["script"]
        script = script.replace("/opt/venv/bin/", "").replace("/opt/leadstate", str(ROOT))
        done = runner.run(script, {**template["variables"], **secrets, **known, **given, **LOOPBACK})
        assert done.code == 0, done.log

    def variables(name: str) -> dict[str, str]:
        return dict(pipeline[name].get("variables", {}))

    with running(Sandbox(str(EXAMPLE / "sandbox.json")).app) as url:
        text = (EXAMPLE / "leadstate.yaml").read_text().replace(ADDRESS, url)
        (runner.workspace / "leadstate.yaml").write_text(text)
        artifacts = tmp_path / "kept"
        for shard in range(1, SHARDS + 1):
            job("leadstate-plan", shard)
            shutil.copytree(runner.workspace / "leadstate-run", artifacts, dirs_exist_ok=True)
        assert pipeline["leadstate-plan"]["parallel"] == SHARDS
        for name, needs in (("report", "leadstate-plan"), ("leadstate-apply-planned", "leadstate-plan")):
            assert {**template.get(name, {}), **pipeline[name]}["needs"] == [needs]
        for shard in range(1, SHARDS + 1):
            shutil.rmtree(runner.workspace / "leadstate-run")
            shutil.copytree(artifacts, runner.workspace / "leadstate-run")
            if shard == 1:
                job("report", 0)
                assert "nordics" in (runner.workspace / "report.html").read_text()
            job("leadstate-apply-planned", shard)
        assert runner.run("leadstate plan --detailed-exitcode", {**secrets, **LOOPBACK}).code == 0


def test_a_kubernetes_indexed_job_runs_all_shards(jobs: Jobs) -> None:
    spec = jobs.definition("kubernetes.yml")["spec"]
    assert (spec["completionMode"], spec["completions"]) == ("Indexed", SHARDS)
    (container,) = spec["template"]["spec"]["containers"]
    assert container["command"] == ["sh", "-c"]
    environ = {variable["name"]: variable["value"] for variable in container["env"]} | {"REPORTS": "."}
    assert environ["SHARDS"] == str(SHARDS)
    for index in range(SHARDS):
        jobs.run(container["args"][0], {**environ, "JOB_COMPLETION_INDEX": str(index)})
    jobs.judge()
