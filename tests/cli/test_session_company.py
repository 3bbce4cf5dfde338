"""A token of another company: no command shows or changes what that company has as what the account has."""

from pathlib import Path

import click
import pytest

from leadstate.cli.main import COMMANDS
from leadstate.sandbox import Sandbox
from tests.cli.test_options import OFFLINE, leaves
from tests.harness.commands import Ended, Folder
from tests.harness.connections import NOWHERE
from tests.harness.disturbed_company import TOKEN

WORDS = {"apply": ["--auto-approve"], "explain": ["label:Hot"], "lead": ["aaaaaaaa-0000-1000-8000-000000000001"]}
"""Command → what it needs to be run at all."""
LOOKS_ELSEWHERE = OFFLINE | {"doctor", "restore"}
"""`doctor` reports the company; `restore` needs a receipt, and plans as `apply` does."""


def run(folder: Path, *words: str) -> Ended:
    account = {"url": NOWHERE, "token": {"env": "TOKEN"}, "company_id": 1}
    there = Folder(folder)
    there.configure(
        {"version": 1, "namespace": "ns", "accounts": {"emea": account}, "labels": [{"name": "Hot", "color": "red"}]}
    )
    other = {
        "token": TOKEN,
        "company": {"id": 2, "name": "Other", "domain": "other"},
        "labels": [{"name": "Theirs", "color": "red"}],
    }
    return there.run(Sandbox({"companies": [other]}), *words)


@pytest.mark.parametrize("command", leaves(set(COMMANDS) - LOOKS_ELSEWHERE), ids=lambda command: command.name)
def test_no_command_reads_an_account_whose_token_belongs_to_another_company(
    command: click.Command, tmp_path: Path
) -> None:
    name = str(command.name)
    ended = run(tmp_path, *([name] if name in COMMANDS else ["get", name]), *WORDS.get(name, ()))
    assert ended.code == 1
    assert "error[wrong-company] emea: the token belongs to company 2 (other), not to 1" in ended.said
    assert "Theirs" not in ended.out
    assert [step.path for step in ended.steps] == ["/api/v1/users/me"]


def test_doctor_reports_the_company_and_examines_the_rest(tmp_path: Path) -> None:
    ended = run(tmp_path, "doctor")
    assert ended.code == 1
    assert "company    Other (other, id 2), not 1" in ended.out
    assert "rights" in ended.out
