"""The kinds of object that leadstate keeps."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Final

from leadstate.kinds.base import Kind, Symbols
from leadstate.kinds.label import LABEL
from leadstate.kinds.lead import LEAD
from leadstate.model.plan import Action, Call, Change
from leadstate.model.resource import CARRIED, CARRIER
from leadstate.pipedrive.operations import Request

KINDS: Final[dict[str, Kind]] = {kind.name: kind for kind in (LABEL, LEAD)}
"""Name → kind, in dependency order: each refers only to those before it. Adds go down the list, deletes go up."""


def register(kind: Kind) -> None:
    """Add a kind. `leadstate.config` makes its models of the kinds as it is imported, so register before that.

    Args:
        kind: it may refer to every kind that is there.

    Raises:
        ValueError: its name or section is taken, or it refers to a kind that is not there.
    """
    if kind.name in KINDS or any(kind.section == other.section for other in KINDS.values()):
        raise ValueError(f"there is a kind {kind.name!r} with the section {kind.section!r} already")
    if unknown := set(kind.references.values()) - KINDS.keys():
        raise ValueError(f"{kind.name!r} refers to kinds that are not there: {', '.join(sorted(unknown))}")
    KINDS[kind.name] = kind


def with_calls(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Return each change with the requests that it will take, references unresolved.

    A listing that several adds or several deletes need just before they are made is read once, and stands at the first
    of them.
    """
    found: list[Change] = []
    listed: set[tuple[str, Action]] = set()
    for change in changes:
        kind = KINDS[change.address.kind]
        first = kind.reread(change)
        shared = first is not None and first.remote_id is None
        before = [] if first is None or (shared and (kind.name, change.action) in listed) else [first]
        if shared:
            listed.add((kind.name, change.action))
        moves = () if change.moves_to is None else _moves(change)
        requests = (*before, *moves, *kind.requests(change, Symbols()))
        rows = groupby((request.operation, request.path) for request in requests)
        calls = (Call(op.id, op.method, path, op.tokens, sum(1 for _ in same)) for (op, path), same in rows)
        found.append(replace(change, calls=tuple(calls)))
    return tuple(found)


def _moves(change: Change) -> Sequence[Request]:
    """Return the requests that give the leads of a deleted label another one: each is read and written, then all read.

    The list of leads shows that none carries the label any more, one that got it meanwhile included. The list of labels
    shows that nobody has changed the label while its leads moved, which may take minutes.
    """
    carrier, leads = KINDS[CARRIER], len(change.carriers or ())
    return (
        *[Request(carrier.one)] * leads,
        *[Request(carrier.operation(Action.UPDATE))] * leads,
        *[Request(carrier.listing)] * change.pages,
        Request(KINDS[CARRIED].listing),
    )
