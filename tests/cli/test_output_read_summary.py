"""`--stats`, as people use it."""

from pathlib import Path

from leadstate.sandbox import Sandbox
from tests.harness.commands import Folder
from tests.harness.connections import NOWHERE
from tests.harness.disturbed_company import company


def test_statistics_name_the_strategy_and_the_cost(tmp_path: Path) -> None:
    folder, sandbox = Folder(tmp_path), Sandbox(company([], []), burst=None, daily=None)
    folder.configure(
        {
            "version": 1,
            "namespace": "ns",
            "accounts": {"emea": {"url": NOWHERE, "token": {"env": "TOKEN"}}},
            "labels": [{"name": "Hot", "color": "red"}],
            "leads": [{"key": f"k{number}", "title": f"k{number}", "person": 1} for number in range(2)],
        }
    )
    assert folder.run(sandbox, "apply", "--auto-approve", "--lock").code == 0
    planned = folder.run(sandbox, "plan", "--stats")
    assert planned.err.splitlines() == [
        "emea  live leads: 2 read by id (4 tokens); a full list would take at least 20",
        "emea  3 requests, 14 tokens: getLead 2, getLeadLabels 1",
    ]
    assert "Read 3 requests, 14 tokens" in planned.out
    here = sandbox.companies[0]
    here.update_lead(here.tables().leads[0].id, {"title": "drifted", "custom": {}})
    applied = folder.run(sandbox, "apply", "--auto-approve", "--stats")
    assert "updateLead 1" in applied.err
    assert "Read again: no differences" in applied.out
