"""What people declare of a lead: its fields, and the words they may use for people, money, days and visibility."""

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

from pydantic import Discriminator, Field, Tag

from leadstate.kinds.base import Day, Item, Line, NotNull, RemoteId, Spec
from leadstate.kinds.custom_fields import CustomFieldValues
from leadstate.kinds.values import MoneySpec, Organization, Owner, Person

LONGEST_MARK = 100


class AtLeastLabels(Spec):
    """These labels, and whatever others the lead has."""

    at_least: list[Line]


def _shape(raw: object) -> str:
    return "(at_least)" if isinstance(raw, Mapping | AtLeastLabels) else "(exactly)"


LabelNames: TypeAlias = Annotated[
    Annotated[list[Line], Tag("(exactly)")] | Annotated[AtLeastLabels, Tag("(at_least)")], Discriminator(_shape)
]

Visibility = Literal[1, 3, 5, 7, "owner", "group", "subgroups", "company"]
Plan = Literal["lite", "growth", "premium", "ultimate"]

_SMALL_PLAN = {"owner": 1, "company": 3}
_LARGE_PLAN = {"owner": 1, "group": 3, "subgroups": 5, "company": 7}
_VISIBILITY = {"lite": _SMALL_PLAN, "growth": _SMALL_PLAN, "premium": _LARGE_PLAN, "ultimate": _LARGE_PLAN}


def visibility(value: Visibility, plan: Plan | None) -> int | None:
    """The number of a visibility in an account of this plan; None where a word means nothing there.

    The same number means different things on different plans (Pipedrive API: visible_to of addLead).
    """
    return value if isinstance(value, int) else _VISIBILITY.get(plan or "", {}).get(value)


class LeadFields(Spec):
    """The fields of a lead. One that is not written is not managed; null unsets it."""

    title: Annotated[Line | None, Field(description="Its title."), NotNull] = None
    person: Annotated[
        Person | None, Field(description="The person it is linked to: an id, {email: …} or {name: …}.")
    ] = None
    organization: Annotated[
        Organization | None, Field(description="The organization it is linked to: an id, or {name: …}.")
    ] = None
    owner: Annotated[Owner | None, Field(description="The user who owns it: an id, or {email: …}."), NotNull] = None
    labels: Annotated[
        LabelNames | None, Field(description="Exactly these labels; {at_least: [...]} leaves others alone."), NotNull
    ] = None
    value: Annotated[MoneySpec | None, Field(description="Its potential value; 15 significant digits at most.")] = None
    expected_close_date: Annotated[Day | None, Field(description="The day on which it should close.")] = None
    visible_to: Annotated[
        Visibility | None,
        Field(description="Who sees it: a word, where the account says its plan, or a number of that plan."),
        NotNull,
    ] = None
    was_seen: Annotated[
        bool | None, Field(description="Whether it was opened; best left out: people flip it by looking."), NotNull
    ] = None
    channel: Annotated[RemoteId | None, Field(description="Id of the marketing channel.")] = None
    channel_id: Annotated[Line | None, Field(description="Free text beside the channel.")] = None
    custom_fields: Annotated[CustomFieldValues | None, NotNull] = None
    archived: Annotated[
        bool | None,
        Field(description="false brings an archived lead back, true archives it; unless written, it is left as it is."),
        NotNull,
    ] = None


IfGone = Annotated[
    Literal["leave", "create"],
    Field(description="What if people deleted or converted it (a lock file remembers): leave, or create it again."),
]
Mode = Annotated[Literal["enforce", "seed"], Field(description="seed: create it once; later changes are ignored.")]


LeadId = Annotated[
    str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", description="The id of a lead in Pipedrive.")
]


class LeadSpec(Item, LeadFields):
    """A seeded lead."""

    key: Annotated[
        str,
        Field(
            pattern=r"^[a-z0-9][a-z0-9._-]*$",
            description="Its identity, for ever; kept in origin_id after the namespace, 100 characters at most.",
        ),
    ]
    title: Annotated[Line, Field(description="Its title.")]
    previously: Annotated[
        list[Annotated[str, Field(pattern=r"^([a-z0-9][a-z0-9._-]*:)?[a-z0-9][a-z0-9._-]*$", max_length=LONGEST_MARK)]],
        Field(
            description="Former keys, or namespace:key: a lead that was created under one of them is this lead, and "
            "keeps its id. Its ownership marker cannot be rewritten, so this has to stay."
        ),
    ] = Field(default_factory=list)
    adopted: Annotated[
        bool,
        Field(
            description="It was there before, as import writes it: the lock file tells which one it is; never created."
        ),
    ] = False
    keep: Annotated[
        list[LeadId],
        Field(
            description="Where several leads bear this key: the id of the one that stays. The others are deleted, if "
            "they carry its ownership marker."
        ),
    ] = Field(default_factory=list)
    if_gone: IfGone = "leave"
    mode: Mode = "enforce"
    overrides: Annotated[dict[str, LeadFields], Field(description="Account name → what is different there.")] = Field(
        default_factory=dict
    )
