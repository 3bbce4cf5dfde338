"""Reading a document by hand: keys and values are taken out one by one, and an error names the place of what is wrong.

What a seed holds is in `documents` and `leads`.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from leadstate.sandbox.state.checks import Checker, InvalidError


class SeedError(ValueError):
    """A seed that cannot be used. `path` is the place in the document, such as `companies[0].leads[3].label_ids`."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}" if path else message)
        self.path = path


def read_record(raw: Any, checkers: Mapping[str, Checker], needed: Iterable[str], path: str) -> dict[str, Any]:
    """Return the clean values of an object: no key without a checker, and every required one."""
    check_keys(raw, checkers, path)
    for key in needed:
        if key not in raw:
            raise SeedError(place(path, key), "is missing")
    return {key: check_value(value, checkers[key], place(path, key)) for key, value in raw.items()}


def check_keys(raw: Any, keys: Iterable[str], path: str) -> None:
    """Raise `SeedError` for what is not an object, and for a key that is not one of these."""
    if not isinstance(raw, Mapping):
        raise SeedError(path, "must be an object")
    allowed = tuple(keys)
    for key in raw:
        if key not in allowed:
            raise SeedError(place(path, str(key)), f"is not a key here; there are {', '.join(allowed)}")


def read_required(raw: Mapping[str, Any], key: str, checker: Checker, path: str) -> Any:
    """Return the clean value of a key that has to be there."""
    if key not in raw:
        raise SeedError(place(path, key), "is missing")
    return check_value(raw[key], checker, place(path, key))


def check_value(value: Any, checker: Checker, path: str) -> Any:
    """Return the clean value, or raise a `SeedError` that names its place."""
    try:
        return checker(value)
    except InvalidError as error:
        raise SeedError(path, str(error)) from None


def read_array(raw: Mapping[str, Any], key: str, path: str) -> list[Any]:
    """Return the array under a key; a missing one is empty."""
    value = raw.get(key, [])
    if not isinstance(value, list):
        raise SeedError(place(path, key), "must be an array")
    return value


def check_unique(places: Iterable[tuple[str, object]], what: str = "id", *, secret: bool = False) -> None:
    """Raise `SeedError` where a value comes twice, given as (place, value). A secret one is not shown."""
    seen: dict[object, str] = {}
    for path, value in places:
        if value in seen:
            raise SeedError(path, f"{what if secret else f'{what} {value}'} is taken by {seen[value]}")
        seen[value] = path


def place(path: str, key: str) -> str:
    """Return the place of a key in the object at `path`; the document itself has an empty one."""
    return f"{path}.{key}" if path else key
