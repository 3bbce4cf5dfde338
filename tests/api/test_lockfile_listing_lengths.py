"""What is remembered of listings: a hint that may be lost, wrong or unreadable."""

import os
from pathlib import Path

import pytest

from leadstate.api import lockfile
from leadstate.api.lockfile import NAME, read_lengths, write_lengths

LONG = {"emea https://acme.pipedrive.com": {"getLeads": 101}}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_lengths(tmp_path / "new", {}, LONG)
    assert read_lengths(tmp_path / "new") == LONG


def test_lengths_of_other_accounts_are_kept_and_short_listings_dropped(tmp_path: Path) -> None:
    write_lengths(tmp_path, LONG, {"us http://127.0.0.1:1": {"getLeads": 1}, "a b": {"getLeads": 7}})
    assert read_lengths(tmp_path) == {**LONG, "a b": {"getLeads": 7}}
    write_lengths(tmp_path, LONG, {next(iter(LONG)): {"getLeads": 1}, "a b": {"getLeads": 7}})
    assert read_lengths(tmp_path) == {"a b": {"getLeads": 7}}


def test_no_file_is_written_without_lengths(tmp_path: Path) -> None:
    write_lengths(tmp_path / "new", {}, {"a b": {"getLeads": 1}})
    write_lengths(tmp_path / "new", LONG, LONG)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000, '{"a": 1}', "1", "Infinity", "9" * 5_000])
def test_another_file_is_ignored(tmp_path: Path, text: str) -> None:
    (tmp_path / NAME).write_text(text, encoding="utf-8")
    assert read_lengths(tmp_path) == {}


@pytest.mark.parametrize(
    "pages", ["null", '"7"', "Infinity", "-Infinity", "NaN", "1e400", "7.0", "true", "-7", "1", "10001", "[7]", "{}"]
)
def test_an_impossible_length_is_ignored(tmp_path: Path, pages: str) -> None:
    (tmp_path / NAME).write_text(f'{{"a b": {{"getLeads": {pages}, "getArchivedLeads": 7}}}}', encoding="utf-8")
    assert read_lengths(tmp_path) == {"a b": {"getArchivedLeads": 7}}


def test_without_a_home_no_folder_named_tilde_is_created(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_lengths(Path("~", ".cache"), {}, LONG)
    assert not list(tmp_path.iterdir())


def test_a_cache_may_be_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_lengths(Path("cache"), {}, LONG)
    assert read_lengths(tmp_path / "cache") == read_lengths(Path("cache")) != {}


def test_an_unwritable_cache_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    write_lengths(tmp_path / "file", {}, LONG)
    assert read_lengths(tmp_path / "file") == {}


def test_a_pipe_a_device_and_a_large_file_are_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "device").mkdir()
    (tmp_path / "device" / NAME).symlink_to("/dev/zero")
    (tmp_path / "pipe").mkdir()
    os.mkfifo(tmp_path / "pipe" / NAME)
    assert read_lengths(tmp_path / "device") == read_lengths(tmp_path / "pipe") == {}
    write_lengths(tmp_path, {}, LONG)
    assert read_lengths(tmp_path) == LONG
    monkeypatch.setattr(lockfile, "LARGEST", 20)
    assert read_lengths(tmp_path) == {}


@pytest.mark.parametrize("name", [".cache", ".cache/leadstate"])
def test_no_lengths_are_written_over_a_link_out_of_the_repository(tmp_path: Path, name: str) -> None:
    repository, elsewhere = tmp_path / "repository", tmp_path / "elsewhere"
    (repository / ".git").mkdir(parents=True)
    elsewhere.mkdir()
    (repository / name).parent.mkdir(exist_ok=True)
    (repository / name).symlink_to(elsewhere)
    write_lengths(repository / ".cache" / "leadstate", {}, LONG)
    assert list(elsewhere.iterdir()) == []
