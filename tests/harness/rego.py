"""Rego policies, evaluated by an engine that is neither OPA nor ours: rego-cpp, by its package regopy.

The engine (regopy 1.5.2) is native code that now and then aborts its process. So it runs in one of its own, which is
tried again where a signal has ended it.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

TRIES = 4
WRONG = 3
"""The exit code for a policy or query that the engine refuses."""


class PolicyError(Exception):
    """A policy cannot be evaluated."""


def evaluate(policies: Path, query: str, given: Any, data: Mapping[str, Any] | None = None) -> Any:
    """Return what a query over a policy file, or over all of a folder, gives for this input; None for undefined.

    The engine writes quotation marks and control characters into its answer as they are: keep them out of messages.
    """
    files = sorted(policies.glob("*.rego")) if policies.is_dir() else [policies]
    modules = {file.name: file.read_text(encoding="utf-8") for file in files}
    asked = json.dumps({"modules": modules, "data": dict(data or {}), "input": given, "query": query})
    for _ in range(TRIES):
        done = subprocess.run([sys.executable, __file__], input=asked, capture_output=True, text=True, check=False)
        if done.returncode >= 0:
            break
    if done.returncode == WRONG:
        raise PolicyError(done.stderr)
    assert done.returncode == 0, done.stderr
    if done.stdout == "undefined":
        return None
    (value,) = json.loads(done.stdout)["expressions"]
    return value


def main() -> None:
    """Answer the query on stdin."""
    from regopy import Interpreter, RegoError  # type: ignore[import-untyped]  # it brings no types

    asked = json.load(sys.stdin)
    engine = Interpreter()
    try:
        for name, text in asked["modules"].items():
            engine.add_module(name, text)
        engine.add_data(asked["data"])
        engine.set_input(asked["input"])
        sys.stdout.write(str(engine.query(asked["query"])))
    except RegoError as failure:
        sys.stderr.write(str(failure))
        sys.exit(WRONG)


if __name__ == "__main__":
    main()
