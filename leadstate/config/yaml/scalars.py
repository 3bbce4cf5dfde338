"""What a plain scalar means: the core schema of YAML 1.2 (section 10.3), and nothing of YAML 1.1.

`on`, `no`, `1_000` and dates are text. Numbers with a point are Decimal, so that 0.1 stays 0.1.
"""

import re
from decimal import Decimal, InvalidOperation
from typing import Final

LONGEST_INT: Final = 40
"""int() of long text is quadratic and refuses 4,300 digits; Decimal takes any, and no field takes such a number."""

CONSTANTS: Final[dict[str, object]] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), Decimal("Infinity")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), Decimal("-Infinity")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), Decimal("NaN")),
}
_INT = re.compile(r"[-+]?[0-9]+")
_OCTAL_OR_HEX = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NUMERIC = frozenset("+-.0123456789")


def resolve(text: str) -> object:
    """The value of a plain scalar: str, int, Decimal, bool or None."""
    if text in CONSTANTS:
        return CONSTANTS[text]
    if text[0] not in _NUMERIC:
        return text
    if _INT.fullmatch(text):
        return int(text) if len(text) <= LONGEST_INT else _decimal(text)
    if _FLOAT.fullmatch(text):
        return _decimal(text)
    if len(text) <= LONGEST_INT and _OCTAL_OR_HEX.fullmatch(text):
        return int(text, 0)
    return text


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        # An exponent beyond what Decimal holds. Whatever is asked for, this is no usable number.
        return Decimal("Infinity")
