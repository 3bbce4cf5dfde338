"""Each example does what its README says, command by command, against the sandbox that the README starts."""

import re
import shlex
import shutil
from pathlib import Path

import httpx
import pytest

from leadstate.api.session import Runtime
from leadstate.sandbox import Sandbox
from tests.harness.cli_in_process import Commands

EXAMPLES = Path(__file__).parents[2] / "examples"


def commands(readme: str) -> tuple[list[str], dict[str, str], list[list[str]]]:
    """The words of `leadstate sandbox`, what is exported, and the other commands, in order."""
    lines = [line.strip() for line in readme.splitlines() if line.startswith("    ")]
    calls = [shlex.split(line)[1:] for line in lines if line.startswith("leadstate ")]
    exported = dict(re.findall(r"(PIPEDRIVE_\w+)=(\S+)", readme))
    return calls[0], exported, calls[1:]


def stories() -> list[str]:
    """The examples that are told with commands. tests/kit runs those of CI systems, tests/docs that in Python."""
    readmes = (path for path in EXAMPLES.glob("*/README.md") if path.parent.name not in ("python", "dagster"))
    return sorted(path.parent.name for path in readmes if "leadstate sandbox" in path.read_text())


@pytest.mark.parametrize("name", stories())
def test_an_example_does_what_its_readme_says(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / name
    shutil.copytree(EXAMPLES / name, folder)
    monkeypatch.chdir(folder)
    serve, exported, calls = commands((folder / "README.md").read_text())
    assert serve[0] == "sandbox"
    sandbox = Sandbox(serve[2] if serve[1:2] == ["--seed"] else "fresh")
    leadstate = Commands(folder, Runtime(environ=exported, transport=httpx.ASGITransport(sandbox.app)))
    for words in calls:
        done = leadstate(*words, *(["--auto-approve"] if words[0] == "apply" else []))
        assert done.returncode == 0, done.stdout + done.stderr
    assert calls[-1][0] == "plan", "the README does not end with a plan"
    assert "No changes." in done.stdout
    assert leadstate("validate", *calls[-1][1:]).returncode == 0


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
