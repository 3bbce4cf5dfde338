"""Pages of the second version of the API: a cursor that nobody should read leads from one to the next.

What is listed so is never written here, so a place in the list is all that a cursor has to tell.
"""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from typing import Any

from leadstate.sandbox.api.payloads import BadRequestError
from leadstate.sandbox.api.queries import number

PAGE_DEFAULT = 100
"""Rows on a page if `limit` is not given (Pipedrive OpenAPI v2: getDealFields)."""

PAGE_MOST = 500
"""Rows on a page at most (Pipedrive OpenAPI v2: getDealFields). What more does is not known; here it is refused."""


def paged(rows: Sequence[Any], query: Mapping[str, str]) -> tuple[Sequence[Any], str | None]:
    """The rows of the page that is asked for, and the cursor of the next one, or None at the end."""
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
