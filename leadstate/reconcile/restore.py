"""From what an apply has touched and what is there now to the plan that undoes it. Pure.

Every object is known by its id. An attribute goes back to its value before the run only where it still has the value
that the run gave it. Whether a lead carries a label is a value of its own, so a label that somebody gave a lead since
stays on it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from leadstate.model.account import Account
from leadstate.model.address import Address, Ref, RemoteRef, Span, Target
from leadstate.model.diagnostics import Diagnostic, Severity, counted
from leadstate.model.plan import AccountPlan, AccountReceipt, Action, Change, Reason, Touch, Untouched
from leadstate.model.resource import CARRIED, CARRIER, CARRIES, FREEZES, Bindings, Live, Observed, Value
from leadstate.reconcile.changed import Changed, compose
from leadstate.reconcile.dependencies import in_order, weigh
from leadstate.reconcile.diff import added, diff, removed


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
    draft = _Draft(account, receipt, observed)
    if targets:
        draft.limit_to(targets)
    for kind in sorted({*observed.live, *(touch.kind for touch in receipt.touched)} - {CARRIER}):
        draft.plan_named(kind)
    draft.plan_carriers()
    draft.keep_carried_labels()
    return AccountPlan(
        account=account.name,
        origin=account.origin,
        company_id=account.company_id,
        changes=tuple(weigh(in_order(draft.changes), observed)),
        untouched=tuple(sorted(draft.untouched, key=lambda left: (left.kind, left.reason, left.key or ""))),
        unchanged=draft.unchanged,
        diagnostics=tuple(draft.diagnostics),
        bindings=draft.bindings,
        reading=observed.reading,
        names={**receipt.names, **draft.titles()},
    )


def with_ids(receipt: AccountReceipt, observed: Observed) -> tuple[Touch, ...]:
    """Return the touches of objects whose ids are known.

    An object whose creation was not answered, since the run was killed, is looked for: a lead by its marker, a label by
    name and colour among those that did not exist before the run. What is not exactly one counts as not created.
    """
    known = {(touch.kind, touch.remote_id) for touch in receipt.touched}
    found = []
    for touch in receipt.touched:
        if touch.remote_id is not None:
            found.append(touch)
            continue
        candidates = [
            live
            for live in observed.live.get(touch.kind, ())
            if (touch.kind, live.remote_id) not in known and _is_created(touch, live, receipt)
        ]
        if len(candidates) == 1:
            found.append(replace(touch, remote_id=candidates[0].remote_id))
    return tuple(found)


def _is_created(touch: Touch, live: Live, receipt: AccountReceipt) -> bool:
    if touch.kind == CARRIER:
        return touch.marker is not None and live.marker == touch.marker
    return live.remote_id not in receipt.labels and touch.after == live.attrs


@dataclass(slots=True)
class _Draft:
    account: Account
    receipt: AccountReceipt
    observed: Observed
    changes: list[Change] = field(default_factory=list)
    untouched: list[Untouched] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    unchanged: int = 0
    bindings: Bindings = field(init=False)
    _changed: list[Changed] = field(init=False)
    _keys: dict[tuple[str, str], str] = field(default_factory=dict)
    _stand_for: dict[str, Ref] = field(default_factory=dict)
    """Id of a label that the run deleted → the label that takes its place."""

    def __post_init__(self) -> None:
        self.bindings = Bindings(self.observed.fields)
        self._changed = compose(with_ids(self.receipt, self.observed))
        used: set[tuple[str, str]] = set()
        rows = [(changed.kind, changed.remote_id, changed.key) for changed in self._changed]
        there = [live for listed in self.observed.live.values() for live in listed]
        rows += [(live.kind, live.remote_id, None) for live in there]
        names = {live.remote_id: live for live in there}
        # Keys of the plan first: no other object may take one of them.
        for kind, remote_id, key in sorted(rows, key=lambda row: row[2] is None):
            if (kind, remote_id) in self._keys:
                continue
            name = key or _name(names.get(remote_id), remote_id)
            while (kind, name) in used:
                name = f"{name}#{remote_id}"
            used.add((kind, name))
            self._keys[kind, remote_id] = name
            if remote_id in names:
                self.bindings.bind(Ref(kind, name), remote_id)

    def titles(self) -> dict[str, str]:
        """What people call the leads that no key tells."""
        found = {
            changed.remote_id: str(changed.before["title"])
            for changed in self._changed
            if changed.kind == CARRIER and "title" in changed.before
        }
        found |= {live.remote_id: live.name for live in self.observed.live.get(CARRIER, ())}
        keys = {remote_id: self._keys[CARRIER, remote_id] for remote_id in found}
        return {f"{CARRIER}:{key}": found[id_] for id_, key in keys.items() if key in {id_, f"#{id_}"}}

    def limit_to(self, targets: Sequence[Target]) -> None:
        """Leave out what the targets do not need: of other leads all but the labels that are targets."""
        chosen = {
            (changed.kind, changed.remote_id): changed
            for changed in self._changed
            if any(target.selects(self._address(changed)) for target in targets)
        }
        labels = {remote_id for kind, remote_id in chosen if kind == CARRIED}
        needed = {(CARRIED, label) for changed in chosen.values() for label in changed.lost}
        kept = []
        for changed in self._changed:
            identity = changed.kind, changed.remote_id
            if identity in chosen or (identity in needed and not changed.exists):
                kept.append(changed)
            elif changed.existed and changed.exists and not labels.isdisjoint((*changed.lost, *changed.gained)):
                kept.append(changed.only_labels(labels))
        self._changed = kept

    def plan_named(self, kind: str) -> None:
        """Plan objects that names tell: those that were changed, then those that were added, then those deleted."""
        live = {there.remote_id: there for there in self.observed.live.get(kind, ())}
        names = {there.remote_id: there.name for there in live.values()}
        ours = [changed for changed in self._changed if changed.kind == kind]
        for changed in filter(self._is_ignored, ours):
            self._leave(changed, Reason.IGNORED)
        ours = [changed for changed in ours if not self._is_ignored(changed)]
        new = [changed for changed in ours if not changed.existed and changed.exists]
        for changed in new:
            if changed.remote_id not in live:
                self.unchanged += 1
            elif self.account.policy.protects(kind, live[changed.remote_id].name):
                self._leave(changed, Reason.PROTECTED)
            elif changed.may_have_left(live[changed.remote_id].attrs):
                self._delete(changed, live[changed.remote_id])
                del names[changed.remote_id]
            else:
                self._leave(changed, Reason.CHANGED_SINCE)
        updated = [changed for changed in ours if changed.existed and changed.exists]
        regained = self._regain_names(updated, live, names)
        for changed in updated:
            self._update_named(changed, live.get(changed.remote_id), regained)
        made = {changed.remote_id for changed in new}
        for changed in (changed for changed in ours if changed.existed and not changed.exists):
            self._recreate_named(changed, live, names, made)

    def _is_ignored(self, changed: Changed) -> bool:
        """Return whether an object is ignored, or would be if it were created again or got its name back."""
        there = {live.remote_id for live in self.observed.ignored.get(changed.kind, ())}
        name = changed.before.get("name")
        return changed.remote_id in there or (isinstance(name, str) and self.account.policy.ignores(changed.kind, name))

    def keep_carried_labels(self) -> None:
        """Keep an added label that leads would lose: somebody gave it to them since, or nobody can edit them."""
        updated = {change.remote_id for change in self.changes}
        frozen = {
            label
            for lead in self.observed.live.get(CARRIER, ())
            if lead.frozen_by is not None and lead.remote_id not in updated
            for label in _carried(lead)
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

    def _regain_names(self, updated: list[Changed], live: Mapping[str, Live], names: dict[str, str]) -> set[str]:
        """Return which labels get their name of before the run, and put it into `names`.

        Two labels of one name are more than anybody asked for: a name that another label took since stays with that.
        All are looked at together, for the run may have passed a name on from label to label.
        """
        wanted = {
            changed.remote_id: str(want["name"])
            for changed in updated
            if changed.remote_id in live and "name" in (want := _back(changed, live[changed.remote_id].attrs)[0])
        }
        names |= wanted
        while taken := [id_ for id_, name in wanted.items() if self._is_taken(name, id_, names)]:
            names[taken[0]] = live[taken[0]].name
            del wanted[taken[0]]
        return set(wanted)

    def _is_taken(self, name: str, by: str, names: Mapping[str, str]) -> bool:
        """Whether a label that did not bear this name before the run bears it now."""
        return any(other == name and self.receipt.labels.get(id_) != name for id_, other in names.items() if id_ != by)

    def _update_named(self, changed: Changed, live: Live | None, regained: set[str]) -> None:
        if live is None:
            self._leave(changed, Reason.GONE)
            return
        want, moved = _back(changed, live.attrs)
        if "name" in want and changed.remote_id not in regained:
            del want["name"]
            moved = True
        self._update(changed, live, want, moved=moved)

    def _recreate_named(
        self, changed: Changed, live: Mapping[str, Live], names: dict[str, str], made: set[str]
    ) -> None:
        if changed.remote_id in live:
            self.unchanged += 1
            return
        name = changed.before["name"]
        there = [
            id_
            for id_, other in names.items()
            if other == name and self.receipt.labels.get(id_) != name and id_ not in made
        ]
        # Labels of one name and colour are told apart by the leads that carry them.
        there.sort(key=lambda id_: (live[id_].attrs != changed.before, -self._resemblance(id_, changed.remote_id), id_))
        ref = Ref(changed.kind, self._keys[changed.kind, changed.remote_id])
        if there:
            self._stand_for[changed.remote_id] = Ref(changed.kind, self._keys[changed.kind, there[0]])
            del names[there[0]]
            self.unchanged += 1
            return
        self._stand_for[changed.remote_id] = ref
        self._add(changed, changed.before)

    def _resemblance(self, label: str, deleted: str) -> int:
        """Return how many leads carry a label that lost the deleted one, less those that did not lose it."""
        lost = {changed.remote_id: changed.lost for changed in self._changed}
        carriers = [lead.remote_id for lead in self.observed.live.get(CARRIER, ()) if label in _carried(lead)]
        return sum(1 if deleted in lost.get(lead, ()) else -1 for lead in carriers)

    def plan_carriers(self) -> None:
        """Plan leads; labels were planned before, for leads refer to them."""
        live = {lead.remote_id: lead for lead in self.observed.live.get(CARRIER, ())}
        marked = {lead.marker for lead in live.values()}
        for changed in (changed for changed in self._changed if changed.kind == CARRIER):
            there = live.get(changed.remote_id)
            if not changed.existed and not changed.exists:
                continue
            if not changed.existed:
                self._remove_lead(changed, there)
            elif not changed.exists:
                self._recreate_lead(changed, there, marked)
            elif there is None:
                self._leave(changed, Reason.GONE)
            else:
                self._update_lead(changed, there)

    def _remove_lead(self, changed: Changed, live: Live | None) -> None:
        if live is None:
            self.unchanged += 1
        elif not self.account.owns(live.marker):
            self._leave(changed, Reason.NOT_OURS)
        elif self._is_as_made(changed, live):
            self._delete(changed, live)
        else:
            self._leave(changed, Reason.CHANGED_SINCE)

    def _is_as_made(self, changed: Changed, live: Live) -> bool:
        now = {**self.bindings.attrs(live), **live.attrs}
        labels = {label for label in changed.has if changed.has[label]}
        archived = changed.after.get(FREEZES, [False])
        return _carried(live) ^ labels <= changed.unsure and now[FREEZES] in archived and changed.may_have_left(now)

    def _recreate_lead(self, changed: Changed, live: Live | None, marked: set[str | None]) -> None:
        if live is not None or changed.marker in marked:
            self.unchanged += 1
            return
        if not self.account.owns(changed.marker):
            self._leave(changed, Reason.NOT_OURS)
            return
        carried = [self._label(label) for label, had in changed.had.items() if had]
        want = {
            **{name: value for name, value in changed.before.items() if name != FREEZES or value is True},
            CARRIES: tuple(sorted(label for label in carried if label is not None)),
            **({} if self.observed.fields is None else self.observed.fields.read(changed.custom)),
        }
        self._add(changed, want)
        if changed.marker in self.observed.unsure:
            self.diagnostics.append(
                Diagnostic(
                    "archived-unknown",
                    Severity.GUARD,
                    "it may have been created again and archived; only the newest "
                    f"{counted(500 * self.account.policy.archived_pages, 'archived lead')} were read",
                    hint="raise policy.archived_pages, or pass `--allow archived-unknown` to create it",
                    span=self._span,
                    account=self.account.name,
                    address=self._address(changed),
                )
            )

    def _update_lead(self, changed: Changed, live: Live) -> None:
        now = {**self.bindings.attrs(live), CARRIES: live.attrs[CARRIES]}
        want, moved = _back(changed, now)
        if want and not self._may_edit(live):
            self._leave(changed, Reason.NOT_OURS)
            want = {}
        labels = self._labels_before(changed, live)
        if labels != self.bindings.link(live.attrs[CARRIES]):
            want[CARRIES] = labels
        thaws = live.frozen_by is not None and want.get(FREEZES) is False
        if want and live.frozen_by is not None and not thaws:
            self._leave(changed, Reason.ARCHIVED)
            return
        self._update(changed, live, want, moved=moved, thaw_first=thaws)

    def _may_edit(self, live: Live) -> bool:
        """Whether more than labels may be written: a receipt that was edited must not overwrite others' leads."""
        return self.account.owns(live.marker) or self.account.remembers(CARRIER, live.remote_id)

    def _labels_before(self, changed: Changed, live: Live) -> tuple[Value, ...]:
        """The labels that a lead gets: those it has, without those that the run gave it, with those that it took."""
        ignored = {there.remote_id for there in self.observed.ignored.get(CARRIED, ())}
        kept = _carried(live) - ({*changed.lost, *changed.gained} - ignored)
        back = (self._label(label) for label in changed.lost)
        stay = (self.bindings.link(RemoteRef(CARRIED, label)) for label in kept)
        labels = {*stay, *(label for label in back if label is not None)}
        return tuple(sorted(labels, key=str))

    def _label(self, remote_id: str) -> Ref | None:
        """What stands for a label of the time before the run; None where it does not exist any more."""
        if remote_id in self._stand_for:
            return self._stand_for[remote_id]
        known = self.bindings.link(RemoteRef(CARRIED, remote_id))
        return known if isinstance(known, Ref) else None

    @property
    def _span(self) -> Span:
        return Span(self.receipt.file, 1, 1)

    def _address(self, changed: Changed) -> Address:
        return Address(self.account.name, changed.kind, self._keys[changed.kind, changed.remote_id])

    def _leave(self, changed: Changed, reason: Reason) -> None:
        self.untouched.append(
            Untouched(changed.kind, reason, self._keys[changed.kind, changed.remote_id], changed.remote_id, self._span)
        )

    def _add(self, changed: Changed, want: Mapping[str, Value]) -> None:
        given = {name: value for name, value in want.items() if value is not None}
        address = self._address(changed)
        self.changes.append(
            Change(address, Action.ADD, Reason.MISSING, added(given), given, marker=changed.marker, span=self._span)
        )

    def _delete(self, changed: Changed, live: Live) -> None:
        fields = removed(self.bindings.attrs(live))
        self.changes.append(
            Change(
                self._address(changed),
                Action.DELETE,
                Reason.UNDONE,
                fields,
                {},
                remote_id=changed.remote_id,
                marker=live.marker,
                span=self._span,
            )
        )

    def _update(
        self, changed: Changed, live: Live, want: Mapping[str, Value], *, moved: bool, thaw_first: bool = False
    ) -> None:
        if moved:
            self._leave(changed, Reason.CHANGED_SINCE)
        fields = diff(self.bindings.attrs(live), want)
        if fields:
            reason = Reason.RENAMED if "name" in want else Reason.DIFFERS
            self.changes.append(
                Change(
                    self._address(changed),
                    Action.UPDATE,
                    reason,
                    fields,
                    want,
                    remote_id=changed.remote_id,
                    thaw_first=thaw_first,
                    span=self._span,
                )
            )
        elif not moved:
            self.unchanged += 1


def _back(changed: Changed, now: Mapping[str, Value]) -> tuple[dict[str, Value], bool]:
    """What goes back to its value before the run; and whether something has another value than before and after."""
    want: dict[str, Value] = {}
    moved = False
    for name, before in changed.before.items():
        if name not in changed.after or now.get(name) == before:
            continue
        if now.get(name) in changed.after[name]:
            want[name] = before
        else:
            moved = True
    return want, moved


def _carried(live: Live) -> set[str]:
    labels = live.attrs.get(CARRIES)
    return {label.id for label in labels if isinstance(label, RemoteRef)} if isinstance(labels, tuple) else set()


def _name(live: Live | None, remote_id: str) -> str:
    if live is None:
        return remote_id
    return (
        live.marker.partition(":")[2] if live.marker else live.name if live.kind != CARRIER else ""
    ) or f"#{remote_id}"
