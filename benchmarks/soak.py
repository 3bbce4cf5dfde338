"""Every law with new random cases for some minutes: `make soak`. It prints how many cases of each law held.

The first is about many accounts with many labels, planned and applied while requests go wrong. Every account must end
as declared, with each label once, whatever was lost or refused on the way. leadstate is a process of its own, run until
it says that nothing is left, as people would. The others are the laws of the tests (`benchmarks.laws`).
"""

import json
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import click

from benchmarks.configurations import COLORS, DRIFTED, account_seeds, wrong_accounts
from benchmarks.laws import Law, all_laws, run_laws
from benchmarks.timing import WATCHED, environment
from leadstate.sandbox import Sandbox, running
from tests.harness.faults import PASSING, Fault, Faults

ONE_IN = 50
"""So many requests, of which one goes wrong."""

MARGIN = 0.95
"""Of the time, the part that laws may fill: the last round of each may take longer than the one before."""

MOST_ROUNDS = 5


@click.command()
@click.option("--minutes", default=20.0, show_default=True, help="How long all laws together may take.")
@click.option("--accounts", default=1_000, show_default=True, help="Accounts that are applied while requests go wrong.")
@click.option("--labels", default=50, show_default=True, help="In each of these accounts.")
@click.option("--law", "words", multiple=True, help="Only laws whose name contains this; may be repeated.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write the rows as JSON too.")
def main(minutes: float, accounts: int, labels: int, words: tuple[str, ...], output: Path | None) -> None:
    """Try every law with random cases until the time is up; print the cases of each, exit 1 where one failed."""
    begun = time.monotonic()
    many = Law(f"{accounts:,} accounts converge while requests go wrong", test="")
    every = [many, *all_laws()]
    laws = [law for law in every if not words or any(word in law.name for word in words)]
    if not laws:
        names = "\n  ".join(law.name for law in every)
        raise click.UsageError(f"no law has such a name; the laws are\n  {names}")
    if many in laws:
        with TemporaryDirectory(prefix="leadstate-soak-") as folder:
            figures = soak(Path(folder), accounts, labels)
        many.failed, many.seconds = figures["accounts_wrong"] != 0, time.monotonic() - begun
        many.cases = accounts - figures["accounts_wrong"]
        for name, value in figures.items():
            click.echo(f"{name:24}{value:>14,}")
    if others := [law for law in laws if law is not many]:
        run_laws(others, begun + MARGIN * 60 * minutes - time.monotonic())
    click.echo(f"\n{'law':52}{'cases':>10}{'seconds':>10}")
    for law in laws:
        click.echo(f"{law.name:52}{law.cases:>10,}{law.seconds:>10,.0f}{'  FAILED' if law.failed else ''}")
    for law in laws:
        if law.again:
            click.echo(f"\nThe failed cases of this law again: {law.name}\n    {law.again}")
    if output is not None:
        output.write_text(json.dumps([asdict(law) for law in laws], indent=2) + "\n", encoding="utf-8")
    raise SystemExit(any(law.failed for law in laws))


def soak(folder: Path, accounts: int, labels: int) -> dict[str, Any]:
    """Run it in an empty folder; the figures, `accounts_wrong` among them."""
    declared = [{"name": f"Label {n}", "color": COLORS[n % len(COLORS)]} for n in range(labels)]
    faults = _faults(accounts, labels)
    sandbox = Sandbox(account_seeds(accounts, declared), burst=120, daily=1_000_000_000, intercept=faults)
    with running(sandbox.app) as url:
        names = {f"a{n:05}": {"url": url, "company_id": n + 1, "token": {"env": f"TOKEN_{n}"}} for n in range(accounts)}
        whole = {"version": 1, "accounts": names, "labels": declared}
        (folder / "leadstate.yaml").write_text(json.dumps(whole, indent=1), encoding="utf-8")
        planned = _leadstate(folder, accounts, "plan")
        rounds = [planned]
        while len(rounds) <= MOST_ROUNDS:
            rounds.append(_leadstate(folder, accounts, "apply", "--auto-approve"))
            if rounds[-1]["exit"] == 0:
                break
    return {
        "accounts": accounts,
        "labels_each": labels,
        "accounts_wrong": wrong_accounts(sandbox, declared),
        "faults_struck": len(faults.fired),
        "applies": len(rounds) - 1,
        "requests": sandbox.meter.requests,
        "tokens": sandbox.meter.tokens,
        "plan_seconds": planned["seconds"],
        "apply_seconds": round(sum(a_round["seconds"] for a_round in rounds[1:]), 1),
        "plan_peak_mb": planned["peak_mb"],
        "apply_peak_mb": max(a_round["peak_mb"] for a_round in rounds[1:]),
    }


def _faults(accounts: int, labels: int) -> Faults:
    """One request in `ONE_IN` of about as many as there will be, the same ones each time."""
    requests = accounts * (labels + DRIFTED)
    struck = Random(7).sample(range(1, requests + 1), requests // ONE_IN)  # noqa: S311  no secret depends on it
    return Faults(*(Fault(kind, at=frozenset(struck[place :: len(PASSING)])) for place, kind in enumerate(PASSING)))


def _leadstate(folder: Path, accounts: int, *words: str) -> dict[str, Any]:
    """Run it with its peak of memory watched; what it ended with is in the figures."""
    tokens = {f"TOKEN_{n}": f"token-{n}" for n in range(accounts)}
    begun = time.perf_counter()
    done = subprocess.run(
        [*WATCHED, *words, "--format", "json", "-o", "report.json"],
        cwd=folder,
        env=environment(folder, **tokens),
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - begun
    peak = json.loads(done.stderr.splitlines()[-1])["peak_bytes"]
    return {"exit": done.returncode, "seconds": round(seconds, 1), "peak_mb": round(peak / 1e6, 1)}


if __name__ == "__main__":
    sys.exit(main())
