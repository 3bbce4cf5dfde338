"""The run of the workflow as GitHub describes it, and what a step tells GitHub: annotations, outputs, the summary."""

import json
import os
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

DEPENDABOT = "dependabot[bot]"


@dataclass(frozen=True, slots=True)
class Workflow:
    """The run of a workflow.

    Attributes:
        repository: owner/name.
        commit: the commit that was pushed, or the trial merge of a pull request.
        head: the commit that people see: the pull request's own, else `commit`.
        branch: the branch of a push or of a run that was started by hand; None for tags and pull requests.
        pull_request: its number, if the run belongs to one.
        untrusted: who made the pull request, if GitHub gives such runs no secrets: `a fork` or `Dependabot`.
        by_hand: whether a person started it.
        pushed: when the repository was last pushed to before the run: for a push, when that was.
        url: where the run is shown.
        attempt: run id and number of the attempt.
    """

    repository: str
    commit: str
    head: str
    branch: str | None
    pull_request: int | None
    untrusted: str | None
    by_hand: bool
    pushed: datetime
    url: str
    attempt: str

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Self:
        """Return what the variables and the event of GitHub say."""
        event: dict[str, Any] = json.loads(Path(environ["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
        pull = event.get("pull_request")
        repository, commit = environ["GITHUB_REPOSITORY"], environ["GITHUB_SHA"]
        is_branch = environ.get("GITHUB_REF_TYPE") == "branch" and not pull
        return cls(
            repository=repository,
            commit=commit,
            head=pull["head"]["sha"] if pull else commit,
            branch=environ["GITHUB_REF_NAME"] if is_branch else None,
            pull_request=pull["number"] if pull else None,
            untrusted=_untrusted(pull, repository, environ.get("GITHUB_ACTOR")) if pull else None,
            by_hand=environ["GITHUB_EVENT_NAME"] == "workflow_dispatch",
            pushed=_time(event["repository"]["pushed_at"]),
            url=f"{environ['GITHUB_SERVER_URL']}/{repository}/actions/runs/{environ['GITHUB_RUN_ID']}",
            attempt=f"{environ['GITHUB_RUN_ID']}-{environ['GITHUB_RUN_ATTEMPT']}",
        )


def _time(given: int | str) -> datetime:
    """Return a time of an event, which has seconds in pushes and ISO 8601 elsewhere."""
    return datetime.fromtimestamp(given, UTC) if isinstance(given, int) else datetime.fromisoformat(given)


def is_foreign(head: Mapping[str, Any], repository: str) -> bool:
    """Return whether the head of a pull request is in another repository."""
    origin = head["repo"]  # null if the fork was deleted
    return origin is None or origin["full_name"] != repository


def _untrusted(pull: Mapping[str, Any], repository: str, actor: str | None) -> str | None:
    if is_foreign(pull["head"], repository):
        return "a fork"
    return "Dependabot" if DEPENDABOT in (actor, pull["user"]["login"]) else None


def annotate(level: str, text: str) -> None:
    """Annotate the run (escapes of actions/toolkit, packages/core/src/command.ts)."""
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    print(f"::{level} title=leadstate::{escaped}", flush=True)


def write_output(name: str, value: str) -> None:
    """Set an output of this step; a value may have several lines."""
    end = secrets.token_hex(16)
    with Path(os.environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as file:
        file.write(f"{name}<<{end}\n{value}\n{end}\n")


def write_summary(markdown: str) -> None:
    """Append to the summary of the job."""
    with Path(os.environ["GITHUB_STEP_SUMMARY"]).open("a", encoding="utf-8") as file:
        file.write(markdown + "\n")


def fenced(lines: Iterable[str]) -> str:
    """Return lines as a block of code in Markdown, whatever is in them."""
    text = "\n".join(lines)
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}\n{text}\n{fence}"
