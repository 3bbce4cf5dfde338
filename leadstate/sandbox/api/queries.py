"""Query parameters, which are text, as clean values. What makes no sense raises `BadRequestError`."""

from collections.abc import Collection, Mapping

from leadstate.sandbox.api.payloads import BadRequestError

_FURTHEST = 2**53
"""No whole number of a query needs to be larger than JSON can carry."""


def number(query: Mapping[str, str], name: str, least: int = 1) -> int | None:
    """A whole number, or None where it is not given."""
    text = query.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(_FURTHEST)) and int(text) >= least):
        raise BadRequestError(f"{name} must be an integer of at least {least}")
    return int(text)


def numbers(query: Mapping[str, str], name: str, most: int) -> list[int] | None:
    """Whole numbers with commas between, or None where they are not given."""
    if name not in query:
        return None
    found = [number({name: item}, name) or 0 for item in query[name].split(",")]
    if len(found) > most:
        raise BadRequestError(f"{name} must be at most {most}")
    return found


def flag(query: Mapping[str, str], name: str) -> bool:
    """`true` or `false`; one that is not given is false."""
    text = query.get(name, "false")
    if text not in ("true", "false"):
        raise BadRequestError(f"{name} must be a boolean")
    return text == "true"


def choices(query: Mapping[str, str], name: str, known: Collection[str]) -> Collection[str]:
    """Some of the known words with commas between; all of them where it is not given."""
    if name not in query:
        return known
    chosen = query[name].split(",")
    if not set(chosen) <= set(known):
        raise BadRequestError(f"{name} must be of [{', '.join(sorted(known))}]")
    return chosen
