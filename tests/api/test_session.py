"""The Python API over a sandbox: with and without `await`, and how each refusal looks."""

import asyncio
import os
import pickle
import pwd
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import httpx
import pytest

import leadstate
from leadstate import Runtime, errors
from leadstate.api import run_lock
from leadstate.api.configuration import select
from leadstate.api.run_lock import hold_locks
from leadstate.config import Configuration
from leadstate.model.diagnostics import Diagnostic
from leadstate.model.resource import Desired
from leadstate.model.rollout import Limit
from leadstate.sandbox import Sandbox, running
from tests.harness.faults import Fault, FaultKind, Faults

YAML = """\
version: 1
accounts:
  emea:
    url: {url}
    token: {{env: TOKEN}}
    tags: [prod]
  us:
    url: https://us.invalid
    token: {{env: TOKEN_US}}
labels:
  - {{name: Hot, color: red}}
  - {{name: New, color: green, accounts: [emea]}}
"""


@pytest.fixture
def configuration(tmp_path: Path, url: str) -> Configuration:
    path = tmp_path / "leadstate.yaml"
    path.write_text(YAML.format(url=url))
    return leadstate.load(path)


@pytest.fixture
def runtime(tmp_path: Path) -> Runtime:
    return Runtime(
        environ={"TOKEN": "sandbox-token"},
        receipts=tmp_path / "receipts",
        cache=tmp_path / "cache",
        state=tmp_path / "state",
    )


@pytest.fixture
def plan(configuration: Configuration, runtime: Runtime) -> leadstate.Plan:
    """A plan of the account that can be read."""
    return leadstate.plan(configuration, accounts=["emea"], runtime=runtime)


def test_a_plan_is_applied_with_await(configuration: Configuration, runtime: Runtime) -> None:
    events: list[str] = []

    async def run() -> leadstate.Result:
        async with leadstate.connect(configuration, ["tag:prod"], runtime=runtime) as session:
            plan = await session.plan(["label:New"])
            assert (plan.summary.add, plan.diagnostics) == (1, ())
            assert plan.fingerprint is not None
            return await session.apply(plan, on_event=lambda event: events.append(str(event)))

    result = asyncio.run(run())
    assert events == ["emea/label:New: add applied"]
    assert result.converged
    assert result.receipt is not None
    assert leadstate.read_report(result.receipt).command == "apply"
    assert leadstate.plan(configuration, ["label:New"], accounts=["emea"], runtime=runtime).summary.add == 0


def test_no_representation_shows_the_variables_of_the_surroundings(
    configuration: Configuration, runtime: Runtime
) -> None:
    async def run() -> str:
        async with leadstate.connect(configuration, runtime=runtime) as session:
            return repr(session)

    assert "sandbox-token" not in asyncio.run(run()) + repr(runtime)


def test_the_folders_of_the_surroundings_may_be_texts(configuration: Configuration, tmp_path: Path) -> None:
    folders: dict[str, Any] = {name: str(tmp_path / name) for name in ("receipts", "cache", "state")}
    around = Runtime(environ={"TOKEN": "sandbox-token"}, **folders)
    result = leadstate.apply(leadstate.plan(configuration, accounts=["emea"], runtime=around), runtime=around)
    assert result.converged
    assert result.receipt is not None
    assert result.receipt.parent == tmp_path / "receipts"


@pytest.mark.parametrize("home", [True, False])
def test_the_folders_of_the_surroundings_may_be_below_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, home: bool
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path)) if home else monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", {}.__getitem__)
    around = Runtime(receipts=Path("~/a"), cache=Path("~/b"), state=Path("~/c"))
    top = tmp_path if home else Path("~")
    assert (around.receipts, around.cache, around.state) == (top / "a", top / "b", top / "c")


def test_a_plan_is_applied_without_await(plan: leadstate.Plan, runtime: Runtime) -> None:
    assert plan.summary.changes
    result = leadstate.apply(plan, runtime=runtime)
    assert result.converged
    assert result.report.scope == plan.report.scope


def test_a_plan_is_applied_in_another_process_than_it_was_made(plan: leadstate.Plan, runtime: Runtime) -> None:
    result = leadstate.apply(pickle.loads(pickle.dumps(plan)), runtime=runtime)  # noqa: S301  written here
    assert result.converged
    assert pickle.loads(pickle.dumps(result)) == result  # noqa: S301  written here


