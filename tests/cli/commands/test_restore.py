"""Receipts and rollback."""

import json
import os
import shutil
import signal
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from leadstate.api import receipts
from leadstate.api.receipts import Receipt, ReceiptError, read_report
from leadstate.model import plan as model
from leadstate.model.diagnostics import ReportError
from leadstate.model.plan import AccountPlan, Outcome, Status
from leadstate.model.resource import Bindings
from leadstate.report.build import Part
from leadstate.report.document import Account, Report, Touch
from leadstate.report.journal import receipt_of
from leadstate.sandbox import Sandbox, running
from tests.harness.builders import account, label, planned
from tests.harness.cli_process import Shell
from tests.harness.commands import largest_file
from tests.harness.disturbed_company import TOKEN
from tests.harness.disturbed_process import PATIENCE, Process, gated

NEW_ID = "00000000-0000-4000-8000-000000000099"
HEAD = """\
version: 1
namespace: acme-seeds
accounts:
  emea:
    url: {url}
    token: {{env: TOKEN}}
policy: {{prune: {{leads: owned}}, guards: {{max_deletes: 10}}}}
"""
CHANGES = """\
labels:
  - {name: Hot, color: red}
  - {name: Nurture, color: blue, previously: [Cold]}
  - {name: Partner, color: green, key: partner}
  - {name: Old campaign, state: absent}
leads:
  - {key: acme-renewal, title: Changed, organization: 6, labels: [partner], value: {amount: 12000.5, currency: EUR}}
  - {key: new, title: New, person: 1, labels: [Hot]}
"""


@pytest.fixture
def shell(tmp_path: Path, sandbox: Sandbox) -> Iterator[Shell]:
    with running(sandbox.app) as url:
        made = Shell(tmp_path, {"TOKEN": "sandbox-token"})
        made.write(HEAD.format(url=url) + CHANGES)
        yield made


def state(sandbox: Sandbox) -> dict[str, Any]:
    """What people see: labels and leads without ids that a restore cannot bring back, and without times."""
    company = sandbox.dump()["companies"][0]
    names = {label["id"]: label["name"] for label in company["labels"]}
    leads = {
        lead["origin_id"] or lead["id"]: {
            **{k: v for k, v in lead.items() if k not in ("id", "update_time", "add_time", "label_ids", "cc_email")},
            "labels": sorted(names[label] for label in lead["label_ids"]),
        }
        for lead in company["leads"]
    }
    return {"labels": sorted((label["name"], label["color"]) for label in company["labels"]), "leads": leads}


def receipt(shell: Shell) -> str:
    (path,) = (shell.folder / ".leadstate" / "receipts").glob("*.json")
    return str(path.relative_to(shell.folder))


def apply(shell: Shell) -> None:
    done = shell("apply", "--auto-approve", "--allow", "in-use")
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_apply_is_rolled_back(shell: Shell, sandbox: Sandbox) -> None:
    before = state(sandbox)
    apply(shell)
    assert state(sandbox) != before
    done = shell("restore", receipt(shell), "--auto-approve")
    assert done.returncode == 0, done.stdout + done.stderr
    after = state(sandbox)
    assert after["labels"] == before["labels"]
    # A lead that comes back is a new one, made by the API; everything that was declared of it is as it was.
    old, made = before["leads"].pop("acme-seeds:old-seed"), after["leads"].pop("acme-seeds:old-seed")
    assert after["leads"] == before["leads"]
    assert {key: made[key] for key in ("title", "person_id", "organization_id", "value", "labels")} == {
        key: old[key] for key in ("title", "person_id", "organization_id", "value", "labels")
    }


def test_a_receipt_is_a_private_report_that_can_be_shown(shell: Shell) -> None:
    apply(shell)
    path = shell.folder / receipt(shell)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    report = json.loads(path.read_text())
    schema = json.loads((Path(__file__).parents[3] / "schemas" / "report.schema.json").read_text())
    jsonschema.validate(report, schema)
    assert {change["result"]["status"] for change in report["accounts"][0]["changes"]} == {"applied"}
    shown = shell("show", receipt(shell))
    assert shown.returncode == 0
    assert "applied" in shown.stdout


