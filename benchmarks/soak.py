"""Many accounts with many labels, planned and applied while requests go wrong: `python -m benchmarks.soak`.

Every account must end as declared, with each label once, whatever was lost or refused on the way. The server and
leadstate are processes of their own; leadstate is run until it says that nothing is left, as people would.
"""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import click
import httpx

from benchmarks.timing import LEADSTATE, WATCHED, environment

KINDS = ("rate-limited", "error-before", "error-after", "reset", "lost", "cut")
"""What goes wrong: refused with 429, 5xx before and after it was done, broken connections before and after."""

ONE_IN = 50
"""So many requests, of which one goes wrong."""

MOST_ROUNDS = 5
COLORS = ("blue", "brown", "gray", "green", "orange", "pink", "purple", "red", "yellow")
DRIFTED = 10
"""Labels that are there already, in another colour."""


@click.command()
@click.option("--accounts", default=1_000, show_default=True)
@click.option("--labels", default=50, show_default=True, help="In each account.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write the figures as JSON too.")
def main(accounts: int, labels: int, output: Path | None) -> None:
    """Plan and apply many accounts with faults on; exit 1 where an account is not as declared at the end."""
    with TemporaryDirectory(prefix="leadstate-soak-") as folder:
        figures = soak(Path(folder), accounts, labels)
    for name, value in figures.items():
        click.echo(f"{name:24}{value:>14,}" if isinstance(value, int | float) else f"{name:24}{value:>14}")
    if output is not None:
        output.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    raise SystemExit(figures["accounts_wrong"] != 0)


def soak(folder: Path, accounts: int, labels: int) -> dict[str, Any]:
    """Run it in an empty folder; the figures, `accounts_wrong` among them."""
    _declare(folder, accounts, labels)
    with _sandbox(folder) as url:
        config = folder / "leadstate.yaml"
        config.write_text(config.read_text(encoding="utf-8").replace("URL", url), encoding="utf-8")
        faults = _faults(accounts, labels)
        httpx.put(f"{url}/_sandbox/faults", json={"faults": faults}).raise_for_status()
        planned = _leadstate(folder, accounts, "plan")
        rounds = [planned]
        while len(rounds) <= MOST_ROUNDS:
            rounds.append(_leadstate(folder, accounts, "apply", "--auto-approve"))
            if rounds[-1]["exit"] == 0:
                break
        struck = len(httpx.get(f"{url}/_sandbox/faults", timeout=60).json()["fired"])
        state = httpx.get(f"{url}/_sandbox/state", timeout=60).json()
        meter = httpx.get(f"{url}/_sandbox/meter", timeout=60).json()
    return {
        "accounts": accounts,
        "labels_each": labels,
        "accounts_wrong": _wrong(state, labels),
        "faults_struck": struck,
        "applies": len(rounds) - 1,
        "requests": meter["requests"],
        "tokens": meter["tokens"],
        "plan_seconds": planned["seconds"],
        "apply_seconds": round(sum(a_round["seconds"] for a_round in rounds[1:]), 1),
        "plan_peak_mb": planned["peak_mb"],
        "apply_peak_mb": max(a_round["peak_mb"] for a_round in rounds[1:]),
    }


def _declare(folder: Path, accounts: int, labels: int) -> None:
    """The configuration, and what the accounts hold at first: some of the labels, in other colours."""
    declared = [{"name": f"Label {n}", "color": COLORS[n % len(COLORS)]} for n in range(labels)]
    drifted = [{**one, "color": "dark-gray"} for one in declared[:DRIFTED]]
    companies = [
        {"token": f"token-{n}", "company": {"id": n + 1, "name": f"C{n}", "domain": f"c{n}"}, "labels": drifted}
        for n in range(accounts)
    ]
    names = {f"a{n:05}": {"url": "URL", "company_id": n + 1, "token": {"env": f"TOKEN_{n}"}} for n in range(accounts)}
    (folder / "seed.json").write_text(json.dumps({"companies": companies}), encoding="utf-8")
    whole = {"version": 1, "accounts": names, "labels": declared}
    (folder / "leadstate.yaml").write_text(json.dumps(whole, indent=1), encoding="utf-8")


@contextmanager
def _sandbox(folder: Path) -> Iterator[str]:
    words = ["sandbox", "--port", "0", "--seed", "seed.json", "--burst", "120", "--daily", "1000000000"]
    with (folder / "sandbox.out").open("w+", encoding="utf-8") as out:
        server = subprocess.Popen([*LEADSTATE, *words], cwd=folder, env=environment(folder), stdout=out)
        try:
            yield _address(folder / "sandbox.out", server)
        finally:
            server.terminate()
            server.wait()


def _address(said: Path, server: "subprocess.Popen[bytes]") -> str:
    """What the sandbox prints once it is ready; it prints more than a pipe would hold."""
    while server.poll() is None:
        line = said.read_text(encoding="utf-8").partition("\n")
        if line[1]:
            return line[0][line[0].index("http") :].strip()
        time.sleep(0.05)
    raise RuntimeError(f"the sandbox ended with {server.returncode}")


def _faults(accounts: int, labels: int) -> list[dict[str, Any]]:
    """One request in `ONE_IN` of about as many as there will be, the same ones each time."""
    requests = accounts * (labels + DRIFTED)
    struck = Random(7).sample(range(1, requests + 1), requests // ONE_IN)  # noqa: S311  no secret depends on it
    return [{"kind": kind, "at": sorted(struck[place :: len(KINDS)])} for place, kind in enumerate(KINDS)]


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


def _wrong(state: dict[str, Any], labels: int) -> int:
    """How many accounts do not hold each declared label once, in its colour."""
    declared = Counter((f"Label {n}", COLORS[n % len(COLORS)]) for n in range(labels))
    there = [Counter((label["name"], label["color"]) for label in company["labels"]) for company in state["companies"]]
    return sum(counter != declared for counter in there)


if __name__ == "__main__":
    sys.exit(main())
