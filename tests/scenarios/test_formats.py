"""Every format of every command that has a report: the same exit codes, the report alone on stdout."""

from pathlib import Path

import httpx
import pytest

from leadstate.api.session import Runtime
from leadstate.report import FORMATS
from leadstate.sandbox import Sandbox
from tests.harness.cli_in_process import Commands

CONFIGURATION = """\
version: 1
namespace: ns
accounts:
  emea:
    url: http://127.0.0.1:8765
    token: {{env: TOKEN}}
policy: {{prune: {{labels: {prune}}}, guards: {{max_deletes: 1}}}}
labels:
  - {{name: Hot, color: {color}}}
"""

BEGINNING = {
    "text": "",
    "json": "{",
    "markdown": "## leadstate ",
    "html": "<!doctype html>",
    "github": "",
    "sarif": "{",
    "junit": "<?xml",
    "terraform-json": '{"format_version":',
}


def write(shell: Commands, prune: str = "none", color: str = "red", folder: str = ".") -> None:
    shell.write(CONFIGURATION.format(prune=prune, color=color), f"{folder}/leadstate.yaml")


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    sandbox = Sandbox("drifted", burst=100_000, daily=None)
    transport = httpx.ASGITransport(sandbox.app)
    made = Commands(tmp_path, Runtime(environ={"TOKEN": "sandbox-token"}, transport=transport, receipts=tmp_path))
    write(made)
    return made


@pytest.mark.parametrize("form", FORMATS)
def test_exit_codes_are_the_same_in_every_format(shell: Commands, form: str) -> None:
    found = [shell("plan", "--detailed-exitcode", "--format", form)]
    write(shell, prune="all")
    found.append(shell("plan", "--format", form))
    found.append(shell("apply", "--auto-approve", "--format", form))
    write(shell, color="mauve")
    found.append(shell("validate", "--format", form))
    assert [result.returncode for result in found] == [2, 3, 3, 1]
    for result in found:
        assert result.stderr == ""
        assert result.stdout.lstrip().startswith(BEGINNING[form])
        assert result.stdout.endswith("\n")


@pytest.mark.parametrize("form", FORMATS)
def test_a_stored_plan_is_shown_unchanged(shell: Commands, form: str) -> None:
    first = shell("plan", "--out", "plan.json", "--format", form)
    assert shell("show", "plan.json", "--format", form).stdout == first.stdout


def test_a_receipt_is_shown_in_every_format(shell: Commands) -> None:
    assert shell("apply", "--auto-approve").returncode == 0
    (receipt,) = shell.folder.glob("*.json")
    for form in FORMATS:
        done = shell("show", str(receipt), "--format", form)
        assert (done.returncode, done.stderr) == (0, "")
        assert "applied" in done.stdout or form in {"sarif", "junit", "terraform-json"}, (
            "they tell what went wrong alone"
        )


def test_annotations_have_paths_of_the_repository_and_text_those_of_the_command(
    shell: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shell.folder / ".git").mkdir()
    write(shell, folder="ops/crm")
    monkeypatch.chdir(shell.folder / "ops" / "crm")
    assert "file=ops/crm/leadstate.yaml,line=9," in shell("plan", "--format", "github").stdout
    assert "`ops/crm/leadstate.yaml:9`" in shell("plan", "--format", "markdown").stdout
    assert " leadstate.yaml:9" in shell("plan").stdout
    assert "file=leadstate.yaml," in shell("plan", "-c", "../../leadstate.yaml", "--format", "github").stdout


def test_without_git_paths_start_at_the_workspace(shell: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_WORKSPACE", str(shell.folder.parent))
    assert f"file={shell.folder.name}/leadstate.yaml," in shell("plan", "--format", "github").stdout
