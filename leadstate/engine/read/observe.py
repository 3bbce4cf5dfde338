"""Reads of an account what matters for a plan, as cheaply as can be, page by page; keeps only that."""

import math
from collections.abc import Collection
from dataclasses import replace

from leadstate.engine.jobs import task_group
from leadstate.engine.read.cost import Ways, ways
from leadstate.engine.read.decoded import decoded
from leadstate.engine.read.leads import (
    Listed,
    again_if_shifted,
    ask_for,
    certain,
    labels_of,
    read_archived,
    read_live,
    read_live_unless_longer,
)
from leadstate.kinds.label import LABEL
from leadstate.kinds.lead import LEAD
from leadstate.model.account import Account
from leadstate.model.address import RemoteRef
from leadstate.model.observed import Observed, Reading
from leadstate.model.policy import Impact, Prune
from leadstate.model.resource import Live
from leadstate.pipedrive.client import Reader
from leadstate.pipedrive.errors import IncompleteListing
from leadstate.pipedrive.operations import GET_LABELS, GET_LEADS, Request
from leadstate.reconcile.match import Matching, match


async def observe(
    account: Account, reader: Reader, impact: Impact, *, everything: bool = False
) -> tuple[Observed, dict[str, Matching]]:
    """Return the live state of one account, and the matching of each kind that had to be known to read it.

    Labels cost one request. Live leads are read where a lead is declared, leads are pruned, or a label goes that
    leads may carry: in a list, or one by one where that costs less and shows enough (see `ways`). A list that is read
    whatever the labels are does not wait for them. Archived leads are read, newest first, only while a declared lead
    was not found among the live ones, and at most `policy.archived_pages` pages; all of them with `Impact.FULL`.

    Args:
        account: what is declared.
        reader: the way to it.
        impact: how thoroughly leads that carry a deleted label are counted.
        everything: whether live leads are to be listed whatever that costs.

    Raises:
        ApiError: the account could not be read as a whole.
    """
    pages = reader.pages_of(GET_LEADS)
    listed: Listed | None = None
    if _is_listed_anyway(account, pages, everything=everything):
        async with task_group() as group:
            reading_labels = group.create_task(_read_labels(reader))
            reading_leads = group.create_task(_read_live(account, reader))
        labels, listed = reading_labels.result(), reading_leads.result()
    else:
        labels = await _read_labels(reader)
    matching = match(account.of_kind(LABEL.name), labels, account.lock)
    matched = {LABEL.name: matching}
    goes = _labels_go(account, matching)
    if not (_leads_matter(account) or (impact is not Impact.NONE and goes)):
        return Observed({LABEL.name: labels}), matched
    priced = ways(account, pages, labels_go=goes, everything=everything)
    full = impact is Impact.FULL and goes
    if listed is None:
        return await _cheapest(account, priced, labels, reader, full=full), matched
    return await _listed(account, priced, labels, listed, reader, full=full), matched


async def _read_labels(reader: Reader) -> list[Live]:
    return list(decoded(LABEL, GET_LABELS, (await reader.get(Request(GET_LABELS))).rows()))


async def _read_live(account: Account, reader: Reader) -> Listed:
    return await again_if_shifted(lambda: read_live(account, reader))


async def _cheapest(account: Account, priced: Ways, labels: list[Live], reader: Reader, *, full: bool) -> Observed:
    """The leads in the way that costs less; by id only where that leaves no doubt."""
    listed, turn = None, priced.turn
    if turn is not None:
        listed = await again_if_shifted(lambda: read_live_unless_longer(account, reader, turn))
        priced = replace(priced, pages=priced.pages if listed else turn + 1)
    if priced.by_id:
        observed = await _by_id(account, priced, labels, reader)
        if observed is not None:
            return observed
        priced = replace(priced, others=f"by id ({priced.id_tokens:,} tokens) not every declared lead was found")
    return await _listed(account, priced, labels, listed or await _read_live(account, reader), reader, full=full)


async def _by_id(account: Account, priced: Ways, labels: list[Live], reader: Reader) -> Observed | None:
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
    return Observed(
        {LABEL.name: labels, LEAD.name: leads}, gone=frozenset(asked.gone), reading=Reading(priced.words_by_id())
    )


async def _listed(
    account: Account, priced: Ways, labels: list[Live], seen: Listed, reader: Reader, *, full: bool
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
        {LABEL.name: labels, LEAD.name: list(kept.values())},
        others={LEAD.name: seen.others},
        carriers=seen.carriers,
        pages=seen.pages,
        archived_carriers=archived.carriers if full else None,
        unsure=missing - {lead.marker or "" for lead in archived.kept} if archived.cut else frozenset(),
        gone=frozenset(asked.gone),
        reading=Reading(priced.words_listed(seen.pages)),
        unmarked=seen.unmarked,
    )


def existing(observed: Observed) -> dict[str, int]:
    """How many objects of each kind could be deleted by us: the base of a percentage."""
    return {kind: sum(there.frozen_by is None for there in live) for kind, live in observed.live.items()}


def _leads_matter(account: Account) -> bool:
    return bool(account.of_kind(LEAD.name)) or account.policy.prune_leads is not Prune.NONE


def _is_listed_anyway(account: Account, pages: int, *, everything: bool) -> bool:
    """Whether live leads are listed, whatever labels there are."""
    if not _leads_matter(account):
        return False
    priced = ways(account, pages, labels_go=False, everything=everything)
    return not priced.by_id and priced.turn is None


def _labels_go(account: Account, matching: Matching) -> bool:
    """Return whether a label would be deleted, so that the leads that carry it matter."""
    rule = account.policy.prune_labels
    pruned = any(
        rule is Prune.ALL or (rule is Prune.LOCKED and account.remembers(live.kind, live.remote_id))
        for live in matching.extra
    )
    return pruned or any(not desired.present for desired, _ in matching.pairs)


def check_labels(labels: list[Live], carried: Collection[RemoteRef]) -> None:
    """Raise `IncompleteListing` if leads carry labels while no label is listed."""
    if carried and not labels:
        raise IncompleteListing(GET_LABELS.id, f"no label is listed, while leads carry {len(carried)} of them")
