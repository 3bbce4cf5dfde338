"""What is released, as it is built: metadata, content, and the demo of an installed wheel. More: `make dist`."""

import os
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

import leadstate
from tests.harness.hub import Hub, git
from tests.harness.workflow_runner import ROOT, Runner, read


def python(*words: str | Path, cwd: Path = ROOT, program: str | Path = sys.executable) -> str:
    clean = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run([program, *words], cwd=cwd, env=clean, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the sdist, and the wheel that was made of the sdist."""
    folder = tmp_path_factory.mktemp("dist")
    python("-m", "build", "--no-isolation", "--outdir", folder)
    return folder


@pytest.mark.parametrize("goal", ["demo", "test"])
def test_make_advises_a_command_that_takes_another_python(goal: str, tmp_path: Path) -> None:
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    old = tmp_path / "python"
    old.write_text(f"#!/bin/sh\nexec '{sys.executable}' -c \"import sys; sys.version_info = (3, 9); $2\"\n")
    old.chmod(0o755)
    words = ["make", goal, f"PYTHON={old}"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert f"try make {goal} PYTHON=python3.12\n" in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_the_metadata_is_valid_for_a_package_index(built: Path) -> None:
    python("-m", "twine", "check", "--strict", *built.iterdir())


def test_the_wheel_holds_the_package_and_nothing_else(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (metadata,) = (archive.read(name).decode() for name in names if name.endswith(".dist-info/METADATA"))
    assert f"\nVersion: {leadstate.__version__}\n" in metadata
    ours = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "leadstate").rglob("*")
        if path.is_file() and not any(part.startswith((".", "__pycache__")) for part in path.relative_to(ROOT).parts)
    }
    assert {"leadstate/py.typed", "leadstate/cli/starter/workflow.yml"} <= ours
    assert {name for name in names if ".dist-info/" not in name} == ours
    assert any(name.endswith("/licenses/LICENSE") for name in names)


def test_the_sdist_holds_sources_and_tests_only(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {
        "action.yml",
        "action/gitlab.yml",
        "tests/harness/workflow_runner.py",
        "CHANGELOG.md",
        "Makefile",
        "constraints.txt",
    } <= names
    assert not [name for name in names if "node_modules" in name or name.startswith((".venv", ".ci", "dist"))]


def test_an_installed_wheel_shows_its_version_and_runs_the_demo(built: Path, tmp_path: Path) -> None:
    python("-m", "venv", "--without-pip", tmp_path / "venv")
    (site,) = (tmp_path / "venv").glob("lib/python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    (wheel,) = built.glob("*.whl")
    inside = tmp_path / "venv" / "bin" / "python"
    python("-m", "pip", "--python", inside, "install", "--quiet", "--no-deps", "--no-index", wheel)
    told = python("-c", "import leadstate; print(leadstate.__file__)", cwd=tmp_path, program=inside)
    assert told.startswith(str(site))
    command = tmp_path / "venv" / "bin" / "leadstate"
    assert python("--version", cwd=tmp_path, program=command) == f"leadstate {leadstate.__version__}\n"
    assert "No changes." in python("demo", cwd=tmp_path, program=command)


def test_a_wheel_without_its_extra_says_which_one_the_demo_needs() -> None:
    code = "import sys; sys.modules['uvicorn'] = None; from leadstate.cli.main import main; main()"
    done = subprocess.run([sys.executable, "-c", code, "demo"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "Error: the sandbox needs uvicorn: install leadstate with its extra, leadstate[sandbox]\n"


def test_every_dependency_has_a_lowest_version() -> None:
    bounds = python(ROOT / "tools" / "lowest.py").split()
    assert any(line.startswith("pydantic==") for line in bounds)
    assert all(line.count("==") == 1 for line in bounds)


def test_the_changelog_of_the_next_release_can_be_built() -> None:
    text = python("-m", "towncrier", "build", "--draft", "--version", "9.9.9", "--date", "2026-11-24")
    assert text.startswith("## 9.9.9 (2026-11-24)\n")
    fragments = [path for path in (ROOT / "changelog.d").glob("*.md") if path.name != "README.md"]
    assert text.count("\n- ") == len(fragments), "a file has another name than changelog.d/README.md says"


def test_the_classifiers_are_the_pythons_of_ci() -> None:
    project = (ROOT / "pyproject.toml").read_text()
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    told = [line.split("::")[-1].strip(' ",') for line in project.splitlines() if "Python :: 3." in line]
    assert 'python: ["' + '", "'.join(told) + '"]' in workflow


def test_a_release_moves_the_tag_that_workflows_name(tmp_path: Path) -> None:
    hub = Hub(Runner(tmp_path, {}), ROOT)
    hub.begin(file="first")
    (step,) = read(ROOT / ".github" / "workflows" / "release.yml")["jobs"]["move-v1"]["steps"]
    for text in ("second", "third"):
        hub.push("main", (hub.desk / "file").read_text(), text, "file")
        commit = git(hub.origin, "rev-parse", "main")
        done = hub.runner.run(step["run"], {"GH_TOKEN": "workflow-token", "GITHUB_SHA": commit})
        assert done.code == 0, done.log
        assert git(hub.origin, "rev-parse", "v1") == commit
