"""Many accounts: shards that are one run together, and waves that stop before the rest."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

import leadstate
from leadstate.api.run_lock import hold_locks
from leadstate.engine.events import Observer
from leadstate.model.plan import Touch
from leadstate.model.rollout import Rollout
from leadstate.sandbox import Sandbox
from tests.harness import cli_in_process
from tests.harness.faults import Fault, FaultKind, Faults

COUNT = 12


class Fleet:
    """Accounts a1, a2 …, each with a company of its own that lacks a label."""

    def __init__(self, folder: Path) -> None:
        numbers = range(1, COUNT + 1)
        companies: list[dict[str, Any]] = [
            {"token": f"t{n}", "company": {"id": n, "name": f"C{n}", "domain": f"c{n}"}} for n in numbers
        ]
        self.folder = folder
        self.sandbox = Sandbox({"companies": companies}, burst=100_000, daily=None)
        self.tokens = {f"T{n}": f"t{n}" for n in numbers}
        accounts = {f"a{n:02}": {"url": f"http://127.0.0.1:{n}", "token": {"env": f"T{n}"}} for n in numbers}
        whole = {"version": 1, "accounts": accounts, "labels": [{"name": "Hot", "color": "red"}]}
        (folder / "leadstate.yaml").write_text(json.dumps(whole))

    def __call__(self, *words: str, **wrong: str) -> tuple[int, str, str]:
        return cli_in_process.leadstate(self.sandbox, self.tokens | wrong, self.folder / "receipts", words)

    def labelled(self) -> list[int]:
        return [company["company"]["id"] for company in self.sandbox.dump()["companies"] if company["labels"]]


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fleet:
    monkeypatch.chdir(tmp_path)
    return Fleet(tmp_path)


def test_all_shards_together_plan_what_one_run_plans(fleet: Fleet) -> None:
    files = [f"shard-{number}.json" for number in range(1, 5)]
    for number, name in enumerate(files, 1):
        assert fleet("plan", "--shard", f"{number}/4", "--out", name)[0] == 0
    fleet("plan", "--out", "whole.json")
    code, shown, err = fleet("show", *files, "--format", "json")
    assert (code, err) == (0, "")
    assert json.loads(shown) == json.loads(Path("whole.json").read_text())

    code, _, err = fleet("show", *files[1:3])
    assert code == 1
    assert "the shards 1/4, 4/4 are missing" in err
    assert "the shard 3/4 is missing" in fleet("show", files[0], files[1], files[3])[2]
    assert fleet("show", files[0])[0] == 0
    assert fleet("show", files[0], files[0])[0] == 1
    Path("together.json").write_text(shown)
    assert fleet("apply", "together.json", "--auto-approve")[0] == 0
    assert len(fleet.labelled()) == COUNT


def test_a_stored_shard_is_applied_to_its_accounts(fleet: Fleet) -> None:
    fleet("plan", "--shard", "2/3", "--out", "p.json")
    mine = [account["account"] for account in json.loads(Path("p.json").read_text())["accounts"]]
    assert fleet("apply", "p.json", "--shard", "1/3", "--auto-approve")[0] == 64
    assert fleet("apply", "p.json", "--auto-approve")[0] == 0
    assert [f"a{number:02}" for number in fleet.labelled()] == mine
    assert 0 < len(mine) < COUNT


def test_a_failure_in_a_wave_stops_before_the_rest(fleet: Fleet) -> None:
    fleet.sandbox.intercept = Faults(Fault(FaultKind.SHIELD, operation="addLeadLabel", company=2, times=None))
    code, out, err = fleet("apply", "--wave", "1,10%,rest", "--auto-approve")
    assert code == 4, out + err
    assert fleet.labelled() == [1, 3]
    assert "error[wave] stopped before wave 3 of 3: a02 failed\n" in err
    assert "Not touched: a04, a05, a06, a07, a08, a09, a10, a11, a12." in err
    assert "in 9 accounts  a04, a05, a06 and 6 more" in out
    assert f"{COUNT - 3} skipped: because a02 failed in a wave before" in out


def test_as_many_accounts_as_allowed_may_fail(fleet: Fleet) -> None:
    fleet.sandbox.intercept = Faults(Fault(FaultKind.SHIELD, operation="addLeadLabel", company=1, times=None))
    code, _, err = fleet("apply", "--wave", "2,rest", "--max-failed", "1", "--auto-approve")
    assert code == 4, err
    assert fleet.labelled() == list(range(2, COUNT + 1))


@pytest.mark.parametrize(
    "words",
    [["apply", "--wave", "1"], ["apply", "--wave", "0,rest"], ["plan", "--shard", "3/2"], ["plan", "--shard", "x"]],
)
def test_malformed_shards_and_waves_are_usage_errors(fleet: Fleet, words: list[str]) -> None:
    code, _, err = fleet(*words)
    assert code == 64, err
    assert "write" in err


@pytest.mark.parametrize("token", ["", "wrong"])
def test_an_account_without_a_usable_token_fails_in_its_wave(fleet: Fleet, token: str) -> None:
    code, out, err = fleet("apply", "--wave", "1,rest", "--auto-approve", T1=token)
    assert (code, fleet.labelled()) == (1, []), out + err
    assert "error[wave] stopped before wave 2 of 2: a01 failed\n" in err
    code, out, err = fleet("apply", "--wave", "2,rest", "--auto-approve", T1=token)
    assert (code, fleet.labelled()) == (4, [2]), out + err
    code, out, err = fleet("apply", "--wave", "1,rest", "--max-failed", "1", "--auto-approve", T1=token)
    assert (code, fleet.labelled()) == (4, list(range(2, COUNT + 1))), out + err


def test_waves_that_an_interrupt_leaves_have_not_failed(fleet: Fleet, tmp_path: Path) -> None:
    many = [{"name": f"L{number}", "color": "red"} for number in range(20)]
    whole = json.loads((tmp_path / "leadstate.yaml").read_text())
    (tmp_path / "leadstate.yaml").write_text(json.dumps(whole | {"labels": many}))
    runtime = leadstate.Runtime(
        environ=fleet.tokens, transport=httpx.ASGITransport(fleet.sandbox.app), state=tmp_path / "state"
    )
    stop = asyncio.Event()

    class Interrupt(Observer):
        def touching(self, account: str, touch: Touch) -> None:  # noqa: ARG002  whichever is the first
            stop.set()

    async def run() -> leadstate.Result:
        async with leadstate.connect(leadstate.load(), runtime=runtime) as session:
            plan = await session.plan()
            rollout = Rollout.parse("2,rest")
            return await session.carry_out(plan, observers=[Interrupt()], interrupted=stop, rollout=rollout)

    result = asyncio.run(run())
    assert (result.interrupted, result.changed, result.notes) == (True, True, ())
    changes = [change for account in result.accounts for change in account.changes]
    said = {(change.result.status, change.result.detail) for change in changes if change.result}
    assert said == {("applied", ""), ("skipped", "because the run was interrupted")}
    assert len(changes) == COUNT * len(many)


def test_an_account_that_cannot_be_read_stops_no_other_of_a_stored_plan(fleet: Fleet) -> None:
    fleet("plan", "--out", "p.json")
    code, out, err = fleet("apply", "p.json", "--auto-approve", T5="wrong")
    assert code == 4, out + err
    assert fleet.labelled() == [number for number in range(1, COUNT + 1) if number != 5]
    assert "have changed since" not in err
    assert "error[unauthorized] a05" in out


def test_what_could_not_be_read_for_a_stored_plan_is_not_applied_with_it(fleet: Fleet) -> None:
    code, _, _ = fleet("plan", "--out", "p.json", T5="wrong")
    assert code == 1
    code, out, err = fleet("apply", "p.json", "--auto-approve")
    assert code == 4, out + err
    assert fleet.labelled() == [number for number in range(1, COUNT + 1) if number != 5]
    assert "error[not-reviewed] a05: it could not be read or planned when this plan was made" in out
    assert "plan again" in out


def test_what_could_not_be_read_for_a_stored_plan_may_be_up_to_date(fleet: Fleet) -> None:
    fleet("apply", "-a", "a05", "--auto-approve")
    fleet("plan", "--out", "p.json", T5="wrong")
    code, out, err = fleet("apply", "p.json", "--auto-approve")
    assert code == 0, out + err
    assert fleet.labelled() == list(range(1, COUNT + 1))


def test_a_guard_of_an_account_that_was_not_reviewed_stops_no_other(fleet: Fleet) -> None:
    fleet("plan", "--out", "p.json", T5="wrong")
    whole = json.loads(Path("leadstate.yaml").read_text())
    whole["accounts"]["a05"]["policy"] = {"guards": {"max_tokens": 1}}
    Path("leadstate.yaml").write_text(json.dumps(whole))
    code, out, err = fleet("apply", "p.json", "--auto-approve")
    assert code == 4, out + err
    assert fleet.labelled() == [number for number in range(1, COUNT + 1) if number != 5]


def test_an_account_that_the_stored_plan_does_not_name_refuses_it(fleet: Fleet) -> None:
    whole = json.loads(Path("leadstate.yaml").read_text())
    fewer = {**whole, "accounts": {name: account for name, account in whole["accounts"].items() if name != "a05"}}
    Path("leadstate.yaml").write_text(json.dumps(fewer))
    fleet("plan", "--out", "p.json")
    Path("leadstate.yaml").write_text(json.dumps(whole))
    code, _, err = fleet("apply", "p.json", "--auto-approve")
    assert (code, fleet.labelled()) == (3, [])
    assert "a05/label:Hot: add is new" in err


def apply_shards(fleet: Fleet, *words: str, **wrong: str) -> tuple[list[int], list[str]]:
    """Apply three shards, and return their exit codes and the names of their reports."""
    files = [f"applied-{number}.json" for number in range(1, 4)]
    codes = [
        fleet(*("apply", "--shard", f"{number}/3", "--auto-approve", "--format", "json", "-o", name), *words, **wrong)[
            0
        ]
        for number, name in enumerate(files, 1)
    ]
    return codes, files


def accounts_of(file: str) -> list[str]:
    return [account["account"] for account in json.loads(Path(file).read_text())["accounts"]]


def test_a_shard_that_has_nothing_to_do_is_part_of_the_apply_of_all(fleet: Fleet) -> None:
    fleet("apply", "--shard", "2/3", "--auto-approve")
    before = len(fleet.labelled())
    codes, files = apply_shards(fleet)
    assert codes == [0, 0, 0]
    code, out, err = fleet("show", *files)
    assert (code, err) == (0, "")
    assert f"Apply: {COUNT - before} applied." in out
    assert "Read again: no differences." in out
    whole = json.loads(fleet("show", *files, "--format", "json")[1])
    assert (whole["command"], len(whole["accounts"])) == ("apply", COUNT)
    reports = [json.loads(Path(file).read_text()) for file in files]
    assert whole["cost"]["apply"]["tokens"] == sum(report["cost"]["apply"]["tokens"] for report in reports)


def test_a_shard_that_was_refused_is_part_of_the_apply_of_all(fleet: Fleet) -> None:
    _, files = apply_shards(fleet, "--max-tokens", "1")
    refused = accounts_of(files[1])
    assert not fleet.labelled()
    for number in (1, 3):
        name = files[number - 1]
        assert fleet("apply", "--shard", f"{number}/3", "--auto-approve", "--format", "json", "-o", name)[0] == 0
    code, out, err = fleet("show", *files)
    assert (code, err) == (0, "")
    assert f"Apply: {COUNT - len(refused)} applied." in out
    assert "guard[max-tokens]" in out
    assert f"Read again: {len(refused)} differences. The apply did not converge." in out
    whole = json.loads(fleet("show", *files, "--format", "json")[1])
    left = {
        account["account"] for account in whole["accounts"] for change in account["changes"] if not change["result"]
    }
    assert left == set(refused)
    done = [json.loads(Path(files[number]).read_text())["cost"]["apply"]["tokens"] for number in (0, 2)]
    assert whole["cost"]["apply"]["tokens"] == sum(done), "a forecast is no cost"


def test_an_account_that_an_idle_shard_could_not_read_was_not_read_again(fleet: Fleet) -> None:
    fleet("apply", "--shard", "2/3", "--auto-approve")
    idle = f"T{fleet.labelled()[0]}"
    codes, files = apply_shards(fleet, **{idle: "wrong"})
    assert codes == [0, 1, 0]
    out = fleet("show", *files)[1]
    assert "1 account could not be read again (getLeadLabels: 401" in out
    Path("shown.json").write_text(fleet("show", *files, "--format", "json")[1])
    assert fleet("show", "shown.json")[1] == out


def test_a_shard_that_another_run_held_is_part_of_the_apply_of_all(fleet: Fleet) -> None:
    _, files = apply_shards(fleet)
    held = [
        declared.account for declared in leadstate.load().accounts if declared.account.name in accounts_of(files[1])
    ]
    with hold_locks(held, leadstate.Runtime().state, "restore"):
        codes, files = apply_shards(fleet)
    assert codes == [0, 3, 0]
    code, out, err = fleet("show", *files)
    assert (code, err) == (0, "")
    assert "error[locked]" in out
    whole = json.loads(fleet("show", *files, "--format", "json")[1])
    assert (whole["complete"], len(whole["accounts"])) == (False, COUNT - len(held))


def test_reports_of_plans_and_validations_are_not_joined(fleet: Fleet) -> None:
    fleet("plan", "--shard", "1/2", "--out", "p.json")
    fleet("validate", "--format", "json", "-o", "v.json")
    code, _, err = fleet("show", "p.json", "v.json")
    assert code == 1
    assert "the reports are of different commands or targets" in err


def declare_only_in_a01() -> None:
    whole = json.loads(Path("leadstate.yaml").read_text())
    whole["labels"].append({"name": "Only", "color": "blue", "accounts": ["a01"]})
    Path("leadstate.yaml").write_text(json.dumps(whole))


@pytest.mark.parametrize("target", ["a01/label:Hot", "label:Only"])
def test_a_target_that_another_shard_holds_is_no_error(fleet: Fleet, target: str) -> None:
    declare_only_in_a01()
    files = [f"shard-{number}.json" for number in range(1, 4)]
    for number, name in enumerate(files, 1):
        code, out, err = fleet("plan", "--target", target, "--shard", f"{number}/3", "--out", name)
        assert (code, err) == (0, ""), out
    code, out, err = fleet("show", *files)
    assert (code, err) == (0, "")
    assert "Plan: 1 to add" in out
    for name in files:
        assert fleet("apply", name, "--auto-approve")[0] == 0
    assert fleet.labelled() == [1]


def test_a_shard_without_accounts_takes_a_target(fleet: Fleet) -> None:
    code, out, err = fleet("plan", "--target", "label:Hot", "--shard", "1/1000")
    assert (code, out, err) == (0, "No account is selected: nothing was asked.\n", "")


def test_a_target_that_no_shard_holds_is_a_warning(fleet: Fleet) -> None:
    code, out, _ = fleet("plan", "--target", "label:Hto", "--shard", "1/3")
    assert code == 0
    assert "warning[unknown-target] no account declares label:Hto" in out


def test_a_target_among_other_accounts_is_a_usage_error(fleet: Fleet) -> None:
    declare_only_in_a01()
    code, _, err = fleet("plan", "-a", "a02", "--target", "a01/label:Hot")
    assert code == 64
    assert "the account a01 is not among the chosen accounts" in err
    code, _, err = fleet("plan", "-a", "a02", "--target", "label:Only")
    assert code == 64
    assert "nothing is declared or planned at label:Only in the chosen accounts" in err


def test_an_account_that_only_a_target_names_is_unknown(fleet: Fleet) -> None:
    code, out, _ = fleet("plan", "--target", "a99/label:Hot")
    assert code == 1
    assert "a99" in out
    assert "unknown-account" in out


def test_only_the_accounts_that_targets_name_are_read_and_locked(fleet: Fleet) -> None:
    words = ("--target", "a02/label:Hot", "--target", "a03/label:Hot", "--format", "json")
    code, out, err = fleet("plan", *words, T1="wrong")
    assert (code, err) == (0, "")
    assert json.loads(out)["cost"]["read"] == {"requests": 2, "tokens": 20}
    held = [declared.account for declared in leadstate.load().accounts if declared.account.name == "a01"]
    with hold_locks(held, leadstate.Runtime().state, "apply"):
        code, out, err = fleet("apply", "--auto-approve", *words)
    assert code == 0, out + err
    assert fleet.labelled() == [2, 3]
    code, out, err = fleet("restore", "--auto-approve", "--target", "a03/label:Hot")
    assert (code, "account-not-restored" in out) == (0, False), out + err
    assert fleet.labelled() == [2]


def test_from_python_only_the_accounts_that_targets_name_are_read(fleet: Fleet, tmp_path: Path) -> None:
    runtime = leadstate.Runtime(
        environ=fleet.tokens | {"T1": "wrong", "T5": ""},
        transport=httpx.ASGITransport(fleet.sandbox.app),
        receipts=tmp_path / "receipts",
        cache=tmp_path / "cache",
        state=tmp_path / "state",
    )

    async def run() -> leadstate.Result:
        async with leadstate.connect(leadstate.load(), runtime=runtime) as session:
            plan = await session.plan(["a02/label:Hot"])
            assert [account.account for account in plan.accounts] == ["a02"]
            return await session.apply(plan, rollout=Rollout.parse("50%,rest"))

    result = asyncio.run(run())
    assert (result.converged, fleet.labelled()) == (True, [2])
    again = leadstate.plan(leadstate.load(), ["a03/label:Hot"], runtime=runtime)
    assert leadstate.apply(again, runtime=runtime).converged
    with pytest.raises(leadstate.errors.UnknownTarget, match="the account a03 is not among the chosen accounts"):
        leadstate.plan(leadstate.load(), ["a03/label:Hot"], accounts=["a02"], runtime=runtime)
