"""What action.yml does once leadstate is installed: run it, show its report everywhere, end with its exit code.

Started as `python ci/github`, with the inputs of the action in INPUT_… and the variables that GitHub sets. It asks
nothing of Python but the standard library, and calls `leadstate` and `gh` as programs.
"""

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import base
import comment
import gh
import issue
import reviewed
from inputs import Inputs, Unusable
from run import Run

USAGE = 64


def main() -> int:
    """One run of the action; its exit code is that of leadstate."""
    run = Run.read(os.environ)
    try:
        inputs = Inputs.read(os.environ)
        folder = Path(os.environ["RUNNER_TEMP"], f"{inputs.name}-{inputs.command}")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        plan = reviewed.fetch(inputs, run, folder)
    except (Unusable, gh.Refused) as failure:
        say("error", str(failure))
        return USAGE if isinstance(failure, Unusable) else 1
    file = folder / f"{inputs.command}.json"
    compared = base.revision() if inputs.command == "plan" and run.pull_request else None
    code = leadstate(*inputs.words(plan, compared), "--format", "json", "--output", str(file))
    output("exit-code", str(code))
    if file.exists():
        publish(inputs, run, file, code)
    return code


def publish(inputs: Inputs, run: Run, file: Path, code: int) -> None:
    """Show a report in the log, at the lines, in the summary and on GitHub; tell the steps that follow about it."""
    report: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    changes = sum(report["summary"][action] for action in ("add", "update", "delete"))
    output("changes", str(changes))
    output("fingerprint", report["fingerprint"] or "")
    output("report", str(file))
    if inputs.command != "validate":
        output("artifact", reviewed.artifact(inputs.name, inputs.command, run.head))
        output("folder", str(file.parent))
    if inputs.command == "apply" and Path(".leadstate/receipts").is_dir():
        shutil.copytree(".leadstate/receipts", file.parent / "receipts")

    leadstate("show", str(file))
    sys.stdout.write(rendered(file, "github"))
    markdown = rendered(file, "markdown")
    with Path(os.environ["GITHUB_STEP_SUMMARY"]).open("a", encoding="utf-8") as summary:
        summary.write(markdown + "\n")
    if inputs.command != "plan":
        return
    try:
        if inputs.comment and run.pull_request:
            comment.keep(inputs.name, run, markdown)
        if inputs.issue and not (code and not changes):
            issue.keep(inputs.name, run, inputs.issue, markdown if changes else None)
    except gh.Refused as failure:
        say("warning", str(failure))


def leadstate(*words: str) -> int:
    """Run leadstate with its output in the log, where the names in it are no commands to the runner; its exit code."""
    stop = secrets.token_hex(16)
    print(f"::stop-commands::{stop}", flush=True)
    with subprocess.Popen(["leadstate", *words]) as process:
        # Where a run is cancelled GitHub signals this process alone; leadstate then finishes what is under way.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda sent, _frame: process.send_signal(sent))
        code = process.wait()
    print(f"::{stop}::", flush=True)
    return code


def rendered(file: Path, form: str) -> str:
    """A report in another form."""
    return subprocess.run(
        ["leadstate", "show", str(file), "--format", form], stdout=subprocess.PIPE, encoding="utf-8", check=True
    ).stdout


def output(name: str, value: str) -> None:
    """Tell an output of this step. Names and values are ours: a line each."""
    with Path(os.environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as file:
        file.write(f"{name}={value}\n")


def say(level: str, text: str) -> None:
    """Annotate the run (escapes of actions/toolkit, packages/core/src/command.ts)."""
    print(
        f"::{level} title=leadstate::" + text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A"), flush=True
    )


if __name__ == "__main__":
    sys.exit(main())
