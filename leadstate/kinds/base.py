"""What a kind of object is: a record of data and a few functions. A new kind is a new module and a `register`."""

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow, Subnormal
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError, PydanticKnownError
from pydantic_core.core_schema import no_info_before_validator_function, with_info_after_validator_function

from leadstate.model.account import Prune
from leadstate.model.address import Ref, normalize_text
from leadstate.model.plan import Action, Change
from leadstate.model.resource import Bindings, Live, Value
from leadstate.pipedrive.errors import BadAnswer
from leadstate.pipedrive.operations import EXPONENT, UUID, Operation, Request

_NOT_IN_A_LINE = ("Cc", "Cs", "Zl", "Zp")
"""Control characters, lone surrogates, and the two separators that break lines."""

LONGEST_TEXT = 255
"""Titles are a varchar field, described as up to 255 characters (Pipedrive documentation, custom field types)."""

EXACT_DIGITS = 15
"""Amounts travel as JSON numbers, which every reader holds exactly up to 15 significant digits (IEEE 754 double)."""
_EXACT = Context(prec=EXACT_DIGITS, traps=[Inexact, Overflow, Subnormal, InvalidOperation])
"""Says so where a number has more digits, or is too large or small, instead of rounding it."""

REPLACED: Final = "replaced"
"""The context of a validation in which variables have been replaced, so that `${` is text like other text."""

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


@dataclass(frozen=True, slots=True, eq=False)
class TextLimit:
    """What a text may be, in normal form. One with variables in it is held to it once they are replaced.

    Attributes:
        error: pydantic's type of the error, and its context.
        schema: the limit as JSON schema.
        holds: whether a text is within the limit.
    """

    error: tuple[Literal["string_too_long", "string_pattern_mismatch"], Mapping[str, Any]]
    schema: Mapping[str, object]
    holds: Callable[[str], object]

    @classmethod
    def length(cls, most: int) -> Self:
        """Return the limit of so many characters."""
        return cls(("string_too_long", {"max_length": most}), {"maxLength": most}, lambda text: len(text) <= most)

    @classmethod
    def pattern(cls, pattern: str) -> Self:
        """Return the limit of a pattern."""
        known = {"pattern": pattern}
        return cls(("string_pattern_mismatch", known), known, re.compile(pattern).search)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Check the text after everything else."""
        return with_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return the schema of a text within the limit, or with a variable in it."""
        return {**handler(schema), "anyOf": [dict(self.schema), {"pattern": r"\$\{"}]}

    def _check(self, raw: str, info: ValidationInfo) -> str:
        if not self.holds(raw) and ("${" not in raw or info.context == REPLACED):
            raise PydanticKnownError(self.error[0], dict(self.error[1]))
        return raw


class Symbols(Bindings):
    """Every reference and custom field stands for itself: how a request looks before it is written."""

    def resolve(self, ref: Ref) -> str:
        """Return the reference as text."""
        return str(ref)

    def custom(self, attribute: str, value: Value) -> Mapping[str, object]:
        """Return the attribute as it is."""
        return {attribute: value}


