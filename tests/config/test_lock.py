"""The lock file keeps what it is given, in one form."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadstate.config.lock import Lock, lock_path, lock_text, read_lock
from leadstate.core.address import Ref

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1)
REFS = st.builds(Ref, st.sampled_from(["label", "lead"]), TEXT)
LOCKS = st.dictionaries(TEXT, st.dictionaries(REFS, TEXT, min_size=1))


@given(LOCKS)
def test_it_comes_back_as_it_was_and_in_one_form(tmp_path_factory: pytest.TempPathFactory, lock: Lock) -> None:
    path = tmp_path_factory.mktemp("lock") / "leadstate.lock.json"
    path.write_text(lock_text(lock), encoding="utf-8")
    assert read_lock(path) == lock
    again = {account: dict(list(entries.items())[::-1]) for account, entries in list(lock.items())[::-1]}
    assert lock_text(again) == lock_text(lock)


def test_it_is_beside_the_file_or_in_the_folder(tmp_path: Path) -> None:
    assert lock_path(Path("leadstate.yaml")) == Path("leadstate.lock.json")
    assert lock_path(tmp_path) == tmp_path / "leadstate.lock.json"
