"""The rows of a Pipedrive company, with the bodies that the wire and a seed show of them, and lists of leads.

It holds no rule and looks nothing up: whether a row may exist is for `state` to say.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from leadstate.sandbox.state.custom_fields import Field, Value, Wire

Body = dict[str, Any]

PLANS = ("lite", "growth", "premium", "ultimate")
"""The plans that a company can be on, cheapest first (Pipedrive docs: rate limiting)."""

FILTER_TYPES = ("deals", "leads", "org", "people", "products", "activity", "projects")
"""What a filter can list (Pipedrive API: getFilters)."""

LEAD_SOURCES = (
    "Manually created",
    "Deal",
    "Web forms",
    "Prospector",
    "Leadbooster",
    "Live chat",
    "Import",
    "Website visitors",
    "Workflow automation",
    "API",
)
"""The fixed sources of leads (Pipedrive OpenAPI: getLeadSources)."""


@dataclass(frozen=True, slots=True)
class User:
    """A person who works in the company and can own leads."""

    id: int
    name: str
    email: str
    active_flag: bool = True


@dataclass(frozen=True, slots=True)
class Person:
    """A person that a lead can be linked to."""

    id: int
    name: str
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    organization_id: int | None = None

    def body(self) -> Body:
        """Return the person as a seed writes it, without what is not known."""
        more = {"emails": list(self.emails), "phones": list(self.phones), "organization_id": self.organization_id}
        return {"id": self.id, "name": self.name, **{key: value for key, value in more.items() if value}}


@dataclass(frozen=True, slots=True)
class Organization:
    """An organization that a lead can be linked to."""

    id: int
    name: str
    address: str | None = None

    def body(self) -> Body:
        """Return the organization as a seed writes it, without an address that is not known."""
        return {"id": self.id, "name": self.name, **({"address": self.address} if self.address else {})}


@dataclass(frozen=True, slots=True)
class Label:
    """A lead label. Times are ISO 8601 in UTC with milliseconds and `Z`."""

    id: str
    name: str
    color: str
    add_time: str
    update_time: str

    def body(self) -> Body:
        """Return the label as the API answers it (Pipedrive OpenAPI: getLeadLabels)."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Lead:
    """A lead. Times are ISO 8601 in UTC with milliseconds and `Z`; `expected_close_date` is YYYY-MM-DD."""

    id: str
    title: str
    owner_id: int
    creator_id: int
    person_id: int | None
    organization_id: int | None
    add_time: str
    update_time: str
    cc_email: str
    label_ids: tuple[str, ...] = ()
    value: Mapping[str, Any] | None = None
    expected_close_date: str | None = None
    is_archived: bool = False
    archive_time: str | None = None
    source_name: str = "API"
    source_deal_id: int | None = None
    origin: str = "API"
    origin_id: str | None = None
    channel: int | None = None
    channel_id: str | None = None
    was_seen: bool = False
    next_activity_id: int | None = None
    visible_to: str = "3"
    custom: Mapping[str, Value] = field(default_factory=dict)

    def body(self) -> Body:
        """Return the lead with every key of a 2026 body, and custom fields that are set at top level, in normal form.

        Source: Pipedrive OpenAPI: getLeads ("if a custom field's value hasn't been set for the lead, it won't appear").
        The API answers the same but for its wording of options; see `Company.shown`.
        """
        return {
            "id": self.id,
            "title": self.title,
            "owner_id": self.owner_id,
            "creator_id": self.creator_id,
            "label_ids": list(self.label_ids),
            "value": None if self.value is None else dict(self.value),
            "expected_close_date": self.expected_close_date,
            "person_id": self.person_id,
            "organization_id": self.organization_id,
            "is_archived": self.is_archived,
            "archive_time": self.archive_time,
            "source_name": self.source_name,
            "source_deal_id": self.source_deal_id,
            "origin": self.origin,
            "origin_id": self.origin_id,
            "channel": self.channel,
            "channel_id": self.channel_id,
            "was_seen": self.was_seen,
            "next_activity_id": self.next_activity_id,
            "add_time": self.add_time,
            "update_time": self.update_time,
            **{key: list(value) if isinstance(value, tuple) else value for key, value in self.custom.items()},
            "visible_to": self.visible_to,
            "cc_email": self.cc_email,
        }


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter that a user saved. Nothing here applies it; `conditions` is kept as the seed has it.

    `type` says what it lists; times are as those of a lead.
    """

    id: int
    name: str
    type: str
    user_id: int
    add_time: str
    conditions: Mapping[str, Any] = field(default_factory=lambda: {"glue": "and", "conditions": []})
    temporary_flag: bool | None = None
    active_flag: bool = True


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """An OAuth client that the company has installed: what its refresh token and its access tokens are like.

    `expires_in` is seconds; with `rotate` each refresh token is good for one use, and a new one comes with the answer.
    """

    client_id: str
    client_secret: str
    refresh_token: str
    expires_in: int = 3600
    rotate: bool = False


@dataclass(frozen=True, slots=True)
class Tables:
    """Everything that one company holds, in insertion order: what a seed describes and a company starts from."""

    token: str
    id: int
    name: str
    domain: str
    plan: str
    unique_label_names: bool
    fields: tuple[Field, ...]
    users: tuple[User, ...]
    persons: tuple[Person, ...]
    organizations: tuple[Organization, ...]
    labels: tuple[Label, ...]
    leads: tuple[Lead, ...]
    wire: Wire = field(default_factory=Wire)
    oauth: OAuthClient | None = None
    filters: tuple[Filter, ...] = ()

    def head(self) -> Body:
        """Return the company as a seed writes it, without its labels and leads."""
        return {
            "token": self.token,
            **({"oauth": asdict(self.oauth)} if self.oauth else {}),
            "company": {"id": self.id, "name": self.name, "domain": self.domain},
            "plan": self.plan,
            "unique_label_names": self.unique_label_names,
            "fields": [field.body() for field in self.fields],
            **({"wire": asdict(self.wire)} if self.wire != Wire() else {}),
            "users": [asdict(user) for user in self.users],
            "persons": [person.body() for person in self.persons],
            "organizations": [organization.body() for organization in self.organizations],
            **({"filters": [asdict(saved) for saved in self.filters]} if self.filters else {}),
        }


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
        for name in ("owner_id", "person_id", "organization_id"):
            if (wanted := getattr(self, name)) is not None:
                found = [lead for lead in found if getattr(lead, name) == wanted]
        if self.updated_since is not None:
            found = [lead for lead in found if lead.update_time >= self.updated_since]
        # Sorts are stable, so the last field is sorted by first. Unset values come first, as in MySQL.
        for name, descending in reversed(self.sort):
            found.sort(key=lambda lead: _order(getattr(lead, name)), reverse=descending)
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
