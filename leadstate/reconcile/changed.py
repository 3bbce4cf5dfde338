"""What all touches of one run come to, object by object: what each was like before the run, and after it. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from leadstate.model.address import RemoteRef
from leadstate.model.plan import Touch, plain
from leadstate.model.resource import CARRIES, CUSTOM, SET_BY_SERVER, UNSET, Attrs, Value

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


def labels_in(attrs: Attrs) -> list[RemoteRef]:
    """Return the labels that an object carries, by id."""
    labels = attrs.get(CARRIES)
    return [label for label in labels if isinstance(label, RemoteRef)] if isinstance(labels, tuple) else []
