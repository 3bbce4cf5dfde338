"""Reads of an account what matters for a plan, as cheaply as possible, once it is known to be the declared company.

Where a label goes and that was asked for, saved filters are read too: 20 tokens for the list and 2 for each.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError

from leadstate.engine.jobs import task_group
from leadstate.engine.read.leads import Named, read_leads
from leadstate.kinds import KINDS
from leadstate.kinds.base import Kind, Wire, decode_rows, describe
from leadstate.model.account import Account, ImpactLevel, Prune
from leadstate.model.address import RemoteRef
from leadstate.model.diagnostics import LeadstateError
from leadstate.model.resource import CARRIED, CARRIER, Live, Observed
from leadstate.model.usage import SavedFilter
from leadstate.pipedrive.client import Reader
from leadstate.pipedrive.errors import BadAnswer, Forbidden, NotFound, WrongCompany
from leadstate.pipedrive.operations import GET_FILTER, GET_FILTERS, GET_ME, UUID, Operation, Request
from leadstate.reconcile.match import Matching, match_kind


class Me(Wire):
    """The token's user and company (Pipedrive API: getCurrentUser)."""

    name: str = ""
    company_id: int | None = None
    company_name: str = ""
    company_domain: str = ""
    access: Annotated[list[dict[str, Any]], Field(default_factory=list)]

    @property
    def admin(self) -> bool:
        """Whether the user is an admin of sales: others may not see every lead."""
        return any(right.get("app") in ("global", "sales") and right.get("admin") is True for right in self.access)


async def observe(
    account: Account, reader: Reader, impact: ImpactLevel, *, everything: bool = False
) -> tuple[Observed, Mapping[str, Matching]]:
    """Return the live state of one account, and the matching of each kind that had to be known to read it.

    Kinds identified by name are listed, in one request each. Leads are read where one is declared, where leads are
    pruned, or where a label goes that they may carry; with `ImpactLevel.FULL` saved filters too where a label goes, and
    with `ImpactLevel.NONE` no leads for a label that goes, unless it is merged into another one.

    Args:
        account: what is declared.
        reader: the way to it.
        impact: how thoroughly leads that carry a deleted label are counted.
        everything: whether live leads are to be listed whatever that costs.

    Raises:
        ApiError: the account could not be read as a whole.
    """
    wanted = {kind for kind in KINDS if account.of_kind(kind) or account.policy.prune(kind) is not Prune.NONE}
    async with task_group() as group:
        named = group.create_task(_read_named(account, reader, wanted))
        read = partial(read_leads, account, reader, named, impact, everything=everything)
        leads = group.create_task(read(wanted=True)) if CARRIER in wanted else None
        known = await named
        filters = None
        if impact is ImpactLevel.FULL and known.label_goes:
            filters = group.create_task(read_filters(reader))
        # A merge costs two requests for each lead that carries its source, so those are counted in any case.
        if leads is None and (known.label_merges or (known.label_goes and impact is not ImpactLevel.NONE)):
            leads = group.create_task(read(wanted=False))
    observed = Observed({}) if leads is None else leads.result()
    observed = replace(observed, live={**known.live, **observed.live}, ignored=known.ignored)
    if filters is not None:
        observed = replace(observed, filters=filters.result(), filters_hidden=filters.result() is None)
    return observed, known.matched


def is_always_read(kind: Kind) -> bool:
    """Return whether a kind is read in every run: others refer to its objects, or warn of those that are unmanaged."""
    return any(kind.name in other.references.values() for other in KINDS.values())


async def read_listing(kind: Kind, reader: Reader) -> list[Live]:
    """Return the objects of a kind that one request lists."""
    return list(decode_rows(kind, kind.listing, (await reader.get(Request(kind.listing))).all_rows()))


async def _read_named(account: Account, reader: Reader, wanted: Collection[str]) -> Named:
    live, ignored = await read_named_kinds(account, reader, wanted)
    matched = {kind: match_kind(account, kind, there) for kind, there in live.items()}
    labels, protects = matched[CARRIED], account.policy.protects
    pruned = any(account.prunes(label) and not protects(CARRIED, label.name) for label in labels.extra)
    goes = pruned or any(not desired.present for desired, _ in labels.pairs)
    return Named(live, matched, ignored, goes, any(desired.moves_to for desired, _ in labels.pairs))


