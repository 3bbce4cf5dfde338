"""Several runs on one machine bring one lock file up to date."""

import threading
from pathlib import Path

import pytest

from leadstate.api import run_lock
from leadstate.api.lockfile import add_ids
from leadstate.api.run_lock import NoStateFolder, hold_file_lock
from leadstate.config import LockError, read_lock
from leadstate.model.address import Ref

ROUNDS = 20


def id_of(number: int) -> str:
    return f"1b4e28ba-2fa1-11d2-883f-{number:012x}"


def test_entries_that_two_runs_write_at_once_are_all_kept(tmp_path: Path) -> None:
    path, state = tmp_path / "leadstate.lock.json", tmp_path / "state"

    def write(account: str, first: int) -> None:
        for number in range(first, first + ROUNDS):
            add_ids(path, {account: {Ref("lead", f"k{number}"): id_of(number)}}, state)

    writers = [threading.Thread(target=write, args=args) for args in (("emea", 0), ("us", ROUNDS))]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert {name: len(entries) for name, entries in read_lock(path).items()} == {"emea": ROUNDS, "us": ROUNDS}


def test_a_lock_file_is_one_however_its_folder_is_reached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_lock, "PATIENCE", 0)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "real").mkdir()
    (tmp_path / "linked").symlink_to("real")
    others = [Path("other.json"), tmp_path / "leadstate.lock.json"]
    with hold_file_lock(tmp_path / "real" / "leadstate.lock.json", tmp_path):
        for path in (Path("linked", "leadstate.lock.json"), Path("real", "..", "real", "leadstate.lock.json")):
            with pytest.raises(LockError, match="another run has been writing"), hold_file_lock(path, tmp_path):
                raise AssertionError
        for path in others:
            with hold_file_lock(path, tmp_path):
                pass


def test_without_a_place_for_locks_a_lock_file_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "leadstate.lock.json"
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", Path("~", ".local", "state")):
        with pytest.raises(NoStateFolder) as told:
            add_ids(path, {"emea": {Ref("lead", "k"): id_of(1)}}, folder)
        assert "XDG_STATE_HOME" in told.value.hint
    assert not path.exists()
