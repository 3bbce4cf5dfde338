"""`--events`: what an apply does, line by line, also if it is killed."""

import errno
import json
import os
import signal
import stat
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from leadstate import __version__
from leadstate.api.event_log import EventLog, EventsError
from leadstate.api.receipts import read_report
from leadstate.model.plan import Outcome, Status
from leadstate.sandbox import Sandbox
from tests.harness.builders import account, label, planned
from tests.harness.cli_in_process import leadstate
from tests.harness.commands import Folder, largest_file
from tests.harness.connections import NOWHERE
from tests.harness.disturbed_company import TOKEN
from tests.harness.disturbed_process import PATIENCE, Process, gated
from tests.harness.faults import Fault, FaultKind, Faults

LABELS = [{"name": name, "color": "red"} for name in ("Hot", "Warm", "Cold")]
LEAD = {"key": "seed", "title": "Seed", "person": 1, "labels": ["Hot"]}
RESULTS = {status.value: 0 for status in Status}

Event = dict[str, Any]


def company(*faults: Fault) -> Sandbox:
    seed = {"company": {"id": 1, "name": "Acme", "domain": "acme"}, "persons": [{"id": 1, "name": "P"}]}
    return Sandbox({"token": TOKEN, **seed}, daily=None, intercept=Faults(*faults) if faults else None)


def document(url: str = NOWHERE, **more: Any) -> dict[str, Any]:
    accounts = {"emea": {"url": url, "token": {"env": "TOKEN"}}}
    return {"version": 1, "namespace": "ns", "accounts": accounts, "labels": LABELS, **more}


def read(path: Path) -> list[Event]:
    """Return the events; each line has been seen to be whole."""
    text = path.read_text(encoding="utf-8")
    assert text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


def ended_in_receipt(path: Path) -> Counter[tuple[str, str]]:
    """Return address and status of each change that a receipt knows the end of."""
    changes = [change for account in read_report(path).accounts for change in account.changes]
    return Counter(
        (change.address, change.result.status)
        for change in changes
        if change.result is not None and "the run ended" not in change.result.detail
    )


def ended(events: list[Event]) -> Counter[tuple[str, str]]:
    return Counter((event["address"], event["status"]) for event in events if event["type"] == "change")


def test_an_apply_is_told_from_its_beginning_to_its_end(tmp_path: Path) -> None:
    folder, sandbox = Folder(tmp_path), company()
    folder.configure(document(leads=[LEAD]))
    done = folder.run(sandbox, "apply", "--auto-approve", "--events", "./events.jsonl")
    assert done.code == 0, done.said
    path = tmp_path / "events.jsonl"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    version, started, *changes, finished = events = read(path)
    assert (version["type"], version["format_version"], version["leadstate_version"]) == ("version", "1.0", __version__)
    (receipt,) = folder.receipts
    assert {key: value for key, value in started.items() if key != "time"} == {
        "type": "started",
        "command": "apply",
        "receipt": str(receipt),
        "fingerprint": read_report(receipt).fingerprint,
        "accounts": ["emea"],
        "changes": {"add": 4, "update": 0, "delete": 0},
    }
    assert [event["type"] for event in changes] == ["change"] * 4
    assert all(event["remote_id"] and event["account"] == "emea" and event["action"] == "add" for event in changes)
    assert ended(events) == ended_in_receipt(receipt)
    cost = read_report(receipt).cost.apply
    assert (finished["type"], finished["exit_code"]) == ("finished", 0)
    assert finished["results"] == {**RESULTS, "applied": 4}
    assert (finished["requests"], finished["tokens"]) == (cost.requests, cost.tokens)
    times = [datetime.fromisoformat(event["time"]) for event in events]
    assert times == sorted(times)
    assert all(time.tzinfo == UTC for time in times)


def test_a_restore_is_told_too(tmp_path: Path) -> None:
    folder, sandbox = Folder(tmp_path), company()
    folder.configure(document())
    folder.run(sandbox, "apply", "--auto-approve")
    done = folder.run(sandbox, "restore", str(folder.receipts[0]), "--auto-approve", "--events", "./events.jsonl")
    assert done.code == 0, done.said
    started = read(tmp_path / "events.jsonl")[1]
    assert (started["command"], started["changes"]) == ("restore", {"add": 0, "update": 0, "delete": 3})


@pytest.mark.parametrize("moment", ["before", "after"])
def test_the_events_of_a_killed_run_are_those_that_its_receipt_knows(tmp_path: Path, moment: str) -> None:
    sandbox, process = company(), Process(tmp_path)
    # The fourth write is that of the lead, which is sent once all labels have ended: nothing else is under way.
    with gated(sandbox, at=4, **{moment: process.signal}) as (_, url):
        (tmp_path / "leadstate.yaml").write_text(json.dumps(document(url, leads=[LEAD])))
        assert process.run("apply", "--auto-approve", "--events", "events.jsonl")[0] == -signal.SIGKILL
    events = read(tmp_path / "events.jsonl")
    (receipt,) = (tmp_path / ".leadstate" / "receipts").glob("*.json")
    assert ended(events) == ended_in_receipt(receipt)
    assert ended(events).total() == 3
    assert [event["type"] for event in events if event["type"] != "change"] == ["version", "started"]


def test_an_interrupted_run_ends_its_events_with_its_exit_code(tmp_path: Path) -> None:
    sandbox, process = company(), Process(tmp_path)
    with gated(sandbox, at=2, hold=True) as (held, url):
        (tmp_path / "leadstate.yaml").write_text(json.dumps(document(url, leads=[LEAD])))
        process.start("apply", "--auto-approve", "--events", "events.jsonl")
        assert held.reached.wait(PATIENCE)
        process.signal(signal.SIGINT)
        process.heard("Interrupted")
        held.opened.set()
        assert process.end()[0] == 130
    events = read(tmp_path / "events.jsonl")
    (receipt,) = (tmp_path / ".leadstate" / "receipts").glob("*.json")
    assert ended(events) == ended_in_receipt(receipt)
    assert events[-1]["exit_code"] == 130
    assert events[-1]["results"] == {**RESULTS, "applied": 3, "skipped": 1}


