"""What the shell offers after Tab, and how it comes into the line in bash."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from leadstate.cli import completion
from leadstate.reconcile.guards import GUARDS
from tests.harness.cli_process import Shell
from tests.harness.hub import git

CONFIGURATION = """\
version: 1
namespace: ns
accounts:
  emea: {domain: acme, token: {env: T}, tags: [prod]}
  us: {domain: acme-us, token: {env: T}, tags: [prod, small]}
labels:
  - {name: Hot, color: red}
  - {name: Hot lead, color: orange, accounts: [emea]}
  - {name: VIP, color: red, key: vip}
leads:
  - {key: seed, title: Seed, person: 1}
"""


@pytest.fixture(name="shell")
def _shell(tmp_path: Path) -> Shell:
    made = Shell(tmp_path, {})
    made.write(CONFIGURATION)
    return made


def offered(shell: Shell, line: str) -> list[str]:
    """Return what is offered at the end of a line, as click tells zsh: values as they are."""
    words = {"_LEADSTATE_COMPLETE": "zsh_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}
    done = Shell(shell.folder, {**shell.environ, **words})()
    assert done.stderr == ""
    return done.stdout.splitlines()[1::3]


EMEA = ["emea/label:Hot", "emea/label:Hot lead", "emea/label:vip", "emea/lead:seed"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("leadstate plan -a ", ["emea", "us", "tag:prod", "tag:small"]),
        ("leadstate plan -a e", ["emea"]),
        ("leadstate get leads --account tag:", ["tag:prod", "tag:small"]),
        ("leadstate plan --target ", ["label:Hot", "label:Hot lead", "label:vip", "lead:seed"]),
        ("leadstate explain label:H", ["label:Hot", "label:Hot lead"]),
        ("leadstate explain em", EMEA),
        ("leadstate restore --target us/", ["us/label:Hot", "us/label:vip", "us/lead:seed"]),
        ("leadstate explain us/lead", ["us/lead:seed"]),
        ("leadstate explain nowhere/", []),
        ("leadstate plan -a us --target label:", ["label:Hot", "label:vip"]),
        ("leadstate pull --target lead", ["lead:seed"]),
        ("leadstate apply --allow ", list(GUARDS)),
        ("leadstate apply --allow in-use,max-d", [f"in-use,{guard}" for guard in GUARDS if guard.startswith("max-d")]),
        ("leadstate apply --allow in-use,in-", []),
    ],
)
def test_the_shell_offers_what_may_stand_there(shell: Shell, line: str, expected: list[str]) -> None:
    assert offered(shell, line) == expected


def test_the_configuration_that_the_line_names_is_read(shell: Shell) -> None:
    shell.write(CONFIGURATION.replace("emea", "other"), "other.yaml")
    assert offered(shell, "leadstate plan -c other.yaml -a o") == ["other"]


@pytest.mark.parametrize("text", ["labels: [", "version: 1\naccounts: {a: {}}\n", ""])
def test_a_wrong_configuration_offers_nothing_and_says_nothing(shell: Shell, text: str) -> None:
    shell.write(text)
    assert offered(shell, "leadstate plan -a ") == []
    (shell.folder / "leadstate.yaml").unlink()
    assert offered(shell, "leadstate plan --target ") == []


def test_names_that_would_turn_the_terminal_around_are_not_offered(shell: Shell) -> None:
    shell.write(CONFIGURATION.replace("name: VIP, color: red, key: vip", 'name: "\\u202eVIP", color: red'))
    assert offered(shell, "leadstate plan --target label:") == ["label:Hot", "label:Hot lead"]


def test_no_more_is_offered_than_somebody_can_read(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    assert completion._offered((str(number) for number in range(10_000)), "1")[:3] == ["1", "10", "11"]  # noqa: SLF001  the bound
    assert len(completion._offered(map(str, range(10_000)), "")) == completion.MOST  # noqa: SLF001  as above
    monkeypatch.chdir(shell.folder)
    monkeypatch.setattr(completion, "LOOKED_AT", 2)
    context = click.Context(click.Command("plan"))
    assert completion.complete_addresses(context, click.Argument(["x"]), "") == [
        "label:Hot",
        "label:Hot lead",
    ]


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_branches_and_tags_are_offered(shell: Shell) -> None:
    assert offered(shell, "leadstate plan --base ") == [], "there is no repository"
    for words in (
        ("init",),
        ("commit", "--allow-empty", "-m", "first"),
        ("branch", "feature"),
        ("tag", "v1"),
        ("update-ref", "refs/remotes/origin/main", "HEAD"),
        ("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main"),
    ):
        git(shell.folder, *words)
    assert sorted(offered(shell, "leadstate plan --base ")) == ["HEAD", "feature", "main", "origin/main", "v1"]
    assert offered(shell, "leadstate plan --base o") == ["origin/main"]


BASH = """\
eval "$(_LEADSTATE_COMPLETE=bash_source leadstate)"
COMP_LINE=$1 COMP_POINT=${#1}
_leadstate_completion leadstate
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("leadstate explain ", ["label:Hot", "label:Hot\\ lead", "label:vip", "lead:seed"]),
        ("leadstate explain label:", ["Hot", "Hot\\ lead", "vip"]),
        ("leadstate explain label:Hot\\ ", ["Hot\\ lead"]),
        ("leadstate explain 'label:H", ["label:Hot", "label:Hot lead"]),
        ('leadstate explain "label:Hot l', ["label:Hot lead"]),
        ("leadstate plan --target=label:v", ["vip"]),
        ("leadstate plan --target=la", ["label:Hot", "label:Hot\\ lead", "label:vip"]),
        ("leadstate plan -a 'emea' --target emea/lead:", ["seed"]),
        ("leadstate pla", ["plan"]),
    ],
)
def test_bash_gets_the_end_of_a_word_that_it_takes_for_several(shell: Shell, line: str, expected: list[str]) -> None:
    environ = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "--norc", "-c", BASH, "bash", line],
        cwd=shell.folder,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == expected


def test_the_script_of_click_itself_still_works(shell: Shell) -> None:
    words = {"_LEADSTATE_COMPLETE": "bash_complete", "COMP_WORDS": "leadstate plan -a e", "COMP_CWORD": "3"}
    assert Shell(shell.folder, words)().stdout == "plain,emea\n"
