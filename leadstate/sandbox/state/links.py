"""What a lead points at: the users and contacts behind its ids, its own and those in its custom fields."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from leadstate.sandbox.state.custom import Fields
from leadstate.sandbox.state.records import Tables

Table = Literal["user", "person", "organization"]

_OWN: Mapping[str, Table] = {"owner_id": "user", "person_id": "person", "organization_id": "organization"}
_CUSTOM: Mapping[str, Table] = {"user": "user", "people": "person", "org": "organization"}


def people(tables: Tables) -> Mapping[Table, frozenset[int]]:
    """The ids that a lead of this company may point at."""
    return {
        "user": frozenset(user.id for user in tables.users),
        "person": frozenset(person.id for person in tables.persons),
        "organization": frozenset(organization.id for organization in tables.organizations),
    }


def pointers(values: Mapping[str, Any], custom: Mapping[str, Any], fields: Fields) -> Iterator[tuple[str, Table, int]]:
    """The ids among a lead's clean values and custom fields, as (key, table, id)."""
    for key, table in _OWN.items():
        if values.get(key) is not None:
            yield key, table, values[key]
    for key, value in custom.items():
        kind = fields[key].type if key in fields else None
        if value is not None and kind is not None and kind in _CUSTOM:
            yield key, _CUSTOM[kind], value


def cc_email(domain: str, company_id: int, lead_id: str) -> str:
    """A lead's BCC address in the shape of a real one, under a top-level domain that can never receive mail."""
    return f"{domain}+{company_id}+lead{lead_id.replace('-', '')[:22]}@pipedrivemail.invalid"
