"""After a create whose answer was lost: look whether it happened before anything is sent again.

Listings may lag behind writes (Pipedrive documents nothing about it), so one look that finds nothing is not believed.
"""

from collections.abc import Iterable

from leadstate.core.address import RemoteRef
from leadstate.core.observed import PAGE
from leadstate.core.plan import Change
from leadstate.core.resource import Bindings, Live
from leadstate.engine.decoded import decoded
from leadstate.engine.leads import NEWEST_FIRST
from leadstate.kinds.kind import Kind
from leadstate.kinds.operations import GET_LABELS, GET_LEADS, Request
from leadstate.pipedrive.client import Reader
from leadstate.pipedrive.errors import BadAnswer, Rejected

PATIENCE = (0.5, 1.5, 4.0)
"""Seconds before each look."""


async def look_for(change: Change, kind: Kind, bindings: Bindings, reader: Reader) -> Live | None:
    """The object that an add may have made; None where it is not there after some patience.

    A lead is known by its mark. A label is one of the wanted name that was not there when the account was read.

    Raises:
        ApiError: it could not be looked for, or more than one object could be the one.
    """
    for pause in PATIENCE:
        await reader.pace.sleep(pause)
        rows = await _newest_leads(reader) if change.mark else (await reader.get(Request(GET_LABELS))).rows()
        found = [one for one in decoded(kind, kind.listing, rows) if _is_it(one, change, bindings)]
        if len(found) > 1:
            raise BadAnswer(kind.listing.id, f"{len(found)} {kind.name}s could be the one that was to be created")
        if found:
            return found[0]
    return None


def _is_it(one: Live, change: Change, bindings: Bindings) -> bool:
    if change.mark:
        return one.mark == change.mark
    return one.name == change.want["name"] and not bindings.knows(RemoteRef(one.kind, one.remote_id))


async def _newest_leads(reader: Reader) -> Iterable[object]:
    """The newest page, which holds what was created a moment ago; all pages where the server refuses that order."""
    try:
        query = (NEWEST_FIRST, ("limit", str(PAGE)), ("start", "0"))
        return (await reader.get(Request(GET_LEADS, query=query))).rows()
    except Rejected:
        return [row async for page in reader.pages(GET_LEADS) for row in page.rows]
