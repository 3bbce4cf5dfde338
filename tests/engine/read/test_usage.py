"""Labels counted step by step: never beyond what is allowed, and again where a listing shifts."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from leadstate.engine.jobs import AccountJob
from leadstate.engine.read.usage import UNASKED, Census, UsageScope
from leadstate.model.account import Account
from leadstate.model.address import Ref
from leadstate.model.usage import Carrier, LabelUsage, SavedFilter
from leadstate.pipedrive.connection import Connection
from leadstate.pipedrive.errors import BadAnswer, IncompleteListing, Rejected
from leadstate.pipedrive.pagination import SHIFTS
from tests.harness.builders import FREE, label, label_id
from tests.harness.fake_api import Fake, Reply, failed

ALL = UsageScope(archived=True, filters=True)
LIMITLESS = 10**9


def company(leads: int, archived: int = 0) -> Fake:
    fake = Fake().with_label("hot", "Hot").with_label("cold", "Cold")
    for number in range(leads + archived):
        labels = ("hot", "cold", "dead") if number % 2 else ("hot", "hot")
        time = f"2026-01-01T{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}Z"
        fake.lead(f"l{number}", None, *labels, add_time=time, update_time=time, is_archived=number >= leads)
    return fake


EMEA = Account("emea", "http://127.0.0.1:1", "ns", FREE, ())


def count(
    fake: Fake, *allowed: int, wanted: UsageScope = ALL, account: Account = EMEA
) -> tuple[list[LabelUsage], Census]:
    """Count an account; each number allows the next step."""

    async def do(connection: Connection) -> tuple[list[LabelUsage], Census]:
        census = Census(AccountJob(account, connection), wanted)
        await census.begin()
        for tokens in allowed:
            await census.advance(tokens)
        return census.usage(), census

    return fake.connect(do)


def delete_first(fake: Fake) -> Callable[[], Reply | None]:
    def delete() -> None:
        del fake.leads[next(iter(fake.leads))]

    return delete


def test_each_lead_counts_once_per_label_and_deleted_labels_come_last() -> None:
    rows, census = count(company(700, archived=600), LIMITLESS, LIMITLESS)
    assert census.done
    assert census.job.connection.lengths == {"getLeads": 2, "getArchivedLeads": 2}
    assert [(row.label, row.id, row.leads, row.archived_leads) for row in rows] == [
        ("Cold", "cold", 350, 300),
        ("Hot", "hot", 700, 600),
        (None, "dead", 350, 300),
    ]
    hot = rows[1]
    assert hot.oldest is not None
    assert hot.newest is not None
    assert (hot.oldest.id, hot.newest.id, hot.last_change) == ("l0", "l1299", "2026-01-01T00:21:39Z")
    assert not rows[2].unused


def test_the_lowest_id_is_named_among_leads_of_one_time() -> None:
    fake = Fake().with_label("hot", "Hot")
    for name in ("b", "a", "c"):
        fake.lead(name, None, "hot", add_time="2026-01-01T00:00:00Z")
    (row,), _ = count(fake, LIMITLESS)
    assert (row.oldest, row.newest) == (row.newest, row.oldest)
    assert row.oldest is not None
    assert row.oldest.id == "a"


@pytest.mark.parametrize("allowed", [UNASKED, 130, 400, 1_000])
def test_no_step_spends_more_than_it_is_allowed(allowed: int) -> None:
    _, census = count(company(9_000, archived=9_000), *[allowed] * 3)
    assert census.forecast.spent <= allowed
    assert not census.done


def test_the_forecast_is_exact_once_the_lengths_are_known() -> None:
    _, census = count(company(4_000, archived=2_000), LIMITLESS)
    told = census.forecast
    assert (told.unknown, census.done) == ((), False)
    _, census = count(company(4_000, archived=2_000), LIMITLESS, LIMITLESS)
    assert census.done
    assert census.forecast.spent == told.needed


@pytest.mark.parametrize("request_number", [1, 2, 3, 5])
def test_a_listing_that_shifts_once_is_counted_again(request_number: int) -> None:
    fake = company(2_000)
    fake.before["GET leads", request_number] = delete_first(fake)
    rows, census = count(fake, *[LIMITLESS] * 4, wanted=UsageScope())
    assert census.done
    assert rows[1].leads == len(fake.leads) == 1_999


def test_a_listing_that_always_shifts_is_an_error() -> None:
    fake = company(2_000)
    fake.before |= {("GET leads", number): delete_first(fake) for number in range(60)}
    with pytest.raises(IncompleteListing):
        count(fake, *[LIMITLESS] * 9, wanted=UsageScope())
    assert fake.sent.count("GET leads") == 4 * SHIFTS


def test_malformed_leads_name_the_listing() -> None:
    fake = company(3)
    fake.leads["l1"]["label_ids"] = "hot"
    with pytest.raises(BadAnswer, match="getLeads: answered a malformed lead"):
        count(fake, LIMITLESS)


def test_no_label_beside_leads_that_carry_some_is_an_error() -> None:
    fake = company(3)
    fake.labels.clear()
    with pytest.raises(IncompleteListing, match="no label is listed"):
        count(fake, LIMITLESS)


def test_a_filter_deleted_during_the_read_is_ignored_and_a_refused_one_is_an_error() -> None:
    fake = company(1)
    fake.filters["4"] = {"id": 4, "name": "Hot ones", "conditions": {}}
    fake.before["GET filters/4", 0] = lambda: failed(404, "not found")
    rows, census = count(fake, LIMITLESS)
    assert census.done
    assert {row.filters for row in rows} == {()}
    fake.before["GET filters/4", 1] = lambda: failed(400, "no")
    with pytest.raises(Rejected):
        count(fake, LIMITLESS)


def test_each_label_is_reported_with_what_declares_and_uses_it() -> None:
    fake = Fake()
    hot_id = label_id(10)
    for id_, name, color in (
        (hot_id, "Hot", "red"),
        ("b", "Gone", "blue"),
        ("c", "CRM", "green"),
        ("d", "Cold", "blue"),
    ):
        fake.label(id_, name, color)
    fake.lead("l1", None, hot_id, add_time="2026-01-02T00:00:00Z", update_time="2026-01-05T00:00:00Z")
    fake.lead("l2", None, hot_id, "e", add_time="2026-01-01T00:00:00Z", update_time="2026-01-04T00:00:00Z")
    fake.filters["4"] = {"id": 4, "name": "Hot ones", "conditions": {"value": hot_id.upper()}}
    absent = label("Gone", present=False)
    account = replace(
        EMEA,
        policy=replace(FREE, ignore={"label": ("CRM",)}),
        desired=(label("Heat"), absent),
        lock={Ref("label", "Heat"): hot_id},
    )
    rows, census = count(fake, LIMITLESS, LIMITLESS, account=account)
    assert census.done
    oldest, newest = Carrier("l2", "2026-01-01T00:00:00Z"), Carrier("l1", "2026-01-02T00:00:00Z")
    unused = LabelUsage(
        account="emea",
        label="CRM",
        id="c",
        color="green",
        declared="ignored",
        leads=0,
        archived_leads=0,
        oldest=None,
        newest=None,
        last_change=None,
        filters=(),
    )
    hot = replace(
        unused,
        label="Hot",
        id=hot_id,
        color="red",
        declared="yes",
        leads=2,
        oldest=oldest,
        newest=newest,
        last_change="2026-01-05T00:00:00Z",
        filters=(SavedFilter(4, "Hot ones"),),
    )
    assert rows == [
        unused,
        replace(unused, label="Cold", id="d", color="blue", declared="no"),
        replace(unused, label="Gone", id="b", color="blue", declared="absent"),
        hot,
        replace(
            hot,
            label=None,
            id="e",
            color="",
            declared="no",
            leads=1,
            newest=oldest,
            last_change="2026-01-04T00:00:00Z",
            filters=(),
        ),
    ]


def test_what_was_not_read_is_reported_as_unknown() -> None:
    rows, _ = count(company(1), LIMITLESS, wanted=UsageScope())
    assert {(row.archived_leads, row.filters) for row in rows} == {(None, None)}


@pytest.mark.parametrize(("allowed", "done"), [(90, True), (89, False)])
def test_a_step_may_spend_exactly_what_it_is_allowed(allowed: int, done: bool) -> None:  # noqa: FBT001  a table's cell
    _, census = count(company(1_000), allowed, allowed, wanted=UsageScope())
    assert census.done is done


def test_labels_of_which_each_could_be_the_declared_one_are_called_ambiguous() -> None:
    fake = Fake()
    for remote_id, name in (("a", "Hot"), ("b", "Hot"), ("c", "Cold"), ("d", "Other")):
        fake.label(remote_id, name)
    account = replace(EMEA, desired=(label("Hot"), label("Cold")))
    rows, _ = count(fake, LIMITLESS, LIMITLESS, account=account)
    assert [(row.id, row.declared) for row in rows] == [
        ("c", "yes"),
        ("a", "ambiguous"),
        ("b", "ambiguous"),
        ("d", "no"),
    ]
