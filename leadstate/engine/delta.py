"""An account's leads out of an earlier reading and what has been updated since: `plan --refresh delta`.

It is a hint: it shows no lead that was deleted, converted or archived since all was read last. So it is never used
where anything may be deleted or created, and an apply reads everything (docs/decisions/0019).
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Protocol

from leadstate.core.account import Account
from leadstate.core.address import Ref, RemoteRef
from leadstate.core.diagnostics import counted
from leadstate.core.observed import Observed, Reading
from leadstate.core.resource import Live
from leadstate.engine.leads import certain, labels_of, read_changed
from leadstate.engine.ways import Ways
from leadstate.kinds.label import LABEL
from leadstate.kinds.lead import LEAD
from leadstate.kinds.operations import GET_LEADS
from leadstate.pipedrive.client import Reader
from leadstate.pipedrive.errors import IncompleteListing

OLDEST = dt.timedelta(days=7)
"""How long after a full reading it is good for."""

OVERLAP = dt.timedelta(minutes=5)
"""So much of the time before is asked for again: the servers of a company need not agree about the time."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is kept of an account's leads from run to run: those that were declared, and nothing of others.

    Attributes:
        namespace: the mark of the configuration that it was made with.
        full: when they were all read last, by the server's clock, in UTC.
        since: when what has changed was read last.
        leads: as they were then.
        gone: marks of those that did not exist any more, and are not to be created again.
    """

    namespace: str
    full: dt.datetime
    since: dt.datetime
    leads: Sequence[Live]
    gone: frozenset[str]


class Memory(Protocol):
    """Keeps the snapshot of one account."""

    def recall(self) -> Snapshot | str:
        """The one that was kept last, or why there is none."""

    def keep(self, snapshot: Snapshot) -> None:
        """Keep this one in its place; must not raise."""


class NotEnough(Exception):
    """Why what was kept and what has changed since will not do."""


async def changed_since(
    account: Account, ways: Ways, labels: Sequence[Live], reader: Reader, memory: Memory
) -> Observed:
    """The leads as they should be now. The labels were read just before.

    Raises:
        NotEnough: everything has to be read.
        ApiError: what has changed could not be read.
    """
    before, now = memory.recall(), reader.server_time
    if isinstance(before, str):
        raise NotEnough(before)
    if now is None:
        raise NotEnough("the server does not tell the time")
    _check(before, account, ways, now)
    since = f"{before.since - OVERLAP:%Y-%m-%dT%H:%M:%SZ}"
    # As soon as it costs as much as everything would, everything is better.
    limit = (ways.least - 1) // GET_LEADS.tokens
    try:
        seen = await read_changed(account, reader, since, limit)
    except IncompleteListing:
        raise NotEnough("the list of changes shifted while it was read") from None
    if seen.cut:
        raise NotEnough("more has changed than reading everything takes")
    leads = {one.remote_id: one for one in (*_with_labels_left(before.leads, labels), *seen.kept)}
    found = certain(account, leads.values())
    _check_each(account, found, before.gone)
    declared = list(chain(*found.values()))
    memory.keep(replace(before, since=now, leads=declared))
    updated = counted(len(seen.kept) + seen.others, "lead")
    words = f"{updated} updated since {since} ({seen.pages * GET_LEADS.tokens} tokens)"
    return Observed(
        {LABEL.name: labels, LEAD.name: declared},
        gone=before.gone,
        reading=Reading(f"{words}; everything would take {ways.least:,}", full=before.full),
    )


def remember(account: Account, observed: Observed, now: dt.datetime | None, memory: Memory) -> None:
    """Keep what was read in full; `now` is the server's time before it, and without one nothing is kept."""
    if now is None or account.namespace is None:
        return
    leave = {one.mark for one in account.of_kind(LEAD.name) if one.leave_gone}
    gone = frozenset(one for one in observed.gone if one in leave)
    leads = list(chain(*certain(account, observed.live[LEAD.name]).values()))
    memory.keep(Snapshot(account.namespace, now, now, leads, gone))


def _check(before: Snapshot, account: Account, ways: Ways, now: dt.datetime) -> None:
    """`NotEnough` where the snapshot is of no use now."""
    if before.namespace != account.namespace:
        raise NotEnough(f"what is kept is of the namespace {before.namespace!r}")
    if now < before.since - OVERLAP:
        raise NotEnough("what is kept is of a later time than the server's")
    if now > before.full + OLDEST:
        raise NotEnough(f"all was read last on {before.full:%Y-%m-%d}, over {OLDEST.days} days ago")
    if ways.others:
        raise NotEnough(ways.others)
    if ways.least <= GET_LEADS.tokens:
        raise NotEnough(f"everything takes {ways.least} tokens, and asking for changes {GET_LEADS.tokens}")


def _check_each(account: Account, found: Mapping[Ref, Sequence[Live]], gone: frozenset[str]) -> None:
    """`NotEnough` where a plan would create a lead, or could take one for another."""
    for one in account.of_kind(LEAD.name):
        there = found[one.address.ref]
        if len(there) > 1:
            raise NotEnough(f"{one.address.ref} is there twice")
        if not there and not (one.mark in gone and one.leave_gone):
            raise NotEnough(f"{one.address.ref} is not in what is kept")


def _with_labels_left(leads: Iterable[Live], labels: Sequence[Live]) -> Iterator[Live]:
    """The leads without labels that do not exist any more: a lead that loses one so is not told as updated."""
    there = {RemoteRef(LABEL.name, one.remote_id) for one in labels}
    for one in leads:
        yield replace(one, attrs={**one.attrs, "labels": tuple(sorted(labels_of(one) & there))})
