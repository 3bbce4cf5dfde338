"""Reads leads by the strategy that costs least (spec section 3).

A list of all costs 20 rate-limit tokens a page of 500. One by its id costs 2, and the lock file knows the ids; that
shows nothing of other leads, so it will not do where those matter. How many pages there are is remembered from the last
list. Where nothing is, the list is begun, and left where one question more tells that it is the dearer strategy.
"""

import math
from asyncio import Task
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final

from leadstate.engine.jobs import task_group
from leadstate.kinds import KINDS
from leadstate.kinds.base import decode_rows
from leadstate.kinds.lead import decode_summaries
from leadstate.model.account import Account, ImpactLevel, Prune
from leadstate.model.address import Ref, RemoteRef, collapse
from leadstate.model.diagnostics import counted
from leadstate.model.resource import CARRIED, CARRIER, Desired, Live, Observed
from leadstate.pipedrive.client import Reader
from leadstate.pipedrive.errors import IncompleteListing, NotFound, Rejected
from leadstate.pipedrive.operations import Operation, Request
from leadstate.pipedrive.pagination import NEWEST_FIRST, retry_if_shifted
from leadstate.reconcile.changed import labels_in
from leadstate.reconcile.match import Matching

KIND: Final = KINDS[CARRIER]

ASKED_FIRST = 10
"""Pages that declared leads cost by id, at least, for the length of the list to be asked for before its first page."""


@dataclass(frozen=True, slots=True)
class Named:
    """What was read of the kinds identified by name.

    Attributes:
        live: kind → what exists.
        matched: kind → what is declared matched with that.
        ignored: kind → what exists besides and is ignored.
        label_goes: whether a label is to be deleted, so that the leads matter which carry it.
        label_merges: whether another one takes the place of a label that is to be deleted.
    """

    live: Mapping[str, Sequence[Live]]
    matched: Mapping[str, Matching]
    ignored: Mapping[str, Sequence[Live]]
    label_goes: bool
    label_merges: bool

    @property
    def labels(self) -> Sequence[Live]:
        """All labels that exist."""
        return [*self.live[CARRIED], *self.ignored[CARRIED]]


@dataclass(slots=True)
class Listed:
    """What a listing showed of an account.

    Attributes:
        account: what is declared.
        kept: leads that could be ours.
        others: how many are not.
        pages: how many were read.
        by_label: id of a label → ids of all leads that carry it.
        cut: whether more would follow.
        elsewhere: as in `Observed`.
        unmarked: as in `Observed`.
    """

    account: Account
    kept: list[Live] = field(default_factory=list)
    others: int = 0
    pages: int = 0
    by_label: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    cut: bool = False
    elsewhere: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    unmarked: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def take(self, operation: Operation, rows: Sequence[Any]) -> None:
        """Count every row of a page; keep those that could be ours. Thousands are not, so they are not looked into."""
        self.pages += 1
        account = self.account
        ours: list[Any] = []
        for lead, row in zip(decode_summaries(operation, rows), rows, strict=True):
            for label in dict.fromkeys(lead.label_ids):
                self.by_label[label].append(lead.id)
            if (marker := lead.origin_id) and is_elsewhere(account, marker):
                self.elsewhere[marker].append(lead.id)
            if account.owns(marker) or account.remembers(KIND.name, lead.id):
                ours.append(row)
                continue
            self.others += 1
            # A create of ours may have made it, and the server may have ignored the ownership marker.
            title = row.get("title") if row.get("origin") == "API" and not marker else None
            if operation is KIND.listing and isinstance(title, str):
                collapsed = collapse(title)
                if collapsed in account.titles:
                    self.unmarked[collapsed].append(lead.id)
        self.kept += [as_declared(account, lead) for lead in decode_rows(KIND, operation, ours)]

    @property
    def carriers(self) -> dict[RemoteRef, list[str]]:
        """Each label with the ids of all leads that carry it."""
        return {RemoteRef(CARRIED, label): leads for label, leads in self.by_label.items()}

    def unsure(self, missing: frozenset[str]) -> frozenset[str]:
        """Return the markers that were not found, if more leads would follow."""
        return missing - {lead.marker or "" for lead in self.kept} if self.cut else frozenset()


