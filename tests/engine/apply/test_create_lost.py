"""A create whose answer was lost is looked for before anything is sent again, and never sent while in doubt."""

import httpx
import pytest

from leadstate.engine.apply.create import PATIENCE, _is_newest_first
from leadstate.model.plan import Outcome
from leadstate.model.resource import Desired
from tests.harness.builders import label, lead
from tests.harness.fake_api import Fake, ends, failed, lost

HOT, SEED = label("Hot"), lead("a")
KINDS = pytest.mark.parametrize(("wanted", "create"), [(HOT, "POST leadLabels"), (SEED, "POST leads")])


def only(outcomes: object) -> Outcome:
    assert isinstance(outcomes, dict)
    (found,) = outcomes.values()
    assert isinstance(found, Outcome)
    return found


@KINDS
@pytest.mark.parametrize(
    "answer", [lost, lambda: failed(502), lambda: httpx.Response(200, text="<html>"), lambda: failed(500)]
)
def test_a_create_that_happened_is_found_and_not_sent_again(wanted: Desired, create: str, answer: object) -> None:
    fake = Fake()
    assert callable(answer)
    fake.after[create, 0] = answer
    outcome = only(fake.apply(fake.plan(wanted)))
    assert (outcome.status, outcome.remote_id) == ("applied", "new-1")
    assert fake.writes() == [create]
    assert fake.slept == [PATIENCE[0]] == [0.5]


@KINDS
def test_an_answer_of_another_kind_is_looked_for_too(wanted: Desired, create: str) -> None:
    fake = Fake()
    fake.after[create, 0] = lambda: httpx.Response(200, json={"success": True, "data": {"id": "new-1"}})
    assert only(fake.apply(fake.plan(wanted))).status == "applied"
    assert fake.writes() == [create]


@KINDS
def test_a_create_that_did_not_happen_is_sent_again_after_some_patience(wanted: Desired, create: str) -> None:
    fake = Fake()
    fake.before[create, 0] = lost
    outcome = only(fake.apply(fake.plan(wanted)))
    assert (outcome.status, outcome.remote_id) == ("applied", "new-1")
    assert fake.writes() == [create, create]
    assert fake.slept == [*PATIENCE] == [0.5, 1.5, 4.0]


@KINDS
def test_a_listing_that_lags_behind_is_asked_again(wanted: Desired, create: str) -> None:
    fake = Fake()
    table = fake.labels if wanted is HOT else fake.leads
    late: dict[str, dict[str, object]] = {}

    def hide() -> httpx.Response:
        late.update(table)
        table.clear()
        return lost()

    fake.after[create, 0] = hide
    listing = "GET leadLabels" if wanted is HOT else "GET leads"
    fake.before[listing, 2] = lambda: table.update(late)
    plan = fake.plan(wanted)
    assert only(fake.apply(plan)).status == "applied"
    assert fake.writes() == [create]


@KINDS
def test_a_create_whose_answer_is_always_lost_is_unknown(wanted: Desired, create: str) -> None:
    fake = Fake()
    fake.before = {(create, number): lost for number in range(9)}
    outcome = only(fake.apply(fake.plan(wanted)))
    assert outcome.status == "unknown"
    operation = "addLeadLabel" if wanted is HOT else "addLead"
    assert outcome.detail.startswith(f"{operation}: sent 3 times without an answer ({operation}: ")
    assert "and it is not there" in outcome.detail
    assert outcome.detail.endswith("; the next plan will see what became of it")
    assert fake.writes() == [create] * 3


@KINDS
def test_a_create_that_was_refused_is_not_looked_for(wanted: Desired, create: str) -> None:
    fake = Fake()
    fake.before[create, 0] = lambda: failed(400, "no")
    outcome = only(fake.apply(fake.plan(wanted)))
    assert outcome.status == "failed"
    assert fake.writes() == [create]
    assert fake.slept == []


@KINDS
def test_where_it_cannot_be_looked_for_nobody_knows(wanted: Desired, create: str) -> None:
    fake = Fake()
    listing = "GET leadLabels" if wanted is HOT else "GET leads"
    first = 1 if wanted is HOT else 0
    plan = fake.plan(wanted)
    fake.before[create, 0] = lost
    fake.before |= {(listing, number): lambda: failed(403) for number in range(first, 9)}
    outcome = only(fake.apply(plan))
    assert outcome.status == "unknown"
    operation = "addLeadLabel" if wanted is HOT else "addLead"
    assert outcome.detail.startswith(f"{operation}: the answer was lost ({operation}: ")
    assert "), and looking for it failed (getLead" in outcome.detail
    assert fake.writes() == [create]


