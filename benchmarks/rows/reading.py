"""What planning large and many accounts takes: requests, time beside what the server needs, memory."""

import math
import time
from functools import partial
from pathlib import Path

from benchmarks.configurations import account, leads
from benchmarks.reader import read_seconds
from benchmarks.row import Figure, Row
from benchmarks.server import serving, serving_at, set_latency, taken
from benchmarks.timing import LEADSTATE, by_turns, peak_megabytes, run
from leadstate.model.resource import PAGE
from leadstate.pipedrive.pagination import AT_ONCE

LATENCY = 50
"""Milliseconds."""

RUNS = 5
LEADS = 50_000
ACCOUNTS = 100
FLEET = 1_000
PLAN = [*LEADSTATE, "plan"]


def _labels_only(folder: Path) -> Figure:
    """Requests are counted by the server, in an account of 50,000 leads."""
    with serving_at(3, LEADS) as urls:
        (folder / "leadstate.yaml").write_text(account(*urls), encoding="utf-8")
        run(PLAN, folder, **_tokens(3))
        used = list(taken(urls[0]).values())
    one_each = len(used) == 3 and all(usage["requests"] == 1 for usage in used)  # noqa: PLR2004  the accounts above
    return Figure(max(usage["tokens"] for usage in used), {"accounts": len(used)}, sound=one_each)


def _large(folder: Path) -> Figure:
    pages = math.ceil((LEADS - 1) / (PAGE - 1))
    with serving(LEADS) as url:
        read_seconds(url, pages, AT_ONCE)
        server = min(read_seconds(url, pages, AT_ONCE) for _ in range(RUNS))
        set_latency(url, LATENCY)
        least = min(read_seconds(url, pages, AT_ONCE) for _ in range(RUNS))
        _declare_all(folder, url)
        first = by_turns({"plan": ["sh", "-c", 'rm -rf cache; exec "$@"', "sh", *PLAN]}, folder, 1)["plan"]
        taken(url)
        run(PLAN, folder)
        used = taken(url)["sandbox-token"]
        seconds = by_turns({"plan": PLAN}, folder, RUNS)["plan"]
    waiting = pages / AT_ONCE * LATENCY / 1000
    numbers = {
        "plan_seconds": seconds,
        "first_plan_seconds": first,
        "waiting_seconds": waiting,
        "server_seconds": server,
        "reader_seconds": least,
        "pages": pages,
        "pages_at_once": AT_ONCE,
        "requests": used["requests"],
        "tokens": used["tokens"],
    }
    return Figure(seconds / (waiting + server), numbers, sound=used["requests"] == pages + 1)


def _memory(count: int, folder: Path) -> Figure:
    with serving(count) as url:
        _declare_all(folder, url, count)
        peaks = [peak_megabytes(["plan"], folder) for _ in range(2)]
    return Figure(max(peaks), {"first_plan_mb": peaks[0], "second_plan_mb": peaks[1]})


def _declare_all(folder: Path, url: str, count: int = LEADS) -> None:
    """Declare what is ours there, one lead in a hundred, as it is."""
    text = account(url) + leads(count // 100, every=100)
    (folder / "leadstate.yaml").write_text(text, encoding="utf-8")


def _many(folder: Path) -> Figure:
    alone, many = folder / "one", folder / "many"
    with serving_at(ACCOUNTS, 0) as urls:
        set_latency(urls[0], LATENCY)
        for place, count in ((alone, 1), (many, ACCOUNTS)):
            place.mkdir()
            (place / "leadstate.yaml").write_text(account(*urls[:count]), encoding="utf-8")
        commands = {name: [*PLAN, "-c", f"{name}/leadstate.yaml"] for name in ("one", "many")}
        seconds = by_turns(commands, folder, RUNS, **_tokens(ACCOUNTS))
    return Figure(seconds["many"] / seconds["one"], {f"{name}_seconds": value for name, value in seconds.items()})


def _fleet(folder: Path) -> Figure:
    """Ten times the accounts, in one process each."""
    few, many = FLEET // 10, FLEET
    numbers: dict[str, float] = {}
    with serving_at(many, 0) as urls:
        for count in (few, many):
            (folder / "leadstate.yaml").write_text(account(*urls[:count]), encoding="utf-8")
            begun = time.perf_counter()
            numbers[f"peak_mb_{count}"] = peak_megabytes(["plan"], folder, **_tokens(count))
            numbers[f"seconds_{count}"] = time.perf_counter() - begun
    grown = numbers[f"peak_mb_{many}"] - numbers[f"peak_mb_{few}"]
    return Figure(numbers[f"peak_mb_{many}"], {**numbers, "kb_an_account": 1_000 * grown / (many - few)})


def _tokens(count: int) -> dict[str, str]:
    return {f"TOKEN_{number}": f"token-{number}" for number in range(count)}


ROWS = (
    Row(
        "plan-labels",
        f"Rate-limit tokens per account of a plan of labels only, in accounts of {LEADS:,} leads; one request each",
        "tokens",
        _labels_only,
        limit=10,
    ),
    Row(
        "plan-50000",
        f"`leadstate plan` of {LEADS:,} leads, {LATENCY} ms latency ÷ (pages ÷ {AT_ONCE} at once × latency + "
        "the server's own time); whole processes, not the first run",
        "×",
        _large,
        limit=1.5,
    ),
    Row("memory-50000", f"peak memory of that plan, {LEADS:,} leads", "MB", partial(_memory, LEADS), limit=200),
    Row("memory-100000", "the same, 100,000 leads", "MB", partial(_memory, 100_000), limit=200),
    Row(
        "accounts-100",
        f"`leadstate plan` of {ACCOUNTS} accounts, labels only, {LATENCY} ms latency ÷ that of one; whole processes",
        "×",
        _many,
        limit=2,
    ),
    Row(
        f"memory-accounts-{FLEET}",
        f"peak memory of `leadstate plan` of {FLEET:,} accounts, labels only, in one process",
        "MB",
        _fleet,
        limit=200,
    ),
)
