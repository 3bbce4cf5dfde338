"""Custom fields: names and options of an account to keys and ids and back, and values as people write them.

Leads have the custom fields of deals. In the body of a lead a value stands at the top, under the field's key of 40
hexadecimal digits; one that is not set is not there. Options are answered as numbers or as strings, several of them as
a list or with commas between: all of these are read (Pipedrive API v1: getLeads, addLead).

Ranges and addresses are not supported: how they are written is documented nowhere.

A file is checked offline, where nobody knows the types; they are an account's own. So a value's shape is an error of
the file, and a value that does not fit its field is one of the plan. A text is taken for any type where it can be read
so: variables and cells of tables are texts. Several options stand in one with `|` between, money as `1200 EUR`,
somebody as an email address or a name.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, TypeAlias

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from leadstate.kinds.base import (
    LONGEST_ID,
    LONGEST_TEXT,
    Line,
    MoneySpec,
    PersonRef,
    TextLimit,
    Wire,
    check_day,
    exact,
    normalize_within_bounds,
    to_json_number,
)
from leadstate.model.address import Span, normalize_text
from leadstate.model.resource import CUSTOM, Attrs, CustomValue, Lookup, Money, Value

_DIGITS = 40
UNREADABLE = "unreadable"
"""The type of a field whose row in the list is malformed."""

LONGEST = 65_000
"""Characters of a long text (Pipedrive documentation: custom field types)."""

_KEY = re.compile(rf"[0-9a-f]{{{_DIGITS}}}")
_CURRENCY = "_currency"
_TIME = re.compile(r"(\d\d:\d\d)(:\d\d)?")

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
"""A declared number in a text."""
_MONEY = re.compile(r"(-?[0-9]+(?:\.[0-9]+)?) ([A-Z0-9]{3,10})")
_DECLARED_TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?")


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
        return CustomField("", normalize_text(name), UNREADABLE) if isinstance(name, str) else None
    options = {option.id: normalize_text(option.label) for option in row.options or ()}
    return CustomField(row.field_code, normalize_text(row.field_name), row.field_type, options)


def select_custom_fields(raw: Mapping[str, Any]) -> Mapping[str, object]:
    """Return the custom fields in the body of a lead, and what stands beside them such as `<key>_currency`."""
    return {key: value for key, value in raw.items() if _KEY.match(key)}


class CustomFields:
    """The custom fields of one account."""

    def __init__(self, fields: Iterable[CustomField], used: Iterable[str] = ()) -> None:
        """`used` are the names of those that are declared: where one is not set, it is read as None."""
        self._named: defaultdict[str, list[CustomField]] = defaultdict(list)
        for custom in fields:
            self._named[custom.name].append(custom)
        self._known = {
            group[0].key: group[0] for group in self._named.values() if len(group) == 1 and group[0].type in _READERS
        }
        self._used = {f"{CUSTOM}{name}": None for name in used}

    @property
    def names(self) -> list[str]:
        """What they are called, in order of name."""
        return sorted(self._named)

    def unwritable(self, key: str, answered: Mapping[str, object]) -> str:
        """Return why what a lead's body says under this key cannot be written again; nothing if it can."""
        key = key[:_DIGITS]
        found = next((field for same in self._named.values() for field in same if field.key == key), None)
        if found is None:
            return f"the custom field {key} does not exist any more"
        attribute = f"{CUSTOM}{found.name}"
        why = self.refusal(attribute, self.read(answered).get(attribute))
        return f"the custom field {found.name!r}: {why}" if why else ""

    def read(self, answered: Mapping[str, object]) -> Attrs:
        """Return attributes from what a lead's body says; None for a field in use that is not set."""
        attrs: dict[str, Value] = dict(self._used)
        for key, raw in answered.items():
            known = self._known.get(key)
            if known is not None and raw not in (None, "", []):
                attrs[f"{CUSTOM}{known.name}"] = _read(known, raw, answered)
        return attrs

    def refusal(self, attribute: str, value: Value) -> str:
        """Return why a field does not accept a value that a live lead has, in normal form; nothing if it does.

        What a field cannot hold any more, such as an option that was deleted, is read as a text that stands for it.
        """
        plain: object = list(value) if isinstance(value, tuple) else value
        if isinstance(value, Money):
            plain = {"amount": value.amount, "currency": value.currency}
        try:
            made = self.normal(attribute.removeprefix(CUSTOM), CustomValue(plain), Span("", 1, 1))
        except Unfit as failure:
            return str(failure)
        return "" if made == value else "it cannot be read"

    def normal(self, name: str, value: CustomValue, span: Span) -> Value:
        """Return the normal form of what is declared for a field; a description of a person stays one.

        Args:
            name: of the field.
            value: what is declared.
            span: where, for what has to be looked up.

        Raises:
            Unfit: there is no field of the name or more than one, it does not take the value, or cannot be written.
        """
        field = self._only(name)
        if field.type not in _TAKERS:
            why = f"it is of the type {field.type!r}, and how Pipedrive takes that for leads is not documented"
            raise Unfit(why, "take it out, and fill it in by hand")
        if value.value is None or value.value == []:
            return None
        return _TAKERS[field.type](field, value.value, value.span or span)

    def _only(self, name: str) -> CustomField:
        named = self._named.get(name, [])
        if not named:
            fix = "write the name of a deal field, which leads have too, or create it in Pipedrive first"
            raise Unfit("no field has this name", fix, tuple(self.names))
        if len(named) > 1:
            candidates = tuple(f"{field.key}  {field.type}" for field in named)
            raise Unfit(f"{len(named)} fields have this name", "rename one of them in Pipedrive", candidates)
        if named[0].type == UNREADABLE:
            why = "the server describes it in a form that cannot be understood"
            raise Unfit(why, "report it; other fields are not affected")
        return named[0]

    def write(self, attribute: str, value: Value) -> Mapping[str, object]:
        """Return the part of a body that gives a field this value; null unsets it."""
        (known,) = self._named[attribute.removeprefix(CUSTOM)]
        match value:
            case Money():
                return {known.key: to_json_number(value.amount), f"{known.key}{_CURRENCY}": value.currency}
            case Decimal():
                return {known.key: to_json_number(value)}
            case tuple():
                return {known.key: [_find_option(known, item) for item in value]}
            case str() if known.type == "enum":
                return {known.key: _find_option(known, value)}
            case _:
                return {known.key: value}


