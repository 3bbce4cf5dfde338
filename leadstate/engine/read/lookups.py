"""Turns what people wrote into what an account has: descriptions into ids, custom fields into their normal form.

Persons, organizations and users are looked up as cheaply as can be, once a run. What a live lead is linked to already
is asked for first: one by one at a token each, or many persons in one request. Where it fits the description of that
very lead, nothing has to be searched, at 20 tokens a search; what it says nothing about is another lead that is
described by the same words. Users are listed once. A seed that exists needs nothing.

Names, options and types of custom fields are an account's own. They are listed once a run, at 10 tokens, and only where
a declared lead that is not a finished seed names one.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Annotated, TypeAlias

from pydantic import BeforeValidator, Field, ValidationError

from leadstate.kinds import KINDS
from leadstate.kinds.base import Wire, describe
from leadstate.kinds.custom_fields import CustomFields, Unfit, decode
from leadstate.model.account import Account
from leadstate.model.address import Address, Span, normalize_text
from leadstate.model.diagnostics import Diagnostic, Severity, counted
from leadstate.model.resource import CUSTOM, Attrs, CustomValue, Desired, Known, Live, Lookup, Observed, Value
from leadstate.pipedrive.client import Reader
from leadstate.pipedrive.errors import BadAnswer, NotFound
from leadstate.pipedrive.operations import (
    GET_DEAL_FIELDS,
    GET_ORGANIZATION,
    GET_PERSON,
    GET_PERSONS,
    GET_USERS,
    SEARCH_ORGANIZATIONS,
    SEARCH_PERSONS,
    Operation,
    Request,
)
from leadstate.reconcile.match import match_kind

IDS_AT_ONCE = 100
"""What one request for persons or organizations by id takes (Pipedrive API v2: getPersons, `ids`)."""

CANDIDATES = 10
"""How many of several candidates a message names."""

_ONE = {"person": GET_PERSON, "organization": GET_ORGANIZATION}
_SEARCH = {"person": SEARCH_PERSONS, "organization": SEARCH_ORGANIZATIONS}


async def resolve_custom_fields(
    account: Account, planned: Iterable[Desired], reader: Reader
) -> tuple[Account, CustomFields | None, tuple[Diagnostic, ...]]:
    """Return the account with each custom field in normal form, and the fields it has; None if nothing needs them.

    A field that cannot be had is left out, so that nothing is planned for it; the diagnostic keeps the account from
    being applied.

    Args:
        account: what is declared.
        planned: the declared objects of which the fields matter.
        reader: the way to it.

    Raises:
        ApiError: the fields could not be read.
    """
    used = {name.removeprefix(CUSTOM) for desired in planned for name in _list_custom(desired.attrs)}
    fields = await read_fields(reader, used) if used else None
    diagnostics: list[Diagnostic] = []
    made: list[Desired] = []
    for desired in account.desired:
        if not any(_list_custom(desired.attrs)):
            made.append(desired)
            continue
        attrs, unfit = normalize_attrs(desired.attrs, fields, desired.span)
        made.append(replace(desired, attrs=attrs))
        diagnostics += [_explain_unfit(desired, name, failure) for name, failure in unfit.items()]
    return replace(account, desired=tuple(made)), fields, tuple(diagnostics)


async def read_fields(reader: Reader, used: Iterable[str]) -> CustomFields:
    """Return the custom fields of an account; where one that is used is not set, it is read as None.

    Raises:
        ApiError: they could not be read.
    """
    rows = await reader.rows(GET_DEAL_FIELDS)
    return CustomFields((found for row in rows if (found := decode(row)) is not None), used)


def normalize_attrs(attrs: Attrs, fields: CustomFields | None, span: Span) -> tuple[Attrs, dict[str, Unfit]]:
    """Return attributes with custom fields in normal form; those that do not fit are left out, and why, by name.

    Without the account's fields all of them are left out.
    """
    made: dict[str, Value] = {}
    unfit: dict[str, Unfit] = {}
    for attribute, value in attrs.items():
        if not isinstance(value, CustomValue):
            made[attribute] = value
        elif fields is not None:
            try:
                made[attribute] = fields.normal(attribute.removeprefix(CUSTOM), value, span)
            except Unfit as failure:
                unfit[attribute] = failure
    return made, unfit


def _list_custom(attrs: Attrs) -> Iterator[str]:
    return (name for name, value in attrs.items() if isinstance(value, CustomValue))


def _explain_unfit(desired: Desired, attribute: str, unfit: Unfit) -> Diagnostic:
    value = desired.attrs[attribute]
    return desired.diagnostic(
        "custom-field",
        Severity.ERROR,
        f"the custom field {attribute.removeprefix(CUSTOM)!r}: {unfit}",
        detail=_list_first(unfit.candidates),
        hint=unfit.fix,
        span=value.span if isinstance(value, CustomValue) else None,
    )


def _unwrap_addresses(raw: object) -> object:
    """Return email addresses as a search answers them: a listing by id answers objects."""
    return [row.get("value", "") if isinstance(row, dict) else row for row in raw] if isinstance(raw, list) else raw


class _Known(Wire):
    """A person, organization or user."""

    id: int
    name: str = ""
    emails: Annotated[list[str], BeforeValidator(_unwrap_addresses), Field(default_factory=list)]
    active_flag: object = True

    @property
    def described(self) -> Mapping[str, str]:
        """Return it as people write it; empty if it has neither an address nor a name."""
        email = next(filter(None, self.emails), None)
        return {"email": email} if email else {"name": self.name} if self.name else {}

    def fits(self, lookup: Lookup) -> bool:
        """Return whether it is what the description says; case and white space around do not count."""
        wanted = normalize_text(lookup.text).casefold()
        texts = self.emails if lookup.by == "email" else (self.name,)
        return any(normalize_text(said).casefold() == wanted for said in texts)


class _Directory:
    """Asks for people and organizations. A malformed row is left out: it concerns only those who look for it.

    Attributes:
        known: kind and id → what was read by its id, or of the list of users.
        malformed: person, organization or user → what is wrong with a row that was left out.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.known: dict[tuple[str, int], _Known] = {}
        self.malformed: dict[str, str] = {}

    async def by_id(self, kind: str, ids: Sequence[int]) -> dict[int, _Known]:
        """Return those of the ids that exist. Only persons can be asked for together (`ids` of getPersons)."""
        found: list[_Known] = []
        together = kind == "person" and len(ids) * GET_PERSON.tokens > GET_PERSONS.tokens
        for start in range(0, len(ids) if together else 0, IDS_AT_ONCE):
            some = ",".join(map(str, ids[start : start + IDS_AT_ONCE]))
            answer = await self._reader.get(Request(GET_PERSONS, query=(("ids", some), ("limit", str(IDS_AT_ONCE)))))
            found += self._decode(GET_PERSONS, kind, answer.rows())
        for id_ in () if together else ids:
            with suppress(NotFound):
                answer = await self._reader.get(Request(_ONE[kind], str(id_)))
                found += self._decode(_ONE[kind], kind, [answer.data])
        return self._remember(kind, found)

    async def search(self, lookup: Lookup) -> list[_Known]:
        """Return everything that fits; the search may find more, and by its own idea of equal."""
        operation = _SEARCH[lookup.kind]
        query = (("term", lookup.text), ("fields", lookup.by), ("exact_match", "true"), ("limit", "100"))
        data = (await self._reader.get(Request(operation, query=query))).data
        items = data.get("items") if isinstance(data, dict) else None
        if not isinstance(items, list):
            raise BadAnswer(operation.id, "answered no list of items")
        rows = [item.get("item") if isinstance(item, dict) else item for item in items]
        return [known for known in self._decode(operation, lookup.kind, rows) if known.fits(lookup)]

    async def users(self) -> dict[int, _Known]:
        """Return the users by their ids, deactivated ones too."""
        rows = (await self._reader.get(Request(GET_USERS))).all_rows()
        contacts = [{**row, "emails": [row.get("email", "")]} if isinstance(row, dict) else row for row in rows]
        return self._remember("user", self._decode(GET_USERS, "user", contacts))

    def is_deactivated(self, lookup: Lookup) -> bool:
        """Return whether a user who fits a description was deactivated."""
        users = (known for (kind, _), known in self.known.items() if kind == lookup.kind == "user")
        return any(user.active_flag is False and user.fits(lookup) for user in users)

    def _remember(self, kind: str, rows: Iterable[_Known]) -> dict[int, _Known]:
        by_id = {row.id: row for row in rows}
        self.known |= {(kind, id_): row for id_, row in by_id.items()}
        return by_id

    def _decode(self, operation: Operation, kind: str, rows: Iterable[object]) -> list[_Known]:
        decoded: list[_Known] = []
        for row in rows:
            try:
                decoded.append(_Known.model_validate(row))
            except ValidationError as failure:
                what = f"{operation.id} answered a malformed {kind}, which is left out: {describe(failure)}"
                self.malformed.setdefault(kind, what)
        return decoded


