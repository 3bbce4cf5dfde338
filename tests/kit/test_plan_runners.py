"""The recipes for Atlantis and Spacelift: their steps, as they stand in the files, against a sandbox on a port."""

import json
import re
import shlex
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.harness.rego import evaluate
from tests.harness.workflow_runner import ROOT, Done, Runner, read

EXAMPLES = ROOT / "examples"
ATLANTIS = EXAMPLES / "atlantis"
SPACELIFT = EXAMPLES / "spacelift"
TOKEN = {"PIPEDRIVE_TOKEN": "sandbox-token"}
MONDAY = {"today": "Monday"}


@pytest.fixture
def runner(url: str, tmp_path: Path) -> Runner:
    made = Runner(tmp_path, TOKEN)
    made.copy_example("policy", url)
    return made


def change_by_hand(url: str) -> None:
    """Give a live label another colour, as a person would."""
    with httpx.Client(base_url=f"{url}/api/v1", headers={"x-api-token": TOKEN["PIPEDRIVE_TOKEN"]}) as client:
        labels = {label["name"]: label["id"] for label in client.get("/leadLabels").raise_for_status().json()["data"]}
        client.patch(f"/leadLabels/{labels['Hot']}", json={"color": "pink"}).raise_for_status()


class Atlantis:
    """The stages of the workflow in repos.yaml, with what Atlantis gives its steps."""

    def __init__(self, runner: Runner, url: str) -> None:
        self.runner = runner
        self.server = read(ATLANTIS / "repos.yaml")
        self.plan, self.show = (runner.workspace / f"leadstate-default.{end}" for end in ("tfplan", "json"))
        self.receipts = runner.home / "receipts"
        self.elsewhere = {"*.pipedrive.com": "127.0.0.1", "/home/atlantis/receipts": str(self.receipts)}
        self.policies = runner.home / "policy"
        shutil.copytree(EXAMPLES / "policy" / "policy", self.policies)
        approved = self.policies / "approved_accounts.rego"
        approved.write_text(approved.read_text(encoding="utf-8").replace("127.0.0.1:8765", urlsplit(url).netloc))

    def __call__(self, stage: str) -> Done:
        """Run a stage as far as its first step that fails; policies that deny fail the step `policy_check`."""
        (repository,) = self.server["repos"]
        steps = self.server["workflows"][repository["workflow"]][stage]["steps"]
        environ = {**TOKEN, "PLANFILE": str(self.plan), "SHOWFILE": str(self.show)}
        done = Done()
        for step in steps:
            if step == "policy_check":
                denied = evaluate(self.policies, "data.main.deny", json.loads(self.show.read_text()), MONDAY)
                done = Done(code=bool(denied), log="\n".join(denied))
            elif "env" in step:
                value = step["env"]["value"]
                environ[step["env"]["name"]] = self.elsewhere.get(value, value)
            else:
                done = self.runner.run(f"sh -c {shlex.quote(step['run'])}", environ)
            if done.code:
                break
        return done


def test_atlantis_applies_the_plan_that_passed_its_policies(runner: Runner, url: str) -> None:
    atlantis = Atlantis(runner, url)
    runner.edit("name: Partner, color: green", "name: Partner, color: red")
    assert atlantis("plan").code == 0
    refused = atlantis("policy_check")
    assert refused.code == 1
    assert "live/label:Partner: red is for labels named Hot*" in refused.log

    runner.edit("name: Partner, color: red", "name: Partner, color: green")
    planned = atlantis("plan")
    assert "label:Partner" in planned.log
    assert atlantis("policy_check") == Done()
    applied = atlantis("apply")
    assert applied.code == 0, applied.log
    (receipt,) = atlantis.receipts.glob("*.json")
    assert json.loads(receipt.read_text())["command"] == "apply"
    assert "No changes" in atlantis("plan").log


def test_atlantis_refuses_a_plan_whose_account_has_changed(runner: Runner, url: str) -> None:
    atlantis = Atlantis(runner, url)
    assert atlantis("plan").code == 0
    change_by_hand(url)
    assert atlantis("apply").code == 3