def test_only_the_chosen_changes_are_made_and_the_receipt_names_the_others(
    configuration: Configuration, plan: leadstate.Plan, runtime: Runtime
) -> None:
    events: list[str] = []
    result = leadstate.apply(
        plan, only=["label:New"], on_event=lambda event: events.append(str(event)), runtime=runtime
    )
    assert sorted(events) == ["emea/label:Hot: update declined (not chosen)", "emea/label:New: add applied"]
    assert result.converged
    assert result.receipt is not None
    (emea,) = leadstate.read_report(result.receipt).accounts
    assert {change.address: change.result and change.result.status for change in emea.changes} == {
        "emea/label:Hot": "declined",
        "emea/label:New": "applied",
    }
    assert emea.remaining is not None
    assert (emea.remaining.changes, emea.remaining.declined) == (1, 1)
    again = leadstate.plan(configuration, accounts=["emea"], runtime=runtime)
    assert [change.address for change in again.accounts[0].changes] == ["emea/label:Hot"]


def test_where_no_change_is_chosen_nothing_is_sent(plan: leadstate.Plan, runtime: Runtime, sandbox: Sandbox) -> None:
    before = sandbox.dump()
    result = leadstate.apply(plan, only=(), runtime=runtime)
    assert (result.converged, result.changed, result.report.cost.apply.requests) == (True, False, 0)
    assert sandbox.dump() == before


@pytest.mark.parametrize("address", ["label:Unknown", "us/label:New", "Hot"])
def test_a_chosen_address_at_which_nothing_is_planned_is_an_error(
    plan: leadstate.Plan, runtime: Runtime, address: str
) -> None:
    with pytest.raises(errors.UnknownTarget):
        leadstate.apply(plan, only=[address], runtime=runtime)


@pytest.mark.parametrize(
    ("loaded", "connected", "scope"),
    [
        ((), (), ()),
        (["tag:prod"], (), ("tag:prod",)),
        ((), ["tag:prod"], ("tag:prod",)),
        (["us", "emea"], ["tag:prod"], ("emea",)),
    ],
)
def test_a_plan_names_the_accounts_that_the_configuration_is_limited_to(
    configuration: Configuration, runtime: Runtime, loaded: Sequence[str], connected: Sequence[str], scope: tuple[str]
) -> None:
    assert configuration.lock_file is not None
    configuration = leadstate.load(configuration.lock_file.parent, accounts=loaded)
    plan = leadstate.plan(configuration, accounts=connected, runtime=runtime)
    assert plan.report.scope.accounts == scope


@pytest.mark.parametrize("limit", [Limit(("tag:prod",)), Limit((), "2/2")])
def test_a_plan_of_a_part_is_applied_in_a_session_of_all_accounts(
    configuration: Configuration, runtime: Runtime, limit: Limit
) -> None:
    part = select(configuration, limit.accounts, limit.shard)
    assert [declared.account.name for declared in part.accounts] == ["emea"]
    plan = leadstate.plan(part, runtime=runtime)

    async def run() -> leadstate.Result:
        async with leadstate.connect(configuration, runtime=runtime) as session:
            return await session.apply(plan)

    result = asyncio.run(run())
    assert result.converged
    assert result.report.scope == plan.report.scope


def test_a_plan_of_an_account_that_a_session_does_not_have_is_refused(
    configuration: Configuration, plan: leadstate.Plan, runtime: Runtime
) -> None:
    async def run() -> leadstate.Result:
        async with leadstate.connect(configuration, ["us"], runtime=runtime) as session:
            return await session.apply(plan)

    with pytest.raises(errors.UnknownAccount, match="'emea'"):
        asyncio.run(run())


