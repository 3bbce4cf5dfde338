"""The two lists of fields: a lead has the custom fields of a deal, and each list knows standard ones besides.

Only a handful of the standard fields is served, enough for a client to have to tell them from custom ones. What a seed
does not say about a field is the same made-up value for all.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from leadstate.sandbox.api.wire import PAGE_DEFAULT, PAGE_MOST, Call, Reply, cursor_page, number, page, paged
from leadstate.sandbox.state.custom_fields import Field
from leadstate.sandbox.state.records import Body

_SINCE = "2024-01-08T09:00:00Z"
"""A time as the description's format wants it; its own example has another (Pipedrive OpenAPI: getLeadFields)."""
_UNTOLD = "varchar"
"""What a field is called whose type a seed does not tell."""

_VISIBILITIES = (
    {"id": "1", "label": "Item owner"},
    {"id": "3", "label": "Item owner's visibility group"},
    {"id": "5", "label": "Item owner's visibility group and sub-groups"},
    {"id": "7", "label": "All users"},
)
_DEAL: tuple[tuple[str, str, str], ...] = (
    ("id", "ID", "int"),
    ("title", "Title", "varchar"),
    ("value", "Value", "monetary"),
    ("owner_id", "Owner", "user"),
    ("person_id", "Contact person", "people"),
    ("org_id", "Organization", "org"),
    ("expected_close_date", "Expected close date", "date"),
    ("visible_to", "Visible to", "visible_to"),
)
_LEAD: tuple[tuple[str, str, str], ...] = (
    ("title", "Title", "varchar"),
    ("value", "Value", "monetary"),
    ("owner_id", "Owner", "user"),
    ("person_id", "Contact person", "people"),
    ("organization_id", "Organization", "org"),
    ("expected_close_date", "Expected close date", "date"),
    ("visible_to", "Visible to", "visible_to"),
)
_SUBFIELDS: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "monetary": (("value", "Amount", "double"), ("currency", "Currency", "varchar")),
    "address": (
        ("value", "Full address", "varchar"),
        ("locality", "City", "varchar"),
        ("country", "Country", "varchar"),
    ),
}


def get_deal_fields(call: Call) -> Reply:
    """Operation getDealFields, of the second version."""
    standard = [_deal_field(code, name, kind, custom=False) for code, name, kind in _DEAL]
    own = [
        _deal_field(field.code, field.name, field.type or _UNTOLD, custom=True, options=_options(field))
        for field in call.company.fields.values()
    ]
    rows, cursor = paged([*standard, *own], call.query)
    return cursor_page(list(rows), cursor)


def get_lead_fields(call: Call) -> Reply:
    """Operation getLeadFields, of the first version."""
    standard = [_lead_field(code, name, kind, custom=False) for code, name, kind in _LEAD]
    own = [
        _lead_field(field.code, field.name, field.type or _UNTOLD, custom=True, options=_options(field))
        for field in call.company.fields.values()
    ]
    rows = [{"id": place, **row, "order_nr": place} for place, row in enumerate([*standard, *own], 1)]
    start = number(call.query, "start", least=0) or 0
    limit = min(number(call.query, "limit") or PAGE_DEFAULT, PAGE_MOST)
    return page(rows[start : start + limit], start, limit, more=len(rows) > start + limit)


def _options(field: Field) -> list[Body] | None:
    return [asdict(option) for option in field.options] or None


def _deal_field(code: str, name: str, kind: str, *, custom: bool, options: list[Body] | None = None) -> Body:
    """Return a field in the vendor's shape (Pipedrive OpenAPI v2: getDealFields)."""
    subfields = [
        {"field_code": sub, "field_name": f"{label} of {name}", "field_type": sub_kind}
        for sub, label, sub_kind in _SUBFIELDS.get(kind, ())
    ]
    return {
        "field_name": name,
        "field_code": code,
        "description": "",
        "field_type": kind,
        "options": _decorated(_with_standard(kind, options)),
        "subfields": subfields or None,
        "is_custom_field": custom,
        "is_optional_response_field": False,
    }


def _decorated(options: list[Body] | None) -> list[Body] | None:
    more = {"color": None, "update_time": None, "add_time": _SINCE}
    return None if options is None else [{**option, **more} for option in options]


def _lead_field(code: str, name: str, kind: str, *, custom: bool, options: list[Body] | None = None) -> Body:
    """Return a field in the vendor's shape (Pipedrive OpenAPI: getLeadFields); only `edit_flag` tells custom ones."""
    flags: dict[str, Any] = {
        "active_flag": True,
        "edit_flag": custom,
        "index_visible_flag": True,
        "details_visible_flag": True,
        "add_visible_flag": True,
        "important_flag": False,
        "bulk_edit_allowed": True,
        "searchable_flag": custom,
        "filtering_allowed": True,
        "sortable_flag": True,
        "mandatory_flag": code == "title",
    }
    return {
        "key": code,
        "name": name,
        "field_type": kind,
        "add_time": _SINCE,
        "update_time": _SINCE,
        "last_updated_by_user_id": None,
        "created_by_user_id": None,
        **flags,
        "options": _with_standard(kind, options),
    }


def _with_standard(kind: str, options: list[Body] | None) -> list[Body] | None:
    return [dict(option) for option in _VISIBILITIES] if kind == "visible_to" else options
