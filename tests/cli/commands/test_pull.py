"""`pull`: live values into the YAML, and nothing else of it changes."""

import json
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from leadstate.sandbox import Sandbox, running
from tests.harness.cli_process import Shell
from tests.harness.terminal import terminal

HOT, COLD, OTHER = (f"aaaaaaaa-0000-4000-8000-00000000000{digit}" for digit in "123")


def company(number: int, hot: str = "red", **more: Any) -> dict[str, Any]:
    labels = [
        {"id": HOT, "name": "Hot", "color": hot},
        {"id": COLD, "name": "Cold", "color": "blue"},
        {"id": OTHER, "name": "Other", "color": "gray"},
    ]
    lead = {
        "id": "bbbbbbbb-0000-1000-8000-000000000001",
        "title": "Big deal",
        "person_id": 1,
        "label_ids": [HOT],
        "origin_id": "ns:deal",
        "value": {"amount": 100, "currency": "EUR"},
        "owner_id": 7,
        **more,
    }
    return {
        "token": f"token-{number}",
        "company": {"id": number, "name": f"C{number}", "domain": f"c{number}"},
        "persons": [{"id": 1, "name": "Jane", "emails": ["jane@acme.test"]}, {"id": 2, "name": "Tom"}],
        "organizations": [{"id": 5, "name": "Acme"}],
        "users": [{"id": 7, "name": "Sam", "email": "sam@acme.test"}],
        "labels": labels,
        "leads": [lead],
    }


@pytest.fixture
def sandbox() -> Sandbox:
    seed = {"companies": [company(1), company(2), company(3)]}
    return Sandbox(seed, burst=100_000, daily=None)


@pytest.fixture
def shell(tmp_path: Path, sandbox: Sandbox) -> Iterator[Shell]:
    with running(sandbox.app) as url:
        made = Shell(tmp_path, {f"T{number}": f"token-{number}" for number in (1, 2, 3)})
        accounts = "".join(
            f"  a{n}: {{url: '{url}', company_id: {n}, token: {{env: T{n}}}, plan: premium}}\n" for n in (1, 2, 3)
        )
        made.write(f"version: 1\nnamespace: ns\naccounts:\n{accounts}", "accounts.yaml")
        yield made


def write(shell: Shell, text: str) -> None:
    (shell.folder / "things.yaml").write_bytes(text.encode())


def read(shell: Shell) -> str:
    return (shell.folder / "things.yaml").read_bytes().decode()


