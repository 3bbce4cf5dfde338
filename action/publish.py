"""The last step, whatever happened before: summary, comment, issue, lock file, and the files to keep.

It has the token of the workflow and starts no leadstate.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path, PurePath

import comment
import files
import gh
import issue
import lockfile
import reviewed
from state import RECEIPTS, State
from workflow import Workflow, annotate, fenced, write_output, write_summary

LINES = 40
"""Of what leadstate wrote to stderr; its last words say why it wrote no report."""

LONGEST = 1_000
"""Characters of such a line."""


def main() -> int:
    """Publish what a run of leadstate came to; return 1 where the lock file could not be brought back."""
    workflow = Workflow.read(os.environ)
    state = State.read(Path(os.environ["FOLDER"]))
    if not state.command:
        return 0  # leadstate was not started, and the step before has said why
    _keep_files(state, workflow)
    markdown = _markdown(state)
    write_summary(markdown)
    try:
        _post(state, workflow, markdown)
    except gh.Failed as failure:
        annotate("warning", str(failure))
    try:
        lockfile.commit(state, workflow)
    except (gh.Failed, files.Unreadable) as failure:
        annotate("error", str(failure))
        return 1
    return 0


def _markdown(state: State) -> str:
    note = f"> [!NOTE]\n> {state.note}\n\n" if state.note else ""
    note += state.verdict
    if state.markdown.exists():
        return note + state.markdown.read_text(encoding="utf-8")
    if state.verdict and not state.errors.exists():
        return f"## leadstate {state.command}: not started\n\n{note}"
    how = (
        "was ended before it wrote a report"
        if state.code is None
        else f"ended with exit code {state.code} and no report"
    )
    said = state.errors.read_text(encoding="utf-8", errors="replace").splitlines() if state.errors.exists() else []
    last = [line if len(line) <= LONGEST else f"{line[:LONGEST]}…" for line in said[-LINES:]]
    return f"{note}## leadstate {state.command}: {how}\n\n{fenced(last)}\n"


def _post(state: State, workflow: Workflow, markdown: str) -> None:
    """Write the comment of a pull request, or the issue about drift. Raise `gh.Failed`."""
    inputs = state.inputs
    if inputs.command != "plan" or state.note:
        return  # a run without secrets has no token that may write either
    if inputs.comment and workflow.pull_request:
        comment.keep(inputs.name, workflow, markdown)
    if inputs.issue:
        changes = _changes(state)
        # Accounts that could not be read are no reason to close it.
        if changes or state.code == 0:
            issue.keep(inputs.name, workflow, inputs.issue, markdown if changes else None)


def _changes(state: State) -> int:
    if not state.report.exists():
        return 0
    summary = json.loads(state.report.read_text(encoding="utf-8"))["summary"]
    return sum(summary[action] for action in ("add", "update", "delete"))


def _keep_files(state: State, workflow: Workflow) -> None:
    """Set the outputs that name the files of this run and their artifact: the report, the receipt, the lock file.

    Receipts lie in the checkout, where a commit may have put links: they are copied without following any.
    """
    kept = [state.report] if state.report.exists() else []
    try:
        for file, copy in _in_checkout(state):
            copy.write_bytes(files.read(Path.cwd(), file))
            kept.append(copy)
    except files.Unreadable as failure:
        annotate("error", str(failure))
    if not kept or state.command == "validate":
        return
    commit = reviewed.BY_HAND if workflow.by_hand and state.command == "plan" else workflow.head
    name = reviewed.artifact(state.inputs.name, state.command, commit)
    # The next attempt must not replace a receipt: what the first one did could not be rolled back.
    write_output("artifact", name if state.command == "plan" else f"{name}-{workflow.attempt}")
    write_output("files", "\n".join(map(str, kept)))


def _in_checkout(state: State) -> Iterator[tuple[PurePath, Path]]:
    """Yield each file that leadstate has written into the checkout, and where its copy goes."""
    if state.command == "apply":
        for name in sorted(files.names_in(Path.cwd(), RECEIPTS) - set(state.receipts)):
            yield RECEIPTS / name, state.folder / name
    if state.lock is not None and lockfile.has_changed(state):
        yield PurePath(state.lock), state.folder / lockfile.NAME
