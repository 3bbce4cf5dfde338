"""What people may write for a custom field: its shape before the field's type is known, its normal form afterwards.

A file is checked offline, where nobody knows the types; they are an account's own. So a value's shape is an error of
the file, and a value that does not fit its field is one of the plan.

A text is taken for any type where it can be read so: variables and cells of tables are texts. Several options stand in
one with `|` between, money as `1200 EUR`, somebody as an email address or a name.
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, StringConstraints, Tag, WithJsonSchema
from pydantic_core import PydanticCustomError

from leadstate.kinds.base import LONGEST_TEXT, Line, calendar_day
from leadstate.kinds.contacts import PersonRef
from leadstate.kinds.custom_field import CustomField
from leadstate.kinds.money import MoneySpec, exact
from leadstate.model.address import Span
from leadstate.model.resource import CustomValue, Lookup, Money, Value, text

LONGEST = 65_000
"""Characters of a long text (Pipedrive documentation: custom field types)."""


def _lines(raw: str) -> str:
    """A text of one or several lines in normal form."""
    normal = text(raw.replace("\r\n", "\n"))
    if not normal:
        raise PydanticCustomError("empty_text", "is empty")
    if any(ord(char) < ord(" ") and char not in "\n\t" for char in normal):
        raise PydanticCustomError("control_character", "holds a control character")
    return normal


Lines = Annotated[str, StringConstraints(max_length=LONGEST), AfterValidator(_lines)]


def _exact(raw: object) -> Decimal:
    if isinstance(raw, bool) or not isinstance(raw, int | Decimal):
        raise PydanticCustomError("custom_value", "no field takes this")
    return exact(raw)


Number = Annotated[Decimal, BeforeValidator(_exact), WithJsonSchema({"type": "number"})]


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
CustomFieldValues = Annotated[
    dict[Line, Shape | None],
    Field(
        description="Custom fields by their name: text, a number, options by their label, money, a contact; or null."
    ),
]


def declared(value: object, span: Span) -> CustomValue:
    """A value as it was written, for the time when its field is known."""
    plain = value.model_dump(exclude_none=True) if isinstance(value, MoneySpec | PersonRef) else value
    return CustomValue(plain, span)


class Unfit(Exception):
    """A value that its field does not take: what is wrong, what to do, and what there is to choose from."""

    def __init__(self, why: str, fix: str, candidates: tuple[str, ...] = ()) -> None:
        super().__init__(why)
        self.fix = fix
        self.candidates = candidates


def normal(field: CustomField, value: CustomValue, span: Span) -> Value:
    """The normal form of what is declared for a field; a description of a person stays one.

    Args:
        field: what it is declared for.
        value: what is declared.
        span: where, for what has to be looked up.

    Raises:
        Unfit: the field does not take it, or is one that cannot be written.
    """
    form = _FORMS.get(field.type)
    if form is None:
        why = f"it is of the type {field.type!r}, and how Pipedrive takes that for leads is not documented"
        raise Unfit(why, "take it out, and fill it in by hand")
    return None if value.value is None or value.value == [] else form(field, value.value, value.span or span)


_Form = Callable[[CustomField, object, Span], Value]


def _short(field: CustomField, value: object, span: Span) -> str:
    found = _long(field, value, span)
    if "\n" in found or len(found) > LONGEST_TEXT:
        raise Unfit(f"it takes one line of {LONGEST_TEXT} characters at most", "write less")
    return found


def _long(_field: CustomField, value: object, _span: Span) -> str:
    if isinstance(value, str):
        return value
    raise Unfit("it takes text", f'write it in quotes: "{value}"' if isinstance(value, Decimal) else "write a text")


_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
"""A number in a text."""


def _number(_field: CustomField, value: object, _span: Span) -> Decimal:
    if isinstance(value, int | Decimal) or (isinstance(value, str) and _NUMBER.fullmatch(value)):
        try:
            return exact(Decimal(value))
        except PydanticCustomError:
            pass
    raise Unfit("it takes a number of 15 significant digits at most", "write it in digits, as in 7 or 7.5")


_CURRENCY = re.compile(r"[A-Z0-9]{3,10}")


def _money(field: CustomField, value: object, span: Span) -> Money:
    if isinstance(value, Mapping) and "amount" in value and "currency" in value:
        return Money(_number(field, value["amount"], span), str(value["currency"]))
    amount, _, currency = value.partition(" ") if isinstance(value, str) else ("", "", "")
    if _NUMBER.fullmatch(amount) and _CURRENCY.fullmatch(currency):
        return Money(_number(field, amount, span), currency)
    raise Unfit("it takes an amount of money", "write {amount: 1200, currency: EUR}")


def _date(_field: CustomField, value: object, _span: Span) -> str:
    try:
        return calendar_day(value)
    except PydanticCustomError:
        raise Unfit("it takes a day of the calendar", "write it like 2026-12-31") from None


_TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?")


def _time(_field: CustomField, value: object, _span: Span) -> str:
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise Unfit("it takes a time of the day", 'write it like "09:30"')
    return found[0] if found[1] else f"{found[0]}:00"


def _option(field: CustomField, value: object, _span: Span) -> str:
    label = _digits(value) if isinstance(value, int | Decimal) else value
    labels = tuple(field.options.values())
    if not isinstance(label, str) or label not in labels:
        what = f"has no option {label!r}" if isinstance(label, str) else "takes one of its options"
        raise Unfit(f"it {what}", "write one of these", labels)
    if labels.count(label) > 1:
        same = tuple(f"{id_}  {one}" for id_, one in field.options.items() if one == label)
        raise Unfit(f"it has several options {label!r}", "rename one of them in Pipedrive", same)
    return label


def _options(field: CustomField, value: object, span: Span) -> tuple[str, ...]:
    if isinstance(value, str):
        value = [value] if value in field.options.values() else [part.strip() for part in value.split("|")]
    if not isinstance(value, list | tuple):
        raise Unfit(
            "it takes a list of its options", "write it in brackets: [ONE, OTHER]", tuple(field.options.values())
        )
    return tuple(sorted({_option(field, item, span) for item in value}))


def _digits(number: int | Decimal) -> str:
    return format(Decimal(number).normalize(), "f")


def _link(kind: str, *known_by: str) -> _Form:
    """A person, organization or user: an id, or what people know of it."""

    def link(_field: CustomField, value: object, span: Span) -> Value:
        if isinstance(value, Mapping) and len(value) == 1:
            by, told = next(iter(value.items()))
            if by in known_by:
                return Lookup(kind, by, str(told), span)
        if isinstance(value, int | Decimal | str) and (id_ := str(value)).isdecimal() and int(id_):
            return int(id_)
        by = "email" if isinstance(value, str) and "@" in value else "name"
        if isinstance(value, str) and by in known_by:
            return Lookup(kind, by, value, span)
        forms = " or ".join(f"{{{by}: …}}" for by in known_by)
        raise Unfit(f"it takes {'an' if kind[0] in 'aeio' else 'a'} {kind}", f"write an id, or {forms}")

    return link


_FORMS: Mapping[str, _Form] = {
    **dict.fromkeys(("varchar", "varchar_auto", "phone"), _short),
    "text": _long,
    "double": _number,
    "monetary": _money,
    "date": _date,
    "time": _time,
    "enum": _option,
    "set": _options,
    "people": _link("person", "email", "name"),
    "org": _link("organization", "name"),
    "user": _link("user", "email"),
}
