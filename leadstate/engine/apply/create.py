"""Sends the requests of one change; a create whose answer was lost is looked for before it is sent again."""

from collections.abc import Mapping, Sequence
from contextlib import aclosing
from typing import Any

from leadstate.engine.read.leads import NEWEST_FIRST, again_if_shifted
from leadstate.kinds.base import Kind, decoded, understood
from leadstate.model.address import Ref, RemoteRef
from leadstate.model.plan import Action, Change
from leadstate.model.resource import FREEZES, PAGE, Bindings, Live, Value
from leadstate.pipedrive.client import Reader, Writer
from leadstate.pipedrive.errors import ApiError, BadAnswer, Rejected
from leadstate.pipedrive.operations import Request
from leadstate.reconcile.lookalikes import is_altered

PATIENCE = (0.5, 1.5, 4.0)
"""Seconds before each look."""


async def look_for(change: Change, kind: Kind, bindings: Bindings, reader: Reader) -> Live | None:
    """Return the object that an add may have made; None if it does not exist after some patience.

    An object is known by its ownership marker. One that can bear none is of the wanted name and did not exist when the
    account was read.

    Raises:
        ApiError: it could not be looked for, more than one object could be the one, or one could be that the server
            has stored otherwise than it was asked to.
    """
    for pause in PATIENCE:
        await reader.pace.sleep(pause)
        found, altered = await (
            _look_by_name(change, kind, bindings, reader) if kind.is_named else _look_by_marker(change, kind, reader)
        )
        if len(found) > 1:
            raise BadAnswer(kind.listing.id, f"{len(found)} {kind.name}s could be the one that was to be created")
        if found:
            return found[0]
        if altered:
            ids = ", ".join(live.remote_id for live in altered)
            raise BadAnswer(kind.listing.id, f"a {kind.name} could be it, with another name or marker ({ids})")
    return None


Found = tuple[list[Live], list[Live]]
"""What is the wanted object, and what may be it in another form."""


async def _look_by_name(change: Change, kind: Kind, bindings: Bindings, reader: Reader) -> Found:
    rows = (await reader.get(Request(kind.listing))).rows()
    listed = decoded(kind, kind.listing, rows)
    unknown = [live for live in listed if not bindings.knows(RemoteRef(live.kind, live.remote_id))]
    name = change.want["name"]
    return (
        [live for live in unknown if live.name == name],
        [live for live in unknown if is_altered(name, None, live)],
    )


async def _look_by_marker(change: Change, kind: Kind, reader: Reader) -> Found:
    """Look on the newest page, which holds what was created a moment ago, or on all if the server does not sort."""
    try:
        answer = await reader.get(Request(kind.listing, query=(NEWEST_FIRST, ("limit", str(PAGE)))))
    except Rejected:
        return await again_if_shifted(lambda: _look_on_all_pages(change, kind, reader))
    rows = answer.rows()
    found = _of_create(change, kind, rows)
    if not found[0] and answer.page()[1] and not _is_newest_first(rows):
        return await again_if_shifted(lambda: _look_on_all_pages(change, kind, reader))
    return found


async def _look_on_all_pages(change: Change, kind: Kind, reader: Reader) -> Found:
    found: Found = ([], [])
    async with aclosing(reader.pages(kind.listing)) as pages:
        async for page in pages:
            for kept, new in zip(found, _of_create(change, kind, page.rows), strict=True):
                kept.extend(new)
    return found


def _of_create(change: Change, kind: Kind, rows: Sequence[Any]) -> Found:
    """Return the objects of a page that the create may have made. All others are not looked into."""
    title = change.want.get("title")
    with understood(kind, kind.listing):
        near = [
            row
            for glance, row in zip(kind.glances(rows), rows, strict=True)
            if glance.origin_id == change.marker or row.get("title") == title
        ]
    found = list(decoded(kind, kind.listing, near))
    return (
        [live for live in found if live.marker == change.marker],
        [live for live in found if is_altered(title, change.marker, live)],
    )


def _is_newest_first(rows: Sequence[Any]) -> bool:
    """Return whether the rows show that the server has sorted them: some servers ignore `sort` without a word."""
    times = [row.get("add_time") for row in rows]
    return all(isinstance(time, str) for time in times) and times == sorted(times, reverse=True) != sorted(times)


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
