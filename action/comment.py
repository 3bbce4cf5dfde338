"""The comment on a pull request: one for each `name`, found by a hidden marker, written over with every plan."""

from collections.abc import Mapping
from typing import Any

import gh
from workflow import Workflow

LIMIT = 65_536
"""Characters that GitHub takes."""

NEEDS = "pull-requests: write"


def marker(name: str) -> str:
    """Return the first line of our texts, which GitHub does not show."""
    return f"<!-- leadstate:{name} -->\n"


def body(name: str, workflow: Workflow, markdown: str) -> str:
    """Return the whole text: marker, report, and which run it is from."""
    foot = f"\n<sub>Commit {workflow.head[:7]}, [run]({workflow.url})</sub>\n"
    head = marker(name)
    return head + markdown[: LIMIT - len(head) - len(foot)] + foot


def is_ours(post: Mapping[str, Any], name: str) -> bool:
    """Return whether a workflow wrote this, and not somebody who copied the marker to edit what we write there."""
    user = post["user"]
    return isinstance(user, dict) and user["type"] == "Bot" and str(post["body"] or "").startswith(marker(name))


def keep(name: str, workflow: Workflow, markdown: str) -> None:
    """Write the comment, or write over the one that is there. Raise `gh.Failed`."""
    text = {"body": body(name, workflow, markdown)}
    comments = f"repos/{workflow.repository}/issues/{workflow.pull_request}/comments"
    listed = gh.pages(f"{comments}?per_page=100", needs=NEEDS)
    known = [post["id"] for post in listed if is_ours(post, name)]
    if known:
        there = f"repos/{workflow.repository}/issues/comments/{known[0]}"
        gh.request(there, method="PATCH", body=text, needs=NEEDS)
    else:
        gh.request(comments, method="POST", body=text, needs=NEEDS)