class Spec(BaseModel):
    """Something that people write: nothing unknown, nothing converted."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, defer_build=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind.

    Attributes:
        name: as in addresses.
        section: the key of its list in the configuration, and what `get` calls it.
        description: what it is, as a sentence of the JSON Schema.
        spec: what people write for one object.
        override: what they may write for it in one account.
        stand_ins: harmless values of fields that an object needs, for those of an item that are in error.
        prune: rules by which undeclared objects may be deleted, besides `none`.
        prune_help: what these rules do.
        listing: the operation that lists the live objects.
        one: the operation that reads one of them; the listing where they can only be listed.
        writes: the operations that make changes → what they do.
        wire: attribute → its key in a body.
        decode: one object of an answer to a `Live`; pydantic.ValidationError where it is not one.
        requests: the requests that make a change, in order. Those after an add leave the id open.
        reread: the reading just before a change that would create what a person may have made since the plan, or
            overwrite or delete what a person may have changed; None where nothing can be lost.
        from_plain: an attribute, by name, from the form that reports hold; unless given, it is the same.
        form: the attributes as reports hold them, each with a default; a receipt may have been edited.
        columns: the keys of an answered object that `get` shows.
        references: attributes that list other objects → the kind of those objects.
        needed_to_recreate: the attributes without which a deleted object cannot be created again.
        archive: the operation that lists the objects that nobody can edit any more; None where there are none.
        is_named: whether objects are identified by their name, since they have no field for our marker.
    """

    name: str
    section: str
    description: str
    spec: "type[Item]"
    override: type[Spec]
    listing: Operation
    one: Operation
    writes: Mapping[Operation, Action]
    wire: Mapping[str, str]
    decode: Callable[[object], Live]
    requests: Callable[[Change, Bindings], Sequence[Request]]
    reread: Callable[[Change], Request | None]
    from_plain: Callable[[str, Any], Value] = lambda _name, value: value
    form: type[Spec]
    columns: Sequence[str]
    prune: Sequence[Prune]
    prune_help: str
    stand_ins: Mapping[str, Any] = field(default_factory=dict)
    references: Mapping[str, str] = field(default_factory=dict)
    needed_to_recreate: frozenset[str] = frozenset()
    archive: Operation | None = None
    is_named: bool = False

    def operation(self, action: Action) -> Operation:
        """Return the first operation that makes such changes."""
        return next(operation for operation, does in self.writes.items() if does is action)


class NotNull:
    """For a field that may be left out and cannot be unset: null is refused, and is not in the JSON Schema."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Refuse null before the type is looked at."""
        return no_info_before_validator_function(_refuse_null, handler(source))

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return the schema of the type without null."""
        (only,) = (shape for shape in handler(schema)["anyOf"] if shape != {"type": "null"})
        return dict(only)


def _refuse_null(raw: object) -> object:
    if raw is None:
        raise PydanticCustomError("cannot_unset", "cannot be unset")
    return raw


def _bool_as_text(raw: object) -> object:
    return str(raw) if isinstance(raw, bool) else raw


NotBool: Final = BeforeValidator(_bool_as_text)
"""For a choice among numbers: to Python, true is 1."""


def is_tag(step: str | int) -> bool:
    """Return whether a step of an error's path is the tag of a union, which nobody has written: `(tag)`."""
    return isinstance(step, str) and step.startswith("(")


class Scoped(Spec):
    """Declared for some accounts: `accounts` (only these) or `except` (all but these); names or `tag:TAG`."""

    accounts: Annotated[
        list[str] | None, Field(description="Only in these accounts: names, or tag:TAG.", min_length=1), NotNull
    ] = None
    except_: Annotated[
        list[str] | None, Field(alias="except", description="In all accounts but these.", min_length=1), NotNull
    ] = None

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return the schema with the fields of its own first, and those that say where it is declared last."""
        made = handler(schema)
        shape = handler.resolve_ref_schema(made)
        properties = shape["properties"]
        properties |= {name: properties.pop(name) for name in ("accounts", "except", "overrides") if name in properties}
        # One or the other; neither is fine too.
        shape["not"] = {"required": ["accounts", "except"]}
        return made


class Item(Scoped):
    """An item of a kind's list."""

    overrides: Annotated[Mapping[str, Spec], Field(description="Account name → what is different there.")] = Field(
        default_factory=dict
    )


class Wire(BaseModel):
    """Something that Pipedrive answers: what we know is checked, what we do not know is passed over."""

    # Most runs meet few of these models, and building one takes milliseconds.
    model_config = ConfigDict(extra="ignore", frozen=True, coerce_numbers_to_str=True, defer_build=True)


def normalize_line(raw: str) -> str:
    """Return the normal form of a name or title; raise an error if it is empty or holds a control character."""
    normal = normalize_text(raw)
    if not normal:
        raise PydanticCustomError("empty_text", "is empty")
    # No such character is printable, and whether a text is takes no time.
    if not normal.isprintable() and any(unicodedata.category(char) in _NOT_IN_A_LINE for char in normal):
        raise PydanticCustomError("control_character", "holds a line break or another control character")
    return normal


