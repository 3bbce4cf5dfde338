"""How long it takes to say a version or a help: hardly longer than to import the library that does it."""

import sys
from functools import partial
from pathlib import Path

from benchmarks.row import Figure, Row
from benchmarks.timing import LEADSTATE, by_turns

RUNS = 15


def _start(word: str, folder: Path) -> Figure:
    commands = {"leadstate": [*LEADSTATE, word], "click": [sys.executable, "-c", "import click"]}
    taken = by_turns(commands, folder, RUNS)
    return Figure(taken["leadstate"] / taken["click"], {f"{name}_seconds": value for name, value in taken.items()})


ROWS = tuple(
    Row(
        f"start{word[1:]}",
        f"`leadstate {word}` ÷ `python -c 'import click'`; whole processes, median of {RUNS}",
        "×",
        partial(_start, word),
        limit=1.2,
    )
    for word in ("--version", "--help")
)
