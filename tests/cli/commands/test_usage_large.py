"""`leadstate usage` over a large account: exact, at the price that was told, in bounded memory."""

import json
import random
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from leadstate.sandbox import Sandbox, running

ROOT = Path(__file__).parents[3]
OPEN, ARCHIVED, LABELS, FILTERS = 20_000, 30_000, 200, 12
MOST_MEMORY = 200 * 10**6


def seed() -> dict[str, Any]:
    """Return an account of which every tenth label is on no lead."""
    drawn = random.Random(14)  # noqa: S311  no secret
    ids = [f"{number:08}-0000-4000-8000-000000000000" for number in range(LABELS)]
    carried = [label for place, label in enumerate(ids) if place % 10]
    conditions = [
        {"glue": "and", "conditions": [{"object": "deal", "field_id": "9", "operator": "=", "value": ids[number]}]}
        for number in range(FILTERS)
    ]
    return {
        "token": "t",
        "company": {"id": 1, "name": "Acme", "domain": "acme"},
        "persons": [{"id": 1, "name": "Jane"}],
        "labels": [{"id": label, "name": f"Label {place:03}", "color": "red"} for place, label in enumerate(ids)],
        "filters": [
            {"id": number + 1, "name": f"F{number}", "type": "leads", "conditions": {"glue": "and", "conditions": [it]}}
            for number, it in enumerate(conditions)
        ],
        "leads": [
            {
                "id": f"{number:08}-0000-1000-8000-000000000000",
                "title": f"Lead {number}",
                "person_id": 1,
                "label_ids": drawn.sample(carried, number % 4),
                "add_time": f"{2000 + number % 26}-{number % 12 + 1:02}-{number % 28 + 1:02}T08:00:00.000Z",
                "is_archived": number % 5 > 1,
            }
            for number in range(OPEN + ARCHIVED)
        ],
    }


def usage(folder: Path, url: str) -> tuple[list[dict[str, Any]], str, int]:
    """Run the command in a process of its own; return its rows, what it says on stderr, and its peak of memory."""
    (folder / "leadstate.yaml").write_text(
        json.dumps({"version": 1, "accounts": {"emea": {"url": url, "token": {"file": str(folder / "token")}}}})
    )
    (folder / "token").write_text("t")
    words = ["usage", "--archived", "--filters", "--format", "json", "--no-progress", "-c", str(folder)]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.watched", *words],
        cwd=ROOT,
        env={"XDG_CACHE_HOME": str(folder / "cache"), "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    *said, peak = done.stderr.splitlines()
    return json.loads(done.stdout), "\n".join(said), json.loads(peak)["peak_bytes"]


def test_fifty_thousand_leads_are_counted_exactly_at_the_price_that_was_told(tmp_path: Path) -> None:
    account = seed()
    sandbox = Sandbox(account, burst=None, daily=None)
    with running(sandbox.app) as url:
        rows, said, peak = usage(tmp_path, url)
    assert {row["id"]: _told(row) for row in rows} == _walked(account)
    forecast = re.findall(r"^emea: ([\d,]+) rate-limit tokens ", said, re.MULTILINE)
    tokens = sandbox.meter.report()["tokens"]
    assert [int(number.replace(",", "")) for number in forecast] == [tokens]
    pages = 10 + 20 + FILTERS * 2 + 41 * 20 + 61 * 40
    assert pages <= tokens <= pages * 1.04
    assert peak < MOST_MEMORY, f"{peak:,} bytes"


def _told(row: Mapping[str, Any]) -> tuple[Any, ...]:
    times = (row["oldest"] and row["oldest"]["add_time"], row["newest"] and row["newest"]["add_time"])
    return row["leads"], row["archived_leads"], *times, [saved["id"] for saved in row["filters"]]


def _walked(account: Mapping[str, Any]) -> dict[str, tuple[Any, ...]]:
    """Return the same of each label, by a walk through all leads of the seed."""
    carried = [(label, lead) for lead in account["leads"] for label in lead["label_ids"]]
    counts = Counter((label, lead["is_archived"]) for label, lead in carried)
    times: dict[str, list[str]] = {}
    for label, lead in carried:
        times.setdefault(label, []).append(lead["add_time"])
    return {
        label["id"]: (
            counts[label["id"], False],
            counts[label["id"], True],
            min(times.get(label["id"], []), default=None),
            max(times.get(label["id"], []), default=None),
            [place + 1] if place < FILTERS else [],
        )
        for place, label in enumerate(account["labels"])
    }
