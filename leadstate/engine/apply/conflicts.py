"""Just before a change that would create, overwrite or delete: has a person changed the account since it was planned?

Pipedrive has no compare-and-set, so the time between this reading and the request is the one in which an edit can still
be lost. It is short.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

from leadstate.kinds import KINDS
from leadstate.kinds.base import Kind, decoded
from leadstate.model.address import RemoteRef
from leadstate.model.plan import AccountPlan, Action, Change, Outcome, Status, plain
from leadstate.model.resource import Live
from leadstate.pipedrive.client import Reader
from leadstate.pipedrive.errors import NotFound
from leadstate.pipedrive.operations import Request
from leadstate.reconcile.diff import at, removed

GONE: Final = Outcome(Status.APPLIED, "it was gone already")
"""The end of a delete whose object does not exist any more."""


class Conflicts:
    """Looks for conflicts in one account. A listing is read once for all adds, and once for all deletes."""

    def __init__(self, plan: AccountPlan, reader: Reader) -> None:
        self._bindings = plan.bindings
        self._names = {(live.kind, live.remote_id): live.name for live in plan.named}
        self._reader = reader
        self._listed: dict[tuple[str, Action], dict[str, Live]] = {}
        self._listing = asyncio.Lock()

    async def find(self, change: Change, *, again: bool = False) -> Outcome | None:
        """Return what keeps a change from being made: a conflict, or that its object is gone; None if nothing does.

        Args:
            change: what is about to be made.
            again: whether to read anew what is shared with other changes.

        Raises:
            NotFound: the object that an update is about does not exist any more.
            ApiError: it could not be read.
        """
        kind = KINDS[change.address.kind]
        request = kind.reread(change)
        if request is None:
            return None
        if request.remote_id is None:
            listed = await self._list(kind, request, change.action, again=again)
            if change.action is Action.ADD:
                return self._namesake(change, listed)
            found = listed.get(change.remote_id or "")
            return GONE if found is None else self._compare(change, found)
        try:
            (found,) = decoded(kind, request.operation, [(await self._reader.get(request)).data])
        except NotFound:
            if change.action is Action.DELETE:
                return GONE
            raise
        return self._compare(change, found)

    def _namesake(self, change: Change, listed: Mapping[str, Live]) -> Outcome | None:
        """Return the conflict with an object of the same name that did not exist, or had another name, when planned."""
        for live in listed.values():
            known = self._bindings.knows(RemoteRef(live.kind, live.remote_id))
            was_there = known and self._names.get((live.kind, live.remote_id)) == live.name
            if live.name == change.want["name"] and not was_there:
                return Outcome(
                    Status.CONFLICT,
                    f"somebody made a {live.kind} of this name since it was planned ({live.remote_id}); plan again",
                )
        return None

    def _compare(self, change: Change, live: Live) -> Outcome | None:
        now = self._bindings.attrs(live)
        planned = {field.path: field.before for field in change.fields}
        if change.action is Action.DELETE:
            current = {field.path: field.before for field in removed(now)}
        else:
            current = {field.path: at(now, field.steps) for field in change.fields}
        moved = sorted(path for path in planned.keys() | current.keys() if planned.get(path) != current.get(path))
        if not moved:
            return None
        words = "; ".join(f"{path} was {plain(planned.get(path))}, is {plain(current.get(path))}" for path in moved)
        return Outcome(Status.CONFLICT, f"somebody changed it since it was planned: {words}")

    async def _list(self, kind: Kind, request: Request, action: Action, *, again: bool) -> Mapping[str, Live]:
        async with self._listing:
            if again or (kind.name, action) not in self._listed:
                rows = (await self._reader.get(request)).rows()
                self._listed[kind.name, action] = {
                    live.remote_id: live for live in decoded(kind, request.operation, rows)
                }
            return self._listed[kind.name, action]
