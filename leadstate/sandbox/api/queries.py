"""Query parameters, which are text, as clean values. What makes no sense raises `BadRequestError`.

The second version of the API has pages with a cursor that nobody should read. What is listed so is never written here,
so a place in the list is all that a cursor has to hold.
"""

import base64
import binascii
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from leadstate.sandbox.api.payloads import BadRequestError

PAGE_DEFAULT = 100
"""Rows on a page if `limit` is not given (Pipedrive OpenAPI: getLeads; v2: getDealFields)."""

PAGE_MOST = 500
"""Rows on a page at most (Pipedrive docs: pagination; OpenAPI v2: getDealFields).

What a higher `limit` does is not known; here the first version takes it for this, and the second refuses it.
"""

_FURTHEST = 2**53
"""No whole number of a query needs to be larger than JSON can carry."""


def number(query: Mapping[str, str], name: str, least: int = 1) -> int | None:
    """Return a whole number, or None where it is not given."""
    text = query.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(_FURTHEST)) and int(text) >= least):
        raise BadRequestError(f"{name} must be an integer of at least {least}")
    return int(text)


def numbers(query: Mapping[str, str], name: str, most: int) -> list[int] | None:
    """Return whole numbers with commas between, or None where they are not given."""
    if name not in query:
        return None
    found = [number({name: item}, name) or 0 for item in query[name].split(",")]
    if len(found) > most:
        raise BadRequestError(f"{name} must be at most {most}")
    return found


def flag(query: Mapping[str, str], name: str) -> bool:
    """Return whether a parameter is `true`; one that is not given is `false`."""
    text = query.get(name, "false")
    if text not in ("true", "false"):
        raise BadRequestError(f"{name} must be a boolean")
    return text == "true"


def choices(query: Mapping[str, str], name: str, known: Collection[str]) -> Collection[str]:
    """Return some of the known words with commas between; all of them where it is not given."""
    if name not in query:
        return known
    chosen = query[name].split(",")
    if not set(chosen) <= set(known):
        raise BadRequestError(f"{name} must be of [{', '.join(sorted(known))}]")
    return chosen


def paged(rows: Sequence[Any], query: Mapping[str, str]) -> tuple[Sequence[Any], str | None]:
    """Return the rows of the page that is asked for, and the cursor of the next one, or None at the end."""
    limit = number(query, "limit") or PAGE_DEFAULT
    if limit > PAGE_MOST:
        raise BadRequestError(f"limit must be at most {PAGE_MOST}")
    start = _start(query["cursor"]) if "cursor" in query else 0
    more = len(rows) > start + limit
    return rows[start : start + limit], _cursor(start + limit) if more else None


def _cursor(start: int) -> str:
    return base64.urlsafe_b64encode(json.dumps({"start": start}).encode()).decode().rstrip("=")


def _start(cursor: str) -> int:
    try:
        start = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))["start"]
    except (binascii.Error, ValueError, TypeError, KeyError, RecursionError):
        start = None
    # One that was not made here is refused, also where it could be read.
    if isinstance(start, int) and start > 0 and _cursor(start) == cursor:
        return start
    raise BadRequestError("cursor is invalid")
