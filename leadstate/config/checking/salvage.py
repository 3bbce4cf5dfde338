"""What is left of an item with errors, so that the rules can look at it too and one run shows every error.

A field in error is left out, or stands in as something harmless; nothing made here leaves this room, for the errors
end the run. Where the field decides what the item is or which accounts it is for, the item is given up.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError

from leadstate.config.checking.suggest import did_you_mean, keys_at
from leadstate.config.checking.wording import Complaint
from leadstate.config.schema.document import AccountSpec
from leadstate.kinds.base import Spec
from leadstate.kinds.label import LabelSpec
from leadstate.kinds.lead_spec import LeadSpec

_MODELS: Final[Mapping[str, type[Spec]]] = {"accounts": AccountSpec, "labels": LabelSpec, "leads": LeadSpec}
_STAND_INS: Final[Mapping[str, Mapping[str, Any]]] = {
    "accounts": {"domain": "stand-in", "token": {"env": "STAND_IN"}},
    "labels": {"color": "red"},
    "leads": {"title": "stand-in", "person": 1, "organization": 1},
}
_DECISIVE: Final = frozenset(("name", "key", "state", "accounts", "except", "overrides"))


def wrong_fields(complaints: Sequence[Complaint]) -> frozenset[str]:
    """The fields of one item that are in error; for an unknown one also that which was meant."""
    fields: set[str] = set()
    for complaint in complaints:
        if len(complaint.loc) > 2:  # noqa: PLR2004  kind, item, field
            field = str(complaint.loc[2])
            fields.add(field)
            if complaint.type == "extra_forbidden":
                fields.add(did_you_mean(field, keys_at(complaint.loc[:2])) or field)
        elif complaint.type == "cannot_unset":
            fields.add(str(complaint.ctx["field"]))
    return frozenset(fields)


def salvage(kind: str, value: Any, wrong: frozenset[str]) -> Any:
    """The item without what is wrong; None where it has to be given up."""
    if not isinstance(value, dict) or wrong & _DECISIVE:
        return None
    made = {key: one for key, one in value.items() if key not in wrong}
    if kind == "accounts":
        made = {key: one for key, one in made.items() if key not in {"domain", "url", "token"}}
        made |= _STAND_INS[kind]
    else:
        made |= {key: one for key, one in _STAND_INS[kind].items() if key in wrong or key not in made}
        if kind == "leads" and not wrong & {"person", "organization"}:
            made = {key: one for key, one in made.items() if key in value or key == "title"}
    try:
        _MODELS[kind].model_validate(made)
    except ValidationError:
        return None
    return made
