"""Seeded leads: what people declare, what Pipedrive answers, which requests make a change.

A lead's identity is its `origin_id`, `<namespace>:<key>`: free text that only a create can set and nobody can change.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow, Subnormal
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import BeforeValidator, ConfigDict, Discriminator, Field, Tag, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from leadstate.core.address import Address, Ref, RemoteRef, Span
from leadstate.core.plan import Action, Change
from leadstate.core.resource import AtLeast, Attrs, Desired, Live, Lookup, Money, Value, text
from leadstate.kinds.kind import Day, Kind, Line, RemoteId, Resolve, Scoped, Spec, Wire, fields_set
from leadstate.kinds.operations import ADD_LEAD, DELETE_LEAD, GET_LEAD, GET_LEADS, UPDATE_LEAD, Request

EMAIL = r"^[^@\s]+@[^@\s]+$"
LONGEST_MARK = 100
EXACT_DIGITS = 15
"""Amounts travel as JSON numbers, which every reader holds exactly up to 15 significant digits (IEEE 754 double)."""
_EXACT = Context(prec=EXACT_DIGITS, traps=[Inexact, Overflow, Subnormal, InvalidOperation])
"""Says so where a number has more digits, or is too large or small, instead of rounding it."""


def _amount(raw: object) -> Decimal:
    if isinstance(raw, bool) or not isinstance(raw, int | Decimal):
        raise PydanticCustomError("amount_type", "an amount is a number without quotes")
    amount = Decimal(raw)
    if not amount.is_finite():
        raise PydanticCustomError("amount_finite", "an amount is a finite number")
    try:
        normal = amount.normalize(_EXACT)
    except ArithmeticError:
        raise PydanticCustomError("amount_digits", "an amount has 15 significant digits at most") from None
    _, digits, exponent = normal.as_tuple()
    if len(digits) + max(0, int(exponent)) > EXACT_DIGITS or int(exponent) < -EXACT_DIGITS:
        raise PydanticCustomError("amount_digits", "an amount has 15 significant digits at most")
    return normal


Amount = Annotated[Decimal, BeforeValidator(_amount), WithJsonSchema({"type": "number"})]
Currency = Annotated[str, Field(pattern=r"^[A-Z0-9]{3,10}$", description="ISO 4217 code, or that of a custom one.")]


class MoneySpec(Spec):
    """An amount of a currency."""

    amount: Amount
    currency: Currency


class AtLeastLabels(Spec):
    """These labels, and whatever others the lead has."""

    at_least: list[Line]


def _shape(raw: object) -> str:
    return "(at_least)" if isinstance(raw, Mapping | AtLeastLabels) else "(exactly)"


LabelNames: TypeAlias = Annotated[
    Annotated[list[Line], Tag("(exactly)")] | Annotated[AtLeastLabels, Tag("(at_least)")], Discriminator(_shape)
]


class PersonRef(Spec):
    """A person by email address or by name."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    email: Annotated[str | None, Field(pattern=EMAIL, description="An email address that one person has.")] = None
    name: Annotated[Line | None, Field(description="A name that one person bears.")] = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.email is None) == (self.name is None):
            raise PydanticCustomError("person_ref", "a person is known by an `email` or by a `name`")
        return self


class OrganizationRef(Spec):
    """An organization by name."""

    name: Annotated[Line, Field(description="A name that one organization bears.")]