def test_a_stored_plan_is_applied(configuration: Configuration, runtime: Runtime, tmp_path: Path) -> None:
    stored = tmp_path / "plan.json"
    stored.write_text(leadstate.plan(configuration, accounts=["emea"], runtime=runtime).to_json())

    async def run() -> leadstate.Result:
        async with leadstate.connect(configuration, ["emea"], runtime=runtime) as session:
            return await session.apply(leadstate.read_report(stored))

    assert asyncio.run(run()).converged


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"targets": "label:Hot"}, TypeError, "`targets` takes a list of texts, not 'label:Hot'"),
        ({"accounts": "emea"}, TypeError, "`accounts` takes a list of texts, not 'emea'"),
        ({"allow": [1]}, TypeError, "`allow` takes a list of texts"),
        ({"allow": ["bogus"]}, ValueError, "'bogus' is not one of max-deletes, "),
        ({"impact": "huge"}, ValueError, "'huge' is not one of none, live, full"),
        ({"max_tokens": "5"}, TypeError, "`max_tokens` takes an integer, not '5'"),
        ({"max_tokens": -1}, ValueError, "`max_tokens` takes an integer from 0 on, not -1"),
        ({"reserve": None}, TypeError, "`reserve` takes an integer, not None"),
        ({"reserve": 101}, ValueError, "`reserve` takes an integer from 0 to 100, not 101"),
        ({"runtime": {"environ": "secret"}}, TypeError, "`runtime` takes a `leadstate.Runtime`, not dict"),
        ({"warn": "print"}, TypeError, "`warn` takes a function that is not `async`, not 'print'"),
        ({"warn": asyncio.sleep}, TypeError, "`warn` takes a function that is not `async`, not function"),
    ],
)
def test_a_wrong_argument_of_a_plan_is_refused_before_anything_is_read(
    configuration: Configuration,
    runtime: Runtime,
    settings: dict[str, Any],
    error: type[Exception],
    words: str,
) -> None:
    asked: list[httpx.Request] = []
    around = replace(runtime, transport=httpx.MockTransport(asked.append))  # type: ignore[arg-type]  # never answers
    with pytest.raises(error, match=re.escape(words)):
        leadstate.plan(configuration, **{"accounts": ["emea"], "runtime": around, **settings})
    assert not asked


class Sleeper:
    async def __call__(self, _: object) -> None:
        """Do what nobody awaits."""


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"rollout": "1,rest"}, TypeError, "`rollout` takes a `leadstate.Rollout`, not '1,rest'"),
        ({"on_event": "print"}, TypeError, "`on_event` takes a function that is not `async`, not 'print'"),
        ({"on_event": asyncio.sleep}, TypeError, "`on_event` takes a function that is not `async`, not function"),
        (
            {"on_event": partial(asyncio.sleep, 0)},
            TypeError,
            "`on_event` takes a function that is not `async`, not partial",
        ),
        ({"on_event": Sleeper()}, TypeError, "`on_event` takes a function that is not `async`, not Sleeper"),
        ({"only": "label:Hot"}, TypeError, "`only` takes a list of texts"),
        ({"allow": ["bogus"]}, ValueError, "'bogus' is not one of"),
        ({"max_tokens": "5"}, TypeError, "`max_tokens` takes an integer, not '5'"),
        ({"lock": "no"}, TypeError, "`lock` takes True or False, not 'no'"),
        ({"lock_timeout": "5"}, TypeError, "`lock_timeout` takes a number of seconds, not '5'"),
    ],
)
def test_a_wrong_argument_of_an_apply_is_refused_before_anything_is_written(
    plan: leadstate.Plan, runtime: Runtime, settings: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=re.escape(words)):
        leadstate.apply(plan, **settings, runtime=runtime)
    assert not runtime.receipts.exists()


def test_what_is_no_trust_is_refused_before_a_file_is_read(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"`trust` takes a `leadstate\.Trust`, not 'x'"):
        leadstate.load(tmp_path / "missing.yaml", trust="x")  # type: ignore[arg-type]  # what is refused


def test_only_a_stored_receipt_is_rolled_back(configuration: Configuration, plan: leadstate.Plan) -> None:
    words = re.escape("`receipt` takes what `leadstate.read_report` returns, not Plan")
    with pytest.raises(TypeError, match=words):
        leadstate.rollback(configuration, plan, "plan.json")  # type: ignore[arg-type]  # what is refused


@pytest.mark.parametrize("sizes", [("0",), ("x",), ("101%",)])
def test_a_rollout_has_sizes_that_can_be_applied(sizes: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="is not the size of a wave"):
        leadstate.Rollout(sizes)


@pytest.mark.parametrize("failures", ["0", -1, None])
def test_a_rollout_allows_a_number_of_failures(failures: Any) -> None:
    with pytest.raises(ValueError, match="`max_failed` takes an integer from 0 on"):
        leadstate.Rollout.parse("1,rest", failures)


