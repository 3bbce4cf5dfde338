"""Accounts as partitions of Dagster (examples/dagster), some of them killed: `make partitions`.

The plans of all partitions must be the plan of one `leadstate plan`, and every account must end as declared although a
partition is killed while it plans, and another one while it applies. Dagster tries those again by itself.

Runs in the environment of tests/judges/requirements/dagster.txt.
"""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import dagster
from dagster._core.instance import InstanceRef  # what DagsterInstance.get_ref returns; there is no public name
from starlette.responses import Response

from benchmarks.configurations import COLORS, account_seeds, wrong_accounts
from leadstate.sandbox import Company, Sandbox, running
from leadstate.sandbox.api.wire import Call, Reply
from leadstate.sandbox.faults import NoAnswer

LABELS = 10
"""Labels that every account declares."""

AT_ONCE = 4
"""Partitions that are worked on at the same time.

Each is run by a process of its own: runs in threads of one process block each other for ever (Dagster 1.13). The
beginning of a run configures `logging` anew, which holds the lock of `logging` and waits for that of a handler; a run
that logs holds the handler and waits for the event log; one that writes to the event log holds that, and its database
library waits for the lock of `logging`.
"""

Job = Callable[[], dagster.JobDefinition]

DEFINITIONS = "examples.dagster.definitions"
RUN_CONFIG = {
    "execution": {
        "config": {
            "multiprocess": {
                "start_method": {
                    "forkserver": {
                        "preload_modules": [DEFINITIONS, "leadstate.api.plain", "leadstate.sandbox", "click"]
                    }
                }
            }
        }
    },
    "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
}
"""Each partition is a process of its own; what they all import is imported once."""


def plan_accounts() -> dagster.JobDefinition:
    """The job that plans, as a process that Dagster starts finds it."""
    return _definitions().resolve_job_def("plan_accounts")


def apply_accounts() -> dagster.JobDefinition:
    """The job that applies."""
    return _definitions().resolve_job_def("apply_accounts")


def _definitions() -> dagster.Definitions:
    found: dagster.Definitions = import_module(DEFINITIONS).definitions
    return found


@dataclass
class Killer:
    """An interceptor that kills the process of a partition when a request of its account comes: not done, not answered.

    Attributes:
        company: the number of the account's company.
        write: at which write it happens; 0 is the first request of all.
        pid: finds the process.
        killed: whether it has happened.
    """

    company: int
    write: int
    pid: Callable[[], int]
    killed: bool = False
    limited: bool = field(default=False, init=False)
    _writes: int = field(default=0, init=False)

    def __call__(self, operation: str, company: Company) -> "Killer | None":
        if company.id != self.company or self.killed:
            return None
        self._writes += not operation.startswith("get")
        self.killed = self._writes >= self.write
        return self if self.killed else None

    def respond(self, call: Call, handle: Callable[[Call], Reply], headers: Mapping[str, str]) -> Response:  # noqa: ARG002
        os.kill(self.pid(), signal.SIGKILL)
        return NoAnswer()


@click.command()
@click.option("--partitions", default=50, show_default=True)
def main(partitions: int) -> None:
    """Plan and apply accounts as partitions; exit 1 where the plans differ or an account is not as declared."""
    with TemporaryDirectory(prefix="leadstate-partitions-") as folder:
        figures = partitioned(Path(folder), partitions)
    for name, value in figures.items():
        click.echo(f"{name:24}{value!s:>14}")
    wrong = (
        figures["accounts_wrong"] or figures["runs_failed"] or figures["partitions_killed"] != len(figures["retried"])
    )
    raise SystemExit(bool(wrong or not figures["same_plan"]))


