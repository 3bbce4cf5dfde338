"""What became of each change of a plan, and what an apply has done to each object.

Both stand beside the plan, which applying does not alter.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from leadstate.model.resource import Attrs


class Status(StrEnum):
    """The end of one change (spec section 6)."""

    APPLIED = "applied"
    FAILED = "failed"
    SKIPPED = "skipped"
    CONFLICT = "conflict"
    UNKNOWN = "unknown"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One change's end; in words why, where it is not plainly applied; and the id of what it made or changed."""

    status: Status
    detail: str = ""
    remote_id: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Touch:
    """One object that an apply has changed, or was about to change.

    Labels stand as `RemoteRef`, so that nothing depends on how a configuration calls them. Where only some labels of a
    lead are named, as for one that lost a deleted label, the others count as unchanged.

    Attributes:
        kind: `label` or `lead`.
        remote_id: its id; None for one whose creation was not answered yet.
        key: what the plan called it; None for a lead that only got or lost labels.
        before: the changed attributes as they were; None where it did not exist.
        after: the same as they are now; None where it does not exist any more.
        marker: the ownership marker of a lead that was created or deleted.
        custom: the custom fields of a deleted lead as they were answered.
        answered: whether an answer says that it happened. Otherwise only the live state can tell.
        locked_as: the key under which the lock file knew it before the run.
    """

    kind: str
    remote_id: str | None
    key: str | None
    before: Attrs | None
    after: Attrs | None
    marker: str | None = None
    custom: Mapping[str, object] = field(default_factory=dict)
    answered: bool = False
    locked_as: str | None = None


@dataclass(frozen=True, slots=True)
class AccountReceipt:
    """What one apply has done to an account.

    Attributes:
        file: where that is written.
        touched: every touch, in order.
        labels: id → name of the labels that existed before it.
        names: attribute and id → what people know it by, as far as the run did.
    """

    file: str
    touched: tuple[Touch, ...]
    labels: Mapping[str, str]
    names: Mapping[str, str] = field(default_factory=dict)