_Place: TypeAlias = tuple[Address, str]
"""An object and one of its attributes."""


@dataclass(frozen=True, slots=True)
class _Use:
    """A description in an attribute of a declared object, and the id that the live one has there, if any."""

    item: Desired
    name: str
    lookup: Lookup
    linked: int | None

    @property
    def place(self) -> _Place:
        return self.item.address, self.name


async def resolve(
    account: Account, observed: Observed, reader: Reader
) -> tuple[Account, Observed, tuple[Diagnostic, ...]]:
    """Return the account with ids in place of descriptions and custom fields in normal form, and its fields.

    A description that fits none or several is a diagnostic. A field whose description has no id is left out, so that
    nothing is planned for it; the diagnostic keeps the account from being applied.

    Raises:
        ApiError: something could not be asked.
    """
    values = (value for desired in account.desired for value in desired.attrs.values())
    if not any(isinstance(value, Lookup | CustomValue) for value in values):
        return account, observed, ()
    there = {
        desired.address: live
        for kind in KINDS.values()
        if not kind.is_named
        for desired, live in match_kind(account, kind.name, observed.live.get(kind.name, ())).pairs
    }
    finished = {desired.address for desired in account.desired if desired.create_only and desired.address in there}
    planned = (desired for desired in account.desired if desired.address not in finished)
    account, fields, unfit = await resolve_custom_fields(account, planned, reader)
    if fields is not None:
        there = {
            address: replace(lead, attrs={**lead.attrs, **fields.read(lead.custom)}) for address, lead in there.items()
        }
    uses = [
        _Use(item, name, value, _find_linked(there.get(item.address), name))
        for item in account.desired
        if item.address not in finished
        for name, value in item.attrs.items()
        if isinstance(value, Lookup)
    ]
    directory = _Directory(reader)
    found: dict[_Place, Sequence[_Known]] = {}
    for kind in ("person", "organization", "user"):
        found |= await _look_up(kind, [use for use in uses if use.lookup.kind == kind], directory)
    ids = {place: fitting[0].id for place, fitting in found.items() if len(fitting) == 1}
    diagnostics = [_explain(use.item, found[use.place], use.lookup, directory) for use in uses if use.place not in ids]
    desired = tuple(_with_ids(desired, ids) for desired in account.desired)
    observed = replace(observed, fields=fields, names=_name_ids(uses, ids, directory))
    return replace(account, desired=desired), observed, (*unfit, *diagnostics)


