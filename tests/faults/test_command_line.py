"""What the promises look like from outside: exit codes, reports and what the account holds in the end."""

import asyncio
import json
import signal
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from leadstate.api.session import Runtime
from leadstate.model.plan import Status
from leadstate.sandbox import Sandbox, running
from tests.faults.conftest import Counted
from tests.harness.builders import label, label_id, lead, lead_id, refs
from tests.harness.cli_in_process import invoke
from tests.harness.connections import NOWHERE, FakeTime
from tests.harness.disturbed_company import (
    TOKEN,
    Ticks,
    Wire,
    as_it_is,
    check_nothing_twice,
    company,
    image,
    plan_and_apply,
    state,
)
from tests.harness.disturbed_process import Process, gated, receipts
from tests.harness.edits import Edit
from tests.harness.faults import Fault, FaultKind, Faults
from tests.harness.plan_cases import BOTH, LEADS, Case, account, thirty, written
from tests.harness.sandbox_driver import Breakable

ELSEWHERE = "http://127.0.0.2:1"


@dataclass
class Losing(httpx.AsyncBaseTransport):
    """The way to a sandbox in this process, on which answers to writes of certain numbers are lost."""

    sandbox: Sandbox
    lost: range
    writes: int = 0
    tokens: list[tuple[str, int]] = field(default_factory=list)
    """The token of each request and how many answers of it had come by then."""
    answers: list[tuple[str, int]] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        token = request.headers["x-api-token"]
        self.tokens.append((token, len(self.answers)))
        reply = await Breakable(self.sandbox).handle_async_request(request)
        self.answers.append((token, reply.status_code))
        self.writes += request.method != "GET"
        if request.method != "GET" and self.writes in self.lost:
            raise httpx.ReadError("lost", request=request)
        return reply


@dataclass
class Shell:
    """The command line in this process and on a clock of its own."""

    folder: Path
    transport: httpx.AsyncBaseTransport

    def __call__(self, *words: str) -> tuple[int, str]:
        runtime = Runtime(
            environ={"TOKEN": TOKEN, "TOKEN1": "second-token"},
            transport=self.transport,
            pace=FakeTime().pace(),
            receipts=self.folder / "receipts",
        )
        code, out, _ = invoke(runtime, words[0], "-c", str(self.folder / "leadstate.yaml"), *words[1:])
        return code, out


def test_lost_answers_create_no_duplicates(tmp_path: Path, counted: Counted) -> None:
    case = thirty()
    (tmp_path / "leadstate.yaml").write_text(written(case, NOWHERE))
    calm = case.sandbox()
    way = Losing(calm, range(0))
    assert Shell(tmp_path, way)("apply", "--auto-approve")[0] == 0
    numbers = [range(k, k + 1) for k in range(1, way.writes + 1)]
    for lost in (*numbers, range(1, way.writes + 1), range(1, way.writes * 9, 2), range(1, 10_000)):
        sandbox = case.sandbox()
        first, out = Shell(tmp_path, Losing(sandbox, lost))("apply", "--auto-approve")
        assert first in ((0,) if len(lost) == 1 else (0, 1, 4)), out
        shell = Shell(tmp_path, Losing(sandbox, range(0)))
        assert shell("apply", "--auto-approve")[0] == 0
        assert shell("plan", "--detailed-exitcode")[0] == 0
        assert image(state(sandbox)) == image(state(calm)), lost
        check_nothing_twice(state(sandbox))
        counted("lost answers", 1)


@pytest.mark.parametrize("latency", [0, 0.05])
def test_the_burst_limit_is_used_and_never_exceeded(latency: float, counted: Counted) -> None:
    declared = account(
        *(label(f"L{i}") for i in range(100)), *(lead(f"k{i}", labels=refs(f"L{i % 100}")) for i in range(200))
    )
    sandbox = Sandbox(
        company([], []),
        burst=20,
        daily=None,
        latency=latency,
        clock=Ticks(),
        monotonic=lambda: asyncio.get_running_loop().time(),
        sleep=asyncio.sleep,
    )
    run = plan_and_apply(sandbox, declared)
    assert len(run.plan.changes) == 300
    assert run.statuses == {Status.APPLIED}
    assert sandbox.meter.refused == 0
    fastest = (len(run.steps) - 20) / 20 * 2.0
    assert run.waited <= fastest / 0.9, f"{run.waited:.1f} s where {fastest:.1f} s are possible"
    counted("changes under a burst limit", len(run.plan.changes))


def test_a_run_that_exhausts_the_daily_budget_is_completed_later(tmp_path: Path, counted: Counted) -> None:
    case = thirty()
    sandbox = case.sandbox(daily=250)
    with running(sandbox.app) as url:
        (tmp_path / "leadstate.yaml").write_text(written(case, url))
        refused, _, _ = Process(tmp_path).run("apply", "--auto-approve")
        code, out, err = Process(tmp_path).run("apply", "--auto-approve", "--allow", "reserve")
    assert refused == 3, "the plan costs more than is left"
    assert code == 4, out + err
    assert "resets in " in out
    shown = json.loads(receipts(tmp_path)[0].read_text())
    statuses = [change["result"]["status"] for change in shown["accounts"][0]["changes"]]
    assert len(statuses) == 30
    assert set(statuses) == {"applied", "failed", "skipped"}
    for change in shown["accounts"][0]["changes"]:
        if change["result"]["status"] != "applied":
            assert change["address"].removeprefix("emea/") in out
            assert "resets in " in change["result"]["detail"] or "was not applied" in change["result"]["detail"]

    richer = Sandbox(sandbox.dump(), burst=None, daily=None)
    with running(richer.app) as url:
        (tmp_path / "leadstate.yaml").write_text(written(case, url))
        process = Process(tmp_path)
        assert process.run("apply", "--auto-approve")[0] == 0
        assert process.run("plan", "--detailed-exitcode")[0] == 0
    counted("budgets", 1)


