"""Finds what is the same in several accounts, so that people read it once. Pure; every format shows these groups."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from leadstate.report.document import Account, Change, Diagnostic, FieldChange, Impact, Report, Source, Untouched


@dataclass(frozen=True, slots=True)
class ChangeGroup:
    """Equal changes of different accounts.

    Attributes:
        change: what they have in common, as in the first account; its impact is that of all.
        places: where they are declared, each place once; none of a rollback, of which the receipt is the only place.
        known: field and id, with a colon between → what is shown in place of the id.
        members: the changes, each with its account.
    """

    change: Change
    places: tuple[Source, ...]
    known: Mapping[str, str]
    members: tuple[tuple[Account, Change], ...]


@dataclass(frozen=True, slots=True)
class UntouchedGroup:
    """Objects that are left for one reason.

    Attributes:
        address: that of one with a story of its own, within its account; None for `count` of a kind.
        kind: their kind.
        reason: why they are left.
        detail: the story.
        count: how many they are.
        named: those that have names, each within its account.
        accounts: where they are.
    """

    address: str | None
    kind: str
    reason: str
    detail: str
    count: int
    named: tuple[str, ...]
    accounts: tuple[Account, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """Accounts that have all of some changes in common, and one account with what is in no other.

    Attributes:
        accounts: one, or several.
        groups: the changes, in the order of the first account.
        untouched: what is left in the account, where the accounts are shown one by one.
    """

    accounts: tuple[Account, ...]
    groups: tuple[ChangeGroup, ...]
    untouched: tuple[UntouchedGroup, ...] = ()


@dataclass(frozen=True, slots=True)
class DiagnosticGroup:
    """Diagnostics that say the same of different objects."""

    members: tuple[Diagnostic, ...]

    @property
    def first(self) -> Diagnostic:
        """One that stands for all."""
        return self.members[0]

    @property
    def about(self) -> list[str]:
        """The addresses or accounts concerned, each once."""
        return list(dict.fromkeys(place for member in self.members if (place := member.address or member.account)))

    @property
    def sources(self) -> list[Source]:
        """The places in the files, each once."""
        return list(dict.fromkeys(member.source for member in self.members if member.source))


@dataclass(frozen=True, slots=True)
class Grouped:
    """A report as people read it.

    Attributes:
        total: how many accounts the report has.
        blocks: the changes; those of most accounts first.
        unchanged: accounts without changes and errors, unless each account has a block of its own.
        untouched: what is left in all accounts, unless each account has a block of its own.
        diagnostics: the diagnostics, in the order of the report.
    """

    total: int
    blocks: tuple[Block, ...]
    unchanged: tuple[Account, ...]
    untouched: tuple[UntouchedGroup, ...]
    diagnostics: tuple[DiagnosticGroup, ...]


def grouped(report: Report, *, verbose: bool = False) -> Grouped:
    """Return a report's changes and diagnostics, equal ones together.

    Args:
        report: the document.
        verbose: leave each account, change and diagnostic by itself, in the order of the report.
    """
    diagnostics = report.all_diagnostics()
    found = tuple(DiagnosticGroup((diagnostic,)) for diagnostic in diagnostics) if verbose else _alike(diagnostics)
    total = len(report.accounts)
    if verbose or total == 1:
        return Grouped(total, tuple(_alone(account, report.undoes) for account in report.accounts), (), (), found)
    unchanged = tuple(
        account
        for account in report.accounts
        if not account.changes and all(diagnostic.severity == "warning" for diagnostic in account.diagnostics)
    )
    return Grouped(total, _blocks(report.accounts, report.undoes), unchanged, _untouched(report.accounts), found)


def _alone(account: Account, undoes: str | None) -> Block:
    groups = tuple(_group([(account, change)], undoes) for change in account.changes)
    return Block((account,), groups, _untouched((account,)))


def _blocks(accounts: Sequence[Account], undoes: str | None) -> tuple[Block, ...]:
    alike: dict[tuple[object, int], list[tuple[Account, Change]]] = {}
    for account in accounts:
        times: Counter[object] = Counter()
        for change in account.changes:
            key = _key(account, change)
            # The same change twice in one account is two: a group has one of each account.
            alike.setdefault((key, times[key]), []).append((account, change))
            times[key] += 1
    shared: dict[tuple[str, ...], list[ChangeGroup]] = {}
    for members in alike.values():
        shared.setdefault(tuple(account.account for account, _ in members), []).append(_group(members, undoes))
    blocks = (Block(tuple(account for account, _ in groups[0].members), tuple(groups)) for groups in shared.values())
    return tuple(sorted(blocks, key=lambda block: -len(block.accounts)))


def _key(account: Account, change: Change) -> object:
    """What two changes have to have in common to be shown as one; ids, markers and requests are not shown."""
    return (
        change.address.removeprefix(f"{account.account}/"),
        change.action,
        change.reason,
        change.origin,
        change.moves_to,
        json.dumps(
            [
                (field.path, *(_known_as(account, field, side) or [side] for side in (field.before, field.after)))
                for field in change.fields
            ],
            sort_keys=True,
            default=str,
        ),
        change.impact and (change.impact.leads is None, change.impact.archived_leads is None),
        change.result and (change.result.status, change.result.detail),
    )


def _group(members: Sequence[tuple[Account, Change]], undoes: str | None) -> ChangeGroup:
    first = members[0][1]
    sources = (change.source for _, change in members if change.source)
    places = () if undoes else tuple(dict.fromkeys(sources))
    if len(members) > 1 and first.impact is not None:
        first = replace(first, impact=_together([change.impact for _, change in members if change.impact]))
    return ChangeGroup(first, places, _known(members), tuple(members))


def single(report: Report, account: Account, change: Change) -> ChangeGroup:
    """Return one change of a report as a group of its own."""
    return _group([(account, change)], report.undoes)


def known_ids(account: Account, change: Change) -> Mapping[str, str]:
    """Return what is shown in place of the ids in a change: `p7@acme.test (7)`."""
    return _known([(account, change)])


def _known(members: Sequence[tuple[Account, Change]]) -> Mapping[str, str]:
    account, first = members[0]
    known: dict[str, str] = {}
    for number, field in enumerate(first.fields) if account.names else ():
        for side in ("before", "after"):
            given = getattr(field, side)
            if name := _known_as(account, field, given):
                # Each account has an id of its own for what all of them know by one name.
                same = all(getattr(change.fields[number], side) == given for _, change in members)
                known[f"{field.path}:{given}"] = f"{name} ({given})" if same else name
    return known


def _known_as(account: Account, field: FieldChange, given: object) -> str | None:
    return account.names.get(f"{field.path}:{given}") if isinstance(given, int) else None


def _together(impacts: Sequence[Impact]) -> Impact:
    leads = [impact.leads for impact in impacts if impact.leads is not None]
    archived = [impact.archived_leads for impact in impacts if impact.archived_leads is not None]
    return Impact(leads=sum(leads) if leads else None, archived_leads=sum(archived) if archived else None)


def _untouched(accounts: Sequence[Account]) -> tuple[UntouchedGroup, ...]:
    """Return what is left: first what has a story of its own, then the rest by kind and reason."""
    alike: dict[tuple[str | None, str, str, str], list[tuple[Account, Untouched]]] = {}
    for account in accounts:
        for left in account.untouched:
            address = (left.address or left.kind).removeprefix(f"{account.account}/") if left.detail else None
            alike.setdefault((address, left.kind, left.reason, left.detail), []).append((account, left))
    groups = [
        UntouchedGroup(
            *key,
            sum(left.count for _, left in members),
            tuple(dict.fromkeys(titled(account, left.address) for account, left in members if left.address)),
            _distinct(account for account, _ in members),
        )
        for key, members in alike.items()
    ]
    return tuple(sorted(groups, key=lambda group: group.address is None))


def titled(account: Account, address: str) -> str:
    """Return an address within its account, with the title of a lead that no key tells."""
    local = address.removeprefix(f"{account.account}/")
    return f'{local} "{account.names[local]}"' if local in account.names else local


def _distinct(accounts: Iterable[Account]) -> tuple[Account, ...]:
    return tuple({account.account: account for account in accounts}.values())


def _alike(diagnostics: Iterable[Diagnostic]) -> tuple[DiagnosticGroup, ...]:
    alike: dict[Diagnostic, list[Diagnostic]] = {}
    for diagnostic in diagnostics:
        alike.setdefault(replace(diagnostic, account=None, address=None, source=None), []).append(diagnostic)
    return tuple(DiagnosticGroup(tuple(members)) for members in alike.values())
