"""The issue about drift: open while there is some, with the latest plan as its text."""

import gh
from comment import body, is_ours
from workflow import Workflow

NEEDS = "issues: write"


def keep(name: str, workflow: Workflow, title: str, markdown: str | None) -> None:
    """Open the issue, or write over the open one; close it where there is nothing to say. Raise `gh.Failed`."""
    issues = f"repos/{workflow.repository}/issues"
    listed = gh.pages(f"{issues}?state=open&per_page=100", needs=NEEDS)
    known = [post["number"] for post in listed if "pull_request" not in post and is_ours(post, name)]
    if markdown is not None:
        text = {"title": title, "body": body(name, workflow, markdown)}
        if known:
            gh.request(f"{issues}/{known[0]}", method="PATCH", body=text, needs=NEEDS)
        else:
            gh.request(issues, method="POST", body=text, needs=NEEDS)
    elif known:
        gh.request(f"{issues}/{known[0]}", method="PATCH", body={"state": "closed"}, needs=NEEDS)
