"""What somebody meant by a value that YAML or a model takes for something else: a day, a variable, another shape."""

import datetime as dt
import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from leadstate.config.yaml.diagnostics import visible
from leadstate.config.yaml.masking import ENV_NAME
from leadstate.config.yaml.nodes import Node
from leadstate.kinds.base import is_tag

_PLAIN: Final = re.compile(r"[^\W\d_][\w.+-]*(?: [\w.+-]+)*")
_DAY: Final = re.compile(r"(\d{1,4})([-/.])(\d{1,2})\2(\d{1,4})(?:[T ].*)?")
_VARIABLE: Final = re.compile(r"\$(?:\{\{\s*(?:secrets|env|vars)\.(\w+)\s*\}\}|\{(\w+)\}|(\w+))")
_EMAIL: Final = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_YEAR: Final = 4
"""Digits of a year."""


def quoted(text: str, *, always: bool = False) -> str:
    """Return text as it can stand in a line of YAML, in quotes where it needs them."""
    return text if _PLAIN.fullmatch(text) and not always else json.dumps(text, ensure_ascii=False)


def comment_meant(rest: str) -> str:
    """Return what follows a key on its line where that is a comment: text that begins with `#` and has no quotes."""
    stripped = rest.strip()
    return visible(stripped.rstrip("},] ")[:60]) if stripped.startswith("#") else ""


def day_meant(text: str) -> str:
    """Return the only day of the calendar that another way of writing dates can mean, YYYY-MM-DD; else nothing."""
    found = _DAY.fullmatch(text)
    if found is None:
        return ""
    first, separator, second, last = found.groups()
    if len(first) == _YEAR:
        orders = [(first, second, last)]
    elif len(last) == _YEAR:
        # With dots and hyphens the day comes first; with slashes it depends on the country.
        orders = [(last, second, first)] + ([(last, first, second)] if separator == "/" else [])
    else:
        return ""
    days = {day for year, month, of_month in orders if (day := _day(int(year), int(month), int(of_month)))}
    return days.pop() if len(days) == 1 else ""


def variable_meant(text: str) -> str | None:
    """Return the environment variable that `$NAME`, `${NAME}` or `${{ secrets.NAME }}` stands for elsewhere."""
    found = _VARIABLE.fullmatch(text.strip())
    name = next((group for group in found.groups() if group), "") if found else ""
    # Anything else may be a password that begins with a dollar sign.
    return name if ENV_NAME.fullmatch(name) else None


def key_meant(text: str) -> str:
    """Return a key like the text, in characters that a key takes; nothing where too little remains."""
    made = re.sub(r"[^a-z0-9._]+", "-", text.lower()).strip("-._")
    return made if made and text.isascii() else ""


def part_meant(name: str, node: Node) -> str:
    """Return the key under which the text of a person, organization or owner should stand; nothing for others."""
    text = node.text or ""
    if name in {"person", "owner"} and _EMAIL.fullmatch(text):
        return "email"
    return "name" if name in {"person", "organization"} and text and not text.isdigit() else ""


def shape_meant(loc: Sequence[str | int], node: Node) -> str:
    """Return how to write what stands at a path in the form that has to stand there; nothing where nobody can tell."""
    path = tuple(step for step in loc if not is_tag(step))
    text = visible((node.text or "")[:60])
    match path, node.value:
        case (("labels", int()), str()) if text:
            meant = f"{{name: {quoted(text)}, color: …}}"
        case (("labels",), Mapping()) if node.value:
            meant = f"a list of items: - {{{_first(node.value)}}}"
        case (("accounts",), list()):
            meant = "each account under its name: emea: {domain: acme-emea, token: {env: NAME_OF_A_VARIABLE}}"
        case ((*_, "value"), int() | Decimal()) if not isinstance(node.value, bool):
            meant = f"{{amount: {text}, currency: …}}, with a currency such as EUR"
        case ((*_, "value"), str()):
            meant = "an amount and its currency, as in {amount: 1200.50, currency: EUR}"
        case ((*_, str() as name), str()) if part := part_meant(name, node):
            meant = f"{{{part}: {text if part == 'email' else quoted(text)}}}"
        case _:
            meant = ""
    return meant


def _first(labels: Mapping[str, Any]) -> str:
    name, color = next(iter(labels.items()))
    shown = color if isinstance(color, str) and color.isalpha() else "…"
    return f"name: {quoted(visible(str(name)[:60]))}, color: {shown}"


def _day(year: int, month: int, day: int) -> str:
    try:
        return dt.date(year, month, day).isoformat()
    except ValueError:
        return ""