def _name_ids(uses: Sequence[_Use], ids: Mapping[_Place, int], directory: _Directory) -> dict[str, str]:
    """Return what people know ids by: what is written for one, else what one that a live lead has is known by."""
    described = {
        f"{use.name}:{use.linked}": words
        for use in uses
        if use.linked is not None and (known := directory.known.get((use.lookup.kind, use.linked))) is not None
        for words in known.described.values()
    }
    return described | {f"{use.name}:{ids[use.place]}": use.lookup.text for use in uses if use.place in ids}


def _find_linked(live: Live | None, name: str) -> int | None:
    id_ = None if live is None else live.attrs.get(name)
    return id_ if isinstance(id_, int) else None


async def _look_up(kind: str, uses: Sequence[_Use], directory: _Directory) -> Mapping[_Place, Sequence[_Known]]:
    """Return for each use of a description of this kind everything that fits it.

    What a lead is linked to is meant by its own description alone: others may fit that of another lead. A deactivated
    user keeps the leads that they own, and gets no other one.
    """
    if not uses:
        return {}
    if kind == "user":
        known = await directory.users()
    else:
        known = await directory.by_id(kind, sorted({use.linked for use in uses if use.linked is not None}))
    found: dict[_Place, Sequence[_Known]] = {
        use.place: [row]
        for use in uses
        if use.linked is not None and (row := known.get(use.linked)) is not None and row.fits(use.lookup)
    }
    others: defaultdict[Lookup, list[_Use]] = defaultdict(list)
    for use in uses:
        if use.place not in found:
            others[use.lookup].append(use)
    for lookup, described in sorted(others.items(), key=lambda item: (item[0].by, item[0].text)):
        # A search may not know yet what a lead is linked to.
        rows = [*(() if kind == "user" else await directory.search(lookup)), *known.values()]
        fitting = {row.id: row for row in rows if row.active_flag is not False and row.fits(lookup)}
        found |= {use.place: [*fitting.values()] for use in described}
    return found


