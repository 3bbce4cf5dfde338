"""The kinds of object that leadstate keeps."""

from collections.abc import Iterable

from leadstate.kinds.base import Kind, Symbols
from leadstate.kinds.label import LABEL
from leadstate.kinds.lead import LEAD
from leadstate.model.plan import Action, Change
from leadstate.pipedrive.operations import Request

KINDS: tuple[Kind, ...] = (LABEL, LEAD)
"""In dependency order: each kind refers only to kinds before it. Adds go down the list, deletes go up."""

KIND_NAMES: tuple[str, ...] = tuple(kind.name for kind in KINDS)


def kind_named(name: str) -> Kind:
    """The kind that addresses call so."""
    return next(kind for kind in KINDS if kind.name == name)


def calls(changes: Iterable[Change]) -> list[tuple[Change, list[Request]]]:
    """Each change with the requests that it will take, references unresolved: what a plan shows and a forecast counts.

    A listing that several adds or several deletes need just before they are made is read once, and stands at the first
    of them.
    """
    found: list[tuple[Change, list[Request]]] = []
    listed: set[tuple[str, Action]] = set()
    for change in changes:
        kind = kind_named(change.address.kind)
        first = kind.reread(change)
        shared = first is not None and first.remote_id is None
        before = [] if first is None or (shared and (kind.name, change.action) in listed) else [first]
        if shared:
            listed.add((kind.name, change.action))
        found.append((change, [*before, *kind.moves(change), *kind.requests(change, Symbols())]))
    return found


def cost(changes: Iterable[Change]) -> int:
    """What applying the changes costs, in rate-limit tokens."""
    return sum(request.operation.tokens for _, requests in calls(changes) for request in requests)
