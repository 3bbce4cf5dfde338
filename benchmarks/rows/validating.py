"""How long it takes to check a large configuration: little longer than libyaml takes to read it."""

import sys
from pathlib import Path

from benchmarks.configurations import account, leads
from benchmarks.row import Figure, Row
from benchmarks.timing import LEADSTATE, by_turns

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


ROWS = (
    Row(
        "validate-10000",
        f"`leadstate validate` of {LEADS:,} leads ÷ the C parser's compose of the same file; whole processes",
        "×",
        _validate,
        limit=3,
    ),
)
