"""What can be done to a file's values, as data, and what the values are afterwards. Knows nothing of text.

Refuses a path that leads through something that is no mapping or list.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias

Path: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Set:
    """Give the value at a path; keys that are not there yet, those on the way included, are made."""

    path: Path
    value: object


@dataclass(frozen=True, slots=True)
class Remove:
    """Take the key at the end of a path away."""

    path: Path


@dataclass(frozen=True, slots=True)
class Append:
    """Add items to the end of a list at the top of the file, which is made where there is none."""

    key: str
    items: tuple[object, ...]


Edit: TypeAlias = Set | Remove | Append


def edited(data: Mapping[str, Any], edits: Sequence[Edit]) -> dict[str, Any]:
    """The values after the edits, one after the other; what was given stays as it was."""
    result: dict[str, Any] = dict(data)
    for edit in edits:
        match edit:
            case Set():
                result = _put(result, edit.path, edit.value)
            case Remove():
                result = _drop(result, edit.path)
            case Append():
                result[edit.key] = [*(result.get(edit.key) or ()), *edit.items]
    return result


def _put(data: Any, path: Path, value: object) -> Any:
    if not path:
        return value
    step, *rest = path
    if isinstance(step, int):
        return [*data[:step], _put(data[step], tuple(rest), value), *data[step + 1 :]]
    below: Mapping[str, Any] = {} if data is None else data
    return {**below, step: _put(below.get(step), tuple(rest), value)}


def _drop(data: Any, path: Path) -> Any:
    step, *rest = path
    if rest:
        return _put(data, (step,), _drop(data[step], tuple(rest)))
    return {key: value for key, value in data.items() if key != step}


def same(this: object, other: object) -> bool:
    """Whether two values are the same in a YAML file, where `1`, `1.0` and `true` are three."""
    if isinstance(this, dict) and isinstance(other, dict):
        return this.keys() == other.keys() and all(same(value, other[key]) for key, value in this.items())
    if isinstance(this, list) and isinstance(other, list):
        return len(this) == len(other) and all(map(same, this, other))
    if isinstance(this, Decimal) and isinstance(other, Decimal):
        return str(this) == str(other)
    return type(this) is type(other) and this == other
