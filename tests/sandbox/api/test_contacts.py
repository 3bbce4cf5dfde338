"""Looking up persons and organizations by the second version of the API."""

from typing import Any

import pytest

from tests.harness.sandbox_driver import OTHER, World, company

PERSONS = [
    {"id": 2, "name": "Jan Birch", "emails": ["office@acme.test"], "phones": ["+372 555 0100"], "organization_id": 1},
    {"id": 1, "name": "Jane Alder", "emails": ["jane@acme.test", "j.alder@home.test"], "organization_id": 1},
    {"id": 3, "name": "Ålvar Kask", "emails": ["OFFICE@acme.test"]},
    {"id": 4, "name": "jane"},
]
ORGANIZATIONS = [
    {"id": 1, "name": "Acme", "address": "3 Mill Lane, Tallinn"},
    {"id": 2, "name": "Acme"},
    {"id": 3, "name": "Acme Holding"},
]


def new_world(**more: Any) -> World:
    return World(company(persons=PERSONS, organizations=ORGANIZATIONS, **more))


def search(path: str, **query: Any) -> list[int]:
    return [hit["item"]["id"] for hit in new_world().second(path, **query)["data"]["items"]]


def persons(**query: Any) -> list[int]:
    return sorted(search("/persons/search", **query))


def organizations(**query: Any) -> list[int]:
    return sorted(search("/organizations/search", **query))


def test_a_found_person_has_every_documented_key() -> None:
    answer = new_world().second("/persons/search", term="JANE@acme.test", fields="email", exact_match="true")
    assert answer == {
        "success": True,
        "data": {
            "items": [
                {
                    "result_score": 1.0,
                    "item": {
                        "id": 1,
                        "type": "person",
                        "name": "Jane Alder",
                        "phones": [],
                        "emails": ["jane@acme.test", "j.alder@home.test"],
                        "visible_to": 3,
                        "owner": {"id": 1},
                        "organization": {"id": 1, "name": "Acme", "address": "3 Mill Lane, Tallinn"},
                        "custom_fields": [],
                        "notes": [],
                    },
                }
            ]
        },
        "additional_data": {"next_cursor": None},
    }


def test_a_found_organization_has_every_documented_key() -> None:
    answer = new_world().second("/organizations/search", term="acme holding", fields="name", exact_match="true")
    assert answer["data"]["items"] == [
        {
            "result_score": 1.0,
            "item": {
                "id": 3,
                "type": "organization",
                "name": "Acme Holding",
                "address": None,
                "visible_to": 3,
                "owner": {"id": 1},
                "custom_fields": [],
                "notes": [],
            },
        }
    ]


def test_an_exact_match_compares_whole_values_without_case() -> None:
    assert persons(term="office@ACME.test", fields="email", exact_match="true") == [2, 3], "an email need not be unique"
    assert persons(term="acme.test", fields="email", exact_match="true") == []
    assert persons(term="j.alder@home.test", fields="email", exact_match="true") == [1], "every email counts"
    assert persons(term="ålvar KASK", fields="name", exact_match="true") == [3]
    assert organizations(term="ACME", fields="name", exact_match="true") == [1, 2]


def test_a_search_finds_parts_in_all_or_the_chosen_fields() -> None:
    assert persons(term="jan") == [1, 2, 4]
    assert persons(term="jan", fields="email") == [1]
    assert persons(term="0100") == [2]
    assert persons(term="0100", fields="name,email") == []
    assert persons(term="0100", fields="phone,notes,custom_fields") == [2]
    assert organizations(term="tallinn") == [1]
    assert organizations(term="tallinn", fields="name") == []
    assert organizations(term="acme") == [1, 2, 3]
    assert organizations(term="nobody") == []


def test_hits_are_sorted_by_score_and_then_newest_first() -> None:
    assert search("/organizations/search", term="acme") == [2, 1, 3]
    assert search("/persons/search", term="jane", fields="name") == [4, 1]


def test_persons_are_searched_within_one_organization() -> None:
    assert persons(term="jan", organization_id=1) == [1, 2]
    assert persons(term="jan", organization_id=9) == []
    assert persons(term="jan", include_fields="person.picture") == [1, 2, 4]


