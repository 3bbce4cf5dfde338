"""Reads an account's leads by the cheapest strategy: the live list, the archived one, or one by one by their ids."""

import math
from asyncio import Task
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from leadstate.engine.jobs import task_group
from leadstate.engine.read.cost import Ways, ways
from leadstate.kinds.base import decoded, understood
from leadstate.kinds.label import LABEL
from leadstate.kinds.lead import LEAD, glances
from leadstate.model.account import Account
from leadstate.model.address import Ref, RemoteRef
from leadstate.model.policy import Impact
from leadstate.model.resource import Desired, Live, Observed, Reading
from leadstate.pipedrive.client import Reader
from leadstate.pipedrive.errors import IncompleteListing, NotFound, Rejected
from leadstate.pipedrive.operations import GET_ARCHIVED_LEADS, GET_LABELS, GET_LEAD, GET_LEADS, Operation, Request
from leadstate.reconcile.lookalikes import collapse
from leadstate.reconcile.match import Matching

T = TypeVar("T")

ATTEMPTS = 3
"""How often a listing is read that shifts under the reading."""

NEWEST_FIRST = ("sort", "add_time DESC")


@dataclass(frozen=True, slots=True)
class Question:
    """How thoroughly an account is read.

    Attributes:
        impact: how thoroughly leads that carry a deleted label are counted.
        everything: whether live leads are to be listed whatever that costs.
    """

    impact: Impact
    everything: bool = False


@dataclass(frozen=True, slots=True)
class Named:
    """What was read of the kinds that names tell.

    Attributes:
        live: kind → what exists.
        matched: kind → what is declared matched with that.
        goes: kind → whether an object of it is to be deleted.
        ignored: kind → what exists besides and is ignored.
    """

    live: Mapping[str, Sequence[Live]]
    matched: Mapping[str, Matching]
    goes: Mapping[str, bool]
    ignored: Mapping[str, Sequence[Live]]


@dataclass(slots=True)
class Listed:
    """What a listing showed of an account's leads.

    Attributes:
        kept: those that could be ours.
        others: how many are not.
        pages: how many were read.
        by_label: id of a label → ids of all leads that carry it.
        cut: whether more would follow.
        elsewhere: as in `Observed`.
        unmarked: as in `Observed`.
    """

    kept: list[Live] = field(default_factory=list)
    others: int = 0
    pages: int = 0
    by_label: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    cut: bool = False
    elsewhere: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    unmarked: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def take(self, account: Account, operation: Operation, rows: Sequence[object]) -> None:
        """Count every lead of a page; keep those that could be ours. Thousands are not, so they are not looked into."""
        self.pages += 1
        with understood(LEAD, operation):
            for lead, row in zip(glances(rows), rows, strict=True):
                for label in dict.fromkeys(lead.label_ids):
                    self.by_label[label].append(lead.id)
                owned = account.owns(lead.origin_id)
                if not owned and lead.origin_id and lead.origin_id.partition(":")[2] in account.keys:
                    self.elsewhere[lead.origin_id].append(lead.id)
                if owned or account.remembers(LEAD.name, lead.id):
                    self.kept.append(as_declared(account, LEAD.decode(row)))
                else:
                    self.others += 1
                    if not lead.origin_id and operation is GET_LEADS:
                        self._note_unmarked(account, row)

    def _note_unmarked(self, account: Account, row: Any) -> None:
        """Note a lead that a create of ours may have made, its ownership marker ignored by the server."""
        title = row.get("title") if row.get("origin") == "API" else None
        if isinstance(title, str) and (collapsed := collapse(title)) in account.titles:
            self.unmarked[collapsed].append(str(row["id"]))

    @property
    def carriers(self) -> dict[RemoteRef, list[str]]:
        """Each label with the ids of all leads that carry it."""
        return {RemoteRef(LABEL.name, label): leads for label, leads in self.by_label.items()}


def as_declared(account: Account, lead: Live) -> Live:
    """Return a lead with the marker that it is declared with, if it was created with one of earlier days."""
    marker = account.renamed.get(lead.marker or "")
    return lead if marker is None else replace(lead, marker=marker)


async def again_if_shifted(read: Callable[[], Awaitable[T]]) -> T:
    """Read a listing, again where it shifts under the reading.

    Raises:
        IncompleteListing: it did so each time.
    """
    for _ in range(ATTEMPTS - 1):
        try:
            return await read()
        except IncompleteListing:
            continue
    return await read()


async def read_live(account: Account, reader: Reader) -> Listed:
    """All live leads."""
    seen = Listed()
    async with aclosing(reader.pages(GET_LEADS)) as pages:
        async for page in pages:
            seen.take(account, GET_LEADS, page.rows)
    return seen


