"""Whether a plan that was reviewed is still the one that would run: what has grown or changed since, in words.

The fingerprint covers the changes. Impact and forecast are not in it, since a busy account changes all day: they may
grow by a tenth, or by what ten leads are (spec section 1, promise 2).
"""

from collections.abc import Iterator, Mapping
from typing import Final

from leadstate.model.diagnostics import counted
from leadstate.pipedrive.operations import GET_LEAD, UPDATE_LEAD
from leadstate.report.document import Account, Change, Report

LEADS: Final = 10
"""Leads by which an impact may have grown, where a tenth is less."""

TOKENS: Final = LEADS * (GET_LEAD.tokens + UPDATE_LEAD.tokens)
"""Rate-limit tokens by which a forecast may have grown, where a tenth is less: what so many more leads take."""


def differences(reviewed: Report, now: Report) -> list[str]:
    """Return what keeps a reviewed plan from being applied, one line for each change or account; none if nothing does.

    Args:
        reviewed: the stored plan.
        now: a plan of the same scope, made now.
    """
    found: list[str] = []
    if reviewed.fingerprint != now.fingerprint:
        found = list(_changed(reviewed, now)) or ["the fingerprint is another one"]
    before, after = _changes(reviewed), _changes(now)
    for address in sorted(before.keys() & after.keys()):
        found.extend(f"{address}: {words}" for words in _more_leads(before[address], after[address]))
    then = {account.account: _tokens(account) for account in reviewed.accounts}
    for account in now.accounts:
        tokens, planned = _tokens(account), then.get(account.account, 0)
        if _grown(planned, tokens, TOKENS):
            found.append(f"{account.account}: applying takes {counted(tokens, 'token')}; {planned:,} were reviewed")
    return found


def _changed(reviewed: Report, now: Report) -> Iterator[str]:
    before, after = _changes(reviewed), _changes(now)
    origins = {account.account: (account.origin, account.company_id) for account in reviewed.accounts}
    for account in now.accounts:
        origin = (account.origin, account.company_id)
        if account.changes and origins.get(account.account, origin) != origin:
            yield f"{account.account}: it has another address or company"
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
        if before is not None and after is not None and _grown(before, after, LEADS):
            yield f"{counted(after, noun)} {'carries' if after == 1 else 'carry'} it; {before:,} did in the review"


def _grown(before: int, after: int, allowed: int) -> bool:
    return after - before > max(before / 10, allowed)


def _tokens(account: Account) -> int:
    return sum(call.tokens * call.count for change in account.changes for call in change.calls)


def _changes(report: Report) -> Mapping[str, Change]:
    return {change.address: change for account in report.accounts for change in account.changes}
