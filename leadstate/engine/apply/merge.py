"""Gives the leads of a label another one before it is deleted, and sees that none carries it any more.

Resumable at any point: a lead that has been moved does not carry the label, and is not touched again.
"""

import asyncio
from collections.abc import Collection
from contextlib import aclosing

from leadstate.engine.jobs import task_group
from leadstate.kinds import KINDS
from leadstate.kinds.base import Kind, decoded, glances, understood
from leadstate.model.diagnostics import counted
from leadstate.model.plan import Action, Change
from leadstate.model.resource import CARRIER, CARRIES
from leadstate.pipedrive.client import Writer
from leadstate.pipedrive.errors import ApiError, NotFound
from leadstate.pipedrive.operations import Request

ROUNDS = 3
"""How often leads are looked for that got the label while others were moved."""

AT_ONCE = 8
"""Leads that are moved at the same time; the limiter paces their requests."""


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
    kind, source = KINDS[CARRIER], change.remote_id or ""
    update = next(operation for operation, action in kind.writes.items() if action is Action.UPDATE)
    reading = kind.one or kind.listing
    gate = asyncio.Semaphore(AT_ONCE)
    failures: list[ApiError] = []

    async def move(lead: str) -> None:
        """Move one lead. A failure does not stop the others, unless none can succeed after it."""
        async with gate:
            if any(failure.fatal for failure in failures):
                return
            try:
                answer = await writer.get(Request(reading, lead))
                (now,) = decoded(kind, reading, [answer.data])
                labels = glances([answer.data])[0].label_ids
                if source in labels and now.frozen_by is None:
                    # In the order in which people have them.
                    others = list(dict.fromkeys(target if label == source else label for label in labels))
                    await writer.send(Request(update, lead, {kind.wire[CARRIES]: others}))
                    moved.add(lead)
            except NotFound:
                return
            except ApiError as failure:
                failures.append(failure)

    carriers: Collection[str] = change.carriers or ()
    for _ in range(ROUNDS):
        async with task_group() as group:
            for lead in carriers:
                group.create_task(move(lead))
        if failures:
            raise next((failure for failure in failures if failure.fatal), failures[0])
        carriers = await _carriers(kind, source, writer)
        if not carriers:
            return
    verb = "carries" if len(carriers) == 1 else "carry"
    raise StillCarried(update.id, f"{counted(len(carriers), kind.name)} still {verb} the label")


async def _carriers(kind: Kind, label: str, writer: Writer) -> list[str]:
    found: list[str] = []
    async with aclosing(writer.pages(kind.listing)) as pages:
        async for page in pages:
            with understood(kind, kind.listing):
                found += [lead.id for lead in glances(page.rows) if label in lead.label_ids]
    return found
