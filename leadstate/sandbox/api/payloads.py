"""From the bytes of a request body to clean values: the shape of each of the four write requests.

It looks at one body and the company's custom fields, and at nothing else: ids are looked up by `state`.
"""

import json
from collections.abc import Collection, Mapping
from typing import Any, NoReturn

from leadstate.sandbox.state import checks
from leadstate.sandbox.state.checks import Checker, InvalidError
from leadstate.sandbox.state.custom_fields import Fields, check_written

_LEAD: Mapping[str, Checker] = {
    "title": checks.title,
    "owner_id": checks.integer,
    "label_ids": checks.uuids,
    "person_id": checks.integer,
    "organization_id": checks.integer,
    "value": checks.money,
    "expected_close_date": checks.day,
    "visible_to": checks.visibility,
    "was_seen": checks.boolean,
    "channel": checks.integer,
    "channel_id": checks.text,
}

ADD_LEAD: Mapping[str, Checker] = {**_LEAD, "origin_id": checks.text}
"""The fields of a new lead: `origin_id` can be given only here (Pipedrive OpenAPI: addLead)."""

UPDATE_LEAD: Mapping[str, Checker] = {**_LEAD, "is_archived": checks.boolean}
"""The fields of a change: `is_archived` can be given only here (Pipedrive OpenAPI: updateLead)."""

LABEL: Mapping[str, Checker] = {"name": checks.name, "color": checks.color}
"""The fields of a label (Pipedrive OpenAPI: addLeadLabel, updateLeadLabel)."""

ADD_NULLABLE = frozenset({"value", "origin_id", "channel", "channel_id"})
"""What may be null in a new lead (Pipedrive OpenAPI: addLead)."""

UPDATE_NULLABLE = frozenset({"value", "expected_close_date", "person_id", "organization_id", "channel", "channel_id"})
"""What may be unset by null in a change (Pipedrive OpenAPI: updateLead).

The description also lets a title be null; a lead without a title cannot be shown, so it is refused here.
"""


class BadRequestError(ValueError):
    """The body cannot be accepted. The text is the message for the client."""


def add_lead(body: bytes, fields: Fields) -> dict[str, Any]:
    """Return the values of a new lead, its custom fields under `custom`. Raise `BadRequestError`."""
    values = _check_lead(body, ADD_LEAD, ADD_NULLABLE, fields)
    if "title" not in values:
        raise BadRequestError("title is required")
    return values


def update_lead(body: bytes, fields: Fields) -> dict[str, Any]:
    """Return the values of a change, its custom fields under `custom`. Raise `BadRequestError`."""
    return _check_lead(body, UPDATE_LEAD, UPDATE_NULLABLE, fields)


def add_label(body: bytes) -> dict[str, Any]:
    """Return the name and colour of a new label. Raise `BadRequestError`."""
    values = _check_fields(_decode_object(body), LABEL, frozenset())
    for field in LABEL:
        if field not in values:
            raise BadRequestError(f"{field} is required")
    return values


def update_label(body: bytes) -> dict[str, Any]:
    """Return the name, the colour or both. Raise `BadRequestError`."""
    return _check_fields(_decode_object(body), LABEL, frozenset())


def decode(body: bytes) -> Any:
    """Return the JSON value of a body. Raise `BadRequestError`, also for what Python reads but JSON has not (`NaN`)."""
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_no_constant)
        if b"\\ud" in body.lower():
            # JSON can spell half a surrogate pair, which no answer could repeat as UTF-8.
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        raise BadRequestError("request body is not valid JSON") from None
    return value


def _decode_object(body: bytes) -> dict[str, Any]:
    # No operation requires a body (Pipedrive OpenAPI); without one, nothing is given.
    value = decode(body or b"{}")
    if not isinstance(value, dict):
        raise BadRequestError("request body must be a JSON object")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _check_lead(
    body: bytes, checkers: Mapping[str, Checker], nullable: Collection[str], fields: Fields
) -> dict[str, Any]:
    raw = _decode_object(body)
    custom = {key: value for key, value in raw.items() if checks.custom_base(key)}
    values = _check_fields({key: value for key, value in raw.items() if key not in custom}, checkers, nullable)
    try:
        return {**values, "custom": check_written(custom, fields)}
    except InvalidError as error:
        raise BadRequestError(str(error)) from None


def _check_fields(raw: Mapping[str, Any], checkers: Mapping[str, Checker], nullable: Collection[str]) -> dict[str, Any]:
    # The wording is the one that a v1 deal answers; none is recorded for leads.
    unknown = [key for key in raw if key not in checkers]
    if unknown:
        raise BadRequestError(f"Invalid field(s) in the payload: {', '.join(unknown)}")
    return {key: _check_value(key, value, checkers[key], nullable=key in nullable) for key, value in raw.items()}


def _check_value(key: str, value: Any, checker: Checker, *, nullable: bool) -> Any:
    if value is None and nullable:
        return None
    try:
        return checker(value)
    except InvalidError as error:
        raise BadRequestError(f"{key} {error}") from None
