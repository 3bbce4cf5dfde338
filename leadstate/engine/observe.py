"""Reads of an account what matters for a plan, as cheaply as can be, page by page; keeps only that."""

import math
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field

from pydantic import ValidationError

from leadstate.core.account import Account
from leadstate.core.address import RemoteRef
from leadstate.core.match import match
from leadstate.core.observed import Observed
from leadstate.core.policy import Impact, Prune
from leadstate.core.resource import Desired, Live
from leadstate.kinds.kind import Kind
from leadstate.kinds.label import LABEL
from leadstate.kinds.lead import LEAD, WireLead, live
from leadstate.kinds.operations import GET_ARCHIVED_LEADS, GET_LABELS, GET_LEAD, GET_LEADS, Operation, Request
from leadstate.pipedrive.client import Reader
from leadstate.pipedrive.errors import BadAnswer, IncompleteListing, NotFound, Rejected

ATTEMPTS = 3
"""How often a listing is read that shifts under the reading."""


async def observe(account: Account, reader: Reader, impact: Impact) -> Observed:
    """The live state of one account.

    Labels cost one request. Live leads are read where a lead is declared, leads are pruned, or a label goes that
    leads may carry. Archived leads are read, newest first, only while a declared lead was not found among the live
    ones, and at most `policy.archived_pages` pages; all of them with `Impact.FULL`.

    Raises:
        ApiError: the account could not be read as a whole.
    """
    answer = await reader.get(Request(GET_LABELS))
    labels = list(decoded(LABEL, GET_LABELS, answer.rows()))
    if not (_leads_matter(account) or (impact is not Impact.NONE and _labels_go(account, labels))):
        return Observed({LABEL.name: labels})

    seen = await _again_if_shifted(lambda: _read_live(account, reader))
    if not labels and seen.carriers:
        raise IncompleteListing(GET_LABELS.id, f"no label is listed, while leads carry {len(seen.carriers)} of them")
    declared = [one for one in account.of_kind(LEAD.name) if one.present and one.mark]
    # An id that was remembered counts where no other mark says that it is something else.
    listed = {one.mark or account.locked.get(one.remote_id) for one in seen.kept}
    sought = [one for one in declared if one.mark not in listed and one.address.ref not in listed]
    remembered, gone = await _ask_for(account, sought, reader)
    there = {one.remote_id for one in remembered}
    missing = frozenset(
        one.mark
        for one in sought
        if one.mark
        and account.lock.get(one.address.ref) not in there
        # One that is to be created again may have been, by a run that could not write the lock file.
        and not (one.mark in gone and one.leave_gone)
        and not (one.adopted and one.mark not in gone)
    )
    full = impact is Impact.FULL and _labels_go(account, labels)
    archived = _Seen()
    if missing or full:
        limit = math.inf if full else account.policy.archived_pages
        archived = await _again_if_shifted(lambda: _read_archived(account, reader, missing, limit))
    kept = {one.remote_id: one for one in (*archived.kept, *remembered, *seen.kept)}
    return Observed(
        {LABEL.name: labels, LEAD.name: list(kept.values())},
        others={LEAD.name: seen.others},
        carriers=seen.carriers,
        pages=seen.pages,
        archived_carriers=archived.carriers if full else None,
        unsure=missing - {one.mark or "" for one in archived.kept} if archived.cut else frozenset(),
        gone=gone,
    )


async def _ask_for(account: Account, missing: Sequence[Desired], reader: Reader) -> tuple[list[Live], frozenset[str]]:
    """Leads that no listing shows and that the lock file remembers, asked for one by one: those there, those gone.

    One may be archived, or invisible to the token in listings; one that is gone was deleted or converted to a deal.
    """
    there: list[Live] = []
    gone: set[str] = set()
    for one in missing:
        remote_id = account.lock.get(one.address.ref)
        if remote_id is None or one.mark is None:
            continue
        try:
            answer = await reader.get(Request(GET_LEAD, remote_id))
        except NotFound:
            gone.add(one.mark)
        else:
            there += [lead for lead in decoded(LEAD, GET_LEAD, [answer.data]) if lead.mark in (None, one.mark)]
    return there, frozenset(gone)