@KINDS
def test_a_failure_that_no_request_survives_while_looking_ends_the_run(wanted: Desired, create: str) -> None:
    fake = Fake()
    listing = "GET leadLabels" if wanted is HOT else "GET leads"
    plan = fake.plan(wanted, lead("z"))
    fake.before[create, 0] = lost
    fake.before |= {(listing, number): lambda: failed(401, "revoked") for number in range(1 if wanted is HOT else 0, 9)}
    outcomes = fake.apply(plan)
    assert next(iter(ends(outcomes).values())) == "failed"
    assert "401, revoked" in next(iter(outcomes.values())).detail
    assert len(fake.writes()) <= 2


@KINDS
def test_two_that_could_be_it_are_none(wanted: Desired, create: str) -> None:
    fake = Fake()

    def twice() -> httpx.Response:
        table = fake.labels if wanted is HOT else fake.leads
        table["twin"] = {**table["new-1"], "id": "twin"}
        return lost()

    fake.after[create, 0] = twice
    outcome = only(fake.apply(fake.plan(wanted)))
    assert outcome.status == "unknown"
    listing = "getLeadLabels" if wanted is HOT else "getLeads"
    assert f"({listing}: 2 {wanted.address.kind}s could be the one that was to be created)" in outcome.detail
    assert fake.writes() == [create]


def test_a_label_of_that_name_that_was_known_before_is_not_the_lost_one() -> None:
    fake = Fake()
    fake.label("known", "Hot", "blue")
    plan = fake.plan(label("Cold", "red", key="k"))
    fake.labels["known"]["name"] = "Warm"
    fake.before["POST leadLabels", 0] = lambda: fake.labels["known"].update(name="Cold") or lost()
    assert only(fake.apply(plan)).status == "applied"
    assert fake.writes() == ["POST leadLabels"] * 2


@pytest.mark.parametrize("stamped", [True, False], ids=["oldest first", "without times"])
def test_where_the_server_does_not_sort_all_pages_are_looked_at(*, stamped: bool) -> None:
    fake = Fake(sorts=False)
    for number in range(600):
        fake.lead(
            f"x{number}",
            None,
            **({"add_time": f"2026-01-01T00:{number // 60:02}:{number % 60:02}Z"} if stamped else {}),
        )
    fake.after["POST leads", 0] = lost
    outcome = only(fake.apply(fake.plan(SEED)))
    assert (outcome.status, outcome.remote_id) == ("applied", "new-1")
    assert fake.writes() == ["POST leads"]
    assert fake.sent == ["POST leads", "GET leads", "GET leads", "GET leads"]


def test_where_the_server_sorts_one_page_is_looked_at() -> None:
    fake = Fake()
    for number in range(600):
        fake.lead(f"x{number}", None, add_time=f"2026-01-01T00:{number // 60:02}:{number % 60:02}Z")
    fake.before["POST leads", 0] = lost
    outcome = only(fake.apply(fake.plan(SEED)))
    assert outcome.status == "applied"
    assert fake.sent == ["POST leads", *["GET leads"] * 3, "POST leads"]


def test_where_the_server_refuses_to_sort_all_pages_are_looked_at() -> None:
    fake = Fake()
    fake.after["POST leads", 0] = lost
    plan = fake.plan(SEED)
    fake.before["GET leads", 0] = lambda: failed(400, "sort")
    assert only(fake.apply(plan)).status == "applied"
    assert fake.sent == ["POST leads", "GET leads", "GET leads"]


def test_a_listing_that_shifts_is_read_again() -> None:
    fake = Fake(sorts=False)
    for number in range(600):
        fake.lead(f"x{number}", None)
    plan = fake.plan(SEED)
    fake.after["POST leads", 0] = lost

    def shift() -> None:
        del fake.leads["x1"]

    fake.before["GET leads", 2] = shift
    assert only(fake.apply(plan)).status == "applied"
    assert fake.writes() == ["POST leads"]


@pytest.mark.parametrize(
    ("wanted", "create", "altered"),
    [
        (label("A  B"), "POST leadLabels", {"name": "A B"}),
        (SEED, "POST leads", {"origin_id": None}),
        (SEED, "POST leads", {"origin_id": "ns:"}),
    ],
)
def test_what_the_server_stored_otherwise_is_not_created_again(
    wanted: Desired, create: str, altered: dict[str, object]
) -> None:
    fake = Fake()
    fake.alters[create] = lambda body: body | altered
    fake.after[create, 0] = lost
    outcome = only(fake.apply(fake.plan(wanted)))
    assert outcome.status == "unknown"
    listing = "getLeads" if wanted is SEED else "getLeadLabels"
    words = f"({listing}: a {wanted.address.kind} could be it, with another name or marker (new-1))"
    assert words in outcome.detail
    assert fake.writes() == [create]


