"""In which order changes are made, what waits for what, what each weighs, and what a target brings along."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Literal

from leadstate.model.address import Address, Ref, RemoteRef, Target
from leadstate.model.plan import Action, Change, Impact, Reason
from leadstate.model.resource import (
    CARRIED,
    CARRIER,
    CARRIES,
    FREEZES,
    Attrs,
    Live,
    Observed,
    Value,
    pages_of,
    references,
)


def in_order(changes: Iterable[Change]) -> list[Change]:
    """Sorted by address, each with the changes that must come first: what it refers to; for a delete, what lets go."""
    ordered = sorted(changes, key=lambda change: (change.address, change.remote_id or ""))
    adds = {change.address.ref: change.address for change in ordered if change.action is Action.ADD}
    holders: dict[Ref, list[Address]] = {}
    for change in ordered:
        for ref in _lets_go(change):
            holders.setdefault(ref, []).append(change.address)
    return [
        replace(
            change,
            after=(
                *(holders.get(change.address.ref, ()) if change.action is Action.DELETE else ()),
                *sorted(adds[ref] for ref in (_wants(change.want) | references(change.moves_to)) if ref in adds),
            ),
        )
        for change in ordered
    ]


def _wants(want: Attrs) -> frozenset[Ref]:
    return frozenset().union(*(references(value) for value in want.values()))


def _lets_go(change: Change) -> frozenset[Ref]:
    """References that an object has now and will not have after this change."""
    return frozenset().union(*(references(field.before) for field in change.fields)) - _wants(change.want)


def weigh(changes: Sequence[Change], observed: Observed) -> list[Change]:
    """Put the leads that carry a label beside each change that renames or deletes it.

    For a delete, leads that this plan relabels or deletes first do not count: they will not carry it any more. Those
    that it brings back from the archive do.
    """
    ids = {change.address: change.remote_id for change in changes}
    thawed = {change.remote_id: change for change in changes if change.thaw_first}
    returning = {
        lead.remote_id: thawed[lead.remote_id].want.get(CARRIES, _held(lead))
        for lead in observed.live.get(CARRIER, ())
        if lead.remote_id in thawed
    }
    after_all = _pages_after(changes, observed)
    weighed = []
    for change in changes:
        deletes = change.action is Action.DELETE
        if (
            change.remote_id is None
            or change.address.kind != CARRIED
            or not (deletes or change.reason is Reason.RENAMED)
        ):
            weighed.append(change)
            continue
        ref = RemoteRef(CARRIED, change.remote_id)
        leaving = {ids[address] for address in change.after} if deletes else set()
        back = [lead for lead, labels in returning.items() if _holds(labels, ref, change.address.ref)]
        carriers = None if observed.carriers is None else [*observed.carriers.get(ref, ()), *back]
        live = None if carriers is None else tuple(lead for lead in carriers if lead not in leaving)
        archived = None if observed.archived_carriers is None else observed.archived_carriers.get(ref, ())
        impact = Impact(
            leads=None if live is None else len(live),
            archived_leads=None if archived is None else len(archived),
            filters=_filters(observed, ref) if deletes else None,
        )
        weighed.append(
            replace(
                change,
                impact=impact,
                carriers=live if deletes else None,
                archived_carriers=tuple(archived) if deletes and archived else None,
                pages=after_all if change.moves_to else 0,
            )
        )
    return weighed


def _filters(observed: Observed, label: RemoteRef) -> tuple[str, ...] | None:
    """Return the names of saved filters that name a label; None where filters were not read."""
    return None if observed.filters is None else tuple(saved.name for saved in observed.filters.get(label, ()))


def _pages_after(changes: Sequence[Change], observed: Observed) -> int:
    """Return how many pages of live leads there are once the leads of this plan are added, deleted and archived."""
    leads = observed.live.get(CARRIER, ())
    archived = {lead.remote_id for lead in leads if lead.frozen_by}
    before = len(leads) - len(archived) + observed.others.get(CARRIER, 0)
    after = before
    for change in changes:
        if change.address.kind == CARRIER:
            was = change.action is not Action.ADD and change.remote_id not in archived
            stays = change.action is not Action.DELETE and not change.want.get(FREEZES, change.remote_id in archived)
            after += stays - was
    # A server may grant shorter pages than it is asked for.
    return max(1, observed.pages + pages_of(after) - pages_of(before))


def _holds(labels: Value, *forms: Ref | RemoteRef) -> bool:
    """Return whether a list of labels holds a label in one of its forms."""
    return isinstance(labels, tuple) and any(form in labels for form in forms)


def _held(lead: Live) -> tuple[Value, ...]:
    labels = lead.attrs.get(CARRIES)
    return labels if isinstance(labels, tuple) else ()


def dependents(changes: Sequence[Change], declined: Collection[Address]) -> dict[Address, Address]:
    """Return each change that cannot be made without a declined one, and the one that it needs.

    Besides what must come first, a change needs the one that gives up the name it takes: otherwise two objects would
    bear it. What moves the leads of a label needs the change that brings one of them back from the archive.
    """
    if not declined:
        return {}
    leaving = {(change.address.kind, name): change.address for change in changes if (name := _name(change, "before"))}
    thawed = {change.remote_id: change.address for change in changes if change.thaw_first}
    needs: dict[Address, Sequence[Address | None]] = {
        change.address: (
            *change.after,
            leaving.get((change.address.kind, _name(change, "after"))),
            *(thawed[lead] for lead in change.carriers or () if lead in thawed),
        )
        for change in changes
    }
    left_out = set(declined)
    found: dict[Address, Address] = {}
    while more := {
        address: obstacle
        for address, needed in needs.items()
        if address not in left_out and (obstacle := next((a for a in needed if a in left_out), None)) is not None
    }:
        found |= more
        left_out |= more.keys()
    return found


def _name(change: Change, side: Literal["before", "after"]) -> str:
    """Return the name that a change takes from an object or gives to one; empty where it does not."""
    sides = (getattr(field, side) for field in change.fields if field.path == "name")
    return next((name for name in sides if isinstance(name, str)), "")


def only(changes: Sequence[Change], targets: Sequence[Target]) -> tuple[Change, ...]:
    """The changes of the targets and of what they need; all of them where nothing is targeted."""
    if not targets:
        return tuple(changes)
    needs = {change.address: change.after for change in changes}
    chosen: set[Address] = set()
    ahead = [change.address for change in changes if any(target.selects(change.address) for target in targets)]
    while ahead:
        address = ahead.pop()
        if address not in chosen:
            chosen.add(address)
            ahead.extend(needs[address])
    return tuple(change for change in changes if change.address in chosen)
