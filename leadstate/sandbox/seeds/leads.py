"""The leads of a seed document: what one may say, and what it gets where it says nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from leadstate.sandbox.api.payloads import ADD_LEAD
from leadstate.sandbox.seeds.reading import SeedError, check_value, place, read_record
from leadstate.sandbox.state import checks
from leadstate.sandbox.state.checks import Checker
from leadstate.sandbox.state.company import NewId, cc_email, people, pointers
from leadstate.sandbox.state.custom_fields import Fields, Value, checker_of, find_unpaired
from leadstate.sandbox.state.records import Lead, Tables

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


@dataclass(frozen=True, slots=True)
class Fill:
    """What takes the place of a missing time or id."""

    now: str
    new_id: NewId


class LeadReader:
    """Reads the leads of one company, which its tables describe but for the leads themselves."""

    def __init__(self, tables: Tables, fields: Fields, fill: Fill) -> None:
        self._tables = tables
        self._fields = fields
        self._fill = fill
        self._people = people(tables)
        self._labels = frozenset(label.id for label in tables.labels)

    def __call__(self, raw: Any, path: str) -> Lead:
        """Return the lead that an object describes. Raise `SeedError`."""
        if not isinstance(raw, Mapping):
            raise SeedError(path, "must be an object")
        # A null means what a missing key means, so that a dumped lead is a seed again.
        given = {key: value for key, value in raw.items() if value is not None}
        custom = self._custom(given, path)
        values = read_record({key: value for key, value in given.items() if key not in custom}, _LEAD, ("title",), path)
        owner = values.get("owner_id", self._tables.users[0].id)
        lead_id = values.get("id") or self._fill.new_id("lead")
        added = values.get("add_time", self._fill.now)
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
            "cc_email": cc_email(self._tables.domain, self._tables.id, lead_id),
        }
        lead = Lead(**{**defaults, **values}, custom=custom)
        self._check(lead, values, path)
        return lead

    def _custom(self, given: Mapping[str, Any], path: str) -> dict[str, Value]:
        """Return the values of custom fields, read-only ones among them; a field of unknown type takes any value."""
        custom: dict[str, Value] = {}
        for key, value in given.items():
            base = checks.custom_base(key) if isinstance(key, str) else None
            if base is None:
                continue
            checker = checker_of(key, self._fields) if base in self._fields else checks.custom
            if checker is None:
                raise SeedError(place(path, key), f"is not a key of a field of the type {self._fields[base].type}")
            custom[key] = check_value(value, checker, place(path, key))
        typed = {key: value for key, value in custom.items() if checks.custom_base(key) in self._fields}
        for key, problem in find_unpaired(typed, self._fields):
            raise SeedError(place(path, key), problem)
        return custom

    def _check(self, lead: Lead, values: Mapping[str, Any], path: str) -> None:
        """Raise `SeedError` for a lead that points at nothing, or at what is not there."""
        if lead.person_id is None and lead.organization_id is None:
            raise SeedError(path, "a lead needs a person_id or an organization_id")
        if (lead.archive_time is not None) != lead.is_archived:
            raise SeedError(place(path, "archive_time"), "must be set exactly where is_archived is true")
        for key, table, row_id in pointers(values, lead.custom, self._fields):
            if row_id not in self._people[table]:
                what = "owner" if key == "owner_id" else table
                raise SeedError(place(path, key), f"there is no {what} {row_id} in this company")
        for label_id in lead.label_ids:
            if label_id not in self._labels:
                raise SeedError(place(path, "label_ids"), f"there is no label {label_id} in this company")