class UserRef(Spec):
    """A user by email address."""

    email: Annotated[str, Field(pattern=EMAIL, description="The email address that the user logs in with.")]


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

    title: Annotated[Line | None, Field(description="Its title.")] = None
    person: Annotated[
        Person | None, Field(description="The person it is linked to: an id, {email: …} or {name: …}.")
    ] = None
    organization: Annotated[
        Organization | None, Field(description="The organization it is linked to: an id, or {name: …}.")
    ] = None
    owner: Annotated[Owner | None, Field(description="The user who owns it: an id, or {email: …}.")] = None
    labels: Annotated[
        LabelNames | None, Field(description="Exactly these labels; {at_least: [...]} leaves others alone.")
    ] = None
    value: Annotated[MoneySpec | None, Field(description="Its potential value.")] = None
    expected_close_date: Annotated[Day | None, Field(description="YYYY-MM-DD.")] = None
    visible_to: Annotated[
        Visibility | None,
        Field(description="Who sees it: a word where the account says its plan, or a number that depends on the plan."),
    ] = None
    was_seen: Annotated[bool | None, Field(description="Whether somebody opened it; people flip it by looking.")] = None
    channel: Annotated[RemoteId | None, Field(description="Id of the marketing channel.")] = None
    channel_id: Annotated[Line | None, Field(description="Free text beside the channel.")] = None
    archived: Annotated[bool | None, Field(description="false brings an archived lead back; true archives it.")] = None

    @model_validator(mode="after")
    def _can_be_unset(self) -> Self:
        for name in ("title", "owner", "labels", "visible_to", "was_seen", "archived"):
            if name in self.model_fields_set and getattr(self, name) is None:
                cure = "write [] for no labels" if name == "labels" else "leave the line out to not manage it"
                raise PydanticCustomError(
                    "cannot_unset", "{field} cannot be unset; {cure}", {"field": name, "cure": cure}
                )
        return self


class LeadSpec(Scoped, LeadFields):
    """A seeded lead."""

    key: Annotated[
        str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$", description="Its identity: kept in origin_id as namespace:key.")
    ]
    title: Annotated[Line, Field(description="Its title.")]
    if_gone: Annotated[
        Literal["leave", "create"],
        Field(description="What if people deleted or converted it (a lock file remembers): leave, or create it again."),
    ] = "leave"
    mode: Annotated[Literal["enforce", "seed"], Field(description="seed: create it once, then hands off.")] = "enforce"
    overrides: Annotated[dict[str, LeadFields], Field(description="Account name → what is different there.")] = Field(
        default_factory=dict
    )


def declare(
    spec: LeadSpec,
    address: Address,
    span: Span,
    *,
    namespace: str,
    label_keys: Mapping[str, str],
    place: Callable[[str], Span],
) -> Desired:
    """The lead as one account shall have it.

    Args:
        spec: what is declared, with the account's overrides and variables in it already.
        address: its address.
        span: where it is declared.
        namespace: the configuration's mark.
        label_keys: label name or key → key; the loader has checked that each one is there.
        place: field → where it is written.
    """
    return Desired(
        address,
        {name: _attr(name, value, label_keys, place) for name, value in fields_set(spec).items() if name in _WIRE},
        span,
        mark=f"{namespace}:{spec.key}",
        create_only=spec.mode == "seed",
        leave_gone=spec.if_gone == "leave",
    )


def _attr(name: str, value: object, label_keys: Mapping[str, str], place: Callable[[str], Span]) -> Value:
    match value:
        case PersonRef() | OrganizationRef() | UserRef():
            kind = {"owner": "user"}.get(name, name)
            by, text_ = next((by, one) for by, one in value.model_dump().items() if one is not None)
            return Lookup(kind, by, text_, place(name))
        case MoneySpec():
            return Money(value.amount, value.currency)
        case AtLeastLabels():
            return AtLeast(_refs(value.at_least, label_keys))
        case list():
            return _refs(value, label_keys)
        case int() if name == "visible_to":
            return str(value)
        case str() | int() | None:
            return value
    raise TypeError(f"no attribute form for {name}")


def _refs(names: Sequence[str], label_keys: Mapping[str, str]) -> tuple[Ref, ...]:
    return tuple(sorted({Ref("label", label_keys[name]) for name in names}, key=str))


class WireMoney(Wire):
    """A value as Pipedrive answers it; integers come back as integers."""

    amount: Decimal
    currency: str