def existing(observed: Observed) -> dict[str, int]:
    """How many objects of each kind could be deleted by us: the base of a percentage."""
    return {kind: sum(one.frozen_by is None for one in live) for kind, live in observed.live.items()}


@dataclass(slots=True)
class _Seen:
    kept: list[Live] = field(default_factory=list)
    others: int = 0
    pages: int = 0
    carriers: defaultdict[RemoteRef, list[str]] = field(default_factory=lambda: defaultdict(list))
    cut: bool = False

    def take(self, account: Account, operation: Operation, rows: Sequence[object]) -> None:
        """Count every lead of a page; keep those that could be ours. Thousands are not, so they are not looked into."""
        with understood(LEAD, operation):
            for row in rows:
                one = WireLead.model_validate(row)
                for label in dict.fromkeys(one.label_ids):
                    self.carriers[RemoteRef(LABEL.name, label)].append(one.id)
                if account.owns(one.origin_id) or one.id in account.pinned or one.id in account.locked:
                    self.kept.append(live(one, row))
                else:
                    self.others += 1


def _leads_matter(account: Account) -> bool:
    return bool(account.of_kind(LEAD.name)) or account.policy.prune_leads is not Prune.NONE


def _labels_go(account: Account, labels: list[Live]) -> bool:
    found = match(account.of_kind(LABEL.name), labels, account.lock)
    rule = account.policy.prune_labels
    pruned = any(rule is Prune.ALL or (rule is Prune.LOCKED and one.remote_id in account.locked) for one in found.extra)
    return pruned or any(not desired.present for desired, _ in found.pairs)


async def _again_if_shifted(read: Callable[[], Awaitable[_Seen]]) -> _Seen:
    for _ in range(ATTEMPTS - 1):
        try:
            return await read()
        except IncompleteListing:
            continue
    return await read()


async def _read_live(account: Account, reader: Reader) -> _Seen:
    seen = _Seen()
    async with aclosing(reader.pages(GET_LEADS)) as pages:
        async for page in pages:
            seen.take(account, GET_LEADS, page.rows)
            seen.pages += 1
    return seen


NEWEST_FIRST = ("sort", "add_time DESC")


async def _read_archived(account: Account, reader: Reader, missing: frozenset[str], limit: float) -> _Seen:
    """Newest first, until nothing is missing or so many pages are read; with no limit, all of them.

    The vendor documents `field DESC` in words and leaves it out of the list of values, so a server that refuses it is
    read in its own order (oldest first); what is not found within the limit is then unsure all the same.
    """
    if limit == 0:
        return _Seen(cut=True)
    try:
        return await _read_archived_pages(account, reader, missing, limit, NEWEST_FIRST)
    except Rejected:
        return await _read_archived_pages(account, reader, missing, limit)


async def _read_archived_pages(
    account: Account, reader: Reader, missing: frozenset[str], limit: float, *query: tuple[str, str]
) -> _Seen:
    seen, read = _Seen(), 0
    async with aclosing(reader.pages(GET_ARCHIVED_LEADS, *query, whole=limit is math.inf)) as pages:
        async for page in pages:
            seen.take(account, GET_ARCHIVED_LEADS, page.rows)
            read += 1
            found = missing <= {one.mark for one in seen.kept}
            if limit is not math.inf and (found or read >= limit):
                seen.cut = page.more and not found
                break
    return seen


def decoded(kind: Kind, operation: Operation, rows: Iterable[object]) -> Iterator[Live]:
    """The objects of an answer; `BadAnswer` where one is none."""
    with understood(kind, operation):
        yield from map(kind.decode, rows)


@contextmanager
def understood(kind: Kind, operation: Operation) -> Iterator[None]:
    """`BadAnswer` for an object of an answer that is none."""
    try:
        yield
    except (ValidationError, ArithmeticError) as failure:
        raise BadAnswer(operation.id, f"answered a {kind.name} that is none ({type(failure).__name__})") from None
