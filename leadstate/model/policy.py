"""What an account allows: which undeclared objects may go, and how much at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase


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
        ignore: kind → patterns of the names of live objects that are as if they were not there.
        protect: kind → patterns of the names of live objects that are never deleted.
    """

    prune_rules: Mapping[str, Prune] = field(default_factory=dict)
    max_deletes: int | None = 10
    max_delete_percent: int | None = 30
    max_tokens: int | None = None
    refuse_in_use: bool = True
    archived_pages: int = 10
    ignore: Mapping[str, Sequence[str]] = field(default_factory=dict)
    protect: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def prune(self, kind: str) -> Prune:
        """Return the rule for a kind."""
        return self.prune_rules.get(kind, Prune.NONE)

    def ignores(self, kind: str, name: str) -> bool:
        """Return whether a live object of this name is ignored."""
        return any(fnmatchcase(name, pattern) for pattern in self.ignore.get(kind, ()))

    def protects(self, kind: str, name: str) -> bool:
        """Return whether a live object of this name is never deleted; no `--allow` lifts that."""
        return any(fnmatchcase(name, pattern) for pattern in self.protect.get(kind, ()))
