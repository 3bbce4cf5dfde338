"""The lead operations: from query, path and body to the company's tables and back.

Each function is one operation of the OpenAPI description, and is plain: nothing is awaited between check and write.
"""

from leadstate.sandbox.api import payloads
from leadstate.sandbox.api.queries import PAGE_DEFAULT, PAGE_MOST, number
from leadstate.sandbox.api.wire import Call, Reply, page, success
from leadstate.sandbox.state import checks
from leadstate.sandbox.state.listing import Query

SORTABLE = (
    "id", "title", "owner_id", "creator_id", "was_seen", "expected_close_date", "next_activity_id", "add_time",
    "update_time",
)  # fmt: skip
"""The fields that `sort` may name (Pipedrive OpenAPI: getLeads)."""


def get_leads(call: Call) -> Reply:
    """Operation getLeads: one page of the live leads."""
    since = call.query.get("updated_since")
    try:
        return _list(call, archived=False, since=None if since is None else checks.since(since))
    except checks.InvalidError as error:
        raise payloads.BadRequestError(f"updated_since {error}") from None


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
        # A filter lives in the web app, which is not here; to list everything instead would be a wrong answer.
        raise payloads.BadRequestError("filter_id was not found")
    query = Query(
        archived=archived,
        owner_id=number(call.query, "owner_id"),
        person_id=number(call.query, "person_id"),
        organization_id=number(call.query, "organization_id"),
        updated_since=since,
        sort=_sort(call.query.get("sort")),
    )
    start = number(call.query, "start", least=0) or 0
    limit = min(number(call.query, "limit") or PAGE_DEFAULT, PAGE_MOST)
    leads, more = call.company.leads(query, start, limit)
    return page([call.company.shown(lead) for lead in leads], start, limit, more=more)


def _sort(text: str | None) -> tuple[tuple[str, bool], ...]:
    """Read `title`, `title DESC` or several of them with commas between, as (field, descending)."""
    order = []
    for part in () if text is None else text.split(","):
        field, _, mode = part.strip().partition(" ")
        if field not in SORTABLE or mode.strip().upper() not in ("", "ASC", "DESC"):
            raise payloads.BadRequestError(f"sort can not be {part.strip()!r}")
        order.append((field, mode.strip().upper() == "DESC"))
    return tuple(order)
