"""Kinds without a marker of ours: the name is the identity, compared after NFC and trimming.

One request lists all objects. A kind of this sort is a model of what people write, one of what is answered, and four
operations.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, create_model

from leadstate.kinds.base import Item, Kind, Line, NotNull, Spec, Wire, fields_set
from leadstate.model.account import Prune
from leadstate.model.address import Address, Ref, Span, normalize_text
from leadstate.model.plan import Action, Change
from leadstate.model.resource import Bindings, Desired, Live
from leadstate.pipedrive.operations import Operation, Request


class NamedOverride(Spec):
    """What is different about an object in one account."""

    name: Annotated[Line | None, Field(description="Its name in this account."), NotNull] = None


class NamedSpec(Item):
    """An object identified by its name."""

    name: Annotated[Line, Field(description="The name that sales people see; compared after Unicode NFC and trimming.")]
    key: Annotated[
        Line | None, Field(description="What leads and addresses call it, where overrides or vars change its name.")
    ] = None
    previously: Annotated[
        list[Line],
        Field(description="Former names: what is found under one of them is renamed, and keeps its id and leads."),
    ] = Field(default_factory=list)
    state: Annotated[Literal["present", "absent"], Field(description="absent: it must not exist.")] = "present"
    overrides: Annotated[Mapping[str, NamedOverride], Field(description="Account name → what is different there.")] = (
        Field(default_factory=dict)
    )

    @property
    def sources(self) -> Sequence[Any]:
        """The objects that this one takes in, by name or id."""
        return ()

    @property
    def successor(self) -> str | None:
        """What takes its place wherever it is referred to, once it is deleted."""
        return None

    @property
    def deleted_from(self) -> str | None:
        """The day from which on it is deleted, if it must not exist."""
        return None


def declare_named(kind: Kind, spec: NamedSpec, address: Address, span: Span, replaced_by: str | None = None) -> Desired:
    """Return the object as one account shall have it.

    Args:
        kind: its kind.
        spec: what is declared, with the account's overrides and variables in it already.
        address: its address.
        span: where it is declared.
        replaced_by: the key of the object that takes its place.
    """
    written = fields_set(spec)
    return Desired(
        address,
        {name: written[name] for name in kind.form.model_fields if name in written} if spec.state == "present" else {},  # type: ignore[misc]  # the model has checked the values
        span,
        names=(spec.name, *(name for name in spec.previously if name != spec.name)),
        present=spec.state == "present",
        moves_to=None if replaced_by is None else Ref(kind.name, replaced_by),
        not_before=spec.deleted_from,
    )


def declare_source(source: Any, target: Address, span: Span) -> Desired:
    """Return an object that another one takes in: it must not exist, and whoever refers to it gets the other one first.

    Args:
        source: its name, or what holds its id.
        target: the address of the object that takes it in.
        span: where that is written.
    """
    by_id = not isinstance(source, str)
    name = source if isinstance(source, str) else source.id
    return Desired(
        Address(target.account, target.kind, f"{target.key}#{name}" if by_id else name),
        {},
        span,
        names=() if by_id else (name,),
        present=False,
        remote_id=name if by_id else None,
        moves_to=target.ref,
    )


class WireNamed(Wire):
    """An object as Pipedrive answers it."""

    id: Annotated[str, Field(min_length=1)]
    name: str


def named_kind(
    name: str,
    section: str,
    description: str,
    models: tuple[type[NamedSpec], type[NamedOverride], type[WireNamed]],
    operations: tuple[Operation, Operation, Operation, Operation],
    *,
    columns: Sequence[str],
    stand_ins: Mapping[str, Any] | None = None,
) -> Kind:
    """Return a kind whose objects are identified by name. Attributes are text, or null where an answer may lack them.

    Args:
        name: as in addresses.
        section: the key of its list.
        description: what it is, as a sentence.
        models: what people write; what they write for one account, whose fields are the attributes; what is answered.
        operations: list all objects in one request, create one, change the fields that are given, delete one.
        columns: the keys that `get` shows.
        stand_ins: as in `Kind`.
    """
    spec, override, wire = models
    listing, add, update, delete = operations
    attributes = tuple(override.model_fields)
    always = frozenset(key for key in attributes if wire.model_fields[key].is_required())

    fields: dict[str, Any] = {key: (str if key in always else str | None, "") for key in attributes}
    form = create_model("Form", __base__=Spec, **fields)

    def decode(raw: object) -> Live:
        found = wire.model_validate(raw)
        known = normalize_text(found.name)
        return Live(name, found.id, {**{key: getattr(found, key) for key in attributes}, "name": known}, known)

    def requests(change: Change, ids: Bindings) -> Sequence[Request]:  # noqa: ARG001  it refers to nothing
        """Return the one request that makes the change; a PATCH holds the changed fields only."""
        match change.action:
            case Action.ADD:
                return (Request(add, body=dict(change.want)),)
            case Action.UPDATE:
                return (Request(update, change.remote_id, body=dict(change.want)),)
            case Action.DELETE:
                return (Request(delete, change.remote_id),)

    def reread(change: Change) -> Request | None:
        """Return the listing, before an add and a delete: these objects cannot be read one by one."""
        return None if change.action is Action.UPDATE else Request(listing)

    return Kind(
        name=name,
        section=section,
        description=description,
        spec=spec,
        override=override,
        listing=listing,
        one=listing,
        writes={add: Action.ADD, update: Action.UPDATE, delete: Action.DELETE},
        wire={attribute: attribute for attribute in attributes},
        decode=decode,
        requests=requests,
        reread=reread,
        form=form,
        columns=columns,
        prune=(Prune.LOCKED, Prune.ALL),
        prune_help=f"Which undeclared {section} are deleted; locked: those that the lock file knows.",
        stand_ins=stand_ins or {},
        needed_to_recreate=always,
        is_named=True,
    )
