"""`--stats`, as people use it."""

import json
from pathlib import Path

import click.testing
import pytest

from leadstate.api.session import Runtime
from leadstate.cli.main import cli
from tests.harness.builders import lead_id
from tests.harness.connections import TOKEN
from tests.harness.recorded_reads import Company

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


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.chdir(tmp_path)
    return World(tmp_path)


def test_statistics_name_the_strategy_and_the_cost(world: World) -> None:
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
    assert "Read again: no differences" in out
