"""In which order changes are made, what waits for what, what each weighs, and what a target brings along."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from leadstate.model.address import Address, Ref, RemoteRef, Target
from leadstate.model.plan import Action, Change, Impact, Reason
from leadstate.model.resource import (
    CARRIED,
    CARRIER,
    CARRIES,
    FREEZES,
    Observed,
    Side,
    Value,
    pages_of,
    references,
)

Thing: TypeAlias = "Ref | tuple[str, Side] | None"
"""An object, or a name with the kind of what has it; None is nothing."""


def order_changes(changes: Iterable[Change]) -> list[Change]:
    """Sort by address; give each change those that must come first.

    These are what it refers to, and what frees what it takes, unless that waits for this change itself: labels that
    swap their names, or a label that takes in one of its name.
    """
    ordered = sorted(changes, key=lambda change: (change.address, change.remote_id or ""))
    adds = {change.address.ref: change.address for change in ordered if change.action is Action.ADD}
    after = {
        change.address: sorted(
            adds[ref] for ref in references(change.want) | references(change.moves_to) if ref in adds
        )
        for change in ordered
    }
    freeing = _freeing(ordered)
    # Deletes first: what still refers to an object matters more than a name that two have for a moment.
    for change in sorted(ordered, key=lambda change: change.action is not Action.DELETE):
        for other in freeing.get(_taken(change), ()):
            if change.address not in _needed([other], after):
                after[change.address].append(other)
    return [replace(change, after=tuple(first)) if (first := after[change.address]) else change for change in ordered]


def _taken(change: Change) -> Thing:
    """Return what has to be free for a change: the object that it deletes, or the name that it gives to one."""
    if change.action is Action.DELETE:
        return change.address.ref
    return next(((change.address.kind, field.after) for field in change.fields if field.path == "name"), None)


def _freeing(changes: Iterable[Change]) -> Mapping[Thing, Sequence[Address]]:
    """Return the changes that free each object or name: after them nothing refers to it, or is called so."""
    freeing: dict[Thing, list[Address]] = {}
    for change in changes:
        had = frozenset().union(*(references(field.before) for field in change.fields))
        freed: list[Thing] = [*(had - references(change.want))]
        freed += [(change.address.kind, field.before) for field in change.fields if field.path == "name"]
        for thing in freed:
            freeing.setdefault(thing, []).append(change.address)
    return freeing


def _needed(addresses: Iterable[Address], needs: Mapping[Address, Iterable[Address]]) -> set[Address]:
    """Return addresses and all that they need, and so on."""
    found: set[Address] = set()
    ahead = list(addresses)
    while ahead:
        address = ahead.pop()
        if address not in found:
            found.add(address)
            ahead.extend(needs[address])
    return found


def weigh(changes: Sequence[Change], observed: Observed) -> list[Change]:
    """Put the leads that carry a label beside each change that renames or deletes it.

    For a delete, leads that this plan relabels or deletes first do not count: they will not carry it any more. Those
    that it brings back from the archive do.
    """
    carried = [
        change
        for change in changes
        if change.address.kind == CARRIED and (change.action is Action.DELETE or change.reason is Reason.RENAMED)
    ]
    if not carried:
        return list(changes)
    ids = {change.address: change.remote_id for change in changes}
    thawed = {change.remote_id: change for change in changes if change.thaw_first}
    returning: dict[str, tuple[Value, ...]] = {}
    for lead in observed.live.get(CARRIER, ()):
        if lead.remote_id in thawed:
            labels = thawed[lead.remote_id].want.get(CARRIES, lead.attrs.get(CARRIES))
            returning[lead.remote_id] = labels if isinstance(labels, tuple) else ()
    pages = _pages_after(changes, observed) if any(change.moves_to for change in changes) else 0
    weighed = {}
    for change in carried:
        deletes = change.action is Action.DELETE
        ref = RemoteRef(CARRIED, change.remote_id or "")
        leaving = {ids[address] for address in change.after} if deletes else set()
        live = archived = filters = None
        if observed.carriers is not None:
            back = [lead for lead, labels in returning.items() if ref in labels or change.address.ref in labels]
            live = tuple(lead for lead in (*observed.carriers.get(ref, ()), *back) if lead not in leaving)
        if observed.archived_carriers is not None:
            archived = tuple(observed.archived_carriers.get(ref, ()))
        if observed.filters is not None and deletes:
            filters = tuple(saved.name for saved in observed.filters.get(ref, ()))
        impact = Impact(
            leads=None if live is None else len(live),
            archived_leads=None if archived is None else len(archived),
            filters=filters,
        )
        weighed[change.address] = replace(
            change,
            impact=impact,
            carriers=live if deletes else None,
            archived_carriers=(archived or None) if deletes else None,
            pages=pages if change.moves_to else 0,
        )
    return [weighed.get(change.address, change) for change in changes]


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


def dependents(changes: Sequence[Change], declined: Collection[Address]) -> dict[Address, Address]:
    """Return each change that cannot be made without a declined one, and the one that it needs.

    Besides what must come first, a change needs the one that gives up the name it takes also where that comes later:
    otherwise two objects would have it. What moves the leads of a label needs the change that brings one of them back
    from the archive.
    """
    freeing = _freeing(changes)
    thawed = {change.remote_id: change.address for change in changes if change.thaw_first}
    needs: dict[Address, Sequence[Address]] = {
        change.address: (
            *change.after,
            *freeing.get(_taken(change), ()),
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


def select_targets(changes: Sequence[Change], targets: Sequence[Target]) -> list[Change]:
    """Return the changes of the targets and of what they need."""
    needs = {change.address: change.after for change in changes}
    chosen = _needed((address for address in needs if any(target.selects(address) for target in targets)), needs)
    return [change for change in changes if change.address in chosen]
