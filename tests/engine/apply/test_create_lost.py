"""A create whose answer was lost is looked for before anything is sent again, and never sent while in doubt."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from leadstate.engine.apply.create import PATIENCE, _is_newest_first
from leadstate.model.resource import Desired
from tests.harness.builders import label, lead
from tests.harness.fake_api import Fake, ends, failed, lost, only

HOT, SEED = label("Hot"), lead("a")


@dataclass(frozen=True)
class Create:
    """A create and the names of its requests; `listed` says how often the list was read before it."""

    wanted: Desired
    request: str
    operation: str
    listing: str
    list_operation: str
    listed: int

    def table(self, fake: Fake) -> dict[str, dict[str, Any]]:
        """Return where the account keeps what is created."""
        return fake.labels if self.wanted is HOT else fake.leads


LABEL = Create(HOT, "POST leadLabels", "addLeadLabel", "GET leadLabels", "getLeadLabels", 1)
LEAD = Create(SEED, "POST leads", "addLead", "GET leads", "getLeads", 0)
KINDS = pytest.mark.parametrize("create", [LABEL, LEAD], ids=["label", "lead"])


def many_leads(fake: Fake, *, stamped: bool = False) -> Fake:
    """Return the account with 600 unmanaged leads, which fill two pages."""
    for number in range(600):
        time = {"add_time": f"2026-01-01T00:{number // 60:02}:{number % 60:02}Z"} if stamped else {}
        fake.lead(f"x{number}", None, **time)
    return fake


@KINDS
@pytest.mark.parametrize(
    "answer",
    [
        lost,
        lambda: failed(502),
        lambda: failed(500),
        lambda: httpx.Response(200, text="<html>"),
        lambda: httpx.Response(200, json={"success": True, "data": {"id": "new-1"}}),
    ],
)
def test_a_create_that_was_executed_is_found_and_not_sent_again(
    create: Create, answer: Callable[[], httpx.Response]
) -> None:
    fake = Fake()
    fake.after[create.request, 0] = answer
    outcome = only(fake.apply(fake.plan(create.wanted)))
    assert (outcome.status, outcome.remote_id) == ("applied", "new-1")
    assert fake.writes() == [create.request]
    assert fake.time.slept == [PATIENCE[0]] == [0.5]


@KINDS
def test_a_create_that_was_not_executed_is_sent_again_after_three_looks(create: Create) -> None:
    fake = Fake()
    fake.before[create.request, 0] = lost
    outcome = only(fake.apply(fake.plan(create.wanted)))
    assert (outcome.status, outcome.remote_id) == ("applied", "new-1")
    assert fake.writes() == [create.request] * 2
    assert fake.time.slept == [*PATIENCE] == [0.5, 1.5, 4.0]


@KINDS
def test_a_listing_that_lags_behind_is_read_again(create: Create) -> None:
    fake = Fake()
    late: dict[str, dict[str, object]] = {}

    def hide() -> httpx.Response:
        late.update(create.table(fake))
        create.table(fake).clear()
        return lost()

    fake.after[create.request, 0] = hide
    fake.before[create.listing, 2] = lambda: create.table(fake).update(late)
    assert only(fake.apply(fake.plan(create.wanted))).status == "applied"
    assert fake.writes() == [create.request]


@KINDS
def test_a_create_whose_answer_is_always_lost_is_unknown(create: Create) -> None:
    fake = Fake()
    fake.before = {(create.request, number): lost for number in range(9)}
    outcome = only(fake.apply(fake.plan(create.wanted)))
    assert outcome.status == "unknown"
    name = create.operation
    assert outcome.detail.startswith(f"{name}: sent 3 times without an answer ({name}: ")
    assert "and it does not exist" in outcome.detail
    assert outcome.detail.endswith("; the next plan will see what became of it")
    assert fake.writes() == [create.request] * 3


@KINDS
def test_a_create_that_was_refused_is_not_looked_for(create: Create) -> None:
    fake = Fake()
    fake.before[create.request, 0] = lambda: failed(400, "no")
    assert only(fake.apply(fake.plan(create.wanted))).status == "failed"
    assert fake.writes() == [create.request]
    assert fake.time.slept == []


@KINDS
def test_a_create_that_cannot_be_looked_for_is_unknown(create: Create) -> None:
    fake = Fake()
    plan = fake.plan(create.wanted)
    fake.before = {(create.listing, number): lambda: failed(403) for number in range(create.listed, 9)}
    fake.before[create.request, 0] = lost
    outcome = only(fake.apply(plan))
    assert outcome.status == "unknown"
    assert outcome.detail.startswith(f"{create.operation}: the answer was lost ({create.operation}: ")
    assert f"), and looking for it failed ({create.list_operation}" in outcome.detail
    assert fake.writes() == [create.request]


@KINDS
def test_a_fatal_failure_while_looking_ends_the_run(create: Create) -> None:
    fake = Fake()
    plan = fake.plan(create.wanted, lead("z"))
    fake.before = {(create.listing, number): lambda: failed(401, "revoked") for number in range(create.listed, 9)}
    fake.before[create.request, 0] = lost
    outcomes = fake.apply(plan)
    assert next(iter(ends(outcomes).values())) == "failed"
    assert "401, revoked" in next(iter(outcomes.values())).detail
    assert len(fake.writes()) <= 2


@KINDS
def test_a_create_that_two_objects_could_be_is_unknown(create: Create) -> None:
    fake = Fake()

    def twice() -> httpx.Response:
        create.table(fake)["twin"] = {**create.table(fake)["new-1"], "id": "twin"}
        return lost()

    fake.after[create.request, 0] = twice
    outcome = only(fake.apply(fake.plan(create.wanted)))
    assert outcome.status == "unknown"
    kind = create.wanted.address.kind
    assert f"({create.list_operation}: 2 {kind}s could be the one that was to be created)" in outcome.detail
    assert fake.writes() == [create.request]


def test_a_known_label_that_has_got_the_name_is_not_the_lost_one() -> None:
    fake = Fake().with_label("known", "Hot", "blue")
    plan = fake.plan(label("Cold", "red", key="k"))
    fake.labels["known"]["name"] = "Warm"
    fake.before["POST leadLabels", 0] = lambda: fake.labels["known"].update(name="Cold") or lost()
    assert only(fake.apply(plan)).status == "applied"
    assert fake.writes() == ["POST leadLabels"] * 2


@pytest.mark.parametrize("stamped", [True, False], ids=["oldest first", "without times"])
def test_all_pages_are_read_if_the_server_does_not_sort(*, stamped: bool) -> None:
    fake = many_leads(Fake(sorts=False), stamped=stamped)
    fake.after["POST leads", 0] = lost
    outcome = only(fake.apply(fake.plan(SEED)))
    assert (outcome.status, outcome.remote_id) == ("applied", "new-1")
    assert fake.sent == ["POST leads", *["GET leads"] * 3]


def test_one_page_is_read_if_the_server_sorts() -> None:
    fake = many_leads(Fake(), stamped=True)
    fake.before["POST leads", 0] = lost
    assert only(fake.apply(fake.plan(SEED))).status == "applied"
    assert fake.sent == ["POST leads", *["GET leads"] * 3, "POST leads"]


def test_all_pages_are_read_if_the_server_refuses_to_sort() -> None:
    fake = Fake()
    fake.after["POST leads", 0] = lost
    plan = fake.plan(SEED)
    fake.before["GET leads", 0] = lambda: failed(400, "sort")
    assert only(fake.apply(plan)).status == "applied"
    assert fake.sent == ["POST leads", "GET leads", "GET leads"]


def test_a_listing_that_shifts_is_read_again() -> None:
    fake = many_leads(Fake(sorts=False))
    plan = fake.plan(SEED)
    fake.after["POST leads", 0] = lost

    def shift() -> None:
        del fake.leads["x1"]

    fake.before["GET leads", 2] = shift
    assert only(fake.apply(plan)).status == "applied"
    assert fake.writes() == ["POST leads"]


ALTERED = pytest.mark.parametrize(
    ("create", "wanted", "altered"),
    [
        (LABEL, label("A  B"), {"name": "A B"}),
        (LEAD, SEED, {"origin_id": None, "origin": "API"}),
        (LEAD, SEED, {"origin_id": "ns:", "origin": "API"}),
    ],
)


@ALTERED
def test_an_object_that_the_server_stored_otherwise_is_not_created_again(
    create: Create, wanted: Desired, altered: dict[str, object]
) -> None:
    fake = Fake()
    fake.alters[create.request] = lambda body: body | altered
    fake.after[create.request, 0] = lost
    outcome = only(fake.apply(fake.plan(wanted)))
    assert outcome.status == "unknown"
    kind = wanted.address.kind
    assert f"({create.list_operation}: a {kind} could be it, with another name or marker (new-1))" in outcome.detail
    assert fake.writes() == [create.request]


@ALTERED
def test_the_next_run_refuses_to_create_an_object_that_was_stored_otherwise(
    create: Create, wanted: Desired, altered: dict[str, object]
) -> None:
    fake = Fake()
    fake.alters[create.request] = lambda body: body | altered
    assert only(fake.apply(fake.plan(wanted))).status == "failed"
    plan = fake.plan(wanted)
    assert [found.code for found in plan.diagnostics if found.severity == "guard"] == ["created-altered"]
    assert not plan.applyable


def test_each_object_that_may_be_the_lost_one_is_named() -> None:
    fake = Fake()
    fake.alters["POST leads"] = lambda body: body | {"origin_id": None}

    def twice() -> httpx.Response:
        fake.leads["twin"] = {**fake.leads["new-1"], "id": "twin"}
        return lost()

    fake.after["POST leads", 0] = twice
    assert "(twin, new-1)" in only(fake.apply(fake.plan(SEED))).detail


@pytest.mark.parametrize(("first", "pages"), [(True, 1), (False, 3)])
def test_the_search_ends_at_the_page_that_has_the_lost_lead(*, first: bool, pages: int) -> None:
    """A lead on the first page that may be it, but is not certain to be, does not end it."""
    fake = Fake(sorts=False)

    def put() -> httpx.Response:
        new = fake.leads["new-1"]
        rest = {f"x{number}": {"id": f"x{number}", "title": "x"} for number in range(600)}
        perhaps = {"y": {**new, "id": "y", "origin_id": "ns:"}}
        fake.leads = {"new-1": new, **rest} if first else {**perhaps, **rest, "new-1": new}
        return lost()

    fake.after["POST leads", 0] = put
    assert only(fake.apply(fake.plan(SEED))).remote_id == "new-1"
    assert fake.sent == ["POST leads", *["GET leads"] * pages]


def test_an_unmarked_lead_that_people_made_keeps_no_seed_from_being_created() -> None:
    fake = Fake().with_lead("theirs", None, title="a", origin="ManuallyCreated")
    fake.lead("others", "theirs:b", title="a", origin="API")
    plan = fake.plan(SEED)
    assert plan.applyable
    assert only(fake.apply(plan)).status == "applied"


def test_malformed_unmanaged_leads_are_ignored_while_looking() -> None:
    fake = Fake().with_lead("theirs", None, value="much")
    fake.after["POST leads", 0] = lost
    assert only(fake.apply(fake.plan(SEED))).status == "applied"


@pytest.mark.parametrize(
    ("times", "sorted_"),
    [
        (["3", "2", "1"], True),
        (["2", "1", "1"], True),
        (["2", "2", "1"], True),
        (["1", "1"], False),
        (["1", "2"], False),
        (["2", "3", "1"], False),
        (["2", None], False),
        ([2, 1], False),
        ([None, "1"], False),
        ([None, None], False),
    ],
)
def test_only_descending_times_show_that_the_server_sorts(times: list[object], *, sorted_: bool) -> None:
    assert _is_newest_first([{"add_time": time} for time in times]) is sorted_


@pytest.mark.parametrize(
    ("create", "row", "detail"),
    [
        (LABEL, {"id": "x", "name": "Hot"}, "getLeadLabels: answered a malformed label: `color` is missing"),
        (LEAD, {"id": "x", "label_ids": None}, "answered a malformed lead: in row 1, `label_ids` is not a list"),
        (LEAD, {"id": "x", "origin_id": "ns:a"}, "getLeads: answered a malformed lead: `title` is missing"),
    ],
)
def test_a_malformed_listing_while_looking_leaves_the_create_unknown(
    create: Create, row: dict[str, object], detail: str
) -> None:
    fake = Fake()

    def spoil() -> httpx.Response:
        create.table(fake).clear()
        create.table(fake)["x"] = row
        return lost()

    fake.after[create.request, 0] = spoil
    outcome = only(fake.apply(fake.plan(create.wanted)))
    assert outcome.status == "unknown"
    assert detail in outcome.detail
    assert fake.writes() == [create.request]
