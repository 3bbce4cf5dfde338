"""The operations of the Pipedrive API that the product uses: one row each, nowhere else.

Ids, methods, paths and `x-token-cost` are those of the vendor's OpenAPI descriptions (August 2026). Leads, labels and
users are in version 1 of the API only, look-ups in version 2. Costs are flat per request, whatever the page size.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import quote

UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
"""The form of the ids of labels and leads; ids of files that anybody can edit are checked, for they get into URLs."""

EXPONENT: Final = 50
"""Decimal exponent of a number, either way. An integer is not made of `1e999999999`: it would fill all memory."""

Method = Literal["GET", "POST", "PATCH", "DELETE"]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation.

    Attributes:
        id: the vendor's.
        method: of HTTP.
        path: below `/api/<version>`.
        tokens: cost of a request, in rate-limit tokens.
        version: of the API.
        search: whether it has the burst window of searches, 10 requests in 2 s (Pipedrive docs: rate limiting).
        paged: whether it lists in pages, by offset.
    """

    id: str
    method: Method
    path: str
    tokens: int
    version: Literal["v1", "v2"] = "v1"
    search: bool = False
    paged: bool = False


GET_LEADS: Final = Operation("getLeads", "GET", "/leads", 20, paged=True)
GET_ARCHIVED_LEADS: Final = Operation("getArchivedLeads", "GET", "/leads/archived", 40, paged=True)
GET_LEAD: Final = Operation("getLead", "GET", "/leads/{id}", 2)
ADD_LEAD: Final = Operation("addLead", "POST", "/leads", 10)
UPDATE_LEAD: Final = Operation("updateLead", "PATCH", "/leads/{id}", 10)
DELETE_LEAD: Final = Operation("deleteLead", "DELETE", "/leads/{id}", 6)
GET_LABELS: Final = Operation("getLeadLabels", "GET", "/leadLabels", 10)
ADD_LABEL: Final = Operation("addLeadLabel", "POST", "/leadLabels", 10)
UPDATE_LABEL: Final = Operation("updateLeadLabel", "PATCH", "/leadLabels/{id}", 10)
DELETE_LABEL: Final = Operation("deleteLeadLabel", "DELETE", "/leadLabels/{id}", 6)
GET_SOURCES: Final = Operation("getLeadSources", "GET", "/leadSources", 2)
GET_FILTERS: Final = Operation("getFilters", "GET", "/filters", 20)
GET_FILTER: Final = Operation("getFilter", "GET", "/filters/{id}", 2)
GET_USERS: Final = Operation("getUsers", "GET", "/users", 20)
GET_PERSONS: Final = Operation("getPersons", "GET", "/persons", 10, "v2")
GET_PERSON: Final = Operation("getPerson", "GET", "/persons/{id}", 1, "v2")
GET_ORGANIZATION: Final = Operation("getOrganization", "GET", "/organizations/{id}", 1, "v2")
SEARCH_PERSONS: Final = Operation("searchPersons", "GET", "/persons/search", 20, "v2", search=True)
SEARCH_ORGANIZATIONS: Final = Operation("searchOrganization", "GET", "/organizations/search", 20, "v2", search=True)
GET_DEAL_FIELDS: Final = Operation("getDealFields", "GET", "/dealFields", 10, "v2")
GET_ME: Final = Operation("getCurrentUser", "GET", "/users/me", 2)


@dataclass(frozen=True, slots=True)
class Request:
    """One request as data: an operation, the id it is about (None: not known yet, or none needed), query and body."""

    operation: Operation
    remote_id: str | None = None
    body: Mapping[str, object] | None = None
    query: tuple[tuple[str, str], ...] = ()

    @property
    def path(self) -> str:
        """The path below `/api/<version>`, the id quoted; `{id}` stays where the id is not known yet."""
        path = self.operation.path
        if self.remote_id is None:
            return path
        # Dots are unreserved, yet a client resolves `..`, so they are quoted too.
        return path.replace("{id}", quote(self.remote_id, safe="").replace(".", "%2E"))


@dataclass(frozen=True, slots=True)
class Delay:
    """A while in which nothing is sent, or after which a request is sent again.

    Attributes:
        seconds: how long.
        operation: what is sent again; empty where the burst window has no room.
        attempt: how often that was sent already.
        reason: what came of it the last time.
    """

    seconds: float
    operation: str = ""
    attempt: int = 0
    reason: str = ""