def test_retries_and_waits_are_events(tmp_path: Path) -> None:
    folder, sandbox = Folder(tmp_path), company(Fault(FaultKind.RATE_LIMITED, operation="addLeadLabel"))
    folder.configure(document(labels=LABELS[:1]))
    assert folder.run(sandbox, "apply", "--auto-approve", "--events", "./events.jsonl").code == 0
    retry, wait = (event for event in read(tmp_path / "events.jsonl") if event["type"] in ("retry", "wait"))
    named = [retry[name] for name in ("type", "account", "operation", "attempt")]
    assert named == ["retry", "emea", "addLeadLabel", 1]
    assert "429" in retry["reason"]
    assert wait["type"] == "wait"
    assert 0 < wait["seconds"] <= retry["seconds"]
    assert TOKEN not in (tmp_path / "events.jsonl").read_text()


def test_changes_of_a_wave_that_is_not_begun_are_events_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    companies = [{"token": f"t{n}", "company": {"id": n, "name": f"C{n}", "domain": f"c{n}"}} for n in (1, 2)]
    broken = Faults(Fault(FaultKind.SHIELD, operation="addLeadLabel", company=1, times=None))
    sandbox = Sandbox({"companies": companies}, daily=None, intercept=broken)
    accounts = {f"a{n}": {"url": f"{NOWHERE}{n}", "token": {"env": f"T{n}"}} for n in (1, 2)}
    Folder(tmp_path).configure(document(accounts=accounts))
    words = ("apply", "--auto-approve", "--wave", "1,rest", "--events", "events.jsonl")
    code, out, err = leadstate(sandbox, {"T1": "t1", "T2": "t2"}, tmp_path / "receipts", words)
    assert code == 1, out + err
    events = read(tmp_path / "events.jsonl")
    assert ended(events) == ended_in_receipt(*(tmp_path / "receipts").glob("*.json"))
    assert events[-1]["exit_code"] == code
    assert events[-1]["results"] == {**RESULTS, "failed": 1, "skipped": 5}


@pytest.mark.parametrize("there", ["file", "link"])
def test_a_file_that_is_there_is_refused_before_anything_is_done(tmp_path: Path, there: str) -> None:
    folder, sandbox = Folder(tmp_path), company()
    folder.configure(document())
    path = tmp_path / "events.jsonl"
    if there == "file":
        path.write_text("kept")
    else:
        path.symlink_to(tmp_path / "elsewhere")
    done = folder.run(sandbox, "apply", "--auto-approve", "--events", "./events.jsonl")
    assert done.code == 1
    assert f"{path} exists already" in done.err
    assert not done.steps
    assert not (tmp_path / "elsewhere").exists()
    assert there == "link" or path.read_text() == "kept"
    with pytest.raises(EventsError, match="no such file"):
        EventLog(tmp_path / "nowhere" / "events.jsonl", "apply", lambda: datetime.now(UTC))


def test_a_run_that_is_refused_ends_its_events(tmp_path: Path) -> None:
    folder, sandbox = Folder(tmp_path), company()
    folder.configure(document())
    words = ("apply", "--auto-approve", "--max-tokens", "1", "--events", "./events.jsonl")
    assert folder.run(sandbox, *words).code == 3
    version, finished = read(tmp_path / "events.jsonl")
    assert version["type"] == "version"
    assert (finished["exit_code"], finished["results"], finished["requests"]) == (3, RESULTS, 0)


def test_a_full_disk_ends_the_events_and_not_the_run(tmp_path: Path) -> None:
    (change,) = planned(account(label("Hot"))).changes
    path = tmp_path / "events.jsonl"
    with EventLog(path, "apply", lambda: datetime(2026, 11, 24, tzinfo=UTC)) as log, largest_file(300):
        for _ in range(5):
            log.finished(change, Outcome(Status.APPLIED))
        assert log.failure is not None
        assert log.failure.strerror == "File too large"
    assert path.stat().st_size == 300


def test_a_disk_that_is_full_only_when_the_file_is_closed_does_not_end_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really_close = os.close

    def close(descriptor: int) -> None:
        really_close(descriptor)
        raise OSError(errno.EDQUOT, "disk quota exceeded")

    with monkeypatch.context() as patched, EventLog(tmp_path / "e.jsonl", "apply", lambda: datetime.now(UTC)) as log:
        patched.setattr("leadstate.api.event_log.os.close", close)
        log.end(0)
    assert log.failure is not None
    assert log.failure.errno == errno.EDQUOT


def test_hostile_names_are_escaped_in_events(tmp_path: Path) -> None:
    folder, sandbox = Folder(tmp_path), company()
    name = "\u202eHot ##[error]"
    folder.configure(document(labels=[{"name": name, "color": "red"}]))
    assert folder.run(sandbox, "apply", "--auto-approve", "--events", "./events.jsonl").code == 0
    text = (tmp_path / "events.jsonl").read_text(encoding="utf-8")
    assert "\u202e" not in text
    assert "##[" not in text
    assert read(tmp_path / "events.jsonl")[2]["address"] == f"emea/label:{name}"


@pytest.mark.parametrize("words", [("x.json", "--out", "y.json"), ("--list",)])
def test_what_applies_nothing_has_no_events(tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "x.json").write_text("{}")
    assert Folder(tmp_path).run(company(), "restore", *words, "--events", "events.jsonl").code == 64