def _find_option(known: CustomField, label: Value) -> int:
    return next(id_ for id_, option in known.options.items() if option == label)


def _read(known: CustomField, raw: object, answered: Mapping[str, object]) -> Value:
    """Return the normal form of a value; what makes no sense is kept as a text, which equals nothing declared."""
    try:
        return _READERS[known.type](known, raw, answered)
    except (ValueError, TypeError, InvalidOperation):
        return f"? {raw!s}"[:100]


def _read_text(_known: CustomField, raw: object, _answered: Mapping[str, object]) -> Value:
    if not isinstance(raw, str | int | Decimal):
        raise TypeError
    return normalize_text(str(raw).replace("\r\n", "\n")) or None


def _read_number(raw: object) -> Decimal:
    if isinstance(raw, bool) or not isinstance(raw, str | int | Decimal):
        raise TypeError
    return normalize_within_bounds(Decimal(raw))


def _read_time(_known: CustomField, raw: object, _answered: Mapping[str, object]) -> Value:
    found = _TIME.fullmatch(str(raw))
    if found is None:
        raise ValueError
    return found[1] + (found[2] or ":00")


def _read_id(raw: object) -> int:
    """Return an id: a number, its digits, or an object that holds it, as deals answer linked contacts and users."""
    if isinstance(raw, Mapping):
        raw = raw.get("value", raw.get("id"))
    if isinstance(raw, bool) or not isinstance(raw, str | int):
        raise TypeError
    return int(raw)


def _read_label(known: CustomField, raw: object) -> str:
    id_ = _read_id(raw)
    return known.options.get(id_, f"option {id_}")


