"""What the lock file makes known, and that losing it loses nothing but that."""

import json
from pathlib import Path

import pytest

from leadstate.api import lockfile as locking
from leadstate.sandbox import Sandbox
from tests.harness.cli_in_process import leadstate
from tests.harness.cli_process import Shell

HEAD = """\
version: 1
namespace: ns
accounts:
  emea:
    url: {url}
    token: {{env: TOKEN}}
    policy: {{prune: {{labels: {prune}}}}}
"""
LABELS = "labels:\n  - {name: Hot, color: red}\n  - {name: Ours, color: green}\n"
LEAD = "leads:\n  - {key: seed, title: Seed, person: 1, mode: seed}\n"


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox("fresh", burst=100_000, daily=None)


@pytest.fixture
def shell(tmp_path: Path, url: str) -> Shell:
    made = Shell(tmp_path, {"TOKEN": "sandbox-token"})
    made.write(HEAD.format(url=url, prune="none") + LABELS + LEAD)
    done = made("apply", "--auto-approve", "--lock")
    assert done.returncode == 0, done.stdout + done.stderr
    return made


def changes(shell: Shell) -> list[str]:
    report = json.loads(shell("plan", "--format", "json").stdout)
    return [f"{change['action']} {change['address']}" for change in report["accounts"][0]["changes"]]


def label_id(sandbox: Sandbox, name: str) -> str:
    return next(label.id for label in sandbox.companies[0].labels() if label.name == name)


def forget(shell: Shell) -> None:
    (shell.folder / "leadstate.lock.json").unlink()


def test_an_apply_with_lock_creates_the_file_and_no_lock_leaves_it(shell: Shell, sandbox: Sandbox) -> None:
    path = shell.folder / "leadstate.lock.json"
    entries = json.loads(path.read_text())["accounts"]["emea"]
    assert list(entries) == ["label:Hot", "label:Ours", "lead:seed"]
    assert entries["label:Ours"] == label_id(sandbox, "Ours")
    text = path.read_text()
    assert [line.strip().split(":")[0] for line in text.splitlines()].count('"label') == 2, "one entry a line"
    shell.write((shell.folder / "leadstate.yaml").read_text() + "  - {key: two, title: Two, person: 2}\n")
    assert shell("apply", "--auto-approve", "--no-lock").returncode == 0
    assert path.read_text() == text
    assert shell("lock").returncode == 0
    assert "lead:two" in path.read_text()


def test_an_apply_without_changes_creates_the_lock_file(shell: Shell) -> None:
    path = shell.folder / "leadstate.lock.json"
    text = path.read_text()
    path.unlink()
    assert shell("apply", "--auto-approve").returncode == 0
    assert not path.exists()
    assert shell("apply", "--lock").returncode == 0, "with nothing to do, nobody is asked"
    assert path.read_text() == text


