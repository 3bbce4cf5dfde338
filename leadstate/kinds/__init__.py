"""The kinds of object that leadstate keeps."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import groupby

from leadstate.kinds.base import Kind, Symbols
from leadstate.kinds.label import LABEL
from leadstate.kinds.lead import LEAD
from leadstate.model.plan import Action, Call, Change

KINDS: tuple[Kind, ...] = (LABEL, LEAD)
"""In dependency order: each kind refers only to kinds before it. Adds go down the list, deletes go up."""

KIND_NAMES: tuple[str, ...] = tuple(kind.name for kind in KINDS)


def kind_named(name: str) -> Kind:
    """The kind that addresses call so."""
    return next(kind for kind in KINDS if kind.name == name)


def with_calls(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Return each change with the requests that it will take, references unresolved.

    A listing that several adds or several deletes need just before they are made is read once, and stands at the first
    of them.
    """
    found: list[Change] = []
    listed: set[tuple[str, Action]] = set()
    for change in changes:
        kind = kind_named(change.address.kind)
        first = kind.reread(change)
        shared = first is not None and first.remote_id is None
        before = [] if first is None or (shared and (kind.name, change.action) in listed) else [first]
        if shared:
            listed.add((kind.name, change.action))
        requests = (*before, *kind.moves(change), *kind.requests(change, Symbols()))
        rows = groupby((request.operation, request.path) for request in requests)
        calls = (Call(op.id, op.method, path, op.tokens, sum(1 for _ in same)) for (op, path), same in rows)
        found.append(replace(change, calls=tuple(calls)))
    return tuple(found)
