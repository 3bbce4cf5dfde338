"""Seed documents: companies with their labels and leads as plain JSON, read with errors that name their place.

    {"companies": [{"token": "…", "oauth": {"client_id": "…", "client_secret": "…", "refresh_token": "…",
                                            "expires_in": 3600, "rotate": false},
                    "company": {"id": 7041, "name": "Acme", "domain": "acme"}, "plan": "premium",
                    "users": [{"id": 1, "name": "Sam", "email": "sam@acme.test"}],
                    "persons": [{"id": 1, "name": "Jane", "emails": ["jane@acme.test"], "phones": […],
                                 "organization_id": 1}],
                    "organizations": [{"id": 1, "name": "Acme", "address": "…"}],
                    "fields": ["<40 hex>", {"code": "<40 hex>", "name": "Industry", "type": "enum",
                                            "options": [{"id": 21, "label": "Retail"}]}],
                    "filters": [{"id": 1, "name": "Hot ones", "type": "leads", "conditions": {…}}],
                    "wire": {"enum": "string", "set": "string"},
                    "unique_label_names": false, "labels": […], "leads": […]}]}

One company may stand alone instead of the list. What a label or lead leaves out gets a default. It reads no file and
makes no company: it turns a document into tables and back, and `parse(dump(tables))` gives the same tables.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from leadstate.sandbox.seeds.leads import Fill, LeadReader
from leadstate.sandbox.seeds.reading import (
    SeedError,
    check_keys,
    check_unique,
    check_value,
    place,
    read_array,
    read_record,
    read_required,
)
from leadstate.sandbox.state import checks
from leadstate.sandbox.state.checks import Checker, InvalidError
from leadstate.sandbox.state.company import NewId
from leadstate.sandbox.state.custom_fields import CHOICES, TYPES, Field, Option, Wire
from leadstate.sandbox.state.records import (
    FILTER_TYPES,
    PLANS,
    Body,
    Filter,
    Label,
    Lead,
    OAuthClient,
    Organization,
    Person,
    Tables,
    User,
)

Row = TypeVar("Row", bound=User | Person | Organization | Label | Lead | Filter)

_LABEL: Mapping[str, Checker] = {
    "id": checks.uuid,
    "name": checks.name,
    "color": checks.color,
    "add_time": checks.moment,
    "update_time": checks.moment,
}
_NAMED: Mapping[str, Checker] = {"id": checks.stored, "name": checks.name}
_OWNER: Mapping[str, Checker] = {**_NAMED, "email": checks.name}
_USER: Mapping[str, Checker] = {**_OWNER, "active_flag": checks.boolean}
_COMPANY: Mapping[str, Checker] = {**_NAMED, "domain": checks.name}
_PERSON: Mapping[str, Checker] = {
    **_NAMED,
    "emails": checks.names,
    "phones": checks.names,
    "organization_id": checks.stored,
}
_ORGANIZATION: Mapping[str, Checker] = {**_NAMED, "address": checks.name}
_CLIENT: Mapping[str, Checker] = {
    "client_id": checks.name,
    "client_secret": checks.name,
    "refresh_token": checks.name,
    "expires_in": checks.stored,
    "rotate": checks.boolean,
}
_OPTION: Mapping[str, Checker] = {"id": checks.stored, "label": checks.name}
_KEYS = (
    "token",
    "oauth",
    "company",
    "plan",
    "unique_label_names",
    "fields",
    "wire",
    "users",
    "persons",
    "organizations",
    "filters",
    "labels",
    "leads",
)
_DEFAULT_USERS = [{"id": 1, "name": "Sandbox User", "email": "user@sandbox.invalid"}]


def parse(document: Any, *, now: datetime, new_id: NewId) -> tuple[Tables, ...]:
    """Return the tables of a document. `now` (aware) and `new_id` fill in times and ids. Raise `SeedError`."""
    if not isinstance(document, Mapping):
        raise SeedError("", "a seed must be an object")
    fill = Fill(checks.stamp(now), new_id)
    if "companies" in document:
        check_keys(document, ("companies",), "")
        companies = read_array(document, "companies", "")
        parsed = [_company(item, f"companies[{i}]", fill) for i, item in enumerate(companies)]
    else:
        parsed = [_company(document, "", fill)]
    check_unique(((f"companies[{i}].token", tables.token) for i, tables in enumerate(parsed)), "token", secret=True)
    check_unique((f"companies[{i}].company.id", tables.id) for i, tables in enumerate(parsed))
    clients = [(f"companies[{i}].oauth.refresh_token", tables.oauth) for i, tables in enumerate(parsed)]
    check_unique(((at, client.refresh_token) for at, client in clients if client), "token", secret=True)
    return tuple(parsed)


def dump(companies: Iterable[Tables]) -> Body:
    """Return the tables as a seed document: always the list form, rows in their own order, every key written."""
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


def _company(raw: Any, path: str, fill: Fill) -> Tables:
    check_keys(raw, _KEYS, path)
    token = read_required(raw, "token", checks.name, path)
    company = read_record(read_required(raw, "company", _any, path), _COMPANY, _COMPANY, place(path, "company"))
    fields = [_field(item, f"{place(path, 'fields')}[{i}]") for i, item in enumerate(read_array(raw, "fields", path))]
    check_unique(((f"{place(path, 'fields')}[{i}]", field.code) for i, field in enumerate(fields)), "field")
    users = _rows(
        {"users": _DEFAULT_USERS, **raw}, "users", path, lambda row, at: User(**read_record(row, _USER, _OWNER, at))
    )
    if not users:
        raise SeedError(place(path, "users"), "there must be at least one user, who owns the token")
    labels = _rows(raw, "labels", path, lambda row, at: _label(row, at, fill))
    tables = Tables(
        token=token,
        oauth=_client(raw["oauth"], place(path, "oauth")) if "oauth" in raw else None,
        **company,
        plan=check_value(raw.get("plan", "premium"), _one_of(*PLANS), place(path, "plan")),
        unique_label_names=check_value(
            raw.get("unique_label_names", False), checks.boolean, place(path, "unique_label_names")
        ),
        fields=tuple(fields),
        # What it leaves out is as the documents have it.
        wire=Wire(**read_record(raw.get("wire", {}), _WIRE, (), place(path, "wire"))),
        users=users,
        persons=_rows(raw, "persons", path, lambda row, at: Person(**read_record(row, _PERSON, _NAMED, at))),
        organizations=_rows(
            raw, "organizations", path, lambda row, at: Organization(**read_record(row, _ORGANIZATION, _NAMED, at))
        ),
        filters=_rows(raw, "filters", path, lambda row, at: _filter(row, at, users, fill)),
        labels=labels,
        leads=(),
    )
    _check_employers(tables, path)
    leads = _rows(raw, "leads", path, LeadReader(tables, {field.code: field for field in fields}, fill))
    used = {base for lead in leads for key in lead.custom if (base := checks.custom_base(key))}
    implied = [Field.plain(code) for code in sorted(used.difference(field.code for field in fields))]
    # The API lists leads oldest first; those of one moment keep the document's order.
    return replace(tables, fields=(*fields, *implied), leads=tuple(sorted(leads, key=lambda lead: lead.add_time)))


def _client(raw: Any, path: str) -> OAuthClient:
    return OAuthClient(**read_record(raw, _CLIENT, ("client_id", "client_secret", "refresh_token"), path))


def _check_employers(tables: Tables, path: str) -> None:
    ids = {organization.id for organization in tables.organizations}
    for i, person in enumerate(tables.persons):
        if person.organization_id is not None and person.organization_id not in ids:
            at = place(f"{place(path, 'persons')}[{i}]", "organization_id")
            raise SeedError(at, f"there is no organization {person.organization_id} in this company")


def _label(raw: Any, path: str, fill: Fill) -> Label:
    values = read_record(raw, _LABEL, ("name", "color"), path)
    added = values.get("add_time", fill.now)
    return Label(**{"id": values.get("id") or fill.new_id("label"), "add_time": added, "update_time": added, **values})


def _filter(raw: Any, path: str, users: Sequence[User], fill: Fill) -> Filter:
    values = read_record(raw, _FILTER, ("id", "name", "type"), path)
    owner = values.setdefault("user_id", users[0].id)
    if owner not in {user.id for user in users}:
        raise SeedError(place(path, "user_id"), f"there is no user {owner} in this company")
    return Filter(**{"add_time": fill.now, **values})


def _rows(raw: Any, key: str, path: str, read: Callable[[Any, str], Row]) -> tuple[Row, ...]:
    """Read the rows of one table; no two of them may have one id."""
    rows = [read(row, f"{place(path, key)}[{i}]") for i, row in enumerate(read_array(raw, key, path))]
    check_unique((f"{place(path, key)}[{i}].id", row.id) for i, row in enumerate(rows))
    return tuple(rows)


def _field(raw: Any, path: str) -> Field:
    """Read a field from its key alone, or from an object. Raise `SeedError`."""
    if isinstance(raw, str):
        return Field.plain(check_value(raw, _code, path))
    if not isinstance(raw, Mapping):
        raise SeedError(path, "must be the key of a custom field, or an object")
    values = read_record(
        raw, {"code": _code, "name": checks.name, "type": _type, "options": _any}, ("code", "name", "type"), path
    )
    at = place(path, "options")
    if values["type"] not in CHOICES:
        if "options" in values:
            raise SeedError(at, f"are only for {' and '.join(sorted(CHOICES))}")
        return Field(**values)
    options = tuple(
        Option(**read_record(option, _OPTION, _OPTION, f"{at}[{i}]"))
        for i, option in enumerate(read_array(raw, "options", path))
    )
    if not options:
        raise SeedError(at, "must have at least one option")
    check_unique((f"{at}[{i}].id", option.id) for i, option in enumerate(options))
    return Field(**{**values, "options": options})


def _one_of(*words: str) -> Checker:
    def check(value: Any) -> str:
        if value not in words:
            raise InvalidError(f"must be one of {', '.join(words)}")
        return checks.text(value)

    return check


_type = _one_of(*TYPES)
_WIRE: Mapping[str, Checker] = {"enum": _one_of("string", "number"), "set": _one_of("string", "list")}


def _conditions(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidError("must be an object")
    _check_plain(value)
    return value


def _check_plain(value: Any, levels: int = 20) -> None:
    """Refuse what no answer could repeat, and what is nested deeper than a filter, which has five levels."""
    if levels == 0:
        raise InvalidError("is nested too deep")
    if isinstance(value, Mapping | list):
        for item in value if isinstance(value, list) else (*value, *value.values()):
            _check_plain(item, levels - 1)
    elif isinstance(value, str):
        checks.text(value)
    elif value is not None and not isinstance(value, bool):
        checks.number(value)


def _optional_flag(value: Any) -> bool | None:
    return None if value is None else checks.boolean(value)


_FILTER: Mapping[str, Checker] = {
    **_NAMED,
    "type": _one_of(*FILTER_TYPES),
    "user_id": checks.stored,
    "add_time": checks.moment,
    "conditions": _conditions,
    "temporary_flag": _optional_flag,
    "active_flag": checks.boolean,
}


def _code(value: Any) -> str:
    if checks.custom_base(checks.text(value)) != value:
        raise InvalidError("must be the key of a custom field: 40 hexadecimal digits in lower case")
    return checks.text(value)


def _any(value: Any) -> Any:
    return value
