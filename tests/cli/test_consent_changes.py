"""`--interactive`: a question for each change before the first one is made, and what each answer does."""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leadstate.api.receipts import read_report
from leadstate.sandbox import Sandbox, running
from tests.harness.builders import label_id, lead_id
from tests.harness.cli_in_process import leadstate
from tests.harness.terminal import Person, terminal

CONFIG = """\
version: 1
namespace: ns
accounts:
  emea: {{url: "{url}", token: {{env: TOKEN}}, company_id: 7041}}
  us: {{url: "{url}", token: {{env: TOKEN_US}}, company_id: 7042}}
policy: {{in_use: allow}}
labels:
  - {{name: Hot, color: red}}
  - {{name: New, color: green}}
  - {{name: Old, state: absent}}
leads:
  - {{key: a, title: A, person: 1, labels: [New], accounts: [emea]}}
"""
ENVIRON = {"TOKEN": "t" * 40, "TOKEN_US": "u" * 40}
QUESTION = b"yes, no, all or quit: "


def company(token: str, number: int) -> dict[str, Any]:
    """Return a company with two labels, of which each lead has one."""
    return {
        "token": token,
        "company": {"id": number, "name": "Acme", "domain": f"acme-{number}"},
        "users": [{"id": 101, "name": "Sam", "email": "sam@acme.test"}],
        "persons": [{"id": 1, "name": "Jane"}],
        "organizations": [{"id": 1, "name": "Acme"}],
        "labels": [
            {"id": label_id(number + 1), "name": "Hot", "color": "orange"},
            {"id": label_id(number + 2), "name": "Old", "color": "gray"},
        ],
        "leads": [
            {
                "id": lead_id(number),
                "title": "A",
                "person_id": 1,
                "origin_id": "ns:a",
                "label_ids": [label_id(number + 2)],
            }
        ],
    }


@pytest.fixture
def companies() -> Sandbox:
    seed = {"companies": [company(ENVIRON["TOKEN"], 7041), company(ENVIRON["TOKEN_US"], 7042)]}
    return Sandbox(seed, burst=100_000, daily=None)


def paint(sandbox: Sandbox) -> None:
    """Change the colour of a label, as a person would meanwhile."""
    sandbox.companies[0].update_label(label_id(7042), {"color": "pink"})


def labels(sandbox: Sandbox, place: int = 0) -> dict[str, str]:
    """Return name → colour of each label of one company."""
    return {label["name"]: label["color"] for label in sandbox.dump()["companies"][place]["labels"]}


def ends(path: Path) -> dict[str, str]:
    """Return what became of each change, as the one receipt in a folder has it."""
    (receipt,) = path.glob("*.json")
    changes = [change for account in read_report(receipt).accounts for change in account.changes]
    return {change.address: change.result.status for change in changes if change.result}


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "leadstate.yaml").write_text(CONFIG.format(url="http://127.0.0.1:1"))
    return tmp_path


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(files: Path, companies: Sandbox) -> Run:
    def answered(person: Person, *words: str) -> tuple[int, str, str]:
        words = words or ("apply", "-a", "emea")
        with person.at_stdin():
            return leadstate(
                companies, ENVIRON, files / "receipts", (*words, "--interactive"), clock=lambda: person.now
            )

    return answered


def test_each_change_is_asked_about_in_the_order_in_which_it_is_made(run: Run, companies: Sandbox, files: Path) -> None:
    code, out, err = run(Person("yes", "y", "YES", " y "))
    assert code == 0, err
    asked = re.findall(r"[~+-] (\w+:\w+)", err.partition("Answer yes, no")[2])
    assert asked == ["label:Hot", "label:New", "lead:a", "label:Old"]
    assert "4 of 4 changes will be made: " in err
    assert out.endswith("Read again: no differences.\n")
    assert labels(companies) == {"Hot": "red", "New": "green"}
    assert {*ends(files / "receipts").values()} == {"applied"}


