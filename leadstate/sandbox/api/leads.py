"""The operations on leads, labels and saved filters: from query, path and body to the company's tables and back.

Each function is one operation of the OpenAPI description, and is plain: nothing is awaited between check and write.
"""

from leadstate.sandbox.api import payloads
from leadstate.sandbox.api.payloads import BadRequestError
from leadstate.sandbox.api.wire import Call, Reply, page, read_number, read_window, success
from leadstate.sandbox.state import checks
from leadstate.sandbox.state.company import MissingError
from leadstate.sandbox.state.records import FILTER_TYPES, Body, Filter, Query

SORTABLE = (
    "id",
    "title",
    "owner_id",
    "creator_id",
    "was_seen",
    "expected_close_date",
    "next_activity_id",
    "add_time",
    "update_time",
)
"""The fields that `sort` may name (Pipedrive OpenAPI: getLeads)."""


def get_leads(call: Call) -> Reply:
    """Operation getLeads: one page of the live leads."""
    since = call.query.get("updated_since")
    try:
        return _list(call, archived=False, since=None if since is None else checks.since(since))
    except checks.InvalidError as error:
        raise BadRequestError(f"updated_since {error}") from None


def get_archived_leads(call: Call) -> Reply:
    """Operation getArchivedLeads: one page of the archived leads; it knows no `updated_since`."""
    return _list(call, archived=True, since=None)


def get_lead(call: Call) -> Reply:
    """Operation getLead: one lead, live or archived."""
    return success(call.company.shown(call.company.lead(call.path["id"])))


def add_lead(call: Call) -> Reply:
    """Operation addLead: answers 201."""
    added = call.company.add_lead(payloads.add_lead(call.body, call.company.fields))
    return success(call.company.shown(added), 201)


def update_lead(call: Call) -> Reply:
    """Operation updateLead. A lead that does not exist is 404 whatever the body says."""
    lead = call.company.lead(call.path["id"])
    changed = call.company.update_lead(lead.id, payloads.update_lead(call.body, call.company.fields))
    return success(call.company.shown(changed))


def delete_lead(call: Call) -> Reply:
    """Operation deleteLead."""
    call.company.delete_lead(call.path["id"])
    return success({"id": call.path["id"]})


def _list(call: Call, *, archived: bool, since: str | None) -> Reply:
    if "filter_id" in call.query:
        # Filters are kept as the seed has them, and none is applied; to list everything would be a wrong answer.
        raise BadRequestError("filter_id is not supported by this sandbox, which applies no filter")
    query = Query(
        archived=archived,
        owner_id=read_number(call.query, "owner_id"),
        person_id=read_number(call.query, "person_id"),
        organization_id=read_number(call.query, "organization_id"),
        updated_since=since,
        sort=_sort(call.query.get("sort")),
    )
    start, limit = read_window(call.query)
    leads, more = call.company.leads(query, start, limit)
    return page([call.company.shown(lead) for lead in leads], start, limit, more=more)


def _sort(text: str | None) -> tuple[tuple[str, bool], ...]:
    """Read `title`, `title DESC` or several of them with commas between, as (field, descending)."""
    order = []
    for part in () if text is None else text.split(","):
        field, _, mode = part.strip().partition(" ")
        if field not in SORTABLE or mode.strip().upper() not in ("", "ASC", "DESC"):
            raise BadRequestError(f"sort can not be {part.strip()!r}")
        order.append((field, mode.strip().upper() == "DESC"))
    return tuple(order)


def get_lead_labels(call: Call) -> Reply:
    """Operation getLeadLabels: all labels at once, without pagination."""
    return success([label.body() for label in call.company.labels()])


def add_lead_label(call: Call) -> Reply:
    """Operation addLeadLabel: answers 200, not 201 (Pipedrive OpenAPI: addLeadLabel)."""
    values = payloads.add_label(call.body)
    return success(call.company.add_label(values["name"], values["color"]).body())


def update_lead_label(call: Call) -> Reply:
    """Operation updateLeadLabel. A label that does not exist is 404 whatever the body says."""
    label = call.company.label(call.path["id"])
    return success(call.company.update_label(label.id, payloads.update_label(call.body)).body())


def delete_lead_label(call: Call) -> Reply:
    """Operation deleteLeadLabel: its leads lose it."""
    call.company.delete_label(call.path["id"])
    return success({"id": call.path["id"]})


def get_filters(call: Call) -> Reply:
    """Operation getFilters: all filters at once, without their conditions; `type` narrows them."""
    wanted = call.query.get("type")
    if wanted is not None and wanted not in FILTER_TYPES:
        raise BadRequestError(f"type must be one of [{', '.join(FILTER_TYPES)}]")
    return success([_listed(saved) for saved in call.company.filters if wanted in (None, saved.type)])


def get_filter(call: Call) -> Reply:
    """Operation getFilter: one filter with its conditions."""
    for saved in call.company.filters:
        if str(saved.id) == call.path["id"]:
            return success({**_listed(saved), "conditions": dict(saved.conditions)})
    raise MissingError("filter")


def _listed(saved: Filter) -> Body:
    """Return a filter in the vendor's shape; what a seed does not say is the same made-up value for each."""
    return {
        "id": saved.id,
        "name": saved.name,
        "active_flag": saved.active_flag,
        "type": saved.type,
        "temporary_flag": saved.temporary_flag,
        "user_id": saved.user_id,
        "add_time": saved.add_time,
        "update_time": None,
        "visible_to": "7",
        "custom_view_id": None,
    }
