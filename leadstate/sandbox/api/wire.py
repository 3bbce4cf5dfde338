"""What goes over the wire: a request with its parameters read, and the envelopes of every kind of answer.

It decides nothing; it only dresses what others decided.
"""

import base64
import binascii
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from starlette.responses import Response

from leadstate.sandbox.api.payloads import BadRequestError
from leadstate.sandbox.state.checks import LARGEST
from leadstate.sandbox.state.company import Company
from leadstate.sandbox.state.limits import Admission
from leadstate.sandbox.state.records import Body

ERROR_INFO = "Please check developers.pipedrive.com for more information about Pipedrive API."
NOT_FOUND_INFO = "Object was not found."


@dataclass(frozen=True, slots=True)
class Call:
    """One authenticated request of a known operation, its body read."""

    company: Company
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer before it is written: a status, a JSON body and extra headers."""

    status: int
    body: Body
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self, headers: Mapping[str, str] | None = None) -> Response:
        """Return the answer as bytes, with further headers."""
        content = json.dumps(self.body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return Response(
            content.encode(), self.status, {**(headers or {}), **self.headers}, media_type="application/json"
        )


def success(data: Any, status: int = 200) -> Reply:
    """Return an answer with data."""
    return Reply(status, {"success": True, "data": data})


def page(data: Sequence[Body], start: int, limit: int, *, more: bool) -> Reply:
    """Return one page of a list. Real bodies nest `pagination`, and name `next_start` only if more follow."""
    pagination: Body = {"start": start, "limit": limit, "more_items_in_collection": more}
    if more:
        pagination["next_start"] = start + limit
    return Reply(200, {"success": True, "data": data, "additional_data": {"pagination": pagination}})


def cursor_page(data: Any, next_cursor: str | None) -> Reply:
    """Return one page of a list of the second version; the last one has a null for a cursor."""
    return Reply(200, {"success": True, "data": data, "additional_data": {"next_cursor": next_cursor}})


def error(status: int, message: str, info: str = ERROR_INFO) -> Reply:
    """Return an error in the general envelope (Pipedrive docs: responses)."""
    return Reply(
        status, {"success": False, "error": message, "error_info": info, "data": None, "additional_data": None}
    )


def invalid(message: str) -> Reply:
    """Return the 400 of the second version's schema, in the words and with the code that its lists have."""
    reply = error(400, f"Validation failed: {message}")
    return replace(reply, body={**reply.body, "code": "ERR_SCHEMA_VALIDATION_FAILED"})


def not_found(kind: str) -> Reply:
    """Return the 404 of an object that does not exist (Pipedrive OpenAPI: getLead)."""
    return error(404, f"requested {kind} not found", NOT_FOUND_INFO)


def unauthorized(*, oauth: bool) -> Reply:
    """Return the 401 of a missing or unknown token.

    The body is the gateway's own, as observed in 2026; with OAuth it has the documented message.
    """
    if oauth:
        return error(401, "Invalid token: access_token is invalid")
    body = {
        "success": False,
        "error": "unauthorized access",
        "errorCode": 401,
        "error_info": "Please check developers.pipedrive.com",
    }
    return Reply(401, body, {"x-401-by-gw": "true"})


def too_many(admission: Admission) -> Reply:
    """Return the 429 of a spent limit. The daily body was observed in 2026; of the burst one the message is known."""
    message = "daily request budget exceeded" if admission.refused == "daily" else "request over limit"
    body = {"success": False, "error": message, "errorCode": 429}
    return Reply(429, body, {"retry-after": str(admission.retry_after)})


PAGE_DEFAULT = 100
"""Rows on a page if `limit` is not given (Pipedrive OpenAPI: getLeads; v2: getDealFields)."""

PAGE_MOST = 500
"""Rows on a page at most (Pipedrive docs: pagination; OpenAPI v2: getDealFields).

What a higher `limit` does is not known; here the first version takes it for this, and the second refuses it.
"""


def read_number(query: Mapping[str, str], name: str, least: int = 1) -> int | None:
    """Return a whole number, or None where it is not given."""
    text = query.get(name)
    if text is None:
        return None
    whole = text.isascii() and text.isdigit()
    if whole and (len(text) > len(str(LARGEST)) or int(text) > LARGEST):
        raise BadRequestError(f"{name} must be an integer of at most {LARGEST}")
    if not whole or int(text) < least:
        raise BadRequestError(f"{name} must be an integer of at least {least}")
    return int(text)


def read_numbers(query: Mapping[str, str], name: str, most: int) -> list[int] | None:
    """Return whole numbers with commas between, or None where they are not given."""
    if name not in query:
        return None
    found = [read_number({name: item}, name) or 0 for item in query[name].split(",")]
    if len(found) > most:
        raise BadRequestError(f"{name} must be at most {most}")
    return found


def read_flag(query: Mapping[str, str], name: str) -> bool:
    """Return whether a parameter is `true`; one that is not given is `false`."""
    text = query.get(name, "false")
    if text not in ("true", "false"):
        raise BadRequestError(f"{name} must be a boolean")
    return text == "true"


def read_choices(query: Mapping[str, str], name: str, known: Collection[str]) -> Collection[str]:
    """Return some of the known words with commas between; all of them where it is not given."""
    if name not in query:
        return known
    chosen = query[name].split(",")
    if not set(chosen) <= set(known):
        raise BadRequestError(f"{name} must be of [{', '.join(sorted(known))}]")
    return chosen


def read_window(query: Mapping[str, str]) -> tuple[int, int]:
    """Return the first row and the most rows of the page of the first version that is asked for."""
    start, limit = read_number(query, "start", least=0), read_number(query, "limit")
    return start or 0, min(limit or PAGE_DEFAULT, PAGE_MOST)


def cut_page(rows: Sequence[Any], query: Mapping[str, str]) -> tuple[Sequence[Any], str | None]:
    """Return the rows of the page that is asked for, and the cursor of the next one, or None at the end."""
    limit = read_number(query, "limit") or PAGE_DEFAULT
    if limit > PAGE_MOST:
        raise BadRequestError(f"limit must be at most {PAGE_MOST}")
    start = _decode_cursor(query["cursor"]) if "cursor" in query else 0
    more = len(rows) > start + limit
    return rows[start : start + limit], _encode_cursor(start + limit) if more else None


def _encode_cursor(start: int) -> str:
    return base64.urlsafe_b64encode(json.dumps({"start": start}).encode()).decode().rstrip("=")


def _decode_cursor(cursor: str) -> int:
    try:
        start = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))["start"]
    except (binascii.Error, ValueError, TypeError, KeyError, RecursionError):
        start = None
    # One that was not made here is refused, also where it could be read.
    if isinstance(start, int) and start > 0 and _encode_cursor(start) == cursor:
        return start
    raise BadRequestError("cursor is invalid")
