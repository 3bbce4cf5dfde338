"""The middle step: leadstate itself. It is not given the token of the workflow, and neither is what it starts."""

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import environment
import files
import policy
import process
from inputs import Inputs
from state import RECEIPTS, State
from workflow import Workflow, annotate, write_output

LENGTHS = ("leadstate", "pages.json")
"""The cache of how long listings are, below the cache folder."""

REFUSED = 3
PLANNED = (0, 2)
"""Exit codes of a plan that was made and is not refused by leadstate itself."""

ANNOTATIONS = 10
"""Annotations of a kind that GitHub shows for a step."""


def main() -> int:
    """Run leadstate; return its exit code."""
    workflow = Workflow.read(os.environ)
    state = State.read(Path(os.environ["FOLDER"]))
    inputs = state.inputs
    note = _without_secrets(workflow, inputs)
    command = "validate" if note else inputs.command
    engine = policy.engine(os.environ) if inputs.policy and not note else None
    receipts = files.names_in(Path.cwd(), RECEIPTS) if command == "apply" else ()
    state = state.write(command=command, note=note, receipts=tuple(receipts))
    if note:
        annotate("notice", note)

    if engine and state.plan:
        verdict = _judge(engine, state, state.plan)
        if verdict.refusals:
            state.write(code=REFUSED, verdict=verdict.markdown())
            write_output("exit-code", str(REFUSED))
            return REFUSED

    lengths = Path(os.environ["CACHE"], *LENGTHS)
    before = lengths.read_bytes() if lengths.exists() else b""
    base = _base(inputs) if command == "plan" and workflow.pull_request else None
    code = _leadstate(
        *inputs.arguments(command, state.plan, base),
        "--format=json",
        f"--output={state.report}",
        inputs=inputs,
        errors=state.errors,
    )
    if engine and command == "plan" and state.report.exists():
        verdict = _judge(engine, state, state.report)
        state = state.write(verdict=verdict.markdown())
        code = REFUSED if verdict.refusals and code in PLANNED else code
    state.write(code=code)
    write_output("exit-code", str(code))
    write_output("lengths", str(lengths) if lengths.exists() and lengths.read_bytes() != before else "")
    if state.report.exists():
        _tell(state)
    return code


def _judge(engine: str, state: State, plan: Path) -> policy.Verdict:
    """Return what the policies say of a plan, and annotate the run with it."""
    verdict = policy.check(engine, state.inputs.policy, plan, os.environ)
    for level, said in (("error", verdict.refusals), ("warning", verdict.warnings)):
        for line in policy.shortened(said, ANNOTATIONS):
            annotate(level, line)
    return verdict


def _without_secrets(workflow: Workflow, inputs: Inputs) -> str:
    """Return why the files are only checked: GitHub gives the runs of such a pull request no secrets."""
    if inputs.command != "plan" or workflow.untrusted is None or environment.has_tokens(os.environ, inputs.env):
        return ""
    return (
        f"This pull request comes from {workflow.untrusted}, so its run has no secrets: the files were checked, and not"
        " planned. After the merge, start the workflow that plans by hand, review the plan, and re-run the apply."
    )


def _base(inputs: Inputs) -> str | None:
    """Return the first parent of the trial merge that GitHub has checked out; None if it was not fetched."""
    words = ["git", "rev-list", "--parents", "--max-count=1", "HEAD"]
    environ = environment.of_leadstate(os.environ, inputs.env)
    found = subprocess.run(words, env=environ, capture_output=True, text=True, check=False)
    match found.stdout.split():
        case [_, first, _]:
            return first
        case _:
            return None


def _leadstate(*words: str, inputs: Inputs, errors: Path | None = None) -> int:
    """Run leadstate with its output in the log, where nothing in it is a command to the runner; return its exit code.

    Args:
        words: its arguments.
        inputs: which variables it is given.
        errors: file that keeps what it writes to stderr.
    """
    stop = secrets.token_hex(16)
    print(f"::stop-commands::{stop}", flush=True)
    environ = {**environment.of_leadstate(os.environ, inputs.env), "XDG_CACHE_HOME": os.environ["CACHE"]}
    code, said = process.run(words, environ)
    if errors is not None:
        errors.write_bytes(said)
    print(f"::{stop}::", flush=True)
    return code


def _tell(state: State) -> None:
    """Show the report in the log and at the lines of the YAML, keep it as Markdown, and set the outputs."""
    report: dict[str, Any] = json.loads(state.report.read_text(encoding="utf-8"))
    changes = sum(report["summary"][action] for action in ("add", "update", "delete"))
    write_output("changes", str(changes))
    write_output("fingerprint", report["fingerprint"] or "")
    write_output("report", str(state.report))
    inputs = state.inputs
    _leadstate("show", str(state.report), inputs=inputs)
    _leadstate("show", str(state.report), "--format=markdown", f"--output={state.markdown}", inputs=inputs)
    annotations = state.folder / "annotations.txt"
    _leadstate("show", str(state.report), "--format=github", f"--output={annotations}", inputs=inputs)
    sys.stdout.write(annotations.read_text(encoding="utf-8") if annotations.exists() else "")
