"""The look-ups of persons and organizations, all of the second version of the API, and none of them writing.

The search is plain: a term is found as it stands, in any case of letters. How Pipedrive's index cuts words is not
documented, nor is its score; here it is the share of the value that the term covers, and the newest of equals is first.
What a seed does not say about a contact (its owner, labels, dates) is the same made-up value for everyone.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from leadstate.sandbox.api import wire
from leadstate.sandbox.api.payloads import BadRequestError
from leadstate.sandbox.api.wire import Call, Reply, cursor_page, success
from leadstate.sandbox.state.company import Company, MissingError
from leadstate.sandbox.state.custom_fields import ADDRESS_PARTS
from leadstate.sandbox.state.records import Body, Organization, Person

Contact = TypeVar("Contact", Person, Organization)

PERSON_FIELDS = ("custom_fields", "email", "notes", "phone", "name")
"""Where persons are searched (Pipedrive OpenAPI v2: searchPersons). They have no notes and custom fields here."""

ORGANIZATION_FIELDS = ("address", "custom_fields", "notes", "name")
"""Where organizations are searched (Pipedrive OpenAPI v2: searchOrganization)."""

_TERM_LEAST = 2
"""Characters that a term must have, where it is not to match exactly (Pipedrive OpenAPI v2: searchPersons)."""

IDS_MOST = 100
"""Persons that one request may name (Pipedrive API: getPersons)."""

_NARROWING = ("filter_id", "owner_id", "org_id", "deal_id", "updated_since", "updated_until", "sort_by")
_VISIBLE_TO = 3
_SINCE = "2024-01-08T09:00:00Z"


@dataclass(frozen=True, slots=True)
class Search:
    """A term, and where it is looked for."""

    term: str
    fields: frozenset[str]
    exact: bool

    @classmethod
    def of(cls, query: Mapping[str, str], fields: Iterable[str]) -> "Search":
        """Return the search that a query means, in some or all of these fields. Raise `BadRequestError`."""
        exact = wire.read_flag(query, "exact_match")
        term = query.get("term", "").strip()
        least = 1 if exact else _TERM_LEAST
        if len(term) < least:
            raise BadRequestError(f"term must be at least {least} characters long")
        return cls(term.casefold(), frozenset(wire.read_choices(query, "fields", frozenset(fields))), exact)

    def score(self, values: Mapping[str, Iterable[str]]) -> float:
        """Return how well the values of a row, by field, fit the term: from 0, not at all, to 1."""
        found = [value.strip().casefold() for field in self.fields for value in values.get(field, ())]
        fitting = [value for value in found if (value == self.term if self.exact else self.term in value)]
        return max((round(len(self.term) / len(value), 6) for value in fitting), default=0)


def search_persons(call: Call) -> Reply:
    """Operation searchPersons."""
    search = Search.of(call.query, PERSON_FIELDS)
    wire.read_choices(call.query, "include_fields", ("person.picture",))
    employer = wire.read_number(call.query, "organization_id")
    persons = [person for person in call.company.persons if employer is None or person.organization_id == employer]
    organizations = {organization.id: organization for organization in call.company.organizations}

    def item(person: Person) -> Body:
        organization = organizations.get(person.organization_id or 0)
        return {
            "id": person.id,
            "type": "person",
            "name": person.name,
            "phones": list(person.phones),
            "emails": list(person.emails),
            "visible_to": _VISIBLE_TO,
            "owner": {"id": call.company.users[0].id},
            "organization": organization
            and {"id": organization.id, "name": organization.name, "address": organization.address},
            "custom_fields": [],
            "notes": [],
        }

    return _found(call, search, persons, _person_texts, item)


def search_organizations(call: Call) -> Reply:
    """Operation searchOrganization."""
    search = Search.of(call.query, ORGANIZATION_FIELDS)

    def item(organization: Organization) -> Body:
        return {
            "id": organization.id,
            "type": "organization",
            "name": organization.name,
            "address": organization.address,
            "visible_to": _VISIBLE_TO,
            "owner": {"id": call.company.users[0].id},
            "custom_fields": [],
            "notes": [],
        }

    return _found(call, search, call.company.organizations, _organization_texts, item)


def get_persons(call: Call) -> Reply:
    """Operation getPersons: all persons, or those with these `ids`; an id that there is not is left out."""
    for name in _NARROWING:
        if name in call.query:
            # To list everybody instead would be a wrong answer.
            raise BadRequestError(f"{name} is not served by the sandbox")
    ids = wire.read_numbers(call.query, "ids", IDS_MOST)
    wanted = [person for person in call.company.persons if ids is None or person.id in ids]
    rows, cursor = wire.cut_page(sorted(wanted, key=lambda person: person.id), call.query)
    return cursor_page([_person(person, call.company) for person in rows], cursor)


def get_person(call: Call) -> Reply:
    """Operation getPerson."""
    return success(_person(_find(call, call.company.persons, "person"), call.company))


def get_organization(call: Call) -> Reply:
    """Operation getOrganization."""
    contact = _find(call, call.company.organizations, "organization")
    data: Body = {
        "id": contact.id,
        "name": contact.name,
        "owner_id": call.company.users[0].id,
        "add_time": _SINCE,
        "update_time": _SINCE,
        "is_deleted": False,
        "visible_to": _VISIBLE_TO,
        "address": {"value": contact.address, **dict.fromkeys(ADDRESS_PARTS, "")} if contact.address else None,
        "label_ids": [],
        **dict.fromkeys(("website", "linkedin", "industry", "annual_revenue", "employee_count")),
        "custom_fields": {},
    }
    return success(data)


def _find(call: Call, rows: Iterable[Contact], kind: str) -> Contact:
    wanted = wire.read_number(call.path, "id")
    found = next((row for row in rows if row.id == wanted), None)
    if found is None:
        raise MissingError(kind)
    return found


def _found(
    call: Call,
    search: Search,
    rows: Iterable[Contact],
    texts: Callable[[Contact], Mapping[str, Sequence[str]]],
    item: Callable[[Contact], Body],
) -> Reply:
    """Return one page of what a search finds, the best first and of equals the newest."""
    scored = [(search.score(texts(row)), row) for row in rows]
    hits = sorted(((score, row) for score, row in scored if score), key=lambda hit: (-hit[0], -hit[1].id))
    page, cursor = wire.cut_page(hits, call.query)
    return cursor_page({"items": [{"result_score": score, "item": item(row)} for score, row in page]}, cursor)


def _person_texts(person: Person) -> Mapping[str, Sequence[str]]:
    return {"name": (person.name,), "email": person.emails, "phone": person.phones}


def _organization_texts(organization: Organization) -> Mapping[str, Sequence[str]]:
    return {"name": (organization.name,), "address": (organization.address,) if organization.address else ()}


def _person(person: Person, company: Company) -> Body:
    """Return a person in the vendor's shape (Pipedrive OpenAPI v2: getPerson)."""
    first, _, last = person.name.partition(" ")
    return {
        "id": person.id,
        "name": person.name,
        "first_name": first,
        "last_name": last or None,
        "owner_id": company.users[0].id,
        "org_id": person.organization_id,
        "add_time": _SINCE,
        "update_time": _SINCE,
        "emails": _labelled(person.emails),
        "phones": _labelled(person.phones),
        "is_deleted": False,
        "visible_to": _VISIBLE_TO,
        "label_ids": [],
        "picture_id": None,
        "custom_fields": {},
    }


def _labelled(values: Sequence[str]) -> list[Body]:
    return [{"value": value, "primary": place == 0, "label": "work"} for place, value in enumerate(values)]
