"""How a live value is written in YAML: in the form that people use, on one line, in quotes only where it needs them.

Refuses what no YAML file can hold: lone surrogates.
"""

import re
import unicodedata
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any, Final

from leadstate.config.yaml.nodes import resolve
from leadstate.kinds.lead import LEAD
from leadstate.kinds.lead_spec import Visibility, visibility
from leadstate.model.errors import LeadstateError
from leadstate.model.resource import Money

_INDICATORS = frozenset(",[]{}#&*!|>'\"%@`")
"""A plain text begins with none of these (YAML 1.2, section 7.3.3)."""
_UNSURE_START = frozenset("-?:")
"""With these only where something other than a space follows."""
_IN_FLOW = re.compile(r"[,\[\]{}]|[\s\"':]:|[\s\"'?]\?|[:?](?=[\"'])")
"""What ends a plain text within brackets; and what libyaml, which reads us, refuses there though YAML 1.2 does not."""
_ANYWHERE = re.compile(r":(?=\s|$)|\s#|^(?:---|\.\.\.)(?=\s|$)|^<<$")
_FITS = re.compile("[\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]*")
_HIDDEN: Final = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
_JOINERS: Final = "\u200c\u200d"
"""Emoji and some scripts need these two."""
_SHORT: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_TWO_DIGITS, _FOUR_DIGITS = 0x100, 0x10000


class UnwritableError(LeadstateError):
    """A value that no YAML file can hold."""

    code = "unwritable"


def written(value: object, *, quote: str = "", flow: bool = True) -> str:
    """The text of a value.

    Args:
        value: plain Python as `nodes` reads it.
        quote: the quotes that a text stood in before, which it keeps.
        flow: whether it stands within brackets.
    """
    match value:
        case Mapping():
            inner = ", ".join(f"{written(key)}: {written(item)}" for key, item in value.items())
            form = f"{{{inner}}}"
        case list() | tuple():
            form = f"[{', '.join(written(item) for item in value)}]"
        case str():
            form = _text(value, quote, flow=flow)
        case None:
            form = "null"
        case bool():
            form = "true" if value else "false"
        case Decimal():
            form = format(value, "f") if value.is_finite() else _unwritable(value)
        case _:
            form = str(value)
    return form


def _text(text: str, quote: str, *, flow: bool) -> str:
    if any(unicodedata.category(char) == "Cs" for char in text):
        return _unwritable(text)
    harmless = _is_harmless(text)
    if quote == "'" and harmless:
        return "'" + text.replace("'", "''") + "'"
    if quote != '"' and harmless and _is_plain(text, flow=flow):
        return text
    return '"' + "".join(_escaped(char) for char in text) + '"'


def _is_harmless(text: str) -> bool:
    """Whether every character can be seen and stand in a file as it is."""
    return _FITS.fullmatch(text) is not None and not any(_is_hidden(char) for char in text)


def _is_plain(text: str, *, flow: bool) -> bool:
    if not text or text != text.strip() or text[0] in _INDICATORS:
        return False
    if text[0] in _UNSURE_START and (len(text) == 1 or text[1].isspace() or (flow and text[0] != "-")):
        return False
    if _ANYWHERE.search(text) or (flow and (_IN_FLOW.search(text) or text[-1] in "?:")):
        return False
    return isinstance(resolve(text), str)


def _is_hidden(char: str) -> bool:
    return char not in _JOINERS and unicodedata.category(char) in _HIDDEN


def _escaped(char: str) -> str:
    if char in _SHORT:
        return _SHORT[char]
    if _FITS.fullmatch(char) and not _is_hidden(char):
        return char
    code = ord(char)
    if code < _TWO_DIGITS:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < _FOUR_DIGITS else f"\\U{code:08x}"


def _unwritable(value: object) -> str:
    raise UnwritableError(f"{value!a} cannot be written into a YAML file", hint="change it in Pipedrive first")


LONGEST: Final = 50
"""Characters: with a namespace, which has as many at most, within what a marker may have."""


def readable_key(title: str, taken: Collection[str]) -> str:
    """A key that says what the lead is called; numbered where others are called so too."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[: LONGEST - len("-10000")].strip("-") or LEAD.name
    number, key = 1, stem
    while key in taken:
        number += 1
        key = f"{stem}-{number}"
    return key


_WORDS: Final[tuple[Visibility, ...]] = ("owner", "group", "subgroups", "company")


def visible_to(number: int, plan: Any, before: object = "") -> object:
    """In words where the account's plan has one, and no number was written before."""
    words = [word for word in _WORDS if visibility(word, plan) == number]
    return words[0] if words and isinstance(before, str) else number


def plainly(value: object, before: Any = None) -> object:
    """A value in plain Python, as YAML holds it; an amount that stays keeps its digits."""
    match value:
        case Money():
            amount = plainly(value.amount)
            if isinstance(before, Mapping) and before.get("amount") == amount:
                amount = before["amount"]
            return {"amount": amount, "currency": value.currency}
        case Decimal():
            return int(value) if value == value.to_integral_value() else value
        case tuple():
            return list(value)
    return value
