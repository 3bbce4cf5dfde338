"""Tells an observer, around every write, what the object was like before and is like after it.

All writes of an apply pass here, those that move the leads of a merged label included. What an object was like is known
from the reading just before the write; where nothing was read again, from the plan.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from leadstate.engine.events import Observer
from leadstate.kinds import kind_named
from leadstate.kinds.label import LABEL
from leadstate.kinds.lead import LEAD
from leadstate.model.address import Ref, RemoteRef
from leadstate.model.outcome import Touch
from leadstate.model.plan import AccountPlan, Action, Change
from leadstate.model.resource import FREEZES, Absent, Attrs, Bindings, Live, Value
from leadstate.pipedrive.answers import Answer
from leadstate.pipedrive.client import Writer
from leadstate.pipedrive.connection import Connection, Lane
from leadstate.pipedrive.errors import ApiError
from leadstate.pipedrive.operations import (
    ADD_LABEL,
    ADD_LEAD,
    DELETE_LABEL,
    DELETE_LEAD,
    GET_LEAD,
    UPDATE_LABEL,
    UPDATE_LEAD,
    Request,
)

LABELS = "label_ids"
ARCHIVED = "is_archived"


class Unrecorded(ApiError):
    """A write was not sent, for what it does could not be noted down."""

    code = "receipt"
    fatal = True


class Recorder(Writer):
    """Writes to one account while an observer hears of each object that is touched.

    Args:
        connection: the way to the account.
        plan: what is being applied.
        observer: hears of it.
    """

    def __init__(self, connection: Connection, plan: AccountPlan, observer: Observer) -> None:
        super().__init__(connection)
        self._plan = plan
        self._observer = observer
        self._changes = {(c.address.kind, c.remote_id): c for c in plan.changes if c.remote_id is not None}
        self._adds = {_identity(c): c for c in plan.changes if c.action is Action.ADD}
        self._read: dict[str, Live] = {}

    async def get(self, request: Request, lane: Lane | None = None) -> Answer:
        """Read, and remember a lead until it is written."""
        answer = await super().get(request, lane)
        if request.operation is GET_LEAD and request.remote_id is not None:
            with suppress(ValidationError, ArithmeticError):
                self._read[request.remote_id] = LEAD.decode(answer.data)
        return answer

    async def send(self, request: Request) -> Answer:
        """Send one request; the observer hears of it before, and of the answer.

        Raises:
            Unrecorded: the observer can note nothing more down, so nothing was sent.
            ApiError: as `Writer.send`.
        """
        touches = [touch for touch in self._touches(request) if touch is not None]
        for touch in touches:
            self._observer.touching(self._plan.account, touch)
        if self._observer.obstacle:
            raise Unrecorded(request.operation.id, self._observer.obstacle)
        try:
            answer = await super().send(request)
        except ApiError as failure:
            # Of anything but a create the live state tells whether it happened.
            if request.operation in (ADD_LABEL, ADD_LEAD) and not failure.perhaps_done:
                self._tell(touches, [None] * len(touches))
            raise
        self._tell(touches, [self._done(touch, answer.data) for touch in touches])
        return answer

    def _tell(self, touches: list[Touch], done: list[Touch] | list[None]) -> None:
        for touch, result in zip(touches, done, strict=True):
            self._observer.touched(self._plan.account, touch, result)

    def _touches(self, request: Request) -> Iterator[Touch | None]:
        body, remote_id = request.body or {}, request.remote_id
        match request.operation:
            case operation if operation in (ADD_LABEL, ADD_LEAD):
                change = self._adds.get(body.get("origin_id") if operation is ADD_LEAD else body.get("name"))
                yield None if change is None else self._add(change, body)
            case operation if operation is DELETE_LEAD and remote_id is not None:
                yield self._delete(LEAD.name, remote_id)
            case operation if operation is DELETE_LABEL and remote_id is not None:
                yield from self._carriers(remote_id)
                yield self._delete(LABEL.name, remote_id)
            case operation if operation in (UPDATE_LABEL, UPDATE_LEAD) and remote_id is not None:
                yield self._update((LEAD if operation is UPDATE_LEAD else LABEL).name, remote_id, body)

    def _add(self, change: Change, body: Mapping[str, object]) -> Touch:
        wanted = {name: value for name, value in change.want.items() if value is not None and name != FREEZES}
        after = {**wanted, **({"labels": _remote(body[LABELS])} if LABELS in body else {})}
        return Touch(change.address.kind, None, change.address.key, None, after, marker=change.marker)

    def _update(self, kind: str, remote_id: str, body: Mapping[str, object]) -> Touch:
        change = self._changes.get((kind, remote_id))
        before: dict[str, Value] = {}
        after: dict[str, Value] = {}
        if LABELS in body:
            read = self._read.pop(remote_id, None)
            after["labels"] = _remote(body[LABELS])
            before["labels"] = () if read is None else read.attrs["labels"]
        if ARCHIVED in body:
            after[FREEZES] = bool(body[ARCHIVED])
            before[FREEZES] = not body[ARCHIVED]
        if change is not None and body.keys() - {LABELS, ARCHIVED}:
            planned = {field.path: field.before for field in change.fields}
            for name in change.want.keys() - {"labels", FREEZES}:
                was = planned.get(name)
                before[name], after[name] = None if isinstance(was, Absent) else was, change.want[name]
        key = None if change is None else change.address.key
        return Touch(kind, remote_id, key, before, after)

    def _delete(self, kind: str, remote_id: str) -> Touch:
        change, read = self._changes.get((kind, remote_id)), self._read.pop(remote_id, None)
        key = None if change is None else change.address.key
        if read is not None:
            return Touch(kind, remote_id, key, read.attrs, None, read.marker, read.custom)
        planned = () if change is None else change.fields
        before = {f.path: _unlinked(f.before, self._plan.bindings) for f in planned if not isinstance(f.before, Absent)}
        return Touch(kind, remote_id, key, before, None, None if change is None else change.marker)

    def _carriers(self, label: str) -> Iterator[Touch]:
        """Leads that lose a label by its delete; those of a label that has a successor were moved one by one before."""
        change = self._changes.get((LABEL.name, label))
        if change is None:
            return
        live = () if change.moves_to is not None else change.carriers or ()
        for lead in (*live, *(change.archived_carriers or ())):
            yield Touch(LEAD.name, lead, None, {"labels": (RemoteRef(LABEL.name, label),)}, {"labels": ()})

    def _done(self, touch: Touch, data: Any) -> Touch:
        """What happened: with the values that were answered, which may be others than those that were asked for."""
        if touch.after is None:
            return replace(touch, answered=True)
        try:
            live = kind_named(touch.kind).decode(data)
        except (ValidationError, ArithmeticError):
            return replace(touch, answered=touch.remote_id is not None)
        if touch.remote_id is None:
            self._changes[touch.kind, live.remote_id] = self._adds[touch.marker or touch.after.get("name")]
        elif touch.remote_id != live.remote_id:
            return replace(touch, answered=True)
        return replace(touch, remote_id=live.remote_id, after=self._answered(touch.after, live), answered=True)

    def _answered(self, asked: Attrs, live: Live) -> Attrs:
        fields = self._plan.bindings.fields
        custom = {} if fields is None else fields.read(live.custom)
        there = {**custom, **live.attrs}
        return {name: there.get(name) for name in asked}


def _identity(change: Change) -> object:
    return change.marker or change.want.get("name")


def _remote(ids: object) -> tuple[RemoteRef, ...]:
    return tuple(sorted(RemoteRef(LABEL.name, str(label)) for label in ids)) if isinstance(ids, list) else ()


def _unlinked(value: Any, bindings: Bindings) -> Value:
    """The same value with references turned back into ids."""
    if isinstance(value, tuple):
        return tuple(_unlinked(item, bindings) for item in value)
    remote_id = bindings.id_of(value) if isinstance(value, Ref) else None
    return value if remote_id is None else RemoteRef(value.kind, remote_id)
