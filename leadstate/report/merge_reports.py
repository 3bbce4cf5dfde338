"""Reports of several shards, or of other runs over different accounts, as one."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import fields, replace
from itertools import pairwise
from typing import Final

from leadstate.model.diagnostics import ReportError
from leadstate.model.plan import combined
from leadstate.model.rollout import Shard
from leadstate.report.document import Account, Base, Cost, Remaining, Report, Requests, Scope, Summary

COUNTS: Final = tuple(field.name for field in fields(Summary))


def merge_reports(reports: Sequence[Report]) -> Report:
    """Return one report of everything that several reports are about, as one run would have given it.

    Raises:
        ReportError: they are of different commands or targets, or two are about one account.
    """
    if {report.command for report in reports} == {"plan", "apply"}:
        reports = [*map(_as_apply, reports)]
    first, *others = reports
    if not others:
        return first
    for other in others:
        if (other.command, other.scope.targets) != (first.command, first.scope.targets):
            hint = "show reports of one command with the same --target"
            raise ReportError("the reports are of different commands or targets", hint=hint)
    accounts = sorted(
        (account for report in reports for account in report.accounts), key=lambda account: account.account
    )
    for account, next_ in pairwise(accounts):
        if account.account == next_.account:
            raise ReportError(f"two of the reports are about the account {account.account}", hint="leave one out")
    return Report(
        leadstate_version=first.leadstate_version,
        command=first.command,
        fingerprint=first.fingerprint and combined(account.fingerprint for account in accounts),
        complete=all(report.complete for report in reports),
        applyable=all(report.applyable for report in reports),
        summary=Summary(**{name: sum(getattr(report.summary, name) for report in reports) for name in COUNTS}),
        cost=Cost(
            read=Requests.sum((report.cost.read.requests, report.cost.read.tokens) for report in reports),
            apply=Requests.sum((report.cost.apply.requests, report.cost.apply.tokens) for report in reports),
        ),
        scope=_scope(reports, accounts),
        base=_base(reports),
        undoes=first.undoes if len({report.undoes for report in reports}) == 1 else None,
        accounts=tuple(accounts),
        diagnostics=tuple(dict.fromkeys(diagnostic for report in reports for diagnostic in report.diagnostics)),
    )


def _as_apply(report: Report) -> Report:
    """Return the report of an apply; one that had nothing to write has reported its plan."""
    if report.command == "apply":
        return report
    accounts = (_not_begun(account, complete=report.complete) for account in report.accounts)
    return replace(report, command="apply", cost=replace(report.cost, apply=Requests()), accounts=tuple(accounts))


def _not_begun(account: Account, *, complete: bool) -> Account:
    """Return an account to which nothing was applied: everything that was planned remains, if it could be read."""
    errors = tuple(diagnostic for diagnostic in account.diagnostics if diagnostic.severity == "error")
    if errors and not complete and not account.changes:
        return replace(account, unread=errors[0].summary)
    counts = Counter(change.action for change in account.changes)
    left = Remaining(add=counts["add"], update=counts["update"], delete=counts["delete"], errors=errors)
    return replace(account, remaining=left)


def missing_shards(reports: Sequence[Report]) -> list[Shard]:
    """Return the shards that are missing between the reports and a whole run."""
    there = {Shard.parse(report.scope.shard) for report in reports if report.scope.shard is not None}
    return [
        shard
        for of in sorted({shard.of for shard in there})
        for number in range(1, of + 1)
        if (shard := Shard(number, of)) not in there
    ]


def _base(reports: Sequence[Report]) -> Base | None:
    """Return what all reports were compared with; None where that is not the same."""
    bases = [report.base for report in reports if report.base is not None]
    if len(bases) < len(reports) or len({(base.revision, base.commit) for base in bases}) > 1:
        return None
    return replace(bases[0], read=Requests.sum((base.read.requests, base.read.tokens) for base in bases))


def _scope(reports: Sequence[Report], accounts: Sequence[Account]) -> Scope:
    """Return what the reports are limited to together; all shards of a run are limited to what the run was."""
    chosen = {report.scope.accounts for report in reports}
    shards = all(report.scope.shard is not None for report in reports)
    whole = len(chosen) == 1 and shards and not missing_shards(reports)
    names = next(iter(chosen)) if whole else tuple(account.account for account in accounts)
    return Scope(accounts=names, targets=reports[0].scope.targets)
