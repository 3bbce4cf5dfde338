"""What all touches of one run come to, object by object: what each was like before the run, and after it. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from leadstate.model.address import RemoteRef
from leadstate.model.plan import Touch
from leadstate.model.resource import CARRIES, Value


@dataclass(slots=True)
class Changed:
    """One object before and after a run.

    Attributes:
        kind: its kind.
        remote_id: its id.
        existed: whether it existed before.
        exists: whether it exists after.
        key: what the plan called it, if it was in the plan.
        before: attributes as they were, labels excepted.
        after: attributes as they are, labels excepted: each value that it may have. Several are possible where the run
            was cut off before an answer came.
        had: label id → whether the lead carried it before.
        has: the same after.
        unsure: ids of labels that it may carry or not, for the same reason.
        marker: ownership marker of a lead that was created or deleted.
        custom: custom fields of a deleted lead, as they were answered.
    """

    kind: str
    remote_id: str
    existed: bool
    exists: bool = True
    key: str | None = None
    before: dict[str, Value] = field(default_factory=dict)
    after: dict[str, list[Value]] = field(default_factory=dict)
    had: dict[str, bool] = field(default_factory=dict)
    has: dict[str, bool] = field(default_factory=dict)
    unsure: set[str] = field(default_factory=set)
    marker: str | None = None
    custom: Mapping[str, object] = field(default_factory=dict)

    @property
    def lost(self) -> list[str]:
        """Ids of the labels that the run took from the lead."""
        return [label for label, had in self.had.items() if had and not self.has.get(label)]

    @property
    def gained(self) -> list[str]:
        """Ids of the labels that the run gave to the lead."""
        return [label for label, has in self.has.items() if has and not self.had.get(label)]

    def only_labels(self, labels: Collection[str]) -> "Changed":
        """Return of a lead that existed throughout no more than which of these labels it carried."""
        return replace(
            self,
            before={},
            after={},
            had={label: had for label, had in self.had.items() if label in labels},
            has={label: has for label, has in self.has.items() if label in labels},
            unsure=self.unsure.intersection(labels),
        )

    def may_have_left(self, now: Mapping[str, Value]) -> bool:
        """Whether these attributes can be what the run left of an object that it created."""
        return all(now.get(name) in values for name, values in self.after.items())


def compose(touches: Iterable[Touch]) -> list[Changed]:
    """Return each object that was touched once, in order of its first touch; touches without an id are left out."""
    found: dict[tuple[str, str], Changed] = {}
    for touch in touches:
        if touch.remote_id is None:
            continue
        changed = found.setdefault(
            (touch.kind, touch.remote_id), Changed(touch.kind, touch.remote_id, touch.before is not None)
        )
        _add(changed, touch)
    return list(found.values())


def _add(changed: Changed, touch: Touch) -> None:
    changed.key = changed.key or touch.key
    changed.marker = changed.marker or touch.marker
    changed.custom = changed.custom or touch.custom
    changed.exists = touch.after is not None
    before, after = touch.before or {}, touch.after or {}
    if changed.existed:
        for name, value in before.items():
            if name != CARRIES:
                changed.before.setdefault(name, value)
    for name, value in after.items():
        if name != CARRIES:
            earlier = changed.after.get(name) or ([before[name]] if name in before else [])
            changed.after[name] = [value] if touch.answered else [*earlier, value]
    carried, carries = _ids(before.get(CARRIES)), _ids(after.get(CARRIES))
    for label in (*carried, *carries):
        changed.had.setdefault(label, label in carried)
        if not touch.answered and label in changed.has and changed.has[label] != (label in carries):
            changed.unsure.add(label)
        changed.has[label] = label in carries


def _ids(labels: Value) -> list[str]:
    return [label.id for label in labels if isinstance(label, RemoteRef)] if isinstance(labels, tuple) else []
