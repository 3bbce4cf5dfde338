"""Reports of several shards, or of other runs over different accounts, as one."""

from collections.abc import Sequence
from dataclasses import fields
from itertools import pairwise

from leadstate.model.errors import ReportError
from leadstate.model.plan import combined
from leadstate.model.rollout import Shard
from leadstate.report.document import Account, Cost, Finding, Report, Requests, Scope, Summary


def together(reports: Sequence[Report]) -> Report:
    """One report of everything that several reports are about, as one run would have given it.

    Raises:
        ReportError: they are of different commands or targets, or two are about one account.
    """
    first, *others = reports
    if not others:
        return first
    for one in others:
        if (one.command, one.scope.targets) != (first.command, first.scope.targets):
            hint = "show those together that one command made, with the same --target"
            raise ReportError("the reports are of different commands or targets", hint=hint)
    accounts = sorted((account for one in reports for account in one.accounts), key=lambda one: one.account)
    for account, next_ in pairwise(accounts):
        if account.account == next_.account:
            raise ReportError(f"two of the reports are about the account {account.account}", hint="leave one out")
    findings: dict[Finding, None] = dict.fromkeys(finding for one in reports for finding in one.diagnostics)
    return Report(
        leadstate_version=first.leadstate_version,
        command=first.command,
        fingerprint=first.fingerprint and combined(one.fingerprint for one in accounts),
        complete=all(one.complete for one in reports),
        applyable=all(one.applyable for one in reports),
        summary=_summary([one.summary for one in reports]),
        cost=Cost(
            read=_requests([one.cost.read for one in reports]), apply=_requests([one.cost.apply for one in reports])
        ),
        scope=_scope(reports, accounts),
        accounts=tuple(accounts),
        diagnostics=tuple(findings),
    )


def missing(reports: Sequence[Report]) -> list[Shard]:
    """The shards that would have to be there too, of all that the reports are parts of."""
    there = {Shard.parse(one.scope.shard) for one in reports if one.scope.shard is not None}
    return [
        shard
        for of in sorted({one.of for one in there})
        for number in range(1, of + 1)
        if (shard := Shard(number, of)) not in there
    ]


def _scope(reports: Sequence[Report], accounts: Sequence[Account]) -> Scope:
    """What they are limited to together: nothing, where they are all the shards of what was not limited otherwise."""
    chosen = {one.scope.accounts for one in reports}
    shards = all(one.scope.shard is not None for one in reports)
    whole = len(chosen) == 1 and shards and not missing(reports)
    names = next(iter(chosen)) if whole else tuple(one.account for one in accounts)
    return Scope(accounts=names, targets=reports[0].scope.targets)


def _summary(parts: Sequence[Summary]) -> Summary:
    counts = [one.name for one in fields(Summary)]
    return Summary(**{name: sum(getattr(one, name) for one in parts) for name in counts})


def _requests(parts: Sequence[Requests]) -> Requests:
    return Requests(requests=sum(one.requests for one in parts), tokens=sum(one.tokens for one in parts))
