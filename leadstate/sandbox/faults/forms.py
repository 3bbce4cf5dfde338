"""How faults are written: as a JSON document, and as a short text for a command line.

    {"faults": [{"kind": "error-after", "operation": "updateLead", "at": 3, "status": 502}],
     "latency": 0.2, "jitter": 0.1, "lag": 2}

A fault has the keys of `Fault`, those that its kind has no use for left out. Errors name their place.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from leadstate.sandbox.faults.edits import Edit
from leadstate.sandbox.faults.fault import Fault, FaultError, FaultKind
from leadstate.sandbox.faults.plan import Fired
from leadstate.sandbox.seeds import reading
from leadstate.sandbox.seeds.reading import SeedError
from leadstate.sandbox.state import checks
from leadstate.sandbox.state.checks import InvalidError
from leadstate.sandbox.state.records import Body

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
        return read_fault(document, "")
    except FaultError as error:
        raise FaultError(f"{spec!r}: {error}") from None


def read_fault(raw: Any, path: str) -> Fault:
    """Read a fault from JSON, where every value may be of any type."""
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


def fault_row(fault: Fault) -> Body:
    """Return a fault as `read_fault` reads it."""
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


def fired_row(fired: Fired) -> Body:
    """Return what a fault met."""
    problem = {"problem": fired.problem} if fired.problem else {}
    who = {"request": fired.number, "operation": fired.operation, "company": fired.company}
    return {**who, "fault": fault_row(fired.fault), **problem}


def _kind(value: Any) -> FaultKind:
    try:
        return FaultKind(value)
    except ValueError:
        raise InvalidError(f"must be one of {', '.join(FaultKind)}") from None


def seconds(value: Any) -> float:
    """Return seconds, 0 or more."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise InvalidError("must be seconds, 0 or more")
    return value


def requests(value: Any) -> int:
    """Return a number of requests."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _LAG_MOST:
        raise InvalidError(f"must be a number of requests, 0 to {_LAG_MOST}")
    return value
