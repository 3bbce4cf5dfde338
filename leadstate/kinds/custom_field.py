"""Custom fields as an account defines them: names and options to keys and ids and back.

Leads have the custom fields of deals. In the body of a lead a value stands at the top, under the field's key of 40
hexadecimal digits; one that is not set is not there. Options are told as numbers or as strings, several of them as a
list or with commas between: all of these are read (Pipedrive API v1: getLeads, addLead).

Knows no ranges and no addresses: how they are written is documented nowhere.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import Field, ValidationError

from leadstate.kinds.base import Wire
from leadstate.kinds.money import number_of, within_bounds
from leadstate.model.resource import CUSTOM, Attrs, Money, Value, text

_DIGITS = 40
UNREADABLE = "unreadable"
"""The type of a field whose row in the list is malformed."""

_KEY = re.compile(rf"[0-9a-f]{{{_DIGITS}}}")
_CURRENCY = "_currency"


@dataclass(frozen=True, slots=True)
class CustomField:
    """One custom field.

    Attributes:
        key: what it is called in bodies.
        name: what people call it.
        type: the vendor's word for it.
        options: id → label, in normal form.
    """

    key: str
    name: str
    type: str
    options: Mapping[int, str] = field(default_factory=dict)


class _Option(Wire):
    id: int
    label: str


class _Row(Wire):
    field_code: str
    field_name: str
    field_type: str
    options: Annotated[list[_Option] | None, Field(default=None)]


def decode(raw: object) -> CustomField | None:
    """Return one row of the list of deal fields (Pipedrive API v2: getDealFields).

    None for a field that every account has, and for a row without a name. A malformed row is a field of the type
    `UNREADABLE`: it concerns only those who declare that name.
    """
    if isinstance(raw, dict) and isinstance(raw.get("field_code"), str) and not _KEY.fullmatch(raw["field_code"]):
        return None
    try:
        row = _Row.model_validate(raw)
    except ValidationError:
        name = raw.get("field_name") if isinstance(raw, dict) else None
        return CustomField("", text(name), UNREADABLE) if isinstance(name, str) else None
    options = {option.id: text(option.label) for option in row.options or ()}
    return CustomField(row.field_code, text(row.field_name), row.field_type, options)


def answered(raw: Mapping[str, Any]) -> Mapping[str, object]:
    """The custom fields in the body of a lead, and what stands beside them such as `<key>_currency`."""
    return {key: value for key, value in raw.items() if _KEY.match(key)}


class CustomFields:
    """The custom fields of one account."""

    def __init__(self, fields: Iterable[CustomField], used: Iterable[str] = ()) -> None:
        """`used` are the names of those that are declared: where one is not set, it is read as None."""
        self._named: defaultdict[str, list[CustomField]] = defaultdict(list)
        for custom in fields:
            self._named[custom.name].append(custom)
        self._known = {
            group[0].key: group[0] for group in self._named.values() if len(group) == 1 and group[0].type in _FORMS
        }
        self._used = {f"{CUSTOM}{name}": None for name in used}

    @property
    def names(self) -> list[str]:
        """What they are called, in order of name."""
        return sorted(self._named)

    def named(self, name: str) -> list[CustomField]:
        """The fields of this name; nothing keeps people from making two."""
        return self._named.get(name, [])

    def unreadable(self, key: str) -> str:
        """Return why the value that a body has under this key is not read; nothing if it is."""
        if key[:_DIGITS] in self._known:
            return ""
        found = next((field for same in self._named.values() for field in same if field.key == key[:_DIGITS]), None)
        if found is None:
            return f"the custom field {key[:_DIGITS]} does not exist any more"
        if len(self._named[found.name]) > 1:
            return f"the custom field {found.name!r}: there are {len(self._named[found.name])} of this name"
        return f"the custom field {found.name!r} is of the type {found.type!r}, which leadstate does not write"

    def using(self, names: Iterable[str]) -> "CustomFields":
        """The same, with other names in use too."""
        fields = (field for same in self._named.values() for field in same)
        return CustomFields(fields, [*(name.removeprefix(CUSTOM) for name in self._used), *names])

    def read(self, answered: Mapping[str, object]) -> Attrs:
        """Attributes from what a lead's body says; None for a field in use that is not set."""
        attrs: dict[str, Value] = dict(self._used)
        for key, raw in answered.items():
            known = self._known.get(key)
            if known is not None and raw not in (None, "", []):
                attrs[f"{CUSTOM}{known.name}"] = _read(known, raw, answered)
        return attrs

    def write(self, attribute: str, value: Value) -> Mapping[str, object]:
        """The part of a body that gives a field this value; null unsets it."""
        (known,) = self.named(attribute.removeprefix(CUSTOM))
        match value:
            case Money():
                return {known.key: number_of(value.amount), f"{known.key}{_CURRENCY}": value.currency}
            case Decimal():
                return {known.key: number_of(value)}
            case tuple():
                return {known.key: [_id(known, item) for item in value]}
            case str() if known.type == "enum":
                return {known.key: _id(known, value)}
            case _:
                return {known.key: value}


