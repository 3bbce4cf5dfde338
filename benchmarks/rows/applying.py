"""Applying: how much of the burst limit is used, and whether it costs what was foreseen. Against the sandbox."""

import json
import math
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from benchmarks.configurations import account, leads
from benchmarks.row import Figure, Row
from benchmarks.server import seed
from benchmarks.timing import LEADSTATE, run

CHANGES = 1_000
BURST = 120
"""Requests in a window, as the largest plan has."""

RUNS = 3

WINDOW = 2.0
"""Seconds (Pipedrive docs: rate limiting)."""

ALL = ("--allow", "max-deletes", "--allow", "max-delete-percent")


@contextmanager
def _sandbox(folder: Path, document: dict[str, Any], burst: int) -> Iterator[str]:
    (folder / "seed.json").write_text(json.dumps(document), encoding="utf-8")
    words = ["sandbox", "--port", "0", "--seed", "seed.json", "--burst", str(burst), "--daily", "1000000"]
    with subprocess.Popen([*LEADSTATE, *words], cwd=folder, stdout=subprocess.PIPE, text=True) as server:
        try:
            said = server.stdout.readline() if server.stdout else ""
            yield said[said.index("http") :].strip()
        finally:
            server.terminate()


def _meter(url: str) -> dict[str, int]:
    found: dict[str, int] = httpx.get(f"{url}/_sandbox/meter").json()
    return found


def _pace(folder: Path) -> Figure:
    """Every request of a run counts: the plan before, the changes, the reading after. The median of a few runs."""
    figures = []
    for number in range(RUNS):
        place = folder / str(number)
        place.mkdir()
        figures.append(_apply_all(place))
    figures.sort(key=lambda figure: figure.value)
    middle = figures[RUNS // 2]
    numbers = {**middle.numbers, "least_percent": figures[0].value, "most_percent": figures[-1].value}
    return Figure(middle.value, numbers, sound=all(figure.sound for figure in figures))


def _apply_all(folder: Path) -> Figure:
    with _sandbox(folder, seed(0, 1), BURST) as url:
        (folder / "leadstate.yaml").write_text(account(url) + leads(CHANGES), encoding="utf-8")
        begun = time.perf_counter()
        run([*LEADSTATE, "apply", "--auto-approve"], folder)
        seconds = time.perf_counter() - begun
        used = _meter(url)
    least = (math.ceil(used["requests"] / BURST) - 1) * WINDOW
    numbers = {
        "apply_seconds": seconds,
        "least_seconds": least,
        "requests": used["requests"],
        "refused": used["refused"],
    }
    return Figure(100 * least / seconds, numbers, sound=used["refused"] == 0 and used["requests"] >= CHANGES)


def _forecast(folder: Path) -> Figure:
    """Adds, updates, deletes and a merge; the readings before and after are told by plans of their own."""
    document = seed(1_200, 12)
    document["labels"] = [*document["labels"], {"name": "Old", "color": "gray"}]
    with _sandbox(folder, document, 100_000) as url:
        text = account(url)
        text = text.replace("name: Hot, color: red", "name: Hot, color: pink")
        text = text.replace("{name: Warm, color: yellow}", "{name: Warm, color: yellow, merge_from: [Cold]}")
        text += "  - {name: New, color: purple}\n  - {name: Old, state: absent}\n"
        text += leads(80, every=12, differ=30)
        text += "".join(f"  - {{key: new-{n}, title: New {n}, person: 1, labels: [New, Warm]}}\n" for n in range(20))
        text += "policy: {prune: {leads: owned}}\n"
        (folder / "leadstate.yaml").write_text(text, encoding="utf-8")
        before = _cost(folder)
        start = _meter(url)["tokens"]
        run([*LEADSTATE, "apply", "--auto-approve", *ALL], folder)
        whole = _meter(url)["tokens"] - start
        after = _cost(folder)
    metered = whole - before["read"]["tokens"] - after["read"]["tokens"]
    forecast = before["apply"]["tokens"]
    numbers = {"forecast_tokens": forecast, "metered_tokens": metered, "left_to_do": after["apply"]["tokens"]}
    return Figure(abs(metered - forecast), numbers, sound=after["apply"]["tokens"] == 0 and forecast > 0)


def _cost(folder: Path) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = json.loads(run([*LEADSTATE, "plan", "--format", "json", *ALL], folder).stdout)[
        "cost"
    ]
    return found


ROWS = (
    Row(
        f"apply-{CHANGES}",
        f"the least time in which {BURST} requests in 2 s allow an apply of {CHANGES:,} changes, of the time it took; "
        f"median of {RUNS}",
        "%",
        _pace,
        limit=90,
        at_least=True,
    ),
    Row(
        "forecast",
        "Rate-limit tokens between what a plan says that its apply will take and what the sandbox's meter counts",
        "tokens",
        _forecast,
        limit=0,
    ),
)