def test_what_is_no_plan_is_refused_with_what_to_do(configuration: Configuration, runtime: Runtime) -> None:
    plan: Any = leadstate.plan(configuration, accounts=["emea"], runtime=runtime)
    with pytest.raises(TypeError, match=r"a stored plan .* `Session\.apply`"):
        leadstate.apply(plan.report, runtime=runtime)
    unread: Any = "leadstate.yaml"
    with pytest.raises(TypeError, match=r"`configuration` takes what `leadstate\.load` returns"):
        leadstate.plan(unread, runtime=runtime)

    async def run() -> None:
        async with leadstate.connect(configuration, ["emea"], runtime=runtime) as session:
            await session.apply(unread)

    with pytest.raises(TypeError, match=r"`plan` takes a `Plan` or what `leadstate\.read_report` returns"):
        asyncio.run(run())


def test_a_guard_is_lifted_for_one_apply(configuration: Configuration, runtime: Runtime) -> None:
    plan = leadstate.plan(configuration, accounts=["emea"], max_tokens=1, runtime=runtime)
    with pytest.raises(errors.Refused):
        leadstate.apply(plan, runtime=runtime)
    assert leadstate.apply(plan, allow=["max-tokens"], runtime=runtime).converged


def test_a_limit_of_tokens_is_raised_for_one_apply(configuration: Configuration, runtime: Runtime) -> None:
    plan = leadstate.plan(configuration, accounts=["emea"], max_tokens=1, runtime=runtime)
    assert leadstate.apply(plan, max_tokens=1000, runtime=runtime).converged


