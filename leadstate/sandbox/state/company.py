"""One company of the embedded Pipedrive: its tables, and what may be done to them.

Every operation checks first and then writes, without a pause between, and hands all rows that it touched to the journal
in one piece. It knows no HTTP, JSON text or files: it is given clean values, and raises `MissingError` or
`RefusedError`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

from leadstate.sandbox.state.checks import stamp
from leadstate.sandbox.state.custom_fields import Fields, merge_custom
from leadstate.sandbox.state.records import Body, Label, Lead, Query, Tables, Views

Clock = Callable[[], datetime]
NewId = Callable[[str], str]
Change = tuple[Literal["label", "lead"], str, Body | None]
"""A row that was written: its table, its id, and its new body, or None where it was deleted."""
Journal = Callable[[Sequence[Change]], None]
Table = Literal["user", "person", "organization"]

_OWN: Mapping[str, Table] = {"owner_id": "user", "person_id": "person", "organization_id": "organization"}
_CUSTOM: Mapping[str, Table] = {"user": "user", "people": "person", "org": "organization"}


class MissingError(LookupError):
    """There is no such object. The text is its kind, such as `lead label`."""


class RefusedError(ValueError):
    """The company's rules forbid it. The text is the message for the client."""


class Company:
    """The live tables of one company, filled from `tables`.

    `journal` hears of every change just before it is made, so that what cannot be kept does not happen.
    The `token` is the sandbox's own, and still not for logs; the first of the `users` is who it speaks for. `domain` is
    without `.pipedrive.com`, `plan` one of `PLANS`; `fields` are by their 40-hex keys.
    """

    def __init__(self, tables: Tables, clock: Clock, new_id: NewId, journal: Journal) -> None:
        self._head = tables
        self.token = tables.token
        self.id, self.name, self.domain, self.plan = tables.id, tables.name, tables.domain, tables.plan
        self.users, self.filters = tables.users, tables.filters
        self.persons, self.organizations = tables.persons, tables.organizations
        self.fields: Fields = {field.code: field for field in tables.fields}
        self._clock = clock
        self._new_id = new_id
        self._journal = journal
        self._people = people(tables)
        self._labels = {label.id: label for label in tables.labels}
        self._leads = {lead.id: lead for lead in tables.leads}
        self._views = Views()

    def __repr__(self) -> str:
        return f"Company(id={self.id}, domain={self.domain!r})"

    def tables(self) -> Tables:
        """Return everything that the company holds now."""
        return replace(self._head, labels=tuple(self._labels.values()), leads=tuple(self._leads.values()))

    def shown(self, lead: Lead) -> Body:
        """Return a lead as this company's API answers it."""
        body = lead.body()
        for key, value in lead.custom.items():
            if key in self.fields:
                body[key] = self._head.wire.words(self.fields[key].type, value)
        return body

    # Leads

    def leads(self, query: Query, start: int, limit: int) -> tuple[list[Lead], bool]:
        """Return the leads `start` to `start + limit` of a listing, and whether more follow."""
        ids = self._views.ids(query, self._leads.values())
        page = [self._leads[lead_id] for lead_id in ids[start : start + limit]]
        return page, len(ids) > start + limit

    def lead(self, lead_id: str) -> Lead:
        """Return one lead, live or archived. Raise `MissingError`."""
        try:
            return self._leads[lead_id]
        except KeyError:
            raise MissingError("lead") from None

    def add_lead(self, values: Mapping[str, Any]) -> Lead:
        """Create a lead of the token's user from clean values, its custom fields under `custom`.

        Raise `RefusedError`.
        """
        now, lead_id = stamp(self._clock()), self._new_id("lead")
        given = {**values, "custom": {key: value for key, value in values["custom"].items() if value is not None}}
        caller = self.users[0].id
        defaults = {"owner_id": caller, "person_id": None, "organization_id": None}
        lead = Lead(
            **{**defaults, **given},
            id=lead_id,
            creator_id=caller,
            add_time=now,
            update_time=now,
            cc_email=cc_email(self.domain, self.id, lead_id),
        )
        self._check(lead, values)
        self._write(lead)
        return lead

    def update_lead(self, lead_id: str, values: Mapping[str, Any]) -> Lead:
        """Set the clean values that are given and leave the rest; None unsets.

        Raise `MissingError` and `RefusedError`. An archived lead can only be taken out of the archive, and by that
        alone (Pipedrive changelog, 2025-04-15).
        """
        lead = self.lead(lead_id)
        given = {key: value for key, value in values.items() if key != "custom" or value}
        if lead.is_archived and given != {"is_archived": False}:
            raise RefusedError("archived lead can not be edited")
        now = stamp(self._clock())
        archived = values.get("is_archived", lead.is_archived)
        changed = replace(
            lead,
            **{
                **given,
                "custom": merge_custom(lead.custom, values["custom"]),
                "archive_time": (lead.archive_time or now) if archived else None,
                "update_time": now,
            },
        )
        self._check(changed, values)
        self._write(changed)
        return changed

    def delete_lead(self, lead_id: str) -> None:
        """Delete a lead, live or archived. Raise `MissingError`."""
        self.lead(lead_id)
        self._journal([("lead", lead_id, None)])
        self._views.forget()
        del self._leads[lead_id]

    # Labels

    def labels(self) -> list[Label]:
        """Return every label, oldest first."""
        return list(self._labels.values())

    def label(self, label_id: str) -> Label:
        """Return one label. Raise `MissingError`."""
        try:
            return self._labels[label_id]
        except KeyError:
            raise MissingError("lead label") from None

    def add_label(self, name: str, color: str) -> Label:
        """Create a label. Raise `RefusedError` where the company wants unique names and this one is taken."""
        self._check_name(name, None)
        now = stamp(self._clock())
        label = Label(self._new_id("label"), name, color, now, now)
        self._journal([("label", label.id, label.body())])
        self._labels[label.id] = label
        return label

    def update_label(self, label_id: str, values: Mapping[str, Any]) -> Label:
        """Set `name` and `color` where given. Raise `MissingError` and `RefusedError`."""
        before = self.label(label_id)
        if "name" in values:
            self._check_name(values["name"], label_id)
        label = replace(before, **values, update_time=stamp(self._clock()))
        self._journal([("label", label_id, label.body())])
        self._labels[label_id] = label
        return label

    def delete_label(self, label_id: str) -> None:
        """Delete a label and take it off every lead; the leads' `update_time` stays. Raise `MissingError`.

        What a deleted label does to its leads is not documented; that they lose it is the one thing reported.
        """
        self.label(label_id)
        bare = {
            lead.id: replace(lead, label_ids=tuple(other for other in lead.label_ids if other != label_id))
            for lead in self._leads.values()
            if label_id in lead.label_ids
        }
        self._journal([("label", label_id, None), *(("lead", lead.id, lead.body()) for lead in bare.values())])
        # No listing is filtered or sorted by labels, so the remembered ones stay right.
        self._leads |= bare
        del self._labels[label_id]

    # Rules

    def _write(self, lead: Lead) -> None:
        self._journal([("lead", lead.id, lead.body())])
        self._views.forget()
        self._leads[lead.id] = lead

    def _check(self, lead: Lead, given: Mapping[str, Any]) -> None:
        """Check what the request named of the lead that would result. Raise `RefusedError`."""
        if lead.person_id is None and lead.organization_id is None:
            raise RefusedError("person_id or organization_id must be given")
        for key, table, row_id in pointers(given, given["custom"], self.fields):
            if row_id not in self._people[table]:
                raise RefusedError(f"{key} {row_id} was not found")
        for label_id in given.get("label_ids", ()):
            if label_id not in self._labels:
                raise RefusedError(f"label_ids {label_id} was not found")

    def _check_name(self, name: str, own_id: str | None) -> None:
        if not self._head.unique_label_names:
            return
        if any(label.name.strip() == name.strip() for label in self._labels.values() if label.id != own_id):
            raise RefusedError("lead label with the same name already exists")


def people(tables: Tables) -> Mapping[Table, frozenset[int]]:
    """Return the ids that a lead of this company may point at."""
    return {
        "user": frozenset(user.id for user in tables.users),
        "person": frozenset(person.id for person in tables.persons),
        "organization": frozenset(organization.id for organization in tables.organizations),
    }


def pointers(values: Mapping[str, Any], custom: Mapping[str, Any], fields: Fields) -> Iterator[tuple[str, Table, int]]:
    """Yield the ids among a lead's clean values and custom fields, as (key, table, id)."""
    for key, table in _OWN.items():
        if values.get(key) is not None:
            yield key, table, values[key]
    for key, value in custom.items():
        kind = fields[key].type if key in fields else None
        if value is not None and kind is not None and kind in _CUSTOM:
            yield key, _CUSTOM[kind], value


def cc_email(domain: str, company_id: int, lead_id: str) -> str:
    """Return a lead's BCC address in the shape of a real one, under a top-level domain that can never receive mail."""
    return f"{domain}+{company_id}+lead{lead_id.replace('-', '')[:22]}@pipedrivemail.invalid"
