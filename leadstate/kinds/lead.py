"""Seeded leads: from what people declare and what Pipedrive answers to attributes, and to the requests of a change.

A lead's identity is its `origin_id`, `<namespace>:<key>`: free text that only a create can set and nobody can change.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import ConfigDict, Discriminator, Field, Tag, TypeAdapter

from leadstate.kinds.base import (
    DECLARED_UUID,
    Day,
    Email,
    Item,
    Kind,
    Line,
    MoneySpec,
    NotBool,
    NotNull,
    PersonRef,
    RemoteId,
    Spec,
    Uuid,
    Wire,
    fields_set,
    normalize_within_bounds,
    raising_bad_answer,
    to_json_number,
)
from leadstate.kinds.custom_fields import CustomFieldValues, keep_as_written, select_custom_fields
from leadstate.kinds.label import LABEL
from leadstate.model.account import Prune
from leadstate.model.address import Address, Ref, RemoteRef, Span, normalize_text
from leadstate.model.plan import Action, Change
from leadstate.model.resource import (
    CUSTOM,
    FREEZES,
    AtLeast,
    Attrs,
    Bindings,
    CustomValue,
    Desired,
    Live,
    Lookup,
    Money,
    Value,
)
from leadstate.pipedrive.operations import (
    ADD_LEAD,
    DELETE_LEAD,
    GET_ARCHIVED_LEADS,
    GET_LEAD,
    GET_LEADS,
    UPDATE_LEAD,
    Operation,
    Request,
)

LONGEST_MARK = 100
"""Characters of an ownership marker."""

_SMALL_PLAN = {"owner": 1, "company": 3}
_LARGE_PLAN = {"owner": 1, "group": 3, "subgroups": 5, "company": 7}
_VISIBILITY = {"lite": _SMALL_PLAN, "growth": _SMALL_PLAN, "premium": _LARGE_PLAN, "ultimate": _LARGE_PLAN}

_WIRE = {
    "title": "title",
    "person": "person_id",
    "organization": "organization_id",
    "owner": "owner_id",
    "labels": "label_ids",
    "value": "value",
    "expected_close_date": "expected_close_date",
    "visible_to": "visible_to",
    "was_seen": "was_seen",
    "channel": "channel",
    "channel_id": "channel_id",
    "archived": "is_archived",
}
"""Attribute → its key in a body."""


class OrganizationRef(Spec):
    """An organization by name."""

    name: Annotated[Line, Field(description="A name that one organization has.")]


class UserRef(Spec):
    """A user by email address."""

    email: Annotated[Email, Field(description="The email address that the user logs in with.")]


def _known_by(raw: object) -> str:
    return "(description)" if isinstance(raw, Mapping | Spec) else "(id)"


Person: TypeAlias = Annotated[
    Annotated[RemoteId, Tag("(id)")] | Annotated[PersonRef, Tag("(description)")], Discriminator(_known_by)
]
Organization: TypeAlias = Annotated[
    Annotated[RemoteId, Tag("(id)")] | Annotated[OrganizationRef, Tag("(description)")], Discriminator(_known_by)
]
Owner: TypeAlias = Annotated[
    Annotated[RemoteId, Tag("(id)")] | Annotated[UserRef, Tag("(description)")], Discriminator(_known_by)
]


class AtLeastLabels(Spec):
    """These labels, and whatever others the lead has."""

    at_least: list[Line]


def _shape(raw: object) -> str:
    return "(at_least)" if isinstance(raw, Mapping | AtLeastLabels) else "(exactly)"


LabelNames: TypeAlias = Annotated[
    Annotated[list[Line], Tag("(exactly)")] | Annotated[AtLeastLabels, Tag("(at_least)")], Discriminator(_shape)
]

Visibility: TypeAlias = Literal[1, 3, 5, 7, "owner", "group", "subgroups", "company"]
Plan = Literal["lite", "growth", "premium", "ultimate"]


def visibility(value: Visibility, plan: Plan | None) -> int | None:
    """Return the number of a visibility in an account of this plan; None if it means nothing there.

    The same number means different things on different plans (Pipedrive API: visible_to of addLead).
    """
    words = _VISIBILITY.get(plan or "", {})
    if isinstance(value, int):
        return value if plan is None or value in words.values() else None
    return words.get(value)


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
        Annotated[Visibility, NotBool] | None,
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


LeadId = Annotated[str, Field(pattern=DECLARED_UUID, description="The id of a lead in Pipedrive.")]


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
            description="Where several leads have this key: the id of the one that stays. The others are deleted, if "
            "they carry its ownership marker."
        ),
    ] = Field(default_factory=list)
    if_gone: IfGone = "leave"
    mode: Mode = "enforce"
    overrides: Annotated[dict[str, LeadFields], Field(description="Account name → what is different there.")] = Field(
        default_factory=dict
    )


def declare_lead(
    spec: LeadSpec,
    address: Address,
    span: Span,
    *,
    namespace: str,
    label_keys: Mapping[str, str],
    place: Callable[[str], Span],
) -> Desired:
    """Return the lead as one account shall have it.

    Args:
        spec: what is declared, with the account's overrides and variables in it already.
        address: its address.
        span: where it is declared.
        namespace: the configuration's marker.
        label_keys: label name or key → key; the loader has checked that each one is there.
        place: attribute → where it is written.
    """
    written = fields_set(spec)
    return Desired(
        address,
        {
            **{
                name: _normalize_attr(name, value, label_keys, place)
                for name, value in written.items()
                if name in _WIRE
            },
            **{
                (name := f"{CUSTOM}{field}"): keep_as_written(value, place(name))
                for field, value in (spec.custom_fields or {}).items()
            },
        },
        span,
        marker=marker_of(spec.key, namespace),
        former=former_markers(spec, namespace),
        create_only=spec.mode == "seed",
        leave_gone=spec.if_gone == "leave",
        adopted=spec.adopted,
        keep=frozenset(spec.keep),
    )


def former_markers(spec: LeadSpec, namespace: str) -> tuple[str, ...]:
    """Return the ownership markers that a lead may have been created with before it had its key of today."""
    markers = (marker_of(written, namespace) for written in spec.previously)
    return tuple(dict.fromkeys(marker for marker in markers if marker != marker_of(spec.key, namespace)))


def marker_of(key: str, namespace: str) -> str:
    """Return the ownership marker of a key; a former key may be written with the namespace that it had: `old:acme`."""
    return key if ":" in key else f"{namespace}:{key}"


def _normalize_attr(name: str, value: object, label_keys: Mapping[str, str], place: Callable[[str], Span]) -> Value:
    match value:
        case PersonRef() | OrganizationRef() | UserRef():
            kind = {"owner": "user"}.get(name, name)
            ((by, text),) = value.model_dump(exclude_none=True).items()
            return Lookup(kind, by, text, place(name))
        case MoneySpec():
            return Money(value.amount, value.currency)
        case AtLeastLabels():
            return AtLeast(_make_refs(value.at_least, label_keys))
        case list():
            return _make_refs(value, label_keys)
        case int() if name == "visible_to":
            return str(value)
        case str() | int() | None:
            return value
    raise TypeError(f"no attribute form for {name}")


def _make_refs(names: Sequence[str], label_keys: Mapping[str, str]) -> tuple[Ref, ...]:
    return tuple(sorted({Ref("label", label_keys[name]) for name in names}, key=str))


class WireMoney(Wire):
    """A value as Pipedrive answers it; integers come back as integers."""

    amount: Decimal
    currency: str


class LeadSummary(Wire):
    """Id, ownership marker and labels of a lead: all that is validated of unmanaged leads."""

    id: Annotated[str, Field(min_length=1)]
    origin_id: str | None = None
    label_ids: Annotated[list[str], Field(default_factory=list)]


_SUMMARIES = TypeAdapter(list[LeadSummary], config=ConfigDict(defer_build=True))


def decode_summaries(operation: Operation, rows: Sequence[object]) -> list[LeadSummary]:
    """Return id, marker and labels of each row, all validated at once; raise `BadAnswer` if one is malformed."""
    with raising_bad_answer(LEAD, operation):
        return _SUMMARIES.validate_python(rows)


class WireLead(LeadSummary):
    """A lead as Pipedrive answers it (2026 bodies; older ones lack the newer keys)."""

    title: str
    owner_id: int | None = None
    person_id: int | None = None
    organization_id: int | None = None
    value: WireMoney | None = None
    expected_close_date: str | None = None
    visible_to: str | None = None
    was_seen: bool | None = None
    channel: int | None = None
    channel_id: str | None = None
    is_archived: bool = False


def decode(raw: object) -> Live:
    """Return one lead of an answer, in normal form."""
    wire = WireLead.model_validate(raw)
    title = normalize_text(wire.title)
    money = wire.value
    attrs: Attrs = {
        **{name: getattr(wire, key) for name, key in _WIRE.items()},
        "title": title,
        "labels": tuple(sorted({RemoteRef("label", id_) for id_ in wire.label_ids})),
        "value": None if money is None else Money(normalize_within_bounds(money.amount), money.currency),
        "channel_id": normalize_text(wire.channel_id or "") or None,
    }
    frozen_by = FREEZES if wire.is_archived else None
    custom = select_custom_fields(raw) if isinstance(raw, dict) else {}
    return Live("lead", wire.id, attrs, title, marker=wire.origin_id or None, frozen_by=frozen_by, custom=custom)


class MoneyForm(Spec):
    """An amount as reports hold it."""

    amount: int | str
    currency: str


class LeadForm(Spec):
    """The attributes of a lead as reports hold them."""

    title: str = ""
    person: int | None = None
    organization: int | None = None
    owner: int | None = None
    labels: Annotated[list[Uuid], Field(default_factory=list)]
    value: MoneyForm | None = None
    expected_close_date: str | None = None
    visible_to: str | None = None
    was_seen: bool | None = None
    channel: int | None = None
    channel_id: str | None = None
    archived: bool = False


def requests(change: Change, ids: Bindings) -> Sequence[Request]:
    """Return the requests that make the change.

    Archiving is a request of its own (updateLead is the only operation that takes `is_archived`, and an archived lead
    takes nothing else): it comes last, and bringing a lead back comes first.
    """
    body: dict[str, object] = {}
    for name, value in change.want.items():
        if name in _WIRE and name != "archived":
            body[_WIRE[name]] = _to_wire(value, ids)
        elif name.startswith(CUSTOM):
            body |= ids.custom(name, value)
    archived = change.want.get("archived")
    match change.action:
        case Action.DELETE:
            return (Request(DELETE_LEAD, change.remote_id),)
        case Action.ADD:
            given = {name: value for name, value in body.items() if value is not None}
            create = Request(ADD_LEAD, body={**given, "origin_id": change.marker})
            archive = (Request(UPDATE_LEAD, body={"is_archived": True}),) if archived else ()
            return (create, *archive)
        case Action.UPDATE:
            patch = (Request(UPDATE_LEAD, change.remote_id, body=body),) if body else ()
            flip = () if archived is None else (Request(UPDATE_LEAD, change.remote_id, body={"is_archived": archived}),)
            return (*flip, *patch) if change.thaw_first else (*patch, *flip)


def _to_wire(value: Value, ids: Bindings) -> object:
    match value:
        case Ref():
            return ids.resolve(value)
        case RemoteRef():
            return value.id
        case Money():
            return {"amount": to_json_number(value.amount), "currency": value.currency}
        case tuple():
            return [_to_wire(item, ids) for item in value]
        case _:
            return value


def from_plain(name: str, value: Any) -> Value:
    """Return an attribute's value from the form that reports hold (the inverse of `model.plan.plain`)."""
    if name == "labels":
        return tuple(sorted((Ref("label", key) for key in value or ()), key=str))
    if name == "value" and value is not None:
        return Money(Decimal(value["amount"]).normalize(), value["currency"])
    if name.startswith(CUSTOM):
        return CustomValue(Decimal(repr(value)) if isinstance(value, float) else value)
    found: Value = value
    return found


