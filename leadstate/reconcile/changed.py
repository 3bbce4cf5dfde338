"""What all touches of one run come to, object by object: what each was like before the run, and after it. Pure.

And which ids the objects of a receipt have now: of one whose creation was not answered, of a label that was deleted
after the run and exists again.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from leadstate.model.address import Ref, RemoteRef
from leadstate.model.plan import AccountReceipt, Touch, plain
from leadstate.model.resource import (
    CARRIED,
    CARRIER,
    CARRIES,
    CUSTOM,
    SET_BY_SERVER,
    UNSET,
    Attrs,
    Live,
    Observed,
    Value,
)

Name: TypeAlias = "str | RemoteRef"
"""An attribute, or a label that a lead carries (True) or does not (False): each label is a value of its own."""


@dataclass(slots=True)
class Changed:
    """One object before and after a run.

    Attributes:
        kind: its kind.
        remote_id: its id.
        existed: whether it existed before.
        exists: whether it exists after.
        key: what the plan called it, if it was in the plan.
        before: values as they were, if it existed.
        after: values as they are: each that it may have. Several are possible where the run was cut off before an
            answer came.
        marker: ownership marker of a lead that was created or deleted.
        custom: custom fields of a created or deleted lead, as they were answered.
    """

    kind: str
    remote_id: str
    existed: bool
    exists: bool = True
    key: str | None = None
    before: dict[Name, Value] = field(default_factory=dict)
    after: dict[Name, list[Value]] = field(default_factory=dict)
    marker: str | None = None
    custom: Mapping[str, object] = field(default_factory=dict)

    @property
    def ref(self) -> RemoteRef:
        """Its kind and id."""
        return RemoteRef(self.kind, self.remote_id)

    @property
    def relabelled(self) -> list[RemoteRef]:
        """The labels that the run gave to the lead or took from it."""
        has = {label: self.exists and self.after.get(label, [False])[-1] for label in self.before}
        return [label for label, had in self.before.items() if isinstance(label, RemoteRef) and had != has[label]]

    @property
    def lost(self) -> list[RemoteRef]:
        """The labels that the run took from the lead."""
        return [label for label in self.relabelled if self.before[label]]

    def only(self, labels: Collection[RemoteRef]) -> "Changed":
        """Return no more of an object than which of these labels it carried."""
        return replace(
            self,
            before={name: value for name, value in self.before.items() if name in labels},
            after={name: values for name, values in self.after.items() if name in labels},
        )

    def may_have_left(self, now: Mapping[Name, Value], custom: Mapping[str, object]) -> bool:
        """Return whether an object that the run created can still be as the run left it.

        What the receipt does not hold was not set. Only what the server sets by itself is unknown where the create was
        not answered, or an earlier version wrote the receipt.

        Args:
            now: the values that it has.
            custom: its custom fields, as they were answered.
        """
        apart = {*self.after, CARRIES, *SET_BY_SERVER}
        return (
            all(now.get(name) in values for name, values in self.after.items())
            and all(value in UNSET for name, value in now.items() if name not in apart and not _is_custom(name))
            and self._may_have_left_custom(custom)
        )

    def _may_have_left_custom(self, custom: Mapping[str, object]) -> bool:
        """Return whether custom fields can be as the run left them: as answered, else those that it wrote alone."""
        there = _custom_values(custom)
        if self.custom:
            return there == _custom_values(self.custom)
        written = [name for name, values in self.after.items() if _is_custom(name) and values[-1] is not None]
        return len(written) == sum(key == _field(key) for key in there)


def _custom_values(answered: Mapping[str, object]) -> dict[str, str]:
    """Return the custom fields that are set, by key, and what stands beside them, in a form that can be compared.

    Pipedrive tells options as numbers or as strings, and numbers with or without decimals.
    """
    is_set = {key for key, raw in answered.items() if raw not in (None, "", [])}
    return {key: _as_text(answered[key]) for key in is_set if _field(key) in is_set}


def _field(key: str) -> str:
    """Return the key of the field that a key such as `<field>_currency` belongs to; a field's own has no underscore."""
    return key.partition("_")[0]


def _as_text(raw: object) -> str:
    if isinstance(raw, Mapping):
        raw = sorted(raw.items())
    return ",".join(map(_as_text, raw)) if isinstance(raw, list | tuple) else str(plain(raw))


def _is_custom(name: Name) -> bool:
    return isinstance(name, str) and name.startswith(CUSTOM)


def compose(touches: Iterable[Touch]) -> list[Changed]:
    """Return each object that was touched once, in order of its first touch; touches without an id are left out."""
    found: dict[tuple[str, str], Changed] = {}
    for touch in touches:
        if touch.remote_id is None:
            continue
        changed = found.setdefault(
            (touch.kind, touch.remote_id), Changed(touch.kind, touch.remote_id, touch.before is not None)
        )
        changed.key = changed.key or touch.key
        changed.marker = changed.marker or touch.marker
        changed.custom = changed.custom or touch.custom
        changed.exists = touch.after is not None
        before, after = dict(_values(touch.before, touch)), dict(_values(touch.after, touch))
        if changed.existed:
            changed.before |= {name: value for name, value in before.items() if name not in changed.before}
        for name, value in after.items():
            earlier = changed.after.get(name) or ([before[name]] if name in before else [])
            changed.after[name] = [value] if touch.answered else [*earlier, value]
    return list(found.values())


def _values(attrs: Attrs | None, touch: Touch) -> Iterator[tuple[Name, Value]]:
    """Yield the attributes of one side of a touch, and each label that either side names."""
    if attrs is None:
        return
    yield from ((name, value) for name, value in attrs.items() if name != CARRIES)
    carried = labels_in(attrs)
    for label in dict.fromkeys((*labels_in(touch.before or {}), *labels_in(touch.after or {}))):
        yield label, label in carried


def with_ids(receipt: AccountReceipt, observed: Observed) -> AccountReceipt:
    """Return the receipt with the ids of objects whose creation was not answered, since the run was killed.

    A lead is looked for by its marker, a label by name and colour among those that did not exist before the run. What
    is not exactly one keeps having no id, and counts as not created.
    """
    touched = []
    for touch in receipt.touched:
        created = find_created(touch, receipt, observed) if touch.remote_id is None else []
        touched.append(replace(touch, remote_id=created[0].remote_id) if len(created) == 1 else touch)
    return replace(receipt, touched=tuple(touched))


def find_created(touch: Touch, receipt: AccountReceipt, observed: Observed) -> list[Live]:
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


def labels_in(attrs: Attrs) -> list[RemoteRef]:
    """Return the labels that an object carries, by id."""
    labels = attrs.get(CARRIES)
    return [label for label in labels if isinstance(label, RemoteRef)] if isinstance(labels, tuple) else []