@pytest.mark.parametrize("path", ["/persons/search", "/organizations/search"])
@pytest.mark.parametrize(
    ("query", "word"),
    [
        ({}, "term"),
        ({"term": ""}, "term"),
        ({"term": " a "}, "term"),
        ({"term": " ", "exact_match": "true"}, "term"),
        ({"term": "acme", "exact_match": "1"}, "exact_match"),
        ({"term": "acme", "fields": "title"}, "fields"),
        ({"term": "acme", "fields": ""}, "fields"),
        ({"term": "acme", "fields": "name,"}, "fields"),
        ({"term": "acme", "limit": "0"}, "limit"),
        ({"term": "acme", "limit": "501"}, "limit"),
        ({"term": "acme", "cursor": ""}, "cursor"),
        ({"term": "acme", "cursor": "1"}, "cursor"),
        ({"term": "acme", "cursor": "ünïcode"}, "cursor"),
        ({"term": "acme", "cursor": "eyJzdGFydCI6IC0xfQ"}, "cursor"),
        ({"term": "acme", "cursor": "W10"}, "cursor"),
        ({"term": "acme", "cursor": "eyJzdGFydCI6MX0"}, "cursor"),
        ({"term": "acme", "cursor": "eyJzdGFydCI6IDEuNX0"}, "cursor"),
    ],
)
def test_a_malformed_search_is_refused(path: str, query: dict[str, str], word: str) -> None:
    answer = new_world().call("GET", f"/api/v2{path}", params=query)
    assert answer.status_code == 400
    body = answer.json()
    assert (body["success"], body["data"], body["code"]) == (False, None, "ERR_SCHEMA_VALIDATION_FAILED")
    assert body["error"].startswith(f"Validation failed: {word} ")


@pytest.mark.parametrize("query", [{"organization_id": "x"}, {"include_fields": "person.name"}, {"fields": "address"}])
def test_malformed_parameters_of_a_person_search_are_refused(query: dict[str, str]) -> None:
    answer = new_world().call("GET", "/api/v2/persons/search", params={"term": "jane", **query})
    assert answer.status_code == 400
    assert next(iter(query)) in answer.json()["error"]


def test_one_character_is_enough_for_an_exact_match() -> None:
    world = World(company(organizations=[{"id": 1, "name": "X"}]))
    assert len(world.second("/organizations/search", term="x", exact_match="true")["data"]["items"]) == 1


def test_cursors_lead_through_all_pages() -> None:
    world = World(company(persons=[{"id": i, "name": f"Person {i:03}"} for i in range(1, 251)]))
    assert len(world.second("/persons/search", term="person")["data"]["items"]) == 100
    whole = world.second("/persons/search", term="person", limit=250)
    assert (len(whole["data"]["items"]), whole["additional_data"]) == (250, {"next_cursor": None})
    seen: list[int] = []
    cursor: dict[str, str] = {}
    while True:
        page = world.second("/persons/search", term="person", limit=99, **cursor)
        seen += [hit["item"]["id"] for hit in page["data"]["items"]]
        assert page["data"]["items"], "no page is empty"
        if page["additional_data"]["next_cursor"] is None:
            break
        cursor = {"cursor": page["additional_data"]["next_cursor"]}
    assert sorted(seen) == list(range(1, 251))


def test_persons_are_listed_by_id() -> None:
    answer = new_world().second("/persons", ids="2,99,1")
    assert [person["id"] for person in answer["data"]] == [1, 2], "an id that there is not is left out"
    assert answer["additional_data"] == {"next_cursor": None}
    assert answer["data"][0] == {
        "id": 1,
        "name": "Jane Alder",
        "first_name": "Jane",
        "last_name": "Alder",
        "owner_id": 1,
        "org_id": 1,
        "add_time": "2024-01-08T09:00:00Z",
        "update_time": "2024-01-08T09:00:00Z",
        "emails": [
            {"value": "jane@acme.test", "primary": True, "label": "work"},
            {"value": "j.alder@home.test", "primary": False, "label": "work"},
        ],
        "phones": [],
        "is_deleted": False,
        "visible_to": 3,
        "label_ids": [],
        "picture_id": None,
        "custom_fields": {},
    }
    assert [person["id"] for person in new_world().second("/persons", limit=3)["data"]] == [1, 2, 3]


def test_one_request_names_100_persons_at_most() -> None:
    world = new_world()
    assert world.call("GET", "/api/v2/persons", params={"ids": ",".join(map(str, range(1, 101)))}).is_success
    for query in (
        {"ids": ",".join(map(str, range(1, 102)))},
        {"ids": ""},
        {"ids": "1,x"},
        {"ids": "1, 2"},
        {"filter_id": "1"},
        {"org_id": "1"},
        {"limit": "501"},
    ):
        assert world.call("GET", "/api/v2/persons", params=query).status_code == 400


def test_version_2_is_served_under_its_own_prefix_only() -> None:
    world = new_world()
    for path in ("/persons/search", "/organizations/search", "/persons", "/dealFields"):
        for prefix in ("/api/v1", "/v1", "/v2"):
            assert world.call("GET", f"{prefix}{path}", params={"term": "jane"}).status_code == 404
        assert world.call("GET", f"/api/v2{path}", params={"term": "jane"}).status_code == 200
        assert world.call("GET", f"/api/v2{path}", token=None).status_code == 401
        assert world.call("POST", f"/api/v2{path}").status_code == 405
    for path in ("/leadFields", "/users", "/leads"):
        assert world.call("GET", f"/api/v2{path}").status_code == 404


def test_companies_do_not_share_contacts() -> None:
    world = World(company(persons=PERSONS, organizations=ORGANIZATIONS), company(OTHER, 7042))
    answer = world.call("GET", "/api/v2/persons/search", params={"term": "jane"}, token=OTHER)
    assert answer.json()["data"]["items"] == []