def _read_labels(known: CustomField, raw: object, _answered: Mapping[str, object]) -> Value:
    items = raw if isinstance(raw, list) else str(raw).split(",")
    return tuple(sorted({_read_label(known, item) for item in items}))


_READERS: Mapping[str, Callable[[CustomField, object, Mapping[str, object]], Value]] = {
    **dict.fromkeys(("varchar", "varchar_auto", "text", "phone", "date"), _read_text),
    "double": lambda _known, raw, _answered: _read_number(raw),
    "monetary": lambda known, raw, answered: Money(
        _read_number(raw), str(answered.get(f"{known.key}{_CURRENCY}") or "")
    ),
    "time": _read_time,
    "enum": lambda known, raw, _answered: _read_label(known, raw),
    "set": _read_labels,
    **dict.fromkeys(("people", "org", "user"), lambda _known, raw, _answered: _read_id(raw)),
}
"""The types that are managed."""


def _normalize_lines(raw: str) -> str:
    """Return a text of one or several lines in normal form."""
    normal = normalize_text(raw.replace("\r\n", "\n"))
    if not normal:
        raise PydanticCustomError("empty_text", "is empty")
    if any(ord(char) < ord(" ") and char not in "\n\t" for char in normal):
        raise PydanticCustomError("control_character", "holds a control character")
    return normal


Lines = Annotated[str, AfterValidator(_normalize_lines), TextLimit.length(LONGEST)]


def _check_number(raw: object) -> Decimal:
    if isinstance(raw, bool) or not isinstance(raw, int | Decimal):
        raise PydanticCustomError("custom_value", "no field takes this")
    return exact(raw)


Number = Annotated[Decimal, BeforeValidator(_check_number), WithJsonSchema({"type": "number"})]


def _shape(raw: object) -> str:
    match raw:
        case str():
            return "(text)"
        case list():
            return "(options)"
        case Mapping() if "amount" in raw or "currency" in raw:
            return "(money)"
        case MoneySpec():
            return "(money)"
        case Mapping() | PersonRef():
            return "(contact)"
        case _:
            return "(number)"


Shape: TypeAlias = Annotated[
    Annotated[Lines, Tag("(text)")]
    | Annotated[Number, Tag("(number)")]
    | Annotated[list[Line], Tag("(options)")]
    | Annotated[MoneySpec, Tag("(money)")]
    | Annotated[PersonRef, Tag("(contact)")],
    Discriminator(_shape),
]


def _refuse_equal_names(raw: object) -> object:
    """Refuse two names that are one in normal form: one value would be lost."""
    if isinstance(raw, Mapping):
        seen: set[str] = set()
        for name in map(normalize_text, filter(lambda key: isinstance(key, str), raw)):
            if name in seen:
                raise PydanticCustomError(
                    "same_name", "holds the name `{name}` twice, white space around it aside", {"name": name}
                )
            seen.add(name)
    return raw


CustomFieldValues = Annotated[
    dict[Line, Shape | None],
    BeforeValidator(_refuse_equal_names),
    Field(
        description="Custom fields by their name: text, a number, options by their label, money, a contact; or null."
    ),
]


def keep_as_written(value: object, span: Span) -> CustomValue:
    """Return a value as it was written, for the time when its field is known."""
    plain = value.model_dump(exclude_none=True) if isinstance(value, MoneySpec | PersonRef) else value
    return CustomValue(plain, span)


class Unfit(Exception):
    """A value that its field does not take: what is wrong, what to do, and what there is to choose from."""

    def __init__(self, why: str, fix: str, candidates: tuple[str, ...] = ()) -> None:
        super().__init__(why)
        self.fix = fix
        self.candidates = candidates


def _take_line(field: CustomField, value: object, span: Span) -> str:
    found = _take_text(field, value, span)
    if "\n" in found or len(found) > LONGEST_TEXT:
        raise Unfit(f"it takes one line of {LONGEST_TEXT} characters at most", "write less")
    return found


