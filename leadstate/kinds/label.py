"""Lead labels: what people declare, what Pipedrive answers, which requests make a change.

Labels have no mark of ours, so the name is their identity; it is compared after NFC and trimming.
"""

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from leadstate.core.address import Address, Span
from leadstate.core.plan import Action, Change
from leadstate.core.resource import Desired, Live, text
from leadstate.kinds.kind import Kind, Line, Resolve, Scoped, Spec, Wire
from leadstate.kinds.operations import ADD_LABEL, DELETE_LABEL, GET_LABELS, UPDATE_LABEL, Request

Color = Literal["blue", "brown", "dark-gray", "gray", "green", "orange", "pink", "purple", "red", "yellow"]

_COLOR_UNLESS_ABSENT: dict[str, object] = {
    "if": {"properties": {"state": {"const": "absent"}}, "required": ["state"]},
    "else": {"required": ["color"]},
}


class LabelOverride(Spec):
    """What is different about a label in one account."""

    name: Annotated[Line | None, Field(description="Its name in this account.")] = None
    color: Annotated[Color | None, Field(description="Its colour in this account.")] = None

    @model_validator(mode="after")
    def _nothing_unset(self) -> Self:
        if any(getattr(self, name) is None for name in self.model_fields_set):
            raise PydanticCustomError("label_unset", "a label always has a name and a colour, null cannot unset them")
        return self


class LabelSpec(Scoped):
    """A lead label."""

    model_config = ConfigDict(json_schema_extra=_COLOR_UNLESS_ABSENT)  # type: ignore[typeddict-item]  # a plain schema

    name: Annotated[Line, Field(description="The name that sales people see.")]
    key: Annotated[
        Line | None, Field(description="A name for it in this configuration, where overrides change `name`.")
    ] = None
    color: Annotated[Color | None, Field(description="Its colour.")] = None
    previously: Annotated[
        list[Line], Field(description="Former names: a label found under one of them is renamed and keeps its leads.")
    ] = Field(default_factory=list)
    state: Annotated[Literal["present", "absent"], Field(description="absent: the label must not exist.")] = "present"
    overrides: Annotated[dict[str, LabelOverride], Field(description="Account name → what is different there.")] = (
        Field(default_factory=dict)
    )

    @model_validator(mode="after")
    def _color_unless_absent(self) -> Self:
        if self.state == "present" and self.color is None:
            raise PydanticCustomError("label_color", "a label needs a colour")
        return self

    @property
    def ref_key(self) -> str:
        """What leads and addresses call it."""
        return self.key or self.name


def declare(spec: LabelSpec, address: Address, span: Span) -> Desired:
    """The label as one account shall have it; `spec` has the account's overrides and variables in it already."""
    return Desired(
        address,
        {"name": spec.name, "color": spec.color} if spec.state == "present" else {},
        span,
        names=(spec.name, *(name for name in spec.previously if name != spec.name)),
        present=spec.state == "present",
    )


class WireLabel(Wire):
    """A label as Pipedrive answers it (getLeadLabels, addLeadLabel, updateLeadLabel)."""

    id: Annotated[str, Field(min_length=1)]
    name: str
    color: str


def decode(raw: object) -> Live:
    """One label of an answer."""
    wire = WireLabel.model_validate(raw)
    name = text(wire.name)
    return Live("label", wire.id, {"name": name, "color": wire.color}, name)


def requests(change: Change, resolve: Resolve) -> Sequence[Request]:  # noqa: ARG001  labels refer to nothing
    """The one request that makes the change; a PATCH holds the changed fields only."""
    match change.action:
        case Action.ADD:
            return (Request(ADD_LABEL, body=dict(change.want)),)
        case Action.UPDATE:
            return (Request(UPDATE_LABEL, change.remote_id, body=dict(change.want)),)
        case Action.DELETE:
            return (Request(DELETE_LABEL, change.remote_id),)


def reread(change: Change) -> Request | None:
    """The listing, before a delete: labels cannot be read one by one (Pipedrive API: getLeadLabels)."""
    return Request(GET_LABELS) if change.action is Action.DELETE else None


LABEL = Kind("label", GET_LABELS, decode, requests, reread, lambda _name, value: value)
