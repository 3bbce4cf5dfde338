"""Lead labels."""

from typing import Any

import pytest

from tests.harness.sandbox_driver import COLD, HOT, NOWHERE, World, company

COLORS = ["blue", "brown", "dark-gray", "gray", "green", "orange", "pink", "purple", "red", "yellow"]


def test_labels_are_listed_at_once_and_oldest_first() -> None:
    answer = World().api("GET", "/leadLabels")
    assert set(answer.json()) == {"success", "data"}
    times = {"add_time": "2026-11-24T10:00:00.000Z", "update_time": "2026-11-24T10:00:00.000Z"}
    assert answer.json()["data"] == [
        {"id": HOT, "name": "Hot", "color": "red", **times},
        {"id": COLD, "name": "Cold", "color": "blue", **times},
    ]


@pytest.mark.parametrize("color", COLORS)
def test_a_new_label_is_answered_with_200(color: str) -> None:
    world = World()
    world.clock.pass_by(1.5)
    answer = world.api("POST", "/leadLabels", {"name": "VIP", "color": color})
    assert answer.status_code == 200
    label = answer.json()["data"]
    assert label == {
        "id": label["id"],
        "name": "VIP",
        "color": color,
        "add_time": "2026-11-24T10:00:01.500Z",
        "update_time": "2026-11-24T10:00:01.500Z",
    }
    assert world.data("GET", "/leadLabels")[-1] == label


@pytest.mark.parametrize("change", [{"name": "Hotter"}, {"color": "green"}, {"name": "Hotter", "color": "green"}])
def test_an_updated_label_keeps_its_id_and_its_leads(change: dict[str, str]) -> None:
    world = World()
    lead = world.add(label_ids=[HOT])
    before = world.data("GET", "/leadLabels")
    world.clock.pass_by(5)
    after = world.data("PATCH", f"/leadLabels/{HOT}", change)
    assert after == {**before[0], **change, "update_time": "2026-11-24T10:00:05.000Z"}
    assert world.data("GET", "/leadLabels") == [after, before[1]]
    assert world.data("GET", f"/leads/{lead['id']}") == lead


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"name": ""}, "name"),
        ({"name": "  "}, "name"),
        ({"name": None}, "name"),
        ({"name": 5}, "name"),
        ({"color": "teal"}, "color"),
        ({"color": "Red"}, "color"),
        ({"color": None}, "color"),
        ({"color": ["red"]}, "color"),
        ({"id": HOT}, "Invalid field(s) in the payload: id"),
        ({"colour": "red"}, "Invalid field(s) in the payload: colour"),
    ],
)
@pytest.mark.parametrize(("method", "path"), [("POST", "/leadLabels"), ("PATCH", f"/leadLabels/{HOT}")])
def test_a_wrong_value_is_refused_and_changes_nothing(method: str, path: str, body: dict[str, Any], word: str) -> None:
    world = World()
    before = world.sandbox.dump()
    assert word in world.refusal(method, path, {"name": "VIP", "color": "red", **body} if method == "POST" else body)
    assert world.sandbox.dump() == before


@pytest.mark.parametrize(
    ("body", "message"), [({"color": "red"}, "name is required"), ({"name": "x"}, "color is required")]
)
def test_a_new_label_needs_name_and_color(body: dict[str, str], message: str) -> None:
    assert World().refusal("POST", "/leadLabels", body) == message


def test_two_labels_may_share_a_name() -> None:
    world = World()
    world.data("POST", "/leadLabels", {"name": "Hot", "color": "red"})
    world.data("PATCH", f"/leadLabels/{COLD}", {"name": "Hot"})
    assert [label["name"] for label in world.data("GET", "/leadLabels")] == ["Hot", "Hot", "Hot"]


def test_a_company_with_unique_label_names_refuses_a_second_one() -> None:
    world = World(company(unique_label_names=True))
    for taken in ("Hot", " Hot "):
        assert "already exists" in world.refusal("POST", "/leadLabels", {"name": taken, "color": "red"})
        assert "already exists" in world.refusal("PATCH", f"/leadLabels/{COLD}", {"name": taken})
    world.data("PATCH", f"/leadLabels/{HOT}", {"name": "Hot ", "color": "green"})
    world.data("POST", "/leadLabels", {"name": "hot", "color": "red"})
    assert len(world.data("GET", "/leadLabels")) == 3


def test_a_deleted_label_is_removed_from_its_leads_without_an_update() -> None:
    world = World()
    both, hot, none = world.add(label_ids=[HOT, COLD]), world.add(label_ids=[HOT]), world.add()
    world.data("PATCH", f"/leads/{hot['id']}", {"is_archived": True})
    archived = world.data("GET", f"/leads/{hot['id']}")
    world.clock.pass_by(60)
    assert world.api("DELETE", f"/leadLabels/{HOT}").json() == {"success": True, "data": {"id": HOT}}
    assert world.data("GET", f"/leads/{both['id']}") == {**both, "label_ids": [COLD]}
    assert world.data("GET", "/leads/archived") == [{**archived, "label_ids": []}]
    assert world.data("GET", f"/leads/{none['id']}") == none
    assert HOT in world.refusal("PATCH", f"/leads/{none['id']}", {"label_ids": [HOT]})


@pytest.mark.parametrize(("method", "body"), [("PATCH", b"{"), ("DELETE", None)])
def test_a_missing_label_is_404(method: str, body: bytes | None) -> None:
    answer = World().api(method, f"/leadLabels/{NOWHERE}", body)
    assert answer.status_code == 404
    assert answer.json()["error"] == "requested lead label not found"
    assert answer.json()["error_info"] == "Object was not found."


def test_a_single_label_cannot_be_read() -> None:
    assert World().api("GET", f"/leadLabels/{HOT}").status_code == 405
