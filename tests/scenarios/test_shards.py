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

EXAMPLE = Path(__file__).parents[2] / "examples" / "shards"
ADDRESS = "http://127.0.0.1:8765"
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


def github(text: str, shard: int) -> str:
    """A text with GitHub's expressions put in."""
    known = {"matrix.shard": str(shard), "strategy.job-total": str(SHARDS)}
    return re.sub(r"\$\{\{ (.+?) \}\}", lambda found: known[found[1]], text)


def test_a_github_matrix(jobs: Jobs) -> None:
    workflow = jobs.definition("github.yml")
    job = workflow["jobs"]["shard"]
    assert job["strategy"]["matrix"]["shard"] == [1, 2, 3]
    assert set(workflow["env"]) == {name for name in jobs.environ if name.startswith("PIPEDRIVE_")}
    (plan,) = [step["run"] for step in job["steps"] if "leadstate plan" in step.get("run", "")]
    for shard in range(1, SHARDS + 1):
        environ = {name: github(value, shard) for name, value in job["env"].items()}
        jobs.run(github(plan, shard), environ)
    jobs.judge()
    (report,) = [step["run"] for step in workflow["jobs"]["report"]["steps"] if "show" in step.get("run", "")]
    jobs.run(report, {"GITHUB_STEP_SUMMARY": "summary.md"})
    assert "nordics" in (jobs.folder / "summary.md").read_text()


def gitlab(text: str, given: Mapping[str, str]) -> str:
    """A variable's text with GitLab's variables put in."""
    return re.sub(r"\$(\w+)", lambda found: given[found[1]], text)


def test_gitlab_parallel(jobs: Jobs) -> None:
    pipeline = jobs.definition("gitlab.yml")
    job = pipeline["shard"]
    assert job["parallel"] == SHARDS
    for shard in range(1, SHARDS + 1):
        given = {"CI_NODE_INDEX": str(shard), "CI_NODE_TOTAL": str(SHARDS)}
        given |= {"CI_COMMIT_BRANCH": "a-branch", "CI_DEFAULT_BRANCH": "main"}
        expanded = {name: gitlab(text, given) for name, text in job["variables"].items()}
        jobs.run("\n".join(job["script"]), given | expanded)
    jobs.judge()
    jobs.run("\n".join(pipeline["report"]["script"]), {})
    assert "nordics" in (jobs.folder / "report.md").read_text()


def test_a_kubernetes_indexed_job(jobs: Jobs) -> None:
    spec = jobs.definition("kubernetes.yml")["spec"]
    assert (spec["completionMode"], spec["completions"]) == ("Indexed", SHARDS)
    (container,) = spec["template"]["spec"]["containers"]
    assert container["command"] == ["sh", "-c"]
    environ = {one["name"]: one["value"] for one in container["env"]} | {"REPORTS": "."}
    assert environ["SHARDS"] == str(SHARDS)
    for index in range(SHARDS):
        jobs.run(container["args"][0], {**environ, "JOB_COMPLETION_INDEX": str(index)})
    jobs.judge()
