"""What differs between two attribute mappings in normal form, as fields and as changes."""

from collections.abc import Iterator, Mapping, Sequence

from leadstate.model.address import Address, Span
from leadstate.model.plan import Action, Change, FieldDiff, Reason
from leadstate.model.resource import ABSENT, Attrs, Bindings, Live, Side, Value


def diff(before: Attrs, after: Attrs) -> tuple[FieldDiff, ...]:
    """Return the fields of `after` that `before` does not have the same, sorted by path.

    A field that `after` does not name is not managed and never differs. A list or set differs as a whole.
    """
    if after.items() <= before.items():
        return ()
    found = (field for name in after for field in _differing(before.get(name, ABSENT), after[name], (name,)))
    return tuple(sorted(found, key=lambda field: field.path))


def _differing(before: Side, after: Side, path: tuple[str, ...]) -> Iterator[FieldDiff]:
    """Yield what differs: a mapping key by key, anything else as a whole."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in before.keys() | after.keys():
            yield from _differing(before.get(name, ABSENT), after.get(name, ABSENT), (*path, name))
    elif before != after:
        yield FieldDiff(".".join(path), before, after, path)


def add(address: Address, want: Attrs, *, marker: str | None, span: Span | None) -> Change:
    """Return the change that creates an object."""
    fields = tuple(FieldDiff(key, ABSENT, value, (key,)) for key, value in sorted(want.items()) if value is not None)
    return Change(address, Action.ADD, Reason.MISSING, fields, want, marker=marker, span=span)


def delete(address: Address, live: Live, bindings: Bindings, reason: Reason, span: Span | None = None) -> Change:
    """Return the change that deletes an object."""
    fields = removed(bindings.attrs(live))
    return Change(address, Action.DELETE, reason, fields, {}, remote_id=live.remote_id, marker=live.marker, span=span)


def removed(attrs: Attrs) -> tuple[FieldDiff, ...]:
    """Return the fields of an object that goes."""
    return tuple(FieldDiff(key, value, ABSENT, (key,)) for key, value in sorted(attrs.items()) if value is not None)


def at(attrs: Attrs, path: Sequence[str]) -> Side:
    """The value at a path, ABSENT where there is none."""
    value: Value = attrs
    for step in path:
        if not isinstance(value, Mapping) or step not in value:
            return ABSENT
        value = value[step]
    return value
