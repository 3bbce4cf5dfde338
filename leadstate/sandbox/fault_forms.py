"""How faults are written: as a JSON document, and as a short text for a command line.

    {"faults": [{"kind": "error-after", "operation": "updateLead", "at": 3, "status": 502}],
     "latency": 0.2, "jitter": 0.1, "lag": 2}

A fault has the keys of `Fault`, those that its kind has no use for left out. Errors name their place.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from . import checks, reading
from .checks import InvalidError
from .edits import Edit
from .fault_plan import Fired
from .faults import Fault, FaultError, FaultKind
from .reading import SeedError
from .records import Body

if TYPE_CHECKING:
    from .sandbox import Sandbox

_EVERY = ("kind", "at", "operation", "times", "company")
_MORE: Mapping[FaultKind, tuple[str, ...]] = {
    FaultKind.ERROR_BEFORE: ("status",),
    FaultKind.ERROR_AFTER: ("status",),
    FaultKind.RATE_LIMITED: ("retry_after",),
    FaultKind.SHORT_PAGE: ("missing",),
    FaultKind.EDIT: ("changes",),
}
_EDIT = tuple(field.name for field in fields(Edit))
_SPEC = re.compile(
    r"(?P<kind>[^:@*]+)(:(?P<operation>[^:@*]+))?(@(?P<at>[0-9]{1,9}))?(?P<star>\*(?P<times>[0-9]{1,9})?)?"
)
_LAG_MOST = 10_000


def fault_of(spec: str) -> Fault:
    """The fault that `KIND[:OPERATION][@N][*[TIMES]]` means, such as `lost:addLead@2*3`. Raises `FaultError`.

    `@N` is the N-th request of the operation, or of any; `*` alone is without end.
    """
    match = _SPEC.fullmatch(spec)
    if match is None:
        raise FaultError(f"{spec!r} is not KIND[:OPERATION][@N][*[TIMES]], such as lost:addLead@2*3")
    if match["kind"] == FaultKind.EDIT:
        raise FaultError(f"{spec!r}: an edit needs its changes; PUT it to /_sandbox/faults")
    once = 1 if match["star"] is None else None
    document = {
        "kind": match["kind"],
        "operation": match["operation"],
        "at": match["at"] and int(match["at"]),
        "times": int(match["times"]) if match["times"] else once,
    }
    try:
        return _fault(document, "")
    except FaultError as error:
        raise FaultError(f"{spec!r}: {error}") from None


def put(sandbox: "Sandbox", document: Any) -> None:
    """Takes a document as the whole new plan; latency, jitter and lag stay where it does not name them.

    Raises `FaultError` and then changes nothing.
    """
    try:
        reading.known(document, ("faults", "latency", "jitter", "lag"), "")
        faults = [_fault(raw, f"faults[{i}]") for i, raw in enumerate(reading.array(document, "faults", ""))]
        checkers = {"latency": _seconds, "jitter": _seconds, "lag": _requests}
        values = {
            key: reading.checked(document[key], checker, key) for key, checker in checkers.items() if key in document
        }
    except SeedError as error:
        raise FaultError(str(error)) from None
    sandbox.faults.replace(faults)
    for key, value in values.items():
        setattr(sandbox, key, value)


def report(sandbox: "Sandbox") -> Body:
    """The plan as `put` takes it, and what came of it: `requests` counted, and every fault that has `fired`."""
    return {
        "faults": [_document(fault) for fault in sandbox.faults.plan],
        "latency": sandbox.latency,
        "jitter": sandbox.jitter,
        "lag": sandbox.lag,
        "requests": sandbox.faults.requests,
        "fired": [_fired(fired) for fired in sandbox.faults.fired],
    }


def _fault(raw: Any, path: str) -> Fault:
    """A fault from JSON, where every value may be of any type."""
    try:
        reading.known(raw, tuple(field.name for field in fields(Fault)), path)
        kind = reading.one(raw, "kind", _kind, path)
        allowed = _EVERY + _MORE.get(kind, ())
        for key in raw:
            if key not in allowed:
                raise FaultError(f"{reading.place(path, key)}: means nothing for {kind}")
        if isinstance(raw.get("at"), list) and "times" in raw:
            raise FaultError(f"{reading.place(path, 'times')}: means nothing beside several numbers in at")
        changes = [
            _edit(edit, f"{reading.place(path, 'changes')}[{i}]")
            for i, edit in enumerate(reading.array(raw, "changes", path))
        ]
    except SeedError as error:
        raise FaultError(str(error)) from None
    try:
        return Fault(**{**raw, "kind": kind, "changes": tuple(changes)})
    except FaultError as error:
        raise FaultError(reading.place(path, str(error))) from None


def _edit(raw: Any, path: str) -> Edit:
    reading.known(raw, _EDIT, path)
    reading.one(raw, "operation", checks.text, path)
    if not isinstance(raw.get("body", {}), Mapping):
        raise SeedError(reading.place(path, "body"), "must be an object")
    try:
        return Edit(**raw)
    except InvalidError as error:
        raise FaultError(reading.place(path, str(error))) from None


def _document(fault: Fault) -> Body:
    values: Body = {
        "at": sorted(fault.at) if isinstance(fault.at, frozenset) else fault.at,
        "operation": fault.operation,
        "company": fault.company,
    }
    document: Body = {"kind": str(fault.kind), **{key: value for key, value in values.items() if value is not None}}
    if not isinstance(fault.at, frozenset):
        document["times"] = fault.times
    for key in _MORE.get(fault.kind, ()):
        document[key] = [edit.document() for edit in fault.changes] if key == "changes" else getattr(fault, key)
    return document


def _fired(fired: Fired) -> Body:
    problem = {"problem": fired.problem} if fired.problem else {}
    who = {"request": fired.number, "operation": fired.operation, "company": fired.company}
    return {**who, "fault": _document(fired.fault), **problem}


def _kind(value: Any) -> FaultKind:
    try:
        return FaultKind(value)
    except ValueError:
        raise InvalidError(f"must be one of {', '.join(FaultKind)}") from None


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise InvalidError("must be seconds, 0 or more")
    return value


def _requests(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _LAG_MOST:
        raise InvalidError(f"must be a number of requests, 0 to {_LAG_MOST}")
    return value