def test_nothing_is_written_before_the_last_answer(run: Run, companies: Sandbox) -> None:
    seen = []
    code, *_ = run(Person(*["yes"] * 4, meanwhile=lambda: seen.append(labels(companies))))
    assert code == 0
    assert seen == [{"Hot": "orange", "Old": "gray"}] * 4


def test_what_needs_a_declined_change_is_declined_with_the_reason(run: Run, companies: Sandbox, files: Path) -> None:
    code, out, err = run(Person("yes", "no"), "apply", "-a", "emea", "--format", "json")
    assert code == 0, err
    assert "  lead:a is declined too: it needs label:New.\n  label:Old is declined too: it needs lead:a.\n" in err
    assert "1 of 4 changes will be made: 1 request, 10 tokens." in err
    report = json.loads(out)
    results = {change["address"]: change["result"] for change in report["accounts"][0]["changes"]}
    assert {address: (result["status"], result["detail"]) for address, result in results.items()} == {
        "emea/label:Hot": ("applied", ""),
        "emea/label:New": ("declined", "not chosen"),
        "emea/label:Old": ("declined", "because lead:a was declined"),
        "emea/lead:a": ("declined", "because label:New was declined"),
    }
    remaining = report["accounts"][0]["remaining"]
    assert (remaining["add"], remaining["update"], remaining["delete"], remaining["declined"]) == (1, 1, 1, 3)
    assert report["cost"]["apply"] == {"requests": 1, "tokens": 10}
    assert labels(companies) == {"Hot": "red", "Old": "gray"}
    assert [*ends(files / "receipts").values()].count("declined") == 3


def test_an_answer_that_is_none_is_asked_for_again(run: Run, companies: Sandbox) -> None:
    code, _, err = run(Person("maybe", " ", "no", "no", "quit"))
    assert code == 3
    assert err.count("yes, no, all or quit: ") == 4
    assert labels(companies) == {"Hot": "orange", "Old": "gray"}


@pytest.mark.parametrize("answers", [["quit"], ["no", "quit"], ["no", "no"], ["yes", "yes", ""], [""]])
def test_where_nothing_is_agreed_to_nothing_is_changed(
    run: Run, companies: Sandbox, files: Path, answers: list[str]
) -> None:
    before = companies.dump()
    code, out, err = run(Person(*answers))
    assert (code, out) == (3, "")
    assert err.endswith("Apply cancelled. Nothing was changed.\n")
    assert companies.dump() == before
    assert not (files / "receipts").exists()


def test_quit_declines_what_is_left_and_keeps_what_was_agreed_to(run: Run, companies: Sandbox) -> None:
    code, out, err = run(Person("yes", "quit"), "apply")
    assert code == 0, err
    assert "1 of 7 changes will be made" in err
    assert "Apply: 1 applied, 6 declined." in out
    assert out.endswith("Read again: only the 6 declined changes are left.\n")
    assert (labels(companies), labels(companies, 1)) == (
        {"Hot": "red", "Old": "gray"},
        {"Hot": "orange", "Old": "gray"},
    )


def test_all_agrees_to_the_rest_of_one_account(run: Run, companies: Sandbox) -> None:
    code, out, err = run(Person("no", "all", "no", "no", "yes"), "apply")
    assert code == 0, err
    assert "Apply: 4 applied, 3 declined." in out
    assert (labels(companies), labels(companies, 1)) == ({"Hot": "orange", "New": "green"}, {"Hot": "orange"})


def test_after_late_answers_only_what_has_changed_is_asked_about_again(run: Run, companies: Sandbox) -> None:
    def recolor() -> None:
        if len(person.answers) == 2:
            paint(companies)

    person = Person("yes", "no", "no", seconds=20.0, meanwhile=recolor)
    code, out, err = run(person)
    assert code == 3, err
    assert "The answer took more than 30 s: planning again.\nThe accounts have changed meanwhile:\n" in err
    assert err.count("yes, no, all or quit: ") == 3
    assert out == ""
    assert labels(companies) == {"Hot": "pink", "Old": "gray"}


