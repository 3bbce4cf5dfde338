"""What to suggest: a near miss, the keys that may stand at a place, and what a value was meant to be.

Candidates come from the models. Somebody may have meant a day, a variable or another shape.
"""

import datetime as dt
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from difflib import get_close_matches
from functools import cache
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


def did_you_mean(word: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate that is most like the word, case aside; None where none is."""
    known = {candidate.casefold(): candidate for candidate in reversed(list(candidates))}
    found = get_close_matches(word[:200].casefold(), known, n=1, cutoff=0.6)
    return known[found[0]] if found else None


def choice(word: str, candidates: Sequence[str], *, what: str, limit: int = 12) -> str:
    """Return a hint: the near miss, or what there is to choose from."""
    near = did_you_mean(word, candidates)
    if near is not None:
        return f"did you mean `{near}`?"
    if not candidates:
        return "remove it"
    more = f", … ({len(candidates)} in all)" if len(candidates) > limit else ""
    return f"{what}: " + ", ".join(f"`{candidate}`" for candidate in candidates[:limit]) + more


def keys_at(loc: Sequence[str | int]) -> list[str]:
    """Return the keys that may stand in the mapping at this path."""
    return list(dict.fromkeys(key for shape in shapes_at(loc) for key in shape.get("properties", ())))


def required_at(loc: Sequence[str | int]) -> list[str]:
    """Return those of them that have to be there."""
    return list(dict.fromkeys(key for shape in shapes_at(loc) for key in shape.get("required", ())))


def shapes_at(loc: Sequence[str | int]) -> list[dict[str, Any]]:
    """Return what may stand at this path: every alternative, as a JSON schema; none where nothing may."""
    schemas = [_schema()]
    for step in loc:
        if is_tag(step):
            continue
        schemas = [found for schema in schemas for found in _step(schema, step)]
    return [alternative for schema in schemas for alternative in _alternatives(schema)]


def _step(schema: dict[str, Any], step: str | int) -> Iterator[dict[str, Any]]:
    for alternative in _alternatives(schema):
        if isinstance(step, int):
            found = alternative.get("items")
        else:
            found = alternative.get("properties", {}).get(step, alternative.get("additionalProperties"))
            found = found or next(iter(alternative.get("patternProperties", {}).values()), None)
        if isinstance(found, dict):
            yield found


def _alternatives(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "$ref" in schema:
        schema = _schema()["$defs"][schema["$ref"].rpartition("/")[2]]
    yield schema
    for word in ("anyOf", "oneOf", "allOf"):
        for alternative in schema.get(word, ()):
            yield from _alternatives(alternative)


@cache
def _schema() -> dict[str, Any]:
    from leadstate.config.schema.document import Document  # noqa: PLC0415  only an error needs it

    return Document.model_json_schema()
