"""Where results go, and how files are replaced."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from leadstate.api.files import PUBLIC, replace_file
from leadstate.cli.main import cli
from leadstate.cli.output import say
from leadstate.model.diagnostics import Diagnostic, Severity


def test_a_file_is_replaced_atomically(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old, and longer")
    path.chmod(0o644)
    replace_file(path, "new")
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    replace_file(path, iter(["in ", "pieces"]), mode=PUBLIC)
    assert path.read_text() == "in pieces"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    replace_file(path, b"\xff")
    assert path.read_bytes() == b"\xff"
    assert os.listdir(tmp_path) == ["file"]  # noqa: PTH208  hidden files too


def test_a_failed_write_keeps_the_old_file_and_leaves_no_other(tmp_path: Path) -> None:
    def full() -> Iterator[str]:
        yield "half"
        raise OSError(28, "No space left on device")

    (tmp_path / "file").write_text("old")
    with pytest.raises(OSError, match="No space"):
        replace_file(tmp_path / "file", full())
    assert (tmp_path / "file").read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]  # noqa: PTH208  as above


def test_a_file_that_cannot_be_replaced_is_named_and_not_the_temporary_one(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    for path, raised in ((tmp_path / "gone" / "file", FileNotFoundError), (tmp_path / "file", IsADirectoryError)):
        with pytest.raises(raised) as failure:
            replace_file(path, "new")
        assert str(failure.value).endswith(f" directory: '{path}'")


def test_a_written_file_replaces_a_link(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("theirs")
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in (".file.part", "file.part", ".file.tmp", "file"):
        (folder / name).symlink_to(elsewhere)
    replace_file(folder / "file", "ours")
    assert elsewhere.read_text() == "theirs"
    assert not (folder / "file").is_symlink()
    assert (folder / "file").read_text() == "ours"


@pytest.mark.parametrize("choice", ["never", "always"])
def test_the_headings_of_the_demo_are_coloured_as_chosen(choice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leadstate.cli.commands.demo.STORY", ())
    done = CliRunner().invoke(cli, ["demo", "--color", choice], color=True)
    assert done.exit_code == 0
    assert ("\x1b[" in done.output) == (choice == "always")


def test_equal_errors_are_said_once_and_name_every_account(capsys: pytest.CaptureFixture[str]) -> None:
    accounts = [f"a{number}" for number in range(12)]
    say(
        Diagnostic("unauthorized", Severity.ERROR, "bad token", hint="get one", account=account) for account in accounts
    )
    assert capsys.readouterr().err == f"error[unauthorized] {', '.join(accounts)}: bad token\n  = get one\n"
