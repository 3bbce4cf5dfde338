"""How much a label is used in one account."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Declared: TypeAlias = Literal["yes", "absent", "ambiguous", "ignored", "no"]


@dataclass(frozen=True, slots=True)
class Carrier:
    """A lead that carries a label, and when it was made (ISO 8601, UTC)."""

    id: str
    add_time: str


@dataclass(frozen=True, slots=True)
class SavedFilter:
    """A filter that somebody saved in Pipedrive."""

    id: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelUsage:
    """One label in one account.

    Attributes:
        account: the account's name.
        label: its live name; None where leads carry the id of a label that does not exist any more.
        id: its id.
        color: its live colour; empty where it does not exist.
        declared: `yes`, `absent` where it is declared not to exist, `ignored` by `policy.ignore`, or `no`.
        leads: how many open leads carry it.
        archived_leads: how many archived leads carry it; None where those were not read.
        oldest: the lead that was made first, of those that carry it and were read.
        newest: the lead that was made last.
        last_change: when a lead that carries it was last changed, and so got it or kept it at the latest.
        filters: saved filters that name its id; None where filters were not read.
    """

    account: str
    label: str | None
    id: str
    color: str
    declared: Declared
    leads: int
    archived_leads: int | None
    oldest: Carrier | None
    newest: Carrier | None
    last_change: str | None
    filters: tuple[SavedFilter, ...] | None

    @property
    def unused(self) -> bool:
        """Whether nothing that was read uses it; of labels that are ignored others decide."""
        used = self.leads or self.archived_leads or self.filters
        return self.label is not None and self.declared != "ignored" and not used
