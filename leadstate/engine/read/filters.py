"""Reads the saved filters of an account: which labels they name, at 20 tokens and 2 for each."""

from collections.abc import Mapping, Sequence
from contextlib import suppress

from pydantic import BaseModel, ValidationError

from leadstate.engine.jobs import task_group
from leadstate.kinds.base import describe
from leadstate.model.address import RemoteRef
from leadstate.model.resource import CARRIED
from leadstate.model.usage import SavedFilter
from leadstate.pipedrive.client import Reader
from leadstate.pipedrive.errors import BadAnswer, Forbidden, NotFound
from leadstate.pipedrive.operations import GET_FILTER, GET_FILTERS, UUID, Operation, Request


class WireFilter(BaseModel):
    """A filter as Pipedrive lists it (getFilters), and with its conditions (getFilter)."""

    id: int
    name: str
    active_flag: bool = True
    temporary_flag: bool | None = None
    conditions: object = None

    @property
    def saved(self) -> bool:
        """Whether it was saved, and not deleted since; one that was only tried out is temporary."""
        return self.active_flag and not self.temporary_flag

    @property
    def ids(self) -> frozenset[str]:
        """Every UUID that the conditions hold.

        How a condition on labels is written is not documented: the value may be an id, or a list of ids as JSON. An id
        of a label is nothing else's, so wherever it stands, the filter names the label.
        """
        return frozenset(found.group().lower() for found in UUID.finditer(str(self.conditions)))


async def list_filters(reader: Reader) -> list[SavedFilter]:
    """Return the filters that the token's user can see, temporary and deleted ones left out (20 tokens).

    Filters of every type are returned: one of activities or deals may look at the leads behind them.

    Raises:
        ApiError: they could not be read.
    """
    rows = (await reader.get(Request(GET_FILTERS))).rows()
    listed = [_decoded(GET_FILTERS, row) for row in rows]
    return [SavedFilter(found.id, found.name) for found in listed if found.saved]


async def read_filters(reader: Reader) -> Mapping[RemoteRef, tuple[SavedFilter, ...]] | None:
    """Return each label that saved filters name, with those filters; None where the token may not read filters.

    Raises:
        ApiError: they could not be read.
    """
    try:
        named = await read_named_ids(await list_filters(reader), reader)
    except Forbidden:
        return None
    return {RemoteRef(CARRIED, remote_id): filters for remote_id, filters in named.items()}


async def read_named_ids(filters: Sequence[SavedFilter], reader: Reader) -> Mapping[str, tuple[SavedFilter, ...]]:
    """Return id → the filters whose conditions name it (2 tokens a filter); one that is gone by now names nothing.

    Raises:
        ApiError: a filter could not be read.
    """
    named: dict[int, frozenset[str]] = {}

    async def read(saved: SavedFilter) -> None:
        with suppress(NotFound):
            answer = await reader.get(Request(GET_FILTER, str(saved.id)))
            named[saved.id] = _decoded(GET_FILTER, answer.data).ids

    async with task_group() as group:
        for saved in filters:
            group.create_task(read(saved))
    found: dict[str, tuple[SavedFilter, ...]] = {}
    for saved in sorted(filters, key=lambda saved: saved.id):
        for remote_id in named.get(saved.id, ()):
            found[remote_id] = (*found.get(remote_id, ()), saved)
    return found


def _decoded(operation: Operation, row: object) -> WireFilter:
    try:
        return WireFilter.model_validate(row)
    except (ValidationError, RecursionError) as failure:
        raise BadAnswer(operation.id, f"answered a malformed filter: {describe(failure)}") from None
