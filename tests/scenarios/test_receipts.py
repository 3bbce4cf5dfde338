"""The receipts of a folder: the latest one, the list of all, and one object of one."""

import json
import os
from pathlib import Path
from typing import Any

import httpx
import pytest

from leadstate.api.receipts import read_receipts
from leadstate.api.session import Runtime
from leadstate.sandbox import Sandbox
from tests.harness.cli_in_process import Commands
from tests.harness.cli_process import Shell
from tests.harness.disturbed_company import TOKEN, Ticks

HEAD = "version: 1\naccounts:\n  emea: {url: 'http://127.0.0.1:1', token: {env: TOKEN}}\n"
HEAD_OF_BOTH = HEAD + "  us: {url: 'http://127.0.0.1:2', token: {env: OTHER}}\n"
HOT = "labels:\n  - {name: Hot, color: red}\n"
BOTH = HOT + "  - {name: Cold, color: blue}\n"


@pytest.fixture
def sandbox() -> Sandbox:
    acme = {"token": TOKEN, "company": {"id": 1, "name": "Acme", "domain": "acme"}}
    other = {"token": "other", "company": {"id": 2, "name": "Other", "domain": "other"}}
    return Sandbox({"companies": [acme, other]}, daily=None)


@pytest.fixture
def shell(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("leadstate.cli.output.columns", lambda: 200)
    environ = {"TOKEN": TOKEN, "OTHER": "other"}
    # Each look at the clock is a second later, and so the names of receipts tell their order.
    return Commands(tmp_path, Runtime(environ=environ, transport=httpx.ASGITransport(sandbox.app), now=Ticks()))


def names(sandbox: Sandbox) -> set[str]:
    return {label.name for label in sandbox.companies[0].labels()}


def run(shell: Commands, *words: str, code: int = 0) -> str:
    done = shell(*words, *([] if "--list" in words else ["--auto-approve"]))
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout if "--list" in words else done.stderr


def receipts(shell: Commands) -> list[Path]:
    """Return the receipts, oldest first."""
    return [path.relative_to(shell.folder) for path in sorted(shell.folder.glob(".leadstate/receipts/*.json"))]


def two_applies(shell: Commands) -> None:
    for text in (HOT, BOTH):
        shell.write(HEAD + text)
        run(shell, "apply")


def listed(shell: Commands) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(run(shell, "restore", "--list", "--format", "json"))
    return rows


def test_without_a_receipt_the_latest_apply_is_undone_once(shell: Commands, sandbox: Sandbox) -> None:
    two_applies(shell)
    first, second = receipts(shell)
    said = run(shell, "restore")
    assert said.startswith(f"Latest receipt: {second} (20")
    assert " UTC, apply in emea: 1 added)\n" in said
    assert names(sandbox) == {"Hot"}
    assert f"Latest receipt: {second}" in run(shell, "restore"), "the receipt of a restore is not taken"
    assert names(sandbox) == {"Hot"}
    run(shell, "restore", first.name)
    assert names(sandbox) == set()


def test_the_list_tells_what_each_run_did_and_whether_it_can_be_undone(shell: Commands) -> None:
    two_applies(shell)
    run(shell, "restore")
    first, second, restore = receipts(shell)
    rows = listed(shell)
    assert [(row["receipt"], row["command"], row["done"]) for row in rows] == [
        (str(restore), "restore", {"deleted": 1}),
        (str(second), "apply", {"added": 1}),
        (str(first), "apply", {"added": 1}),
    ]
    assert [(row["undo"], row["detail"]) for row in rows] == [("yes", ""), ("done", f"by {restore.name}"), ("yes", "")]
    assert {tuple(row["accounts"]) for row in rows} == {("emea",)}
    heading, *lines = run(shell, "restore", "--list").splitlines()
    assert heading.split() == ["when", "(UTC)", "did", "undo", "accounts", "command", "receipt"]
    assert [line.rpartition(" ")[2] for line in lines] == [Path(row["receipt"]).name for row in rows]


def test_a_restore_that_leaves_something_as_it_is_has_undone_a_run_in_part(shell: Commands, sandbox: Sandbox) -> None:
    two_applies(shell)
    shell.write(HEAD + BOTH.replace("red", "green").replace("blue", "green"))
    run(shell, "apply")
    hot, _ = sandbox.companies[0].labels()
    sandbox.companies[0].update_label(hot.id, {"color": "pink"})
    run(shell, "restore")
    restore, changed, *_ = listed(shell)
    assert (restore["done"], changed["undo"]) == ({"updated": 1}, "in part")


def test_a_list_of_no_receipts_says_so(shell: Commands) -> None:
    shell.write(HEAD + HOT)
    done = shell("restore", "--list")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == f"There is no receipt in {Path('.leadstate', 'receipts')}.\n"
    refused = shell("restore")
    assert refused.returncode == 1
    assert "holds no receipt of an apply of emea" in refused.stderr


def test_a_receipt_that_was_edited_is_never_passed_over_for_an_older_one(shell: Commands, sandbox: Sandbox) -> None:
    two_applies(shell)
    _, second = receipts(shell)
    file = shell.folder / second
    file.write_text(file.read_text().replace("Cold", "Gold"))
    refused = shell("restore", "--auto-approve")
    assert refused.returncode == 1
    assert f"the latest receipt {second} cannot be used: the report was edited" in refused.stderr
    assert names(sandbox) == {"Hot", "Cold"}
    row = listed(shell)[0]
    assert (row["undo"], row["command"], row["done"]) == ("no", None, {})
    assert row["detail"].startswith("the report was edited")


def test_files_that_are_no_receipts_are_not_opened(shell: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    two_applies(shell)
    _, second = receipts(shell)
    folder = (shell.folder / second).parent
    (folder / "99991231T235959Z-00000000-1.json").symlink_to(shell.folder / second)
    os.mkfifo(folder / "99991231T235958Z-00000000-1.json")
    (folder / "99991331T235959Z-00000000-1.json").write_text("no day")
    (folder / "back.json").write_text("no receipt")
    shell.write("", str(second.parent / "99991231T235957Z-00000000-1.json"))
    rows = listed(shell)
    assert [row["detail"] for row in rows[:2]] == [
        "99991231T235959Z-00000000-1.json is not a regular file",
        "99991231T235958Z-00000000-1.json is not a regular file",
    ]
    assert rows[2]["undo"] == "no"
    assert len(rows) == 5
    monkeypatch.setattr("leadstate.api.receipts.LARGEST", 10)
    (large,) = read_receipts([shell.folder / second])
    assert large.problem == f"{second.name} is larger than 64 MiB"


def test_a_list_ends_after_fifty_receipts(shell: Commands) -> None:
    shell.write(HEAD + HOT)
    folder = shell.folder / ".leadstate" / "receipts"
    folder.mkdir(parents=True)
    for second in range(53):
        (folder / f"20261124T09{second:02}00Z-00000000-1.json").write_text("{}")
    done = shell("restore", "--list", "--format", "json")
    assert len(json.loads(done.stdout)) == 50
    assert "3 older receipts in .leadstate/receipts.\n" in done.stderr


def test_the_latest_receipt_is_of_the_chosen_accounts(shell: Commands, sandbox: Sandbox) -> None:
    shell.write(HEAD + HOT)
    run(shell, "apply")
    (first,) = receipts(shell)
    shell.write(HEAD_OF_BOTH + HOT)
    run(shell, "apply", "-a", "us")
    assert f"Latest receipt: {first}" in run(shell, "restore", "-a", "emea")
    assert names(sandbox) == set()
    shell.write(HEAD + HOT)
    assert [row["undo"] for row in listed(shell)] == ["yes", "no", "done"]


def test_one_object_of_a_run_is_restored(shell: Commands, sandbox: Sandbox) -> None:
    shell.write(HEAD + BOTH)
    run(shell, "apply")
    shell.write(HEAD + "labels:\n  - {name: Hot, state: absent}\n  - {name: Cold, state: absent}\n")
    run(shell, "apply")
    *_, deleting = receipts(shell)
    run(shell, "restore", "--target", "label:Hot")
    assert names(sandbox) == {"Hot"}
    run(shell, "restore", str(deleting), "--target", "label:Hot")
    assert names(sandbox) == {"Hot"}, "restoring it again is no error"
    unknown = shell("restore", str(deleting), "--target", "label:Warm")
    assert unknown.returncode == 64
    assert "nothing is declared or planned at label:Warm" in unknown.stderr
    assert shell("restore", str(deleting), "--target", "label:Cold", "--out", "back.json").returncode == 0
    assert shell("restore", "back.json").returncode == 64
    wide = shell("restore", str(deleting), "back.json", "--target", "label:Hot", "--auto-approve")
    assert wide.returncode == 64
    run(shell, "restore", str(deleting), "back.json")
    assert names(sandbox) == {"Hot", "Cold"}


def test_a_receipt_of_which_an_account_is_gone_can_be_undone_in_part(shell: Commands) -> None:
    shell.write(HEAD_OF_BOTH + HOT)
    run(shell, "apply")
    shell.write(HEAD + HOT)
    (row,) = listed(shell)
    assert (row["undo"], row["detail"]) == ("in part", "the configuration has no account us")


def test_a_receipt_that_is_about_none_of_the_chosen_accounts_says_so(shell: Commands) -> None:
    shell.write(HEAD + HOT)
    run(shell, "apply")
    (applied,) = receipts(shell)
    shell.write(HEAD_OF_BOTH + HOT)
    for words in (("-a", "us"), ("--target", "us/label:Hot")):
        done = shell("restore", str(applied), *words)
        assert done.returncode == 1
        assert "the receipt is about emea, and about none of the chosen accounts" in done.stderr


def test_the_shell_completes_receipts(shell: Commands) -> None:
    two_applies(shell)
    words = {"_LEADSTATE_COMPLETE": "bash_complete", "COMP_WORDS": "leadstate restore .leadstate/", "COMP_CWORD": "2"}
    done = Shell(shell.folder, words)()
    assert done.stdout.splitlines() == [f"plain,{path}" for path in reversed(receipts(shell))]


@pytest.mark.parametrize(
    "words", [("x.json", "--list"), ("--list", "--out", "y.json"), ("--list", "--format", "sarif")]
)
def test_a_list_takes_no_receipt(words: tuple[str, ...], shell: Commands) -> None:
    shell.write(HEAD + HOT)
    shell.write("{}", "x.json")
    assert shell("restore", *words).returncode == 64


def test_a_narrow_list_keeps_what_was_done_whether_it_can_be_undone_and_the_name(
    shell: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.getpid", lambda: 12_345)  # receipts are named after it, and a short one leaves more room
    two_applies(shell)
    first, second = receipts(shell)
    monkeypatch.setattr("leadstate.cli.output.columns", lambda: 80)
    done = shell("restore", "--list")
    lines = done.stdout.splitlines()
    assert (done.returncode, [line.rsplit(" ", 1)[1] for line in lines[1::2]]) == (0, [second.name, first.name])
    assert lines[0].split() == ["when", "(UTC)", "did", "undo", "accounts", "receipt"]
    assert max(map(len, lines)) <= 80
    assert done.stderr == "Too narrow for command: `--format json` or `-o FILE` writes all columns.\n"


def undo(shell: Commands, receipt: Path) -> tuple[str, str]:
    """Return what the list says of undoing a receipt."""
    return next((row["undo"], row["detail"]) for row in listed(shell) if row["receipt"] == str(receipt))


def test_a_run_is_undone_once_restores_have_covered_all_its_accounts(shell: Commands) -> None:
    shell.write(HEAD_OF_BOTH + HOT)
    run(shell, "apply")
    (applied,) = receipts(shell)
    run(shell, "restore", "-a", "us")
    *_, first = receipts(shell)
    assert undo(shell, applied) == ("in part", f"by {first.name}")
    run(shell, "restore")
    *_, second = receipts(shell)
    assert undo(shell, applied) == ("done", f"by {second.name}, {first.name}")


def test_a_run_is_undone_in_part_by_a_restore_of_one_object(shell: Commands) -> None:
    shell.write(HEAD + BOTH)
    run(shell, "apply")
    (applied,) = receipts(shell)
    run(shell, "restore", "--target", "label:Hot")
    *_, partial = receipts(shell)
    assert undo(shell, applied) == ("in part", f"by {partial.name}")
    run(shell, "restore")
    assert undo(shell, applied)[0] == "done"


def test_a_run_is_undone_in_part_by_a_restore_that_failed_in_an_account(
    shell: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.write(HEAD_OF_BOTH + HOT)
    run(shell, "apply")
    (applied,) = receipts(shell)
    with monkeypatch.context() as patch:
        patch.setitem(shell.runtime.environ, "OTHER", "wrong")
        run(shell, "restore", code=4)
    assert undo(shell, applied)[0] == "in part"
    run(shell, "restore")
    assert undo(shell, applied)[0] == "done"


def test_a_restore_that_was_undone_does_not_count(shell: Commands) -> None:
    shell.write(HEAD + HOT)
    run(shell, "apply")
    run(shell, "restore")
    applied, restored = receipts(shell)
    run(shell, "restore", restored.name)
    assert (undo(shell, applied), undo(shell, restored)[0]) == (("yes", ""), "done")
    *_, last = receipts(shell)
    run(shell, "restore", last.name)
    assert (undo(shell, applied)[0], undo(shell, restored)[0], undo(shell, last)[0]) == ("done", "yes", "done")


def test_a_restore_names_the_accounts_that_the_configuration_has_no_more(shell: Commands) -> None:
    shell.write(HEAD_OF_BOTH + HOT)
    run(shell, "apply")
    (applied,) = receipts(shell)
    done = shell("restore", "-a", "emea", "--auto-approve")
    assert (done.returncode, "account-not-restored" in done.stdout) == (0, False), "the accounts were chosen"
    shell.write(HEAD + HOT)
    done = shell("restore", applied.name, "--auto-approve")
    said = "warning[account-not-restored] the configuration has no account us, which the receipt is about"
    assert (done.returncode, said in done.stdout) == (0, True), done.stdout
