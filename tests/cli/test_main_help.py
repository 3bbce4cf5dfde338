"""Help, and messages of a command line that is not understood."""

from pathlib import Path

import pytest

from tests.harness.cli_process import Shell


@pytest.fixture(name="shell")
def _shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path, {"COLUMNS": "100"})


def test_a_mistyped_command_suggests_another(shell: Shell) -> None:
    done = shell("plna")
    assert done.returncode == 64
    assert "No such command 'plna'. Did you mean 'plan'?" in done.stderr
    assert not done.stdout


@pytest.mark.parametrize(("words", "meant"), [(("plan", "--acount", "x"), "--account"), (("get", "labls"), "labels")])
def test_a_mistyped_word_is_a_usage_error_that_suggests_another(
    words: tuple[str, ...], meant: str, shell: Shell
) -> None:
    done = shell(*words)
    assert done.returncode == 64
    assert meant in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (("diff",), "'plan'"),
        (("rollback",), "'restore'"),
        (("--dry-run", "apply"), "`leadstate plan`"),
        (("apply", "--dry-run"), "`leadstate plan`"),
        (("pull", "--dry-run"), "`leadstate pull --check`"),
        (("restore", "--dry-run"), "`leadstate restore RECEIPT --out FILE`"),
    ],
)
def test_words_of_other_tools_are_answered_with_the_matching_command(
    words: tuple[str, ...], meant: str, shell: Shell
) -> None:
    done = shell(*words)
    assert done.returncode == 64
    assert done.stderr.endswith(f"Did you mean {meant}?\n")
    assert done.stderr.count("Did you mean") == 1
    assert not done.stdout


def test_help_fits_the_width_and_is_plain_in_a_pipe(tmp_path: Path) -> None:
    text = Shell(tmp_path, {"COLUMNS": "70", "FORCE_COLOR": "1"})("--help").stdout
    prose = [line for line in text.splitlines() if "leadstate " not in line]
    assert max(map(len, prose)) <= 70
    assert "\x1b" not in text


@pytest.mark.parametrize("words", [("get", "labels"), ("doctor",), ("matrix",), ("lock",)])
def test_a_wrong_configuration_is_explained_by_every_command(words: tuple[str, ...], shell: Shell) -> None:
    shell.write("version: 1\naccounts:\n  a: {domain: x, token: {env: T}}\nlabels:\n  - {name: Hot}\n")
    done = shell(*words)
    assert done.returncode == 1
    assert done.stderr.startswith("error[missing-color] a label needs a colour\n  --> leadstate.yaml:5:5\n")
