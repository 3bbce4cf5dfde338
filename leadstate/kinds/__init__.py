"""The kinds of object that leadstate keeps."""

from collections.abc import Iterable, Sequence

from leadstate.core.plan import Change
from leadstate.kinds.kind import Kind
from leadstate.kinds.label import LABEL
from leadstate.kinds.lead import LEAD
from leadstate.kinds.operations import Request

KINDS: tuple[Kind, ...] = (LABEL, LEAD)
"""In dependency order: each kind refers only to kinds before it. Adds go down the list, deletes go up."""

KIND_NAMES: tuple[str, ...] = tuple(kind.name for kind in KINDS)


def kind_named(name: str) -> Kind:
    """The kind that addresses call so."""
    return next(kind for kind in KINDS if kind.name == name)


def calls(change: Change) -> Sequence[Request]:
    """The requests that a change will take, references unresolved: what a plan shows and a forecast counts."""
    return kind_named(change.address.kind).requests(change, str)


def cost(changes: Iterable[Change]) -> int:
    """What applying the changes costs, in API tokens."""
    return sum(request.operation.tokens for change in changes for request in calls(change))
