"""In which order changes are made, what waits for what, what each weighs, and what a target brings along."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from leadstate.model.address import Address, Ref, RemoteRef, Target
from leadstate.model.observed import Observed, pages_of
from leadstate.model.plan import Action, Change, Impact, Reason
from leadstate.model.resource import FREEZES, Attrs, Live, Value, references


def in_order(changes: Iterable[Change]) -> list[Change]:
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


def weigh(changes: Sequence[Change], observed: Observed) -> list[Change]:
    """Put the leads that carry a label beside each change that renames or deletes it.

    For a delete, leads that this plan relabels or deletes first do not count: they will not carry it any more. Those
    that it brings back from the archive do.
    """
    ids = {one.address: one.remote_id for one in changes}
    thawed = {one.remote_id for one in changes if one.thaw_first and "labels" not in one.want}
    returning = [one for one in observed.live.get("lead", ()) if one.remote_id in thawed]
    after_all = _pages_after(changes, observed)
    weighed = []
    for one in changes:
        deletes = one.action is Action.DELETE
        if one.remote_id is None or one.address.kind != "label" or not (deletes or one.reason is Reason.RENAMED):
            weighed.append(one)
            continue
        ref = RemoteRef("label", one.remote_id)
        leaving = {ids[address] for address in one.after} if deletes else set()
        back = [lead.remote_id for lead in returning if ref in _held(lead)]
        carriers = None if observed.carriers is None else [*observed.carriers.get(ref, ()), *back]
        live = None if carriers is None else tuple(lead for lead in carriers if lead not in leaving)
        archived = None if observed.archived_carriers is None else observed.archived_carriers.get(ref, ())
        impact = Impact(
            leads=None if live is None else len(live),
            archived_leads=None if archived is None else len(archived),
        )
        weighed.append(
            replace(
                one,
                impact=impact,
                carriers=live if deletes else None,
                archived_carriers=tuple(archived) if deletes and archived else None,
                pages=after_all if one.moves_to else 0,
            )
        )
    return weighed


def _pages_after(changes: Sequence[Change], observed: Observed) -> int:
    """Return how many pages of live leads there are once the leads of this plan are added, deleted and archived."""
    leads = observed.live.get("lead", ())
    archived = {lead.remote_id for lead in leads if lead.frozen_by}
    before = len(leads) - len(archived) + observed.others.get("lead", 0)
    after = before
    for change in changes:
        if change.address.kind == "lead":
            was = change.action is not Action.ADD and change.remote_id not in archived
            stays = change.action is not Action.DELETE and not change.want.get(FREEZES, change.remote_id in archived)
            after += stays - was
    # A server may grant shorter pages than it is asked for.
    return max(1, observed.pages + pages_of(after) - pages_of(before))


def _held(lead: Live) -> tuple[Value, ...]:
    labels = lead.attrs.get("labels")
    return labels if isinstance(labels, tuple) else ()


def only(changes: Sequence[Change], targets: Sequence[Target]) -> tuple[Change, ...]:
    """The changes of the targets and of what they need; all of them where nothing is targeted."""
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
