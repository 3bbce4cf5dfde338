"""Just before a change that would overwrite or delete: has a person changed the object since it was planned?

Pipedrive has no compare-and-set, so the time between this reading and the request is the one in which an edit can still
be lost. It is short.
"""

import asyncio

from leadstate.core.diff import at, removed
from leadstate.core.outcome import Outcome, Status
from leadstate.core.plan import Action, Change, plain
from leadstate.core.resource import Bindings, Live
from leadstate.engine.decoded import decoded
from leadstate.kinds import kind_named
from leadstate.kinds.kind import Kind
from leadstate.kinds.operations import Request
from leadstate.pipedrive.client import Reader
from leadstate.pipedrive.errors import NotFound


class Conflicts:
    """Looks for conflicts in one account; a listing that several changes need is read once."""

    def __init__(self, bindings: Bindings, reader: Reader) -> None:
        self._bindings = bindings
        self._reader = reader
        self._listed: dict[str, dict[str, Live]] = {}
        self._listing = asyncio.Lock()

    async def of(self, change: Change) -> Outcome | None:
        """The conflict that keeps a change from being made, if there is one.

        Raises:
            NotFound: the object is gone.
            ApiError: it could not be read.
        """
        kind = kind_named(change.address.kind)
        request = kind.reread(change)
        if request is None:
            return None
        live = await self._read(kind, request, change)
        now = self._bindings.attrs(live)
        planned = {one.path: one.before for one in change.fields}
        if change.action is Action.DELETE:
            current = {one.path: one.before for one in removed(now)}
        else:
            current = {one.path: at(now, one.steps) for one in change.fields}
        moved = sorted(path for path in planned.keys() | current.keys() if planned.get(path) != current.get(path))
        if not moved:
            return None
        words = "; ".join(f"{path} was {plain(planned.get(path))}, is {plain(current.get(path))}" for path in moved)
        return Outcome(Status.CONFLICT, f"somebody changed it since it was planned: {words}")

    async def _read(self, kind: Kind, request: Request, change: Change) -> Live:
        if request.remote_id is not None:
            return kind.decode((await self._reader.get(request)).data)
        async with self._listing:
            if kind.name not in self._listed:
                rows = (await self._reader.get(request)).rows()
                self._listed[kind.name] = {one.remote_id: one for one in decoded(kind, request.operation, rows)}
        found = self._listed[kind.name].get(change.remote_id or "")
        if found is None:
            raise NotFound(request.operation.id, "it is not there any more")
        return found