def test_a_lead_that_no_file_declares_is_shown_with_its_title(shell: Shell, sandbox: Sandbox) -> None:
    apply(shell)
    shown = shell("restore", receipt(shell), "--out", "back.json").stdout
    others = [lead for lead in sandbox.dump()["companies"][0]["leads"] if lead["origin_id"] is None]
    named = [lead for lead in others if f'~ lead:#{lead["id"]} "{lead["title"]}"' in shown]
    assert len(named) == shown.count("~ lead:#") > 0


def test_a_reviewed_rollback_is_applied(shell: Shell, sandbox: Sandbox) -> None:
    apply(shell)
    after = state(sandbox)
    planned = shell("restore", receipt(shell), "--out", "back.json")
    assert planned.returncode == 0, planned.stdout + planned.stderr
    assert state(sandbox) == after
    assert shell("restore", receipt(shell), "back.json", "--auto-approve").returncode == 0
    assert "Old campaign" in dict(state(sandbox)["labels"])


def test_another_file_is_refused_as_a_receipt(shell: Shell) -> None:
    shell("plan", "--out", "plan.json")
    assert shell("restore", "plan.json").returncode == 64
    assert shell("restore", "leadstate.yaml").returncode == 1


EIGHT = "labels:\n" + "".join(f"  - {{name: L{number}, color: red}}\n" for number in range(8))


def empty() -> Sandbox:
    return Sandbox({"token": TOKEN, "company": {"id": 1, "name": "Acme", "domain": "acme"}}, daily=None)


@contextmanager
def killed(tmp_path: Path, at: int, moment: str) -> Iterator[tuple[Shell, Sandbox, str]]:
    """An apply of eight labels in an empty account that is killed at a write, while the server goes on."""
    sandbox = empty()
    process = Process(tmp_path)
    shell = Shell(tmp_path, {"TOKEN": TOKEN})
    with gated(sandbox, at=at, **{moment: process.signal}) as (_, url):
        shell.write(HEAD.format(url=url) + EIGHT)
        assert process.run("apply", "--auto-approve")[0] == -9
        yield shell, sandbox, url


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("at", [1, 5, 8])
def test_the_receipt_of_a_killed_run_rolls_back_its_changes(tmp_path: Path, at: int, moment: str) -> None:
    with killed(tmp_path, at, moment) as (shell, sandbox, _):
        shown = shell("show", receipt(shell))
        assert shown.returncode == 0, shown.stderr
        assert "unfinished-run" in shown.stdout
        assert "nothing to do" not in shown.stdout
        assert "applying took 0 requests" not in shown.stdout
        assert "could not be read again (the run had ended)" in shown.stdout
        done = shell("restore", receipt(shell), "--auto-approve")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "the run ended before it was finished, or is still under way: " in done.stderr
    assert state(sandbox)["labels"] == []


def test_a_second_interrupt_leaves_a_receipt(tmp_path: Path) -> None:
    sandbox = empty()
    process = Process(tmp_path)
    shell = Shell(tmp_path, {"TOKEN": TOKEN})
    with gated(sandbox, at=6, hold=True) as (held, url):
        shell.write(HEAD.format(url=url) + EIGHT)
        process.start("apply", "--auto-approve")
        assert held.reached.wait(PATIENCE)
        process.signal(signal.SIGINT)
        process.heard("Interrupted")
        process.signal(signal.SIGINT)
        code, _, err = process.end()
        assert (code, "Traceback" in err) == (130, False)
        held.opened.set()
        assert len(state(sandbox)["labels"]) >= 5
        done = shell("restore", receipt(shell), "--auto-approve")
        assert done.returncode == 0, done.stdout + done.stderr
        assert state(sandbox)["labels"] == []


def test_a_receipt_folder_that_is_removed_stops_new_changes(tmp_path: Path) -> None:
    sandbox = empty()
    shell = Shell(tmp_path, {"TOKEN": TOKEN})
    many = "labels:\n" + "".join(f"  - {{name: L{number}, color: red}}\n" for number in range(40))
    with gated(sandbox, at=3, before=lambda: shutil.rmtree(tmp_path / ".leadstate")) as (_, url):
        shell.write(HEAD.format(url=url) + many)
        done = shell("apply", "--auto-approve")
    assert done.returncode == 4, done.stdout + done.stderr
    assert "cannot be written" in done.stderr
    assert " applied" in done.stdout
    made = len(state(sandbox)["labels"])
    assert 0 < made < 40
    assert f"{made} applied" in done.stdout