async def read_named_kinds(
    account: Account, reader: Reader, wanted: Collection[str]
) -> tuple[dict[str, list[Live]], dict[str, list[Live]]]:
    """Return what exists of the named kinds that are wanted or always read, and what of that is ignored.

    Raises:
        ApiError: a listing could not be read.
    """
    kinds = [kind for kind in KINDS.values() if kind.is_named and (is_always_read(kind) or kind.name in wanted)]
    return without_ignored(account, {kind.name: await read_listing(kind, reader) for kind in kinds})


def without_ignored(
    account: Account, live: Mapping[str, Sequence[Live]]
) -> tuple[dict[str, list[Live]], dict[str, list[Live]]]:
    """Return what of each kind is not ignored, and what is (spec section 2, `policy.ignore`)."""
    kept: dict[str, list[Live]] = {kind: [] for kind in live}
    ignored: dict[str, list[Live]] = {kind: [] for kind in live}
    for kind, listed in live.items():
        for there in listed:
            (ignored if account.policy.ignores(kind, there.name) else kept)[kind].append(there)
    return kept, ignored


class AnotherCompany(LeadstateError):
    """The token is of another company than the one that is declared."""

    code = WrongCompany.code


async def check_company(account: Account, reader: Reader) -> None:
    """Raise an error unless the token is of the company that is declared, if one is.

    Raises:
        AnotherCompany: it is not.
        ApiError: the account could not be asked.
    """
    if account.company_id is None:
        return
    try:
        me = Me.model_validate((await reader.get(Request(GET_ME))).data)
    except ValidationError:
        raise BadAnswer(GET_ME.id, "answered no user") from None
    if me.company_id != account.company_id:
        words = f"the token belongs to company {me.company_id} ({me.company_domain}), not to {account.company_id}"
        raise AnotherCompany(words, hint="use a token of that company, or correct `company_id`")


class WireFilter(BaseModel):
    """A filter as Pipedrive lists it (getFilters), and with its conditions (getFilter)."""

    id: int
    name: str
    active_flag: bool = True
    temporary_flag: bool | None = None
    conditions: object = None

    @property
    def saved(self) -> bool:
        """Whether it was saved, and not deleted since; one that was only tried out is temporary."""
        return self.active_flag and not self.temporary_flag

    @property
    def ids(self) -> frozenset[str]:
        """Every UUID that the conditions hold.

        How a condition on labels is written is not documented: the value may be an id, or a list of ids as JSON. An id
        of a label is nothing else's, so wherever it stands, the filter names the label.
        """
        return frozenset(found.group().lower() for found in UUID.finditer(str(self.conditions)))


async def list_filters(reader: Reader) -> list[SavedFilter]:
    """Return the filters that the token's user can see, temporary and deleted ones left out (20 tokens).

    Filters of every type are returned: one of activities or deals may look at the leads behind them.

    Raises:
        ApiError: they could not be read.
    """
    rows = (await reader.get(Request(GET_FILTERS))).all_rows()
    listed = [_decode_filter(GET_FILTERS, row) for row in rows]
    return [SavedFilter(found.id, found.name) for found in listed if found.saved]


async def read_filters(reader: Reader) -> Mapping[RemoteRef, tuple[SavedFilter, ...]] | None:
    """Return each label that saved filters name, with those filters; None where the token may not read filters.

    Raises:
        ApiError: they could not be read.
    """
    try:
        named = await read_named_ids(await list_filters(reader), reader)
    except Forbidden:
        return None
    return {RemoteRef(CARRIED, remote_id): filters for remote_id, filters in named.items()}


async def read_named_ids(filters: Sequence[SavedFilter], reader: Reader) -> Mapping[str, tuple[SavedFilter, ...]]:
    """Return id → the filters whose conditions name it (2 tokens a filter); one that is gone by now names nothing.

    Raises:
        ApiError: a filter could not be read.
    """
    named: dict[int, frozenset[str]] = {}

    async def read(saved: SavedFilter) -> None:
        with suppress(NotFound):
            answer = await reader.get(Request(GET_FILTER, str(saved.id)))
            named[saved.id] = _decode_filter(GET_FILTER, answer.data).ids

    async with task_group() as group:
        for saved in filters:
            group.create_task(read(saved))
    found: dict[str, tuple[SavedFilter, ...]] = {}
    for saved in sorted(filters, key=lambda saved: saved.id):
        for remote_id in named.get(saved.id, ()):
            found[remote_id] = (*found.get(remote_id, ()), saved)
    return found


def _decode_filter(operation: Operation, row: object) -> WireFilter:
    try:
        return WireFilter.model_validate(row)
    except (ValidationError, RecursionError) as failure:
        raise BadAnswer(operation.id, f"answered a malformed filter: {describe(failure)}") from None
