"""State in a SQLite file."""

import re
import sqlite3
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from leadstate.sandbox import Sandbox, SeedError, StoreError
from tests.harness.cli_process import python, serving
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


def _changed(statement: str) -> Callable[[Path], None]:
    def change(file: Path) -> None:
        with sqlite3.connect(file) as db:
            db.execute(statement)
        db.close()

    return change


def _overwritten(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))


@pytest.mark.parametrize(
    ("damage", "place"),
    [
        (_changed("UPDATE rows SET body = '{' WHERE kind = 'label'"), f"label {HOT}"),
        (_changed("UPDATE rows SET body = printf('%.200000c', '[') WHERE kind = 'label'"), f"label {HOT}"),
        (_changed("UPDATE rows SET body = '[1]' WHERE kind = 'company'"), "company 7041"),
        (_changed("UPDATE rows SET body = CAST(x'ff' AS TEXT) WHERE kind = 'label'"), "company 7041"),
        (_changed("UPDATE rows SET kind = 'field' WHERE kind = 'label'"), f"field {HOT}"),
        (_changed("DELETE FROM rows WHERE kind = 'company'"), f"label {HOT}"),
        (_changed("UPDATE rows SET body = json_set(body, '$.color', 'teal') WHERE kind = 'label'"), "color: must be"),
        (_changed("UPDATE rows SET body = json_set(body, '$.company.id', 1e23)"), "company.id: must be"),
        (_changed("ALTER TABLE rows RENAME COLUMN body TO content"), "its beginning"),
        (_overwritten, "its beginning"),
    ],
)
def test_damaged_content_is_an_error_with_file_place_and_fix(
    damage: Callable[[Path], None], place: str, tmp_path: Path
) -> None:
    file = tmp_path / "a.db"
    Sandbox(company(), db=file).close()
    damage(file)
    with pytest.raises(StoreError, match=rf"a\.db: .*{re.escape(place)}.*; delete the file"):
        Sandbox("empty", db=file)
    file.unlink()
    Sandbox("empty", db=file).close()


def test_a_refused_file_keeps_its_content_and_mode(tmp_path: Path) -> None:
    file = tmp_path / "foreign.db"
    _changed("CREATE TABLE things (id)")(file)
    file.chmod(0o644)
    before = file.read_bytes(), file.stat().st_mode
    with pytest.raises(StoreError, match="name another file"):
        Sandbox("empty", db=file)
    assert (file.read_bytes(), file.stat().st_mode) == before


HOLD = (
    "import sys; from leadstate.sandbox import Sandbox; s = Sandbox('fresh', db=sys.argv[1]); print('held', flush=True)"
)


def test_a_second_sandbox_is_refused_the_file_until_the_first_is_gone(tmp_path: Path) -> None:
    file = tmp_path / "a.db"
    with serving("-c", f"{HOLD}; import threading; threading.Event().wait()", str(file)) as (process, _):
        with pytest.raises(StoreError, match=r"a\.db: another process has it open, .* or name another file"):
            Sandbox("empty", db=file)
        process.kill()
        process.wait()
        again = Sandbox("empty", db=file)
    assert len(again.companies[0].labels()) == 3, "what the killed process stored is there"
    again.close()


def test_a_refused_second_sandbox_of_one_process_leaves_the_file_locked_for_others(tmp_path: Path) -> None:
    first = Sandbox("fresh", db=tmp_path / "a.db")
    with pytest.raises(StoreError, match="another process"):
        Sandbox("fresh", db=tmp_path / "a.db")
    done = python("-c", HOLD, str(tmp_path / "a.db"))
    assert "StoreError" in done.stderr
    first.close()
    assert python("-c", HOLD, str(tmp_path / "a.db")).stdout == "held\n"


FULL = """
import resource, sys
from leadstate.sandbox import Sandbox, StoreError
resource.setrlimit(resource.RLIMIT_FSIZE, (16_384, 16_384))
try:
    Sandbox("drifted", db=sys.argv[1])
except StoreError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limits of a process")
def test_a_seed_that_the_disk_has_no_room_for_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    done = python("-c", FULL, str(tmp_path / "a.db"))
    assert re.fullmatch(rf"{re.escape(str(tmp_path))}/a\.db: cannot be written: .*\n", done.stdout), done.stderr
