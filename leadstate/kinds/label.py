"""Lead labels: what people declare, what Pipedrive answers, which requests make a change.

Labels have no marker of ours, so the name is their identity.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import ConfigDict, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from leadstate.kinds.base import DECLARED_UUID, Day, Line, NotNull, Spec
from leadstate.kinds.named import NamedOverride, NamedSpec, WireNamed, named_kind
from leadstate.pipedrive.operations import (
    ADD_LABEL,
    DELETE_LABEL,
    GET_LABELS,
    UPDATE_LABEL,
)

Color = Literal["blue", "brown", "dark-gray", "gray", "green", "orange", "pink", "purple", "red", "yellow"]

_COLOR_UNLESS_ABSENT: dict[str, object] = {
    "if": {"properties": {"state": {"const": "absent"}}, "required": ["state"]},
    "else": {"required": ["color"]},
}


class LabelOverride(NamedOverride):
    """What is different about a label in one account."""

    color: Annotated[Color | None, Field(description="Its colour in this account."), NotNull] = None


class LabelById(Spec):
    """A label by its id, where its name does not tell it from another."""

    id: Annotated[str, Field(pattern=DECLARED_UUID, description="Its id in Pipedrive.")]


def _source_shape(raw: object) -> str:
    return "(by_id)" if isinstance(raw, Mapping | LabelById) else "(by_name)"


MergeSource: TypeAlias = Annotated[
    Annotated[Line, Tag("(by_name)")] | Annotated[LabelById, Tag("(by_id)")], Discriminator(_source_shape)
]


class LabelSpec(NamedSpec):
    """A lead label."""

    model_config = ConfigDict(json_schema_extra=_COLOR_UNLESS_ABSENT)  # type: ignore[typeddict-item]  # a plain schema

    color: Annotated[Color | None, Field(description="Its colour.")] = None
    merge_from: Annotated[
        list[MergeSource],
        Field(description="Labels that this one takes in: their leads get it, then they are deleted. Names, or ids."),
    ] = Field(default_factory=list)
    replace_with: Annotated[
        Line | None, Field(description="With state: absent: the label that its leads get before it is deleted.")
    ] = None
    delete_after: Annotated[
        Day | None, Field(description="With state: absent: until this day (UTC) it is reported, not deleted.")
    ] = None
    overrides: Annotated[dict[str, LabelOverride], Field(description="Account name → what is different there.")] = (
        Field(default_factory=dict)
    )

    @property
    def sources(self) -> Sequence[str | LabelById]:
        """The labels that this one takes in, by name or id."""
        return self.merge_from

    @property
    def successor(self) -> str | None:
        """The label that its leads get before it is deleted."""
        return self.replace_with

    @property
    def deleted_from(self) -> str | None:
        """The day from which on it is deleted."""
        return self.delete_after

    @model_validator(mode="after")
    def _fields_fit_the_state(self) -> Self:
        if self.state == "present" and self.color is None:
            raise PydanticCustomError("label_color", "a label needs a colour", {"field": "color"})
        if self.state == "present" and (self.replace_with or self.delete_after):
            raise PydanticCustomError("only_absent", "`replace_with` and `delete_after` go with `state: absent`")
        if self.state == "absent" and self.merge_from:
            raise PydanticCustomError("only_present", "`merge_from` goes with `state: present`")
        return self


class WireLabel(WireNamed):
    """A label as Pipedrive answers it (getLeadLabels, addLeadLabel, updateLeadLabel)."""

    color: str


LABEL = named_kind(
    "label",
    "labels",
    "The lead labels.",
    (LabelSpec, LabelOverride, WireLabel),
    (GET_LABELS, ADD_LABEL, UPDATE_LABEL, DELETE_LABEL),
    columns=("name", "color", "id"),
    stand_ins={"color": "red"},
)
