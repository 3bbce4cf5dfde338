"""`explain ADDRESS` where golden case 050 does not show it: several accounts, the lock file, what is no address."""

import json
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


def test_every_account_or_the_one_that_is_named(shell: Shell) -> None:
    everywhere = shell("explain", "label:Hot")
    assert (everywhere.returncode, everywhere.stderr) == (0, "")
    assert "emea/label:Hot" in everywhere.stdout
    assert "us/label:Hot" in everywhere.stdout
    explained = shell("explain", "us/label:Hot")
    assert "emea/" not in explained.stdout
    assert "Read 1 request, 10 tokens." in explained.stdout


def test_an_account_that_has_it_not_is_named(shell: Shell) -> None:
    done = shell("explain", "label:Partner")
    assert (done.returncode, done.stderr) == (0, "Neither declared nor there in us.\n")


def test_what_cannot_be_read_is_an_error_beside_the_rest(shell: Shell) -> None:
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
def test_an_address_of_nothing(shell: Shell, address: str, meant: str) -> None:
    done = shell("explain", address)
    assert (done.returncode, done.stdout) == (1, "")
    assert "error[unknown-address]" in done.stderr
    assert meant in done.stderr


def test_a_former_name_leads_to_its_label(shell: Shell) -> None:
    text = (shell.folder / "leadstate.yaml").read_text(encoding="utf-8")
    shell.write(text.replace("color: green,", "color: green, previously: [Cold],"))
    assert "did you mean emea/label:Partner?" in shell("explain", "emea/label:Cold").stderr


@pytest.mark.parametrize("words", [["Hot"], ["deal:x"], ["emea/label:Hot", "-a", "us"]])
def test_what_is_no_address_is_a_usage_error(shell: Shell, words: list[str]) -> None:
    assert shell("explain", *words).returncode == 64


def test_the_lock_file_speaks_for_a_label_that_was_renamed(shell: Shell, sandbox: Sandbox) -> None:
    assert shell("apply", "--auto-approve", "--lock").returncode == 0
    company = sandbox.companies[0]
    hot = next(label for label in company.labels() if label.name == "Hot")
    company.update_label(hot.id, {"name": "Heiß"})
    found = json.loads(shell("explain", "emea/label:Hot", "--format", "json").stdout)
    (explanation,) = found["explanations"]
    assert (explanation["known_by"], explanation["action"], explanation["remote_id"]) == (["lock"], "update", hot.id)
    assert [field["live"] for field in explanation["fields"]] == ["Heiß", "orange"]
    seed = shell("explain", "lead:seed").stdout
    assert "the id in the lock file and its ownership marker" in seed
    assert "`mode: seed` leaves it to people" in seed


def test_an_undeclared_lead_with_our_marker(shell: Shell) -> None:
    assert shell("apply", "--auto-approve").returncode == 0
    text = (shell.folder / "leadstate.yaml").read_text(encoding="utf-8")
    shell.write(text[: text.index("leads:")])
    done = shell("explain", "emea/lead:seed")
    assert done.returncode == 0, done.stderr
    assert "`policy.prune.leads` is `none`; `owned` would delete it" in done.stdout


def test_two_labels_of_one_name(shell: Shell, sandbox: Sandbox) -> None:
    sandbox.companies[0].add_label("Hot", "red")
    done = shell("explain", "emea/label:Hot")
    assert done.returncode == 0
    assert "several could be it" in done.stdout
    assert "error[ambiguous] emea/label:Hot" in done.stdout


def test_nothing_is_written(shell: Shell, sandbox: Sandbox) -> None:
    before = sandbox.dump()
    for address in ("label:Partner", "lead:seed", "label:VIP"):
        assert shell("explain", address).returncode == 0
    assert sandbox.dump() == before


def test_a_file_for_the_answer(shell: Shell) -> None:
    assert shell("explain", "us/label:Hot", "-o", "hot.txt").stdout == ""
    assert "us/label:Hot" in (shell.folder / "hot.txt").read_text(encoding="utf-8")