async def read_live_unless_longer(account: Account, reader: Reader, longest: int) -> Listed | None:
    """All live leads; None where they are more than so many pages, which is asked for after the first."""
    seen = Listed()
    async with aclosing(reader.pages(GET_LEADS)) as pages:
        async for page in pages:
            seen.take(account, GET_LEADS, page.rows)
            if seen.pages == 1 and page.more and await reader.reaches(GET_LEADS, longest):
                return None
    return seen


async def read_archived(account: Account, reader: Reader, missing: frozenset[str], limit: float) -> Listed:
    """Newest first, until nothing is missing or so many pages are read; with no limit, all of them.

    The vendor documents `field DESC` in words and leaves it out of the list of values, so a server that refuses it is
    read in its own order (oldest first); what is not found within the limit is then unsure all the same.
    """
    if limit == 0:
        return Listed(cut=True)
    try:
        return await _read_archived_pages(account, reader, missing, limit, NEWEST_FIRST)
    except Rejected:
        return await _read_archived_pages(account, reader, missing, limit)


async def _read_archived_pages(
    account: Account, reader: Reader, missing: frozenset[str], limit: float, *query: tuple[str, str]
) -> Listed:
    seen = Listed()
    async with aclosing(reader.pages(GET_ARCHIVED_LEADS, *query, whole=limit is math.inf)) as pages:
        async for page in pages:
            seen.take(account, GET_ARCHIVED_LEADS, page.rows)
            found = missing <= {lead.marker for lead in seen.kept}
            if limit is not math.inf and (found or seen.pages >= limit):
                seen.cut = page.more and not found
                break
    return seen


def certain(account: Account, leads: Iterable[Live]) -> dict[Ref, list[Live]]:
    """Each declared lead with those that it is for certain: one bears its marker, or was adopted and can have none."""
    marked: defaultdict[str, list[Live]] = defaultdict(list)
    unmarked: dict[str, Live] = {}
    for lead in leads:
        if lead.marker is None:
            unmarked[lead.remote_id] = lead
        else:
            marked[lead.marker].append(lead)
    found: dict[Ref, list[Live]] = {}
    for desired in account.of_kind(LEAD.name):
        ref = desired.address.ref
        adopted = unmarked.get(account.lock.get(ref, "")) if desired.adopted else None
        found[ref] = [*marked.get(desired.marker or "", ()), *([adopted] if adopted else ())]
    return found