def pull(shell: Shell, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = shell("pull", "-c", ".", *words)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def updates(shell: Shell, *words: str) -> str:
    planned = shell("plan", "-c", ".", *words)
    assert planned.returncode == 0, planned.stdout + planned.stderr
    return "\n".join(line for line in planned.stdout.splitlines() if line.startswith("  ~"))


def recolor(sandbox: Sandbox, number: int, color: str) -> None:
    sandbox.companies[number - 1].update_label(HOT, {"color": color})


LABELS = """\
# what we own
labels:
  - {name: Hot, color: red}   # the hot ones

  - name: Nurture    # was Cold
    color: 'blue'    # not red
    previously: [Cold]
"""


def test_one_account_is_pulled_into_the_item(shell: Shell) -> None:
    text = LABELS.replace("{name: Hot, color: red}", "{name: Hot, color: green, accounts: [a1]}")
    write(shell, text.replace("previously: [Cold]", "accounts: [a1]\n    previously: [Cold]"))
    before = read(shell)
    done = pull(shell, "--auto-approve")
    assert read(shell) == before.replace("green", "red").replace("name: Nurture ", "name: Cold ")
    changed = [line for line in done.stdout.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    assert len(changed) == 4
    assert updates(shell) == ""


def test_a_value_of_all_accounts_is_written_to_the_item(shell: Shell, sandbox: Sandbox) -> None:
    write(shell, LABELS.replace("Nurture", "Cold"))
    for number in (1, 2, 3):
        recolor(sandbox, number, "pink")
    pull(shell, "--auto-approve")
    assert read(shell) == LABELS.replace("Nurture", "Cold").replace("color: red", "color: pink")
    assert updates(shell) == ""


def test_an_unselected_account_keeps_its_values(shell: Shell, sandbox: Sandbox) -> None:
    write(shell, LABELS.replace("Nurture", "Cold"))
    for number in (1, 2, 3):
        recolor(sandbox, number, "pink")
    pull(shell, "-a", "a2", "--auto-approve")
    assert "{name: Hot, color: red, overrides: {a2: {color: pink}}}" in read(shell)
    assert updates(shell, "-a", "a2") == ""
    assert "label:Hot" in updates(shell, "-a", "a1")


def test_only_targets_are_pulled(shell: Shell, sandbox: Sandbox) -> None:
    write(shell, LABELS)
    recolor(sandbox, 2, "pink")
    pull(shell, "--target", "a2/label:Hot", "--auto-approve")
    assert "name: Nurture" in read(shell)
    assert "a2: {color: pink}" in read(shell)
    pull(shell, "--target", "label:None", code=64)


LEAD = """\
labels:
  - {name: Hot, color: red, accounts: [a1]}
  - {name: Frosty, key: cold, color: blue, previously: [Cold], accounts: [a1]}
leads:
  - key: deal
    accounts: [a1]
    title: "Small deal"   # a title
    person: {email: jane@acme.test}   # the buyer
    organization: null  # nobody
    owner: {email: sam@acme.test}
    labels:
      - cold   # why cold
      - Hot    # why hot
    value:
      amount: 100.00   # net
      currency: USD
    expected_close_date: 2026-12-31
    visible_to: owner
    channel_id: abc
"""


def test_a_lead_is_pulled_field_by_field(shell: Shell, sandbox: Sandbox) -> None:
    write(shell, LEAD)
    lead = sandbox.dump()["companies"][0]["leads"][0]
    changes: dict[str, Any] = {"person_id": 2, "organization_id": 5, "channel_id": None, "custom": {}}
    sandbox.companies[0].update_lead(lead["id"], changes)
    pull(shell, "--auto-approve", "--target", "lead:deal")
    assert read(shell) == (
        LEAD.replace('"Small deal"', '"Big deal"')
        .replace("person: {email: jane@acme.test}", "person: 2")
        .replace("organization: null", "organization: 5")
        .replace("      - cold   # why cold\n", "")
        .replace("currency: USD", "currency: EUR")
        .replace("2026-12-31", "null")
        .replace("visible_to: owner", "visible_to: group")
        .replace("channel_id: abc", "channel_id: null")
    )
    assert "lead:" not in updates(shell)


def test_an_undeclared_label_is_not_declared_by_pull(shell: Shell, sandbox: Sandbox) -> None:
    write(shell, LEAD)
    lead = sandbox.dump()["companies"][0]["leads"][0]
    sandbox.companies[0].update_lead(lead["id"], {"label_ids": [HOT, OTHER], "custom": {}})
    done = pull(shell, "--auto-approve", code=4)
    assert "error[not-pulled] a1/lead:deal" in done.stderr
    assert "import or declare" in done.stderr
    assert "- cold   # why cold\n      - Hot " in read(shell)
    assert '"Big deal"' in read(shell)
    pull(shell, "--auto-approve", code=1)


def test_a_rename_in_pipedrive_is_recognised_by_the_lock_file(shell: Shell, sandbox: Sandbox) -> None:
    write(shell, LABELS.replace("Nurture", "Cold"))
    assert shell("lock", "-c", ".").returncode == 0
    sandbox.companies[1].update_label(HOT, {"name": "Hot: now"})
    pull(shell, "--auto-approve")
    assert '{name: Hot, color: red, overrides: {a2: {name: "Hot: now"}}}   # the hot ones\n' in read(shell)
    assert updates(shell) == ""


def test_a_label_whose_rename_was_accepted_is_recognised_when_it_is_renamed_again(
    shell: Shell, sandbox: Sandbox
) -> None:
    write(shell, LABELS.replace("Nurture", "Cold"))
    assert shell("lock", "-c", ".").returncode == 0
    for name in ("Hotter", "Hottest"):
        for company in sandbox.companies:
            company.update_label(HOT, {"name": name})
        done = pull(shell, "--auto-approve")
        assert f"{{name: {name}, color: red}}" in read(shell)
        assert done.stderr == "leadstate.lock.json knows what was renamed by its new name: commit it.\n"
    entries = json.loads((shell.folder / "leadstate.lock.json").read_text())["accounts"]
    assert {name: list(known) for name, known in entries.items()} == {
        f"a{number}": ["label:Cold", "label:Hottest"] for number in (1, 2, 3)
    }


def test_a_rename_is_accepted_where_there_is_no_lock_file_and_none_is_made(shell: Shell) -> None:
    write(shell, LABELS)
    pull(shell, "--auto-approve")
    assert "name: Cold " in read(shell)
    assert not (shell.folder / "leadstate.lock.json").exists()


def test_check_writes_nothing_and_sets_the_exit_code(shell: Shell, sandbox: Sandbox) -> None:
    write(shell, LABELS.replace("Nurture", "Cold"))
    assert pull(shell, "--check").stdout == ""
    recolor(sandbox, 2, "pink")
    before = read(shell)
    assert "+  - {name: Hot" in pull(shell, "--check", code=3).stdout
    assert read(shell) == before


def test_a_gone_object_stays_declared(shell: Shell) -> None:
    text = LABELS.replace("Nurture", "Cold") + "  - {name: Gone, color: red, accounts: [a1]}\n"
    write(shell, text)
    done = pull(shell, "--auto-approve")
    assert "a1/label:Gone is not in Pipedrive and stays declared" in done.stderr
    assert (done.stdout, read(shell)) == ("", text)


def test_without_a_terminal_pull_requires_auto_approve(shell: Shell, sandbox: Sandbox) -> None:
    write(shell, LABELS)
    recolor(sandbox, 1, "pink")
    done = pull(shell, code=3)
    assert "--auto-approve" in done.stderr
    assert read(shell) == LABELS


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
@pytest.mark.parametrize(("answer", "code"), [("yes", 0), ("y", 3), ("", 3)])
def test_only_yes_is_accepted(shell: Shell, answer: str, code: int) -> None:
    write(shell, LABELS)
    with terminal(shell.folder, shell.environ, "pull", "-c", ".") as shown:
        shown.read_until(b"Write this?")
        shown.type(f"{answer}\n".encode())
        assert shown.end()[0] == code
    assert (read(shell) != LABELS) == (code == 0)


def test_byte_order_mark_line_ends_mode_and_links_stay(shell: Shell) -> None:
    real = shell.folder / "real.txt"
    real.write_bytes(b"\xef\xbb\xbf" + LABELS.replace("\n", "\r\n").encode())
    real.chmod(0o640)
    link = shell.folder / "link.yaml"
    link.symlink_to(real)
    done = shell("pull", "-c", "accounts.yaml", "-c", "link.yaml", "--auto-approve")
    assert done.returncode == 0, done.stderr
    expected = LABELS.replace("name: Nurture ", "name: Cold ").replace("\n", "\r\n")
    assert real.read_bytes() == b"\xef\xbb\xbf" + expected.encode()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert link.is_symlink()
    assert {file.name for file in shell.folder.iterdir()} == {"accounts.yaml", "real.txt", "link.yaml"}


def test_a_link_in_a_folder_is_not_followed(shell: Shell, tmp_path_factory: pytest.TempPathFactory) -> None:
    real = tmp_path_factory.mktemp("elsewhere") / "real.yaml"
    real.write_text(LABELS)
    (shell.folder / "link.yaml").symlink_to(real)
    done = pull(shell, "--auto-approve", code=1)
    assert "error[file-outside]" in done.stderr
    assert real.read_text() == LABELS


def test_an_invalid_result_is_not_written(shell: Shell) -> None:
    """The name that pull would write is the key of another label."""
    text = "labels:\n  - {name: A, color: blue, previously: [Cold]}\n  - {name: Hot, key: Cold, color: red}\n"
    write(shell, text)
    done = pull(shell, "--auto-approve", code=1)
    assert "nothing was written" in done.stderr
    assert "error[duplicate-label-key]" in done.stderr
    assert (done.stdout, read(shell)) == ("", text)


def test_an_invalid_configuration_or_token_is_an_error(shell: Shell, sandbox: Sandbox) -> None:
    write(shell, LABELS.replace("color: red", "color: rot"))
    done = pull(shell, code=1)
    assert "things.yaml:3:24" in done.stderr
    write(shell, LABELS.replace("Nurture", "Cold"))
    recolor(sandbox, 1, "pink")
    other = Shell(shell.folder, {**shell.environ, "T2": "wrong"})
    done = pull(other, "--auto-approve", code=4)
    assert "a2: " in done.stderr
    assert "overrides: {a1: {color: pink}}" in read(shell)


TABLE = """\
labels:
  - {name: Frosty, color: blue, previously: [Cold], accounts: [a1]}
  - {name: Hot, color: red, accounts: [a1]}
leads_from: {file: seeds.csv, accounts: [a1]}
"""
ROWS = 'key,title,person.email,labels\r\ndeal,"Small deal",jane@acme.test,Frosty|Hot\r\n'


def test_a_row_of_a_csv_file_is_kept_and_reported(shell: Shell) -> None:
    write(shell, TABLE)
    (shell.folder / "seeds.csv").write_bytes(ROWS.encode())
    done = pull(shell, "--auto-approve", code=4)
    assert (shell.folder / "seeds.csv").read_bytes() == ROWS.encode()
    assert "the live value of `title` was not taken: it stands in a CSV file" in done.stderr
    assert "--> seeds.csv:2:1" in done.stderr
    # The label that the row calls Frosty gets its live name, and what the row calls it as its key.
    assert read(shell) == TABLE.replace("name: Frosty", "name: Cold").replace(
        "accounts: [a1]}\n  - {name: Hot", "accounts: [a1], key: Frosty}\n  - {name: Hot"
    )
    assert "lead:deal" in updates(shell)
    assert "label:" not in updates(shell)


def test_a_check_of_a_csv_file_changes_nothing(shell: Shell) -> None:
    write(shell, TABLE.replace("Frosty", "Cold").replace(", previously: [Cold]", ""))
    (shell.folder / "seeds.csv").write_bytes(ROWS.replace("Frosty", "Cold").encode())
    done = pull(shell, "--check", code=1)
    assert done.stdout == ""
    assert done.stderr.count("not-pulled") == 2
