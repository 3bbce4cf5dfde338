"""Answers as the objects that they hold; a malformed row is a `BadAnswer` that says what is wrong with it."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from pydantic import ValidationError

from leadstate.kinds.base import Kind
from leadstate.model.resource import Live
from leadstate.pipedrive.errors import BadAnswer
from leadstate.pipedrive.operations import Operation

_EXPECTED: Final = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "decimal_type": "a number",
    "decimal_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
}
"""Pydantic's error type → what it expects."""


def decoded(kind: Kind, operation: Operation, rows: Iterable[object]) -> Iterator[Live]:
    """Yield the objects of an answer; raise `BadAnswer` at a malformed row."""
    with understood(kind, operation):
        yield from map(kind.decode, rows)


@contextmanager
def understood(kind: Kind, operation: Operation) -> Iterator[None]:
    """Raise `BadAnswer` for a malformed object of an answer."""
    try:
        yield
    except (ValueError, ArithmeticError, RecursionError) as failure:  # pydantic's ValidationError is a ValueError
        raise BadAnswer(operation.id, f"answered a malformed {kind.name}: {describe(failure)}") from None


def describe(failure: Exception) -> str:
    """Return what is wrong with a row, in words that hold nothing of what it says."""
    if not isinstance(failure, ValidationError):
        return "a value in it is out of range"
    error = failure.errors()[0]
    row = f"in row {error['loc'][0] + 1}, " if error["loc"] and isinstance(error["loc"][0], int) else ""
    path = ".".join(str(step) for step in error["loc"][1 if row else 0 :])
    expected = _EXPECTED.get(error["type"])
    if error["type"] == "missing":
        return f"{row}`{path}` is missing"
    if not path:
        return f"{row}it is not an object"
    return f"{row}`{path}` is not {expected}" if expected else f"{row}`{path}` is not valid"
