"""The comment on a pull request: one for each `name`, found by a hidden marker, written over with every plan."""

from collections.abc import Mapping
from typing import Any

import gh
from workflow import Workflow

LIMIT = 65_536
"""Characters that GitHub takes."""

_FOLD_END = "\n</details>\n"

NEEDS = "pull-requests: write"


def marker(name: str) -> str:
    """Return the first line of our texts, which GitHub does not show."""
    return f"<!-- leadstate:{name} -->\n"


def body(name: str, workflow: Workflow, markdown: str) -> str:
    """Return the whole text: marker, report, and which run it is from."""
    foot = f"\n<sub>Commit {workflow.head[:7]}, [run]({workflow.url})</sub>\n"
    head = marker(name)
    return head + _cut(markdown, LIMIT - len(head) - len(foot), workflow) + foot


def _cut(markdown: str, room: int, workflow: Workflow) -> str:
    """Return whole lines that fit, with what is folded closed, and a last one that says where the others are."""
    if len(markdown) <= room:
        return markdown
    rest = f"\n**This is too long for a comment. The rest is in the summary of the [run]({workflow.url}).**\n"
    kept = markdown[: room - len(rest) - len(_FOLD_END)].rpartition("\n")[0] + "\n"
    is_open = kept.count("\n<details>") > kept.count(_FOLD_END)
    return kept + (_FOLD_END if is_open else "") + rest


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
