"""What to suggest: a near miss, the keys that may stand at a place, and the form that a value has there.

All of it comes from the JSON schema of the models.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from typing import Any, Final

from leadstate.kinds.base import is_tag

_SHOWN: Final = 12
"""Candidates that a hint lists."""
_VARIABLE: Final = "{env: NAME_OF_A_VARIABLE}"
EXAMPLES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("token", "client_id", "client_secret", "refresh_token"), _VARIABLE),
    "person": "its id, {email: jane@acme.test} or {name: Jane Doe}",
    "organization": "its id or {name: Acme Inc}",
    "owner": "the user's id or {email: sam@acme.test}",
    "value": "{amount: 1200.50, currency: EUR}",
    "currency": "EUR",
    "at_least": "[LABEL]",
}
"""Key → how to write its value, where that is more than its type."""
_WORDS: Final = {"string": "text", "integer": "a whole number", "number": "a number", "boolean": "true or false"}


def did_you_mean(word: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate that is most like the word, case aside; None if no candidate is alike."""
    known = {candidate.casefold(): candidate for candidate in reversed(list(candidates))}
    found = get_close_matches(word[:200].casefold(), known, n=1, cutoff=0.6)
    return known[found[0]] if found else None


def choice(word: str, candidates: Sequence[str], *, what: str) -> str:
    """Return a hint: the near miss, or what there is to choose from."""
    near = did_you_mean(word, candidates)
    if near is not None:
        return f"did you mean `{near}`?"
    if not candidates:
        return "remove it"
    more = f", … ({len(candidates)} in all)" if len(candidates) > _SHOWN else ""
    return f"{what}: " + ", ".join(f"`{candidate}`" for candidate in candidates[:_SHOWN]) + more


def form_at(loc: Sequence[str | int]) -> str:
    """Return how to write what may stand at this path: an example, the keys of a mapping, or the type in words."""
    if loc and loc[-1] in EXAMPLES:
        return EXAMPLES[str(loc[-1])]
    keys = (required_at(loc) or keys_at(loc))[:3]
    if keys:
        return "{" + ", ".join(f"{key}: {EXAMPLES.get(key, '…')}" for key in keys) + "}"
    types = [shape.get("type") for shape in shapes_at(loc)]
    if "array" in types:
        return f"a list of {form_at((*loc, 0))}" if keys_at((*loc, 0)) else "a list in brackets"
    return next((_WORDS[type_] for type_ in types if type_ in _WORDS), "keys and values")


def keys_at(loc: Sequence[str | int]) -> list[str]:
    """Return the keys that may stand in the mapping at this path."""
    return list(dict.fromkeys(key for shape in shapes_at(loc) for key in shape.get("properties", ())))


def required_at(loc: Sequence[str | int]) -> list[str]:
    """Return the keys that the mapping at this path must have, usually."""
    shapes = (part for shape in shapes_at(loc) for part in (shape, shape.get("else", {})))
    return list(dict.fromkeys(key for shape in shapes for key in shape.get("required", ())))


def shapes_at(loc: Sequence[str | int]) -> list[dict[str, Any]]:
    """Return what may stand at this path: each alternative as a JSON schema."""
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
