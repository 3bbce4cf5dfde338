"""Lists of leads: pages, order, filters, and what is in which list."""

from typing import Any

import pytest

from leadstate.sandbox.state.records import Query, Views
from tests.harness.sandbox_driver import World, company


def leads(count: int, **more: Any) -> list[dict[str, Any]]:
    return [{"title": f"L{i:03}", "person_id": 1, **more} for i in range(count)]


def pagination(world: World, **query: Any) -> dict[str, Any]:
    found: dict[str, Any] = world.api("GET", "/leads", params=query).json()["additional_data"]
    assert set(found) == {"pagination"}
    return dict(found["pagination"])


def test_a_page_holds_100_leads_by_default_and_500_at_most() -> None:
    world = World(company(leads=leads(501)))
    assert len(world.listed()) == 100
    assert len(world.listed(limit=500)) == 500
    assert len(world.listed(limit=5000)) == 500
    assert pagination(world, limit=5000) == {
        "start": 0,
        "limit": 500,
        "more_items_in_collection": True,
        "next_start": 500,
    }


def test_next_start_is_present_only_if_more_leads_follow() -> None:
    world = World(company(leads=leads(4)))
    assert pagination(world, limit=2) == {"start": 0, "limit": 2, "more_items_in_collection": True, "next_start": 2}
    assert pagination(world, limit=2, start=2) == {"start": 2, "limit": 2, "more_items_in_collection": False}
    assert pagination(world, start=9) == {"start": 9, "limit": 100, "more_items_in_collection": False}
    assert world.listed(limit=3, start=1) == ["L001", "L002", "L003"]
    assert world.listed(start=9) == []


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "-1"},
        {"limit": "ten"},
        {"limit": "1.5"},
        {"limit": ""},
        {"limit": "9" * 5000},
        {"start": "-1"},
        {"start": "\u0661"},
        {"owner_id": "me"},
        {"person_id": "0"},
        {"organization_id": "x"},
        {"filter_id": "1"},
        {"sort": "name"},
        {"sort": "label_ids"},
        {"sort": "title UP"},
        {"sort": "title,"},
        {"sort": ""},
        {"updated_since": "2026-11-24T10:00:00.000Z"},
        {"updated_since": "2026-11-24"},
        {"updated_since": "2026-13-24T10:00:00Z"},
        {"updated_since": "0001-01-01T00:00:00+14:00"},
        {"updated_since": ""},
    ],
)
def test_a_malformed_query_is_refused(query: dict[str, str]) -> None:
    assert next(iter(query)) in World().refusal("GET", "/leads", params=query)


@pytest.mark.parametrize(
    ("start", "bound"),
    [("-1", "least 0"), ("x", "least 0"), ("9" * 23, "most 9007199254740991"), (str(2**53), "most 9007199254740991")],
)
def test_the_refusal_of_a_number_names_the_bound_that_it_breaks(start: str, bound: str) -> None:
    said = World().refusal("GET", "/leads", params={"start": start})
    assert said == f"start must be an integer of at {bound}"


def test_leads_are_listed_in_order_of_creation() -> None:
    times = {"L000": "2026-03-01T00:00:00.000Z", "L001": "2026-01-01T00:00:00.000Z", "L002": "2026-02-01T00:00:00.000Z"}
    world = World(company(leads=[{"title": title, "person_id": 1, "add_time": at} for title, at in times.items()]))
    world.add(title="New")
    assert world.listed() == ["L001", "L002", "L000", "New"]


def test_leads_are_sorted_by_the_given_fields() -> None:
    world = World(
        company(
            leads=[
                {"title": "b", "person_id": 1, "owner_id": 1, "expected_close_date": "2026-05-01"},
                {"title": "a", "person_id": 1, "owner_id": 2},
                {"title": "c", "person_id": 1, "owner_id": 1, "expected_close_date": "2026-04-01"},
            ]
        )
    )
    assert world.listed(sort="title") == ["a", "b", "c"]
    assert world.listed(sort="title DESC") == ["c", "b", "a"]
    assert world.listed(sort="title asc") == ["a", "b", "c"]
    assert world.listed(sort="owner_id DESC, title DESC") == ["a", "c", "b"]
    assert world.listed(sort="owner_id") == ["b", "c", "a"]
    assert world.listed(sort="expected_close_date") == ["a", "c", "b"]


