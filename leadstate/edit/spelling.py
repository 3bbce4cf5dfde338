"""How a live value is written in YAML: in the form that people use, on one line, in quotes only where it needs them.

Refuses what no YAML file can hold: lone surrogates.
"""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final

from leadstate.config.yaml.diagnostics import Diagnostics, Source
from leadstate.config.yaml.nodes import is_words, read_nodes
from leadstate.kinds.lead import Visibility, visibility
from leadstate.model.diagnostics import LeadstateError
from leadstate.model.escape import HIDDEN, quoted
from leadstate.model.resource import CARRIER, Money

LONGEST: Final = 50
"""Characters of a key: with a namespace, which has as many at most, within what a marker may have."""

LIKE_VARIABLE: Final = ("it holds `${`, which would be taken for a variable", "rename it in Pipedrive")
"""Why a live text with `${` cannot be written down, and what to do."""

_VISIBILITIES: Final[tuple[Visibility, ...]] = ("owner", "group", "subgroups", "company")


class UnwritableError(LeadstateError):
    """A value that no YAML file can hold."""

    code = "unwritable"


def spell(value: object, *, quote: str = "", flow: bool = True) -> str:
    """Return the text of a value.

    Args:
        value: plain Python as `nodes` reads it.
        quote: the quotes that a text stood in before, which it keeps.
        flow: whether it stands within brackets.
    """
    match value:
        case Mapping():
            inner = ", ".join(f"{spell(key)}: {spell(item)}" for key, item in value.items())
            form = f"{{{inner}}}"
        case list() | tuple():
            form = f"[{', '.join(spell(item) for item in value)}]"
        case str():
            form = _text(value, quote, flow=flow)
        case None | bool():
            form = json.dumps(value)
        case Decimal():
            form = format(value, "f") if value.is_finite() else _unwritable(value)
        case _:
            form = str(value)
    return form


def _text(text: str, quote: str, *, flow: bool) -> str:
    if any("\ud800" <= char <= "\udfff" for char in text):
        return _unwritable(text)
    if quote != '"' and not HIDDEN.search(text):
        if quote == "'":
            return "'" + text.replace("'", "''") + "'"
        # Space of other scripts at an end is not seen without quotes, and is easily lost.
        if text == text.strip() and _is_plain(text, flow=flow):
            return text
    return quoted(text)


@cache
def _is_plain(text: str, *, flow: bool) -> bool:
    """Return whether our own reader takes a text without quotes for itself: as a key, as an item and as a value."""
    if is_words(text):
        return True
    inner, value = (f"[{{{text}: {text}}}, [{text}], {text}]", [{text: text}, [text], text]) if flow else (text, text)
    source = Source("", f"{text}:\n- {text}\n- {text}: {inner}", Path())
    read = read_nodes(source, Diagnostics())
    return read is not None and read.value == {text: [text, {text: value}]}


def _unwritable(value: object) -> str:
    raise UnwritableError(f"{value!a} cannot be written into a YAML file", hint="change it in Pipedrive first")


class ReadableKeys:
    """Keys made of the titles of leads, no two of them alike."""

    def __init__(self, taken: set[str]) -> None:
        """`taken` are keys that others have; those that are made are added."""
        self._taken = taken
        self._numbers: Counter[str] = Counter()

    def make(self, title: str) -> str:
        """Return a key for a title, with a number if the key is taken."""
        key = stem = readable_key(title)
        while key in self._taken:
            self._numbers[stem] += 1
            key = f"{stem}-{self._numbers[stem] + 1}"
        self._taken.add(key)
        return key


def readable_key(title: str) -> str:
    """Return a key made of a title, with room for a number behind it."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[: LONGEST - len("-10000")].strip("-") or CARRIER


def as_people_write(name: str, value: object, plan: Any, before: object = None) -> Any:
    """Return a live value in plain Python, as YAML holds it.

    Args:
        name: its attribute.
        value: the value.
        plan: what the account's company has bought, as it is written.
        before: what is written now: an amount that stays keeps its digits, and a visibility that is a number one.
    """
    match value:
        case str() if name == "visible_to" and value.isdecimal():
            words = () if isinstance(before, int) else _VISIBILITIES
            return next((word for word in words if visibility(word, plan) == int(value)), int(value))
        case Money():
            amount = as_people_write(name, value.amount, plan)
            if isinstance(before, Mapping) and before.get("amount") == amount:
                amount = before["amount"]
            return {"amount": amount, "currency": value.currency}
        case Decimal():
            return int(value) if value == value.to_integral_value() else value
        case tuple():
            return list(value)
    return value