def labels_of(lead: Live) -> frozenset[RemoteRef]:
    """The labels that a lead carries."""
    carried = lead.attrs["labels"]
    return (
        frozenset(ref for ref in carried if isinstance(ref, RemoteRef)) if isinstance(carried, tuple) else frozenset()
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of leads that were asked for by the ids that the lock file knows.

    Attributes:
        there: reference → the lead of that id, whatever marker it bears; it may be archived.
        gone: markers of those that do not exist any more: deleted, or converted to a deal.
    """

    there: dict[Ref, Live] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)


async def ask_for_ids(ids: Iterable[str], reader: Reader) -> list[Live]:
    """Ask for leads by id, several at a time as far as the limiter has room; those that do not exist are left out."""
    found: list[Live] = []

    async def ask(remote_id: str) -> None:
        with suppress(NotFound):
            found.extend(decoded(LEAD, GET_LEAD, [(await reader.get(Request(GET_LEAD, remote_id))).data]))

    async with task_group() as group:
        for remote_id in ids:
            group.create_task(ask(remote_id))
    return sorted(found, key=lambda lead: lead.remote_id)


async def ask_for(account: Account, sought: Iterable[Desired], reader: Reader) -> Asked:
    """Ask for leads one by one, several at a time as far as the limiter has room; those without a known id are none."""
    found = Asked()
    known = [
        (desired, remote_id)
        for desired in sought
        if (remote_id := account.lock.get(desired.address.ref)) and desired.marker
    ]

    async def ask(desired: Desired, remote_id: str) -> None:
        try:
            answer = await reader.get(Request(GET_LEAD, remote_id))
        except NotFound:
            found.gone.add(desired.marker or "")
        else:
            (lead,) = decoded(LEAD, GET_LEAD, [answer.data])
            found.there[desired.address.ref] = as_declared(account, lead)

    async with task_group() as group:
        for desired, remote_id in known:
            group.create_task(ask(desired, remote_id))
    return found


async def read_leads(
    account: Account, reader: Reader, question: Question, named: Task[Named], *, wanted: bool
) -> Observed:
    """Read the leads of an account: in a list, or one by one where that costs less and shows enough (see `ways`).

    A list that is read whatever the labels are does not wait for them. Archived leads are read, newest first, only
    while a declared lead was not found among the live ones, and at most `policy.archived_pages` pages; all of them with
    `Impact.FULL`.

    Args:
        account: what is declared.
        reader: the way to it.
        question: how thoroughly to read.
        named: what was read of the labels that leads carry.
        wanted: whether leads are declared or pruned; else only those count that carry a label that goes.

    Raises:
        ApiError: the account could not be read as a whole.
    """
    pages = reader.pages_of(GET_LEADS)
    listed: Listed | None = None
    if wanted and _is_listed_anyway(account, pages, everything=question.everything):
        listed = await again_if_shifted(lambda: read_live(account, reader))
    known = await named
    labels = [*known.live[LABEL.name], *known.ignored[LABEL.name]]
    goes = known.goes[LABEL.name]
    priced = ways(account, pages, labels_go=goes, everything=question.everything)
    full = question.impact is Impact.FULL and goes
    if listed is None:
        return await _cheapest(account, priced, labels, reader, full=full)
    return await _listed(account, priced, labels, listed, reader, full=full)


async def _cheapest(account: Account, priced: Ways, labels: Sequence[Live], reader: Reader, *, full: bool) -> Observed:
    """The leads in the way that costs less; by id only where that leaves no doubt."""
    listed, turn = None, priced.turn
    if turn is not None and priced.asks_first:
        if await reader.reaches(GET_LEADS, turn - 1):
            priced = replace(priced, pages=turn)
    elif turn is not None:
        listed = await again_if_shifted(lambda: read_live_unless_longer(account, reader, turn))
        priced = replace(priced, pages=priced.pages if listed else turn + 1)
    if priced.by_id:
        observed = await _by_id(account, priced, labels, reader)
        if observed is not None:
            return observed
        priced = replace(priced, others=f"by id ({priced.id_tokens:,} tokens) not every declared lead was found")
    if listed is None:
        listed = await again_if_shifted(lambda: read_live(account, reader))
    return await _listed(account, priced, labels, listed, reader, full=full)


async def _by_id(account: Account, priced: Ways, labels: Sequence[Live], reader: Reader) -> Observed | None:
    """The declared leads, each by the id that the lock file knows; None where that leaves a doubt about one of them."""
    declared = account.of_kind(LEAD.name)
    asked = await ask_for(account, declared, reader)
    found = certain(account, asked.there.values())
    for desired in declared:
        # One that is to be created again may be there under another id, so that takes the list.
        if not found[desired.address.ref] and not (desired.marker in asked.gone and desired.leave_gone):
            return None
    leads = list({live.remote_id: live for live in asked.there.values()}.values())
    check_labels(labels, {label for lead in leads for label in labels_of(lead)})
    return Observed({LEAD.name: leads}, gone=frozenset(asked.gone), reading=Reading(priced.words_by_id()))


async def _listed(
    account: Account, priced: Ways, labels: Sequence[Live], seen: Listed, reader: Reader, *, full: bool
) -> Observed:
    """All live leads, and what is declared and not among them by its id and in the archive; with `full` all of that."""
    check_labels(labels, seen.carriers.keys())
    declared = [lead for lead in account.of_kind(LEAD.name) if lead.present and lead.marker]
    listed = certain(account, seen.kept)
    sought = [desired for desired in declared if not listed[desired.address.ref]]
    asked = await ask_for(account, sought, reader)
    known = certain(account, asked.there.values())
    remembered = {lead.remote_id: lead for desired in sought for lead in known[desired.address.ref]}
    missing = frozenset(
        desired.marker
        for desired in sought
        if desired.marker
        and not known[desired.address.ref]
        # One that is to be created again may have been, by a run that could not write the lock file.
        and not (desired.marker in asked.gone and desired.leave_gone)
        and not (desired.adopted and desired.marker not in asked.gone)
    )
    archived = Listed()
    if missing or full:
        limit = math.inf if full else account.policy.archived_pages
        archived = await again_if_shifted(lambda: read_archived(account, reader, missing, limit))
    kept = {live.remote_id: live for live in (*archived.kept, *remembered.values(), *seen.kept)}
    return Observed(
        {LEAD.name: list(kept.values())},
        others={LEAD.name: seen.others},
        carriers=seen.carriers,
        pages=seen.pages,
        archived_carriers=archived.carriers if full else None,
        unsure=missing - {lead.marker or "" for lead in archived.kept} if archived.cut else frozenset(),
        gone=frozenset(asked.gone),
        reading=Reading(priced.words_listed(seen.pages)),
        elsewhere=seen.elsewhere,
        unmarked=seen.unmarked,
    )


def _is_listed_anyway(account: Account, pages: int, *, everything: bool) -> bool:
    """Return whether live leads are listed, whatever labels there are."""
    priced = ways(account, pages, labels_go=False, everything=everything)
    return not priced.by_id and priced.turn is None


def check_labels(labels: Sequence[Live], carried: Collection[RemoteRef]) -> None:
    """Raise `IncompleteListing` if leads carry labels while no label is listed."""
    if carried and not labels:
        raise IncompleteListing(GET_LABELS.id, f"no label is listed, while leads carry {len(carried)} of them")
