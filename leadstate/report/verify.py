"""Whether a stored report is what leadstate writes: everything that follows from its changes is derived again.

A reviewer believes what `show` prints of a plan file, and `apply` compares its fingerprint with that of a new plan. So
a fingerprint that is not that of the changes beside it is never accepted.
"""

from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit

from leadstate.kinds import KINDS
from leadstate.model.errors import ReportError
from leadstate.model.plan import combined, fingerprint
from leadstate.model.rollout import Shard
from leadstate.report.document import Account, Report, Requests
from leadstate.report.formats.json import parse


def read_stored(text: str) -> Report:
    """Read a stored report, and compare what it says of itself with what its changes say.

    Raises:
        ReportError: it is none, or it was edited.
    """
    report = parse(text)
    if wrong := next(_contradictions(report), None):
        raise ReportError(
            f"the report was edited: {wrong}",
            hint="use the file as leadstate wrote it, or make a new one with `leadstate plan --out FILE`",
        )
    return report


def _contradictions(report: Report) -> Iterator[str]:
    if report.scope.shard is not None:
        try:
            Shard.parse(report.scope.shard)
        except ValueError as problem:
            yield str(problem)
    named = Counter(account.account for account in report.accounts)
    yield from (f"the account {name} is in it twice" for name, times in named.items() if times > 1)
    for account in report.accounts:
        yield from _account(account)
    if report.command == "validate":
        return
    if report.fingerprint != combined(account.fingerprint for account in report.accounts):
        yield "its fingerprint is not that of its accounts"
    summary = report.summary
    totals = Counter(change.action for account in report.accounts for change in account.changes)
    if (totals["add"], totals["update"], totals["delete"]) != (summary.add, summary.update, summary.delete):
        yield "its summary does not count its changes"
    if summary.untouched != sum(group.count for account in report.accounts for group in account.untouched):
        yield "its summary does not count what is untouched"
    if report.command == "plan" and report.cost.apply != _forecast(report):
        yield "its forecast is not the sum of its calls"
    # Not what was found on reading again after an apply: that did not stand against it.
    found = (report.diagnostics, *(account.diagnostics for account in report.accounts))
    refused = any(diagnostic.severity != "warning" for diagnostics in found for diagnostic in diagnostics)
    if report.applyable and (refused or not report.complete):
        yield "it says that it can be applied, and has errors"


def _account(account: Account) -> Iterator[str]:
    if account.fingerprint != fingerprint(account):
        yield f"the fingerprint of {account.account} is not that of its changes"
    if account.origin is not None and urlsplit(account.origin).netloc != account.company:
        yield f"{account.company!r} is not the host of {account.account}"
    for change in account.changes:
        if change.kind not in KINDS:
            yield f"{change.kind} is no kind of object"
        elif not change.address.startswith(f"{account.account}/{change.kind}:"):
            yield f"{change.address} is no {change.kind} of {account.account}"


def _forecast(report: Report) -> Requests:
    calls = [call for account in report.accounts for change in account.changes for call in change.calls]
    return Requests(requests=sum(call.count for call in calls), tokens=sum(call.count * call.tokens for call in calls))