@dataclass(frozen=True, slots=True)
class Costs:
    """What each strategy of reading live leads costs.

    Attributes:
        declared: how many leads are declared.
        pages: of the list, as many as are known to exist; 0 if nothing is known.
        obstacle: why the declared leads cannot be read by their ids, or are not all that matter; empty if nothing
            speaks against that.
    """

    declared: int
    pages: int
    obstacle: str

    @property
    def list_tokens(self) -> int:
        """Of a list, at the least."""
        return max(1, self.pages) * KIND.listing.tokens

    @property
    def id_tokens(self) -> int:
        """Of each declared lead by its id."""
        return self.declared * KIND.one.tokens

    @property
    def by_id(self) -> bool:
        """Whether reading them by id is possible, and costs less."""
        return not self.obstacle and self.id_tokens < self.list_tokens

    @property
    def break_even_pages(self) -> int | None:
        """Pages above which reading by id is cheaper, given that one page is read; None if ids are not an option."""
        if self.pages or self.obstacle or self.by_id:
            return None
        return 1 + self.id_tokens // KIND.listing.tokens

    def words_listed(self, pages: int) -> str:
        """Return how they were listed, in so many pages, and why."""
        why = self.obstacle or f"{counted(self.declared, 'lead')} by id would take {self.id_tokens:,}"
        return f"listed, {counted(pages, 'page')} ({pages * KIND.listing.tokens:,} tokens); {why}"


def is_elsewhere(account: Account, marker: str) -> bool:
    """Return whether an ownership marker is of another namespace, with the key of a declared object."""
    return not account.owns(marker) and marker.partition(":")[2] in account.keys


def as_declared(account: Account, lead: Live) -> Live:
    """Return a lead with the marker that it is declared with, if it was created with one of earlier days."""
    marker = account.renamed.get(lead.marker or "")
    return lead if marker is None else replace(lead, marker=marker)


@retry_if_shifted
async def read_live(account: Account, reader: Reader, longest: float = math.inf) -> Listed:
    """List all live leads; stop after the first page where there are more than `longest` pages."""
    listed = Listed(account)
    async with aclosing(reader.pages(KIND.listing)) as pages:
        async for page in pages:
            listed.take(KIND.listing, page.rows)
            if listed.pages == 1 and page.more and longest < math.inf:
                listed.cut = await reader.has_more_pages(KIND.listing, int(longest))
                if listed.cut:
                    break
    return listed


@retry_if_shifted
async def read_archived(account: Account, reader: Reader, missing: frozenset[str], *, whole: bool = False) -> Listed:
    """List archived leads newest first, until nothing is missing or `policy.archived_pages` are read; or all of them.

    The vendor documents `field DESC` in words and leaves it out of the list of values, so a server that refuses it is
    read in its own order (oldest first); what is not found within the limit is then unsure all the same.
    """
    limit = math.inf if whole else account.policy.archived_pages
    if KIND.archive is None or limit == 0 or not (missing or whole):
        return Listed(account, cut=bool(missing))
    try:
        return await _read_archived(KIND.archive, Listed(account), reader, missing, limit, NEWEST_FIRST)
    except Rejected:
        return await _read_archived(KIND.archive, Listed(account), reader, missing, limit)


async def _read_archived(
    archive: Operation, listed: Listed, reader: Reader, missing: frozenset[str], limit: float, *query: tuple[str, str]
) -> Listed:
    async with aclosing(reader.pages(archive, *query, whole=limit is math.inf)) as pages:
        async for page in pages:
            listed.take(archive, page.rows)
            found = missing <= {lead.marker for lead in listed.kept}
            if limit is not math.inf and (found or listed.pages >= limit):
                listed.cut = page.more and not found
                break
    return listed