def _take_text(_field: CustomField, value: object, _span: Span) -> str:
    if isinstance(value, str):
        return value
    raise Unfit("it takes text", f'write it in quotes: "{value}"' if isinstance(value, Decimal) else "write a text")


def _take_number(_field: CustomField, value: object, _span: Span) -> Decimal:
    if isinstance(value, int | Decimal) or (isinstance(value, str) and _NUMBER.fullmatch(value)):
        with suppress(PydanticCustomError):
            return exact(Decimal(value))
    raise Unfit("it takes a number of 15 significant digits at most", "write it in digits, as in 7 or 7.5")


def _take_money(field: CustomField, value: object, span: Span) -> Money:
    if isinstance(value, Mapping) and "amount" in value and "currency" in value:
        return Money(_take_number(field, value["amount"], span), str(value["currency"]))
    found = _MONEY.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise Unfit("it takes an amount of money", "write {amount: 1200, currency: EUR}")
    return Money(_take_number(field, found[1], span), found[2])


def _take_date(_field: CustomField, value: object, _span: Span) -> str:
    with suppress(PydanticCustomError):
        return check_day(value)
    raise Unfit("it takes a day of the calendar", "write it like 2026-12-31")


def _take_time(_field: CustomField, value: object, _span: Span) -> str:
    found = _DECLARED_TIME.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise Unfit("it takes a time of the day", 'write it like "09:30"')
    return found[0] if found[1] else f"{found[0]}:00"


def _take_option(field: CustomField, value: object, _span: Span) -> str:
    label = format(Decimal(value).normalize(), "f") if isinstance(value, int | Decimal) else value
    labels = tuple(field.options.values())
    if not isinstance(label, str) or label not in labels:
        what = f"has no option {label!r}" if isinstance(label, str) else "takes one of its options"
        raise Unfit(f"it {what}", "write one of these", labels)
    if labels.count(label) > 1:
        same = tuple(f"{id_}  {option}" for id_, option in field.options.items() if option == label)
        raise Unfit(f"it has several options {label!r}", "rename one of them in Pipedrive", same)
    return label


def _take_options(field: CustomField, value: object, span: Span) -> tuple[str, ...]:
    labels = tuple(field.options.values())
    if isinstance(value, str):
        value = [value] if value in labels else [part.strip() for part in value.split("|")]
    if not isinstance(value, list | tuple):
        raise Unfit("it takes a list of its options", "write it in brackets: [ONE, OTHER]", labels)
    return tuple(sorted({_take_option(field, item, span) for item in value}))


def _take_link(kind: str, *known_by: str) -> Callable[[CustomField, object, Span], Value]:
    """Return the function for a person, organization or user: an id, or what people know of it."""

    def link(_field: CustomField, value: object, span: Span) -> Value:
        if isinstance(value, Mapping) and len(value) == 1:
            by, text = next(iter(value.items()))
            if by in known_by:
                return Lookup(kind, by, str(text), span)
        id_ = str(value) if isinstance(value, int | Decimal | str) else ""
        if id_.isdecimal() and len(id_) <= LONGEST_ID and int(id_):
            return int(id_)
        by = "email" if isinstance(value, str) and "@" in value else "name"
        if isinstance(value, str) and by in known_by:
            return Lookup(kind, by, value, span)
        forms = " or ".join(f"{{{by}: …}}" for by in known_by)
        raise Unfit(f"it takes {'an' if kind[0] in 'aeio' else 'a'} {kind}", f"write an id, or {forms}")

    return link


_TAKERS: Mapping[str, Callable[[CustomField, object, Span], Value]] = {
    **dict.fromkeys(("varchar", "varchar_auto", "phone"), _take_line),
    "text": _take_text,
    "double": _take_number,
    "monetary": _take_money,
    "date": _take_date,
    "time": _take_time,
    "enum": _take_option,
    "set": _take_options,
    "people": _take_link("person", "email", "name"),
    "org": _take_link("organization", "name"),
    "user": _take_link("user", "email"),
}