def test_leads_are_filtered_by_owner_person_and_organization() -> None:
    world = World(
        company(
            leads=[
                {"title": "one", "person_id": 1, "owner_id": 1},
                {"title": "two", "organization_id": 2, "owner_id": 2},
                {"title": "three", "person_id": 1, "organization_id": 2, "owner_id": 2},
            ]
        )
    )
    assert world.listed(owner_id=2) == ["two", "three"]
    assert world.listed(person_id=1) == ["one", "three"]
    assert world.listed(organization_id=2, person_id=1) == ["three"]
    assert world.listed(owner_id=999) == []


def test_updated_since_is_inclusive_and_ignored_for_archived_leads() -> None:
    world = World(
        company(
            leads=[
                {"title": "old", "person_id": 1, "add_time": "2026-01-01T00:00:00.000Z"},
                {"title": "exact", "person_id": 1, "add_time": "2026-02-01T00:00:00.000Z"},
                {"title": "new", "person_id": 1, "add_time": "2026-02-01T00:00:00.001Z"},
                {"title": "gone", "person_id": 1, "add_time": "2026-01-01T00:00:00.000Z", "is_archived": True},
            ]
        )
    )
    assert world.listed(updated_since="2026-02-01T00:00:00Z") == ["exact", "new"]
    assert world.listed(updated_since="2026-02-01T02:00:00+02:00") == ["exact", "new"]
    assert world.listed(updated_since="2026-02-01T00:00:01Z") == []
    assert world.listed("/leads/archived", updated_since="2026-02-01T00:00:00Z") == ["gone"]


def test_live_and_archived_leads_are_listed_apart() -> None:
    world = World(company(leads=[*leads(2), {"title": "gone", "person_id": 1, "is_archived": True}]))
    assert world.listed() == ["L000", "L001"]
    assert world.listed("/leads/archived") == ["gone"]
    answer = world.api("GET", "/leads/archived", params={"limit": 1}).json()
    assert answer["additional_data"]["pagination"] == {"start": 0, "limit": 1, "more_items_in_collection": False}


def test_a_listing_shows_every_write_since_the_last_one() -> None:
    world = World(company(leads=leads(3)))
    first = world.data("GET", "/leads", params={"sort": "title"})[0]["id"]
    world.data("PATCH", f"/leads/{first}", {"title": "z"})
    assert world.listed(sort="title") == ["L001", "L002", "z"]
    world.data("PATCH", f"/leads/{first}", {"is_archived": True})
    assert world.listed() == ["L001", "L002"]
    world.data("PATCH", f"/leads/{first}", {"is_archived": False})
    assert world.listed() == ["z", "L001", "L002"], "a lead that comes back is as old as before"
    world.data("DELETE", f"/leads/{first}")
    assert world.listed() == ["L001", "L002"]


def test_companies_do_not_share_leads() -> None:
    world = World(company(leads=leads(1)), company("token-of-other", 7042, leads=leads(2)))
    assert world.listed() == ["L000"]
    assert len(world.data("GET", "/leads", token="token-of-other")) == 2
    mine = world.data("GET", "/leads")[0]["id"]
    assert world.api("GET", f"/leads/{mine}", token="token-of-other").status_code == 404


def test_later_pages_reuse_the_sorted_listing() -> None:
    (tables,) = (company.tables() for company in World(company(leads=leads(5))).sandbox.companies)

    views, query = Views(), Query(sort=(("title", True),))
    listed = views.ids(query, tables.leads)
    unread = iter(tables.leads)
    assert views.ids(query, unread) is listed
    assert len(list(unread)) == 5
    views.forget()
    assert views.ids(query, tables.leads[:2]) == [tables.leads[1].id, tables.leads[0].id]


def test_few_listings_are_remembered() -> None:
    views = Views()
    for owner in range(1, 1000):
        views.ids(Query(owner_id=owner), ())
    assert len(views) <= 16