def _id(known: CustomField, label: Value) -> int:
    return next(id_ for id_, one in known.options.items() if one == label)


def _read(known: CustomField, raw: object, answered: Mapping[str, object]) -> Value:
    """The normal form of a value. What makes no sense is kept as a text, which equals nothing that is declared."""
    try:
        return _FORMS[known.type](known, raw, answered)
    except (ValueError, TypeError, InvalidOperation):
        return f"? {raw!s}"[:100]


def _text(_known: CustomField, raw: object, _answered: Mapping[str, object]) -> Value:
    if not isinstance(raw, str | int | Decimal):
        raise TypeError
    return text(str(raw).replace("\r\n", "\n")) or None


def _number(_known: CustomField, raw: object, _answered: Mapping[str, object]) -> Decimal:
    if isinstance(raw, bool) or not isinstance(raw, str | int | Decimal):
        raise TypeError
    return within_bounds(Decimal(raw))


def _money(known: CustomField, raw: object, answered: Mapping[str, object]) -> Value:
    return Money(_number(known, raw, answered), str(answered.get(f"{known.key}{_CURRENCY}") or ""))


_TIME = re.compile(r"(\d\d:\d\d)(:\d\d)?")


def _time(_known: CustomField, raw: object, _answered: Mapping[str, object]) -> Value:
    found = _TIME.fullmatch(str(raw))
    if found is None:
        raise ValueError
    return found[1] + (found[2] or ":00")


def _whole(raw: object) -> int:
    """An id: a number, its digits, or an object that holds it, as deals tell linked contacts and users."""
    if isinstance(raw, Mapping):
        raw = raw.get("value", raw.get("id"))
    if isinstance(raw, bool) or not isinstance(raw, str | int):
        raise TypeError
    return int(raw)


def _link(_known: CustomField, raw: object, _answered: Mapping[str, object]) -> Value:
    return _whole(raw)


def _label(known: CustomField, raw: object) -> str:
    id_ = _whole(raw)
    return known.options.get(id_, f"option {id_}")


def _one_option(known: CustomField, raw: object, _answered: Mapping[str, object]) -> Value:
    return _label(known, raw)


def _some_options(known: CustomField, raw: object, _answered: Mapping[str, object]) -> Value:
    items = raw if isinstance(raw, list) else str(raw).split(",")
    return tuple(sorted({_label(known, item) for item in items}))


_FORMS: Mapping[str, Callable[[CustomField, object, Mapping[str, object]], Value]] = {
    **dict.fromkeys(("varchar", "varchar_auto", "text", "phone", "date"), _text),
    "double": _number,
    "monetary": _money,
    "time": _time,
    "enum": _one_option,
    "set": _some_options,
    **dict.fromkeys(("people", "org", "user"), _link),
}
"""The types that are managed."""