def check_day(raw: object) -> str:
    """Return a day as people write it, YYYY-MM-DD; raise an error if there is no such day."""
    if not isinstance(raw, str):
        raise PydanticCustomError("date_type", "a date is written YYYY-MM-DD")
    try:
        day = dt.date.fromisoformat(raw).isoformat()
    except ValueError:
        day = ""
    if raw != day:
        raise PydanticCustomError("date_value", "is not a day of the calendar; a date is written YYYY-MM-DD")
    return raw


Day = Annotated[str, BeforeValidator(check_day), WithJsonSchema({"type": "string", "format": "date"})]

Uuid = Annotated[str, Field(pattern=f"^{UUID.pattern}$")]
DECLARED_UUID: Final = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
"""An id that people write: in lower case, as Pipedrive shows it, so that equal ids are equal texts."""
Line = Annotated[str, AfterValidator(normalize_line), TextLimit.length(LONGEST_TEXT)]
Email = Annotated[str, TextLimit.pattern(r"^[^@\s]+@[^@\s]+$")]
RemoteId = Annotated[int, Field(gt=0, lt=2**53)]
LONGEST_ID: Final = 16
"""Digits of an id at most; Python refuses to read numbers of thousands of digits."""


def fields_set(spec: BaseModel) -> Mapping[str, object]:
    """Return the fields that were written, in the model's order; one that was not written is not managed."""
    written = spec.model_fields_set
    return {name: getattr(spec, name) for name in type(spec).model_fields if name in written}


def decode_rows(kind: Kind, operation: Operation, rows: Iterable[object]) -> Iterator[Live]:
    """Yield the objects of an answer; raise `BadAnswer` at a malformed row."""
    with raising_bad_answer(kind, operation):
        yield from map(kind.decode, rows)


@contextmanager
def raising_bad_answer(kind: Kind, operation: Operation) -> Iterator[None]:
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


def exact(raw: object) -> Decimal:
    """Return the normal form of a number; raise an error for anything else, or more digits than travel."""
    if isinstance(raw, bool) or not isinstance(raw, int | Decimal):
        raise PydanticCustomError("amount_type", "an amount is a number without quotes")
    amount = Decimal(raw)
    if not amount.is_finite():
        raise PydanticCustomError("amount_finite", "an amount is a finite number")
    try:
        normal = amount.normalize(_EXACT)
    except ArithmeticError:
        raise PydanticCustomError("amount_digits", "an amount has 15 significant digits at most") from None
    _, digits, exponent = normal.as_tuple()
    if len(digits) + max(0, int(exponent)) > EXACT_DIGITS or int(exponent) < -EXACT_DIGITS:
        raise PydanticCustomError("amount_digits", "an amount has 15 significant digits at most")
    return normal


def normalize_within_bounds(number: Decimal) -> Decimal:
    """Return the normal form of a number that was answered as a text, which the bounds of JSON numbers do not reach.

    Raises:
        ValueError: it is not finite, or no account can hold it; writing out its digits would take for ever.
    """
    if not number.is_finite() or abs(number.adjusted()) > EXPONENT:
        raise ValueError("a number is out of bounds")
    return number.normalize()


def to_json_number(amount: Decimal) -> int | float:
    """Return the JSON number of an amount in normal form."""
    return int(amount) if amount == amount.to_integral_value() else float(amount)


class MoneySpec(Spec):
    """An amount of a currency."""

    amount: Annotated[Decimal, BeforeValidator(exact), WithJsonSchema({"type": "number"})]
    currency: Annotated[str, Field(pattern=r"^[A-Z0-9]{3,10}$", description="ISO 4217 code, or that of a custom one.")]


class PersonRef(Spec):
    """A person by email address or by name."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    email: Annotated[Email | None, Field(description="An email address that one person has.")] = None
    name: Annotated[Line | None, Field(description="A name that one person has.")] = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.email is None) == (self.name is None):
            raise PydanticCustomError("person_ref", "a person is known by an `email` or by a `name`")
        return self
