"""Rego policies, evaluated by an engine that is neither OPA nor ours: rego-cpp, by its package regopy."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from regopy import Interpreter  # type: ignore[import-untyped]  # it brings no types


def evaluate(policies: Path, query: str, given: Any, data: Mapping[str, Any] | None = None) -> Any:
    """Return what a query over a policy file, or over all of a folder, gives for this input; None for undefined.

    The engine writes quotation marks and control characters into its answer as they are: keep them out of messages.
    """
    engine = Interpreter()
    for file in sorted(policies.glob("*.rego")) if policies.is_dir() else [policies]:
        engine.add_module(file.name, file.read_text(encoding="utf-8"))
    engine.add_data(dict(data or {}))
    engine.set_input(given)
    answer = str(engine.query(query))
    if answer == "undefined":
        return None
    (value,) = json.loads(answer)["expressions"]
    return value