def partitioned(folder: Path, partitions: int) -> dict[str, Any]:
    """Run it in an empty folder; the figures."""
    declared = [{"name": f"Label {n}", "color": COLORS[n % len(COLORS)]} for n in range(LABELS)]
    sandbox = Sandbox(account_seeds(partitions, declared), burst=100_000, daily=None)
    names = [f"a{n:05}" for n in range(partitions)]
    os.environ |= {f"TOKEN_{n}": f"token-{n}" for n in range(partitions)}
    os.environ |= {"XDG_STATE_HOME": str(folder / "state"), "XDG_CACHE_HOME": str(folder / "cache")}
    os.chdir(folder)  # where the definitions look for the configuration, in each process
    with (
        ExitStack() as ports,
        dagster.DagsterInstance.local_temp(str(folder), overrides={"telemetry": {"enabled": False}}) as instance,
        ProcessPoolExecutor(AT_ONCE, mp_context=multiprocessing.get_context("spawn")) as pool,
    ):
        # A run holds the lock of an address: partitions that apply at the same time have one each, as accounts have.
        accounts = {
            name: {"url": ports.enter_context(running(sandbox.app)), "token": {"env": f"TOKEN_{n}"}}
            for n, name in enumerate(names)
        }
        whole = {"version": 1, "accounts": accounts, "labels": declared}
        Path("leadstate.yaml").write_text(json.dumps(whole), encoding="utf-8")
        begun = time.perf_counter()
        _leadstate("plan", "--format", "json", "-o", "whole.json")
        one_run = time.perf_counter() - begun

        planning = Killer(partitions // 3, 0, lambda: _pid(instance, names[partitions // 3 - 1]))
        sandbox.intercept = planning
        plan_seconds, plan_failed, plan_retried = _run(pool, instance, plan_accounts, names)
        _leadstate("show", *(f"plans/{name}-plan.json" for name in names), "--format", "json", "-o", "parts.json")

        applying = Killer(partitions // 2, 3, lambda: _pid(instance, names[partitions // 2 - 1]))
        sandbox.intercept = applying
        apply_seconds, apply_failed, apply_retried = _run(pool, instance, apply_accounts, names)
        sandbox.intercept = None
    return {
        "partitions": partitions,
        "partitions_killed": sum(killer.killed for killer in (planning, applying)),
        "retried": [*plan_retried, *apply_retried],
        "runs_failed": plan_failed + apply_failed,
        "same_plan": _comparable("whole.json") == _comparable("parts.json"),
        "fingerprint": str(_comparable("parts.json")["fingerprint"])[:19],
        "accounts_wrong": wrong_accounts(sandbox, declared),
        "one_plan_seconds": round(one_run, 1),
        "plan_seconds": round(plan_seconds, 1),
        "apply_seconds": round(apply_seconds, 1),
    }


def _run(
    pool: Executor, instance: dagster.DagsterInstance, job: Job, names: Sequence[str]
) -> tuple[float, int, list[str]]:
    """Run a job for each partition; the seconds, how many failed, and which were tried again."""
    begun = time.perf_counter()
    ended = dict(zip(names, pool.map(partial(run_partition, instance.get_ref(), job), names), strict=True))
    seconds = time.perf_counter() - begun
    failed = sum(not success for success, _ in ended.values())
    return seconds, failed, [name for name, (_, again) in ended.items() for _ in range(again)]


def run_partition(reference: InstanceRef, job: Job, name: str) -> tuple[bool, int]:
    """Run a job for one partition; whether it succeeded, and how often it was tried again."""
    with (
        dagster.DagsterInstance.from_ref(reference) as instance,
        dagster.execute_job(
            dagster.reconstructable(job),
            instance=instance,
            tags={"dagster/partition": name},
            run_config=RUN_CONFIG,
            raise_on_error=False,
        ) as result,
    ):
        kinds = Counter(event.event_type for event in result.all_events)
        return result.success, kinds[dagster.DagsterEventType.STEP_RESTARTED]


def _pid(instance: dagster.DagsterInstance, name: str) -> int:
    """The process that works on a partition."""
    run = instance.get_runs(dagster.RunsFilter(tags={"dagster/partition": name}), limit=1)[0]
    entries = instance.all_logs(run.run_id, of_type=dagster.DagsterEventType.STEP_WORKER_STARTED)
    return int(entries[-1].get_dagster_event().event_specific_data.metadata["pid"].value)


def _leadstate(*words: str) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LEADSTATE_")}
    subprocess.run([sys.executable, "-m", "leadstate", *words], env=clean, check=True, stdout=subprocess.DEVNULL)


def _comparable(file: str) -> dict[str, Any]:
    """A stored plan without its scope, which names the accounts that were asked for, and the digest over that."""
    document = json.loads(Path(file).read_text("utf-8"))
    return {key: value for key, value in document.items() if key not in ("scope", "digest")}


if __name__ == "__main__":
    sys.exit(main())
