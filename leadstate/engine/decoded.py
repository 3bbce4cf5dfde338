"""Answers as the objects that they hold; one that holds something else is a `BadAnswer`."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from leadstate.core.resource import Live
from leadstate.kinds.kind import Kind
from leadstate.kinds.operations import Operation
from leadstate.pipedrive.errors import BadAnswer


def decoded(kind: Kind, operation: Operation, rows: Iterable[object]) -> Iterator[Live]:
    """The objects of an answer; `BadAnswer` where one is none."""
    with understood(kind, operation):
        yield from map(kind.decode, rows)


@contextmanager
def understood(kind: Kind, operation: Operation) -> Iterator[None]:
    """`BadAnswer` for an object of an answer that is none."""
    try:
        yield
    except (ValueError, ArithmeticError, RecursionError) as failure:  # pydantic's ValidationError is a ValueError
        raise BadAnswer(operation.id, f"answered a {kind.name} that is none ({type(failure).__name__})") from None
