"""What differs between two attribute mappings in normal form, as fields and as changes. The only importer of deepdiff.

Plain equality comes first: DeepDiff over 5,000 equal leads takes seconds, `==` takes none.
"""

from collections.abc import Mapping, Sequence

from leadstate.model.address import Address, Span
from leadstate.model.plan import Action, Change, FieldDiff, Reason
from leadstate.model.resource import ABSENT, Attrs, Bindings, Live, Side, Value


def diff(before: Attrs, after: Attrs) -> tuple[FieldDiff, ...]:
    """Return the fields of `after` that `before` does not have the same, sorted by path.

    A field that `after` does not name is not managed and never differs. A list or set differs as a whole.
    """
    if after.items() <= before.items():
        return ()
    changed = [key for key in after if key not in before or before[key] != after[key]]
    from deepdiff import DeepDiff  # noqa: PLC0415  deepdiff takes 100 ms to import, and most runs find no difference

    old = {key: before.get(key) for key in changed}
    new = {key: after[key] for key in changed}
    tree = DeepDiff(old, new, view="tree", ignore_order=False, verbose_level=0)
    paths = {_path(level.path(output_format="list"), new) for levels in tree.values() for level in levels}
    # What deepdiff holds equal though == does not (a subclass, say) still has to be written.
    paths |= {(key,) for key in changed} - {path[:1] for path in paths}
    found = (FieldDiff(".".join(path), at(before, path), at(after, path), path) for path in paths)
    return tuple(sorted(found, key=lambda field: field.path))


def removed(attrs: Attrs) -> tuple[FieldDiff, ...]:
    """Return the fields of an object that is deleted."""
    return tuple(FieldDiff(key, value, ABSENT, (key,)) for key, value in sorted(attrs.items()) if value is not None)


def add(address: Address, want: Attrs, *, marker: str | None, span: Span | None) -> Change:
    """Return the change that creates an object."""
    fields = tuple(FieldDiff(key, ABSENT, value, (key,)) for key, value in sorted(want.items()) if value is not None)
    return Change(address, Action.ADD, Reason.MISSING, fields, want, marker=marker, span=span)


def update(
    address: Address, live: Live, fields: tuple[FieldDiff, ...], want: Attrs, reason: Reason, *, span: Span
) -> Change:
    """Return the change that gives an object these values; it unfreezes an object that is frozen."""
    thaws = live.frozen_by is not None
    return Change(address, Action.UPDATE, reason, fields, want, remote_id=live.remote_id, thaw_first=thaws, span=span)


def delete(address: Address, live: Live, bindings: Bindings, reason: Reason, span: Span | None = None) -> Change:
    """Return the change that deletes an object."""
    fields = removed(bindings.attrs(live))
    return Change(address, Action.DELETE, reason, fields, {}, remote_id=live.remote_id, marker=live.marker, span=span)


def _path(steps: list[str | int], attrs: Attrs) -> tuple[str, ...]:
    """Return a path through mappings only: what is inside a list or an amount has no address of its own."""
    names: list[str] = []
    value: Value = attrs
    for step in steps:
        if not isinstance(value, Mapping) or not isinstance(step, str):
            break
        names.append(step)
        value = value.get(step)
    return tuple(names)


def at(attrs: Attrs, path: Sequence[str]) -> Side:
    """Return the value at a path; ABSENT if nothing stands there."""
    value: Value = attrs
    for step in path:
        if not isinstance(value, Mapping) or step not in value:
            return ABSENT
        value = value[step]
    return value