async def describe_contacts(leads: Sequence[Live], reader: Reader) -> Known:
    """Return what the people and organizations of some leads are known by: an email address, else a name.

    A description need not be the only one of its kind: what a lead is linked to is asked for first.

    Raises:
        ApiError: something could not be asked.
    """
    directory = _Directory(reader)
    for kind in ("person", "organization"):
        await directory.by_id(kind, sorted({id_ for lead in leads if isinstance(id_ := lead.attrs[kind], int)}))
    if any(lead.attrs["owner"] is not None for lead in leads):
        await directory.users()
    return {key: words for key, known in directory.known.items() if (words := known.described)}


def _with_ids(desired: Desired, ids: Mapping[_Place, int]) -> Desired:
    if not any(isinstance(value, Lookup) for value in desired.attrs.values()):
        return desired
    resolved = {
        name: ids[desired.address, name] if isinstance(value, Lookup) else value
        for name, value in desired.attrs.items()
        if not isinstance(value, Lookup) or (desired.address, name) in ids
    }
    return replace(desired, attrs=resolved)


def _explain(desired: Desired, candidates: Sequence[_Known], lookup: Lookup, directory: _Directory) -> Diagnostic:
    known = f"the {lookup.by} {lookup.text!r}"
    detail = directory.malformed.get(lookup.kind, "")
    code, summary = "none-found", f"there is no {lookup.kind} with {known}"
    create = "ask an admin to invite the user" if lookup.kind == "user" else f"create the {lookup.kind} in Pipedrive"
    hint = f"correct it, or {create} first"
    if len(candidates) > 1:
        code, summary = "several-found", f"{counted(len(candidates), lookup.kind)} have {known}"
        detail = _list_first([f"{candidate.id}  {candidate.name}" for candidate in candidates])
        hint = "write the id of the one that is meant"
    elif directory.is_deactivated(lookup):
        summary = f"the user with {known} is deactivated, and gets no leads any more"
        hint = "name another user, or ask an admin to activate this one"
    return desired.diagnostic(code, Severity.ERROR, summary, detail=detail, hint=hint, span=lookup.span)


def _list_first(candidates: Sequence[str]) -> str:
    more = [f"and {len(candidates) - CANDIDATES} more"] if len(candidates) > CANDIDATES else []
    return "\n".join([*candidates[:CANDIDATES], *more])
