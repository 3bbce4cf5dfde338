"""Sends the requests of one change; a create whose answer was lost is looked for before it is sent again."""

from collections.abc import Mapping
from typing import Any

from leadstate.engine.apply.lost_creates import look_for
from leadstate.engine.read.decoded import decoded
from leadstate.kinds.base import Kind
from leadstate.model.address import Ref
from leadstate.model.plan import Action, Change
from leadstate.model.resource import FREEZES, Bindings, Live, Value
from leadstate.pipedrive.client import Writer
from leadstate.pipedrive.errors import ApiError, Rejected
from leadstate.pipedrive.operations import Request

CREATES = 3
"""How often a create is sent whose answer is lost each time, and which is then not there."""


class NotCreated(ApiError):
    """Nobody knows whether a create happened."""

    code = "unknown"


async def make(change: Change, kind: Kind, bindings: Bindings, writer: Writer) -> Live | None:
    """Send what the change takes; the object as it was answered last, None after a delete.

    Raises:
        NotCreated: a create may or may not have happened.
        ApiError: a request failed for good.
        pydantic.ValidationError: an answer is not of its kind.
    """
    requests = kind.requests(change, _Bound(bindings))
    made: Live | None = None
    if change.action is Action.ADD:
        made = await _create(requests[0], change, kind, bindings, writer)
        bindings.bind(change.address.ref, made.remote_id)
        requests = requests[1:]
    for request in requests:
        data = await _send(_addressed(request, change, bindings), kind, writer)
        if change.action is not Action.DELETE:
            made = kind.decode(data)
    return made


async def _send(request: Request, kind: Kind, writer: Writer) -> Any:
    """Send it and return the answer. Where archiving is refused, ask whether the object is archived already.

    So it is after an answer that was lost: the client sends a PATCH again, and an archived object takes nothing but its
    way back.
    """
    try:
        return (await writer.send(request)).data
    except Rejected:
        archive = {kind.wire.get(FREEZES): True}
        if kind.one is None or request.body != archive:
            raise
        there = (await writer.get(Request(kind.one, request.remote_id))).data
        if not (isinstance(there, dict) and archive.items() <= there.items()):
            raise
        return there


class _Bound:
    """What a change's symbols stand for by now."""

    def __init__(self, bindings: Bindings) -> None:
        self._bindings = bindings

    def __call__(self, ref: Ref) -> str:
        return bound(self._bindings, ref)

    def custom(self, attribute: str, value: Value) -> Mapping[str, object]:
        if self._bindings.fields is None:
            raise LookupError(f"{attribute} has no key, though it was planned")
        return self._bindings.fields.write(attribute, value)


def bound(bindings: Bindings, ref: Ref) -> str:
    """The id of a reference that has to have one by now."""
    found = bindings.id_of(ref)
    if found is None:
        raise LookupError(f"{ref} has no id, though every change that it depends on was applied")
    return found


async def _create(request: Request, change: Change, kind: Kind, bindings: Bindings, writer: Writer) -> Live:
    for _ in range(CREATES):
        try:
            (made,) = decoded(kind, request.operation, [(await writer.send(request)).data])
        except ApiError as failure:
            if not failure.perhaps_done:
                raise
            lost = failure
        else:
            return made
        found = await _look(change, kind, bindings, writer, lost)
        if found is not None:
            return found
    raise NotCreated(request.operation.id, f"sent {CREATES} times without an answer ({lost}), and it is not there")


async def _look(change: Change, kind: Kind, bindings: Bindings, writer: Writer, lost: ApiError) -> Live | None:
    try:
        return await look_for(change, kind, bindings, writer)
    except ApiError as failure:
        if failure.fatal:
            raise
        raise NotCreated(
            lost.operation, f"the answer was lost ({lost}), and looking for it failed ({failure})"
        ) from None


def _addressed(request: Request, change: Change, bindings: Bindings) -> Request:
    """A request that follows a create gets the id that the create was answered."""
    if request.remote_id is None and "{id}" in request.operation.path:
        return Request(request.operation, bound(bindings, change.address.ref), request.body)
    return request
