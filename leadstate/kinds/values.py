"""Values that several kinds share: amounts of money and references to people.

Amounts are exact, and small enough to travel as JSON numbers.
"""

from collections.abc import Mapping
from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow, Subnormal
from typing import Annotated, Self, TypeAlias

from pydantic import BeforeValidator, ConfigDict, Discriminator, Field, Tag, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from leadstate.kinds.base import Line, RemoteId, Spec
from leadstate.pipedrive.operations import EXPONENT

EXACT_DIGITS = 15
"""Amounts travel as JSON numbers, which every reader holds exactly up to 15 significant digits (IEEE 754 double)."""
_EXACT = Context(prec=EXACT_DIGITS, traps=[Inexact, Overflow, Subnormal, InvalidOperation])
"""Says so where a number has more digits, or is too large or small, instead of rounding it."""


def exact(raw: object) -> Decimal:
    """The normal form of a number; an error where it is none, or has more digits than travel."""
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


def within_bounds(number: Decimal) -> Decimal:
    """Return the normal form of a number that was answered as a text, which the bounds of JSON numbers do not reach.

    Raises:
        ValueError: it is not finite, or no account can hold it; writing out its digits would take for ever.
    """
    if not number.is_finite() or abs(number.adjusted()) > EXPONENT:
        raise ValueError("a number is out of bounds")
    return number.normalize()


def number_of(amount: Decimal) -> int | float:
    """The JSON number of an amount in normal form."""
    return int(amount) if amount == amount.to_integral_value() else float(amount)


Amount = Annotated[Decimal, BeforeValidator(exact), WithJsonSchema({"type": "number"})]
Currency = Annotated[str, Field(pattern=r"^[A-Z0-9]{3,10}$", description="ISO 4217 code, or that of a custom one.")]


class MoneySpec(Spec):
    """An amount of a currency."""

    amount: Amount
    currency: Currency


EMAIL = r"^[^@\s]+@[^@\s]+$"


class PersonRef(Spec):
    """A person by email address or by name."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    email: Annotated[str | None, Field(pattern=EMAIL, description="An email address that one person has.")] = None
    name: Annotated[Line | None, Field(description="A name that one person bears.")] = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.email is None) == (self.name is None):
            raise PydanticCustomError("person_ref", "a person is known by an `email` or by a `name`")
        return self


class OrganizationRef(Spec):
    """An organization by name."""

    name: Annotated[Line, Field(description="A name that one organization bears.")]


class UserRef(Spec):
    """A user by email address."""

    email: Annotated[str, Field(pattern=EMAIL, description="The email address that the user logs in with.")]


def _known_by(raw: object) -> str:
    return "(description)" if isinstance(raw, Mapping | Spec) else "(id)"


Person: TypeAlias = Annotated[
    Annotated[RemoteId, Tag("(id)")] | Annotated[PersonRef, Tag("(description)")], Discriminator(_known_by)
]
Organization: TypeAlias = Annotated[
    Annotated[RemoteId, Tag("(id)")] | Annotated[OrganizationRef, Tag("(description)")], Discriminator(_known_by)
]
Owner: TypeAlias = Annotated[
    Annotated[RemoteId, Tag("(id)")] | Annotated[UserRef, Tag("(description)")], Discriminator(_known_by)
]
