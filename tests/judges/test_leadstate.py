"""leadstate itself before the second judge: plan, apply and plan again through the validating proxy."""

from pathlib import Path

from leadstate.sandbox import TOKEN, Sandbox, running
from tests.harness.cli_process import Shell
from tests.harness.prism import prism_proxy

CONFIGURATION = """\
version: 1
namespace: judge
accounts:
  main:
    url: {url}
    token: {{env: TOKEN}}
policy:
  prune: {{labels: all, leads: owned}}
  in_use: allow
labels:
  - {{name: Hot, color: red}}
  - {{name: Nurture, color: blue, previously: [Cold]}}
  - {{name: Partner, color: green}}
leads:
  - key: full
    title: Every field
    person: {{email: jane@acme.test}}
    organization: {{name: Borealis Foods}}
    owner: 101
    labels: [Hot, Partner]
    value: {{amount: 12000.5, currency: EUR}}
    expected_close_date: 2026-12-31
    visible_to: 3
    was_seen: true
    channel: 5
    channel_id: Fair
  - {{key: away, title: Archived, person: 1, archived: true}}
  - {{key: known, title: Known, organization: 1, labels: {{at_least: [Nurture]}}, value: null}}
"""


def test_every_request_and_answer_is_as_described(tmp_path: Path) -> None:
    seed = Sandbox("drifted").dump()
    leads = seed["companies"][0]["leads"]
    leads[0] |= {"origin_id": "judge:known", "is_archived": False}
    leads[1] |= {"origin_id": "judge:no-longer-declared", "is_archived": False}
    sandbox = Sandbox(seed)
    with running(sandbox.app) as upstream, prism_proxy(upstream) as proxy:
        shell = Shell(tmp_path, {"TOKEN": TOKEN})
        shell.write(CONFIGURATION.format(url=proxy))
        planned = shell("plan", "--detailed-exitcode")
        assert planned.returncode == 2, planned.stdout + planned.stderr
        applied = shell("apply", "--auto-approve")
        assert applied.returncode == 0, applied.stdout + applied.stderr
        assert shell("plan", "--detailed-exitcode").returncode == 0
        lead = next(lead for lead in sandbox.dump()["companies"][0]["leads"] if lead["origin_id"] == "judge:full")
        for words in (["doctor"], ["get", "sources"], ["get", "lead", lead["id"]], ["get", "leads", "--archived"]):
            done = shell(*words)
            assert done.returncode == 0, done.stdout + done.stderr
    used = sandbox.meter.report()["companies"]["7041"]["operations"]
    expected = {
        "addLead", "addLeadLabel", "deleteLead", "deleteLeadLabel", "getLead", "getLeadLabels", "getLeadSources",
        "getLeads", "getArchivedLeads", "updateLead", "updateLeadLabel", "searchPersons", "searchOrganization",
    }  # fmt: skip
    assert expected <= used.keys()


def test_a_server_that_does_not_sort_newest_first_is_read_in_its_own_order(tmp_path: Path) -> None:
    sandbox = Sandbox("drifted")
    with running(sandbox.app) as upstream, prism_proxy(upstream, descending=False) as proxy:
        shell = Shell(tmp_path, {"TOKEN": TOKEN})
        shell.write(CONFIGURATION.format(url=proxy))
        done = shell("apply", "--auto-approve")
        assert done.returncode == 0, done.stdout + done.stderr
        assert shell("plan", "--detailed-exitcode").returncode == 0
