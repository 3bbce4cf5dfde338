"""The two lists of fields: a lead has the custom fields of a deal, and each list knows standard ones besides.

Only a handful of the standard fields is served, enough for a client to have to tell them from custom ones. What a seed
does not say about a field is the same made-up value for all.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict

from leadstate.sandbox.api.wire import Call, Reply, cursor_page, cut_page, page, read_window
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
    rows, cursor = cut_page(
        [_deal_field(field, custom=custom) for field, custom in _list_fields(call, _DEAL)], call.query
    )
    return cursor_page(list(rows), cursor)


def get_lead_fields(call: Call) -> Reply:
    """Operation getLeadFields, of the first version."""
    listed = [_lead_field(field, custom=custom) for field, custom in _list_fields(call, _LEAD)]
    rows = [{"id": place, **row, "order_nr": place} for place, row in enumerate(listed, 1)]
    start, limit = read_window(call.query)
    return page(rows[start : start + limit], start, limit, more=len(rows) > start + limit)


def _list_fields(call: Call, standard: Iterable[tuple[str, str, str]]) -> list[tuple[Field, bool]]:
    """Return standard fields, then the company's own, and whether each is one of those."""
    own = call.company.fields.values()
    return [*((Field(*field), False) for field in standard), *((field, True) for field in own)]


def _deal_field(field: Field, *, custom: bool) -> Body:
    """Return a field in the vendor's shape (Pipedrive OpenAPI v2: getDealFields)."""
    subfields = [
        {"field_code": code, "field_name": f"{label} of {field.name}", "field_type": kind}
        for code, label, kind in _SUBFIELDS.get(field.type or _UNTOLD, ())
    ]
    more = {"color": None, "update_time": None, "add_time": _SINCE}
    return {
        "field_name": field.name,
        "field_code": field.code,
        "description": "",
        "field_type": field.type or _UNTOLD,
        "options": [{**option, **more} for option in _options(field)] or None,
        "subfields": subfields or None,
        "is_custom_field": custom,
        "is_optional_response_field": False,
    }


def _lead_field(field: Field, *, custom: bool) -> Body:
    """Return a field in the vendor's shape (Pipedrive OpenAPI: getLeadFields); only `edit_flag` tells custom ones."""
    return {
        "key": field.code,
        "name": field.name,
        "field_type": field.type or _UNTOLD,
        "add_time": _SINCE,
        "update_time": _SINCE,
        "last_updated_by_user_id": None,
        "created_by_user_id": None,
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
        "mandatory_flag": field.code == "title",
        "options": _options(field) or None,
    }


def _options(field: Field) -> list[Body]:
    if field.type == "visible_to":
        return [dict(option) for option in _VISIBILITIES]
    return [asdict(option) for option in field.options]