class WireLead(Wire):
    """A lead as Pipedrive answers it (2026 bodies; older ones lack the newer keys)."""

    id: Annotated[str, Field(min_length=1)]
    title: str
    owner_id: int | None = None
    label_ids: Annotated[list[str], Field(default_factory=list)]
    person_id: int | None = None
    organization_id: int | None = None
    value: WireMoney | None = None
    expected_close_date: str | None = None
    visible_to: str | None = None
    was_seen: bool | None = None
    channel: int | None = None
    channel_id: str | None = None
    is_archived: bool = False
    origin_id: str | None = None


def decode(raw: object) -> Live:
    """One lead of an answer."""
    wire = WireLead.model_validate(raw)
    title = text(wire.title)
    money = wire.value
    attrs: Attrs = {
        "title": title,
        "person": wire.person_id,
        "organization": wire.organization_id,
        "owner": wire.owner_id,
        "labels": tuple(sorted({RemoteRef("label", one) for one in wire.label_ids})),
        "value": None if money is None else Money(money.amount.normalize(), money.currency),
        "expected_close_date": wire.expected_close_date,
        "visible_to": wire.visible_to,
        "was_seen": wire.was_seen,
        "channel": wire.channel,
        "channel_id": text(wire.channel_id) or None if wire.channel_id is not None else None,
        "archived": wire.is_archived,
    }
    frozen_by = "archived" if wire.is_archived else None
    return Live("lead", wire.id, attrs, title, mark=wire.origin_id, frozen_by=frozen_by)


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


def requests(change: Change, resolve: Resolve) -> Sequence[Request]:
    """The requests that make the change.

    Archiving is a request of its own (updateLead is the only operation that takes `is_archived`, and an archived lead
    takes nothing else): it comes last, and bringing a lead back comes first.
    """
    body = {_WIRE[name]: _to_wire(value, resolve) for name, value in change.want.items() if name != "archived"}
    archived = change.want.get("archived")
    match change.action:
        case Action.DELETE:
            return (Request(DELETE_LEAD, change.remote_id),)
        case Action.ADD:
            given = {name: value for name, value in body.items() if value is not None}
            create = Request(ADD_LEAD, body={**given, "origin_id": change.mark})
            archive = (Request(UPDATE_LEAD, body={"is_archived": True}),) if archived else ()
            return (create, *archive)
        case Action.UPDATE:
            patch = (Request(UPDATE_LEAD, change.remote_id, body=body),) if body else ()
            flip = () if archived is None else (Request(UPDATE_LEAD, change.remote_id, body={"is_archived": archived}),)
            return (*flip, *patch) if change.thaw_first else (*patch, *flip)


def _to_wire(value: Value, resolve: Resolve) -> object:
    match value:
        case Ref():
            return resolve(value)
        case RemoteRef():
            return value.id
        case Money():
            amount = value.amount
            number = int(amount) if amount == amount.to_integral_value() else float(amount)
            return {"amount": number, "currency": value.currency}
        case tuple():
            return [_to_wire(item, resolve) for item in value]
        case _:
            return value


def from_plain(name: str, value: Any) -> Value:
    """An attribute's value from the form that reports hold (the inverse of `core.plan.plain`)."""
    if name == "labels":
        return tuple(sorted((Ref("label", key) for key in value or ()), key=str))
    if name == "value" and value is not None:
        return Money(Decimal(value["amount"]).normalize(), value["currency"])
    found: Value = value
    return found


def reread(change: Change) -> Request | None:
    """The lead itself, before a delete, and before a PATCH of its labels: that replaces the whole list."""
    overwrites = change.action is Action.UPDATE and "labels" in change.want
    return Request(GET_LEAD, change.remote_id) if overwrites or change.action is Action.DELETE else None


LEAD = Kind("lead", GET_LEADS, decode, requests, reread, lambda _change: (), from_plain)