def find_certain(account: Account, leads: Iterable[Live]) -> dict[Ref, list[Live]]:
    """Return each declared lead with those that it is for certain: they have its marker, or it was adopted without."""
    marked: defaultdict[str, list[Live]] = defaultdict(list)
    unmarked: dict[str, Live] = {}
    for lead in leads:
        if lead.marker is None:
            unmarked[lead.remote_id] = lead
        else:
            marked[lead.marker].append(lead)
    found: dict[Ref, list[Live]] = {}
    for desired in account.of_kind(KIND.name):
        ref = desired.address.ref
        adopted = unmarked.get(account.lock.get(ref, "")) if desired.adopted else None
        found[ref] = [*marked.get(desired.marker or "", ()), *([adopted] if adopted else ())]
    return found


async def ask_for_ids(ids: Iterable[str], reader: Reader) -> dict[str, Live]:
    """Return the leads of these ids, several asked for at a time; those that do not exist are left out."""
    found: dict[str, Live] = {}

    async def ask(remote_id: str) -> None:
        with suppress(NotFound):
            answer = await reader.get(Request(KIND.one, remote_id))
            (found[remote_id],) = decode_rows(KIND, KIND.one, [answer.data])

    async with task_group() as group:
        for remote_id in ids:
            group.create_task(ask(remote_id))
    return found


async def ask_for(account: Account, sought: Iterable[Desired], reader: Reader) -> tuple[list[Live], frozenset[str]]:
    """Ask for declared leads by the ids that the lock file knows; those without a known id are left out.

    Returns:
        The leads of these ids, whatever marker they have and archived or not; and the markers of those that do not
        exist any more: deleted, or converted to a deal.
    """
    ids = {item.marker: known for item in sought if item.marker and (known := account.lock.get(item.address.ref))}
    found = await ask_for_ids(ids.values(), reader)
    gone = frozenset(marker for marker, remote_id in ids.items() if remote_id not in found)
    return [as_declared(account, lead) for lead in found.values()], gone


async def read_leads(
    account: Account,
    reader: Reader,
    named: Task[Named],
    impact: ImpactLevel,
    *,
    everything: bool,
    wanted: bool,
) -> Observed:
    """Read leads: in a list, or one by one if that costs less and shows enough (see `Costs`).

    A list that is read whatever the labels are does not wait for them. Archived leads are read, newest first, only
    while a declared lead was not found among the live ones, and at most `policy.archived_pages` pages; all of them with
    `ImpactLevel.FULL`.

    Args:
        account: what is declared.
        reader: the way to it.
        named: what was read of the labels that leads carry.
        impact: how thoroughly leads that carry a deleted label are counted.
        everything: whether live leads are to be listed whatever that costs.
        wanted: whether leads are declared or pruned; else only those count that carry a label that goes.

    Raises:
        ApiError: the account could not be read as a whole.
    """
    costs = _estimate_costs(account, reader, label_goes=False, everything=everything)
    listed = None
    if wanted and not costs.by_id and costs.break_even_pages is None:
        listed = await read_live(account, reader)
    known = await named
    costs = _estimate_costs(account, reader, label_goes=known.label_goes, everything=everything)
    if listed is None and (break_even_pages := costs.break_even_pages) is not None:
        if costs.id_tokens < ASKED_FIRST * KIND.listing.tokens:
            listed = await read_live(account, reader, break_even_pages)
            if listed.cut:
                listed, costs = None, replace(costs, pages=break_even_pages + 1)
        # A page in vain costs more than a small list gains.
        elif await reader.has_more_pages(KIND.listing, break_even_pages - 1):
            costs = replace(costs, pages=break_even_pages)
    if listed is None and costs.by_id:
        observed = await _read_by_id(costs, account, known.labels, reader)
        if observed is not None:
            return observed
        costs = replace(costs, obstacle=f"by id ({costs.id_tokens:,} tokens) not every declared lead was found")
    if listed is None:
        listed = await read_live(account, reader)
    check_labels(known.labels, listed.carriers.keys())
    return await _add_unlisted(costs, listed, reader, full=impact is ImpactLevel.FULL and known.label_goes)


