"""A plan as metrics in OpenMetrics text: how far each account has drifted, what that took, and when it was looked at.

Gauges alone, and no timestamps: this way the text is one of the older format of Prometheus too, which is what the
textfile collector of node_exporter reads (its issue 1988), and a file with timestamps it refuses (its issue 1284).
"""

from collections import Counter, defaultdict
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


class Samples:
    """The samples of each metric; all of them whole numbers."""

    def __init__(self) -> None:
        self._lines: defaultdict[str, list[str]] = defaultdict(list)

    def add(self, name: str, value: int | None, **labels: str) -> None:
        """Add a sample; nothing where there is no value."""
        if value is not None:
            inner = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
            self._lines[name].append(f"{name}{f'{{{inner}}}' if inner else ''} {value}\n")

    def text(self) -> str:
        """Return the file."""
        families = (
            f"# HELP {name} {meaning}\n# TYPE {name} gauge\n{''.join(self._lines[name])}"
            for name, meaning in MEANINGS.items()
            if self._lines[name]
        )
        return "".join(families) + "# EOF\n"


def metrics_of(plan: Plan, opened: Session, now: datetime, *, compared: bool) -> str:
    """Return the metrics of a plan.

    Args:
        plan: the plan.
        opened: the session that made it.
        now: the time, in UTC.
        compared: whether the plan was compared with a base, so that its changes say whether they are drift.
    """
    samples = Samples()
    samples.add("leadstate_build_info", 1, version=__version__)
    samples.add("leadstate_plan_timestamp_seconds", int(now.timestamp()))
    for found in sorted(plan.plans, key=lambda account_plan: account_plan.account):
        name = found.account
        samples.add("leadstate_account_read", int(found.complete), account=name)
        for severity in Severity:
            count = sum(diagnostic.severity is severity for diagnostic in found.diagnostics)
            samples.add("leadstate_diagnostics", count, account=name, severity=severity.value)
        if not found.complete:
            continue
        pending = Counter((change.address.kind, change.action) for change in found.changes)
        for kind, action in product(KINDS, Action):
            count = pending[kind, action]
            samples.add("leadstate_pending_changes", count, account=name, kind=kind, action=action.value)
        if compared:
            drifted = sum(change.origin in (Origin.DRIFT, Origin.BOTH) for change in found.changes)
            samples.add("leadstate_drift_changes", drifted, account=name)
        requests, tokens = found.forecast
        samples.add("leadstate_apply_requests", requests, account=name)
        samples.add("leadstate_apply_tokens", tokens, account=name)
    for job in sorted(opened.work, key=lambda job: job.account.name):
        name, reader = job.account.name, Reader(job.connection)
        samples.add("leadstate_read_requests", reader.spent.requests, account=name)
        samples.add("leadstate_read_tokens", reader.spent.tokens, account=name)
        left, limit = reader.tokens_today
        samples.add("leadstate_daily_tokens_remaining", left, account=name)
        samples.add("leadstate_daily_tokens_limit", limit, account=name)
    return samples.text()


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
