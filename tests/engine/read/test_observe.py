"""What a plan knows of the archive, and what counts as something that can be deleted."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from leadstate.engine.read.leads import check_labels
from leadstate.engine.read.observe import observe
from leadstate.model.account import Account, ImpactLevel, Prune
from leadstate.model.address import Ref, RemoteRef
from leadstate.model.plan import AccountPlan
from leadstate.model.resource import Desired, Live, Observed
from leadstate.model.usage import SavedFilter
from leadstate.pipedrive.errors import IncompleteListing
from leadstate.reconcile.match import Matching, match_kind
from tests.harness.builders import FREE, label, lead, live_label, shown
from tests.harness.fake_api import Fake, failed, ok


def archive(count: int) -> Fake:
    return Fake().with_leads("old", count, is_archived=True)


def plan(fake: Fake, *desired: Desired, pages: int = 1) -> AccountPlan:
    return fake.plan(*desired, policy=replace(FREE, archived_pages=pages))


def guards(found: AccountPlan) -> list[str]:
    return [diagnostic.code for diagnostic in found.diagnostics]


@pytest.mark.parametrize(
    ("archived", "pages", "unknown"), [(500, 1, False), (501, 1, True), (501, 2, False), (1, 0, True)]
)
def test_a_create_is_unsure_unless_the_archive_was_read_to_its_end(archived: int, pages: int, *, unknown: bool) -> None:
    """None of the archived leads is ours, so none is kept."""
    found = plan(archive(archived), lead("a"), pages=pages)
    assert shown(found) == ["+ lead:a"]
    assert guards(found) == (["archived-unknown"] if unknown else [])


def test_a_lead_that_is_found_in_the_archive_is_not_in_doubt_and_another_one_is() -> None:
    fake = archive(501)
    fake.lead("mine", "ns:a", title="a", is_archived=True)
    found = plan(fake, lead("a"), lead("b"))
    assert shown(found) == ["+ lead:b"]
    assert guards(found) == ["archived-unknown"]
    assert [found.address and found.address.key for found in found.diagnostics] == ["b"]


def test_the_archive_is_read_until_all_are_found() -> None:
    fake = archive(1200)
    fake.lead("mine", "ns:a", title="a", is_archived=True)
    found = plan(fake, lead("a"), pages=9)
    assert shown(found) == []
    assert fake.sent.count("GET leads/archived") == 1
    fake.sent.clear()
    plan(fake, lead("a"), lead("b"), pages=9)
    assert fake.sent.count("GET leads/archived") == 3


def test_an_archive_that_cannot_be_sorted_is_read_as_it_is() -> None:
    fake = archive(3)
    fake.lead("mine", "ns:a", title="a", is_archived=True)
    fake.before["GET leads/archived", 0] = lambda: failed(400, "sort")
    found = plan(fake, lead("a"))
    assert found.complete
    assert shown(found) == []


def test_archived_leads_do_not_count_as_deletable() -> None:
    fake = Fake()
    for number in range(32):
        fake.lead(f"l{number}", f"ns:l{number}", is_archived=number >= 12)
    policy = replace(FREE, prune_rules={"lead": Prune.OWNED}, max_delete_percent=50)
    refused = fake.plan(lead("missing"), policy=policy)
    assert len(refused.changes) == 13
    assert "max-delete-percent" in {diagnostic.code for diagnostic in refused.diagnostics}


def test_unmarked_leads_of_the_api_are_noted_with_their_collapsed_titles() -> None:
    fake = Fake().with_lead("1", None, title=" a \t b ", origin="API")
    fake.lead("2", "", title="a b", origin="API")
    fake.lead("3", None, title="a b")
    fake.lead("4", None, title="c", origin="API")
    fake.lead("5", None, title=None, origin="API")
    fake.lead("6", "theirs:x", title="a b", origin="API")
    found = plan(fake, lead("a", title="a  b"))
    (guard,) = found.diagnostics
    assert guard.summary.endswith(": 1, 2")


def test_a_listing_without_labels_is_incomplete_if_leads_carry_some() -> None:
    fake = Fake().with_lead("1", None, "hot")
    assert not plan(fake, label("Hot"), lead("a")).complete


PRUNES = replace(FREE, prune_rules={"lead": Prune.OWNED})


def test_an_archived_lead_in_the_lock_file_is_read_by_its_id() -> None:
    fake = Fake().with_lead("1", "ns:a", title="a", is_archived=True)
    found = fake.plan(lead("a"), policy=PRUNES, lock={Ref("lead", "a"): "1"})
    assert (shown(found), guards(found)) == ([], [])
    assert fake.sent == ["GET leadLabels", "GET leads", "GET leads/1"]


@pytest.mark.parametrize(("leave_gone", "archive"), [(True, []), (False, ["GET leads/archived"])])
def test_a_deleted_lead_is_searched_in_the_archive_only_if_it_would_be_created_again(
    archive: list[str], *, leave_gone: bool
) -> None:
    fake = Fake()
    wanted = replace(lead("a"), leave_gone=leave_gone)
    fake.plan(wanted, policy=PRUNES, lock={Ref("lead", "a"): "1"})
    assert fake.sent == ["GET leadLabels", "GET leads", "GET leads/1", *archive]


def test_an_absent_lead_is_not_searched_in_the_archive() -> None:
    fake = Fake()
    fake.plan(replace(lead("a"), present=False), policy=PRUNES)
    assert fake.sent == ["GET leadLabels", "GET leads"]


def read_account(fake: Fake, *desired: Desired, impact: ImpactLevel = ImpactLevel.LIVE, **more: Any) -> Observed:
    declared = Account("emea", "http://127.0.0.1:1", "ns", replace(PRUNES, archived_pages=1), desired, **more)
    return fake.run(lambda writer: observe(declared, writer, impact))[0]


@pytest.mark.parametrize(
    ("impact", "pages", "carriers"),
    [(ImpactLevel.LIVE, 0, None), (ImpactLevel.FULL, 3, {RemoteRef("label", "hot"): ["mine"]})],
)
def test_archived_carriers_of_a_label_are_counted_only_with_full_impact(
    impact: ImpactLevel, pages: int, carriers: object
) -> None:
    fake = archive(1200)
    fake.label("hot", "Hot")
    fake.lead("mine", None, "hot", is_archived=True)
    found = read_account(fake, label("Hot", present=False), impact=impact)
    assert found.archived_carriers == carriers
    assert fake.sent.count("GET leads/archived") == pages


ID = "0b7c3f52-0c5e-41f0-8000-0242ac120002"


def with_filter() -> Fake:
    fake = Fake().with_label(ID, "Hot")
    fake.filters["4"] = {"id": 4, "name": "Hot ones", "conditions": {"conditions": [{"value": f'["{ID.upper()}"]'}]}}
    return fake


@pytest.mark.parametrize("impact", ImpactLevel)
@pytest.mark.parametrize("present", [True, False])
def test_filters_are_read_only_if_a_label_is_deleted_with_full_impact(impact: ImpactLevel, *, present: bool) -> None:
    fake = with_filter()
    found = read_account(fake, label("Hot", present=present), impact=impact)
    read = impact is ImpactLevel.FULL and not present
    assert found.filters == ({RemoteRef("label", ID): (SavedFilter(4, "Hot ones"),)} if read else None)
    assert [name for name in fake.sent if "filters" in name] == (["GET filters", "GET filters/4"] if read else [])
    assert not found.filters_hidden


def test_unreadable_filters_are_a_warning() -> None:
    fake = with_filter()
    fake.before["GET filters", 0] = lambda: failed(403, "forbidden")
    found = fake.plan(label("Hot", present=False), policy=PRUNES, impact=ImpactLevel.FULL)
    assert [change.impact and change.impact.filters for change in found.changes] == [None]
    assert "filters-not-read" in {diagnostic.code for diagnostic in found.diagnostics}
    assert found.complete


def test_a_listing_reports_its_pages_unmanaged_leads_and_deleted_ids() -> None:
    fake = archive(600)
    fake.with_leads("other", 501)
    fake.lead("mine", "ns:found", is_archived=True)
    found = read_account(fake, lead("gone"), lead("found"), lead("new"), lock={Ref("lead", "gone"): "dead"})
    assert (found.pages, found.others, set(found.gone)) == (2, {"lead": 501}, {"ns:gone"})
    assert found.unsure == {"ns:new"}
    assert found.archived_carriers is None


@pytest.mark.parametrize(("lock", "pages"), [({}, 0), ({Ref("lead", "a"): "dead"}, 1)])
def test_an_adopted_lead_is_searched_in_the_archive_only_if_it_would_be_created_again(
    lock: dict[Ref, str], pages: int
) -> None:
    fake = archive(1)
    read_account(fake, replace(lead("a"), adopted=True, leave_gone=False), lock=lock)
    assert fake.sent.count("GET leads/archived") == pages


def test_an_empty_list_of_labels_is_incomplete_if_leads_carry_some() -> None:
    with pytest.raises(IncompleteListing, match="getLeadLabels: no label is listed, while leads carry 1 of them"):
        check_labels([], [RemoteRef("label", "hot")])
    check_labels([], [])
    check_labels([live_label("Hot")], [RemoteRef("label", "cold")])


def test_a_plan_matches_each_kind_once(monkeypatch: pytest.MonkeyPatch) -> None:
    matched: list[str] = []

    def counting(account: Account, kind: str, live: Sequence[Live]) -> Matching:
        matched.append(kind)
        return match_kind(account, kind, live)

    monkeypatch.setattr("leadstate.engine.read.observe.match_kind", counting)
    monkeypatch.setattr("leadstate.reconcile.planner.match_kind", counting)
    Fake().plan(label("Hot"), lead("a"))
    assert sorted(matched) == ["label", "lead"]


@pytest.mark.parametrize(("request_", "operation"), [("GET filters", "getFilters"), ("GET filters/4", "getFilter")])
def test_a_malformed_filter_names_its_request(request_: str, operation: str) -> None:
    fake = with_filter()
    row = {"id": [4], "name": "Hot ones"}
    fake.before[request_, 0] = lambda: ok([row] if operation == "getFilters" else row)
    found = fake.plan(label("Hot", present=False), policy=PRUNES, impact=ImpactLevel.FULL)
    assert [(told.code, told.summary) for told in found.diagnostics] == [
        ("bad-answer", f"{operation}: answered a malformed filter: `id` is not a whole number")
    ]


def test_several_filters_of_one_label_are_named_in_order_of_their_ids() -> None:
    fake = with_filter()
    fake.filters |= {str(number): {**fake.filters["4"], "id": number, "name": f"No {number}"} for number in (9, 2)}
    found = read_account(fake, label("Hot", present=False), impact=ImpactLevel.FULL)
    assert found.filters is not None
    assert [saved.id for saved in found.filters[RemoteRef("label", ID)]] == [2, 4, 9]


@pytest.mark.parametrize(
    "additional",
    [{"pagination": {"more_items_in_collection": True}}, {"more_items_in_collection": True}, {"next_cursor": "x"}],
)
def test_nothing_is_planned_from_a_part_of_the_labels(additional: dict[str, Any]) -> None:
    fake = Fake()
    fake.before["GET leadLabels", 0] = lambda: ok([{"id": "1", "name": "Hot", "color": "red"}], **additional)
    found = fake.plan(label("Cold"))
    assert (found.complete, [told.code for told in found.diagnostics]) == (False, ["incomplete-listing"])


@pytest.mark.parametrize("additional", [{}, {"pagination": {"more_items_in_collection": False}}, {"next_cursor": None}])
def test_labels_are_listed_with_pages_or_without(additional: dict[str, Any]) -> None:
    fake = Fake()
    fake.before["GET leadLabels", 0] = lambda: ok([{"id": "1", "name": "Hot", "color": "red"}], **additional)
    assert shown(fake.plan(label("Cold"))) == ["+ label:Cold"]
