"""`explain ADDRESS` where golden case 050 does not show it: several accounts, the lock file, what is no address."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from leadstate.sandbox import Sandbox, running
from tests.harness.cli_process import Shell

TWO_ACCOUNTS = """\
version: 1
namespace: ns
accounts:
  emea:
    url: {url}
    token: {{env: TOKEN}}
  us:
    url: {other}
    token: {{env: TOKEN_US}}
labels:
  - {{name: Hot, color: orange}}
  - {{name: Partner, color: green, accounts: [emea]}}
leads:
  - {{key: seed, title: Seed, person: 1, labels: [Hot], mode: seed, accounts: [emea]}}
"""


@pytest.fixture
def shell(tmp_path: Path, url: str, sandbox: Sandbox) -> Iterator[Shell]:
    made = Shell(tmp_path, {"TOKEN": "sandbox-token", "TOKEN_US": "sandbox-token"})
    with running(sandbox.app) as other:
        made.write(TWO_ACCOUNTS.format(url=url, other=other))
        yield made


def test_all_accounts_or_the_named_one_are_explained(shell: Shell) -> None:
    everywhere = shell("explain", "label:Hot")
    assert (everywhere.returncode, everywhere.stderr) == (0, "")
    assert "emea/label:Hot" in everywhere.stdout
    assert "us/label:Hot" in everywhere.stdout
    explained = shell("explain", "us/label:Hot")
    assert "emea/" not in explained.stdout
    assert "Read 1 request, 10 tokens." in explained.stdout


def test_an_account_that_is_chosen_besides_may_be_that_of_the_address(shell: Shell) -> None:
    assert shell("explain", "us/label:Hot", "-a", "us").returncode == 0
    assert shell("explain", "us/label:Hot", "-a", "us", "-a", "emea").returncode == 64


def test_a_person_is_shown_as_written(shell: Shell, sandbox: Sandbox) -> None:
    person = next(person for person in sandbox.dump()["companies"][0]["persons"] if person.get("emails"))
    declared = (shell.folder / "leadstate.yaml").read_text(encoding="utf-8")
    shell.write(declared.replace("person: 1,", f"person: {{email: {person['emails'][0]}}},"))
    done = shell("explain", "emea/lead:seed")
    assert f"{person['emails'][0]} ({person['id']})" in done.stdout


def test_an_account_without_the_object_is_named(shell: Shell) -> None:
    done = shell("explain", "label:Partner")
    assert (done.returncode, done.stderr) == (0, "Neither declared nor live in us.\n")


def test_an_unreadable_account_is_an_error_beside_the_others(shell: Shell) -> None:
    done = Shell(shell.folder, {**shell.environ, "TOKEN_US": "wrong"})("explain", "label:Hot")
    assert done.returncode == 1
    assert "emea/label:Hot" in done.stdout
    assert "error[unauthorized] us:" in done.stderr


@pytest.mark.parametrize(
    ("address", "meant"),
    [
        ("label:Hto", "did you mean label:Hot?"),
        ("emea/label:hot", "did you mean emea/label:Hot?"),
        ("emea/lead:sed", "did you mean emea/lead:seed?"),
        ("label:nothing like it", "leadstate get labels"),
    ],
)
def test_an_unknown_address_is_an_error(shell: Shell, address: str, meant: str) -> None:
    done = shell("explain", address)
    assert (done.returncode, done.stdout) == (1, "")
    assert "error[unknown-address]" in done.stderr
    assert meant in done.stderr


def test_a_previous_name_is_an_error_that_suggests_its_label(shell: Shell) -> None:
    text = (shell.folder / "leadstate.yaml").read_text(encoding="utf-8")
    shell.write(text.replace("color: green,", "color: green, previously: [Cold],"))
    assert "did you mean emea/label:Partner?" in shell("explain", "emea/label:Cold").stderr


@pytest.mark.parametrize("words", [["Hot"], ["deal:x"], ["emea/label:Hot", "-a", "us"]])
def test_a_malformed_address_is_a_usage_error(shell: Shell, words: list[str]) -> None:
    assert shell("explain", *words).returncode == 64


def test_a_renamed_label_is_explained_by_the_lock_file(shell: Shell, sandbox: Sandbox) -> None:
    assert shell("apply", "--auto-approve", "--lock").returncode == 0
    company = sandbox.companies[0]
    hot = next(label for label in company.labels() if label.name == "Hot")
    company.update_label(hot.id, {"name": "Heiß"})
    found = json.loads(shell("explain", "emea/label:Hot", "--format", "json").stdout)
    (explanation,) = found["explanations"]
    assert (explanation["known_by"], explanation["change"]["action"], explanation["remote_id"]) == (
        ["lock"],
        "update",
        hot.id,
    )
    assert [field["live"] for field in explanation["fields"]] == ["Heiß", "orange"]
    seed = shell("explain", "lead:seed").stdout
    assert "the id in the lock file and its ownership marker" in seed
    assert "mode: seed, created once" in seed


def test_two_labels_of_one_name_are_an_ambiguity_error(shell: Shell, sandbox: Sandbox) -> None:
    sandbox.companies[0].add_label("Hot", "red")
    done = shell("explain", "emea/label:Hot")
    assert done.returncode == 0
    assert "ambiguous" in done.stdout.partition("error[")[0]
    assert "error[ambiguous] emea/label:Hot" in done.stdout


def test_two_undeclared_labels_of_one_name_are_ambiguous_and_each_is_explained_by_its_id(
    shell: Shell, sandbox: Sandbox
) -> None:
    first, second = (sandbox.companies[0].add_label("Dup", color) for color in ("red", "blue"))
    done = shell("explain", "emea/label:Dup")
    assert (done.returncode, done.stdout) == (1, "")
    assert "error[ambiguous] emea/label:Dup: 2 labels have this name, and none is declared" in done.stderr
    assert f"  {first.id}  Dup\n  {second.id}  Dup\n" in done.stderr
    assert "unknown-address" not in done.stderr
    (hint,) = [line for line in done.stderr.splitlines() if line.startswith("  = ")]
    alone = shell("explain", hint.split()[-1])
    assert (alone.returncode, alone.stderr) == (0, "")
    assert first.id in alone.stdout
    everywhere = shell("explain", "label:Dup")
    assert everywhere.returncode == 1
    assert "Neither declared nor there" not in everywhere.stderr


def test_explain_writes_nothing(shell: Shell, sandbox: Sandbox) -> None:
    before = sandbox.dump()
    for address in ("label:Partner", "lead:seed", "label:VIP"):
        assert shell("explain", address).returncode == 0
    assert sandbox.dump() == before


def test_an_explanation_is_written_to_a_file(shell: Shell) -> None:
    assert shell("explain", "us/label:Hot", "-o", "hot.txt").stdout == ""
    assert "us/label:Hot" in (shell.folder / "hot.txt").read_text(encoding="utf-8")


@pytest.mark.skipif(sys.platform == "win32", reason="there is no /dev/stdin")
def test_a_configuration_from_a_pipe_is_explained(shell: Shell) -> None:
    text = (shell.folder / "leadstate.yaml").read_text(encoding="utf-8")
    done = shell("explain", "emea/label:Hot", "-c", "/dev/stdin", stdin=text)
    assert (done.returncode, done.stderr) == (0, "")
    assert "/dev/stdin:" in done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="there is no /dev/stdin")
@pytest.mark.parametrize("words", [("pull",), ("import",), ("pull", "--check")])
def test_a_configuration_from_a_pipe_is_not_edited(shell: Shell, sandbox: Sandbox, words: tuple[str, ...]) -> None:
    text = (shell.folder / "leadstate.yaml").read_text(encoding="utf-8")
    done = shell(*words, "-c", "/dev/stdin", stdin=text)
    assert done.returncode == 1
    assert "error[file] /dev/stdin is a pipe, and not a file that can be edited" in done.stderr
    assert sandbox.meter.report()["companies"] == {}
