"""A plan as metrics in OpenMetrics text: how far each account has drifted, what that took, and when it was looked at.

Gauges alone, and no timestamps: this way the text is one of the older format of Prometheus too, which is what the
textfile collector of node_exporter reads (its issue 1988), and a file with timestamps it refuses (its issue 1284).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import product
from typing import Final

from leadstate import __version__
from leadstate.api.results import Plan
from leadstate.api.session import Session
from leadstate.kinds import KINDS
from leadstate.model.diagnostics import Severity
from leadstate.model.plan import Action, Origin
from leadstate.pipedrive.client import Reader

MEANINGS: Final[dict[str, str]] = {
    "leadstate_build_info": "The version of leadstate that made the plan.",
    "leadstate_plan_timestamp_seconds": "When the plan was made, in seconds since 1970.",
    "leadstate_account_read": "1 where the account could be read, else 0: then its changes are not known.",
    "leadstate_diagnostics": "Errors, refusals by guards, and warnings.",
    "leadstate_pending_changes": "Changes that an apply would make.",
    "leadstate_drift_changes": "Those that the base would make too, for somebody changed the account (with --base).",
    "leadstate_read_requests": "Requests that reading took.",
    "leadstate_read_tokens": "Rate-limit tokens that reading took.",
    "leadstate_apply_requests": "Requests that an apply would take.",
    "leadstate_apply_tokens": "Rate-limit tokens that an apply would take.",
    "leadstate_daily_tokens_remaining": "Rate-limit tokens that the company has left today, where the server tells.",
    "leadstate_daily_tokens_limit": "Rate-limit tokens that the company has a day, where the server tells.",
}
"""Metric → what it says, in the order of the file."""


Sample = tuple[str, int | None, dict[str, str]]
"""A metric, its value and its labels."""


def metrics_of(plan: Plan, opened: Session, now: datetime, *, compared: bool) -> Iterator[Sample]:
    """Yield the samples of a plan.

    Args:
        plan: the plan.
        opened: the session that made it.
        now: the time, in UTC.
        compared: whether the plan was compared with a base, so that its changes say whether they are drift.
    """
    yield "leadstate_build_info", 1, {"version": __version__}
    yield "leadstate_plan_timestamp_seconds", int(now.timestamp()), {}
    for found in sorted(plan.plans, key=lambda account_plan: account_plan.account):
        account = {"account": found.account}
        yield "leadstate_account_read", int(found.complete), account
        for severity in Severity:
            count = sum(diagnostic.severity is severity for diagnostic in found.diagnostics)
            yield "leadstate_diagnostics", count, {**account, "severity": severity.value}
        if not found.complete:
            continue
        pending = Counter((change.address.kind, change.action) for change in found.changes)
        for kind, action in product(KINDS, Action):
            labels = {**account, "kind": kind, "action": action.value}
            yield "leadstate_pending_changes", pending[kind, action], labels
        if compared:
            drifted = sum(change.origin in (Origin.DRIFT, Origin.BOTH) for change in found.changes)
            yield "leadstate_drift_changes", drifted, account
        requests, tokens = found.forecast
        yield "leadstate_apply_requests", requests, account
        yield "leadstate_apply_tokens", tokens, account
    for job in sorted(opened.work, key=lambda job: job.account.name):
        account, reader = {"account": job.account.name}, Reader(job.connection)
        yield "leadstate_read_requests", reader.spent.requests, account
        yield "leadstate_read_tokens", reader.spent.tokens, account
        left, limit = reader.tokens_today
        yield "leadstate_daily_tokens_remaining", left, account
        yield "leadstate_daily_tokens_limit", limit, account


def to_text(samples: Iterable[Sample]) -> str:
    """Return samples as OpenMetrics text; those without a value are left out."""
    lines: defaultdict[str, list[str]] = defaultdict(list)
    for name, value, labels in samples:
        if value is not None:
            inner = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
            lines[name].append(f"{name}{f'{{{inner}}}' if inner else ''} {value}\n")
    families = (
        f"# HELP {name} {meaning}\n# TYPE {name} gauge\n{''.join(lines[name])}"
        for name, meaning in MEANINGS.items()
        if lines[name]
    )
    return "".join(families) + "# EOF\n"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
