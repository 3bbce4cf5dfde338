"""Seed documents: companies with their labels and leads as plain JSON, read with errors that name their place.

    {"companies": [{"token": "…", "company": {"id": 7041, "name": "Acme", "domain": "acme"}, "plan": "premium",
                    "users": […], "persons": […], "organizations": […], "fields": ["<40 hex>"],
                    "unique_label_names": false, "labels": […], "leads": […]}]}

One company may stand alone instead of the list. What a label or lead leaves out gets a default. It reads no file and
makes no company: it turns a document into tables and back, and `parse(dump(tables))` gives the same tables.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from . import checks
from .checks import Checker, InvalidError
from .payloads import ADD_LEAD
from .reading import SeedError, array, checked, known, one, place, record, unique
from .records import PLANS, Body, Contact, Label, Lead, Tables, User
from .state import NewId, cc_email

Row = TypeVar("Row", bound=User | Contact | Label | Lead)

_LEAD: Mapping[str, Checker] = {
    **ADD_LEAD,
    "id": checks.uuid,
    "creator_id": checks.integer,
    "is_archived": checks.boolean,
    "archive_time": checks.moment,
    "source_name": checks.name,
    "source_deal_id": checks.integer,
    "origin": checks.name,
    "next_activity_id": checks.integer,
    "add_time": checks.moment,
    "update_time": checks.moment,
    "cc_email": checks.text,
}
_LABEL: Mapping[str, Checker] = {
    "id": checks.uuid,
    "name": checks.name,
    "color": checks.color,
    "add_time": checks.moment,
    "update_time": checks.moment,
}
_CONTACT: Mapping[str, Checker] = {"id": checks.integer, "name": checks.name}
_USER: Mapping[str, Checker] = {**_CONTACT, "email": checks.name}
_COMPANY: Mapping[str, Checker] = {**_CONTACT, "domain": checks.name}
_KEYS = (
    "token",
    "company",
    "plan",
    "unique_label_names",
    "fields",
    "users",
    "persons",
    "organizations",
    "labels",
    "leads",
)
_DEFAULT_USERS = [{"id": 1, "name": "Sandbox User", "email": "user@sandbox.invalid"}]


@dataclass(frozen=True, slots=True)
class _Fill:
    """What takes the place of a missing time or id."""

    now: str
    new_id: NewId


@dataclass(frozen=True, slots=True)
class _Ids:
    """What the leads of one company may point at."""

    owner_id: frozenset[int]
    person_id: frozenset[int]
    organization_id: frozenset[int]
    label_ids: frozenset[str]

    @classmethod
    def of(cls, tables: Tables) -> "_Ids":
        return cls(
            frozenset(user.id for user in tables.users),
            frozenset(person.id for person in tables.persons),
            frozenset(organization.id for organization in tables.organizations),
            frozenset(label.id for label in tables.labels),
        )

    def check(self, lead: Lead, path: str) -> None:
        """Raises `SeedError` for a lead that points at nothing, or at what is not there."""
        if lead.person_id is None and lead.organization_id is None:
            raise SeedError(path, "a lead needs a person_id or an organization_id")
        if (lead.archive_time is not None) != lead.is_archived:
            raise SeedError(place(path, "archive_time"), "must be set exactly where is_archived is true")
        for field in ("owner_id", "person_id", "organization_id"):
            value = getattr(lead, field)
            if value is not None and value not in getattr(self, field):
                raise SeedError(place(path, field), f"there is no {field.removesuffix('_id')} {value} in this company")
        for label_id in lead.label_ids:
            if label_id not in self.label_ids:
                raise SeedError(place(path, "label_ids"), f"there is no label {label_id} in this company")


def parse(document: Any, *, now: datetime, new_id: NewId) -> tuple[Tables, ...]:
    """The tables that a document describes. `now` (aware) and `new_id` fill in times and ids. Raises `SeedError`."""
    if not isinstance(document, Mapping):
        raise SeedError("", "a seed must be an object")
    fill = _Fill(checks.stamp(now), new_id)
    if "companies" in document:
        known(document, ("companies",), "")
        companies = array(document, "companies", "")
        parsed = [_company(item, f"companies[{i}]", fill) for i, item in enumerate(companies)]
    else:
        parsed = [_company(document, "", fill)]
    unique(((f"companies[{i}].token", tables.token) for i, tables in enumerate(parsed)), "token", secret=True)
    unique((f"companies[{i}].company.id", tables.id) for i, tables in enumerate(parsed))
    return tuple(parsed)


def dump(companies: Iterable[Tables]) -> Body:
    """The tables as a seed document: always the list form, rows in their own order, every key written."""
    return {
        "companies": [
            {
                **tables.head(),
                "labels": [label.body() for label in tables.labels],
                "leads": [lead.body() for lead in tables.leads],
            }
            for tables in companies
        ]
    }


def _company(raw: Any, path: str, fill: _Fill) -> Tables:
    known(raw, _KEYS, path)
    token = one(raw, "token", checks.name, path)
    company = record(one(raw, "company", lambda value: value, path), _COMPANY, _COMPANY, place(path, "company"))
    fields = tuple(
        checked(key, _field, f"{place(path, 'fields')}[{i}]") for i, key in enumerate(array(raw, "fields", path))
    )
    users = _rows(
        {"users": _DEFAULT_USERS, **raw}, "users", path, lambda row, at: User(**record(row, _USER, _USER, at))
    )
    if not users:
        raise SeedError(place(path, "users"), "there must be at least one user, who owns the token")
    labels = _rows(raw, "labels", path, lambda row, at: _label(row, at, fill))
    tables = Tables(
        token=token,
        **company,
        plan=checked(raw.get("plan", "premium"), _plan, place(path, "plan")),
        unique_label_names=checked(
            raw.get("unique_label_names", False), checks.boolean, place(path, "unique_label_names")
        ),
        fields=fields,
        users=users,
        persons=_rows(raw, "persons", path, _contact),
        organizations=_rows(raw, "organizations", path, _contact),
        labels=labels,
        leads=(),
    )
    ids = _Ids.of(tables)
    leads = _rows(raw, "leads", path, lambda row, at: _lead(row, at, tables, ids, fill))
    used = {base for lead in leads for key in lead.custom if (base := checks.custom_base(key))}
    # The API lists leads oldest first; those of one moment keep the document's order.
    in_order = tuple(sorted(leads, key=lambda lead: lead.add_time))
    return replace(tables, fields=tuple(sorted(used.union(fields))), leads=in_order)


def _contact(raw: Any, path: str) -> Contact:
    return Contact(**record(raw, _CONTACT, _CONTACT, path))


def _label(raw: Any, path: str, fill: _Fill) -> Label:
    values = record(raw, _LABEL, ("name", "color"), path)
    added = values.get("add_time", fill.now)
    return Label(**{"id": values.get("id") or fill.new_id("label"), "add_time": added, "update_time": added, **values})


def _lead(raw: Any, path: str, tables: Tables, ids: _Ids, fill: _Fill) -> Lead:
    if not isinstance(raw, Mapping):
        raise SeedError(path, "must be an object")
    # A null means what a missing key means, so that a dumped lead is a seed again.
    given = {key: value for key, value in raw.items() if value is not None}
    custom = {
        key: checked(value, checks.custom, place(path, key))
        for key, value in given.items()
        if isinstance(key, str) and checks.custom_base(key)
    }
    values = record({key: value for key, value in given.items() if key not in custom}, _LEAD, ("title",), path)
    owner = values.get("owner_id", tables.users[0].id)
    lead_id = values.get("id") or fill.new_id("lead")
    added = values.get("add_time", fill.now)
    updated = values.get("update_time", added)
    by_api = "origin_id" in values
    defaults = {
        "id": lead_id,
        "owner_id": owner,
        "creator_id": owner,
        "person_id": None,
        "organization_id": None,
        "add_time": added,
        "update_time": updated,
        "archive_time": updated if values.get("is_archived") else None,
        "source_name": "API" if by_api else "Manually created",
        "origin": "API" if by_api else "ManuallyCreated",
        "was_seen": not by_api,
        "cc_email": cc_email(tables.domain, tables.id, lead_id),
    }
    lead = Lead(**{**defaults, **values}, custom=custom)
    ids.check(lead, path)
    return lead


def _rows(raw: Any, key: str, path: str, read: Callable[[Any, str], Row]) -> tuple[Row, ...]:
    """The rows of one table; no two of them may have one id."""
    rows = [read(row, f"{place(path, key)}[{i}]") for i, row in enumerate(array(raw, key, path))]
    unique((f"{place(path, key)}[{i}].id", row.id) for i, row in enumerate(rows))
    return tuple(rows)


def _plan(value: Any) -> str:
    if value not in PLANS:
        raise InvalidError(f"must be one of {', '.join(PLANS)}")
    return checks.text(value)


def _field(value: Any) -> str:
    if checks.custom_base(checks.text(value)) != value:
        raise InvalidError("must be the key of a custom field: 40 hexadecimal digits in lower case")
    return checks.text(value)
