"""What a request costs and when it is too much: token prices, the meter, the burst window and the daily budget.

It knows no HTTP: it answers with the headers that a request earns and, where it is one too many, with how many
seconds to wait. Every authenticated request of a known operation is charged, also one that ends in 400 or 404: whether
Pipedrive charges those is not documented, so the dearer reading is taken. A refused request costs nothing.
"""

import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from leadstate.sandbox.state.company import Clock, Company

TOKEN_COSTS: Mapping[str, int] = {
    "getLeads": 20,
    "getArchivedLeads": 40,
    "getLead": 2,
    "addLead": 10,
    "updateLead": 10,
    "deleteLead": 6,
    "getLeadLabels": 10,
    "addLeadLabel": 10,
    "updateLeadLabel": 10,
    "deleteLeadLabel": 6,
    "getLeadSources": 2,
    "getFilters": 20,
    "getFilter": 2,
    "getLeadFields": 20,
    "getUsers": 20,
    "getCurrentUser": 2,
    "getDealFields": 10,
    "getPersons": 10,
    "getPerson": 1,
    "getOrganization": 1,
    "searchPersons": 20,
    "searchOrganization": 20,
}
"""API tokens per request, whatever its size (Pipedrive OpenAPI: x-token-cost)."""

BURST_SECONDS = 2.0
"""The length of the rolling window, per token (Pipedrive docs: rate limiting)."""

BURST_REQUESTS: Mapping[str, int] = {"lite": 20, "growth": 40, "premium": 100, "ultimate": 120}
"""Requests with one API token in a window, by plan (Pipedrive docs: rate limiting)."""

OAUTH_BURST = 4
"""How many times as many an OAuth token may make: 80, 160, 400, 480 (Pipedrive docs: rate limiting)."""

SEARCHES = frozenset({"searchPersons", "searchOrganization"})
"""The operations of the "Search API"; which ones those are is not documented, so all that could be are."""

SEARCH_REQUESTS = 10
"""Searches with one API token in a window, on every plan (Pipedrive docs: rate limiting).

Whether they count in the general window too is not documented; here they do, which is the stricter reading.
"""

DAILY_TOKENS = 30_000
"""API tokens a day for each seat, before the plan's multiplier (Pipedrive docs: rate limiting)."""

DAILY_MULTIPLIER: Mapping[str, int] = {"lite": 1, "growth": 2, "premium": 5, "ultimate": 7}
"""What a plan multiplies the daily tokens by (Pipedrive docs: rate limiting)."""

Refusal = Literal["burst", "daily"]
"""Which limit a request breaks."""

Limit = int | None | Literal["plan"]
"""A limit: a number, None to switch it off, or `plan` for what the company's plan gives.

Searches have their own number in a burst window, which goes only where the burst limit is off.
"""


@dataclass(frozen=True, slots=True)
class Admission:
    """The answer to one request: the headers it earns, and why it is refused and for how many seconds, if it is."""

    headers: Mapping[str, str]
    refused: Refusal | None = None
    retry_after: int = 0


@dataclass(slots=True)
class Count:
    """Requests and the API tokens that they cost."""

    requests: int = 0
    tokens: int = 0


@dataclass(slots=True)
class Usage:
    """What one company used: a count per operation, and how many requests were answered 429."""

    operations: dict[str, Count] = field(default_factory=dict)
    refused: int = 0

    def report(self) -> dict[str, Any]:
        """Return the counts as a JSON document."""
        counts = self.operations.values()
        return {
            "requests": sum(count.requests for count in counts),
            "tokens": sum(count.tokens for count in counts),
            "refused": self.refused,
            "operations": {name: asdict(count) for name, count in sorted(self.operations.items())},
        }


class Meter:
    """Counts what was used since the start, per company and operation. It never forgets by itself; see `reset`."""

    def __init__(self) -> None:
        self._usage: dict[int, Usage] = {}

    def charge(self, company_id: int, operation: str) -> None:
        """Count one request that was let in."""
        count = self._of(company_id).operations.setdefault(operation, Count())
        count.requests += 1
        count.tokens += TOKEN_COSTS[operation]

    def refuse(self, company_id: int) -> None:
        """Count one request that was answered 429."""
        self._of(company_id).refused += 1

    def reset(self) -> None:
        """Forget all counts."""
        self._usage.clear()

    @property
    def requests(self) -> int:
        """Requests that were let in, of all companies."""
        return sum(count.requests for usage in self._usage.values() for count in usage.operations.values())

    @property
    def tokens(self) -> int:
        """API tokens that they cost, of all companies."""
        return sum(count.tokens for usage in self._usage.values() for count in usage.operations.values())

    @property
    def refused(self) -> int:
        """Requests that were answered 429, of all companies."""
        return sum(usage.refused for usage in self._usage.values())

    def report(self) -> dict[str, Any]:
        """Return the counts as a JSON document; a company is named by its id, never by its token."""
        return {
            "requests": self.requests,
            "tokens": self.tokens,
            "refused": self.refused,
            "companies": {str(company_id): usage.report() for company_id, usage in sorted(self._usage.items())},
        }

    def _of(self, company_id: int) -> Usage:
        return self._usage.setdefault(company_id, Usage())


