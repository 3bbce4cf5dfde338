"""What was read of an account, as far as a plan needs it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from leadstate.model.address import RemoteRef
from leadstate.model.resource import Dictionary, Live
from leadstate.model.usage import SavedFilter

PAGE: Final = 500
"""Rows on a page of an offset-paged listing, at most (Pipedrive docs: pagination). Pages overlap by one row."""


def pages_of(rows: int) -> int:
    """Return how many pages a listing of so many rows has; an empty one has one."""
    return 1 + max(0, -(-(rows - PAGE) // (PAGE - 1)))


@dataclass(frozen=True, slots=True)
class Reading:
    """How the live leads of an account were read: the way in `words`, what it cost, and why no other one was taken."""

    words: str


@dataclass(frozen=True, slots=True)
class Observed:
    """What was read of an account.

    Attributes:
        live: the objects that matter, by kind; a kind that was not read is not in it.
        others: how many more objects of a kind were seen that are not ours to touch.
        carriers: ids of the live leads that carry each label; None where leads were not all listed.
        archived_carriers: the same for archived leads; None where they were not all read.
        unsure: markers that were not found, while part of the archived list was not read.
        pages: how many pages of live leads were read.
        gone: markers of objects that the lock file knows and that do not exist any more.
        fields: the account's custom fields; None where none is declared.
        reading: how live leads were read; None where they were not.
        filters: saved filters that name each label; None where they were not read.
        filters_hidden: whether they were to be read, and the token may not.
        ignored: the objects that `policy.ignore` names, by kind; none of them is in `live`.
        elsewhere: ownership marker of another namespace, with the key of a declared object → ids of live leads.
        unmarked: title, white space collapsed → ids of live leads that bear no ownership marker, were created over the
            API, and have the title of a declared lead.
        names: attribute and id, with a colon between → what the person, organization or user is known by.
    """

    live: Mapping[str, Sequence[Live]]
    others: Mapping[str, int] = field(default_factory=dict)
    carriers: Mapping[RemoteRef, Sequence[str]] | None = None
    archived_carriers: Mapping[RemoteRef, Sequence[str]] | None = None
    unsure: frozenset[str] = frozenset()
    pages: int = 0
    gone: frozenset[str] = frozenset()
    fields: Dictionary | None = None
    reading: Reading | None = None
    ignored: Mapping[str, Sequence[Live]] = field(default_factory=dict)
    elsewhere: Mapping[str, Sequence[str]] = field(default_factory=dict)
    filters: Mapping[RemoteRef, Sequence[SavedFilter]] | None = None
    filters_hidden: bool = False
    unmarked: Mapping[str, Sequence[str]] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
