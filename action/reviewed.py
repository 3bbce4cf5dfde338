"""The plan that was reviewed: stored by the run of the pull request that was merged, or by hand for this commit."""

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gh
from inputs import Inputs
from workflow import Workflow, is_foreign

NEEDS = "pull-requests: read, actions: read"
LARGEST = 512 * 2**20
"""Bytes of a plan that is unpacked."""


class NoPlan(Exception):
    """No reviewed plan belongs to this commit; the message says why, and how to make one."""


def artifact(name: str, command: str, commit: str) -> str:
    """Return the name of the artifact that keeps the report of a run."""
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
    stored = _stored(inputs.name, workflow.commit, "workflow_dispatch", workflow)
    for pull in pulls:
        if not pull["merged_at"] or pull["merge_commit_sha"] != workflow.commit:
            continue
        where, head = f"Pull request #{pull['number']}", pull["head"]
        if is_foreign(head, workflow.repository):
            reasons.append(f"{where} comes from a fork, whose own plan is never applied.")
            continue
        found = _stored(inputs.name, head["sha"], "pull_request", workflow)
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


def _stored(name: str, commit: str, event: str, workflow: Workflow) -> list[dict[str, Any]]:
    """Return the artifacts with a plan of a commit that runs of this repository have stored after an event."""
    here = f"repos/{workflow.repository}/actions"
    wanted = artifact(name, "plan", commit)
    listed = json.loads(gh.request(f"{here}/artifacts?name={wanted}&per_page=100", needs=NEEDS))["artifacts"]
    own = [found for found in listed if _is_made_here(found["workflow_run"], commit)]
    return [found for found in own if _event(found["workflow_run"], workflow) == event]


def _is_made_here(made_by: Mapping[str, Any], commit: str) -> bool:
    return bool(made_by["head_sha"] == commit and made_by["head_repository_id"] == made_by["repository_id"])


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
