"""Lead labels: what people declare, what Pipedrive answers, which requests make a change.

Labels have no marker of ours, so the name is their identity; it is compared after NFC and trimming.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import ConfigDict, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from leadstate.kinds.base import Day, Kind, Line, Resolve, Scoped, Spec, Wire
from leadstate.kinds.forms import is_text
from leadstate.model.address import Address, Ref, Span
from leadstate.model.plan import Action, Change
from leadstate.model.resource import Desired, Live, text
from leadstate.pipedrive.operations import (
    ADD_LABEL,
    DELETE_LABEL,
    GET_LABELS,
    GET_LEAD,
    GET_LEADS,
    UPDATE_LABEL,
    UPDATE_LEAD,
    Request,
)

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


class LabelById(Spec):
    """A label by its id, where its name does not tell it from another."""

    id: Annotated[
        str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", description="Its id in Pipedrive.")
    ]


def _source_shape(raw: object) -> str:
    return "(by_id)" if isinstance(raw, Mapping | LabelById) else "(by_name)"


MergeSource: TypeAlias = Annotated[
    Annotated[Line, Tag("(by_name)")] | Annotated[LabelById, Tag("(by_id)")], Discriminator(_source_shape)
]


class LabelSpec(Scoped):
    """A lead label."""

    model_config = ConfigDict(json_schema_extra=_COLOR_UNLESS_ABSENT)  # type: ignore[typeddict-item]  # a plain schema

    name: Annotated[Line, Field(description="The name that sales people see; compared after Unicode NFC and trimming.")]
    key: Annotated[
        Line | None, Field(description="What leads and addresses call it, where overrides or vars change its name.")
    ] = None
    color: Annotated[Color | None, Field(description="Its colour.")] = None
    previously: Annotated[
        list[Line],
        Field(description="Former names: what is found under one of them is renamed, and keeps its id and leads."),
    ] = Field(default_factory=list)
    merge_from: Annotated[
        list[MergeSource],
        Field(description="Labels that this one takes in: their leads get it, then they are deleted. Names, or ids."),
    ] = Field(default_factory=list)
    state: Annotated[Literal["present", "absent"], Field(description="absent: the label must not exist.")] = "present"
    replace_with: Annotated[
        Line | None, Field(description="With state: absent: the label that its leads get before it is deleted.")
    ] = None
    delete_after: Annotated[
        Day | None, Field(description="With state: absent: until this day (UTC) it is reported, not deleted.")
    ] = None
    overrides: Annotated[dict[str, LabelOverride], Field(description="Account name → what is different there.")] = (
        Field(default_factory=dict)
    )

    @model_validator(mode="after")
    def _fields_fit_the_state(self) -> Self:
        if self.state == "present" and self.color is None:
            raise PydanticCustomError("label_color", "a label needs a colour")
        if self.state == "present" and (self.replace_with or self.delete_after):
            raise PydanticCustomError("only_absent", "`replace_with` and `delete_after` go with `state: absent`")
        if self.state == "absent" and self.merge_from:
            raise PydanticCustomError("only_present", "a label that must not exist takes in no other")
        return self


def declare(spec: LabelSpec, address: Address, span: Span, replaced_by: str | None = None) -> Desired:
    """The label as one account shall have it; `spec` has the account's overrides and variables in it already.

    Args:
        spec: what is declared.
        address: its address.
        span: where it is declared.
        replaced_by: the key of the label that `replace_with` names.
    """
    return Desired(
        address,
        {"name": spec.name, "color": spec.color} if spec.state == "present" else {},
        span,
        names=(spec.name, *(name for name in spec.previously if name != spec.name)),
        present=spec.state == "present",
        moves_to=None if replaced_by is None else Ref("label", replaced_by),
        not_before=spec.delete_after,
    )


def taken_in(source: str | LabelById, target: Address, span: Span) -> Desired:
    """A label that another one takes in: it must not exist, and its leads get the other one first.

    Args:
        source: its name, or its id.
        target: the address of the label that takes it in.
        span: where that is written.
    """
    by_id = isinstance(source, LabelById)
    name = source.id if isinstance(source, LabelById) else source
    return Desired(
        Address(target.account, "label", f"{target.key}#{name}" if by_id else name),
        {},
        span,
        names=() if by_id else (name,),
        present=False,
        remote_id=name if by_id else None,
        moves_to=target.ref,
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
    """The listing, before an add and a delete: labels cannot be read one by one (Pipedrive API: getLeadLabels)."""
    return None if change.action is Action.UPDATE else Request(GET_LABELS)


def moves(change: Change) -> Sequence[Request]:
    """Return the requests that give the leads of a deleted label another one: each is read and written, then all read.

    The list of leads shows that none carries the label any more, one that got it meanwhile included. The list of labels
    shows that nobody has changed the label while its leads moved, which may take minutes.
    """
    if change.moves_to is None:
        return ()
    leads = len(change.carriers or ())
    return (
        *[Request(GET_LEAD)] * leads,
        *[Request(UPDATE_LEAD)] * leads,
        *[Request(GET_LEADS)] * change.pages,
        Request(GET_LABELS),
    )


LABEL = Kind(
    "label",
    GET_LABELS,
    decode,
    requests,
    reread,
    moves,
    lambda _name, value: value,
    forms={"name": is_text, "color": is_text},
    columns=("name", "color", "id"),
    needed_to_recreate=frozenset({"name", "color"}),
)
