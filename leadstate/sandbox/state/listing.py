"""Which leads a list request means, and in which order: filters, sorting, and listings remembered from page to page.

A listing is ids, not leads, so that a page always shows leads as they are now.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from leadstate.sandbox.state.records import Lead

_REMEMBERED = 16
"""How many listings are kept until the next write; a client that reads pages needs one."""


@dataclass(frozen=True, slots=True)
class Query:
    """Which leads are listed, and in which order (field, descending); no order means oldest first."""

    archived: bool = False
    owner_id: int | None = None
    person_id: int | None = None
    organization_id: int | None = None
    updated_since: str | None = None
    sort: tuple[tuple[str, bool], ...] = ()

    def of(self, leads: Iterable[Lead]) -> list[Lead]:
        """Return the leads that are meant, in order. `updated_since` is inclusive (Pipedrive OpenAPI: getLeads)."""
        found = [lead for lead in leads if lead.is_archived is self.archived]
        if self.owner_id is not None:
            found = [lead for lead in found if lead.owner_id == self.owner_id]
        if self.person_id is not None:
            found = [lead for lead in found if lead.person_id == self.person_id]
        if self.organization_id is not None:
            found = [lead for lead in found if lead.organization_id == self.organization_id]
        if self.updated_since is not None:
            found = [lead for lead in found if lead.update_time >= self.updated_since]
        # Sorts are stable, so the last field is sorted by first. Unset values come first, as in MySQL.
        for field, descending in reversed(self.sort):
            found.sort(key=lambda lead: _order(getattr(lead, field)), reverse=descending)
        return found


class Views:
    """Listings that were asked for since the last write, so that a page of 50,000 leads costs no walk through them."""

    def __init__(self) -> None:
        self._ids: dict[Query, list[str]] = {}

    def __len__(self) -> int:
        return len(self._ids)

    def ids(self, query: Query, leads: Iterable[Lead]) -> list[str]:
        """Return the ids that a query means, out of all leads in the order of their creation."""
        if query not in self._ids:
            if len(self._ids) >= _REMEMBERED:
                self._ids.clear()
            self._ids[query] = [lead.id for lead in query.of(leads)]
        return self._ids[query]

    def forget(self) -> None:
        """Forget all listings: to be called at every write that a filter or an order could see."""
        self._ids.clear()


def _order(value: Any) -> tuple[bool, Any]:
    return value is not None, value
