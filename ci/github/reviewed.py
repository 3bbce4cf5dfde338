"""The plan that was reviewed: stored by the run of the pull request whose merge made this commit."""

import io
import json
import zipfile
from pathlib import Path

import gh
from inputs import Inputs, Unusable
from run import Run

NEEDS = "pull-requests: read, actions: read"


def artifact(name: str, command: str, commit: str) -> str:
    """What the report of a run is stored as."""
    return f"{name}-{command}-{commit}"


def fetch(inputs: Inputs, run: Run, folder: Path) -> Path | None:
    """The plan to apply, as a file in `folder`; None where it is to be made anew.

    Raises:
        Unusable: there is none, and it is required.
        gh.Refused: GitHub does not say. Then nothing is applied: there may be one.
    """
    if inputs.command != "apply" or inputs.reviewed == "none":
        return None
    stored = _stored(inputs.name, run)
    if stored is None and inputs.reviewed == "required":
        raise Unusable(
            f"No pull request that was merged as {run.commit[:7]} has stored a plan. Plan it on a pull request."
        )
    if stored is None:
        print(f"No plan was stored for {run.commit[:7]}: it is made anew.", flush=True)
        return None
    with zipfile.ZipFile(io.BytesIO(stored)) as packed:
        text = packed.read("plan.json")
    file = folder / "reviewed.json"
    file.write_bytes(text)
    return file


def _stored(name: str, run: Run) -> bytes | None:
    """The newest artifact with the plan; those that runs of forks have stored count for nothing."""
    here = f"repos/{run.repository}"
    pulls = json.loads(gh.api(f"{here}/commits/{run.commit}/pulls", needs=NEEDS))
    heads = [pull["head"]["sha"] for pull in pulls if pull["merged_at"] and pull["merge_commit_sha"] == run.commit]
    if not heads:
        return None
    wanted = artifact(name, "plan", heads[0])
    listed = json.loads(gh.api(f"{here}/actions/artifacts?name={wanted}&per_page=100", needs=NEEDS))["artifacts"]
    usable = [live for live in listed if not live["expired"] and _made_here(live["workflow_run"], heads[0])]
    if not usable:
        return None
    newest = max(usable, key=lambda one: str(one["created_at"]))
    return gh.api(f"{here}/actions/artifacts/{newest['id']}/zip", needs=NEEDS)


def _made_here(made_by: dict[str, object], head: str) -> bool:
    return made_by["head_sha"] == head and made_by["head_repository_id"] == made_by["repository_id"]
