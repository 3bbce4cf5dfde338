"""The plan that was reviewed: stored by the run of the pull request that was merged, or by a run that a person started.

Whichever it is, `leadstate apply` plans again and refuses if that is not the same.
"""

import io
import json
import zipfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import gh
from inputs import Inputs
from workflow import Workflow, is_foreign

NEEDS = "pull-requests: read, actions: read"
BY_HAND = "by-hand"
LARGEST = 512 * 2**20
"""Bytes of a plan that is unpacked."""


class NoPlan(Exception):
    """No reviewed plan belongs to this commit; the message says why, and how to make one."""


def artifact(name: str, command: str, commit: str) -> str:
    """Return the name of the artifact that keeps the report of a run; in place of the commit it may say BY_HAND."""
    return f"{name}-{command}-{commit}"


def fetch(inputs: Inputs, workflow: Workflow, folder: Path) -> Path | None:
    """Return the plan to apply, as a file in `folder`; None where it is to be made anew.

    Raises:
        NoPlan: there is none.
        gh.Failed: GitHub does not say.
    """
    if inputs.command != "apply" or inputs.reviewed == "none":
        return None
    here = f"repos/{workflow.repository}"
    pulls = json.loads(gh.request(f"{here}/commits/{workflow.commit}/pulls", needs=NEEDS))
    reasons: list[str] = []
    stored = _stored_by_hand(inputs.name, workflow)
    for pull in pulls:
        if not pull["merged_at"] or pull["merge_commit_sha"] != workflow.commit:
            continue
        where, head = f"Pull request #{pull['number']}", pull["head"]
        if is_foreign(head, workflow.repository):
            reasons.append(f"{where} comes from a fork, whose own plan is never applied.")
            continue
        listed = _listed(inputs.name, head["sha"], "pull_request", workflow)
        found = [plan for plan in listed if plan["workflow_run"]["head_sha"] == head["sha"]]
        stored += found
        if not found:
            reasons.append(f"{where} has stored no plan for {head['sha'][:7]}.")
    usable = [found for found in stored if not found["expired"]]
    if not usable:
        if stored:
            reasons.append("A plan was stored, which has expired.")
        raise NoPlan(
            " ".join(reasons or [f"No pull request was merged as {workflow.commit[:7]}."])
            + f" So there is no reviewed plan for {workflow.commit[:7]}, and nothing was applied. Start the workflow"
            " that plans by hand (Run workflow) on this branch, review its plan, then re-run this job."
        )
    newest = max(usable, key=lambda found: str(found["created_at"]))
    file = folder / "reviewed.json"
    file.write_bytes(_unpacked(gh.request(f"{here}/actions/artifacts/{newest['id']}/zip", needs=NEEDS)))
    return file


def _stored_by_hand(name: str, workflow: Workflow) -> list[dict[str, Any]]:
    """Return the artifacts with plans that persons have made of this branch since the push, and not before it.

    They may be of a later commit: the branch has moved on where an apply has committed the lock file.
    """
    return [
        found
        for found in _listed(name, BY_HAND, "workflow_dispatch", workflow)
        if found["workflow_run"]["head_branch"] == workflow.branch
        and datetime.fromisoformat(found["created_at"]) >= workflow.pushed
    ]


def _listed(name: str, commit: str, event: str, workflow: Workflow) -> list[dict[str, Any]]:
    """Return the artifacts with a plan that runs of this repository, and of no fork, have stored after an event."""
    here = f"repos/{workflow.repository}/actions"
    wanted = artifact(name, "plan", commit)
    listed = json.loads(gh.request(f"{here}/artifacts?name={wanted}&per_page=100", needs=NEEDS))["artifacts"]
    own = [found for found in listed if found["workflow_run"] and _is_of_this_repository(found["workflow_run"])]
    return [found for found in own if _event(found["workflow_run"], workflow) == event]


def _is_of_this_repository(made_by: Mapping[str, Any]) -> bool:
    return bool(made_by["head_repository_id"] == made_by["repository_id"])


def _event(made_by: Mapping[str, Any], workflow: Workflow) -> str:
    found = json.loads(gh.request(f"repos/{workflow.repository}/actions/runs/{made_by['id']}", needs=NEEDS))
    return str(found["event"])


def _unpacked(packed: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            if archive.getinfo("plan.json").file_size <= LARGEST:
                return archive.read("plan.json")
    except (KeyError, zipfile.BadZipFile):
        pass
    raise NoPlan("The artifact with the reviewed plan holds no plan.json. Plan again, and re-run this job.")
