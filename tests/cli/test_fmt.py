"""`fmt`: which files it writes, what it says, and what it leaves alone."""

import stat
from pathlib import Path

import pytest

from tests.cli.live import Shell

LOOSE = "version:   1\nlabels:\n- {name: 'Hot' , color: red}   # c\n"
TIDY = "version: 1\n\nlabels:\n  - {name: Hot, color: red}    # c\n"


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path, {})


def test_it_writes_and_names_what_it_changed(shell: Shell) -> None:
    shell.write(LOOSE)
    (shell.folder / "leadstate.yaml").chmod(0o640)
    done = shell("fmt")
    assert (done.returncode, done.stdout, done.stderr) == (0, "leadstate.yaml\n", "")
    assert (shell.folder / "leadstate.yaml").read_text() == TIDY
    assert stat.S_IMODE((shell.folder / "leadstate.yaml").stat().st_mode) == 0o640
    again = shell("fmt")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")


def test_check_writes_nothing(shell: Shell) -> None:
    shell.write(LOOSE, "b.yaml")
    shell.write(TIDY, "a.yaml")
    for words in (("-c", "."), ("-c", "a.yaml", "-c", "b.yaml")):
        done = shell("fmt", "--check", *words)
        assert (done.returncode, done.stdout, done.stderr) == (3, "b.yaml\n", "")
    assert (shell.folder / "b.yaml").read_text() == LOOSE
    assert shell("fmt", "--check", "-c", "a.yaml").returncode == 0


def test_diff_shows_the_patch(shell: Shell) -> None:
    shell.write(LOOSE)
    done = shell("fmt", "--check", "--diff")
    assert done.returncode == 3
    assert "--- leadstate.yaml\n+++ leadstate.yaml\n" in done.stdout
    assert "-version:   1\n+version: 1\n" in done.stdout
    assert (shell.folder / "leadstate.yaml").read_text() == LOOSE
    assert shell("fmt", "--diff").stdout == done.stdout
    assert (shell.folder / "leadstate.yaml").read_text() == TIDY


def test_a_broken_file_is_left_and_the_others_are_not(shell: Shell) -> None:
    broken = "labels:\n  - {name: 'Hot'\n"
    shell.write(LOOSE, "a.yaml")
    shell.write(broken, "b.yaml")
    done = shell("fmt", "-c", ".")
    assert (done.returncode, done.stdout) == (1, "a.yaml\n")
    assert "error[yaml-syntax]" in done.stderr
    assert "--> b.yaml:2:5" in done.stderr
    assert (shell.folder / "b.yaml").read_text() == broken
    assert shell("fmt", "--check", "-c", "missing.yaml").returncode == 1


def test_line_ends_go_and_a_byte_order_mark_stays(shell: Shell) -> None:
    path = shell.folder / "leadstate.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + TIDY.replace("\n", "\r\n").encode())
    assert shell("fmt").returncode == 0
    assert path.read_bytes() == b"\xef\xbb\xbf" + TIDY.encode()


def test_a_link_stays_a_link(shell: Shell) -> None:
    shell.write(LOOSE, "real.txt")
    (shell.folder / "leadstate.yaml").symlink_to("real.txt")
    assert shell("fmt").returncode == 0
    assert (shell.folder / "leadstate.yaml").is_symlink()
    assert (shell.folder / "real.txt").read_text() == TIDY


def test_a_read_only_file_is_left_and_said(shell: Shell) -> None:
    shell.write(LOOSE, "a.yaml")
    shell.write(LOOSE, "b.yaml")
    (shell.folder / "b.yaml").chmod(0o444)
    done = shell("fmt", "-c", ".")
    assert (done.returncode, done.stdout) == (1, "")
    assert "error[file] b.yaml is read-only" in done.stderr
    assert (shell.folder / "a.yaml").read_text() == LOOSE


def test_what_init_writes_is_laid_out(shell: Shell) -> None:
    assert shell("init").returncode == 0
    assert (shell("fmt", "--check").returncode, shell("validate").returncode) == (0, 0)