@pytest.mark.parametrize(("color", "code"), [("pink", 4), ("red", 1)], ids=["after changes", "without changes"])
def test_an_unwritable_lock_file_keeps_report_and_receipt(
    shell: Shell, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, color: str, code: int
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    config = shell.folder / "leadstate.yaml"
    config.write_text(config.read_text().replace("Hot, color: red", f"Hot, color: {color}"))
    (shell.folder / "leadstate.lock.json").unlink()
    monkeypatch.chdir(shell.folder)
    monkeypatch.setattr(locking, "replace_file", full)
    before = set(Path(".leadstate/receipts").iterdir())
    ended, out, err = leadstate(
        sandbox, shell.environ, Path(".leadstate/receipts"), ("apply", "--auto-approve", "--lock")
    )
    assert ended == code
    assert "error[lock-file] leadstate.lock.json was not brought up to date: no space left on device" in err
    assert ("label:Hot" in out) == (color == "pink")
    receipts = set(Path(".leadstate/receipts").iterdir()) - before
    assert len(receipts) == (color == "pink")


def test_an_object_with_a_new_key_is_locked_under_it_only(shell: Shell, sandbox: Sandbox) -> None:
    config = shell.folder / "leadstate.yaml"
    config.write_text(config.read_text().replace("{name: Ours, color: green}", "{name: Ours, color: green, key: o}"))
    assert shell("lock").returncode == 0
    entries = json.loads((shell.folder / "leadstate.lock.json").read_text())["accounts"]["emea"]
    assert list(entries) == ["label:Hot", "label:o", "lead:seed"]
    sandbox.companies[0].update_label(entries["label:o"], {"name": "Theirs"})
    assert changes(shell) == ["update emea/label:o"]


def test_a_rename_in_pipedrive_is_recognised_with_a_lock_file(shell: Shell, sandbox: Sandbox) -> None:
    ours = label_id(sandbox, "Ours")
    sandbox.companies[0].update_label(ours, {"name": "Theirs"})
    assert changes(shell) == ["update emea/label:Ours"]
    forget(shell)
    assert changes(shell) == ["add emea/label:Ours"]
    done = shell("plan")
    assert "likely-rename" in done.stdout
    assert "'Theirs'" in done.stdout
    assert done.returncode == 0


def test_a_rename_in_pipedrive_and_in_the_file_keeps_the_label_and_is_locked_under_the_new_name(
    shell: Shell, sandbox: Sandbox, url: str
) -> None:
    ours = label_id(sandbox, "Ours")
    sandbox.companies[0].update_label(ours, {"name": "Ours (do not use)"})
    labels = LABELS.replace("{name: Ours,", "{name: Mine, previously: [Ours],")
    shell.write(HEAD.format(url=url, prune="locked") + labels + LEAD)
    assert changes(shell) == ["update emea/label:Mine"]
    assert shell("apply", "--auto-approve").returncode == 0
    entries = json.loads((shell.folder / "leadstate.lock.json").read_text())["accounts"]["emea"]
    assert (entries["label:Mine"], "label:Ours" in entries) == (ours, False)
    assert label_id(sandbox, "Mine") == ours


def test_prune_locked_deletes_objects_that_are_no_longer_declared(shell: Shell, sandbox: Sandbox, url: str) -> None:
    shell.write(HEAD.format(url=url, prune="locked") + "labels:\n  - {name: Hot, color: red}\n" + LEAD)
    assert changes(shell) == ["delete emea/label:Ours"]
    assert shell("apply", "--auto-approve").returncode == 0
    assert "Ours" not in (shell.folder / "leadstate.lock.json").read_text()
    assert {label.name for label in sandbox.companies[0].labels()} == {"Hot", "Warm", "Cold"}
    assert changes(shell) == []


def test_a_lost_lock_file_changes_no_result(shell: Shell) -> None:
    assert changes(shell) == []
    forget(shell)
    assert changes(shell) == []


@pytest.mark.parametrize("command", [("lock",), ("apply", "--lock", "--auto-approve")])
def test_an_account_that_cannot_be_read_makes_no_lock_file(shell: Shell, command: tuple[str, ...]) -> None:
    forget(shell)
    done = Shell(shell.folder, {"TOKEN": "wrong"})(*command)
    assert done.returncode == 1
    assert "leadstate.lock.json" not in done.stdout + done.stderr
    assert not (shell.folder / "leadstate.lock.json").exists()


@pytest.mark.parametrize(
    "text",
    ["", "{}", "<<<<<<< HEAD\n", '{"version": 1, "accounts": {"a": {"x": "y"}}}'],
)
def test_a_malformed_lock_file_is_an_error(shell: Shell, text: str) -> None:
    (shell.folder / "leadstate.lock.json").write_text(text)
    for command in ("plan", "apply", "lock"):
        done = shell(command)
        assert done.returncode == 1
        assert "error[lock-file]" in done.stderr
        assert "restore it from git; without one, remove it and run `leadstate lock`" in done.stderr
        assert "(adopted leads have to be imported again)" in done.stderr
