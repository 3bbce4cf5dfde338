"""Live values in the form in which people write them, as like what was written before as can be."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from leadstate.edit.items import Files
from leadstate.kinds.lead_spec import Visibility, visibility
from leadstate.model.resource import Desired, Money, text

_WORDS: Final[tuple[Visibility, ...]] = ("owner", "group", "subgroups", "company")


def spellings(label: Desired, files: Files) -> tuple[str, ...]:
    """What a lead may write for a label; the first is what we write: its key, or its name where it has none."""
    item = files.item(label.span)
    value: Mapping[str, Any] = {} if item is None else item.value
    own = value.get("key") or value.get("name") or label.address.key
    return tuple(
        text(name) for name in (own, value.get("name"), label.address.key, *label.names[:1]) if name is not None
    )


def visible_to(number: int, plan: Any, before: object = "") -> object:
    """In words where the account's plan has one, and no number was written before."""
    words = [word for word in _WORDS if visibility(word, plan) == number]
    return words[0] if words and isinstance(before, str) else number


def plainly(value: object, before: Any = None) -> object:
    """A value in plain Python, as YAML holds it; an amount that stays keeps its digits."""
    match value:
        case Money():
            amount = plainly(value.amount)
            if isinstance(before, Mapping) and before.get("amount") == amount:
                amount = before["amount"]
            return {"amount": amount, "currency": value.currency}
        case Decimal():
            return int(value) if value == value.to_integral_value() else value
        case tuple():
            return list(value)
    return value
