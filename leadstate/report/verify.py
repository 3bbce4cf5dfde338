"""Whether a stored plan is what leadstate writes, and whether it is still what would be planned.

A reviewer believes what `show` prints of a plan file, and `apply` compares its fingerprint with that of a new plan. So
a fingerprint that is not that of the changes beside it is never accepted.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import urlsplit

from leadstate.kinds import KINDS
from leadstate.model.diagnostics import ReportError, counted
from leadstate.model.plan import combined, fingerprint
from leadstate.model.rollout import Shard
from leadstate.pipedrive.operations import GET_LEAD, UPDATE_LEAD
from leadstate.report.document import Account, Change, Report, Requests
from leadstate.report.formats.json import parse

GROWTH: Final = 10
"""Leads by which an impact may have grown, where a tenth is less."""

GROWTH_TOKENS: Final = GROWTH * (GET_LEAD.tokens + UPDATE_LEAD.tokens)
"""Rate-limit tokens by which a forecast may have grown, where a tenth is less: what so many more leads take."""


def read_stored(text: str) -> Report:
    """Read a stored report, and compare what it says of itself with what its changes say.

    Raises:
        ReportError: the text is not a report, or was edited.
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
    changes = [change for account in report.accounts for change in account.changes]
    totals = Counter(change.action for change in changes)
    if (totals["add"], totals["update"], totals["delete"]) != (summary.add, summary.update, summary.delete):
        yield "its summary does not count its changes"
    if summary.untouched != sum(group.count for account in report.accounts for group in account.untouched):
        yield "its summary does not count what is untouched"
    if report.command == "plan" and report.cost.apply != Requests.of_changes(changes):
        yield "its forecast is not the sum of its calls"
    # Not what was found on reading again after an apply: that did not stand against it.
    found = (report.diagnostics, *(account.diagnostics for account in report.accounts))
    refused = any(diagnostic.severity != "warning" for diagnostics in found for diagnostic in diagnostics)
    if report.applyable and (refused or not report.complete):
        yield "it says that it can be applied, and has errors"


def _account(account: Account) -> Iterator[str]:
    if account.fingerprint != fingerprint(account):
        yield f"the fingerprint of {account.account} is not that of its changes"
    if account.origin is not None and _host(account.origin) != account.company:
        yield f"{account.company!r} is not the host of {account.account}"
    for change in account.changes:
        if change.kind not in KINDS:
            yield f"{change.kind} is not a kind of object"
        elif not change.address.startswith(f"{account.account}/{change.kind}:"):
            yield f"{change.address} is not a {change.kind} of {account.account}"


def _host(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:  # `http://[::1`
        return None


def differences(reviewed: Report, now: Report) -> list[str]:
    """Return what keeps a reviewed plan from being applied, one line for each change or account; none if nothing does.

    Accounts that have an error now are left out: nothing is applied to them, and their error is reported.

    Args:
        reviewed: the stored plan.
        now: a plan of the same scope, made now.
    """
    failed = {account.account for account in now.accounts if _has_error(account)}
    then = {account.account: account for account in reviewed.accounts}
    current = {account.account: account for account in now.accounts}
    found: list[str] = []
    for name in sorted((then.keys() | current.keys()) - failed):
        old, new = then.get(name), current.get(name)
        before, after = ({change.address: change for change in side.changes} if side else {} for side in (old, new))
        if (old and old.fingerprint) != (new and new.fingerprint):
            moved = _moved(old, new)
            found.extend([*moved, *_changed(before, after)] or [f"{name}: the fingerprint is another one"])
        for address in sorted(before.keys() & after.keys()):
            found.extend(f"{address}: {words}" for words in _more_leads(before[address], after[address]))
        tokens, planned = (Requests.of_changes(side.values()).tokens for side in (after, before))
        if _grown(planned, tokens, GROWTH_TOKENS):
            found.append(f"{name}: applying takes {counted(tokens, 'token')}; {planned:,} were reviewed")
    return found


def unreviewed(reviewed: Report) -> frozenset[str]:
    """Return the accounts that a reviewed plan shows an error and no change of: they could not be read, as a rule."""
    return frozenset(account.account for account in reviewed.accounts if not account.changes and _has_error(account))


def _has_error(account: Account) -> bool:
    """Return whether an account has an error, which keeps it from being applied."""
    return any(diagnostic.severity == "error" for diagnostic in account.diagnostics)


def _moved(reviewed: Account | None, now: Account | None) -> Iterator[str]:
    if not (reviewed and now and reviewed.changes and now.changes):
        return  # the plan of an account that could not be read does not know its company
    if (reviewed.origin, reviewed.company_id) != (now.origin, now.company_id):
        yield f"{now.account}: it has another address or company"


def _changed(before: Mapping[str, Change], after: Mapping[str, Change]) -> Iterator[str]:
    for address in sorted(before.keys() | after.keys()):
        old, new = before.get(address), after.get(address)
        if old is None and new is not None:
            yield f"{address}: {new.action} is new"
        elif new is None and old is not None:
            yield f"{address}: {old.action} is no longer planned"
        elif old and new and _work(old) != _work(new):
            yield f"{address}: {old.action} has changed"


def _work(change: Change) -> tuple[object, ...]:
    return change.action, change.reason, change.remote_id, change.marker, change.moves_to, change.fields


def _more_leads(reviewed: Change, now: Change) -> Iterator[str]:
    if reviewed.impact is None or now.impact is None:
        return
    sides = (
        (reviewed.impact.leads, now.impact.leads, "lead"),
        (reviewed.impact.archived_leads, now.impact.archived_leads, "archived lead"),
    )
    for before, after, noun in sides:
        # What was not counted then was accepted as unknown; the guard `in-use` says so.
        if before is not None and after is not None and _grown(before, after, GROWTH):
            yield f"{counted(after, noun)} {'carries' if after == 1 else 'carry'} it; {before:,} did in the review"


def _grown(before: int, after: int, allowed: int) -> bool:
    return after - before > max(before / 10, allowed)
