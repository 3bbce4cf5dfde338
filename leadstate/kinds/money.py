"""Amounts of money: exact, and small enough to travel as JSON numbers."""

from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow, Subnormal
from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from leadstate.kinds.base import Spec
from leadstate.pipedrive.bounds import EXPONENT

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
