"""How time and memory are measured: processes turn by turn and their median, functions again and again and the fastest.

A slow moment of a shared machine so meets both sides of a ratio, or none.
"""

import gc
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

LEADSTATE = (sys.executable, "-m", "leadstate")
WATCHED = (sys.executable, "-m", "benchmarks.watched")
"""leadstate, with its peak of memory told at the end."""

ROOT = Path(__file__).resolve().parents[1]


def environment(folder: Path, **more: str) -> dict[str, str]:
    """The environment of a measured process: this checkout, a cache of its own, nothing of the user's settings.

    Its modules are compiled once, as those of an installed package are.
    """
    others = ("LEADSTATE_", "PIPEDRIVE_", "PYTHONDONTWRITEBYTECODE")
    clean = {key: value for key, value in os.environ.items() if not key.startswith(others)}
    cache = str(folder / "cache")
    return {**clean, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": cache, "TOKEN": "sandbox-token", **more}


def run(command: Sequence[str], folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end in a folder; an error where it fails."""
    done = subprocess.run(
        command, cwd=folder, env=environment(folder, **environ), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {(done.stderr or done.stdout)[-500:]}")
    return done


def by_turns(commands: Mapping[str, Sequence[str]], folder: Path, runs: int, **environ: str) -> dict[str, float]:
    """The median seconds of each command, from its start to its end; one run before the first counts for nothing."""
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(runs + 1):
        for name, command in commands.items():
            begun = time.perf_counter()
            run(command, folder, **environ)
            if turn:
                taken[name].append(time.perf_counter() - begun)
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


def fastest(functions: Mapping[str, Callable[[], object]], runs: int) -> dict[str, float]:
    """The least seconds of each function."""
    taken: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(runs):
        for name, function in functions.items():
            gc.collect()
            begun = time.perf_counter()
            function()
            taken[name].append(time.perf_counter() - begun)
    return {name: min(seconds) for name, seconds in taken.items()}


def peak_megabytes(words: Sequence[str], folder: Path, **environ: str) -> float:
    """The most memory that a leadstate command had resident, in MB (10^6 bytes)."""
    said = run([*WATCHED, *words], folder, **environ).stderr.splitlines()[-1]
    return float(json.loads(said)["peak_bytes"]) / 1e6
