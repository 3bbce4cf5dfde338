"""Turns people's descriptions of persons, organizations and users into ids, as cheaply as can be, once a run.

What a live lead is linked to already is asked for first: one by one at a token each, or many persons in one request.
Where it fits the description, nothing has to be searched, at 20 tokens a search. Users are listed once. A seed that
exists needs nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Annotated, TypeVar

from pydantic import BaseModel, Field, ValidationError

from leadstate.engine.read.custom_fields import typed
from leadstate.kinds.base import Wire, describe
from leadstate.kinds.custom_fields import CustomFields
from leadstate.kinds.lead import LEAD
from leadstate.model.account import Account
from leadstate.model.address import Address
from leadstate.model.diagnostics import Diagnostic, Severity
from leadstate.model.resource import Desired, Known, Live, Lookup, Observed, text
from leadstate.pipedrive.client import Reader
from leadstate.pipedrive.errors import BadAnswer, NotFound
from leadstate.pipedrive.operations import (
    GET_ORGANIZATION,
    GET_PERSON,
    GET_PERSONS,
    GET_USERS,
    SEARCH_ORGANIZATIONS,
    SEARCH_PERSONS,
    Operation,
    Request,
)

IDS_AT_ONCE = 100
"""What one request for persons or organizations by id takes (Pipedrive API v2: getPersons, `ids`)."""

T = TypeVar("T", bound=BaseModel)

CANDIDATES = 10
"""How many of several candidates a message names."""


class _Email(Wire):
    value: str = ""


class _Contact(Wire):
    """A person or organization as a listing by id answers it."""

    id: int
    name: str = ""
    emails: Annotated[list[_Email], Field(default_factory=list)]

    @property
    def known_by(self) -> "_Known":
        return _Known(self.id, self.name, tuple(email.value for email in self.emails))


class _Found(Wire):
    """The same as a search answers it."""

    id: int
    name: str = ""
    emails: Annotated[list[str], Field(default_factory=list)]

    @property
    def known_by(self) -> "_Known":
        return _Known(self.id, self.name, tuple(self.emails))


class _Item(Wire):
    item: _Found


class _User(Wire):
    id: int
    name: str = ""
    email: str = ""
    active_flag: bool = True


@dataclass(frozen=True, slots=True)
class _Known:
    id: int
    name: str
    emails: tuple[str, ...]

    @property
    def described(self) -> Mapping[str, str]:
        """As people write it; nothing where it is known by nothing."""
        email = next((email for email in self.emails if email), None)
        return {"email": email} if email else {"name": self.name} if self.name else {}

    def fits(self, lookup: Lookup) -> bool:
        """Whether it is what the description says; case and white space around do not count."""
        wanted = text(lookup.text).casefold()
        texts = self.emails if lookup.by == "email" else (self.name,)
        return any(text(said).casefold() == wanted for said in texts)


_ONE = {"person": GET_PERSON, "organization": GET_ORGANIZATION}
_SEARCH = {"person": SEARCH_PERSONS, "organization": SEARCH_ORGANIZATIONS}


async def resolve(
    account: Account, observed: Observed, reader: Reader
) -> tuple[Account, Observed, tuple[Diagnostic, ...]]:
    """The account with custom fields in normal form and ids in place of descriptions; and its fields as observed.

    A description that fits none or several is a diagnostic. A field whose description has no id is left out, so that
    nothing is planned for it; the diagnostic keeps the account from being applied.

    Raises:
        ApiError: something could not be asked.
    """
    there = _there(account, observed)
    finished = {
        desired_item.address
        for desired_item in account.desired
        if desired_item.create_only and desired_item.address in there
    }
    open_ones = (desired_item for desired_item in account.desired if desired_item.address not in finished)
    account, fields, unfit = await typed(account, open_ones, reader)
    planned = [desired_item for desired_item in account.desired if desired_item.address not in finished]
    if fields is not None:
        there = {address: _told(lead, fields) for address, lead in there.items()}
    wanted = {value for _, value in _uses(planned)}
    found: dict[Lookup, list[_Known]] = {}
    listed: dict[tuple[str, int], _Known] = {}
    rows = _Rows()
    for kind in ("person", "organization"):
        linked = _linked(planned, there, kind)
        known = await _by_id(kind, sorted({id_ for ids in linked.values() for id_ in ids}), reader, rows)
        listed |= {(kind, id_): row for id_, row in known.items()}
        for lookup in sorted((lookup for lookup in wanted if lookup.kind == kind), key=_order):
            fitting = [known[id_] for id_ in sorted(linked.get(lookup, ())) if id_ in known and known[id_].fits(lookup)]
            found[lookup] = fitting[:1] or await _search(lookup, reader, rows)
    if any(lookup.kind == "user" for lookup in wanted):
        users = await _users(reader, rows)
        listed |= {("user", user.id): user for user in users}
        found |= {lookup: [user for user in users if user.fits(lookup)] for lookup in wanted if lookup.kind == "user"}
    ids = {lookup: fitting[0].id for lookup, fitting in found.items() if len(fitting) == 1}
    diagnostics = [
        _diagnostic(desired, found[value], value, rows.malformed.get(value.kind, ""))
        for desired, value in _uses(planned)
        if value not in ids
    ]
    desired = tuple(_with_ids(desired_item, ids) for desired_item in account.desired)
    names = _names(planned, there, ids, listed)
    return replace(account, desired=desired), replace(observed, fields=fields, names=names), (*unfit, *diagnostics)


def _names(
    desired: Iterable[Desired],
    live: Mapping[Address, Live],
    ids: Mapping[Lookup, int],
    listed: Mapping[tuple[str, int], _Known],
) -> Mapping[str, str]:
    """Attribute and id → what was written for the id; for one that a live lead has, what it is known by."""
    there: dict[str, str] = {}
    written: dict[str, str] = {}
    for desired_item in desired:
        now = live[desired_item.address].attrs if desired_item.address in live else {}
        for name, value in desired_item.attrs.items():
            if isinstance(value, Lookup):
                if value in ids:
                    written[f"{name}:{ids[value]}"] = value.text
                if isinstance(id_ := now.get(name), int) and (value.kind, id_) in listed:
                    there |= {f"{name}:{id_}": words for words in listed[value.kind, id_].described.values()}
    return {**there, **written}


def _there(account: Account, observed: Observed) -> dict[Address, Live]:
    """Return the live lead of each declared one: by its marker, or without one by the id that the lock file knows."""
    live = observed.live.get(LEAD.name, ())
    marked = {lead.marker: lead for lead in live if lead.marker is not None}
    unmarked = {lead.remote_id: lead for lead in live if lead.marker is None}
    found = {
        lead.address: marked.get(lead.marker or "") or unmarked.get(account.lock.get(lead.address.ref, ""))
        for lead in account.of_kind(LEAD.name)
    }
    return {address: one for address, one in found.items() if one is not None}


def _told(live: Live, fields: CustomFields) -> Live:
    return replace(live, attrs={**live.attrs, **fields.read(live.custom)})


async def descriptions(leads: Sequence[Live], reader: Reader) -> Known:
    """What the people and organizations of some leads are known by: an email address, else a name.

    A description need not be the only one of its kind: what a lead is linked to is asked for first.

    Raises:
        ApiError: something could not be asked.
    """
    known: dict[tuple[str, int], Mapping[str, str]] = {}
    rows = _Rows()
    for kind in ("person", "organization"):
        ids = sorted({id_ for lead in leads if isinstance(id_ := lead.attrs[kind], int)})
        for id_, row in (await _by_id(kind, ids, reader, rows)).items():
            known[kind, id_] = row.described
    if any(lead.attrs["owner"] is not None for lead in leads):
        known |= {("user", known.id): known.described for known in await _users(reader, rows)}
    return {key: words for key, words in known.items() if words}


def _order(lookup: Lookup) -> tuple[str, str, str]:
    return lookup.kind, lookup.by, lookup.text


def _uses(desired: Iterable[Desired]) -> Iterable[tuple[Desired, Lookup]]:
    return (
        (desired_item, value)
        for desired_item in desired
        for value in desired_item.attrs.values()
        if isinstance(value, Lookup)
    )


def _linked(desired: Iterable[Desired], live: Mapping[Address, Live], kind: str) -> Mapping[Lookup, set[int]]:
    """What the live leads are linked to where a description is declared."""
    linked: dict[Lookup, set[int]] = {}
    for desired_item in desired:
        there = live.get(desired_item.address)
        if there is None:
            continue
        for name, value in desired_item.attrs.items():
            if isinstance(value, Lookup) and value.kind == kind and isinstance(id_ := there.attrs.get(name), int):
                linked.setdefault(value, set()).add(id_)
    return linked


async def _by_id(kind: str, ids: Sequence[int], reader: Reader, decode: "_Rows") -> dict[int, _Known]:
    """Those of the ids that are there. Only persons can be asked for together (`ids` of getPersons)."""
    rows: list[_Contact] = []
    together = kind == "person" and len(ids) * GET_PERSON.tokens > GET_PERSONS.tokens
    for start in range(0, len(ids) if together else 0, IDS_AT_ONCE):
        some = ",".join(map(str, ids[start : start + IDS_AT_ONCE]))
        answer = await reader.get(Request(GET_PERSONS, query=(("ids", some), ("limit", str(IDS_AT_ONCE)))))
        rows += decode(_Contact, GET_PERSONS, kind, answer.rows())
    for id_ in () if together else ids:
        with suppress(NotFound):
            rows += decode(_Contact, _ONE[kind], kind, [(await reader.get(Request(_ONE[kind], str(id_)))).data])
    return {row.id: row.known_by for row in rows}


async def _search(lookup: Lookup, reader: Reader, decode: "_Rows") -> list[_Known]:
    """Everything that fits; the search may find more, and by its own idea of equal."""
    operation = _SEARCH[lookup.kind]
    query = (("term", lookup.text), ("fields", lookup.by), ("exact_match", "true"), ("limit", "100"))
    data = (await reader.get(Request(operation, query=query))).data
    items = data.get("items") if isinstance(data, dict) else None
    if not isinstance(items, list):
        raise BadAnswer(operation.id, "answered no list of items")
    rows = decode(_Item, operation, lookup.kind, items)
    return [said for row in rows if (said := row.item.known_by).fits(lookup)]


async def _users(reader: Reader, decode: "_Rows") -> list[_Known]:
    rows = decode(_User, GET_USERS, "user", (await reader.get(Request(GET_USERS))).rows())
    return [_Known(row.id, row.name, (row.email,)) for row in rows if row.active_flag]


class _Rows:
    """Decodes rows of answers. A malformed one is left out: it concerns only those who look for what it stands for.

    Attributes:
        malformed: person, organization or user → what is wrong with a row that was left out.
    """

    def __init__(self) -> None:
        self.malformed: dict[str, str] = {}

    def __call__(self, model: type[T], operation: Operation, kind: str, rows: Iterable[object]) -> list[T]:
        """Return the rows that can be decoded."""
        decoded: list[T] = []
        for row in rows:
            try:
                decoded.append(model.model_validate(row))
            except ValidationError as failure:
                what = f"{operation.id} answered a malformed {kind}, which is left out: {describe(failure)}"
                self.malformed.setdefault(kind, what)
        return decoded


def _with_ids(desired: Desired, ids: Mapping[Lookup, int]) -> Desired:
    if not any(isinstance(value, Lookup) for value in desired.attrs.values()):
        return desired
    resolved = {
        name: ids.get(value) if isinstance(value, Lookup) else value
        for name, value in desired.attrs.items()
        if not isinstance(value, Lookup) or value in ids
    }
    return replace(desired, attrs=resolved)


def _diagnostic(desired: Desired, candidates: Sequence[_Known], lookup: Lookup, malformed: str) -> Diagnostic:
    several = len(candidates) > 1
    what = f"{lookup.kind} with the {lookup.by} {lookup.text!r}"
    more = f"\nand {len(candidates) - CANDIDATES} more" if len(candidates) > CANDIDATES else ""
    create = "ask an admin to invite the user" if lookup.kind == "user" else f"create the {lookup.kind} in Pipedrive"
    return desired.diagnostic(
        "several-found" if several else "none-found",
        Severity.ERROR,
        f"there are {len(candidates)} of the {what}" if several else f"there is no {what}",
        detail="\n".join(f"{candidate.id}  {candidate.name}" for candidate in candidates[:CANDIDATES]) + more
        if several
        else malformed,
        hint="write the id of the one that is meant" if several else f"correct it, or {create} first",
        span=lookup.span,
    )
