"""State in a SQLite file."""

import sqlite3
import stat
import sys
from pathlib import Path

import pytest

from leadstate.sandbox import Sandbox, SeedError, StoreError
from tests.harness.sandbox_driver import COLD, HOT, OTHER, World, company


def test_the_state_survives_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "sandbox.db"
    world = World(company(), company(OTHER, 7042), db=file)
    kept, doomed = world.add(title="kept", label_ids=[HOT, COLD]), world.add(title="doomed")
    world.data("POST", "/leads", {"title": "other", "person_id": 1}, token=OTHER)
    world.clock.pass_by(1)
    world.data("PATCH", f"/leads/{kept['id']}", {"is_archived": True})
    world.data("DELETE", f"/leads/{doomed['id']}")
    world.data("POST", "/leadLabels", {"name": "VIP", "color": "pink"})
    world.data("PATCH", f"/leadLabels/{COLD}", {"color": "gray"})
    world.data("DELETE", f"/leadLabels/{HOT}")
    world.sandbox.close()

    again = Sandbox("empty", db=file)
    assert again.dump() == world.sandbox.dump()
    assert [company.id for company in again.companies] == [7041, 7042]
    (lead,) = again.companies[0].tables().leads
    assert (lead.title, lead.label_ids, lead.is_archived) == ("kept", (COLD,), True)
    again.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes")
def test_only_the_owner_can_read_the_file(tmp_path: Path) -> None:
    new, old = tmp_path / "new.db", tmp_path / "old.db"
    old.touch(0o644)
    for file in (new, old):
        Sandbox("empty", db=file).close()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_replaced_state_replaces_the_file(tmp_path: Path) -> None:
    world = World(company(), company(OTHER, 7042), db=tmp_path / "a.db")
    world.add()
    assert world.call("PUT", "/_sandbox/state", company("new", 1)).status_code == 200
    with pytest.raises(SeedError):
        world.sandbox.replace(company(plan="gold"))
    world.sandbox.close()
    again = Sandbox("empty", db=tmp_path / "a.db")
    assert again.dump() == world.sandbox.dump()
    assert [company.id for company in again.companies] == [1]
    again.close()


def test_a_change_that_cannot_be_stored_is_not_made(tmp_path: Path) -> None:
    world = World(db=tmp_path / "a.db")
    lead = world.add(label_ids=[HOT])
    before = world.sandbox.dump()
    world.sandbox.close()
    for method, path, body in (
        ("POST", "/leads", {"title": "x", "person_id": 1}),
        ("PATCH", f"/leads/{lead['id']}", {"title": "x"}),
        ("DELETE", f"/leads/{lead['id']}", None),
        ("POST", "/leadLabels", {"name": "x", "color": "red"}),
        ("PATCH", f"/leadLabels/{HOT}", {"name": "x"}),
        ("DELETE", f"/leadLabels/{HOT}", None),
    ):
        assert world.api(method, path, body).status_code == 500
        assert world.sandbox.dump() == before


def test_another_sqlite_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("no database " * 100)
    with pytest.raises(StoreError, match=r"text\.db"):
        Sandbox("empty", db=tmp_path / "text.db")
    with sqlite3.connect(tmp_path / "foreign.db") as foreign:
        foreign.execute("CREATE TABLE things (id)")
    foreign.close()
    with pytest.raises(StoreError, match=r"foreign\.db"):
        Sandbox("empty", db=str(tmp_path / "foreign.db"))
    with pytest.raises(OSError, match="nowhere"):
        Sandbox("empty", db=tmp_path / "nowhere" / "a.db")


def test_an_invalid_seed_leaves_no_open_file(tmp_path: Path) -> None:
    with pytest.raises(SeedError):
        Sandbox(company(plan="gold"), db=tmp_path / "a.db")
    again = Sandbox(company(), db=tmp_path / "a.db")
    assert len(again.companies) == 1, "the file was still empty, so the seed fills it"
    again.close()
