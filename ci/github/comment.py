"""The comment on a pull request: one a name, found by a hidden marker, written anew with every plan."""

import gh
from run import Run

LIMIT = 65_536
"""Characters that GitHub takes."""

NEEDS = "pull-requests: write"


def marker(name: str) -> str:
    """The first line of what is ours, which GitHub does not show."""
    return f"<!-- leadstate:{name} -->\n"


def body(name: str, run: Run, markdown: str) -> str:
    """The whole text: marker, report, and whence it is."""
    foot = f"\n<sub>Commit {run.head[:7]}, [run]({run.url})</sub>\n"
    head = marker(name)
    return head + markdown[: LIMIT - len(head) - len(foot)] + foot


def ours(one: dict[str, object], name: str) -> bool:
    """Whether a workflow wrote this, and not somebody who copied the marker to be able to edit what we write there."""
    user = one["user"]
    return isinstance(user, dict) and user["type"] == "Bot" and str(one["body"] or "").startswith(marker(name))


def keep(name: str, run: Run, markdown: str) -> None:
    """Write the comment, or write over the one that is there. Raises `gh.Refused`."""
    text = {"body": body(name, run, markdown)}
    comments = f"repos/{run.repository}/issues/{run.pull_request}/comments"
    known = [page["id"] for page in gh.pages(f"{comments}?per_page=100", needs=NEEDS) if ours(page, name)]
    if known:
        gh.api(f"repos/{run.repository}/issues/comments/{known[0]}", method="PATCH", body=text, needs=NEEDS)
    else:
        gh.api(comments, method="POST", body=text, needs=NEEDS)
