"""What an account allows: which undeclared objects may go, and how much at once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Prune(StrEnum):
    """Which unmanaged objects are deleted: none, those with our marker, those that the lock file knows, or all."""

    NONE = "none"
    OWNED = "owned"
    LOCKED = "locked"
    ALL = "all"


class Impact(StrEnum):
    """How thoroughly the leads that carry a deleted label are counted."""

    NONE = "none"
    LIVE = "live"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Policy:
    """Rules of one account (spec section 2, `policy`).

    Attributes:
        prune_rules: kind → its rule; NONE for a kind that is not in it.
        max_deletes: deletes of one run; None for no limit.
        max_delete_percent: deletes of a kind, in percent of what exists; None for no limit.
        max_tokens: rate-limit tokens that an apply may cost; None for no limit.
        refuse_in_use: whether deleting a label that leads carry is refused.
        archived_pages: how many pages of 500 archived leads may be read.
    """

    prune_rules: Mapping[str, Prune] = field(default_factory=dict)
    max_deletes: int | None = 10
    max_delete_percent: int | None = 30
    max_tokens: int | None = None
    refuse_in_use: bool = True
    archived_pages: int = 10

    def prune(self, kind: str) -> Prune:
        """Return the rule for a kind."""
        return self.prune_rules.get(kind, Prune.NONE)
