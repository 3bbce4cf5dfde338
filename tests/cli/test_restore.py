"""Receipts, and the way back."""

import json
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from leadstate.report.json import parse, to_json
from leadstate.sandbox import Sandbox, running
from tests.cli.live import Shell

HEAD = """\
version: 1
namespace: acme-seeds
accounts:
  emea:
    url: {url}
    token: {{env: TOKEN}}
policy: {{prune: {{leads: owned}}, guards: {{max_deletes: 10}}}}
"""
CHANGES = """\
labels:
  - {name: Hot, color: red}
  - {name: Nurture, color: blue, previously: [Cold]}
  - {name: Partner, color: green, key: partner}
  - {name: Old campaign, state: absent}
leads:
  - {key: acme-renewal, title: Changed, organization: 6, labels: [partner], value: {amount: 12000.5, currency: EUR}}
  - {key: new, title: New, person: 1, labels: [Hot]}
"""


@pytest.fixture
def shell(tmp_path: Path, sandbox: Sandbox) -> Iterator[Shell]:
    with running(sandbox.app) as url:
        made = Shell(tmp_path, {"TOKEN": "sandbox-token"})
        made.write(HEAD.format(url=url) + CHANGES)
        yield made


def state(sandbox: Sandbox) -> dict[str, Any]:
    """What people see: labels and leads without ids that a restore cannot bring back, and without times."""
    company = sandbox.dump()["companies"][0]
    names = {one["id"]: one["name"] for one in company["labels"]}
    leads = {
        one["origin_id"] or one["id"]: {
            **{k: v for k, v in one.items() if k not in ("id", "update_time", "add_time", "label_ids", "cc_email")},
            "labels": sorted(names[label] for label in one["label_ids"]),
        }
        for one in company["leads"]
    }
    return {"labels": sorted((one["name"], one["color"]) for one in company["labels"]), "leads": leads}


def receipt(shell: Shell) -> str:
    (path,) = (shell.folder / ".leadstate" / "receipts").iterdir()
    return str(path.relative_to(shell.folder))


def apply(shell: Shell) -> None:
    done = shell("apply", "--auto-approve", "--allow", "in-use")
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_apply_is_undone(shell: Shell, sandbox: Sandbox) -> None:
    before = state(sandbox)
    apply(shell)
    assert state(sandbox) != before
    done = shell("restore", receipt(shell), "--auto-approve")
    assert done.returncode == 0, done.stdout + done.stderr
    after = state(sandbox)
    assert after["labels"] == before["labels"]
    # A lead that comes back is a new one, made by the API; everything that was declared of it is as it was.
    old, made = before["leads"].pop("acme-seeds:old-seed"), after["leads"].pop("acme-seeds:old-seed")
    assert after["leads"] == before["leads"]
    assert {key: made[key] for key in ("title", "person_id", "organization_id", "value", "labels")} == {
        key: old[key] for key in ("title", "person_id", "organization_id", "value", "labels")
    }


def test_a_receipt_is_a_private_report_that_can_be_shown(shell: Shell) -> None:
    apply(shell)
    path = shell.folder / receipt(shell)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    report = json.loads(path.read_text())
    schema = json.loads((Path(__file__).parents[2] / "schemas" / "report.schema.json").read_text())
    jsonschema.validate(report, schema)
    assert {change["result"]["status"] for change in report["accounts"][0]["changes"]} == {"applied"}
    shown = shell("show", receipt(shell))
    assert shown.returncode == 0
    assert "applied" in shown.stdout


def test_what_was_changed_since_stays_as_it_is(shell: Shell, sandbox: Sandbox) -> None:
    apply(shell)
    company = sandbox.companies[0]
    hot = next(one for one in company.labels() if one.name == "Hot")
    company.update_label(hot.id, {"color": "pink"})
    mine = next(one for one in sandbox.dump()["companies"][0]["leads"] if one["origin_id"] == "acme-seeds:acme-renewal")
    company.update_lead(mine["id"], {"title": "By hand", "custom": {}})
    done = shell("restore", receipt(shell), "--auto-approve")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "changed since by somebody" in done.stdout
    labels = dict(state(sandbox)["labels"])
    assert labels["Hot"] == "pink"
    lead = state(sandbox)["leads"]["acme-seeds:acme-renewal"]
    assert lead["title"] == "By hand"
    assert lead["labels"] == ["Hot", "VIP"]


def test_a_receipt_without_results_leads_back_too(shell: Shell, sandbox: Sandbox) -> None:
    """As a run leaves it that was killed after its last request and before it could note anything."""
    before = state(sandbox)["labels"]
    apply(shell)
    path = shell.folder / receipt(shell)
    report = parse(path.read_text())
    (account,) = report.accounts
    changes = tuple(replace(change, result=None) for change in account.changes)
    path.write_text("".join(to_json(replace(report, accounts=(replace(account, changes=changes),)))))
    assert shell("restore", receipt(shell), "--auto-approve").returncode == 0
    assert state(sandbox)["labels"] == before


def test_a_reviewed_way_back(shell: Shell, sandbox: Sandbox) -> None:
    apply(shell)
    after = state(sandbox)
    planned = shell("restore", receipt(shell), "--out", "back.json")
    assert planned.returncode == 0, planned.stdout + planned.stderr
    assert state(sandbox) == after
    assert shell("restore", receipt(shell), "back.json", "--auto-approve").returncode == 0
    assert "Old campaign" in dict(state(sandbox)["labels"])


def test_what_is_no_receipt_is_a_usage_error(shell: Shell) -> None:
    shell("plan", "--out", "plan.json")
    assert shell("restore", "plan.json").returncode == 64
    assert shell("restore", "leadstate.yaml").returncode == 1


def test_a_label_on_many_leads_comes_back_on_all_of_them(tmp_path: Path) -> None:
    hot = "aaaaaaaa-0000-4000-8000-000000000001"
    leads = [
        {"id": f"bbbbbbbb-0000-1000-8000-{i:012d}", "title": f"Lead {i}", "person_id": 1, "label_ids": [hot]}
        for i in range(1200)
    ]
    company = {"id": 1, "name": "Acme", "domain": "acme"}
    persons = [{"id": 1, "name": "P"}]
    labels = [{"id": hot, "name": "Hot", "color": "red"}]
    seed = {"token": "t" * 40, "company": company, "persons": persons, "labels": labels, "leads": leads}
    sandbox = Sandbox(seed, burst=100_000, daily=None)
    with running(sandbox.app) as url:
        shell = Shell(tmp_path, {"TOKEN": "t" * 40})
        shell.write(HEAD.format(url=url) + "labels:\n  - {name: Hot, state: absent}\n")
        refused = shell("apply", "--auto-approve")
        assert refused.returncode == 3
        assert "1,200 open leads" in refused.stdout
        assert shell("apply", "--auto-approve", "--allow", "in-use").returncode == 0
        assert not any(one["label_ids"] for one in sandbox.dump()["companies"][0]["leads"])
        assert shell("restore", receipt(shell), "--auto-approve").returncode == 0
    after = sandbox.dump()["companies"][0]
    (label,) = after["labels"]
    assert all(one["label_ids"] == [label["id"]] for one in after["leads"])
