"""The bounds of what is taken from a server (spec section 10): beyond them an answer is a typed error of its account.

All numbers stand here. What takes an account with no more than the vendor allows is far below each of them.
"""

from dataclasses import dataclass
from typing import Final

DIGITS: Final = 40
"""Digits of a number; the vendor's amounts have 15 at most, and ids fewer."""

EXPONENT: Final = 50
"""Decimal exponent of a number, either way. An integer is not made of `1e999999999`: it would fill all memory."""

DEPTH: Final = 64
"""Objects and lists within each other; the vendor's answers have 6."""

LARGE: Final = 4 * 2**20
"""Bytes from which on the values of an answer are counted before it is parsed; a page of 500 leads has 340 KB."""

VALUES: Final = 500_000
"""Values in a large answer: as Python objects they take up to 50 times the bytes that they had."""

_BRACKETS = b"[]{}"
_ALL_ELSE = bytes(byte for byte in range(256) if byte not in _BRACKETS)


@dataclass(frozen=True, slots=True)
class Bounds:
    """The bounds of one connection; tests give smaller ones.

    Attributes:
        answer: bytes of an answer after decompression.
        seconds: how long a request may take in all, from its first byte to the last one of its answer, every time that
            it is sent counted. A byte now and then is not progress.
        pages: pages of a listing.
        rows: rows of a listing; the vendor keeps 300,000 archived leads at most (Pipedrive support: archiving).
    """

    answer: int = 64 * 2**20
    seconds: float = 60.0
    pages: int = 10_000
    rows: int = 1_000_000


BOUNDS: Final = Bounds()


def is_deep(content: bytes) -> bool:
    """Return whether JSON may be deeper than `DEPTH`; brackets that stand in its texts can make it seem so."""
    brackets = content.translate(None, _ALL_ELSE)
    for _ in range(DEPTH // 2):  # a round takes two levels away at the most
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    return bool(brackets)


def is_deep_value(value: object) -> bool:
    """Return whether a decoded document is deeper than `DEPTH`."""
    level = [value]
    for _ in range(DEPTH):
        level = [
            item
            for holder in level
            for item in (holder.values() if isinstance(holder, dict) else holder if isinstance(holder, list) else ())
            if isinstance(item, dict | list)
        ]
        if not level:
            return False
    return True


def has_many_values(content: bytes) -> bool:
    """Return whether a large answer holds more values than there is memory for."""
    if len(content) < LARGE:
        return False
    return sum(content.count(sign) for sign in (b",", b"[", b"{")) > VALUES
