"""Reports of several shards, or of other runs over different accounts, as one."""

from collections.abc import Sequence
from dataclasses import fields
from itertools import pairwise

from leadstate.model.errors import ReportError
from leadstate.model.plan import combined
from leadstate.model.rollout import Shard
from leadstate.report.document import Account, Cost, Diagnostic, Report, Requests, Scope, Summary


def together(reports: Sequence[Report]) -> Report:
    """One report of everything that several reports are about, as one run would have given it.

    Raises:
        ReportError: they are of different commands or targets, or two are about one account.
    """
    first, *others = reports
    if not others:
        return first
    for other in others:
        if (other.command, other.scope.targets) != (first.command, first.scope.targets):
            hint = "show those together that one command made, with the same --target"
            raise ReportError("the reports are of different commands or targets", hint=hint)
    accounts = sorted((account for report in reports for account in report.accounts), key=lambda report: report.account)
    for account, next_ in pairwise(accounts):
        if account.account == next_.account:
            raise ReportError(f"two of the reports are about the account {account.account}", hint="leave one out")
    diagnostics: dict[Diagnostic, None] = dict.fromkeys(
        diagnostic for report in reports for diagnostic in report.diagnostics
    )
    return Report(
        leadstate_version=first.leadstate_version,
        command=first.command,
        fingerprint=first.fingerprint and combined(account.fingerprint for account in accounts),
        complete=all(report.complete for report in reports),
        applyable=all(report.applyable for report in reports),
        summary=_summary([report.summary for report in reports]),
        cost=Cost(
            read=_requests([report.cost.read for report in reports]),
            apply=_requests([report.cost.apply for report in reports]),
        ),
        scope=_scope(reports, accounts),
        undoes=first.undoes if len({report.undoes for report in reports}) == 1 else None,
        accounts=tuple(accounts),
        diagnostics=tuple(diagnostics),
    )


def missing(reports: Sequence[Report]) -> list[Shard]:
    """The shards that would have to be there too, of all that the reports are parts of."""
    there = {Shard.parse(report.scope.shard) for report in reports if report.scope.shard is not None}
    return [
        shard
        for of in sorted({shard.of for shard in there})
        for number in range(1, of + 1)
        if (shard := Shard(number, of)) not in there
    ]


def _scope(reports: Sequence[Report], accounts: Sequence[Account]) -> Scope:
    """What they are limited to together: nothing, where they are all the shards of what was not limited otherwise."""
    chosen = {report.scope.accounts for report in reports}
    shards = all(report.scope.shard is not None for report in reports)
    whole = len(chosen) == 1 and shards and not missing(reports)
    names = next(iter(chosen)) if whole else tuple(account.account for account in accounts)
    return Scope(accounts=names, targets=reports[0].scope.targets)


def _summary(parts: Sequence[Summary]) -> Summary:
    counts = [field.name for field in fields(Summary)]
    return Summary(**{name: sum(getattr(part, name) for part in parts) for name in counts})


def _requests(parts: Sequence[Requests]) -> Requests:
    return Requests(requests=sum(part.requests for part in parts), tokens=sum(part.tokens for part in parts))