def test_edits_between_plan_and_write_are_kept(tmp_path: Path, counted: Counted) -> None:
    by_hand = {"label_ids": [label_id(3)]}
    # An edit is made just before the last look at its object: address → path, number of the look, edit.
    hands = {
        "lead:relabel": (f"/leads/{lead_id(2)}", 1, Edit("updateLead", by_hand, lead_id(2))),
        "lead:gone": (f"/leads/{lead_id(5)}", 1, Edit("updateLead", {"title": "by hand"}, lead_id(5))),
        "label:Old": ("/leadLabels", 2, Edit("updateLeadLabel", {"color": "pink"}, label_id(9))),
    }
    case = Case(
        "hands",
        {**LEADS.seed, "labels": [*LEADS.seed["labels"], {"id": label_id(9), "name": "Old", "color": "red"}]},
        account(*LEADS.account.desired, label("Old", present=False), policy=LEADS.account.policy),
    )
    looks: Counter[str] = Counter()

    def people(_number: int, request: httpx.Request) -> list[Edit]:
        path = request.url.path.removeprefix("/api/v1")
        looks[path] += request.method == "GET"
        return [
            edit for at, look, edit in hands.values() if (at, look) == (path, looks[path]) and request.method == "GET"
        ]

    (tmp_path / "leadstate.yaml").write_text(written(case, NOWHERE))
    sandbox = case.sandbox()
    wire = Wire(sandbox, people, as_it_is)
    code, out = Shell(tmp_path, wire)("apply", "--auto-approve", "--format", "json")
    assert code == 4, out
    assert sum(len(step.edits) for step in wire.steps) == len(hands)
    results = {change["address"]: change["result"]["status"] for change in json.loads(out)["accounts"][0]["changes"]}
    assert results.pop("emea/lead:unarchive") == "applied"
    for address in hands:
        assert results.pop(f"emea/{address}") == "conflict"
    assert set(results.values()) == {"applied"}
    now = state(sandbox)
    assert any(label["name"] == "Old" and label["color"] == "pink" for label in now.labels.values())
    assert any(lead["title"] == "by hand" for lead in now.leads.values())
    assert [lead["label_ids"] for lead in now.leads.values() if lead["origin_id"] == "ns:relabel"] == [[label_id(3)]]
    counted("hands", len(hands))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_an_interrupted_run_finishes_pending_requests(number: int, tmp_path: Path, counted: Counted) -> None:
    case = thirty()
    sandbox, process = case.sandbox(), Process(tmp_path)
    with gated(sandbox, at=5, hold=True) as (opened, url):
        (tmp_path / "leadstate.yaml").write_text(written(case, url))
        process.start("apply", "--auto-approve")
        assert opened.reached.wait(20)
        process.signal(number)
        process.heard("Interrupted")
        opened.opened.set()
        code, out, err = process.end()
        assert code == 130, out + err
        report = json.loads(receipts(tmp_path)[0].read_text())
        results = [change["result"]["status"] for change in report["accounts"][0]["changes"]]
        assert set(results) == {"applied", "skipped"}
        assert results.count("applied") == opened.count
        assert "the run was interrupted" in out
        assert process.run("show", str(receipts(tmp_path)[0]))[0] == 0
        assert process.run("apply", "--auto-approve")[0] == 0
    counted("interrupts", 1)


def test_a_firewall_block_stops_its_account_only(tmp_path: Path, counted: Counted) -> None:
    (tmp_path / "leadstate.yaml").write_text(written(BOTH, NOWHERE, ELSEWHERE))
    other: dict[str, Any] = {**BOTH.seed, "token": "second-token", "company": {"id": 2, "name": "B", "domain": "b"}}
    calm = len(plan_and_apply(BOTH.sandbox(), BOTH.account).steps)
    for k in range(1, calm + 1):
        sandbox = Sandbox({"companies": [BOTH.seed, other]}, burst=None, daily=None, clock=Ticks())
        sandbox.intercept = Faults(Fault(FaultKind.SHIELD, at=k, times=None, company=7041))
        way = Losing(sandbox, range(0))
        code, out = Shell(tmp_path, way)("apply", "--auto-approve")
        assert code in (1, 4), out
        assert "the vendor's shield" in out or "could not be read again" in out
        blocked = next(place for place, answer in enumerate(way.answers) if answer == (TOKEN, 403))
        assert not [begun for token, begun in way.tokens if token == TOKEN and begun > blocked]
        after = sandbox.dump()["companies"]
        assert {label["name"] for label in after[1]["labels"]} == {"Hot", "Warm", "New"}
        assert {lead["origin_id"] for lead in after[1]["leads"]} >= {"ns:first", "ns:moved"}
        counted("shields", 1)
