"""Tells an observer, around every write, what the object was like before and is like after it.

All writes of an apply pass here, those that move the leads of a merged label included. What an object was like is known
from the reading just before the write; where nothing was read again, from the plan.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import product
from typing import Any

from pydantic import ValidationError

from leadstate.engine.events import Observer
from leadstate.kinds import KINDS
from leadstate.kinds.base import Kind
from leadstate.model.address import RemoteRef
from leadstate.model.plan import AccountPlan, Action, Change, Touch
from leadstate.model.resource import CARRIER, CARRIES, FREEZES, SET_BY_LOOKING, UNSET, Absent, Attrs, Live, Value
from leadstate.pipedrive.answers import Answer
from leadstate.pipedrive.client import Writer
from leadstate.pipedrive.connection import Connection
from leadstate.pipedrive.errors import ApiError
from leadstate.pipedrive.operations import Request


class Unrecorded(ApiError):
    """A write was not sent, for what it does could not be noted down."""

    code = "receipt"
    fatal = True


class Recorder(Writer):
    """Writes to one account while observers hear of each object that is touched.

    Args:
        connection: the way to the account.
        plan: what is being applied.
        observers: hear of it.
    """

    def __init__(self, connection: Connection, plan: AccountPlan, observers: Sequence[Observer]) -> None:
        super().__init__(connection)
        self._plan = plan
        self._observers = observers
        self._read: dict[tuple[str, str], Live] = {}
        self._reads = {kind.one: kind for kind in KINDS.values()}
        self._writes = {operation: kind for kind in KINDS.values() for operation in kind.writes}

    async def get(self, request: Request) -> Answer:
        """Read, and remember an object that is read by its id until it is written."""
        answer = await super().get(request)
        kind = self._reads.get(request.operation)
        if kind is not None and request.remote_id is not None:
            with suppress(ValidationError, ArithmeticError):
                self._read[kind.name, request.remote_id] = kind.decode(answer.data)
        return answer

    async def send(self, request: Request, change: Change | None = None) -> Answer:
        """Send one request; observers hear of it before, and of the answer.

        Args:
            request: the request.
            change: what it is for; None where it moves a lead from a label that is merged.

        Raises:
            Unrecorded: an observer can note nothing more down, so nothing was sent.
            ApiError: as `Writer.send`.
        """
        account, kind = self._plan.account, self._writes[request.operation]
        action = kind.writes[request.operation]
        touches = list(self._expect(kind, action, request, change))
        for touch, observer in product(touches, self._observers):
            observer.touching(account, touch)
        if obstacle := next((observer.obstacle for observer in self._observers if observer.obstacle), ""):
            raise Unrecorded(request.operation.id, obstacle)
        try:
            answer = await self._connection.exchange(request)
        except ApiError as failure:
            # Of anything but a create the live state tells whether it happened.
            if action is Action.ADD and not failure.perhaps_done:
                for touch, observer in product(touches, self._observers):
                    observer.touched(account, touch, None)
            raise
        for touch in touches:
            done = self._describe_done(touch, answer.data)
            for observer in self._observers:
                observer.touched(account, touch, done)
        return answer

    def _expect(self, kind: Kind, action: Action, request: Request, change: Change | None) -> Iterator[Touch]:
        body, remote_id = request.body or {}, request.remote_id or ""
        if change is None or action is Action.UPDATE:
            yield self._expect_update(kind, remote_id, body, change)
        elif action is Action.ADD:
            yield self._expect_add(change, kind, body)
        else:
            yield from self._expect_carriers(change, remote_id)
            yield self._expect_delete(change, remote_id)

    def _expect_add(self, change: Change, kind: Kind, body: Mapping[str, object]) -> Touch:
        wanted = {name: value for name, value in change.want.items() if value is not None and name != FREEZES}
        after = {**wanted, **_decode_lists(kind, body)}
        return Touch(kind.name, None, change.address.key, None, after, marker=change.marker)

    def _expect_update(self, kind: Kind, remote_id: str, body: Mapping[str, object], change: Change | None) -> Touch:
        after: dict[str, Value] = dict(_decode_lists(kind, body))
        before: dict[str, Value] = {}
        if after:
            read = self._read.pop((kind.name, remote_id), None)
            before = {name: () if read is None else read.attrs[name] for name in after}
        if kind.wire.get(FREEZES) in body:
            after[FREEZES] = bool(body[kind.wire[FREEZES]])
            before[FREEZES] = not after[FREEZES]
        elif change is not None:
            planned = {field.path: field.before for field in change.fields}
            for name in change.want.keys() - {*kind.references, FREEZES}:
                was = planned.get(name)
                before[name], after[name] = None if isinstance(was, Absent) else was, change.want[name]
        return Touch(kind.name, remote_id, None if change is None else change.address.key, before, after)

    def _expect_delete(self, change: Change, remote_id: str) -> Touch:
        kind, key = change.address.kind, change.address.key
        read = self._read.pop((kind, remote_id), None)
        if read is not None:
            return Touch(kind, remote_id, key, read.attrs, None, read.marker, read.custom)
        unlink = self._plan.bindings.unlink
        before = {field.path: unlink(field.before) for field in change.fields if not isinstance(field.before, Absent)}
        return Touch(kind, remote_id, key, before, None, change.marker)

    def _expect_carriers(self, change: Change, remote_id: str) -> Iterator[Touch]:
        """Yield what loses its reference to an object by its delete; what gets another one was written before."""
        live = () if change.moves_to is not None else change.carriers or ()
        for carrier in (*live, *(change.archived_carriers or ())):
            yield Touch(CARRIER, carrier, None, {CARRIES: (RemoteRef(change.address.kind, remote_id),)}, {CARRIES: ()})

    def _describe_done(self, touch: Touch, data: Any) -> Touch:
        """Return what happened, with the values that were answered: they may differ from those that were asked for."""
        if touch.after is None:
            return replace(touch, answered=True)
        try:
            live = KINDS[touch.kind].decode(data)
        except (ValidationError, ArithmeticError):
            return replace(touch, answered=touch.remote_id is not None)
        if touch.remote_id is None:
            after = _select_set(touch.after, live.attrs)
            return replace(touch, remote_id=live.remote_id, after=after, custom=live.custom, answered=True)
        if touch.remote_id != live.remote_id:
            return replace(touch, answered=True)
        fields = self._plan.bindings.fields
        there = live.attrs if fields is None else {**fields.read(live.custom), **live.attrs}
        after = {name: there.get(name) for name in touch.after}
        return replace(touch, after=after, answered=True)


def _select_set(written: Attrs, answered: Attrs) -> Attrs:
    """Return all that a create has set, what the server set by itself included: any other value comes from an edit."""
    return {
        name: value
        for name, value in answered.items()
        if name in written or (value not in UNSET and name != SET_BY_LOOKING)
    }


def _decode_lists(kind: Kind, body: Mapping[str, object]) -> Attrs:
    """Return the lists of references that a body gives."""
    written = {name: body[kind.wire[name]] for name in kind.references if kind.wire[name] in body}
    return {
        name: tuple(sorted(RemoteRef(kind.references[name], str(id_)) for id_ in ids)) if isinstance(ids, list) else ()
        for name, ids in written.items()
    }