def test_late_answers_to_a_plan_that_is_still_true_hold(run: Run, companies: Sandbox) -> None:
    code, _, err = run(Person("yes", "no", seconds=20.0))
    assert code == 0, err
    assert err.count("yes, no, all or quit: ") == 2
    assert labels(companies) == {"Hot": "red", "Old": "gray"}


def test_a_guard_refuses_the_whole_plan_before_anything_is_asked(run: Run, companies: Sandbox) -> None:
    code, _, err = run(Person(), "apply", "--max-tokens", "15")
    assert code == 3
    assert "yes, no, all or quit" not in err
    assert labels(companies) == {"Hot": "orange", "Old": "gray"}


def test_a_conflict_is_one_whatever_was_declined(run: Run, companies: Sandbox) -> None:
    def relabel() -> None:
        companies.companies[0].update_lead(lead_id(7041), {"label_ids": [], "custom": {}})

    code, out, _ = run(Person("no", "yes", "yes", "yes", meanwhile=relabel))
    assert code == 4
    assert "Apply: 1 applied, 1 skipped, 1 conflict, 1 declined." in out
    assert "Read again: 2 differences besides 1 declined change. The apply did not converge." in out


def test_a_rollback_is_asked_about_change_by_change(run: Run) -> None:
    assert run(Person("all"))[0] == 0
    code, out, err = run(Person("no", "quit"), "restore", "-a", "emea")
    assert (code, out) == (3, "")
    code, out, err = run(Person("yes", "quit"), "restore", "-a", "emea")
    assert code == 0, err
    assert "1 applied, " in out
    assert "emea/label:Old" not in err.partition("Answer yes, no")[0]


@pytest.mark.parametrize("words", [("--auto-approve",), ()])
def test_interactive_needs_somebody_to_ask(
    files: Path, companies: Sandbox, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    if not words:
        monkeypatch.setattr(sys, "stdin", None)
    code, out, err = leadstate(companies, ENVIRON, files / "receipts", ("apply", "--interactive", *words))
    assert (code, out) == (64, "")
    assert "--interactive" in err
    assert not companies.meter.report()["companies"]


@pytest.mark.parametrize("words", [("--list",), ("--out", "rollback.json")])
def test_a_command_that_applies_nothing_takes_no_interactive(
    files: Path, companies: Sandbox, words: tuple[str, ...]
) -> None:
    code, _, err = leadstate(companies, ENVIRON, files / "receipts", ("restore", "--interactive", *words))
    assert code == 64
    assert "--interactive" in err


KEYS = {
    "yes and no": ([b"yes\n", b"no\n"], 0, {"Hot": "red", "Old": "gray"}),
    "all": ([b"all\n"], 0, {"Hot": "red", "New": "green"}),
    "quit after a yes": ([b"y\n", b"q\n"], 0, {"Hot": "red", "Old": "gray"}),
    "quit at once": ([b"quit\n"], 3, {"Hot": "orange", "Old": "gray"}),
    "Ctrl-C at once": ([b"\x03"], 130, {"Hot": "orange", "Old": "gray"}),
    "Ctrl-C after a yes": ([b"yes\n", b"yes\n", b"\x03"], 130, {"Hot": "orange", "Old": "gray"}),
}


@pytest.mark.parametrize(("keys", "code", "left"), KEYS.values(), ids=KEYS.keys())
def test_it_is_driven_through_a_pseudo_terminal(
    tmp_path: Path, companies: Sandbox, keys: list[bytes], code: int, left: dict[str, str]
) -> None:
    with running(companies.app) as url:
        (tmp_path / "leadstate.yaml").write_text(CONFIG.format(url=url))
        with terminal(tmp_path, ENVIRON, "apply", "--interactive", "-a", "emea") as shown:
            for pressed in keys:
                shown.read_until(QUESTION)
                shown.type(pressed)
            if code:
                shown.read_until(b"Nothing was changed.")
            else:
                shown.read_until(b" will be made: ")
            ended, out = shown.end()
    assert ended == code
    assert bool(out) is (code == 0)
    assert b"Traceback" not in shown.shown
    assert labels(companies) == left
