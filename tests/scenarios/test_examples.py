"""Each example does what its README says, command by command, against the sandbox that the README starts."""

import re
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from leadstate.sandbox import Sandbox, running
from tests.harness.cli_process import Shell

EXAMPLES = Path(__file__).parents[2] / "examples"
ADDRESS = "http://127.0.0.1:8765"


def commands(readme: str) -> tuple[list[str], dict[str, str], list[list[str]]]:
    """The words of `leadstate sandbox`, what is exported, and the other commands, in order."""
    lines = [line.strip() for line in readme.splitlines() if line.startswith("    ")]
    calls = [shlex.split(line)[1:] for line in lines if line.startswith("leadstate ")]
    exported = dict(re.findall(r"(PIPEDRIVE_\w+)=(\S+)", readme))
    return calls[0], exported, calls[1:]


def local(folder: Path, url: str) -> None:
    """Point the copy at a free port: the example's own may be taken."""
    for file in folder.glob("*.yaml"):
        file.write_text(file.read_text().replace(ADDRESS, url))


def stories() -> list[str]:
    """The examples that are told with commands. tests/kit runs those of CI systems, tests/docs that in Python."""
    readmes = (path for path in EXAMPLES.glob("*/README.md") if path.parent.name not in ("python", "dagster"))
    return sorted(path.parent.name for path in readmes if "leadstate sandbox" in path.read_text())


@pytest.mark.parametrize("name", stories())
def test_an_example_does_what_its_readme_says(name: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    shutil.copytree(EXAMPLES / name, folder)
    serve, exported, calls = commands((folder / "README.md").read_text())
    assert serve[0] == "sandbox"
    seed = str(folder / serve[2]) if serve[1:2] == ["--seed"] else "fresh"
    with running(Sandbox(seed).app) as url:
        local(folder, url)
        assert _run(folder, exported, calls), "the README has no plan, apply, plan"


def test_every_example_is_run() -> None:
    assert {path.name for path in EXAMPLES.iterdir()} == {
        *stories(),
        "atlantis",
        "dagster",
        "github",
        "gitlab",
        "kubernetes",
        "python",
        "spacelift",
    }


def _run(folder: Path, exported: Mapping[str, str], calls: list[list[str]]) -> bool:
    shell = Shell(folder, exported)
    for words in calls:
        approved = ["--auto-approve"] if words[0] == "apply" else []
        done = shell(*words, *approved)
        assert done.returncode == 0, done.stdout + done.stderr
    assert shell("validate", *(calls[-1][1:])).returncode == 0
    return calls[-1][0] == "plan" and "No changes." in done.stdout
