"""How long it takes to check a large configuration: little longer than libyaml takes to read it."""

import sys
from pathlib import Path

from benchmarks.configurations import account, leads
from benchmarks.row import Figure, Row
from benchmarks.timing import LEADSTATE, by_turns, peak_megabytes

LEADS = 10_000
RUNS = 5
COMPOSE = """
import sys
from ruamel.yaml.cyaml import CLoader
loader = CLoader(open(sys.argv[1], "rb"))
assert loader.get_single_node() is not None
"""


def _validate(folder: Path) -> Figure:
    text = account("https://acme.pipedrive.com") + leads(LEADS)
    (folder / "leadstate.yaml").write_text(text, encoding="utf-8")
    commands = {
        "validate": [*LEADSTATE, "validate"],
        "compose": [sys.executable, "-c", COMPOSE, "leadstate.yaml"],
    }
    taken = by_turns(commands, folder, RUNS)
    numbers = {"file_bytes": len(text.encode()), **{f"{name}_seconds": value for name, value in taken.items()}}
    return Figure(taken["validate"] / taken["compose"], numbers)


FEW, MANY, LABELS = 50, 5_000, 2_000


def _alike(folder: Path, accounts: int) -> Path:
    """A file of so many accounts that all declare the same labels."""
    lines = ["version: 1", "accounts:"]
    lines += [f"  account-{number}: {{domain: acme-{number}, token: {{env: TOKEN}}}}" for number in range(accounts)]
    lines += ["labels:", *(f"  - {{name: Label {number}, color: red}}" for number in range(LABELS))]
    path = folder / f"{accounts}.yaml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _many_accounts(folder: Path) -> Figure:
    commands = {f"{count}": [*LEADSTATE, "validate", "-c", str(_alike(folder, count))] for count in (FEW, MANY)}
    taken = by_turns(commands, folder, RUNS)
    return Figure(taken[f"{MANY}"] / taken[f"{FEW}"], {f"accounts_{count}_seconds": taken[count] for count in taken})


def _memory_of_many(folder: Path) -> Figure:
    path = _alike(folder, MANY)
    return Figure(peak_megabytes(["validate", "-c", str(path)], folder), {"file_bytes": path.stat().st_size})


ROWS = (
    Row(
        "validate-10000",
        f"`leadstate validate` of {LEADS:,} leads ÷ the C parser's compose of the same file; whole processes",
        "×",
        _validate,
        limit=1.5,
    ),
    Row(
        "validate-accounts-5000",
        f"`leadstate validate` of {LABELS:,} labels for {MANY:,} accounts ÷ the same labels for {FEW} accounts",
        "×",
        _many_accounts,
        limit=5,
    ),
    Row(
        "memory-validate-accounts",
        f"peak memory of `leadstate validate` of {LABELS:,} labels for {MANY:,} accounts",
        "MB",
        _memory_of_many,
        limit=300,
    ),
)
