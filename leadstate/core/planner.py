"""From declared and live state to a plan: match, link, diff, prune, weigh, guard, read top to bottom. Pure."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from leadstate.core.account import Account
from leadstate.core.address import Address, Ref, RemoteRef, Target
from leadstate.core.diagnostics import Diagnostic, Severity, counted
from leadstate.core.diff import added, diff, removed
from leadstate.core.match import Matching, match
from leadstate.core.plan import AccountPlan, Action, Change, Impact, LeftAlone, Reason
from leadstate.core.policy import Prune
from leadstate.core.resource import Attrs, Bindings, Desired, Live, references, settle

MANY_ALIKE = 3
"""Where more labels than these have the colour of a missing one, the colour tells nothing."""


@dataclass(frozen=True, slots=True)
class Observed:
    """What was read of an account.

    Attributes:
        live: the objects that matter, by kind; a kind that was not read is not in it.
        others: how many more objects of a kind were seen that are not ours to touch.
        carriers: ids of the live leads that carry each label; None where leads were not read.
        archived_carriers: the same for archived leads; None where they were not all read.
        unsure: marks that were not found, while part of the archived list was not read.
        pages: how many pages of live leads were read.
        gone: marks of objects that the lock file knows and that do not exist any more.
    """

    live: Mapping[str, Sequence[Live]]
    others: Mapping[str, int] = field(default_factory=dict)
    carriers: Mapping[RemoteRef, Sequence[str]] | None = None
    archived_carriers: Mapping[RemoteRef, Sequence[str]] | None = None
    unsure: frozenset[str] = frozenset()
    pages: int = 0
    gone: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Draft:
    """A plan of one account in the making: what it is about, then what was found."""

    account: Account
    observed: Observed
    today: dt.date
    bindings: Bindings
    names: Mapping[str, str]
    changes: list[Change] = field(default_factory=list)
    left_alone: list[LeftAlone] = field(default_factory=list)
    unchanged: list[Address] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)


def plan_account(
    account: Account,
    observed: Observed,
    order: Sequence[str],
    targets: Sequence[Target] = (),
    *,
    today: dt.date = dt.date.max,
) -> AccountPlan:
    """Plan one account.

    Args:
        account: what is declared.
        observed: what exists.
        order: the kinds, those that others refer to first.
        targets: the objects to plan; none means all. What a target needs comes with it.
        today: the day in UTC, for what is deleted from a day on; unless given, every such day has come.
    """
    matchings = {kind: match(account.of_kind(kind), observed.live.get(kind, ()), account.lock) for kind in order}
    names = {one.remote_id: key for kind in order for key, one in name_undeclared(kind, matchings[kind], account)}
    draft = _Draft(account, observed, today, _bindings(matchings, names), names)
    for kind in order:
        _plan_kind(draft, matchings[kind])
        if others := observed.others.get(kind):
            draft.left_alone.append(LeftAlone(kind, Reason.NOT_OURS, count=others))
    changes = _only(_weigh(_in_order(draft.changes), observed), targets)
    return AccountPlan(
        account=account.name,
        changes=changes,
        left_alone=tuple(
            sorted(
                (one for one in draft.left_alone if _is_meant(Address(account.name, one.kind, one.key or ""), targets)),
                key=lambda one: (one.kind, one.reason, one.key or ""),
            )
        ),
        unchanged=sum(_is_meant(one, targets) for one in draft.unchanged),
        diagnostics=tuple(d for d in draft.diagnostics if _concerns(d, changes, targets)),
        bindings=draft.bindings,
    )


def name_undeclared(kind: str, matching: Matching, account: Account) -> list[tuple[str, Live]]:
    """A key for each live object that no declaration was paired with, its id added where the name is taken."""
    undeclared = sorted(matching.undeclared, key=lambda one: one.remote_id)
    keys = Counter(_known_name(one, account) for one in undeclared)
    used = {one.address.key for one in account.of_kind(kind)}
    named = []
    for one in undeclared:
        key = _known_name(one, account)
        if keys[key] > 1 or key in used:
            key = f"{key}#{one.remote_id}"
        while key in used:
            key += "#"
        used.add(key)
        named.append((key, one))
    return named


def _known_name(one: Live, account: Account) -> str:
    ref = account.locked.get(one.remote_id)
    known = account.names.get(one.remote_id) or (ref.key if ref is not None else None)
    return known or (one.mark.partition(":")[2] if one.mark else one.name) or one.remote_id


def _bindings(matchings: Mapping[str, Matching], names: Mapping[str, str]) -> Bindings:
    bindings = Bindings()
    for kind, matching in matchings.items():
        for desired, live in matching.pairs:
            bindings.bind(desired.address.ref, live.remote_id)
        for one in matching.undeclared:
            bindings.bind(Ref(kind, names[one.remote_id]), one.remote_id)
    return bindings


def _plan_kind(draft: _Draft, matching: Matching) -> None:
    account = draft.account
    draft.diagnostics.extend(matching.diagnostics)
    for desired in matching.missing:
        _plan_missing(draft, desired, matching)
    for desired in matching.gone:
        if not desired.present:
            draft.unchanged.append(desired.address)
            continue
        address = desired.address
        draft.left_alone.append(LeftAlone(address.kind, Reason.GONE, address.key, desired.remote_id, desired.span))
    for desired, live in matching.pairs:
        _plan_pair(draft, desired, live)
    for one in matching.extra:
        key = draft.names[one.remote_id]
        rule = account.policy.prune(one.kind)
        if _is_pruned(one, rule, account):
            address = Address(account.name, one.kind, key)
            draft.changes.append(_delete(address, one, draft.bindings, Reason.NOT_DECLARED))
        else:
            draft.left_alone.append(LeftAlone(one.kind, Reason.NOT_DECLARED, key, one.remote_id))
    for reason, group in ((Reason.PREVIOUS_NAME, matching.shadowed), (Reason.AMBIGUOUS, matching.ambiguous)):
        draft.left_alone.extend(LeftAlone(one.kind, reason, draft.names[one.remote_id], one.remote_id) for one in group)


def _plan_missing(draft: _Draft, desired: Desired, matching: Matching) -> None:
    account, address = draft.account, desired.address
    if not desired.present:
        draft.unchanged.append(address)
    elif desired.mark in draft.observed.gone and desired.leave_gone:
        id_ = account.lock.get(address.ref)
        draft.left_alone.append(LeftAlone(address.kind, Reason.GONE, address.key, id_, desired.span))
    else:
        draft.changes.append(_add(desired))
        if not account.lock:
            draft.diagnostics.extend(_likely_renames(desired, matching.extra))
        if desired.mark in draft.observed.unsure:
            draft.diagnostics.append(_archived_unknown(desired, account.policy.archived_pages))


def _is_pruned(one: Live, rule: Prune, account: Account) -> bool:
    match rule:
        case Prune.NONE:
            return False
        case Prune.OWNED:
            return account.owns(one.mark) and not one.frozen_by
        case Prune.LOCKED:
            return one.remote_id in account.locked
        case Prune.ALL:
            return True


def _likely_renames(desired: Desired, extra: Sequence[Live]) -> Iterator[Diagnostic]:
    """A label that is missing while an undeclared one has its colour may have been renamed in the web app."""
    alike = [one for one in extra if not desired.mark and one.attrs.get("color") == desired.attrs.get("color")]
    if 0 < len(alike) <= MANY_ALIKE:
        names = ", ".join(repr(one.name) for one in alike)
        yield Diagnostic(
            "likely-rename",
            Severity.WARNING,
            f"it is not there, and {names} has its colour: was it renamed in Pipedrive?",
            hint="to keep it and its leads, add its name to `previously`; with a lock file renames are recognised",
            span=desired.span,
            account=desired.address.account,
            address=desired.address,
        )


def _plan_pair(draft: _Draft, desired: Desired, live: Live) -> None:
    address, bindings = desired.address, draft.bindings
    left_alone = LeftAlone(live.kind, Reason.SEED, address.key, live.remote_id, desired.span)
    before = {key: bindings.link(value) for key, value in live.attrs.items()}
    moved = frozenset(one.top for one in diff(before, desired.only_from or {}))
    if moved:
        draft.left_alone.append(replace(left_alone, reason=Reason.CHANGED_SINCE))
    if not desired.present:
        if not moved:
            _plan_absent(draft, desired, live)
        return
    after = {key: settle(value, before.get(key)) for key, value in desired.attrs.items() if key not in moved}
    fields = diff(before, after)
    thaws = any(one.path == live.frozen_by for one in fields)
    if desired.create_only:
        draft.left_alone.append(left_alone)
    elif not fields:
        if not moved:
            draft.unchanged.append(address)
    elif live.frozen_by and not thaws:
        draft.left_alone.append(replace(left_alone, reason=Reason.ARCHIVED))
    else:
        renamed = desired.names and live.name != desired.names[0]
        touched = {one.top for one in fields}
        draft.changes.append(
            Change(
                address,
                Action.UPDATE,
                Reason.RENAMED if renamed else Reason.DIFFERS,
                fields,
                {key: value for key, value in after.items() if key in touched},
                remote_id=live.remote_id,
                thaw_first=thaws,
                span=desired.span,
            )
        )


def _plan_absent(draft: _Draft, desired: Desired, live: Live) -> None:
    if desired.not_before is not None and draft.today.isoformat() < desired.not_before:
        days = (dt.date.fromisoformat(desired.not_before) - draft.today).days
        carriers = draft.observed.carriers
        detail = f"is deleted from {desired.not_before} on, in {counted(days, 'day')}"
        if carriers is not None:
            count = len(carriers.get(RemoteRef(live.kind, live.remote_id), ()))
            detail += f"; {counted(count, 'lead')} {'carries' if count == 1 else 'carry'} it"
        draft.left_alone.append(
            LeftAlone(live.kind, Reason.RETIRING, desired.address.key, live.remote_id, desired.span, detail=detail)
        )
        return
    if desired.moves_to is not None and draft.observed.archived_carriers is None:
        draft.diagnostics.append(_archived_not_counted(desired))
    reason = Reason.MERGED if desired.moves_to else Reason.STATE_ABSENT
    delete = _delete(desired.address, live, draft.bindings, reason)
    draft.changes.append(replace(delete, span=desired.span, moves_to=desired.moves_to))


def _add(desired: Desired) -> Change:
    want: Attrs = {key: settle(value, None) for key, value in desired.attrs.items()}
    return Change(desired.address, Action.ADD, Reason.MISSING, added(want), want, mark=desired.mark, span=desired.span)


def _delete(address: Address, live: Live, bindings: Bindings, reason: Reason) -> Change:
    before = {key: bindings.link(value) for key, value in live.attrs.items()}
    return Change(address, Action.DELETE, reason, removed(before), {}, remote_id=live.remote_id, mark=live.mark)


def _in_order(changes: Iterable[Change]) -> list[Change]:
    """Sorted by address, each with the changes that must come first: what it refers to; for a delete, what lets go."""
    ordered = sorted(changes, key=lambda one: (one.address, one.remote_id or ""))
    adds = {one.address.ref: one.address for one in ordered if one.action is Action.ADD}
    holders: dict[Ref, list[Address]] = {}
    for one in ordered:
        for ref in _lets_go(one):
            holders.setdefault(ref, []).append(one.address)
    return [
        replace(
            one,
            after=(
                *(holders.get(one.address.ref, ()) if one.action is Action.DELETE else ()),
                *sorted(adds[ref] for ref in (_wants(one.want) | references(one.moves_to)) if ref in adds),
            ),
        )
        for one in ordered
    ]


def _wants(want: Attrs) -> frozenset[Ref]:
    return frozenset().union(*(references(value) for value in want.values()))


def _lets_go(change: Change) -> frozenset[Ref]:
    """References that an object has now and will not have after this change."""
    return frozenset().union(*(references(one.before) for one in change.fields)) - _wants(change.want)


def _weigh(changes: Sequence[Change], observed: Observed) -> list[Change]:
    """Put the leads that carry a label beside each change that renames or deletes it.

    For a delete, leads that this plan relabels or deletes first do not count: they will not carry it any more.
    """
    ids = {one.address: one.remote_id for one in changes}
    weighed = []
    for one in changes:
        deletes = one.action is Action.DELETE
        if one.remote_id is None or one.address.kind != "label" or not (deletes or one.reason is Reason.RENAMED):
            weighed.append(one)
            continue
        ref = RemoteRef("label", one.remote_id)
        leaving = {ids[address] for address in one.after} if deletes else set()
        carriers = None if observed.carriers is None else observed.carriers.get(ref, ())
        live = None if carriers is None else tuple(lead for lead in carriers if lead not in leaving)
        archived = None if observed.archived_carriers is None else observed.archived_carriers.get(ref, ())
        impact = Impact(
            leads=None if live is None else len(live),
            archived_leads=None if archived is None else len(archived),
        )
        pages = observed.pages if one.moves_to else 0
        weighed.append(replace(one, impact=impact, carriers=live if deletes else None, pages=pages))
    return weighed


def _only(changes: Sequence[Change], targets: Sequence[Target]) -> tuple[Change, ...]:
    if not targets:
        return tuple(changes)
    needs = {one.address: one.after for one in changes}
    chosen: set[Address] = set()
    ahead = [one.address for one in changes if any(target.selects(one.address) for target in targets)]
    while ahead:
        address = ahead.pop()
        if address not in chosen:
            chosen.add(address)
            ahead.extend(needs[address])
    return tuple(one for one in changes if one.address in chosen)


def _is_meant(address: Address, targets: Sequence[Target]) -> bool:
    return not targets or any(target.selects(address) for target in targets)


def _concerns(finding: Diagnostic, changes: Sequence[Change], targets: Sequence[Target]) -> bool:
    """Whether a finding is about what was targeted."""
    if not targets or finding.address is None:
        return True
    return _is_meant(finding.address, targets) or any(one.address == finding.address for one in changes)


def _archived_not_counted(desired: Desired) -> Diagnostic:
    return Diagnostic(
        "archived-not-counted",
        Severity.WARNING,
        "archived leads that carry it cannot be moved: Pipedrive lets nobody edit them, and they lose the label",
        hint="plan with --impact full to have them counted",
        span=desired.span,
        account=desired.address.account,
        address=desired.address,
    )


def _archived_unknown(desired: Desired, pages: int) -> Diagnostic:
    return Diagnostic(
        "archived-unknown",
        Severity.GUARD,
        f"it may exist among archived leads that were not read (the newest {pages} pages of 500 were)",
        hint="raise policy.archived_pages, or pass --allow archived-unknown to create it",
        span=desired.span,
        account=desired.address.account,
        address=desired.address,
    )
