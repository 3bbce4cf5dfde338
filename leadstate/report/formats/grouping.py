"""Finds what is the same in several accounts, so that people read it once. Pure; every format shows these groups."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from leadstate.model.address import Span
from leadstate.report.document import Account, Change, Diagnostic, FieldChange, Impact, Report
from leadstate.report.formats.wording import local_name, merge_texts, untouched_lines, without_correlation


@dataclass(frozen=True, slots=True)
class ChangeGroup:
    """Equal changes of different accounts.

    Attributes:
        change: what they have in common, as in the first account; its impact is that of all.
        name: the object's address within its account, as `local_name` gives it.
        places: where they are declared, each place once; empty in a rollback, of which the receipt is the only place.
        known: field and id, with a colon between → what is shown in place of the id: `p7@acme.test (7)`, of several
            accounts `p7@acme.test`.
        members: the changes, each with its account.
    """

    change: Change
    name: str
    places: tuple[Span, ...]
    known: Mapping[str, str]
    members: tuple[tuple[Account, Change], ...]


@dataclass(frozen=True, slots=True)
class Block:
    """Accounts that need the same changes, or one account with changes that no other needs.

    Attributes:
        accounts: one, or several.
        groups: the changes, in the order of the first account.
        untouched: what is untouched in the account and why, a line each, where the accounts are shown one by one.
    """

    accounts: tuple[Account, ...]
    groups: tuple[ChangeGroup, ...]
    untouched: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DiagnosticGroup:
    """Diagnostics that say the same of different objects.

    Attributes:
        first: stands for all.
        about: the addresses or accounts concerned, each once.
        sources: the places in the files, each once.
    """

    first: Diagnostic
    about: tuple[str, ...]
    sources: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Grouped:
    """A report as people read it.

    Attributes:
        total: how many accounts the report has.
        blocks: the changes; those of most accounts first.
        unchanged: accounts without changes and errors, unless each account has a block of its own.
        untouched: the same lines for all accounts together, unless each account has a block of its own.
        diagnostics: the diagnostics, in the order of the report.
    """

    total: int
    blocks: tuple[Block, ...]
    unchanged: tuple[Account, ...]
    untouched: tuple[str, ...]
    diagnostics: tuple[DiagnosticGroup, ...]


def group_report(report: Report, *, verbose: bool = False) -> Grouped:
    """Group a report's changes and diagnostics, equal ones together.

    Args:
        report: the document.
        verbose: leave each account, change and diagnostic by itself, in the order of the report.
    """
    accounts = report.accounts
    diagnostics = group_diagnostics(report.all_diagnostics(), apart=verbose)
    if verbose or len(accounts) == 1:
        blocks = [
            Block(
                (account,),
                tuple(group_changes([(account, change)], report) for change in account.changes),
                tuple(untouched_lines((account,))) if account.untouched else (),
            )
            for account in accounts
        ]
        return Grouped(len(accounts), tuple(blocks), (), (), diagnostics)
    unchanged = tuple(
        account
        for account in accounts
        if not account.changes and all(diagnostic.severity == "warning" for diagnostic in account.diagnostics)
    )
    untouched = tuple(untouched_lines(accounts, len(accounts)))
    return Grouped(len(accounts), _blocks(report), unchanged, untouched, diagnostics)


def gravest_first(groups: Iterable[DiagnosticGroup]) -> list[DiagnosticGroup]:
    """Sort diagnostics: errors, guards, then warnings."""
    return sorted(groups, key=lambda group: ("error", "guard", "warning").index(group.first.severity))


def group_changes(members: Sequence[tuple[Account, Change]], report: Report) -> ChangeGroup:
    """Group equal changes of different accounts of a report."""
    account, first = members[0]
    places = () if report.undoes else tuple(dict.fromkeys(change.source for _, change in members if change.source))
    known = {
        f"{field.path}:{given}": f"{name} ({given})" if len(members) == 1 else name
        for field in first.fields
        for given in (field.before, field.after)
        # Each account has an id of its own for what all of them know by one name.
        if account.names and (name := _known_as(account, field, given))
    }
    impacts = [change.impact for _, change in members if change.impact]
    if len(impacts) > 1:
        leads = [impact.leads for impact in impacts if impact.leads is not None]
        archived = [impact.archived_leads for impact in impacts if impact.archived_leads is not None]
        total = Impact(leads=sum(leads) if leads else None, archived_leads=sum(archived) if archived else None)
        first = replace(first, impact=total)
    results = [change.result for _, change in members if change.result]
    if len(results) > 1:
        first = replace(first, result=replace(results[0], detail=merge_texts(result.detail for result in results)))
    return ChangeGroup(first, local_name(account, first.address), places, known, tuple(members))


def group_diagnostics(diagnostics: Iterable[Diagnostic], *, apart: bool = False) -> tuple[DiagnosticGroup, ...]:
    """Group diagnostics that say the same; with `apart` each is a group of its own."""
    equal: dict[object, list[Diagnostic]] = {}
    for number, diagnostic in enumerate(diagnostics):
        words = without_correlation(diagnostic.summary)
        key = number if apart else replace(diagnostic, summary=words, account=None, address=None, source=None)
        equal.setdefault(key, []).append(diagnostic)
    return tuple(
        DiagnosticGroup(
            replace(members[0], summary=merge_texts(member.summary for member in members)),
            tuple(dict.fromkeys(about for member in members if (about := member.address or member.account))),
            tuple(dict.fromkeys(member.source for member in members if member.source)),
        )
        for members in equal.values()
    )


def _blocks(report: Report) -> tuple[Block, ...]:
    equal: dict[tuple[object, int], list[tuple[Account, Change]]] = {}
    for account in report.accounts:
        times: Counter[object] = Counter()
        for change in account.changes:
            key = _key(account, change)
            # The same change twice in one account is two: a group has one of each account.
            equal.setdefault((key, times[key]), []).append((account, change))
            times[key] += 1
    shared: dict[tuple[str, ...], list[ChangeGroup]] = {}
    for members in equal.values():
        names = tuple(account.account for account, _ in members)
        shared.setdefault(names, []).append(group_changes(members, report))
    blocks = (Block(tuple(account for account, _ in groups[0].members), tuple(groups)) for groups in shared.values())
    return tuple(sorted(blocks, key=lambda block: -len(block.accounts)))


def _key(account: Account, change: Change) -> object:
    """Return what changes have in common that are shown as one: everything but ids, markers and requests."""
    fields = [
        (field.path, *(_known_as(account, field, side) or [side] for side in (field.before, field.after)))
        for field in change.fields
    ]
    return (
        change.address.removeprefix(f"{account.account}/"),
        change.action,
        change.reason,
        change.origin,
        change.moves_to,
        json.dumps(fields, sort_keys=True, default=str),
        change.impact and (change.impact.leads is None, change.impact.archived_leads is None),
        change.result and (change.result.status, without_correlation(change.result.detail)),
    )


def _known_as(account: Account, field: FieldChange, given: object) -> str | None:
    return account.names.get(f"{field.path}:{given}") if isinstance(given, int) else None
