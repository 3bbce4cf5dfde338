"""Listing leads: what is looked at of those of others, and what goes out at the same time."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import pytest

from leadstate.engine.read.leads import (
    Listed,
    ask_for,
    ask_for_ids,
    read_archived,
    read_live,
)
from leadstate.model.account import Account, Policy
from leadstate.model.address import Ref, RemoteRef
from leadstate.pipedrive.client import Writer
from leadstate.pipedrive.errors import BadAnswer, IncompleteListing
from leadstate.pipedrive.operations import GET_ARCHIVED_LEADS, GET_LEADS
from leadstate.pipedrive.pagination import retry_if_shifted
from tests.harness.builders import account, label, lead
from tests.harness.fake_api import Fake, failed, ok
from tests.harness.recorded_reads import Company

ACCOUNT = Account("emea", "http://127.0.0.1:1", "ns", Policy(), ())
OURS = {"id": "1", "title": "Ours", "label_ids": ["a", "a", "b"], "origin_id": "ns:ours"}


def take(*rows: object) -> Listed:
    listed = Listed(ACCOUNT)
    listed.take(GET_LEADS, rows)
    return listed


def test_unmanaged_leads_are_counted_with_their_labels_only() -> None:
    listed = take(OURS, {"id": 2, "label_ids": ["b"], "title": None, "value": "much", "visible_to": []})
    assert [lead.remote_id for lead in listed.kept] == ["1"]
    assert listed.others == 1
    assert listed.carriers == {RemoteRef("label", "a"): ["1"], RemoteRef("label", "b"): ["1", "2"]}


def test_markers_of_other_namespaces_with_a_declared_key_are_kept_with_the_leads_that_have_them() -> None:
    markers = ["ns:a", "old:a", "old:a", "old:other", "ns:other", "a", None]
    listed = Listed(account(lead("a")))
    listed.take(GET_LEADS, [{**OURS, "id": str(number), "origin_id": marker} for number, marker in enumerate(markers)])
    assert listed.elsewhere == {"old:a": ["1", "2"]}


@pytest.mark.parametrize(
    "bad", [None, {}, {"id": ""}, {"id": "2", "label_ids": None}, {"id": "2", "origin_id": []}, {**OURS, "title": None}]
)
def test_malformed_ownership_fields_and_malformed_owned_leads_are_rejected(bad: Any) -> None:
    with pytest.raises(BadAnswer):
        take(OURS, bad)


@dataclass
class Watched(Company):
    """Writes down how many requests were under way when each of them arrived."""

    under_way: int = 0
    found: list[int] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.found.append(self.under_way)
        self.under_way += 1
        for _ in range(20):
            await asyncio.sleep(0)
        self.under_way -= 1
        return await super().handle_async_request(request)


def test_a_listing_that_is_needed_anyway_is_read_beside_the_labels() -> None:
    company = Watched(1)
    plan = company.plan(company.account(label("Hot"), lead("k0"), unknown=[0]))
    assert plan.complete
    assert company.found == [0, 1]


def test_leads_that_may_not_be_needed_are_read_after_the_labels() -> None:
    company = Watched(1)
    company.plan(company.account(label("Hot")))
    assert company.found == [0]


def test_unmarked_leads_of_a_listing_left_early_are_noted_by_title() -> None:
    fake = Fake().with_lead("1", None, title="a", origin="API")
    seen = fake.run(lambda writer: read_live(account(lead("a")), writer, 1))
    assert seen.unmarked == {"a": ["1"]}


KNOWN = replace(account(lead("a")), lock={Ref("lead", "a"): "1"})


@pytest.mark.parametrize(
    "read",
    [
        lambda writer: ask_for(KNOWN, KNOWN.desired, writer),
        lambda writer: ask_for_ids(["1"], writer),
    ],
    ids=["declared", "by id"],
)
def test_a_malformed_lead_names_the_request(read: Callable[[Writer], Awaitable[object]]) -> None:
    fake = Fake(before={("GET leads/1", 0): lambda: ok({"id": "1"})})
    with pytest.raises(BadAnswer, match="getLead:"):
        fake.run(read)


def test_pages_and_unmanaged_leads_are_counted_over_all_pages() -> None:
    listed = Listed(ACCOUNT)
    for number in range(2):
        listed.take(GET_LEADS, [{"id": f"x{number}"}, {"id": f"y{number}"}])
    assert (listed.pages, listed.others, listed.kept) == (2, 4, [])


@pytest.mark.parametrize(("ref", "kept"), [(Ref("lead", "a"), ["1"]), (Ref("label", "a"), [])])
def test_a_lead_that_the_lock_file_knows_is_kept(ref: Ref, kept: list[str]) -> None:
    listed = Listed(replace(ACCOUNT, lock={ref: "1"}))
    listed.take(GET_LEADS, [{"id": "1", "title": "a"}])
    assert [there.remote_id for there in listed.kept] == kept


@pytest.mark.parametrize(("shifts", "reads", "complete"), [(0, 1, True), (2, 3, True), (3, 3, False)])
def test_a_listing_that_shifts_is_read_three_times(shifts: int, reads: int, *, complete: bool) -> None:
    done = 0

    async def read() -> str:
        nonlocal done
        done += 1
        await asyncio.sleep(0)
        if done <= shifts:
            raise IncompleteListing("getLeads", "it shifts")
        return "all"

    with nullcontext() if complete else pytest.raises(IncompleteListing):
        assert asyncio.run(retry_if_shifted(read)()) == "all"
    assert done == reads


def archived(fake: Fake, *missing: str, limit: float) -> tuple[Listed, int]:
    async def read(writer: Writer) -> tuple[Listed, int]:
        within = replace(ACCOUNT, policy=Policy(archived_pages=0 if limit is math.inf else int(limit)))
        seen = await read_archived(within, writer, frozenset(missing), whole=limit is math.inf)
        return seen, writer.known_pages(GET_ARCHIVED_LEADS)

    return fake.run(read)


@pytest.mark.parametrize(
    ("limit", "pages", "known", "cut"), [(0, 0, 0, True), (1, 1, 0, True), (2, 2, 0, False), (math.inf, 2, 2, False)]
)
def test_the_archive_is_read_up_to_its_limit_and_its_length_known_only_at_its_end(
    limit: float, pages: int, known: int, *, cut: bool
) -> None:
    for refuses in (False, True):
        fake = Fake()
        fake.with_leads("old", 501, is_archived=True)
        if refuses:
            fake.before["GET leads/archived", 0] = lambda: failed(400, "sort")
        seen, length = archived(fake, "ns:a", limit=limit)
        assert (seen.pages, length, seen.cut) == (pages, known, cut)


def test_a_malformed_archived_lead_names_the_request() -> None:
    fake = Fake()
    fake.before["GET leads/archived", 0] = lambda: ok([{}], pagination={"more_items_in_collection": False})
    with pytest.raises(BadAnswer, match="getArchivedLeads:"):
        archived(fake, "ns:a", limit=1)
