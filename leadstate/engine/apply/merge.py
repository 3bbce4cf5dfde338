"""Gives the leads of a label another one before it is deleted, and sees that none carries it any more.

Resumable at any point: a lead that has been moved does not carry the label, and is not touched again.
"""

import asyncio
from collections.abc import Collection
from contextlib import aclosing

from leadstate.engine.jobs import task_group
from leadstate.kinds.base import understood
from leadstate.kinds.lead import LEAD, WireLead, glances
from leadstate.model.diagnostics import counted
from leadstate.model.plan import Change
from leadstate.pipedrive.client import Writer
from leadstate.pipedrive.errors import ApiError, NotFound
from leadstate.pipedrive.operations import GET_LEAD, GET_LEADS, UPDATE_LEAD, Request

ROUNDS = 3
"""How often leads are looked for that got the label while others were moved."""

AT_ONCE = 8


class StillCarried(ApiError):
    """Leads carry the label all the same, so it is not deleted."""

    code = "still-carried"
    fix = "run again when the account is quieter"


async def move_leads(change: Change, target: str, writer: Writer, moved: set[str]) -> None:
    """Move every live lead from the label that is deleted to the target.

    Args:
        change: the delete.
        target: the id of the label that the leads get.
        writer: the way to the account.
        moved: gets the id of each lead that was moved, also where not all of them are.

    Raises:
        StillCarried: after some rounds there are still leads that carry it.
        ApiError: a lead could not be read or written; those that were moved stay moved.
    """
    source = change.remote_id or ""
    carriers: Collection[str] = change.carriers or ()
    for _ in range(ROUNDS):
        await _Round(source, target, writer, moved).move(carriers)
        carriers = await _carriers(source, writer)
        if not carriers:
            return
    verb = "carries" if len(carriers) == 1 else "carry"
    raise StillCarried(UPDATE_LEAD.id, f"{counted(len(carriers), 'lead')} still {verb} the label")


class _Round:
    """Moves leads, several at a time. A failure does not stop the others, unless none can succeed after it."""

    def __init__(self, source: str, target: str, writer: Writer, moved: set[str]) -> None:
        self._source = source
        self._target = target
        self._writer = writer
        self._moved = moved
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._failures: list[ApiError] = []

    async def move(self, leads: Collection[str]) -> None:
        """Move these leads; raise the first failure once no request is under way any more."""
        async with task_group() as group:
            for lead in leads:
                group.create_task(self._move_unless_stopped(lead))
        if self._failures:
            raise next((failure for failure in self._failures if failure.fatal), self._failures[0])

    async def _move_unless_stopped(self, lead: str) -> None:
        async with self._gate:
            if any(failure.fatal for failure in self._failures):
                return
            try:
                await self._move(lead)
            except NotFound:
                return
            except ApiError as failure:
                self._failures.append(failure)

    async def _move(self, lead: str) -> None:
        answer = await self._writer.get(Request(GET_LEAD, lead))
        with understood(LEAD, GET_LEAD):
            now = WireLead.model_validate(answer.data)
        if self._source in now.label_ids and not now.is_archived:
            # In the order in which people have them.
            labels = list(dict.fromkeys(self._target if label == self._source else label for label in now.label_ids))
            await self._writer.send(Request(UPDATE_LEAD, lead, {"label_ids": labels}))
            self._moved.add(lead)


async def _carriers(label: str, writer: Writer) -> list[str]:
    found: list[str] = []
    async with aclosing(writer.pages(GET_LEADS)) as pages:
        async for page in pages:
            with understood(LEAD, GET_LEADS):
                found += [lead.id for lead in glances(page.rows) if label in lead.label_ids]
    return found
