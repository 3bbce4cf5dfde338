"""The issue about drift: open while there is some, with the latest plan as its text."""

import gh
from comment import body, ours
from run import Run

NEEDS = "issues: write"


def keep(name: str, run: Run, title: str, markdown: str | None) -> None:
    """Open the issue, or write over the open one; close it where there is nothing to say. Raises `gh.Refused`."""
    issues = f"repos/{run.repository}/issues"
    listed = gh.pages(f"{issues}?state=open&per_page=100", needs=NEEDS)
    known = [live["number"] for live in listed if "pull_request" not in live and ours(live, name)]
    if markdown is not None:
        text = {"title": title, "body": body(name, run, markdown)}
        if known:
            gh.api(f"{issues}/{known[0]}", method="PATCH", body=text, needs=NEEDS)
        else:
            gh.api(issues, method="POST", body=text, needs=NEEDS)
    elif known:
        gh.api(f"{issues}/{known[0]}", method="PATCH", body={"state": "closed"}, needs=NEEDS)