def test_a_receipt_that_cannot_be_written_refuses_the_apply(shell: Shell, sandbox: Sandbox) -> None:
    before = state(sandbox)
    (shell.folder / ".leadstate").write_text("a file where a folder should be")
    done = shell("apply", "--auto-approve", "--allow", "in-use")
    assert done.returncode == 1
    assert "error[receipt]" in done.stderr
    assert "nothing was changed" in done.stderr
    assert state(sandbox) == before


PART = Part(AccountPlan("emea", "https://x.test", (), (), 0, (), Bindings()), (0, 0))
WHEN = datetime(2026, 11, 24, tzinfo=UTC)


def test_a_receipt_that_cannot_be_created_leaves_no_file(tmp_path: Path) -> None:
    with largest_file(100), pytest.raises(ReceiptError, match="cannot be written"):
        Receipt(tmp_path, [PART], [], WHEN)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("failure", [MemoryError, KeyboardInterrupt, UnicodeEncodeError("utf-8", "", 0, 1, "")])
def test_a_receipt_that_fails_for_any_reason_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: type[BaseException] | BaseException
) -> None:
    def broken(_: Report) -> Iterator[str]:
        yield "{"
        raise failure

    monkeypatch.setattr(receipts, "to_json", broken)
    with pytest.raises((MemoryError, KeyboardInterrupt, UnicodeEncodeError)):
        Receipt(tmp_path, [PART], [], WHEN)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_under_the_journal_ends_the_run_with_a_report(tmp_path: Path) -> None:
    plan = replace(planned(account(*(label(f"L{number}") for number in range(40)))), origin=PART.plan.origin)
    with Receipt(tmp_path, [replace(PART, plan=plan)], [], WHEN) as receipt:
        journal = receipt.path.with_suffix(".journal")
        assert journal.stat().st_mode & 0o777 == 0o600
        with largest_file(2000):
            for change in plan.changes:
                receipt.finished(change, Outcome(Status.APPLIED))
                assert receipt.obstacle or journal.read_bytes().endswith(b"\n"), (
                    "a line that was cut is told of at once"
                )
    assert receipt.obstacle.endswith(".json cannot be written: file too large")
    stored = read_report(receipt.path).accounts[0].changes
    results = [change.result.status if change.result else "" for change in stored]
    assert 0 < results.count("applied") < len(results)
    assert len(journal.read_bytes()) <= 2000


def test_two_receipts_of_the_same_second_are_two_files(tmp_path: Path) -> None:
    receipts = [Receipt(tmp_path, [PART], [], WHEN) for _ in range(3)]
    paths = {made.path for made in receipts}
    assert len(paths) == 3
    assert all(str(os.getpid()) in path.name for path in paths)
    for made in receipts:
        made.close([PART])
    assert set(tmp_path.iterdir()) == paths


def test_a_create_of_a_later_killed_run_is_not_attributed_to_an_earlier_one(tmp_path: Path) -> None:
    part = Part(AccountPlan("emea", "https://x.test", (), (), 0, (), Bindings()), (0, 0))
    intended = model.Touch("label", None, "New", None, {"name": "New", "color": "red"})
    with (
        Receipt(tmp_path, [part], [], datetime(2026, 11, 24, tzinfo=UTC)) as killed,
        Receipt(tmp_path, [part], [], datetime(2026, 11, 25, tzinfo=UTC)) as later,
    ):
        for receipt in (killed, later):
            receipt.touching("emea", intended)
        assert read_report(killed.path).accounts[0].touched, "nothing tells that it was not made"
        later.touched("emea", intended, replace(intended, remote_id=NEW_ID, answered=True))
    assert read_report(killed.path).accounts[0].touched == ()
    (answered,) = read_report(later.path).accounts[0].touched or ()
    assert answered.remote_id == NEW_ID


