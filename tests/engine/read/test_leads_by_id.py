"""Live leads by their ids or in a list: the cheaper way where it shows enough, and the same plan by either."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadstate.engine.run import Settings
from leadstate.model.account import ImpactLevel, Prune
from leadstate.model.resource import Desired
from tests.harness.builders import label, lead, lead_id, shown
from tests.harness.recorded_reads import Company, words

LIST = {"leadLabels": 1, "leads": 1}


def declared(count: int) -> list[Desired]:
    return [label("Hot"), *(lead(f"k{number}") for number in range(count))]


def by_id(count: int) -> dict[str, int]:
    return {"leadLabels": 1, "leads/{id}": count}


def test_few_leads_are_read_by_id_and_many_are_listed() -> None:
    assert Company(9).plan(Company(9).account(*declared(9))).changes == ()
    for count, expected in ((9, by_id(9)), (10, LIST), (11, LIST)):
        company = Company(count)
        company.plan(company.account(*declared(count)))
        assert company.sent == expected, count


def test_the_plan_reports_the_cost_of_the_other_strategy() -> None:
    company = Company(200, pages=101)
    plan = company.plan(company.account(*declared(200)))
    assert company.sent == by_id(200)
    assert words(plan) == "200 read by id (400 tokens); a full list would take at least 2,020"
    company = Company(3)
    assert (
        words(company.plan(company.account(*declared(3))))
        == "3 read by id (6 tokens); a full list would take at least 20"
    )
    company = Company(20)
    assert (
        words(company.plan(company.account(*declared(20))))
        == "listed, 1 page (20 tokens); 20 leads by id would take 40"
    )


@pytest.fixture
def short_pages(monkeypatch: pytest.MonkeyPatch) -> int:
    """Pages of 12 rows, 11 of which are new; they cost what long ones do, so 12 leads by id cost as much as 1.2."""
    monkeypatch.setattr("leadstate.pipedrive.client.PAGE", 12)
    return 12


@pytest.mark.parametrize(
    ("leads", "listed", "asked"),
    [(12, 1, 0), (13, 3, 0), (23, 3, 0), (24, 2, 12), (100, 2, 12)],
    ids=["one page", "two", "two full ones", "three", "nine"],
)
def test_one_request_decides_the_strategy_if_the_length_is_unknown(
    short_pages: int, leads: int, listed: int, asked: int
) -> None:
    company = Company(short_pages, others=leads - short_pages)
    plan = company.plan(company.account(*declared(short_pages)))
    assert plan.changes == ()
    assert company.sent == {"leadLabels": 1, "leads": listed} | ({"leads/{id}": asked} if asked else {})
    if asked:
        assert words(plan) == "12 read by id (24 tokens); a full list would take at least 60"
        company.pages = company.lengths["getLeads"]
        company.plan(company.account(*declared(short_pages)))
        assert company.sent == by_id(12)


@pytest.mark.parametrize(
    ("others", "listed", "asked"),
    [(0, 1 + 9, 0), (11, 1 + 10 + 1, 0), (12, 1, 100), (900, 1, 100)],
    ids=["nine pages", "ten full ones, and one on a guess", "eleven", "ninety-one"],
)
def test_the_length_is_asked_before_the_first_page_for_many_declared_leads(
    short_pages: int, others: int, listed: int, asked: int
) -> None:
    """100 leads by id cost as much as 10 pages, of 11 new rows each."""
    assert short_pages == 12
    company = Company(100, others=others)
    assert company.plan(company.account(*declared(100))).changes == ()
    assert company.sent == {"leadLabels": 1, "leads": listed} | ({"leads/{id}": asked} if asked else {})


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(10, 25), st.integers(0, 90))
def test_an_unknown_length_costs_two_pages_at_most(short_pages: int, ours: int, others: int) -> None:
    """Over what the cheaper way would have cost, had the length been known."""
    company = Company(ours, others)
    company.plan(company.account(*declared(ours)))
    used = company.tokens
    pages = 1 + max(0, -(-(ours + others - short_pages) // (short_pages - 1)))
    assert used <= 10 + min(2 * ours, 20 * pages) + 40


def test_leads_are_listed_if_unmanaged_leads_matter() -> None:
    company = Company(3, others=2)
    account = company.account(*declared(3))
    pruned = replace(account, policy=replace(account.policy, prune_rules={"lead": Prune.OWNED}))
    assert "leads that nothing declares are pruned" in words(company.plan(pruned))
    for impact in ImpactLevel:
        going = replace(account, desired=(*declared(3)[1:], label("Hot", present=False)))
        assert "a label goes away" in words(company.plan(going, Settings(impact=impact)))
    assert "the lock file is not trusted here" in words(company.plan(account, Settings(everything=True)))
    back = replace(account, desired=(*account.desired, replace(lead("k9"), marker=None, remote_id=lead_id(1))))
    assert "not every lead is declared by its key" in words(company.plan(back))
    unknown = company.account(*declared(3), unknown=[1])
    assert words(company.plan(unknown)) == "listed, 1 page (20 tokens); the lock file does not know 1 declared lead"


def test_a_lead_is_not_created_because_an_id_is_gone() -> None:
    """The id is gone, and the lead is there under another one."""
    company = Company(3)
    create = replace(lead("k1"), leave_gone=False)
    account = company.account(label("Hot"), lead("k0"), create, lock={"k1": lead_id(77)})
    plan = company.plan(account)
    assert shown(plan) == []
    assert company.sent["leads"] == 1
    assert words(plan) == "listed, 1 page (20 tokens); by id (4 tokens) not every declared lead was found"


def test_a_deleted_lead_that_is_not_created_again_needs_no_listing() -> None:
    company = Company(3)
    account = company.account(
        label("Hot"), *(replace(lead(f"k{n}"), leave_gone=True) for n in range(3)), lock={"k1": lead_id(77)}
    )
    plan = company.plan(account)
    assert shown(plan) == []
    assert company.sent == by_id(3)
    assert [(group.key, group.reason.value) for group in plan.untouched] == [("k1", "gone")]


@pytest.mark.parametrize("wrong", [lead_id(2), lead_id(3)], ids=["of another marker", "of no marker"])
def test_an_id_of_another_lead_is_ignored(wrong: str) -> None:
    company = Company(3, others=1)
    company.update(1, title="drifted")
    plan = company.plan(company.account(*declared(2), lock={"k1": wrong}))
    assert company.sent["leads"] == 1
    assert shown(plan) == ["~ lead:k1 title"]


def test_an_id_of_an_unmarked_lead_does_not_hide_the_archived_lead_with_the_marker() -> None:
    company = Company(1, others=1)
    company.update(0, is_archived=True)
    plan = company.plan(company.account(lead("k0"), lock={"k0": lead_id(1)}))
    assert shown(plan) == []
    assert plan.unchanged == 1


def test_an_adopted_lead_without_a_marker_is_read_by_its_id() -> None:
    company = Company(0, others=2)
    adopted = replace(lead("mine", title="new"), adopted=True, leave_gone=True)
    plan = company.plan(company.account(adopted, lock={"mine": lead_id(1)}))
    assert shown(plan) == ["~ lead:mine title"]
    assert company.sent == by_id(1)


def test_an_empty_list_of_labels_is_incomplete_if_our_leads_carry_one() -> None:
    """Our leads carry a label, so an empty list of labels is incomplete."""
    company = Company(2, hides_labels=True)
    plan = company.plan(company.account(*declared(2)))
    assert not plan.complete


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.sampled_from(["as it is", "drifted", "archived", "deleted"]), min_size=1, max_size=6),
    st.dictionaries(st.integers(0, 5), st.integers(0, 7)),
    st.sampled_from(["leave", "create"]),
)
def test_both_strategies_give_the_same_plan(states: list[str], lock: dict[int, int], if_gone: str) -> None:
    """Whatever the lock file says, and whatever people did to the leads."""
    company = Company(len(states), others=2, pages=9)
    for number, state in enumerate(states):
        if state == "deleted":
            company.company.delete_lead(lead_id(number))
        elif state != "as it is":
            company.update(number, **({"is_archived": True} if state == "archived" else {"title": "drifted"}))
    wanted = [replace(lead, leave_gone=if_gone == "leave") if lead.marker else lead for lead in declared(len(states))]
    account = company.account(*wanted, lock={f"k{key}": lead_id(number) for key, number in lock.items()})
    cheap, listed = company.plan(account), company.plan(account, Settings(everything=True))
    if any(diagnostic.code == "ambiguous" for diagnostic in listed.diagnostics):
        assert any(diagnostic.code == "ambiguous" for diagnostic in cheap.diagnostics)
    elif [group for group in cheap.untouched if group.reason.value == "gone"]:
        # The id is gone, and that is believed where nothing is to be created; a list may know better.
        assert {change.address for change in cheap.changes} <= {change.address for change in listed.changes}
    else:
        assert cheap.changes == listed.changes
