"""Custom fields: how a company defines them, what its leads may hold in them, and how their bodies word the values.

The normal form of a value, which rows and seeds keep, is an integer for one option, a tuple of integers for several,
and what the API shows for everything else. A companion is a key such as `<key>_currency` beside `<key>`. Whether a user
or contact exists is for `company` to say.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Literal

from leadstate.sandbox.state import checks
from leadstate.sandbox.state.checks import Checker, InvalidError

Value = str | int | float | tuple[int, ...]
"""The value of a custom field, or of one of its companions, in normal form."""


CHOICES = ("enum", "set")
"""The types that have options."""

SHORT, LONG = 255, 65_000
"""Characters in a short and in a long text (Pipedrive OpenAPI: getLeadFields, "up to 255", "up to 65k")."""

READ_ONLY = frozenset({"timerange", "daterange", "address"})
"""Types whose values are shown and can not be written here: how v1 wants them is not documented."""

_OPTION_DIGITS = 18


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a field."""

    id: int
    label: str


@dataclass(frozen=True, slots=True)
class Field:
    """A custom field, by its 40-hex key. One that a seed gives by its key alone has no type and takes any value."""

    code: str
    name: str
    type: str | None = None
    options: tuple[Option, ...] = ()

    @classmethod
    def plain(cls, code: str) -> "Field":
        """Return a field of which nothing but the key is known."""
        return cls(code, code)

    def body(self) -> str | dict[str, Any]:
        """Return the field as a seed writes it."""
        if self.type is None:
            return self.code
        options = {"options": [asdict(option) for option in self.options]} if self.type in CHOICES else {}
        return {"code": self.code, "name": self.name, "type": self.type, **options}


@dataclass(frozen=True, slots=True)
class Wire:
    """How leads' bodies word options: the documents show strings, and nobody has seen a lead with one."""

    enum: Literal["string", "number"] = "string"
    set: Literal["string", "list"] = "string"

    def words(self, kind: str | None, value: Value) -> Any:
        """Return a value in normal form as the body of a lead shows it."""
        if kind == "enum" and self.enum == "string":
            return str(value)
        if isinstance(value, tuple):
            return ",".join(map(str, value)) if self.set == "string" else list(value)
        return value


Fields = Mapping[str, Field]
"""The fields of a company by their keys."""


def _string(value: Any, most: int) -> str:
    """Check a string that is not empty; null unsets (Pipedrive API: empty strings are rejected for some types)."""
    if not checks.text(value):
        raise InvalidError("must not be empty; null unsets it")
    if len(value) > most:
        raise InvalidError(f"must be at most {most} characters long")
    return checks.text(value)


ADDRESS_PARTS = (
    "subpremise",
    "street_number",
    "route",
    "sublocality",
    "locality",
    "admin_area_level_1",
    "admin_area_level_2",
    "country",
    "postal_code",
)
"""Parts of an address, in a custom field and of an organization (Pipedrive API: organizations, custom fields)."""

_TIMEZONE: Mapping[str, Checker] = {"_timezone_id": checks.integer, "_timezone": checks.name}
_COMPANIONS: Mapping[str, Mapping[str, Checker]] = {
    "monetary": {"_currency": checks.name},
    "time": _TIMEZONE,
    "timerange": {"_until": checks.clock, **_TIMEZONE},
    "daterange": {"_until": checks.day},
    "address": {f"_{part}": checks.text for part in (*ADDRESS_PARTS, "formatted_address")},
}
_MAIN: Mapping[str, Checker] = {
    "varchar": partial(_string, most=SHORT),
    "text": partial(_string, most=LONG),
    "phone": partial(_string, most=SHORT),
    "address": partial(_string, most=LONG),
    "double": checks.number,
    "monetary": checks.number,
    "date": checks.day,
    "daterange": checks.day,
    "time": checks.clock,
    "timerange": checks.clock,
    "user": checks.integer,
    "people": checks.integer,
    "org": checks.integer,
}
TYPES = (*_MAIN, *CHOICES)
"""The types that a custom field can have here (Pipedrive docs: custom fields; without `varchar_auto`)."""


def checker_of(key: str, fields: Fields) -> Checker | None:
    """Return the checker for a body's key; None for one that belongs to no field of the company."""
    field = fields.get(checks.custom_base(key) or "")
    if field is None:
        return None
    if field.type is None:
        return checks.custom
    if key != field.code:
        return _COMPANIONS.get(field.type, {}).get(key.removeprefix(field.code))
    if field.type == "enum":
        return partial(_option, field)
    return partial(_options, field) if field.type == "set" else _MAIN[field.type]


def check_written(raw: Mapping[str, Any], fields: Fields) -> dict[str, Value | None]:
    """Return the clean values of a request, None where one is to be unset. Raise `InvalidError` that names the key.

    Keys that belong to no field are ignored without a word (Pipedrive docs: adding a lead).
    """
    values: dict[str, Value | None] = {}
    for key, value in raw.items():
        checker, field = checker_of(key, fields), fields.get(checks.custom_base(key) or "")
        if checker is None or field is None:
            continue
        if field.type in READ_ONLY or (field.type == "time" and key != field.code):
            raise InvalidError(f"{key} can not be written")
        try:
            values[key] = None if value is None else checker(value)
        except InvalidError as error:
            raise InvalidError(f"{key} {error}") from None
    if problem := next(find_unpaired(values, fields), None):
        raise InvalidError(" ".join(problem))
    return values


def find_unpaired(values: Mapping[str, Value | None], fields: Fields) -> Iterator[tuple[str, str]]:
    """Yield amounts without a currency and currencies without an amount, as (key, what is wrong with it)."""
    for key in values:
        field = fields[checks.custom_base(key) or ""]
        if field.type != "monetary":
            continue
        amount, currency = values.get(field.code), values.get(f"{field.code}_currency")
        unset = field.code in values and amount is None and currency is None
        if not unset and (amount is None or currency is None):
            yield key, f"needs both {field.code} and {field.code}_currency"


def merge_custom(before: Mapping[str, Value], given: Mapping[str, Value | None]) -> dict[str, Value]:
    """Return custom fields after a change: None unsets a field and its companions such as `<key>_currency`."""
    gone = {key for key, value in given.items() if value is None}
    kept = {key: value for key, value in before.items() if key not in gone and checks.custom_base(key) not in gone}
    return kept | {key: value for key, value in given.items() if value is not None}


def _option(field: Field, value: Any) -> int:
    """Check the id of an option, given as a number or in digits."""
    ids = [option.id for option in field.options]
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _OPTION_DIGITS:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value not in ids:
        raise InvalidError(f"must be the id of an option: {', '.join(map(str, ids))}")
    return value


def _options(field: Field, value: Any) -> tuple[int, ...]:
    """Check option ids in an array or in a comma-separated string; they are kept in the field's order, each once."""
    if not isinstance(value, list | str):
        raise InvalidError("must be an array of option ids, or a string of them with commas between")
    if not value:
        raise InvalidError("must not be empty; null unsets it")
    chosen = {_option(field, item) for item in (value.split(",") if isinstance(value, str) else value)}
    return tuple(option.id for option in field.options if option.id in chosen)