def reread(change: Change) -> Request | None:
    """Return the request for the lead before a delete, and before a PATCH of its labels: it replaces the list."""
    overwrites = change.action is Action.UPDATE and "labels" in change.want
    return Request(GET_LEAD, change.remote_id) if overwrites or change.action is Action.DELETE else None


LEAD = Kind(
    name="lead",
    section="leads",
    description="The seeded leads.",
    spec=LeadSpec,
    override=LeadFields,
    listing=GET_LEADS,
    one=GET_LEAD,
    writes={ADD_LEAD: Action.ADD, UPDATE_LEAD: Action.UPDATE, DELETE_LEAD: Action.DELETE},
    wire=_WIRE,
    decode=decode,
    requests=requests,
    reread=reread,
    from_plain=from_plain,
    form=LeadForm,
    columns=(
        "title",
        "labels",
        "value",
        "source_name",
        "update_time",
        "origin_id",
        "owner_id",
        "person_id",
        "organization_id",
        "id",
    ),
    prune=(Prune.OWNED,),
    prune_help="owned: undeclared leads of our namespace are deleted, archived ones excepted.",
    stand_ins={"title": "stand-in", "person": 1, "organization": 1},
    references={"labels": LABEL.name},
    archive=GET_ARCHIVED_LEADS,
)