def test_each_that_may_be_it_is_named() -> None:
    fake = Fake()
    fake.alters["POST leads"] = lambda body: body | {"origin_id": None}

    def twice() -> httpx.Response:
        fake.leads["twin"] = {**fake.leads["new-1"], "id": "twin"}
        return lost()

    fake.after["POST leads", 0] = twice
    assert "(twin, new-1)" in only(fake.apply(fake.plan(SEED))).detail


def test_what_is_on_the_first_page_needs_no_other_page() -> None:
    fake = Fake(sorts=False)

    def put_first() -> httpx.Response:
        new = fake.leads["new-1"]
        fake.leads = {"new-1": new, **{f"x{number}": {"id": f"x{number}", "title": "x"} for number in range(600)}}
        return lost()

    fake.after["POST leads", 0] = put_first
    assert only(fake.apply(fake.plan(SEED))).remote_id == "new-1"
    assert fake.sent == ["POST leads", "GET leads"]


def test_one_that_may_be_it_does_not_hide_the_one_on_a_later_page() -> None:
    fake = Fake(sorts=False)

    def put_last() -> httpx.Response:
        new = fake.leads["new-1"]
        rest = {f"x{number}": {"id": f"x{number}", "title": "x"} for number in range(600)}
        fake.leads = {"y": {**new, "id": "y", "origin_id": "ns:"}, **rest, "new-1": new}
        return lost()

    fake.after["POST leads", 0] = put_last
    assert only(fake.apply(fake.plan(SEED))).remote_id == "new-1"


@pytest.mark.parametrize(
    ("wanted", "create", "altered"),
    [
        (label("A  B"), "POST leadLabels", {"name": "A B"}),
        (SEED, "POST leads", {"origin_id": None, "origin": "API"}),
        (SEED, "POST leads", {"origin_id": "ns:", "origin": "API"}),
    ],
)
def test_the_next_run_refuses_to_create_it_again(wanted: Desired, create: str, altered: dict[str, object]) -> None:
    fake = Fake()
    fake.alters[create] = lambda body: body | altered
    assert only(fake.apply(fake.plan(wanted))).status == "failed"
    plan = fake.plan(wanted)
    assert [found.code for found in plan.diagnostics if found.severity == "guard"] == ["created-altered"]
    assert not plan.applyable


def test_an_unmarked_lead_that_people_made_keeps_no_seed_from_being_created() -> None:
    fake = Fake()
    fake.lead("theirs", None, title="a", origin="ManuallyCreated")
    fake.lead("others", "theirs:b", title="a", origin="API")
    plan = fake.plan(SEED)
    assert plan.applyable
    assert only(fake.apply(plan)).status == "applied"


def test_leads_of_others_that_are_not_understood_do_not_matter_while_looking() -> None:
    fake = Fake()
    fake.lead("theirs", None, value="much")
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
    ],
)
def test_only_times_that_fall_show_that_the_server_has_sorted(times: list[object], *, sorted_: bool) -> None:
    assert _is_newest_first([{"add_time": time} for time in times]) is sorted_


def test_without_any_time_it_is_not_sorted() -> None:
    assert not _is_newest_first([{}, {}])


@pytest.mark.parametrize(
    ("wanted", "row", "detail"),
    [
        (HOT, {"id": "x", "name": "Hot"}, "getLeadLabels: answered a malformed label: `color` is missing"),
        (
            SEED,
            {"id": "x", "label_ids": None},
            "getLeads: answered a malformed lead: in row 1, `label_ids` is not a list",
        ),
        (SEED, {"id": "x", "origin_id": "ns:a"}, "getLeads: answered a malformed lead: `title` is missing"),
    ],
)
def test_an_answer_that_is_not_understood_while_looking_leaves_it_unknown(
    wanted: Desired, row: dict[str, object], detail: str
) -> None:
    fake = Fake()
    create, table = ("POST leadLabels", fake.labels) if wanted is HOT else ("POST leads", fake.leads)

    def spoil() -> httpx.Response:
        table.clear()
        table["x"] = row
        return lost()

    fake.after[create, 0] = spoil
    outcome = only(fake.apply(fake.plan(wanted)))
    assert outcome.status == "unknown"
    assert detail in outcome.detail
    assert fake.writes() == [create]