@pytest.mark.parametrize("name", ["missing.json", ".", "fifo", "/dev/zero"])
def test_a_report_that_cannot_be_opened_is_an_error_of_leadstate(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(errors.ReportError, match=re.escape(str(tmp_path / name))) as caught:
        leadstate.read_report(tmp_path / name)
    assert caught.value.hint


def test_no_more_of_a_report_is_read_than_a_run_may_need(
    plan: leadstate.Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = plan.to_json()
    path = tmp_path / "plan.json"
    path.write_text(text)
    monkeypatch.setattr("leadstate.api.receipts.LARGEST_NAMED", len(text))
    assert leadstate.read_report(path) == plan.report
    monkeypatch.setattr("leadstate.api.receipts.LARGEST_NAMED", len(text) - 1)
    with pytest.raises(errors.ReportError, match="is larger than 1 GiB") as caught:
        leadstate.read_report(path)
    assert caught.value.hint


def test_a_report_is_read_from_the_pipe_that_a_shell_makes(plan: leadstate.Plan) -> None:
    read, write = os.pipe()
    with open(read, "rb"), open(write, "w") as file:  # noqa: PTH123  pathlib opens no descriptors
        file.write(plan.to_json())
        file.close()
        assert leadstate.read_report(f"/dev/fd/{read}") == plan.report


def test_a_receipt_is_not_applied_as_a_plan(configuration: Configuration, runtime: Runtime) -> None:
    receipt = leadstate.apply(leadstate.plan(configuration, accounts=["emea"], runtime=runtime), runtime=runtime).report

    async def run() -> leadstate.Result:
        async with leadstate.connect(configuration, ["emea"], runtime=runtime) as session:
            return await session.apply(receipt)

    with pytest.raises(errors.ReportError, match="a report of `apply` is not a plan"):
        asyncio.run(run())


def test_a_run_is_rolled_back(configuration: Configuration, runtime: Runtime, sandbox: Sandbox) -> None:
    before = {label["name"] for label in sandbox.dump()["companies"][0]["labels"]}
    plan = leadstate.plan(configuration, accounts=["emea"], runtime=runtime)
    receipt = leadstate.apply(plan, runtime=runtime).receipt
    assert receipt is not None
    undone = leadstate.rollback(configuration, leadstate.read_report(receipt), receipt)
    assert leadstate.apply(leadstate.plan(undone, runtime=runtime), runtime=runtime).converged
    assert {label["name"] for label in sandbox.dump()["companies"][0]["labels"]} == before


def test_a_plan_of_changed_live_state_is_stale(plan: leadstate.Plan, runtime: Runtime) -> None:
    leadstate.apply(plan, runtime=runtime)
    with pytest.raises(errors.StalePlan) as caught:
        leadstate.apply(plan, runtime=runtime)
    assert caught.value.differences
    assert caught.value.plan.summary.changes == 0


@pytest.mark.parametrize("accounts", [["emea"], ["emea", "us"]], ids=["alone", "beside an account without a token"])
def test_a_guard_refuses_the_apply_whatever_else_is_wrong(
    configuration: Configuration, runtime: Runtime, accounts: list[str]
) -> None:
    plan = leadstate.plan(configuration, accounts=accounts, max_tokens=1, runtime=runtime)
    with pytest.raises(errors.Refused, match="max-tokens"):
        leadstate.apply(plan, runtime=runtime)


def test_a_stored_plan_is_applied_with_the_guards_that_are_lifted_again(
    configuration: Configuration, runtime: Runtime, tmp_path: Path
) -> None:
    plan = leadstate.plan(configuration, accounts=["emea"], allow=["max-tokens"], max_tokens=1, runtime=runtime)
    (tmp_path / "plan.json").write_text(plan.to_json())
    stored = leadstate.read_report(tmp_path / "plan.json")

    async def run(*allow: str) -> leadstate.Result:
        async with leadstate.connect(configuration, ["emea"], runtime=runtime) as session:
            return await session.apply(stored, allow=allow, max_tokens=1)

    with pytest.raises(errors.Refused):
        asyncio.run(run())
    assert asyncio.run(run("max-tokens")).converged


def test_an_account_held_by_another_run_is_an_error(plan: leadstate.Plan, runtime: Runtime) -> None:
    accounts = [declared.account for declared in plan.configuration.accounts]
    with hold_locks(accounts, runtime.state, "apply"), pytest.raises(errors.Locked):
        leadstate.apply(plan, runtime=runtime)


def test_an_apply_waits_for_another_one_without_holding_up_the_event_loop(
    plan: leadstate.Plan, runtime: Runtime
) -> None:
    accounts = [declared.account for declared in plan.configuration.accounts]

    async def run() -> leadstate.Result:
        async with leadstate.connect(plan.configuration, ["emea"], runtime=runtime) as session:
            with hold_locks(accounts, runtime.state, "apply"):
                applying = asyncio.create_task(session.apply(plan, lock_timeout=60))
                await asyncio.wait([applying], timeout=0.01)
                assert not applying.done()
            return await applying

    assert asyncio.run(run()).converged


def test_a_function_that_waits_is_refused_in_an_event_loop(
    configuration: Configuration, plan: leadstate.Plan, runtime: Runtime, recwarn: pytest.WarningsRecorder
) -> None:

    async def run() -> None:
        with pytest.raises(errors.EventLoopRunning):
            leadstate.plan(configuration, runtime=runtime)
        with pytest.raises(errors.EventLoopRunning):
            leadstate.apply(plan, runtime=runtime)

    asyncio.run(run())
    assert not recwarn.list


def test_a_session_that_has_ended_is_refused(configuration: Configuration, runtime: Runtime) -> None:
    async def run() -> None:
        async with leadstate.connect(configuration, runtime=runtime) as session:
            pass
        with pytest.raises(errors.SessionClosed):
            await session.plan()

    asyncio.run(run())


def test_each_plan_and_apply_of_a_session_tells_its_own_cost(
    configuration: Configuration, runtime: Runtime, url: str
) -> None:
    def metered() -> int:
        tokens: int = httpx.get(f"{url}/_sandbox/meter").json()["tokens"]
        return tokens

    async def run() -> list[tuple[int, int]]:
        costs = []
        async with leadstate.connect(configuration, ["emea"], runtime=runtime) as session:
            for _ in range(2):
                before = metered()
                plan = await session.plan()
                costs.append((plan.report.cost.read.tokens, metered() - before))
                before = metered()
                result = await session.apply(plan)
                cost = result.report.cost
                costs.append((cost.read.tokens + cost.apply.tokens, metered() - before))
        return costs

    told = asyncio.run(run())
    assert [told_cost for told_cost, _ in told] == [metered_cost for _, metered_cost in told]


@pytest.mark.parametrize("failure", [ValueError, asyncio.CancelledError])
def test_a_function_that_raises_stops_no_apply_and_is_told(
    configuration: Configuration, runtime: Runtime, failure: type[BaseException]
) -> None:
    def fail(_: leadstate.Event) -> None:
        raise failure("the log is closed")

    plan = leadstate.plan(configuration, accounts=["emea"], runtime=runtime)
    result = leadstate.apply(plan, on_event=fail, runtime=runtime)
    assert [change.result and change.result.status for change in result.accounts[0].changes] == ["applied"] * 2
    assert [(note.code, note.summary) for note in result.notes] == [
        ("events", f"`on_event` raised {failure.__name__}: the log is closed")
    ]


@pytest.mark.parametrize("failure", [SystemExit, KeyboardInterrupt, GeneratorExit])
def test_a_function_that_ends_the_process_ends_the_apply_first(
    configuration: Configuration, runtime: Runtime, failure: type[BaseException]
) -> None:
    assert configuration.lock_file is not None
    path = configuration.lock_file.with_name("leadstate.yaml")
    many = "".join(f"  - {{name: Label {number}, color: red}}\n" for number in range(30))
    path.write_text(path.read_text() + many)
    plan = leadstate.plan(leadstate.load(path), accounts=["emea"], runtime=runtime)
    heard: list[leadstate.Event] = []

    def fail(event: leadstate.Event) -> None:
        heard.append(event)
        raise failure

    with pytest.raises(failure):
        leadstate.apply(plan, on_event=fail, runtime=runtime)
    assert [event.status for event in heard] == ["applied"]
    (receipt,) = runtime.receipts.iterdir()
    account = leadstate.read_report(receipt).accounts[0]
    assert {change.result and change.result.status for change in account.changes} == {"applied", "skipped"}
    again = leadstate.plan(plan.configuration, runtime=runtime)
    assert 0 < again.summary.changes < plan.summary.changes
    assert leadstate.apply(again, runtime=runtime).converged


def test_the_diagnostics_of_a_result_say_why_it_has_not_converged(
    configuration: Configuration, runtime: Runtime
) -> None:
    path = configuration.lock_file
    assert path is not None
    plan = leadstate.plan(configuration, accounts=["emea"], runtime=runtime)
    path.write_text("<<<<<<< HEAD")
    result = leadstate.apply(plan, runtime=runtime)
    assert not result.converged
    assert [(found.code, found.severity, found.account) for found in result.diagnostics] == [
        ("lock-file", "error", None)
    ]


def test_the_problems_of_a_plan_are_its_errors_and_refusals(configuration: Configuration, runtime: Runtime) -> None:
    plan = leadstate.plan(configuration, max_tokens=1, runtime=runtime)
    assert sorted({found.severity for found in plan.diagnostics}) == ["error", "guard"]
    assert list(plan.problems) == [f"{found.account}: {found.summary}" for found in plan.diagnostics]


def test_the_problems_of_a_result_name_each_change_that_was_not_made_and_no_warning(
    configuration: Configuration, runtime: Runtime, sandbox: Sandbox
) -> None:
    plan = leadstate.plan(configuration, accounts=["emea"], max_tokens=1, allow=["max-tokens"], runtime=runtime)
    sandbox.intercept = Faults(Fault(FaultKind.ERROR_BEFORE, operation="addLeadLabel", status=400, times=None))
    result = leadstate.apply(plan, runtime=runtime)
    assert "warning" in {found.severity for found in result.diagnostics}
    refused, left = result.problems
    assert refused.startswith("emea/label:New: add failed (addLeadLabel: ")
    assert left == "emea: 1 difference left"


def test_the_problems_of_a_result_say_why_an_account_could_not_be_read_again_once(
    configuration: Configuration, runtime: Runtime
) -> None:
    result = leadstate.apply(leadstate.plan(configuration, runtime=runtime), runtime=runtime)
    assert list(result.problems) == [f"us: {result.accounts[1].unread}"]


def test_a_declined_change_is_no_problem(plan: leadstate.Plan, runtime: Runtime) -> None:
    assert leadstate.apply(plan, only=["label:New"], runtime=runtime).problems == ()


@pytest.mark.parametrize(
    ("exists", "lock", "kept"), [(True, None, True), (False, None, False), (False, True, True), (True, False, False)]
)
def test_the_lock_file_is_brought_up_to_date_where_there_is_one(
    configuration: Configuration, runtime: Runtime, *, exists: bool, lock: bool | None, kept: bool
) -> None:
    path = configuration.lock_file
    assert path is not None
    if exists:
        path.write_text('{"version": 1, "accounts": {}}')
    plan = leadstate.plan(configuration, ["label:New"], accounts=["emea"], runtime=runtime)
    leadstate.apply(plan, lock=lock, runtime=runtime)
    assert (path.exists() and "New" in path.read_text()) == kept


def test_a_result_says_why_an_account_without_a_token_could_not_be_read_again(
    configuration: Configuration, runtime: Runtime
) -> None:
    result = leadstate.apply(leadstate.plan(configuration, ["label:New"], runtime=runtime), runtime=runtime)
    emea, us = result.report.accounts
    assert emea.remaining is not None
    assert (us.remaining, us.unread) == (None, us.diagnostics[0].summary)
    assert "TOKEN_US" in us.unread


@pytest.mark.parametrize("why", ["another run has been writing", "the locks that keep two runs apart"])
def test_an_apply_that_was_made_is_kept_where_the_lock_file_cannot_be_locked(
    configuration: Configuration, runtime: Runtime, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    path = configuration.lock_file
    assert path is not None
    monkeypatch.setattr(run_lock, "PATIENCE", 0)
    plan = leadstate.plan(configuration, ["label:New"], accounts=["emea"], runtime=runtime)

    def obstruct(_: object) -> None:
        if why.startswith("another"):
            stack.enter_context(run_lock.hold_file_lock(path, runtime.state))
        else:
            shutil.rmtree(runtime.state / "locks")
            (runtime.state / "locks").touch()

    with ExitStack() as stack:
        result = leadstate.apply(plan, lock=True, on_event=obstruct, runtime=runtime)
    assert result.receipt is not None
    assert result.receipt.exists()
    assert result.wrote
    (note,) = result.notes
    assert note.code == "lock-file"
    assert why in note.summary
    assert not path.exists()


def test_no_account_shows_the_token_of_another(tmp_path: Path, runtime: Runtime, url: str) -> None:
    """Somebody has written the token of one account into the name of a label of another."""
    other = "8f14e45fceea167a5a36dedd4bea2543c0ffee00"
    path = tmp_path / "leadstate.yaml"
    path.write_text(YAML.format(url=url) + "policy: {prune: {labels: all}}\n")
    around = replace(runtime, environ={**runtime.environ, "TOKEN_US": other})
    headers = {"x-api-token": "sandbox-token"}
    httpx.post(f"{url}/api/v1/leadLabels", json={"name": f"<{other}>", "color": "red"}, headers=headers)
    plan = leadstate.plan(leadstate.load(path), runtime=around)
    assert "<***>" in plan.to_json()
    assert other not in plan.to_json()


ROTATED = """\
version: 1
accounts:
  emea:
    url: {url}
    token:
      oauth:
        client_id: {{env: CLIENT}}
        client_secret: {{env: SECRET}}
        refresh_token: {{env: REFRESH}}
        token_url: {url}/oauth/token
labels:
  - {{name: New, color: green}}
"""


@pytest.mark.parametrize("has_function", [True, False])
def test_a_refresh_token_that_is_not_kept_is_a_warning(tmp_path: Path, runtime: Runtime, *, has_function: bool) -> None:
    client = {"client_id": "client", "client_secret": "s3cret-value", "refresh_token": "r3fresh-value"}
    company = {"company": {"id": 7041, "name": "Acme", "domain": "acme"}, "oauth": {**client, "rotate": True}}
    # The apply meets a copy, which takes the refresh token that the plan has replaced.
    copies = [Sandbox({**company, "token": "t"}, burst=100_000, daily=None) for _ in range(2)]
    runtime = replace(runtime, environ={"CLIENT": "client", "SECRET": "s3cret-value", "REFRESH": "r3fresh-value"})
    heard: list[Diagnostic] = []
    warn = heard.append if has_function else None

    async def serve(*request: Any) -> None:
        await copies[0].app(*request)

    with running(serve) as url:
        (tmp_path / "leadstate.yaml").write_text(ROTATED.format(url=url))
        plan = leadstate.plan(leadstate.load(tmp_path), runtime=runtime, warn=warn)
        del copies[0]
        result = leadstate.apply(plan, runtime=runtime, warn=warn)
    assert result.converged
    code = "refresh-token-replaced"
    assert [found.code for found in heard] == [code] * 2 * has_function
    assert [[found.code for found in ended.diagnostics] for ended in (plan, result)] == [
        [code] * (not has_function)
    ] * 2


def test_an_account_without_a_token_stops_no_other(configuration: Configuration, runtime: Runtime) -> None:
    plan = leadstate.plan(configuration, runtime=runtime)
    assert [diagnostic.code for diagnostic in plan.diagnostics] == ["token-source"]
    result = leadstate.apply(plan, runtime=runtime)
    assert result.changed
    assert not result.converged


def test_a_merge_that_moved_leads_and_then_failed_has_changed_the_account(
    runtime: Runtime, sandbox: Sandbox, url: str, tmp_path: Path
) -> None:
    merging = "labels:\n  - {name: Warm, color: yellow, merge_from: [Hot]}\n"
    path = tmp_path / "leadstate.yaml"
    path.write_text(YAML.format(url=url).partition("labels:")[0] + merging)
    sandbox.intercept = Faults(Fault(FaultKind.SHIELD, operation="deleteLeadLabel", times=None))
    plan = leadstate.plan(leadstate.load(path), accounts=["emea"], runtime=runtime)
    result = leadstate.apply(plan, runtime=runtime)
    (change,) = result.accounts[0].changes
    assert change.result is not None
    assert (change.result.status, "leads had been moved to" in change.result.detail) == ("failed", True)
    assert (result.changed, result.converged) == (True, False)


@pytest.mark.parametrize("target", ["label", "label:Cold", "us/label:New"])
def test_an_unknown_target_is_an_error(configuration: Configuration, runtime: Runtime, target: str) -> None:
    with pytest.raises(errors.UnknownTarget):
        leadstate.plan(configuration, [target], accounts=["emea"], runtime=runtime)


def test_a_plan_without_targets_goes_through_no_declared_object(configuration: Configuration, runtime: Runtime) -> None:
    class Untouchable(tuple[Desired, ...]):
        __slots__ = ()

        def __iter__(self) -> Iterator[Desired]:
            raise AssertionError("5,000 accounts with 2,000 labels each declare ten million objects")

    accounts = tuple(
        replace(declared, account=replace(declared.account, desired=Untouchable()))
        for declared in configuration.accounts
    )
    session = leadstate.Session(replace(configuration, accounts=accounts), (), (), runtime)
    assert asyncio.run(session.plan()).plans == ()


def test_an_unknown_account_is_an_error(configuration: Configuration, runtime: Runtime) -> None:
    with pytest.raises(errors.UnknownAccount, match="'apac'"):
        leadstate.plan(configuration, accounts=["apac"], runtime=runtime)


def test_a_wrong_configuration_carries_every_diagnostic(tmp_path: Path) -> None:
    path = tmp_path / "leadstate.yaml"
    path.write_text("version: 1\naccounts: {a: {domain: a, token: {env: T}}}\nlabels: [{name: A}, {name: B}]\n")
    with pytest.raises(errors.ConfigurationError) as caught:
        leadstate.load(path)
    assert len(caught.value.diagnostics) == 2


def test_the_api_prints_nothing(
    configuration: Configuration, runtime: Runtime, capfd: pytest.CaptureFixture[str]
) -> None:
    leadstate.apply(leadstate.plan(configuration, runtime=runtime), runtime=runtime)
    assert capfd.readouterr() == ("", "")


def test_exported_names_are_typed(tmp_path: Path) -> None:
    consumer = tmp_path / "consumer.py"
    consumer.write_text(
        "import leadstate\n"
        "configuration = leadstate.load('leadstate.yaml')\n"
        "plan = leadstate.plan(configuration)\n"
        "reveal_type(plan.summary.add)\n"
        "reveal_type(leadstate.apply(plan).receipt)\n"
        "plan.nothing\n"
    )
    command = [sys.executable, "-m", "mypy", "--strict", "--no-incremental", str(consumer)]
    said = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False).stdout
    assert 'Revealed type is "int"' in said
    assert 'Revealed type is "pathlib.Path | None"' in said or 'Revealed type is "Path | None"' in said, said
    assert '"Plan" has no attribute "nothing"' in said


def test_every_documented_name_is_exported() -> None:
    assert [name for name in leadstate.__all__ if not hasattr(leadstate, name)] == []
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        leadstate.nothing  # noqa: B018  the point of the test


OAUTH = "{oauth: {client_id: {env: TOKEN}, client_secret: {env: TOKEN}, refresh_token: {env: TOKEN}}}"


@pytest.mark.parametrize(
    ("account", "loaded"),
    [
        ("{url: 'http://127.0.0.1:9', token: {env: TOKEN}}", 0),
        ("{domain: acme, token: {env: TOKEN}}", 1),
        (f"{{url: 'http://127.0.0.1:9', token: {OAUTH}}}", 1),
    ],
)
def test_certificates_are_loaded_only_where_an_address_takes_https(
    account: str, loaded: int, tmp_path: Path, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The address that gives access tokens is one."""
    load = Mock(wraps=httpx.create_ssl_context)
    monkeypatch.setattr(httpx, "create_ssl_context", load)
    (tmp_path / "leadstate.yaml").write_text(f"version: 1\naccounts: {{emea: {account}}}\n", encoding="utf-8")

    async def run() -> None:
        async with leadstate.connect(leadstate.load(tmp_path / "leadstate.yaml"), runtime=runtime):
            pass

    asyncio.run(run())
    assert load.call_count == loaded
