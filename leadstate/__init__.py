"""Lead labels and seeded leads of Pipedrive accounts, declared in YAML and reconciled like infrastructure.

    import leadstate

    configuration = leadstate.load("leadstate.yaml")
    async with leadstate.connect(configuration) as session:
        plan = await session.plan(targets=["label:Hot"])
        result = await session.apply(plan)

`leadstate.plan` and `leadstate.apply` do the same without `await`. docs/reference/python.md describes it,
docs/explanation/architecture.md what is below.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from leadstate import errors
    from leadstate.api.configuration import load, rollback
    from leadstate.api.plain import apply, plan
    from leadstate.api.receipts import read_report
    from leadstate.api.results import Event, Plan, Result
    from leadstate.api.session import Runtime, Session, connect
    from leadstate.config import Trust
    from leadstate.model.rollout import Rollout

__version__ = "0.1.0.dev0"

__all__ = [
    "Event",
    "Plan",
    "Result",
    "Rollout",
    "Runtime",
    "Session",
    "Trust",
    "apply",
    "connect",
    "errors",
    "load",
    "plan",
    "read_report",
    "rollback",
]

_HOMES = {
    "leadstate.api.configuration": ("load", "rollback"),
    "leadstate.api.plain": ("apply", "plan"),
    "leadstate.api.receipts": ("read_report",),
    "leadstate.api.results": ("Event", "Plan", "Result"),
    "leadstate.api.session": ("Runtime", "Session", "connect"),
    "leadstate.config": ("Trust",),
    "leadstate.model.rollout": ("Rollout",),
}


def __getattr__(name: str) -> Any:
    """Import what is asked for, and nothing else: `leadstate --version` needs no HTTP client."""
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(home), name)
    if name == "errors":
        return import_module("leadstate.errors")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
