"""Pull requests from their plan to the rollback, by the workflow of `init`, with a fake `gh` and a real repository."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.harness.cli_process import Shell
from tests.harness.hub import EMPTY, LOCK, Hub, git
from tests.harness.workflow_runner import ROOT, Done, Runner

STARTER = ROOT / "leadstate" / "cli" / "starter" / "workflow.yml"
DRIFT = ROOT / "examples" / "github" / "drift.yml"
TOKEN = {"PIPEDRIVE_TOKEN": "sandbox-token"}
CONFIGURATION = """\
version: 1
namespace: life
accounts:
  main:
    url: URL
    token: {env: PIPEDRIVE_TOKEN}
policy: {prune: {labels: locked}}
labels:
  - {name: Hot, color: red}
leads:
  - {key: pilot, title: Pilot, organization: 1, mode: seed, if_gone: leave}
"""
ADD = ("labels:\n", "labels:\n  - {name: Partner, color: green}\n")


@pytest.fixture
def account(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, headers={"x-api-token": "sandbox-token"}) as client:
        yield client


@pytest.fixture
def hub(account: httpx.Client, tmp_path: Path) -> Hub:
    runner = Runner(tmp_path, TOKEN, env={"LEADSTATE_ALLOW_HOSTS": "127.0.0.1"})
    made = Hub(runner, STARTER)
    made.begin(leadstate__yaml=CONFIGURATION.replace("URL", str(account.base_url)), **{LOCK.replace(".", "__"): EMPTY})
    return made


def labels(account: httpx.Client) -> dict[str, str]:
    """Return the colours of the labels by name."""
    return {label["name"]: label["color"] for label in rows(account, "/api/v1/leadLabels")}


def leads(account: httpx.Client) -> dict[str, str]:
    """Return the ids of our leads by their markers."""
    return {lead["origin_id"]: lead["id"] for lead in rows(account, "/api/v1/leads") if lead["origin_id"]}


def rows(account: httpx.Client, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = account.get(path, params={"limit": 500}).raise_for_status().json()["data"]
    return found


def paint(account: httpx.Client, name: str, color: str) -> None:
    (id_,) = (label["id"] for label in rows(account, "/api/v1/leadLabels") if label["name"] == name)
    account.patch(f"/api/v1/leadLabels/{id_}", json={"color": color}).raise_for_status()


def locked(hub: Hub, branch: str = "main") -> dict[str, str]:
    entries: dict[str, str] = json.loads(hub.file(LOCK, branch))["accounts"].get("main", {})
    return entries


def apply_main(hub: Hub, **inputs: str) -> Done:
    """Check main out, and let the action apply it without a reviewed plan."""
    hub.check_out("origin/main")
    return hub.runner.action(TOKEN, command="apply", reviewed="none", **inputs)


def settle(hub: Hub, number: int, branch: str, old: str, new: str) -> None:
    """Take an edit through a pull request, and expect that it is applied."""
    hub.push(branch, old, new)
    planned = hub.pull_request(number, branch)
    assert planned.code == 0, planned.log
    applied = hub.merged(hub.merge(number, branch))
    assert applied.code == 0, applied.log


def test_a_change_is_planned_reviewed_applied_locked_watched_and_rolled_back(hub: Hub, account: httpx.Client) -> None:
    before = labels(account)
    hub.push("partner", *ADD)
    planned = hub.pull_request(7, "partner")
    assert planned.code == 0, planned.log
    assert "Partner" in planned.summary
    assert "green" in hub.runner.hub["comments"][0]["body"]
    assert labels(account) == before

    # A push after the review changes the plan, and is merged before it was planned: nothing is applied.
    head = hub.push("partner", "color: green", "color: pink")
    commit = hub.merge(7, "partner")
    refused = hub.merged(commit)
    assert refused.code == 3
    assert f"Pull request #7 has stored no plan for {head[:7]}." in refused.summary
    assert labels(account) == before

    # A plan by hand is looked at; then the job that failed is run again.
    by_hand = hub.by_hand()
    assert by_hand.code == 0, by_hand.log
    assert "pink" in by_hand.summary
    applied = hub.again(commit)
    assert applied.code == 0, applied.log
    assert labels(account)["Partner"] == "pink"
    assert {"label:Hot", "label:Partner", "lead:pilot"} == set(locked(hub))
    assert git(hub.origin, "log", "-1", "--format=%s", "main") == f"Update {LOCK}"

    # The next one goes the usual way.
    settle(hub, 8, "partner-2", "color: pink", "color: green")
    assert labels(account)["Partner"] == "green"

    paint(account, "Partner", "purple")
    assert hub.scheduled(DRIFT).code == 0
    (issue,) = hub.runner.hub["issues"]
    assert (issue["state"], "purple" in issue["body"]) == ("open", True)
    paint(account, "Partner", "green")
    assert hub.scheduled(DRIFT).code == 0
    assert hub.runner.hub["issues"][0]["state"] == "closed"

    # The receipt in the artifact undoes the latest apply.
    (receipt,) = (path for path in hub.artifact("leadstate-apply-").iterdir() if path.name[:4].isdigit())
    git(hub.desk, "pull", "--quiet", "origin", "main")
    restored = Shell(hub.desk, TOKEN)("restore", str(receipt), "--auto-approve")
    assert restored.returncode == 0, restored.stderr
    assert labels(account)["Partner"] == "pink"


def test_a_plan_that_has_become_stale_is_refused_and_made_anew(hub: Hub, account: httpx.Client) -> None:
    hub.push("partner", *ADD)
    assert hub.pull_request(7, "partner").code == 0
    commit = hub.merge(7, "partner")
    paint(account, "Hot", "pink")
    refused = hub.merged(commit)
    assert refused.code == 3, refused.log
    assert "changed since this plan was made" in refused.log
    assert "Partner" not in labels(account)
    assert hub.by_hand().code == 0
    assert hub.again(commit).code == 0
    assert labels(account)["Partner"] == "green"


def test_the_plan_of_a_fork_is_never_applied(hub: Hub, account: httpx.Client) -> None:
    hub.push("theirs", *ADD)
    hub.runner.secrets = {}
    checked = hub.pull_request(7, "theirs", fork=True)
    assert checked.code == 0, checked.log
    assert "comes from a fork, so its run has no secrets" in checked.summary
    hub.runner.secrets = TOKEN
    # Even where the repository sends secrets to forks, and so a plan is stored.
    assert hub.pull_request(7, "theirs", fork=True).code == 0
    commit = hub.merge(7, "theirs", fork=True)
    refused = hub.merged(commit)
    assert refused.code == 3
    assert "comes from a fork, whose own plan is never applied" in refused.summary
    assert "Partner" not in labels(account)
    assert hub.by_hand().code == 0
    assert hub.again(commit).code == 0
    assert "Partner" in labels(account)


def test_a_deleted_seed_stays_deleted_in_the_next_run(hub: Hub, account: httpx.Client) -> None:
    settle(hub, 7, "partner", *ADD)
    account.delete(f"/api/v1/leads/{leads(account)['life:pilot']}").raise_for_status()
    settle(hub, 8, "hot", "color: red", "color: pink")
    assert "life:pilot" not in leads(account)


def test_prune_locked_deletes_what_an_earlier_run_has_made(hub: Hub, account: httpx.Client) -> None:
    unmanaged = set(labels(account)) - {"Hot"}
    settle(hub, 7, "partner", *ADD)
    settle(hub, 8, "remove", *reversed(ADD))
    assert set(labels(account)) == {"Hot", *unmanaged}
    assert "label:Partner" not in locked(hub)


def test_an_apply_works_with_the_lock_that_an_earlier_one_has_committed(hub: Hub, account: httpx.Client) -> None:
    """Two merges, then two applies: the second one was checked out before the first one committed its lock file."""
    hub.push("partner", *ADD)
    hub.push("seed", "  - {key: pilot", "  - {key: second, title: Second, organization: 1}\n  - {key: pilot")
    assert hub.pull_request(7, "partner").code == 0
    first = hub.merge(7, "partner")
    assert hub.pull_request(8, "seed").code == 0
    second = hub.merge(8, "seed")
    assert hub.merged(first).code == 0
    refused = hub.merged(second)
    assert refused.code == 3, "its plan still had the changes of the first one"
    # Only the newest lock file tells that this lead has existed.
    account.delete(f"/api/v1/leads/{leads(account)['life:pilot']}").raise_for_status()
    assert hub.by_hand().code == 0
    assert hub.again(second).code == 0
    assert {"label:Hot", "label:Partner", "lead:second"} <= set(locked(hub))
    assert set(leads(account)) == {"life:second"}


def test_an_account_that_fails_keeps_no_other_from_being_applied(hub: Hub, account: httpx.Client) -> None:
    other = "  other:\n    domain: acme\n    token: {env: PIPEDRIVE_OTHER}\n"
    hub.push("partner", *ADD)
    hub.runner.env = {"LEADSTATE_ALLOW_HOSTS": "127.0.0.1,*.pipedrive.com"}
    hub.push("partner", "policy: {prune", f"{other}policy: {{prune")
    planned = hub.pull_request(7, "partner")
    assert planned.code == 1
    for text in (planned.summary, hub.runner.hub["comments"][0]["body"]):
        assert "PIPEDRIVE_OTHER" in text
        assert "Partner" in text
    applied = hub.merged(hub.merge(7, "partner"))
    assert applied.code == 4, applied.log
    assert "PIPEDRIVE_OTHER" in applied.summary
    assert "Partner" in labels(account)
    assert "label:Partner" in locked(hub)
    assert any(path.name[:4].isdigit() for path in hub.artifact("leadstate-apply-").iterdir())


@pytest.mark.parametrize(
    ("inputs", "env"),
    [({"config": "crm/leadstate.yaml"}, {}), ({}, {"LEADSTATE_CONFIG": f"crm/leadstate.yaml{os.pathsep}"})],
    ids=["config", "LEADSTATE_CONFIG"],
)
def test_the_lock_file_of_a_folder_comes_back_into_that_folder(
    hub: Hub, inputs: dict[str, str], env: dict[str, str]
) -> None:
    (hub.desk / "crm").mkdir()
    git(hub.desk, "mv", "leadstate.yaml", LOCK, "crm")
    hub.publish("move")
    hub.check_out("origin/main")
    done = hub.runner.action({**TOKEN, **env}, command="apply", reviewed="none", **inputs)
    assert done.code == 0, done.log
    assert "label:Hot" in json.loads(hub.file(f"crm/{LOCK}"))["accounts"]["main"]


def test_lock_entries_of_other_accounts_that_were_committed_meanwhile_stay(hub: Hub) -> None:
    entry = {"other": {"label:X": "1b4e28ba-2fa1-11d2-883f-b9a761bde3fb"}}
    hub.lock_meanwhile(EMPTY.replace("{}", json.dumps(entry)))
    done = apply_main(hub)
    assert done.code == 0, done.log
    accounts = json.loads(hub.file(LOCK))["accounts"]
    assert set(accounts) == {"main", "other"}
    assert "label:Hot" in accounts["main"]


def test_a_lock_file_that_was_damaged_meanwhile_stays_as_it_is(hub: Hub) -> None:
    hub.lock_meanwhile("<<<<<<< HEAD")
    done = apply_main(hub)
    assert done.code == 1, done.log
    assert f"{LOCK} was damaged by another commit while leadstate was running" in done.log
    assert "Traceback" not in done.log
    assert hub.file(LOCK) == "<<<<<<< HEAD"


def test_a_committed_lock_file_that_is_missing_from_the_checkout_is_restored(hub: Hub) -> None:
    hub.check_out("origin/main")
    (hub.runner.workspace / LOCK).unlink()  # a sparse checkout has not written it
    done = hub.runner.action(TOKEN, command="apply", reviewed="none")
    assert done.code == 0, done.log
    assert "label:Hot" in locked(hub)


def test_the_lock_file_can_come_back_as_a_pull_request(hub: Hub) -> None:
    assert apply_main(hub, lock="pull-request").code == 0
    assert locked(hub) == {}
    branch = "leadstate/lock-leadstate"
    assert set(locked(hub, branch)) == {"label:Hot", "lead:pilot"}
    (pull,) = hub.runner.hub["pulls"]
    assert (pull["head"], pull["base"], pull["state"]) == (branch, "main", "open")

    # The next apply goes on from there, and so does the pull request.
    hub.push("main", *ADD)
    assert apply_main(hub, lock="pull-request").code == 0
    assert set(locked(hub, branch)) == {"label:Hot", "label:Partner", "lead:pilot"}
    assert len(hub.runner.hub["pulls"]) == 1

    # After the merge the branch begins anew.
    hub.runner.teach(pulls=[{**pull, "state": "closed"}])
    hub.push("main", "  - {name: Hot, color: red}\n", "")
    done = apply_main(hub, lock="pull-request")
    assert done.code == 0, done.log
    assert len(hub.runner.hub["pulls"]) == 2
    assert git(hub.origin, "rev-list", "--count", f"main..{branch}") == "1"


def test_a_lock_file_that_cannot_be_committed_fails_the_run_and_is_kept(hub: Hub, account: httpx.Client) -> None:
    hub.push("partner", *ADD)
    assert hub.pull_request(7, "partner").code == 0
    hub.runner.teach(refuse=["PUT contents/"])
    done = hub.merged(hub.merge(7, "partner"))
    assert done.code == 1
    assert "use `lock: pull-request`" in done.log
    assert "Partner" in labels(account)
    assert locked(hub) == {}
    assert "label:Partner" in (hub.artifact("leadstate-apply-") / LOCK).read_text()


@pytest.mark.parametrize("lock", ["off", "commit"])
def test_a_lock_file_that_is_not_wanted_or_not_committed_stays_as_it_is(hub: Hub, lock: str) -> None:
    if lock == "commit":
        git(hub.desk, "rm", "--quiet", LOCK)
        hub.publish("no lock")
    before = git(hub.origin, "rev-parse", "main")
    hub.check_out("origin/main")
    (hub.runner.workspace / LOCK).write_text(EMPTY)
    assert hub.runner.action(TOKEN, command="apply", reviewed="none", lock=lock).code == 0
    assert git(hub.origin, "rev-parse", "main") == before


def test_nothing_is_applied_if_the_lock_file_is_a_link(hub: Hub, account: httpx.Client, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("mine")
    (hub.desk / LOCK).unlink()
    (hub.desk / LOCK).symlink_to(tmp_path / "elsewhere")
    hub.publish("link")
    before = labels(account)
    done = apply_main(hub)
    assert done.code == 1
    assert f"{LOCK} is a link in this checkout" in done.summary
    assert labels(account) == before
    assert (tmp_path / "elsewhere").read_text() == "mine"
