"""The custom fields of a seed document, and how the company words their values.

"fields": ["<40 hex>", {"code": "<40 hex>", "name": "Industry", "type": "enum",
                        "options": [{"id": 21, "label": "Retail"}]}],
"wire": {"enum": "string", "set": "string"}
"""

from collections.abc import Mapping
from typing import Any

from leadstate.sandbox.seeds.reading import SeedError, array, checked, place, record, unique
from leadstate.sandbox.state import checks
from leadstate.sandbox.state.checks import Checker, InvalidError
from leadstate.sandbox.state.fields import CHOICES, TYPES, Field, Option, Wire

_OPTION: Mapping[str, Checker] = {"id": checks.integer, "label": checks.name}


def field(raw: Any, path: str) -> Field:
    """A field from its key alone, or from an object. Raises `SeedError`."""
    if isinstance(raw, str):
        return Field.plain(checked(raw, _code, path))
    if not isinstance(raw, Mapping):
        raise SeedError(path, "must be the key of a custom field, or an object")
    values = record(
        raw, {"code": _code, "name": checks.name, "type": _type, "options": _any}, ("code", "name", "type"), path
    )
    at = place(path, "options")
    if values["type"] not in CHOICES:
        if "options" in values:
            raise SeedError(at, f"are only for {' and '.join(sorted(CHOICES))}")
        return Field(**values)
    options = tuple(
        Option(**record(option, _OPTION, _OPTION, f"{at}[{i}]")) for i, option in enumerate(array(raw, "options", path))
    )
    if not options:
        raise SeedError(at, "must have at least one option")
    unique((f"{at}[{i}].id", option.id) for i, option in enumerate(options))
    return Field(**{**values, "options": options})


def wire(raw: Any, path: str) -> Wire:
    """The wording from an object; what it leaves out is as the documents have it. Raises `SeedError`."""
    return Wire(**record(raw, {"enum": _one_of("string", "number"), "set": _one_of("string", "list")}, (), path))


def _one_of(*words: str) -> Checker:
    def check(value: Any) -> str:
        if value not in words:
            raise InvalidError(f"must be one of {', '.join(words)}")
        return checks.text(value)

    return check


_type = _one_of(*TYPES)


def _code(value: Any) -> str:
    if checks.custom_base(checks.text(value)) != value:
        raise InvalidError("must be the key of a custom field: 40 hexadecimal digits in lower case")
    return checks.text(value)


def _any(value: Any) -> Any:
    return value
