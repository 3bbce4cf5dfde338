"""Saved filters."""

from typing import Any

from tests.harness.sandbox_driver import HOT, World, company

CONDITIONS: dict[str, Any] = {
    "glue": "and",
    "conditions": [
        {"glue": "and", "conditions": [{"object": "deal", "field_id": "1", "operator": "=", "value": HOT}]},
        {"glue": "or", "conditions": []},
    ],
}
FILTERS = [
    {"id": 4, "name": "Hot ones", "type": "leads", "conditions": CONDITIONS},
    {"id": 9, "name": "Deals", "type": "deals", "user_id": 2, "temporary_flag": True, "active_flag": False},
]


def test_the_list_holds_no_conditions_and_one_filter_does() -> None:
    world = World(company(filters=FILTERS))
    hot = {
        "id": 4,
        "name": "Hot ones",
        "active_flag": True,
        "type": "leads",
        "temporary_flag": None,
        "user_id": 1,
        "add_time": "2026-11-24T10:00:00.000Z",
        "update_time": None,
        "visible_to": "7",
        "custom_view_id": None,
    }
    listed = world.data("GET", "/filters")
    assert listed[0] == hot
    assert (listed[1]["user_id"], listed[1]["temporary_flag"], listed[1]["active_flag"]) == (2, True, False)
    assert world.data("GET", "/filters/4") == {**hot, "conditions": CONDITIONS}


def test_a_type_narrows_the_list_and_an_unknown_one_is_refused() -> None:
    world = World(company(filters=FILTERS))
    assert [row["id"] for row in world.data("GET", "/filters?type=leads")] == [4]
    assert world.api("GET", "/filters?type=lead").status_code == 400


def test_the_refusal_to_apply_a_filter_does_not_deny_that_it_exists() -> None:
    world = World(company(filters=FILTERS))
    said = "filter_id is not supported by this sandbox, which applies no filter"
    assert world.refusal("GET", "/leads", params={"filter_id": "4"}) == said


def test_a_filter_that_does_not_exist_is_404() -> None:
    answer = World().api("GET", "/filters/4")
    assert (answer.status_code, answer.json()["error"]) == (404, "requested filter not found")


def test_filters_cost_twenty_tokens_listed_and_two_each() -> None:
    world = World(company(filters=FILTERS))
    world.api("GET", "/filters")
    world.api("GET", "/filters/4")
    assert world.sandbox.meter.report()["tokens"] == 22


def test_filters_outlive_a_dump() -> None:
    world = World(company(filters=FILTERS))
    dumped = world.sandbox.dump()
    again = World()
    again.sandbox.replace(dumped)
    assert again.sandbox.dump() == dumped
    assert again.data("GET", "/filters/4")["conditions"] == CONDITIONS
