"""An account's policy: its own words, then those for every account, then the defaults (spec section 2, `policy`)."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from leadstate.config.schema.document import PolicySpec
from leadstate.kinds.base import fields_set
from leadstate.model.policy import Policy, Prune


def policy_of(account: PolicySpec, everywhere: PolicySpec | None) -> Policy:
    """The policy of an account; field by field, null lifts a limit."""
    written: dict[str, Any] = {}
    for spec in (everywhere, account):
        if spec is not None:
            written |= dict(_fields(spec))
    return replace(Policy(), **written)


def _fields(spec: PolicySpec) -> Iterator[tuple[str, object]]:
    for name, value in fields_set(spec).items():
        match name:
            case "prune":
                yield from ((f"prune_{kind}", Prune(str(rule))) for kind, rule in fields_set(spec.prune).items())
            case "guards":
                yield from fields_set(spec.guards).items()
            case "in_use":
                yield "refuse_in_use", value == "refuse"
            case _:
                yield name, value
