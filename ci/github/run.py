"""The run of the workflow: which repository, which commit, whose pull request."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Run:
    """What GitHub tells about this run.

    Attributes:
        repository: owner/name.
        commit: the commit that was pushed, or merged for trial.
        head: the commit that people see: the pull request's own, else `commit`.
        pull_request: its number, if the run belongs to one.
        url: where the run is shown.
    """

    repository: str
    commit: str
    head: str
    pull_request: int | None
    url: str

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Self:
        """From the variables and the event that GitHub sets."""
        event: dict[str, Any] = json.loads(Path(environ["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
        pull = event.get("pull_request")
        repository, commit = environ["GITHUB_REPOSITORY"], environ["GITHUB_SHA"]
        return cls(
            repository=repository,
            commit=commit,
            head=pull["head"]["sha"] if pull else commit,
            pull_request=pull["number"] if pull else None,
            url=f"{environ['GITHUB_SERVER_URL']}/{repository}/actions/runs/{environ['GITHUB_RUN_ID']}",
        )
