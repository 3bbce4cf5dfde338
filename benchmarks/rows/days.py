"""A day of hourly plans of a large account, on the meter and under a clock that is set: nothing waits for an hour."""

import contextlib
import email.utils
import io
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from benchmarks.configurations import account, leads
from benchmarks.row import Figure, Row
from benchmarks.server import LABELS, TOKEN, seed
from leadstate.api.session import Runtime
from leadstate.cli.main import cli
from leadstate.sandbox import Sandbox

LIVE = 50_000
ARCHIVED = 300_000
DECLARED = 200
DAY = 30_000
"""Rate-limit tokens a day of one seat of the smallest plan (Pipedrive docs: rate limiting)."""

CHANGED = 100
"""Leads that people change in an hour."""


class _Company(httpx.AsyncBaseTransport):
    """The account, in this process; its clock stands still unless it is set."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 24, tzinfo=UTC)
        self.sandbox = Sandbox(_seed(), burst=1_000_000, daily=None, clock=lambda: self.now)
        self._inner = httpx.ASGITransport(self.sandbox.app)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._inner.handle_async_request(request)
        answer.headers["date"] = email.utils.format_datetime(self.now, usegmt=True)
        return answer

    @property
    def tokens(self) -> int:
        found: int = self.sandbox.meter.report()["tokens"]
        return found

    def people_work(self, hour: int) -> None:
        """An hour passes, in which people change leads that are not ours."""
        self.now += timedelta(hours=1)
        company = self.sandbox.companies[0]
        for number in range(CHANGED):
            lead = f"{hour * 1_000 + number * 7 + 1:08x}-0000-1000-8000-000000000000"
            company.update_lead(lead, {"custom": {}, "was_seen": True})


def _seed() -> dict[str, Any]:
    every = LIVE // DECLARED
    document = seed(LIVE, every)
    stamp = "2026-01-12T08:30:00.000Z"
    old = {"title": "An old lead", "person_id": 1, "label_ids": [LABELS[0]["id"]], "is_archived": True}
    document["leads"] = [{**lead, "add_time": stamp, "update_time": stamp} for lead in document["leads"]]
    document["leads"] += [
        {
            **old,
            "id": f"{n:08x}-0000-1000-8000-00000000000a",
            "add_time": stamp,
            "update_time": stamp,
            "archive_time": stamp,
        }
        for n in range(ARCHIVED)
    ]
    return document


def _day(folder: Path, *, kept: bool) -> Figure:
    """A day; with `kept` the user's cache is there from run to run, else only the lock file is, as in most CI."""
    company = _Company()
    text = account("http://127.0.0.1:1") + leads(DECLARED, every=LIVE // DECLARED)
    path = folder / "leadstate.yaml"
    path.write_text(text, encoding="utf-8")

    def leadstate(*words: str, run: int = 0) -> int:
        cache = folder / f"cache-{0 if kept else run}"
        runtime = Runtime(environ={"TOKEN": TOKEN}, transport=company, cache=cache)
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            return int(cli.main([*words, "-c", str(path)], obj=runtime, standalone_mode=False))

    codes = [leadstate("lock")]
    before = company.tokens
    for hour in range(24):
        codes.append(leadstate("plan", "--detailed-exitcode", run=hour + 1))
        company.people_work(hour)
    tokens = company.tokens - before
    return Figure(100 * tokens / DAY, {"tokens": tokens, "lock_tokens": before}, sound=not any(codes))


_ACCOUNT = f"{LIVE:,} live and {ARCHIVED:,} archived leads, {DECLARED} declared, of the {DAY:,} of a day"

ROWS = (
    Row(
        "day-full",
        f"Rate-limit tokens of 24 plans, {_ACCOUNT}; the list's length and the lock file are from before",
        "%",
        partial(_day, kept=True),
        limit=35,
    ),
    Row(
        "day-no-cache",
        f"Rate-limit tokens of 24 plans where only the lock file is kept, {_ACCOUNT}",
        "%",
        partial(_day, kept=False),
        limit=35,
    ),
)