def _estimate_costs(account: Account, reader: Reader, *, label_goes: bool, everything: bool) -> Costs:
    """Return what each strategy costs; `label_goes` if a label goes away that leads may carry."""
    declared = account.of_kind(KIND.name)
    unknown = sum(desired.address.ref not in account.lock for desired in declared)
    if account.policy.prune(KIND.name) is not Prune.NONE:
        obstacle = "leads that nothing declares are pruned"
    elif any(desired.keep for desired in declared):
        obstacle = "duplicates of a declared lead may be there"
    elif label_goes:
        obstacle = "a label goes away that leads may carry"
    elif everything:
        obstacle = "the lock file is not trusted here"
    elif any(not desired.present or desired.marker is None for desired in declared):
        obstacle = "not every lead is declared by its key"
    elif unknown:
        obstacle = f"the lock file does not know {counted(unknown, 'declared lead')}"
    else:
        obstacle = ""
    return Costs(len(declared), reader.known_pages(KIND.listing), obstacle)


async def _read_by_id(costs: Costs, account: Account, labels: Sequence[Live], reader: Reader) -> Observed | None:
    """Read the declared leads by the ids that the lock file knows; None if that leaves a doubt about one of them."""
    declared = account.of_kind(KIND.name)
    leads, gone = await ask_for(account, declared, reader)
    found = find_certain(account, leads)
    for desired in declared:
        # With `if_gone: create` the lead may exist under a new id; only a full listing can tell.
        if not found[desired.address.ref] and not (desired.marker in gone and desired.leave_gone):
            return None
    check_labels(labels, {label for lead in leads for label in labels_in(lead.attrs)})
    full = f"a full list would take at least {costs.list_tokens:,}"
    words = f"{costs.declared:,} read by id ({costs.id_tokens:,} tokens); {full}"
    return Observed({KIND.name: leads}, gone=gone, reading=words)


async def _add_unlisted(costs: Costs, seen: Listed, reader: Reader, *, full: bool) -> Observed:
    """Return what was listed, and what else is declared by its id or from the archive; with `full` all of that."""
    account = seen.account
    declared = [lead for lead in account.of_kind(KIND.name) if lead.present and lead.marker]
    listed = find_certain(account, seen.kept)
    sought = [desired for desired in declared if not listed[desired.address.ref]]
    asked, gone = await ask_for(account, sought, reader)
    known = find_certain(account, asked)
    remembered = [lead for desired in sought for lead in known[desired.address.ref]]
    missing = frozenset(
        desired.marker
        for desired in sought
        if desired.marker
        and not known[desired.address.ref]
        # One that is to be created again may have been, by a run that could not write the lock file.
        and not (desired.marker in gone and desired.leave_gone)
        and not (desired.adopted and desired.marker not in gone)
    )
    archived = await read_archived(account, reader, missing, whole=full)
    kept = {live.remote_id: live for live in (*archived.kept, *remembered, *seen.kept)}
    elsewhere = seen.elsewhere
    for marker, ids in archived.elsewhere.items():
        elsewhere[marker] += ids
    for lead in asked:
        if is_elsewhere(account, marker := lead.marker or ""):
            elsewhere[marker].append(lead.remote_id)
    return Observed(
        {KIND.name: list(kept.values())},
        others={KIND.name: seen.others},
        carriers=seen.carriers,
        pages=seen.pages,
        archived_carriers=archived.carriers if full else None,
        unsure=archived.unsure(missing),
        gone=gone,
        reading=costs.words_listed(seen.pages),
        elsewhere=elsewhere,
        unmarked=seen.unmarked,
    )


def check_labels(labels: Sequence[Live], carried: Collection[RemoteRef]) -> None:
    """Raise `IncompleteListing` if leads carry labels while no label is listed."""
    if carried and not labels:
        words = f"no label is listed, while leads carry {len(carried)} of them"
        raise IncompleteListing(KINDS[CARRIED].listing.id, words)
