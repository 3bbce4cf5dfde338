"""The operations on saved filters, which only read.

No list applies a filter here; what matters is which ids its conditions name.
"""

from leadstate.sandbox.api.payloads import BadRequestError
from leadstate.sandbox.api.wire import Call, Reply, success
from leadstate.sandbox.state.company import MissingError
from leadstate.sandbox.state.records import FILTER_TYPES, Body, Filter


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
