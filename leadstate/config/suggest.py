"""Near misses: what somebody probably meant, and which keys could stand at a place. Candidates come from the models."""

from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from functools import cache
from typing import Any

from leadstate.kinds.base import is_tag


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
