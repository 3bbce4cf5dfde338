"""From what an apply has touched and what is there now to the plan that undoes it. Pure.

Every object is known by its id. An attribute goes back to its value before the run only where it still has the value
that the run gave it. Whether a lead carries a label is a value of its own, so a label that somebody gave a lead since
stays on it.

This is not the planner with the receipt for a configuration: what goes back depends on what the run left and what is
there now, value by value, and a label that is gone may have got a successor meanwhile.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from leadstate.model.account import Account
from leadstate.model.address import Address, Ref, RemoteRef, Span, Target
from leadstate.model.plan import AccountPlan, AccountReceipt, Action, Reason, Touch, Untouched
from leadstate.model.resource import CARRIED, CARRIER, CARRIES, FREEZES, Attrs, Bindings, Live, Observed, Value
from leadstate.reconcile.changed import Changed, Name, compose, labels_in
from leadstate.reconcile.dependencies import in_order, weigh
from leadstate.reconcile.diff import add, delete, diff, update
from leadstate.reconcile.guards import archived_unknown
from leadstate.reconcile.planner import Draft


def plan_restore(
    account: Account, receipt: AccountReceipt, observed: Observed, targets: Sequence[Target] = ()
) -> AccountPlan:
    """Plan the rollback of one apply.

    Args:
        account: what the configuration says of the account; what it declares does not matter here.
        receipt: what the apply has touched.
        observed: all labels, and the touched leads as far as they exist.
        targets: the objects to roll back; none means all. A label comes back on its leads, a lead with its labels.
    """
    draft = _Draft(account, observed, Bindings(observed.fields), receipt=receipt)
    draft.limit_to(targets)
    for kind in sorted({*observed.live, *(touch.kind for touch in receipt.touched)} - {CARRIER}):
        draft.plan_named(kind)
    draft.plan_carriers()
    draft.keep_carried_labels()
    draft.report_unclear_creates(receipt, targets)
    return draft.plan(weigh(in_order(draft.changes), observed), {**receipt.names, **draft.titles})


def with_ids(receipt: AccountReceipt, observed: Observed) -> tuple[Touch, ...]:
    """Return the touches of objects whose ids are known.

    An object whose creation was not answered, since the run was killed, is looked for: a lead by its marker, a label by
    name and colour among those that did not exist before the run. What is not exactly one counts as not created.
    """
    found = []
    for touch in receipt.touched:
        if touch.remote_id is not None:
            found.append(touch)
        elif len(made := _created(touch, receipt, observed)) == 1:
            found.append(replace(touch, remote_id=made[0].remote_id))
    return tuple(found)


def _created(touch: Touch, receipt: AccountReceipt, observed: Observed) -> list[Live]:
    """Return the live objects that a create without an answer may have made."""
    known = {(other.kind, other.remote_id) for other in receipt.touched}
    live = (there for there in observed.live.get(touch.kind, ()) if (there.kind, there.remote_id) not in known)
    if touch.kind == CARRIER:
        return [there for there in live if touch.marker is not None and there.marker == touch.marker]
    return [there for there in live if there.remote_id not in receipt.labels and there.attrs == touch.after]


def with_successors(receipt: AccountReceipt, observed: Observed, lock: Mapping[Ref, str]) -> AccountReceipt:
    """Return a receipt in which each label that was deleted after the run has the id under which it exists again.

    The rollback of a later run, or a person, has created it again: the one label of its name that the run did not know.
    Where several labels of one name are gone or have come, nothing tells which is which, and the ids stay. One with the
    name of a label that the run deleted may be that label, back: then it stands for none that the run added, and for
    none whose former name is back, too.
    """
    new = _successors(receipt, observed, lock)

    def follow(attrs: Attrs | None) -> Attrs | None:
        if attrs is None or CARRIES not in attrs:
            return attrs
        return {**attrs, CARRIES: tuple(replace(label, id=new.get(label.id, label.id)) for label in labels_in(attrs))}

    touched = tuple(
        replace(touch, remote_id=new.get(touch.remote_id or "", touch.remote_id))
        if touch.kind == CARRIED
        else replace(touch, before=follow(touch.before), after=follow(touch.after))
        for touch in receipt.touched
    )
    labels = {new.get(remote_id, remote_id): name for remote_id, name in receipt.labels.items()}
    return replace(receipt, touched=touched, labels=labels)


def _successors(receipt: AccountReceipt, observed: Observed, lock: Mapping[Ref, str]) -> dict[str, str]:
    """Return the ids of labels that were deleted after a run, with the ids under which they exist again."""
    labels = [changed for changed in compose(receipt.touched) if changed.kind == CARRIED]
    renamed = {label.remote_id: str(label.after["name"][-1]) for label in labels if "name" in label.after}
    deleted = {label.remote_id: label.before.get("name") for label in labels if not label.exists}
    added = {label.remote_id for label in labels if not label.existed}
    known = {**receipt.labels, **renamed}
    live = {label.remote_id: label.name for label in observed.live.get(CARRIED, ())}
    there = live.keys() | {label.remote_id for label in observed.ignored.get(CARRIED, ())}
    # When an account is read again after a rollback, the lock knows what that has created.
    restored = {lock.get(Ref(CARRIED, label.key)) for label in labels if not label.exists and label.key}
    come = defaultdict(list)
    for remote_id in live.keys() - known.keys() - restored:
        come[live[remote_id]].append(remote_id)
    gone = defaultdict(list)
    for remote_id in known.keys() - there - deleted.keys():
        name, former = known[remote_id], receipt.labels.get(remote_id)
        if name not in deleted.values():
            gone[name].append(remote_id)
        elif remote_id not in added:
            gone[former if former is not None and former in come else name].append(remote_id)
    return {ids[0]: come[name][0] for name, ids in gone.items() if len(ids) == len(come[name]) == 1}


@dataclass(slots=True)
class _Draft(Draft):
    receipt: AccountReceipt = field(kw_only=True)
    titles: dict[str, str] = field(default_factory=dict)
    """What people call the leads that no key tells."""
    _span: Span = field(init=False)
    _changed: list[Changed] = field(init=False)
    _keys: dict[tuple[str, str], str] = field(default_factory=dict)
    _stand_for: dict[RemoteRef, Ref] = field(default_factory=dict)
    """A label that the run deleted → the label that takes its place."""

    def __post_init__(self) -> None:
        self._span = Span(self.receipt.file, 1, 1)
        found = replace(self.receipt, touched=with_ids(self.receipt, self.observed))
        self.receipt = with_successors(found, self.observed, self.account.lock)
        self._changed = compose(self.receipt.touched)
        known = {(changed.kind, changed.remote_id): changed for changed in self._changed}
        there = {(live.kind, live.remote_id): live for listed in self.observed.live.values() for live in listed}
        keys = {identity: changed.key for identity, changed in known.items()}
        used: set[tuple[str, str]] = set()
        # Keys of the plan first: no other object may take one of them.
        for kind, remote_id in sorted(dict.fromkeys((*known, *there)), key=lambda identity: not keys.get(identity)):
            live = there.get((kind, remote_id))
            key = keys.get((kind, remote_id)) or _name(live, remote_id)
            while (kind, key) in used:
                key = f"{key}#{remote_id}"
            used.add((kind, key))
            self._keys[kind, remote_id] = key
            if live is not None:
                self.bindings.bind(Ref(kind, key), remote_id)
            if kind == CARRIER and key in {remote_id, f"#{remote_id}"}:
                title = known[kind, remote_id].before.get("title") if live is None else live.name
                if title is not None:
                    self.titles[f"{kind}:{key}"] = str(title)

    def limit_to(self, targets: Sequence[Target]) -> None:
        """Leave out what the targets do not need: of other leads all but the labels that are targets."""
        if not targets:
            return
        chosen = [
            changed for changed in self._changed if any(target.selects(self._address(changed)) for target in targets)
        ]
        ids = {(changed.kind, changed.remote_id) for changed in chosen}
        labels = {RemoteRef(kind, remote_id) for kind, remote_id in ids if kind == CARRIED}
        needed = {(CARRIED, label.id) for changed in chosen for label in changed.lost}
        kept = []
        for changed in self._changed:
            identity = changed.kind, changed.remote_id
            if identity in ids or (identity in needed and not changed.exists):
                kept.append(changed)
            elif changed.existed and changed.exists and not labels.isdisjoint(changed.relabelled):
                kept.append(changed.only(labels))
        self._changed = kept

    def plan_named(self, kind: str) -> None:
        """Plan objects identified by name: those that were added, then those that were changed, then those deleted."""
        live = {there.remote_id: there for there in self.observed.live.get(kind, ())}
        names = {there.remote_id: there.name for there in live.values()}
        ours = []
        for changed in self._changed:
            if changed.kind == kind and self._is_ignored(changed):
                self._leave(changed, Reason.IGNORED)
            elif changed.kind == kind:
                ours.append(changed)
        new = [changed for changed in ours if not changed.existed and changed.exists]
        for changed in new:
            if self._remove(changed, live.get(changed.remote_id)):
                del names[changed.remote_id]
        updated = [changed for changed in ours if changed.existed and changed.exists]
        regained = self._regain_names(updated, live, names)
        for changed in updated:
            self._update(changed, live.get(changed.remote_id), keeps_name=changed.remote_id not in regained)
        made = {changed.remote_id for changed in new}
        for changed in ours:
            if changed.existed and not changed.exists:
                self._recreate_named(changed, live, names, made)

    def plan_carriers(self) -> None:
        """Plan leads; labels were planned before, for leads refer to them."""
        live = {lead.remote_id: lead for lead in self.observed.live.get(CARRIER, ())}
        marked: defaultdict[str | None, list[Live]] = defaultdict(list)
        for lead in live.values():
            marked[lead.marker].append(lead)
        successors: set[str] = set()
        for changed in self._changed:
            there = live.get(changed.remote_id)
            if changed.kind != CARRIER or not (changed.existed or changed.exists):
                continue
            if not changed.existed:
                self._remove(changed, there)
            elif changed.exists:
                self._update(changed, there)
            elif there is not None:
                self.unchanged.append(self._address(changed))
            elif not self.account.owns(changed.marker):
                self._leave(changed, Reason.NOT_OURS)
            elif (successor := self._successor(changed, marked[changed.marker], successors)) is not None:
                successors.add(successor)
                self.unchanged.append(self._address(changed))
            elif marked[changed.marker]:
                self._leave(changed, Reason.DUPLICATE)
            else:
                self._recreate_lead(changed)

    def _successor(self, deleted: Changed, marked: Iterable[Live], taken: Collection[str]) -> str | None:
        """Return which lead of its marker stands for a deleted one; each stands for one.

        It was created after the run, which did not know it. An archived lead may be older, for a run seldom reads the
        archive, so it stands for one that was archived only.
        """
        archived = deleted.before.get(FREEZES) is True
        fitting = (
            lead.remote_id
            for lead in marked
            if lead.remote_id not in self.receipt.leads and (archived or lead.frozen_by is None)
        )
        return next((remote_id for remote_id in fitting if remote_id not in taken), None)

    def keep_carried_labels(self) -> None:
        """Keep an added label that leads would lose: somebody gave it to them since, or nobody can edit them."""
        updated = {change.remote_id for change in self.changes}
        frozen = {
            label.id
            for lead in self.observed.live.get(CARRIER, ())
            if lead.frozen_by is not None and lead.remote_id not in updated
            for label in labels_in(lead.attrs)
        }
        carried = {
            change.address
            for change in weigh(in_order(self.changes), self.observed)
            if change.carriers or (change.action is Action.DELETE and change.remote_id in frozen)
        }
        for change in self.changes:
            if change.address in carried:
                key, remote_id = change.address.key, change.remote_id
                self.untouched.append(Untouched(CARRIED, Reason.CHANGED_SINCE, key, remote_id, self._span))
        self.changes = [change for change in self.changes if change.address not in carried]

    def report_unclear_creates(self, receipt: AccountReceipt, targets: Sequence[Target]) -> None:
        """Report what the run may have created where several objects could be it: none of them is deleted."""
        for touch in receipt.touched:
            if touch.remote_id is None and touch.key is not None and len(_created(touch, receipt, self.observed)) > 1:
                address = Address(self.account.name, touch.kind, touch.key)
                words = f"stays: several {touch.kind}s could be the one that the run created"
                if not targets or any(target.selects(address) for target in targets):
                    self.untouched.append(
                        Untouched(touch.kind, Reason.AMBIGUOUS, touch.key, None, self._span, detail=words)
                    )

    def _is_ignored(self, changed: Changed) -> bool:
        """Return whether an object is ignored, or would be if it were created again or got its name back."""
        there = {live.remote_id for live in self.observed.ignored.get(changed.kind, ())}
        name = changed.before.get("name")
        return changed.remote_id in there or (isinstance(name, str) and self.account.policy.ignores(changed.kind, name))

    def _remove(self, changed: Changed, live: Live | None) -> bool:
        """Plan an object that the run created; return whether it is deleted."""
        if live is None:
            self.unchanged.append(self._address(changed))
        elif live.kind == CARRIER and not self.account.owns(live.marker):
            self._leave(changed, Reason.NOT_OURS)
        elif self.account.policy.protects(live.kind, live.name):
            self._leave(changed, Reason.PROTECTED)
        elif not changed.may_have_left(self._now(changed, live), live.custom):
            self._leave(changed, Reason.CHANGED_SINCE)
        else:
            address = self._address(changed)
            self.changes.append(delete(address, live, self.bindings, Reason.UNDONE, self._span))
            return True
        return False

    def _now(self, changed: Changed, live: Live) -> dict[Name, Value]:
        """Return the values that a live object has in the form in which `changed` holds them."""
        now: dict[Name, Value] = {name: False for name in changed.after if isinstance(name, RemoteRef)}
        now.update(self.bindings.attrs(live).items())
        now.update(live.attrs.items())
        now.update((label, True) for label in labels_in(live.attrs))
        return now

    def _regain_names(self, updated: list[Changed], live: Mapping[str, Live], names: dict[str, str]) -> set[str]:
        """Return which labels get their name of before the run, and put it into `names`.

        Two labels of one name are more than anybody asked for: a name that another label took since stays with that.
        All are looked at together, for the run may have passed a name on from label to label.
        """
        wanted = {
            changed.remote_id: str(want["name"])
            for changed in updated
            if changed.remote_id in live and "name" in (want := self._back(changed, live[changed.remote_id])[0])
        }
        names |= wanted
        # A name is taken if a label that did not have it before the run has it now.
        while taken := [
            id_
            for id_, name in wanted.items()
            if any(
                other == name and self.receipt.labels.get(other_id) != name
                for other_id, other in names.items()
                if other_id != id_
            )
        ]:
            names[taken[0]] = live[taken[0]].name
            del wanted[taken[0]]
        return set(wanted)

    def _back(self, changed: Changed, live: Live) -> tuple[dict[Name, Value], bool]:
        """Return what goes back to its value before the run, and whether anything has got a third value since.

        A label of a lead that is ignored by now stays as it is.
        """
        ignored = self._ignored_labels()
        now = self._now(changed, live)
        differing = {
            name: before
            for name, before in changed.before.items()
            if name in changed.after and now.get(name) != before and name not in ignored
        }
        want = {name: before for name, before in differing.items() if now.get(name) in changed.after[name]}
        return want, want.keys() != differing.keys()

    def _update(self, changed: Changed, live: Live | None, *, keeps_name: bool = False) -> None:
        """Plan an object that existed before the run and after it."""
        if live is None:
            self._leave(changed, Reason.GONE)
            return
        back, moved = self._back(changed, live)
        want = {name: value for name, value in back.items() if isinstance(name, str)}
        if keeps_name and want.pop("name", None) is not None:
            moved = True
        known = self.account.owns(live.marker) or self.account.remembers(CARRIER, live.remote_id)
        if want and live.kind == CARRIER and not known:
            # More than labels is not written: a receipt that was edited must not overwrite the leads of others.
            self._leave(changed, Reason.NOT_OURS)
            want = {}
        if live.kind == CARRIER:
            labels, whole = self._labels_back(live, back)
            moved = moved or not whole
            if labels != self.bindings.link(live.attrs[CARRIES]):
                want[CARRIES] = labels
        thaws = live.frozen_by is not None and want.get(FREEZES) is False
        if want and live.frozen_by is not None and not thaws:
            self._leave(changed, Reason.ARCHIVED)
            return
        if moved:
            self._leave(changed, Reason.CHANGED_SINCE)
        fields = diff(self.bindings.attrs(live), want)
        if fields:
            reason = Reason.RENAMED if "name" in want else Reason.DIFFERS
            self.changes.append(update(self._address(changed), live, fields, want, reason, span=self._span))
        elif not moved:
            self.unchanged.append(self._address(changed))

    def _labels_back(self, live: Live, back: Mapping[Name, Value]) -> tuple[tuple[Value, ...], bool]:
        """Return the labels that a lead gets, and whether all that it lost exist.

        Where one of them does not, what the run gave it in their place stays: it is left with no fewer labels.
        """
        returning = [self._label(label) for label, had in back.items() if isinstance(label, RemoteRef) and had]
        whole = None not in returning
        stay = [
            self._label(label) or label for label in labels_in(live.attrs) if not whole or back.get(label) is not False
        ]
        return tuple(sorted({*stay, *filter(None, returning)}, key=str)), whole

    def _recreate_named(
        self, changed: Changed, live: Mapping[str, Live], names: dict[str, str], made: set[str]
    ) -> None:
        """Plan a label that the run deleted, or let one of its name that nobody else stands for take its place."""
        if changed.remote_id in live:
            self.unchanged.append(self._address(changed))
            return
        name = changed.before["name"]
        there = [
            id_
            for id_, other in names.items()
            if other == name and self.receipt.labels.get(id_) != name and id_ not in made
        ]
        deleted = RemoteRef(changed.kind, changed.remote_id)
        if there:
            # Labels of one name and colour are told apart by the leads that carry them.
            stands = min(
                there, key=lambda id_: (live[id_].attrs != changed.before, -self._resemblance(id_, deleted), id_)
            )
            self._stand_for[deleted] = Ref(changed.kind, self._keys[changed.kind, stands])
            del names[stands]
            self.unchanged.append(self._address(changed))
        else:
            self._stand_for[deleted] = self._address(changed).ref
            self._add(changed, {name: value for name, value in changed.before.items() if isinstance(name, str)})

    def _resemblance(self, label: str, deleted: RemoteRef) -> int:
        """Return how many leads carry a label that lost the deleted one, less those that did not lose it."""
        lost = {changed.remote_id: changed.lost for changed in self._changed}
        carriers = [
            lead.remote_id
            for lead in self.observed.live.get(CARRIER, ())
            if RemoteRef(CARRIED, label) in labels_in(lead.attrs)
        ]
        return sum(1 if deleted in lost.get(lead, ()) else -1 for lead in carriers)

    def _recreate_lead(self, changed: Changed) -> None:
        ignored = self._ignored_labels()
        carried = [self._label(label) or (label if label in ignored else None) for label in changed.lost]
        attrs = {name: value for name, value in changed.before.items() if isinstance(name, str)}
        if attrs.get(FREEZES) is not True:
            attrs.pop(FREEZES, None)
        attrs[CARRIES] = tuple(sorted((label for label in carried if label is not None), key=str))
        if None in carried:
            self._leave(changed, Reason.CHANGED_SINCE)
        if self.observed.fields is not None:
            attrs.update(self.observed.fields.read(changed.custom))
        self._add(changed, attrs)
        if changed.marker in self.observed.unsure:
            self.diagnostics.append(archived_unknown(self._address(changed), self.account.policy, self._span))

    def _label(self, label: RemoteRef) -> Ref | None:
        """Return what stands for a label of the time before the run; None if it does not exist any more."""
        known = self._stand_for.get(label) or self.bindings.link(label)
        return known if isinstance(known, Ref) else None

    def _ignored_labels(self) -> set[RemoteRef]:
        """Return the labels that are ignored and there: they have no reference, and stay on leads by their ids."""
        return {RemoteRef(CARRIED, there.remote_id) for there in self.observed.ignored.get(CARRIED, ())}

    def _address(self, changed: Changed) -> Address:
        return Address(self.account.name, changed.kind, self._keys[changed.kind, changed.remote_id])

    def _leave(self, changed: Changed, reason: Reason) -> None:
        key = self._keys[changed.kind, changed.remote_id]
        self.untouched.append(Untouched(changed.kind, reason, key, changed.remote_id, self._span))

    def _add(self, changed: Changed, want: Mapping[str, Value]) -> None:
        given = {name: value for name, value in want.items() if value is not None}
        self.changes.append(add(self._address(changed), given, marker=changed.marker, span=self._span))


def _name(live: Live | None, remote_id: str) -> str:
    """Return the key of an object that was not in the plan."""
    if live is None:
        return remote_id
    name = live.marker.partition(":")[2] if live.marker else live.name if live.kind != CARRIER else ""
    return name or f"#{remote_id}"
