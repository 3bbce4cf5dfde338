"""What became of each change of a plan; stands beside the plan, which applying does not alter."""

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """The end of one change (spec section 6)."""

    APPLIED = "applied"
    FAILED = "failed"
    SKIPPED = "skipped"
    CONFLICT = "conflict"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One change's end; in words why, where it is not plainly applied; and the id of what it made or changed."""

    status: Status
    detail: str = ""
    remote_id: str | None = None
