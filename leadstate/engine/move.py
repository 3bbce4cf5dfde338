"""Gives the leads of a label another one before it is deleted, and sees that none carries it any more.

Resumable at any point: a lead that has been moved does not carry the label, and is not touched again.
"""

import asyncio
from collections.abc import Collection
from contextlib import aclosing

from leadstate.core.plan import Change
from leadstate.kinds.lead import WireLead, glances
from leadstate.kinds.operations import GET_LEAD, GET_LEADS, UPDATE_LEAD, Request
from leadstate.pipedrive.client import Writer
from leadstate.pipedrive.errors import ApiError, NotFound

ROUNDS = 3
"""How often leads are looked for that got the label while others were moved."""

AT_ONCE = 8


class StillCarried(ApiError):
    """Leads carry the label all the same, so it is not deleted."""

    code = "still-carried"
    cure = "run again when the account is quieter"


async def move_leads(change: Change, target: str, writer: Writer) -> None:
    """Move every live lead from the label that is deleted to the target, an id.

    Raises:
        StillCarried: after some rounds there are still leads that carry it.
        ApiError: a lead could not be read or written; those that were moved stay moved.
    """
    source = change.remote_id or ""
    carriers: Collection[str] = change.carriers or ()
    for _ in range(ROUNDS):
        gate = asyncio.Semaphore(AT_ONCE)
        failures = await asyncio.gather(*(_move(lead, source, target, writer, gate) for lead in carriers))
        if (failure := next((one for one in failures if one is not None), None)) is not None:
            raise failure
        carriers = await _carriers(source, writer)
        if not carriers:
            return
    raise StillCarried(UPDATE_LEAD.id, f"{len(carriers)} leads carry the label all the same")


async def _move(lead: str, source: str, target: str, writer: Writer, gate: asyncio.Semaphore) -> ApiError | None:
    """Move one lead; a failure is returned, so that those under way are finished."""
    async with gate:
        try:
            now = WireLead.model_validate((await writer.get(Request(GET_LEAD, lead))).data)
            if source in now.label_ids and not now.is_archived:
                # In the order in which people have them.
                moved = list(dict.fromkeys(target if one == source else one for one in now.label_ids))
                await writer.send(Request(UPDATE_LEAD, lead, {"label_ids": moved}))
        except NotFound:
            return None
        except ApiError as failure:
            return failure
        return None


async def _carriers(label: str, writer: Writer) -> list[str]:
    found: list[str] = []
    async with aclosing(writer.pages(GET_LEADS)) as pages:
        async for page in pages:
            found += [one.id for one in glances(page.rows) if label in one.label_ids]
    return found
