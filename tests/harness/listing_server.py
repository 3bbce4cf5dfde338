"""A listing of numbers that may change while it is read, page by page."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from leadstate.pipedrive.answers import Answer
from leadstate.pipedrive.operations import GET_LEADS, Request

SIZE = 5
"""Rows on a page, so that short listings have many pages, which overlap by one row."""


@dataclass
class ListingServer:
    """Answers with at most `size` rows, and counts what it is asked.

    Attributes:
        turns: of the event loop that an answer takes, in rotation.
        changes: number of an answer, from 0 → what happens to the listing just before it.
        starts: the offsets that were asked for.
        most: how many requests were under way at most.
    """

    ids: list[int]
    size: int = SIZE
    turns: list[int] = field(default_factory=lambda: [3])
    changes: dict[int, Callable[[list[int]], object]] = field(default_factory=dict)
    starts: list[int] = field(default_factory=list)
    answered: int = 0
    under_way: int = 0
    most: int = 0

    async def get(self, request: Request) -> Answer:
        """Answer a request for a page."""
        start = int(dict(request.query)["start"])
        turns = self.turns[len(self.starts) % len(self.turns)]
        self.starts.append(start)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            for _ in range(turns):
                await asyncio.sleep(0)
            self.changes.get(self.answered, len)(self.ids)
            self.answered += 1
            rows = [{"id": str(id_)} for id_ in self.ids[start : start + self.size]]
            page = {"limit": self.size, "more_items_in_collection": start + self.size < len(self.ids)}
            return Answer(GET_LEADS, rows, {"pagination": page})
        finally:
            self.under_way -= 1


def pages_of(count: int, size: int = SIZE) -> int:
    """Return how many pages a listing of so many rows has."""
    return 1 + max(0, -(-(count - size) // (size - 1)))
