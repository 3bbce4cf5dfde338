"""`--stats` and `--refresh delta`, as people use them: what is said, what is kept, and what is never trusted."""

import json
import stat
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import click.testing
import pytest

from leadstate.cli.main import cli
from leadstate.cli.session import Runtime
from leadstate.cli.snapshots import SnapshotFile
from leadstate.engine.delta import Snapshot
from tests.builders import live_lead
from tests.engine.reading import BEGIN, TOKEN, Company, lead_id

COUNT = 30


class World:
    """A configuration of 30 leads in one account, its lock file, and a cache."""

    def __init__(self, folder: Path) -> None:
        self.company = Company(COUNT, others=3)
        self.folder = folder
        leads = [{"key": f"k{number}", "title": f"k{number}", "person": 1} for number in range(COUNT)]
        self.declare(leads)
        known = {f"lead:k{number}": lead_id(number) for number in range(COUNT)}
        (folder / "leadstate.lock.json").write_text(json.dumps({"version": 1, "accounts": {"emea": known}}))
        cache = folder / "cache"
        cache.mkdir()
        (cache / "pages.json").write_text(json.dumps({"emea http://127.0.0.1:1": {"getLeads": 101}}))

    def declare(self, leads: object) -> None:
        """Write the configuration."""
        accounts = {"emea": {"url": "http://127.0.0.1:1", "token": {"env": "T"}}}
        labels = [{"name": "Hot", "color": "red"}]
        whole = {"version": 1, "namespace": "ns", "accounts": accounts, "labels": labels, "leads": leads}
        (self.folder / "leadstate.yaml").write_text(json.dumps(whole))

    def __call__(self, *words: str) -> tuple[int, str, str]:
        folder = self.folder
        self.company.sent.clear()
        runtime = Runtime(
            environ={"T": TOKEN}, transport=self.company, receipts=folder / "receipts", cache=folder / "cache"
        )
        done = click.testing.CliRunner().invoke(cli, list(words), obj=runtime, standalone_mode=False)
        if done.exception:
            raise done.exception
        return int(done.return_value), done.stdout, done.stderr

    @property
    def kept(self) -> Path:
        """The one file of the snapshots."""
        (found,) = (self.folder / "cache" / "leads").iterdir()
        return found


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.chdir(tmp_path)
    return World(tmp_path)


def test_statistics_say_how_it_was_read_and_what_that_took(world: World) -> None:
    code, out, err = world("plan", "--stats")
    assert code == 0
    assert err.splitlines() == [
        "emea  live leads: 30 read by id (60 tokens); a full list would take at least 2,020",
        "emea  31 requests, 70 tokens: getLead 30, getLeadLabels 1",
    ]
    assert "Read 31 requests, 70 tokens" in out
    world.company.update(3, title="drifted")
    _, out, err = world("apply", "--auto-approve", "--stats")
    assert "updateLead 1" in err
    assert "Read again: 0 differences" in out


def test_delta_says_what_it_cannot_see_and_keeps_our_leads_alone(world: World) -> None:
    _, out, err = world("plan", "--refresh", "delta")
    assert err == "Read in full: emea (nothing is kept of an earlier reading).\n"
    assert "read-in-part" not in out
    assert stat.S_IMODE(world.kept.stat().st_mode) == 0o600
    text = world.kept.read_text()
    assert "stranger" not in text
    assert TOKEN not in text
    assert len(json.loads(text)["leads"]) == COUNT

    world.company.later(hours=1)
    world.company.update(3, title="drifted")
    world.company.company.delete_lead(lead_id(4))
    code, out, err = world("plan", "--refresh", "delta", "--stats", "--out", "plan.json")
    assert code == 0
    assert world.company.sent == {"leadLabels": 1, "leads?updated_since": 1}
    assert "1 lead updated since 2026-11-23T23:55:00Z (20 tokens)" in err
    assert "warning[read-in-part]" in out
    assert "the earliest full reading was at 2026-11-24T00:00:00Z" in out
    assert "1 to update" in out
    report = json.loads(Path("plan.json").read_text())
    assert report["cost"]["read"] == {"requests": 2, "tokens": 30}

    # An apply reads everything, the plan that was made so included.
    code, out, _ = world("apply", "plan.json", "--auto-approve")
    assert code == 0
    assert world.company.sent["leads?updated_since"] == 0
    assert "read-in-part" not in out


def test_a_declared_lead_that_is_not_kept_is_looked_for(world: World) -> None:
    world("plan", "--refresh", "delta")
    world.declare([{"key": "new", "title": "new", "person": 1}])
    code, out, err = world("plan", "--refresh", "delta")
    assert code == 0
    assert "1 to add" in out
    assert "Read in full: emea (lead:new is not in what is kept)" in err
    assert world.company.sent["leads"] >= 1


@pytest.mark.parametrize("text", ["", "[]", "{", "{}", '{"version": 1}', '{"version": 2}', "[" * 100_000])
def test_a_file_that_is_none_of_ours_counts_for_nothing(world: World, text: str) -> None:
    world("plan", "--refresh", "delta")
    world.kept.write_text(text)
    code, _, err = world("plan", "--refresh", "delta")
    assert code == 0
    assert err.startswith("Read in full: emea (what is kept ")
    assert len(json.loads(world.kept.read_text())["leads"]) == COUNT


def test_what_is_kept_is_read_back(tmp_path: Path) -> None:
    file = SnapshotFile(tmp_path / "new", "emea http://127.0.0.1:1")
    lead = replace(live_lead("k", labels=["a"]), custom={"f" * 40: Decimal("7.10"), "e" * 40: [1, "x"]})
    snapshot = Snapshot("ns", BEGIN, BEGIN, (lead,), frozenset({"ns:gone"}))
    file.keep(snapshot)
    assert file.recall() == snapshot
    assert isinstance(SnapshotFile(tmp_path / "new", "us http://127.0.0.1:1").recall(), str)
    moved = SnapshotFile(tmp_path / "new", "us http://127.0.0.1:1")
    file.path.rename(moved.path)
    assert isinstance(moved.recall(), str), "a file of another account"


def test_a_cache_that_cannot_be_written_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    snapshot = Snapshot("ns", BEGIN, BEGIN, (), frozenset())
    for cache in (tmp_path / "file", Path("~", ".cache")):
        SnapshotFile(cache, "emea").keep(snapshot)
        assert isinstance(SnapshotFile(cache, "emea").recall(), str)
    assert [one.name for one in tmp_path.iterdir()] == ["file"]
