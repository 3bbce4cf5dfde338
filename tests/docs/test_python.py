"""The program of examples/python and the code of docs/reference/python.md do what they say, against a sandbox."""

import inspect
import re
import stat
import subprocess
from pathlib import Path

import pytest

import leadstate
from leadstate.sandbox import Sandbox
from tests.harness.cli_process import python
from tests.harness.faults import Fault, FaultKind, Faults

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "reference" / "python.md").read_text(), re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path, url: str) -> Path:
    yaml = (ROOT / "examples" / "python" / "leadstate.yaml").read_text().replace("http://127.0.0.1:8765", url)
    (tmp_path / "leadstate.yaml").write_text(yaml.replace("    token:", "    tags: [prod]\n    token:"))
    return tmp_path


def run(folder: Path, program: str) -> subprocess.CompletedProcess[str]:
    environ = {"PIPEDRIVE_TOKEN_EMEA": "sandbox-token", "HOME": str(folder), "PYTHONPATH": str(ROOT)}
    return python("-W", "error", "-c", program, cwd=folder, env=environ)


def colors(sandbox: Sandbox) -> dict[str, str]:
    return {label["name"]: label["color"] for label in sandbox.dump()["companies"][0]["labels"]}


def test_the_example_brings_the_account_up_to_date(folder: Path, sandbox: Sandbox) -> None:
    program = (ROOT / "examples" / "python" / "sync.py").read_text()
    done = run(folder, program)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "emea/label:Partner: add applied" in done.stderr
    assert colors(sandbox).items() >= {"Hot": "red", "Partner": "green"}.items()


@pytest.mark.parametrize("block", BLOCKS, ids=["async", "plain"])
def test_the_code_of_the_page_runs(folder: Path, sandbox: Sandbox, block: str) -> None:
    if "async with" in block:
        body = "".join(f"    {line}\n" for line in block.splitlines())
        block = f"import asyncio\n\n\nasync def main():\n{body}\n\nasyncio.run(main())\n"
    done = run(folder, block)
    assert done.returncode == 0, done.stderr
    assert colors(sandbox)["Hot"] == "red"


SIGNATURES = re.findall(
    r"^`(leadstate|Session|leadstate\.Rollout)\.(\w+)\(([^…`]*)\)`$",
    (ROOT / "docs/reference/python.md").read_text(),
    re.MULTILINE,
)


@pytest.mark.parametrize(("owner", "name", "parameters"), SIGNATURES)
def test_the_page_gives_each_argument_as_the_code_takes_it(owner: str, name: str, parameters: str) -> None:
    described = inspect.signature(eval(f"lambda {parameters}: None")).parameters  # noqa: S307  a page of ours
    owners = {"leadstate": leadstate, "Session": leadstate.Session, "leadstate.Rollout": leadstate.Rollout}
    taken = inspect.signature(getattr(owners[owner], name)).parameters
    for parameter in described.values():
        actual = taken[parameter.name]
        assert (actual.kind, str(actual.default)) == (parameter.kind, str(parameter.default))


SCHEDULERS = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "how-to" / "schedulers.md").read_text(), re.DOTALL)
STAND_INS = """
import sys, types

def decorate(function=None, **settings):
    return decorate if function is None else function

def module(name, **members):
    sys.modules[name] = types.ModuleType(name)
    vars(sys.modules[name]).update(members)

module("pendulum", datetime=lambda *day: day)
module("airflow")
module("airflow.sdk", dag=decorate, task=decorate)
keep = lambda *arguments, **settings: settings
module("dagster", **dict.fromkeys(["asset", "schedule"], decorate))
names = ["AssetExecutionContext", "Definitions", "Failure", "MaterializeResult", "RetryPolicy", "RunRequest"]
vars(sys.modules["dagster"]).update(dict.fromkeys([*names, "StaticPartitionsDefinition", "define_asset_job"], keep))
"""
"""The schedulers' own packages are large; these call what they decorate at once."""


def test_the_task_for_airflow_brings_the_account_up_to_date(folder: Path, sandbox: Sandbox) -> None:
    function, airflow, _dagster, _drift = SCHEDULERS
    done = run(folder, STAND_INS + function + airflow)
    assert done.returncode == 0, done.stderr
    assert colors(sandbox)["Hot"] == "red"


def test_the_partition_for_dagster_brings_its_account_up_to_date(folder: Path, sandbox: Sandbox) -> None:
    """The page shows examples/dagster, which tests/judges/test_dagster.py runs with Dagster itself."""
    _function, _airflow, dagster, _drift = SCHEDULERS
    assert dagster == (ROOT / "examples" / "dagster" / "definitions.py").read_text()
    context = "types.SimpleNamespace(partition_key='emea', log=types.SimpleNamespace(info=lambda line: None))"
    show = f"context = {context}\nprint(account_plan(context)['metadata'], account_labels(context)['metadata'])"
    done = run(folder, f"{STAND_INS}\n{dagster}\n{show}\nprint(list(every_morning()))")
    assert done.returncode == 0, done.stderr
    plan, *_ = done.stdout.splitlines()
    assert plan.endswith("{'changed': True}")
    assert done.stdout.splitlines()[1] == "[{'partition_key': 'emea'}]"
    assert stat.S_IMODE((folder / "plans" / "emea-plan.json").stat().st_mode) == 0o600
    assert colors(sandbox)["Hot"] == "red"


WITHOUT_LOCK_FILE = """
import dataclasses, leadstate
from leadstate.model.diagnostics import Diagnostic, Severity

def failing(*arguments, apply=leadstate.apply, **settings):
    note = Diagnostic("lock-file", Severity.ERROR, "the lock file was not brought up to date")
    return dataclasses.replace(apply(*arguments, **settings), notes=(note,))

leadstate.apply = failing
"""


def programs(log: str) -> dict[str, str]:
    """Return each program that plans and applies; Dagster's log is a function."""
    function, airflow, dagster, _drift = SCHEDULERS
    context = f"types.SimpleNamespace(partition_key='emea', log=types.SimpleNamespace(info={log}))"
    return {
        "example": (ROOT / "examples" / "python" / "sync.py").read_text(),
        "airflow": STAND_INS + function + airflow,
        "dagster": f"{STAND_INS}\n{dagster}\naccount_labels({context})",
    }


@pytest.mark.parametrize("which", ["example", "airflow", "dagster"])
def test_where_only_the_lock_file_fails_each_program_says_so(folder: Path, which: str) -> None:
    done = run(folder, WITHOUT_LOCK_FILE + programs("print")[which])
    assert done.returncode == 1
    assert "the lock file was not brought up to date" in done.stderr
    assert "None" not in done.stderr


@pytest.mark.parametrize("which", ["example", "airflow", "dagster"])
def test_where_a_change_fails_each_program_says_which(folder: Path, sandbox: Sandbox, which: str) -> None:
    sandbox.intercept = Faults(Fault(FaultKind.ERROR_BEFORE, operation="addLeadLabel", status=400, times=None))
    done = run(folder, programs("lambda line: None")[which])
    assert done.returncode == 1
    assert "emea/label:Partner: add failed (addLeadLabel: " in "".join(done.stderr.splitlines()[-2:])


def test_the_check_for_drift_from_a_scheduler_counts_changes(folder: Path, sandbox: Sandbox) -> None:
    done = run(folder, f"import leadstate\n\n{SCHEDULERS[3]}\nprint(drift('leadstate.yaml'))")
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 0
    assert colors(sandbox)["Hot"] != "red", "a plan never writes"
