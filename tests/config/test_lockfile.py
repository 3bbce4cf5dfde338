"""The lock file keeps what it is given, in one form."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadstate.api.configuration import lock_file
from leadstate.config.lockfile import Lock, LockError, lock_text, read_lock
from leadstate.model.address import Ref

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1)
REFS = st.builds(Ref, st.sampled_from(["label", "lead"]), TEXT)
LOCKS = st.dictionaries(TEXT, st.dictionaries(REFS, st.uuids().map(str), min_size=1))
ID = "1b4e28ba-2fa1-11d2-883f-b9a761bde3fb"


@given(LOCKS)
def test_lock_file_round_trips_in_one_form(tmp_path_factory: pytest.TempPathFactory, lock: Lock) -> None:
    path = tmp_path_factory.mktemp("lock") / "leadstate.lock.json"
    path.write_text(lock_text(lock), encoding="utf-8")
    assert read_lock(path) == lock
    again = {account: dict(list(entries.items())[::-1]) for account, entries in list(lock.items())[::-1]}
    assert lock_text(again) == lock_text(lock)


def test_lock_file_is_beside_the_file_or_in_the_folder(tmp_path: Path) -> None:
    assert lock_file([Path("leadstate.yaml")]) == Path("leadstate.lock.json")
    assert lock_file([tmp_path, tmp_path / "more" / "labels.yaml"]) == tmp_path / "leadstate.lock.json"


@pytest.mark.parametrize(
    "remote_id", ["", "../users/me", "7", f"{ID}/", f"{ID}\n", ID[:-1], ID.replace("-", ""), "٣" * 36]
)
def test_malformed_id_in_a_lock_file_is_refused(tmp_path: Path, remote_id: str) -> None:
    path = tmp_path / "leadstate.lock.json"
    path.write_text(lock_text({"emea": {Ref("label", "Hot"): remote_id}}), encoding="utf-8")
    with pytest.raises(LockError, match=r"emea\.label:Hot: String should match"):
        read_lock(path)


@pytest.mark.parametrize("more", [{}, {"accounts": {}}, {"accounts": {}, "new": 1}])
def test_a_lock_file_of_a_later_format_is_an_error_that_does_not_advise_to_remove_it(
    tmp_path: Path, more: dict[str, object]
) -> None:
    path = tmp_path / "leadstate.lock.json"
    path.write_text(json.dumps({"version": 2, **more}))
    with pytest.raises(LockError, match="has format version 2") as raised:
        read_lock(path)
    assert raised.value.hint == "install the leadstate that wrote it, or a later one"


def test_an_entry_of_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "leadstate.lock.json"
    path.write_text(lock_text({"emea": {Ref("deal", "x"): ID}}), encoding="utf-8")
    with pytest.raises(LockError, match=r"emea\.deal:x\.\[key\]: String should match pattern '\^\(label\|lead\):"):
        read_lock(path)


def test_id_in_capitals_is_accepted(tmp_path: Path) -> None:
    path, lock = tmp_path / "leadstate.lock.json", {"emea": {Ref("label", "Hot"): ID.upper()}}
    path.write_text(lock_text(lock), encoding="utf-8")
    assert read_lock(path) == lock