def test_a_later_receipt_that_is_a_link_or_too_large_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, elsewhere = tmp_path / "receipts", tmp_path / "elsewhere"
    intended = model.Touch("label", None, "New", None, {"name": "New", "color": "red"})
    with (
        Receipt(folder, [PART], [], datetime(2026, 11, 24, tzinfo=UTC)) as killed,
        Receipt(elsewhere, [PART], [], datetime(2026, 11, 25, tzinfo=UTC)) as later,
    ):
        killed.touching("emea", intended)
        later.touching("emea", intended)
        later.touched("emea", intended, replace(intended, remote_id=NEW_ID, answered=True))
    copy = folder / later.path.name
    copy.symlink_to(later.path)
    copy.with_suffix(".journal").symlink_to(later.path.with_suffix(".journal"))
    assert read_report(killed.path).accounts[0].touched
    for file in (copy, copy.with_suffix(".journal")):
        file.unlink()
        file.write_bytes((elsewhere / file.name).read_bytes())
    assert read_report(killed.path).accounts[0].touched == ()
    monkeypatch.setattr(receipts, "LARGEST", 100)
    assert read_report(killed.path).accounts[0].touched


def test_the_lock_file_follows_a_rollback(shell: Shell, sandbox: Sandbox) -> None:
    assert shell("lock").returncode == 0
    apply(shell)
    assert "lead:new" in (shell.folder / "leadstate.lock.json").read_text()
    done = shell("restore", receipt(shell), "--auto-approve")
    assert done.returncode == 0, done.stdout + done.stderr
    lock = json.loads((shell.folder / "leadstate.lock.json").read_text())["accounts"]["emea"]
    assert "lead:new" not in lock
    again = shell("apply", "--auto-approve", "--allow", "in-use")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "acme-seeds:new" in state(sandbox)["leads"]


def test_a_restored_pruned_label_is_in_the_lock_file(shell: Shell, sandbox: Sandbox) -> None:
    text = (shell.folder / "leadstate.yaml").read_text()
    head = text.partition("labels:")[0].replace("{leads: owned}", "{labels: locked}")
    shell.write(head + "labels:\n  - {name: Tmp, color: red}\n")
    assert shell("apply", "--auto-approve", "--lock").returncode == 0
    first = receipt(shell)
    (shell.folder / first).rename(shell.folder / "first.json")
    shell.write(head)
    assert shell("apply", "--auto-approve").returncode == 0
    assert "Tmp" not in dict(state(sandbox)["labels"])
    assert shell("restore", receipt(shell), "--auto-approve").returncode == 0
    lock = json.loads((shell.folder / "leadstate.lock.json").read_text())["accounts"]["emea"]
    (tmp,) = (label for label in sandbox.dump()["companies"][0]["labels"] if label["name"] == "Tmp")
    assert lock["label:Tmp"] == tmp["id"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("touched", 0, "kind"), "person"),
        (("touched", 0, "remote_id"), "../users/me"),
        (("touched", 0, "before"), {"name": 7}),
        (("touched", 0, "after"), {"colour": "red"}),
        (("touched", 0, "after"), {"labels": "x"}),
    ],
)
def test_a_receipt_with_invalid_values_is_an_error(shell: Shell, path: tuple[str, int, str], value: object) -> None:
    apply(shell)
    file = shell.folder / receipt(shell)
    edited = json.loads(file.read_text())
    edited["accounts"][0][path[0]][path[1]][path[2]] = value
    file.write_text(json.dumps(edited))
    done = shell("restore", receipt(shell), "--auto-approve")
    assert done.returncode == 1
    assert "error[report]" in done.stderr
    # The digest says so; without one the values themselves do.
    account = Account(account="emea", company="x", touched=())
    rows = [row for row in [edited["accounts"][0]["touched"][0]] if row["kind"] in ("label", "lead")]
    for row in rows:
        with pytest.raises(ReportError):
            receipt_of(replace(account, touched=(Touch(**row),)), "receipt.json")


def test_a_receipt_of_another_company_is_refused(shell: Shell) -> None:
    apply(shell)
    text = (shell.folder / "leadstate.yaml").read_text()
    shell.write(text.replace("127.0.0.1", "localhost"))
    done = shell("restore", receipt(shell), "--auto-approve")
    assert done.returncode == 1
    assert "is of http://127.0.0.1" in done.stderr
