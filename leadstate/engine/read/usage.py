"""Counts what uses the labels of an account, step by step, so that people know what each step costs before it is read.

Only counts are kept of leads, and their ids while a listing is read.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ConfigDict, TypeAdapter

from leadstate.engine.jobs import AccountJob, task_group
from leadstate.engine.read.leads import check_labels
from leadstate.engine.read.observe import check_company, list_filters, read_listing, read_named_ids, without_ignored
from leadstate.kinds import KINDS
from leadstate.kinds.base import raising_bad_answer
from leadstate.kinds.lead import LeadSummary
from leadstate.model.address import RemoteRef
from leadstate.model.diagnostics import counted
from leadstate.model.resource import CARRIED, CARRIER, Live
from leadstate.model.usage import Carrier, Declared, LabelUsage, SavedFilter
from leadstate.pipedrive.client import Reader
from leadstate.pipedrive.errors import IncompleteListing
from leadstate.pipedrive.operations import GET_FILTER, Operation
from leadstate.pipedrive.pagination import SHIFTS
from leadstate.reconcile.match import match_kind

UNASKED = 100
"""Rate-limit tokens of one account that are spent without a word."""


class DatedLeadSummary(LeadSummary):
    """The summary of a lead, and when it was made and last changed (ISO 8601 in UTC, so that texts sort as times)."""

    add_time: str = ""
    update_time: str = ""


_DATED_SUMMARIES = TypeAdapter(list[DatedLeadSummary], config=ConfigDict(defer_build=True))


@dataclass(slots=True)
class Tally:
    """What one listing showed of the leads that carry a label."""

    leads: int = 0
    oldest: Carrier | None = None
    newest: Carrier | None = None
    last_change: str = ""

    def add(self, carrier: Carrier, changed: str) -> None:
        """Count a lead; of several that were made at once the one with the lowest id is the oldest and the newest."""
        self.merge(Tally(1, carrier, carrier, changed))

    def merge(self, other: "Tally") -> None:
        """Count what another one has counted."""
        self.leads += other.leads
        oldest = filter(None, (self.oldest, other.oldest))
        self.oldest = min(oldest, key=lambda carrier: (carrier.add_time, carrier.id), default=None)
        by_id = sorted(filter(None, (self.newest, other.newest)), key=lambda carrier: carrier.id)
        self.newest = max(by_id, key=lambda carrier: carrier.add_time, default=None)
        self.last_change = max(self.last_change, other.last_change)


class CountedListing:
    """One listing of leads, counted by label; begun again where it shifts under the reading."""

    def __init__(self, reader: Reader, operation: Operation, words: str) -> None:
        self._reader = reader
        self.operation = operation
        self.words = words
        self._failed = 0
        self._start()

    def _start(self) -> None:
        self.by_label: dict[str, Tally] = {}
        self.measured = self._reader.measure(self.operation, self._count)

    def _count(self, rows: Sequence[Any]) -> None:
        with raising_bad_answer(KINDS[CARRIER], self.operation):
            for lead in _DATED_SUMMARIES.validate_python(rows):
                carrier = Carrier(lead.id, lead.add_time)
                for label in dict.fromkeys(lead.label_ids):
                    self.by_label.setdefault(label, Tally()).add(carrier, lead.update_time)

    async def begin(self) -> None:
        """Read the first page."""
        await self._retried(lambda: self.measured.read(0))

    async def narrow(self) -> None:
        """Read one page that tells more of the length."""
        await self._retried(self.measured.narrow)

    async def finish(self) -> None:
        """Read what is left, once the length is known."""
        self._reader.remember_pages(self.operation, self.measured.pages or 0)
        await self._retried(self._read_rest)

    async def _read_rest(self) -> None:
        async with task_group() as group:
            for number in self.measured.unread:
                group.create_task(self.measured.read(number))
        self.measured.check()

    async def _retried(self, step: Callable[[], Awaitable[None]]) -> None:
        """Take a step; where the listing shifted, begin again. What that costs more is in the next forecast."""
        try:
            await step()
        except IncompleteListing:
            self._failed += 1
            if self._failed >= SHIFTS:
                raise
            self._start()
            await self.begin()


@dataclass(frozen=True, slots=True)
class UsageScope:
    """What is read besides labels and open leads."""

    archived: bool = False
    filters: bool = False


@dataclass(frozen=True, slots=True)
class Forecast:
    """What counting one account costs, in rate-limit tokens.

    Attributes:
        spent: so far.
        least: in all, as far as is known.
        needed: in all; where a length is not known, at the most until it is.
        unknown: listings of which nobody knows how long they are.
        left: what is still to be read, in words.
    """

    spent: int
    least: int
    needed: int
    unknown: tuple[str, ...]
    left: tuple[str, ...]


@dataclass(slots=True)
class Census:
    """One account, its labels being counted.

    Attributes:
        job: the account.
        wanted: what is read.
        done: whether everything is read.
    """

    job: AccountJob
    wanted: UsageScope
    done: bool = False
    _reader: Reader = field(init=False)
    _listings: list[CountedListing] = field(init=False)
    _labels: list[Live] = field(default_factory=list)
    _filters: list[SavedFilter] = field(default_factory=list)
    _named: Mapping[str, tuple[SavedFilter, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._reader = Reader(self.job.connection)
        carrier = KINDS[CARRIER]
        self._listings = [CountedListing(self._reader, carrier.listing, "open leads")]
        if self.wanted.archived and carrier.archive is not None:
            self._listings.append(CountedListing(self._reader, carrier.archive, "archived leads"))

    async def begin(self) -> None:
        """Read the labels, the list of filters and the first page of each listing: 92 tokens at the most.

        Raises:
            AnotherCompany: the token is of another company.
            ApiError: the account could not be read.
        """
        await check_company(self.job.account, self._reader)
        self._labels = await read_listing(KINDS[CARRIED], self._reader)
        if self.wanted.filters:
            self._filters = await list_filters(self._reader)
        for listing in self._listings:
            await listing.begin()

    @property
    def forecast(self) -> Forecast:
        """What it costs to go on."""
        spent = self._reader.spent.tokens
        least = needed = spent
        unknown, left = [], []
        for listing in self._listings:
            pages = most = listing.measured.left
            if listing.measured.estimate is None:
                unknown.append(listing.words)
                most = max(pages, listing.measured.longest_search)
            elif pages:
                left.append(f"{counted(pages, 'page')} of {listing.words}")
            least += pages * listing.operation.tokens
            needed += most * listing.operation.tokens
        if self._filters:
            left.append(counted(len(self._filters), "filter"))
            least += len(self._filters) * GET_FILTER.tokens
            needed += len(self._filters) * GET_FILTER.tokens
        return Forecast(spent, least, needed, tuple(unknown), tuple(left))

    async def advance(self, allowed: int) -> None:
        """Read on as long as that takes no more rate-limit tokens in all than are allowed.

        Stop once the lengths are found out that were not known, so that the exact forecast can be said.

        Raises:
            ApiError: the account could not be read.
        """
        known = not self.forecast.unknown
        for listing in self._listings:
            tokens = listing.operation.tokens
            while listing.measured.pages is None and self._reader.spent.tokens + tokens <= allowed:
                await listing.narrow()
        if any(listing.measured.pages is None for listing in self._listings):
            return
        if self.forecast.needed > (allowed if known else min(allowed, UNASKED)):
            return
        for listing in self._listings:
            await listing.finish()
        if any(listing.measured.left for listing in self._listings):
            return  # a listing shifted and was begun again
        self._named = await read_named_ids(self._filters, self._reader)
        carried = {RemoteRef(CARRIED, label) for listing in self._listings for label in listing.by_label}
        check_labels(self._labels, carried)
        self.done = True

    def usage(self) -> list[LabelUsage]:
        """Return each label with what uses it, by name; then ids of labels that are gone and that leads still carry."""
        account = self.job.account
        live, ignored = without_ignored(account, {CARRIED: self._labels})
        matching = match_kind(account, CARRIED, live[CARRIED])
        declared: dict[str, Declared] = {label.remote_id: "ignored" for label in ignored[CARRIED]}
        declared |= {label.remote_id: "ambiguous" for label in matching.ambiguous}
        declared |= {label.remote_id: "yes" if desired.present else "absent" for desired, label in matching.pairs}
        labels = {label.remote_id: label for label in self._labels}
        ids = dict.fromkeys([*labels, *(label for listing in self._listings for label in listing.by_label)])
        rows = [self._usage(remote_id, labels.get(remote_id), declared.get(remote_id, "no")) for remote_id in ids]
        return sorted(rows, key=lambda row: (row.label is None, row.label or "", row.id))

    def _usage(self, remote_id: str, live: Live | None, declared: Declared) -> LabelUsage:
        tallies = [listing.by_label.get(remote_id, Tally()) for listing in self._listings]
        whole = Tally()
        for tally in tallies:
            whole.merge(tally)
        return LabelUsage(
            account=self.job.account.name,
            label=None if live is None else live.name,
            id=remote_id,
            color="" if live is None else str(live.attrs["color"]),
            declared=declared,
            leads=tallies[0].leads,
            archived_leads=tallies[1].leads if self.wanted.archived else None,
            oldest=whole.oldest,
            newest=whole.newest,
            last_change=whole.last_change or None,
            filters=self._named.get(remote_id.lower(), ()) if self.wanted.filters else None,
        )
