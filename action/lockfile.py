"""The lock file on its way: the newest of the branch before an apply, and back to the branch after it.

It is committed by requests to GitHub, so that the checkout needs no credentials; such a commit starts no workflow.
"""

import base64
import hashlib
import json
import os
import subprocess
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import quote

import environment
import files
import gh
from state import State
from workflow import Workflow, annotate

NAME = "leadstate.lock.json"
NEEDS = "contents: write"
RAW = "application/vnd.github.raw+json"
TRIES = 5
NOT_FOUND = 404
MOVED = (409, 422)
"""Statuses of a commit onto what is not the newest any more."""


class Damaged(Exception):
    """The newest lock file of the branch is not a lock file, so nothing can be merged into it."""


def fetch(state: State, workflow: Workflow) -> None:
    """Replace the lock file of the checkout by the newest of the branch, which an earlier apply may have committed.

    Raises:
        gh.Failed: GitHub does not say.
        files.Unreadable: the lock file is a link.
    """
    if state.inputs.command != "apply" or state.inputs.lock == "off" or workflow.branch is None:
        return
    file = lock_file(state.inputs.config)
    path = None if file is None else path_in_repository(file)
    if file is None or path is None:
        return
    branch = _pull_request_branch(state) if _open_pull_request(state, workflow) else workflow.branch
    newest = _content(workflow, path, branch)
    if newest is None:
        return
    files.write(Path.cwd(), file, newest)
    state.lock_before.write_bytes(newest)
    state.write(lock=str(file), lock_in_repository=path)


def has_changed(state: State) -> bool:
    """Return whether leadstate has changed the lock file. Raise `files.Unreadable`."""
    return files.read(Path.cwd(), PurePath(state.lock or "")) != state.lock_before.read_bytes()


def commit(state: State, workflow: Workflow) -> None:
    """Commit what an apply has changed in the lock file.

    Raises:
        gh.Failed: GitHub does not take it.
        files.Unreadable: it is a link, or missing.
    """
    if state.lock is None or state.lock_in_repository is None or workflow.branch is None:
        return
    before, after = state.lock_before.read_bytes(), files.read(Path.cwd(), PurePath(state.lock))
    if before == after:
        return
    if state.inputs.lock == "commit":
        _commit(state.lock_in_repository, workflow.branch, before, after, workflow)
        return
    branch, pull = _pull_request_branch(state), _open_pull_request(state, workflow)
    if not pull:
        _begin_branch(branch, workflow)
    _commit(state.lock_in_repository, branch, before, after, workflow)
    if not pull:
        body = {"title": f"Update {NAME}", "head": branch, "base": workflow.branch, "body": _message(workflow)}
        gh.request(f"repos/{workflow.repository}/pulls", method="POST", body=body, needs="pull-requests: write")


def lock_file(config: tuple[str, ...]) -> PurePath | None:
    """Return where the lock file is: beside the first file of the configuration, or in the folder."""
    first = Path(config[0] if config else "leadstate.yaml")
    file = (first if first.is_dir() else first.parent) / NAME
    below = Path(os.path.relpath(file))
    return None if ".." in below.parts else below


def path_in_repository(file: PurePath) -> str | None:
    """Return the path of a committed file below the root of its repository; None if it is not committed."""
    if not Path(file.parent).is_dir():
        return None  # leadstate says so
    done = subprocess.run(
        ["git", "ls-files", "--full-name", "-z", "--error-unmatch", "--", file.name],
        cwd=file.parent,
        env=environment.of_leadstate(os.environ, ()),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.removesuffix("\0") if done.returncode == 0 else None


def _content(workflow: Workflow, path: str, branch: str) -> bytes | None:
    where = f"repos/{workflow.repository}/contents/{quote(path)}?ref={quote(branch, safe='')}"
    try:
        return gh.request(where, needs="contents: read", accept=RAW)
    except gh.Failed as failure:
        if failure.status == NOT_FOUND:
            return None
        raise


def _commit(path: str, branch: str, before: bytes, after: bytes, workflow: Workflow) -> None:
    for attempt in range(1, TRIES + 1):
        newest = _content(workflow, path, branch)
        if newest is None:
            annotate("warning", f"{path} was removed from {branch} meanwhile, so it is not committed.")
            return
        try:
            content = after if newest == before else merge(before, after, newest)
        except Damaged as failure:
            raise gh.Failed(f"{path} {failure} That of this run is among its files.") from None
        body = {
            "message": _message(workflow),
            "branch": branch,
            "sha": _blob_id(newest),
            "content": base64.b64encode(content).decode(),
        }
        try:
            gh.request(f"repos/{workflow.repository}/contents/{quote(path)}", method="PUT", body=body, needs=NEEDS)
        except gh.Failed as failure:
            if failure.status in MOVED and attempt < TRIES:
                continue
            raise gh.Failed(
                f"{failure} The lock file was not committed to {branch}. It is among the files of this run; if the"
                " branch is protected, use `lock: pull-request`.",
                failure.status,
            ) from None
        return


def merge(before: bytes, after: bytes, newest: bytes) -> bytes:
    """Return the newest lock file with the accounts that this run has changed: other runs may keep the others.

    Raises:
        Damaged: the newest one is not a lock file.
    """
    ours, base = json.loads(after), json.loads(before)
    try:
        theirs = json.loads(newest)
    except ValueError:
        theirs = None
    if not isinstance(theirs, dict) or not isinstance(theirs.get("accounts"), dict):
        raise Damaged(
            "was damaged by another commit while leadstate was running, so it was left as it is. Restore it from the"
            " commit before, then run `leadstate lock` and commit the result."
        )
    for account, entries in ours["accounts"].items():
        if entries != base["accounts"].get(account):
            theirs["accounts"][account] = entries
    for account in base["accounts"]:
        if account not in ours["accounts"]:
            theirs["accounts"].pop(account, None)
    theirs["accounts"] = dict(sorted(theirs["accounts"].items()))
    return (json.dumps(theirs, indent=2, ensure_ascii=False) + "\n").encode()


def _blob_id(content: bytes) -> str:
    """Return the id that git gives to a content; GitHub refuses a commit over another one."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _message(workflow: Workflow) -> str:
    return f"Update {NAME}\n\nAfter the apply of {workflow.commit[:7]}: {workflow.url}"


def _pull_request_branch(state: State) -> str:
    return f"leadstate/lock-{state.inputs.name}"


def _open_pull_request(state: State, workflow: Workflow) -> list[dict[str, Any]]:
    if state.inputs.lock != "pull-request":
        return []
    owner = workflow.repository.partition("/")[0]
    head = quote(f"{owner}:{_pull_request_branch(state)}", safe="")
    return gh.pages(f"repos/{workflow.repository}/pulls?state=open&head={head}", needs="pull-requests: write")


def _begin_branch(branch: str, workflow: Workflow) -> None:
    """Let the branch begin at the newest commit; one of a pull request that was merged may still be there."""
    refs = f"repos/{workflow.repository}/git/ref"
    tip = json.loads(gh.request(f"{refs}/heads/{quote(workflow.branch or '')}", needs=NEEDS))["object"]["sha"]
    try:
        gh.request(f"{refs}s", method="POST", body={"ref": f"refs/heads/{branch}", "sha": tip}, needs=NEEDS)
    except gh.Failed as failure:
        if failure.status not in MOVED:
            raise
        body = {"sha": tip, "force": True}
        gh.request(f"{refs}s/heads/{quote(branch)}", method="PATCH", body=body, needs=NEEDS)
