"""Faults on request: what there is to go wrong, and with which requests.

It refuses to know HTTP and to count: `disturb` makes answers of faults, and `fault_plan` says when one is due.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from leadstate.sandbox.faults.edits import Edit
from leadstate.sandbox.state import checks
from leadstate.sandbox.state.checks import Checker, InvalidError
from leadstate.sandbox.state.limits import TOKEN_COSTS

PAGED = frozenset({"getLeads", "getArchivedLeads"})
"""The operations that answer in pages, which alone can be short."""


class FaultKind(StrEnum):
    """What goes wrong. A write is committed by some and not by others, as each says."""

    ERROR_BEFORE = "error-before"
    """An answer 5xx (`status`); not committed."""
    ERROR_AFTER = "error-after"
    """An answer 5xx (`status`); committed."""
    RATE_LIMITED = "rate-limited"
    """The 429 of a full burst window (`retry_after`); not committed, not charged."""
    RESET = "reset"
    """The connection is reset without an answer; not committed."""
    LOST = "lost"
    """The connection is closed without an answer; committed."""
    CUT = "cut"
    """The connection is closed in the middle of the answer's body; committed."""
    SHORT_PAGE = "short-page"
    """A page of leads lacks rows at its end (`missing`) and says that more follow."""
    SHIELD = "shield"
    """403 with an HTML page, as of the shield in front of Pipedrive; not committed."""
    HTML = "html"
    """200 with an HTML page, as of a proxy in between; not committed."""
    EDIT = "edit"
    """People change things (`changes`) just before the request is handled; it is then answered as it is due."""


class FaultError(ValueError):
    """A fault that makes no sense. The text starts with the name of the field that is wrong."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong, and with which requests.

    Meant are the requests of this `operation` (its id in the OpenAPI description) and `company` (its id), or of any.
    They are counted from 1 since the plan was set. Without `at` it strikes the first `times` of them; from a number
    `at` on, `times` in a row; and of several numbers, each one, whatever `times` says. `times=None` is without end.
    Raises `FaultError`.
    """

    kind: FaultKind
    at: int | Collection[int] | None = None
    operation: str | None = None
    times: int | None = 1
    company: int | None = None
    status: int = 503
    retry_after: int | None = 2
    missing: int = 1
    changes: Sequence[Edit] = ()

    def __post_init__(self) -> None:
        clean: dict[str, Any] = {
            "kind": _kind(self.kind),
            "at": self.at if self.at is None else _numbers(self.at),
            "changes": tuple(self.changes),
        }
        for name, value in clean.items():
            object.__setattr__(self, name, value)
        for name in ("times", "company"):
            if getattr(self, name) is not None:
                _check(name, checks.integer, getattr(self, name))
        _check("missing", checks.integer, self.missing)
        if self.retry_after is not None:
            _check("retry_after", _seconds, self.retry_after)
        _check("status", _server_error, self.status)
        served = sorted(PAGED) if self.kind is FaultKind.SHORT_PAGE else sorted(TOKEN_COSTS)
        if self.operation is not None and self.operation not in served:
            raise FaultError(f"operation: must be one of {', '.join(served)}")
        if bool(self.changes) != (self.kind is FaultKind.EDIT):
            raise FaultError("changes: must be given for edit, and for nothing else")

    def means(self, operation: str, company_id: int) -> bool:
        """Whether a request is one of those that are counted for this fault."""
        return (
            (self.operation is None or self.operation == operation)
            and (self.company is None or self.company == company_id)
            and (self.kind is not FaultKind.SHORT_PAGE or operation in PAGED)
        )

    def due(self, number: int, struck: int) -> bool:
        """Whether it strikes the request of this number among those it means, after it struck so many."""
        if self.at is None:
            return self.times is None or struck < self.times
        if isinstance(self.at, int):
            return number >= self.at and (self.times is None or number < self.at + self.times)
        return number in self.at


def _kind(value: Any) -> FaultKind:
    try:
        return FaultKind(value)
    except ValueError:
        raise FaultError(f"kind: must be one of {', '.join(FaultKind)}") from None


def _numbers(value: Any) -> int | frozenset[int]:
    """One number, or several."""
    if isinstance(value, Collection) and not isinstance(value, str | bytes):
        for number in value:
            _check("at", checks.integer, number)
        if not value:
            raise FaultError("at: must name a request")
        return frozenset(value)
    _check("at", checks.integer, value)
    return int(value)


def _seconds(value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise InvalidError("must be whole seconds")


def _server_error(value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not 500 <= value <= 599:  # noqa: PLR2004 (5xx)
        raise InvalidError("must be from 500 to 599")


def _check(name: str, checker: Checker, value: Any) -> None:
    try:
        checker(value)
    except InvalidError as error:
        raise FaultError(f"{name}: {error}") from None