class Limits:
    """The burst window and the daily budget of every company, on injected clocks.

    `clock` gives UTC (the day ends at its midnight; Pipedrive's own time zone is not documented), `monotonic` seconds.
    """

    def __init__(self, burst: Limit, daily: Limit, clock: Clock, monotonic: Callable[[], float], meter: Meter) -> None:
        self._burst, self._daily = burst, daily
        self._clock, self._monotonic = clock, monotonic
        self._meter = meter
        self._windows: dict[tuple[str, bool, bool], deque[float]] = {}
        self._spent: dict[int, tuple[date, int]] = {}

    def refusal(self, company: Company, operation: str, *, oauth: bool) -> Refusal | None:
        """Return which limit a request would break now, if it breaks one. Nothing is charged."""
        daily = daily_limit(self._daily, company)
        if any(not room for room, _, _ in self._bursts(company, operation, self._monotonic(), oauth=oauth)):
            return "burst"
        spent = self._spent_on(company, self._clock().astimezone(UTC).date())
        return "daily" if daily is not None and spent + TOKEN_COSTS[operation] > daily else None

    def admit(self, company: Company, operation: str, refused: Refusal | None, *, oauth: bool) -> Admission:
        """Let a request in and charge it, or refuse it for this reason and count that."""
        now, seconds = self._clock().astimezone(UTC), self._monotonic()
        bursts, spent = self._bursts(company, operation, seconds, oauth=oauth), self._spent_on(company, now.date())
        daily = daily_limit(self._daily, company)
        if refused:
            self._meter.refuse(company.id)
        else:
            self._meter.charge(company.id, operation)
            for _, _, window in bursts:
                window.append(seconds)
            spent += TOKEN_COSTS[operation]
        self._spent[company.id] = (now.date(), spent)
        headers = {}
        if bursts:
            # Which window the headers speak of is not documented for searches; here it is the fullest one.
            _, burst, window = min(bursts)
            oldest = window[0] if window else seconds
            headers["x-ratelimit-limit"] = str(burst)
            headers["x-ratelimit-remaining"] = str(max(0, burst - len(window)) if refused != "burst" else 0)
            headers["x-ratelimit-reset"] = str(math.ceil(BURST_SECONDS - (seconds - oldest)))
        if daily is not None:
            headers["x-daily-ratelimit-token-limit"] = str(daily)
            headers["x-daily-ratelimit-token-remaining"] = str(max(0, daily - spent))
        wait = {None: 0, "burst": math.ceil(BURST_SECONDS), "daily": _until_midnight(now)}[refused]
        return Admission(headers, refused, wait)

    def _bursts(
        self, company: Company, operation: str, seconds: float, *, oauth: bool
    ) -> list[tuple[int, int, deque[float]]]:
        """Return the windows that an operation counts in: (room left, limit, times of requests in two seconds)."""
        burst = burst_limit(self._burst, company, oauth=oauth)
        if burst is None:
            return []
        limits = [(False, burst), *([(True, SEARCH_REQUESTS)] if operation in SEARCHES else [])]
        found = []
        for searches, limit in limits:
            window = self._windows.setdefault((company.token, oauth, searches), deque())
            while window and seconds - window[0] >= BURST_SECONDS:
                window.popleft()
            found.append((max(0, limit - len(window)), limit, window))
        return found

    def _spent_on(self, company: Company, today: date) -> int:
        """Return the API tokens that the company spent today."""
        day, spent = self._spent.get(company.id, (today, 0))
        return spent if day == today else 0


def burst_limit(limit: Limit, company: Company, *, oauth: bool) -> int | None:
    """Return the requests per window, or None for no limit."""
    return BURST_REQUESTS[company.plan] * (OAUTH_BURST if oauth else 1) if limit == "plan" else limit


def daily_limit(limit: Limit, company: Company) -> int | None:
    """Return the API tokens per day, or None for no limit. Every user takes a seat."""
    if limit == "plan":
        return DAILY_TOKENS * DAILY_MULTIPLIER[company.plan] * len(company.users)
    return limit


def _until_midnight(now: datetime) -> int:
    midnight = datetime.combine(now.date(), datetime.min.time(), UTC) + timedelta(days=1)
    return math.ceil((midnight - now).total_seconds())
