"""What somebody meant by a value of another form: a name for a label, an address for a person, an amount for money."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from leadstate.config.checking.intentions import quoted
from leadstate.config.yaml.diagnostics import visible
from leadstate.config.yaml.nodes import Node
from leadstate.kinds.base import is_tag

_EMAIL: Final = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")


def shape_meant(loc: Sequence[str | int], node: Node) -> str:
    """Return how to write what stands at a path in the form that has to stand there; nothing where nobody can tell."""
    path = tuple(step for step in loc if not is_tag(step))
    text = visible((node.text or "")[:60])
    match path, node.value:
        case (("labels", int()), str()) if text:
            meant = f"{{name: {quoted(text)}, color: …}}"
        case (("labels",), Mapping()) if node.value:
            meant = f"a list of items: - {{{_first(node.value)}}}"
        case (("accounts",), list()):
            meant = "each account under its name: emea: {domain: acme-emea, token: {env: NAME_OF_A_VARIABLE}}"
        case ((*_, "value"), int() | Decimal()) if not isinstance(node.value, bool):
            meant = f"{{amount: {text}, currency: …}}, with a currency such as EUR"
        case ((*_, "value"), str()):
            meant = "an amount and its currency, as in {amount: 1200.50, currency: EUR}"
        case ((*_, "person" | "owner"), str()) if _EMAIL.fullmatch(text):
            meant = f"{{email: {text}}}"
        case ((*_, "person" | "organization"), str()) if text and not text.isdigit():
            meant = f"{{name: {quoted(text)}}}"
        case _:
            meant = ""
    return meant


def _first(labels: Mapping[str, Any]) -> str:
    name, color = next(iter(labels.items()))
    shown = color if isinstance(color, str) and color.isalpha() else "…"
    return f"name: {quoted(visible(str(name)[:60]))}, color: {shown}"
