"""From what an apply has touched and what is there now to the plan that undoes it. Pure.

Every object is known by its id. An attribute goes back to its value before the run only where it still has the value
that the run gave it. Whether a lead carries a label is a value of its own, so a label that somebody gave a lead since
stays on it.

This is not the planner with the receipt for a configuration: what goes back depends on what the run left and what is
there now, value by value, and a label that is gone may have got a successor meanwhile.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from leadstate.model.account import Account
from leadstate.model.address import Address, Ref, RemoteRef, Span, Target
from leadstate.model.plan import AccountPlan, AccountReceipt, Action, Reason, Untouched
from leadstate.model.resource import CARRIED, CARRIER, CARRIES, FREEZES, Bindings, Live, Observed, Value
from leadstate.reconcile.changed import Changed, Name, compose, find_created, labels_in, with_ids, with_successors
from leadstate.reconcile.dependencies import order_changes, weigh
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
    # Leads last, for they refer to labels.
    for kind in (*sorted({*observed.live, *(touch.kind for touch in receipt.touched)} - {CARRIER}), CARRIER):
        draft.plan_kind(kind)
    draft.keep_carried_labels()
    draft.report_unclear_creates(receipt, targets)
    return replace(draft.plan(weigh(order_changes(draft.changes), observed)), names={**receipt.names, **draft.titles})


@dataclass(slots=True)
class _Draft(Draft):
    receipt: AccountReceipt = field(kw_only=True)
    titles: dict[str, str] = field(default_factory=dict)
    """What people call the leads that no key tells."""
    _span: Span = field(init=False)
    _changed: list[Changed] = field(init=False)
    _live: dict[RemoteRef, Live] = field(init=False)
    _ignored: dict[RemoteRef, Live] = field(init=False)
    _refs: dict[RemoteRef, Ref] = field(default_factory=dict)
    """What each object is called in this plan."""
    _stand_for: dict[RemoteRef, Ref] = field(default_factory=dict)
    """A label that the run deleted → the label that takes its place."""
    _marked: defaultdict[str | None, list[Live]] = field(default_factory=lambda: defaultdict(list))
    """Ownership marker → the leads that carry it."""
    _successors: set[str] = field(default_factory=set)
    """Ids of leads that stand for deleted ones."""

    def __post_init__(self) -> None:
        self._span = Span(self.receipt.file, 1, 1)
        self.receipt = with_successors(with_ids(self.receipt, self.observed), self.observed, self.account.lock)
        self._changed = compose(self.receipt.touched)
        self._live = {live.ref: live for listed in self.observed.live.values() for live in listed}
        self._ignored = {live.ref: live for listed in self.observed.ignored.values() for live in listed}
        for lead in self.observed.live.get(CARRIER, ()):
            self._marked[lead.marker].append(lead)
        known = {changed.ref: changed for changed in self._changed}
        keys = {ref: changed.key for ref, changed in known.items()}
        there = {**self._live, **self._ignored}
        used: set[Ref] = set()
        # Keys of the plan first: no other object may take one of them.
        for ref in sorted({**known, **there}, key=lambda ref: not keys.get(ref)):
            live = there.get(ref)
            key = keys.get(ref) or _name(live, ref.id)
            while Ref(ref.kind, key) in used:
                key = f"{key}#{ref.id}"
            self._refs[ref] = Ref(ref.kind, key)
            used.add(self._refs[ref])
            if live is not None:
                self.bindings.bind(self._refs[ref], ref.id)
            if ref.kind == CARRIER and key in {ref.id, f"#{ref.id}"}:
                title = known[ref].before.get("title") if live is None else live.name
                if title is not None:
                    self.titles[str(self._refs[ref])] = str(title)

    def limit_to(self, targets: Sequence[Target]) -> None:
        """Leave out what the targets do not need: of other leads all but the labels that are targets."""
        if not targets:
            return
        chosen = {
            changed.ref: changed
            for changed in self._changed
            if any(target.selects(self._address(changed)) for target in targets)
        }
        # A name goes back only if what the run gave it to gives it up, and that one gets its own name back.
        takers = chosen
        while takers:
            names = {(item.kind, item.before.get("name")) for item in takers.values() if item.existed and item.exists}
            takers = {
                changed.ref: changed
                for changed in self._changed
                if changed.exists and changed.ref not in chosen
                if not names.isdisjoint((changed.kind, name) for name in changed.after.get("name", ()))
            }
            chosen |= takers
        labels = {ref for ref in chosen if ref.kind == CARRIED}
        needed = {label for changed in chosen.values() for label in changed.lost}
        kept = []
        for changed in self._changed:
            if changed.ref in chosen or (changed.ref in needed and not changed.exists):
                kept.append(changed)
            elif changed.existed and changed.exists and not labels.isdisjoint(changed.relabelled):
                kept.append(changed.only(labels))
        self._changed = kept

    def plan_kind(self, kind: str) -> None:
        """Plan the objects of a kind: those that were added, then those that were changed, then those deleted."""
        mine = [changed for changed in self._changed if changed.kind == kind and not self._leave_ignored(changed)]
        names = {ref: live.name for ref, live in self._live.items() if ref.kind == kind}
        added = [changed for changed in mine if not changed.existed and changed.exists]
        for changed in added:
            if self._remove(changed):
                del names[changed.ref]
        updated = [changed for changed in mine if changed.existed and changed.exists]
        differing = {changed.ref: self._differing(changed) for changed in updated if changed.ref in self._live}
        self._keep_taken_names(differing, names)
        for changed in updated:
            self._update(changed, differing.get(changed.ref, {}))
        others = names.keys() - {changed.ref for changed in added}
        free = {ref: names[ref] for ref in others if self.receipt.labels.get(ref.id) != names[ref]}
        for changed in (changed for changed in mine if changed.existed and not changed.exists):
            if changed.ref in self._live:
                self.unchanged.append(self._address(changed))
            elif kind == CARRIER:
                self._recreate_lead(changed)
            else:
                self._recreate_named(changed, free)

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
            for change in weigh(order_changes(self.changes), self.observed)
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
            if (
                touch.remote_id is None
                and touch.key is not None
                and len(find_created(touch, receipt, self.observed)) > 1
            ):
                address = Address(self.account.name, touch.kind, touch.key)
                words = f"stays: several {touch.kind}s could be the one that the run created"
                if not targets or any(target.selects(address) for target in targets):
                    self.untouched.append(
                        Untouched(touch.kind, Reason.AMBIGUOUS, touch.key, None, self._span, detail=words)
                    )

    def _leave_ignored(self, changed: Changed) -> bool:
        """Leave an object that is ignored, or would be if it got its name back; return whether it is one."""
        name = changed.before.get("name")
        is_ignored = changed.ref in self._ignored or (
            isinstance(name, str) and self.account.policy.ignores(changed.kind, name)
        )
        if is_ignored:
            self._leave(changed, Reason.IGNORED)
        return is_ignored

    def _remove(self, changed: Changed) -> bool:
        """Plan an object that the run created; return whether it is deleted."""
        live = self._live.get(changed.ref)
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

    def _differing(self, changed: Changed) -> dict[Name, bool]:
        """Return which values are not as they were before the run, and whether each of them goes back to that.

        It does where it still is what the run made of it. A label of a lead that is ignored by now stays as it is.
        """
        now = self._now(changed, self._live[changed.ref])
        return {
            name: now.get(name) in changed.after[name]
            for name, before in changed.before.items()
            if name in changed.after and now.get(name) != before and name not in self._ignored
        }

    def _keep_taken_names(self, differing: Mapping[RemoteRef, dict[Name, bool]], names: dict[RemoteRef, str]) -> None:
        """Let labels keep their names where others took those of before the run; put what they are called into `names`.

        Two labels of one name are more than anybody asked for: a name that another label took since stays with that.
        All are looked at together, for the run may have passed a name on from label to label.
        """
        wanted = {
            changed.ref: str(changed.before["name"])
            for changed in self._changed
            if differing.get(changed.ref, {}).get("name")
        }
        names |= wanted
        # A name is taken if a label that did not have it before the run has it now.
        while taken := [
            ref
            for ref, name in wanted.items()
            if any(
                other_name == name and self.receipt.labels.get(other.id) != name
                for other, other_name in names.items()
                if other != ref
            )
        ]:
            names[taken[0]] = self._live[taken[0]].name
            differing[taken[0]]["name"] = False
            del wanted[taken[0]]

    def _update(self, changed: Changed, differing: Mapping[Name, bool]) -> None:
        """Plan an object that existed before the run and after it."""
        live = self._live.get(changed.ref)
        if live is None:
            self._leave(changed, Reason.GONE)
            return
        back = {name: changed.before[name] for name, goes_back in differing.items() if goes_back}
        moved = len(back) < len(differing)
        want = {name: value for name, value in back.items() if isinstance(name, str)}
        if live.kind == CARRIER:
            known = self.account.owns(live.marker) or self.account.remembers(CARRIER, live.remote_id)
            if want and not known:
                # More than labels is not written: a receipt that was edited must not overwrite the leads of others.
                self._leave(changed, Reason.NOT_OURS)
                want = {}
            labels, whole = self._labels_back(live, back)
            moved = moved or not whole
            if labels != self.bindings.link(live.attrs[CARRIES]):
                want[CARRIES] = labels
        if want and live.frozen_by is not None and want.get(FREEZES) is not False:
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

    def _recreate_named(self, changed: Changed, free: dict[RemoteRef, str]) -> None:
        """Plan a label that the run deleted, or let one of its name take its place.

        Args:
            changed: what it was.
            free: labels that stand for no other, and their names.
        """
        there = [ref for ref, name in free.items() if name == changed.before["name"]]
        if there:
            # Labels of one name and colour are told apart by the leads that carry them.
            stands = min(
                there,
                key=lambda ref: (
                    self._live[ref].attrs != changed.before,
                    -self._resemblance(ref, changed.ref),
                    ref.id,
                ),
            )
            self._stand_for[changed.ref] = self._refs[stands]
            del free[stands]
            self.unchanged.append(self._address(changed))
        else:
            self._stand_for[changed.ref] = self._refs[changed.ref]
            self._add(changed, {name: value for name, value in changed.before.items() if isinstance(name, str)})

    def _resemblance(self, label: RemoteRef, deleted: RemoteRef) -> int:
        """Return how many leads carry a label that lost the deleted one, less those that did not lose it."""
        lost = {changed.remote_id: changed.lost for changed in self._changed}
        leads = self.observed.live.get(CARRIER, ())
        carriers = [lead.remote_id for lead in leads if label in labels_in(lead.attrs)]
        return sum(1 if deleted in lost.get(lead, ()) else -1 for lead in carriers)

    def _recreate_lead(self, changed: Changed) -> None:
        """Plan a lead that the run deleted, or let one of its marker stand for it; each stands for one."""
        if not self.account.owns(changed.marker):
            self._leave(changed, Reason.NOT_OURS)
            return
        was_archived = changed.before.get(FREEZES) is True
        # It was created after the run, which did not know it. An archived lead may be older, for a run seldom reads the
        # archive, so it stands for one that was archived only.
        for lead in self._marked[changed.marker]:
            is_new = lead.remote_id not in self.receipt.leads and (was_archived or lead.frozen_by is None)
            if is_new and lead.remote_id not in self._successors:
                self._successors.add(lead.remote_id)
                self.unchanged.append(self._address(changed))
                return
        if self._marked[changed.marker]:
            self._leave(changed, Reason.DUPLICATE)
            return
        attrs = {name: value for name, value in changed.before.items() if isinstance(name, str)}
        if not was_archived:
            attrs.pop(FREEZES, None)
        carried = [self._label(label) for label in changed.lost]
        attrs[CARRIES] = tuple(sorted({label for label in carried if label is not None}, key=str))
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

    def _address(self, changed: Changed) -> Address:
        return Address(self.account.name, changed.kind, self._refs[changed.ref].key)

    def _leave(self, changed: Changed, reason: Reason) -> None:
        key = self._refs[changed.ref].key
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