def test_a_pull_request_to_atlantis_can_take_no_other_secret_of_the_server(runner: Runner, url: str) -> None:
    atlantis = Atlantis(runner, url)
    runner.edit("env: PIPEDRIVE_TOKEN", "env: PLANFILE")
    refused = atlantis("plan")
    assert refused.code == 1
    assert "LEADSTATE_ALLOW_TOKEN_SOURCES" in refused.log
    assert not atlantis.plan.exists()


def test_atlantis_plans_the_project_for_changes_of_the_configuration() -> None:
    (project,) = read(ATLANTIS / "atlantis.yaml")["projects"]
    patterns = project["autoplan"]["when_modified"]
    for name in ("leadstate.yaml", "seeds.csv", "leadstate.lock.json"):
        assert any(Path(name).match(pattern) for pattern in patterns), name


def spacelift(runner: Runner) -> Any:
    """Run the hooks before a plan, and return the input of plan policies."""
    for hook in read(SPACELIFT / ".spacelift" / "config.yml")["stack_defaults"]["before_plan"]:
        done = runner.run(hook, TOKEN)
        assert done.code == 0, done.log
    custom = {
        path.name.removesuffix(".custom.spacelift.json"): json.loads(path.read_text(encoding="utf-8"))
        for path in runner.workspace.glob("*.custom.spacelift.json")
    }
    return {"terraform": {"resource_changes": []}, "third_party_metadata": {"custom": custom}}


def terraform_applies(runner: Runner) -> Done:
    """Run the provisioner of main.tf."""
    (command,) = re.findall(r'^ +command = "(.*)"$', (SPACELIFT / "main.tf").read_text(encoding="utf-8"), re.MULTILINE)
    return runner.run(command, TOKEN)


def judged(given: Any) -> tuple[list[str], list[str]]:
    found = evaluate(SPACELIFT / "policy.rego", "data.spacelift", given)
    return sorted(found["deny"]), sorted(found["warn"])


def test_spacelift_applies_the_plan_of_its_hook_once(runner: Runner) -> None:
    given = spacelift(runner)
    assert judged(given) == ([], [])
    (read_by_terraform,) = re.findall(r'file\("\$\{path\.root\}/(.*?)"\)', (SPACELIFT / "main.tf").read_text())
    first = json.loads((runner.workspace / read_by_terraform).read_text(encoding="utf-8"))
    applied = terraform_applies(runner)
    assert applied.code == 0, applied.log

    second = spacelift(runner)["third_party_metadata"]["custom"]["leadstate"]
    assert second["fingerprint"] != first["fingerprint"], "the resource is replaced once more"
    again = terraform_applies(runner)
    assert again.code == 0, again.log
    assert "No changes" in again.log
    third = spacelift(runner)["third_party_metadata"]["custom"]["leadstate"]
    assert third["fingerprint"] == second["fingerprint"]


def test_spacelift_refuses_a_plan_whose_account_has_changed(runner: Runner, url: str) -> None:
    spacelift(runner)
    change_by_hand(url)
    assert terraform_applies(runner).code == 3


def test_a_plan_policy_of_spacelift_reads_the_report(runner: Runner) -> None:
    runner.edit("previously: [Cold]}", "previously: [Cold]}\n  - {name: Warm, state: absent}")
    given = spacelift(runner)
    assert judged(given) == ([], ["live/label:Warm is deleted."])


def test_a_plan_policy_of_spacelift_refuses_leads_that_are_many_or_not_counted(runner: Runner) -> None:
    runner.edit("previously: [Cold]}", "previously: [Cold]}\n  - {name: Warm, state: absent}")
    given = spacelift(runner)
    (change,) = (
        change
        for account in given["third_party_metadata"]["custom"]["leadstate"]["accounts"]
        for change in account["changes"]
        if change["action"] == "delete"
    )
    for leads in (21, None):
        change["impact"]["leads"] = leads
        assert judged(given)[0] == [
            "live/label:Warm: a delete may take a label from at most 20 leads. Move them: write `replace_with`."
        ]


def test_a_plan_policy_of_spacelift_refuses_a_run_without_the_plan() -> None:
    assert judged({"third_party_metadata": {"custom": {}}})[0] == [
        "There is no plan of leadstate: its hook in .spacelift/config.yml did not run."
    ]
