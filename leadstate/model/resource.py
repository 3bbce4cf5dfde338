"""Objects, declared or live: an address or id and attributes in normal form; and what was read of an account."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Protocol, TypeAlias

from leadstate.model.address import Address, Ref, RemoteRef, Span
from leadstate.model.diagnostics import Diagnostic, Severity
from leadstate.model.usage import SavedFilter

FREEZES: Final = "archived"
"""The attribute with which nobody can edit an object any more."""

CARRIED: Final = "label"
"""The kind of object that others carry: renaming or deleting one weighs as much as those that carry it."""

CARRIER: Final = "lead"
"""The kind of object that carries them."""

CARRIES: Final = "labels"
"""The attribute that lists what an object carries."""

CUSTOM: Final = "custom_fields."
"""What the attribute of a custom field begins with, its name following; each one is managed by itself."""

SET_BY_SERVER: Final = frozenset({"owner", "visible_to", "was_seen"})
"""Attributes of a lead that a create sets by itself where it is not told (the caller, the caller's default, False)."""

SET_BY_LOOKING: Final = "was_seen"
"""The attribute that Pipedrive changes when somebody opens a lead."""

PAGE: Final = 500
"""Rows on a page of an offset-paged listing, at most (Pipedrive docs: pagination). Pages overlap by one row."""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of a currency; one value, which changes as a whole."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Lookup:
    """A person, organization or user by what people know of them; an id takes its place before anything is planned."""

    kind: str
    by: str
    text: str
    span: Span = field(compare=False)


Known: TypeAlias = Mapping[tuple[str, int], Mapping[str, str]]
"""Kind and id of a person, organization or user → what it is known by, as people write it."""


@dataclass(frozen=True, slots=True)
class CustomValue:
    """What is declared for a custom field, before its type is known; its normal form takes its place.

    `value` is plain Python: text, a number, a list or a mapping of such, None to unset the field. `span` is where it
    stands; None where no file holds it.
    """

    value: object
    span: Span | None = field(default=None, compare=False)


Scalar: TypeAlias = str | bool | int | Decimal | Money | Lookup | CustomValue | None
Value: TypeAlias = "Scalar | Ref | RemoteRef | AtLeast | tuple[Value, ...] | Mapping[str, Value]"
Attrs: TypeAlias = Mapping[str, Value]


UNSET: Final[tuple[Value, ...]] = (None, False, ())
"""What an attribute of a live object is where nothing is set: text, a flag, a list."""


class Absent:
    """A field that is not there: the before of an add, the after of a delete."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent()
Side: TypeAlias = "Value | Absent"


@dataclass(frozen=True, slots=True)
class AtLeast:
    """A set that must hold these references and may hold others."""

    refs: tuple[Ref, ...]


@dataclass(frozen=True, slots=True)
class Desired:
    """One declared object of one account.

    Attributes:
        address: its address.
        attrs: the managed fields only, in normal form; None unsets a field.
        span: where it is declared.
        marker: the ownership marker that identifies it, where its kind has one (leads: `origin_id`).
        former: ownership markers of earlier days that identify it too.
        names: what else identifies it: the current name, then previous ones.
        present: False where it must not exist.
        create_only: True where it is created once and then left to people.
        leave_gone: True where one that existed, and that people deleted or converted, is not created again.
        adopted: True for one that somebody else made: nothing but a remembered id tells it, and it is not added.
        keep: of several objects with its marker: the ids, one of which stays, while the others are deleted.
        remote_id: the id it has, where that is known; then nothing else identifies it, and it is never added.
        moves_to: of an object that must not exist: what takes its place wherever it is referred to.
        not_before: of an object that must not exist: the day (ISO 8601, UTC) from which on it is deleted.
    """

    address: Address
    attrs: Attrs
    span: Span
    marker: str | None = None
    names: tuple[str, ...] = ()
    present: bool = True
    create_only: bool = False
    leave_gone: bool = True
    adopted: bool = False
    keep: frozenset[str] = frozenset()
    remote_id: str | None = None
    moves_to: Ref | None = None
    not_before: str | None = None
    former: tuple[str, ...] = ()

    def diagnostic(
        self, code: str, severity: Severity, summary: str, *, hint: str, detail: str = "", span: Span | None = None
    ) -> Diagnostic:
        """Return a diagnostic about it, at its place or at one within it."""
        account = self.address.account
        return Diagnostic(
            code, severity, summary, detail, hint, span or self.span, account=account, address=self.address
        )


@dataclass(frozen=True, slots=True)
class Live:
    """One object that exists in the account.

    Attributes:
        kind: `label` or `lead`.
        remote_id: the id that Pipedrive gave it.
        attrs: every field that the product can manage, in normal form.
        name: what people call it.
        marker: its ownership marker, if any.
        frozen_by: the attribute that must change before any other can (an archived lead: `archived`).
        custom: its custom fields as they were answered; what they mean is for the account's fields to say.
    """

    kind: str
    remote_id: str
    attrs: Attrs
    name: str
    marker: str | None = None
    frozen_by: str | None = None
    custom: Mapping[str, object] = field(default_factory=dict)

    @property
    def ref(self) -> RemoteRef:
        """Its kind and id."""
        return RemoteRef(self.kind, self.remote_id)


class Dictionary(Protocol):
    """The custom fields of one account: their keys there, and how their values are worded."""

    def read(self, answered: Mapping[str, object]) -> Attrs:
        """Return attributes from the custom fields of a live object; a field in use that is not set is None."""

    def refusal(self, attribute: str, value: Value) -> str:
        """Return why a field does not accept a value that a live object has; nothing if it does."""

    def write(self, attribute: str, value: Value) -> Mapping[str, object]:
        """Return the part of a request's body that gives a custom field this value."""


@dataclass(slots=True)
class Bindings:
    """Which id stands for which reference in one account; grows while an apply adds objects.

    `fields` are the account's custom fields, where they matter.
    """

    fields: Dictionary | None = None
    _ids: dict[Ref, str] = field(default_factory=dict)
    _refs: dict[RemoteRef, Ref] = field(default_factory=dict)

    def bind(self, ref: Ref, remote_id: str) -> None:
        """Remember that the reference is this object."""
        self._ids[ref] = remote_id
        self._refs[RemoteRef(ref.kind, remote_id)] = ref

    def knows(self, ref: RemoteRef) -> bool:
        """Return whether something is bound to this id."""
        return ref in self._refs

    def ref_of(self, live: Live) -> Ref:
        """Return the reference of an object that is bound."""
        return self._refs[live.ref]

    def id_of(self, ref: Ref) -> str | None:
        """Return the id, or None if the object does not exist (yet)."""
        return self._ids.get(ref)

    def resolve(self, ref: Ref) -> str:
        """Return the id; raise `LookupError` if the object, which a change depends on, has none by now."""
        found = self._ids.get(ref)
        if found is None:
            raise LookupError(f"{ref} has no id, though every change that it depends on was applied")
        return found

    def custom(self, attribute: str, value: Value) -> Mapping[str, object]:
        """Return the part of a request's body that gives a custom field this value."""
        if self.fields is None:
            raise LookupError(f"{attribute} has no key, though it was planned")
        return self.fields.write(attribute, value)

    def ids(self) -> dict[str, str]:
        """Return every reference, as text, with its id, in order."""
        return {str(ref): remote_id for ref, remote_id in sorted(self._ids.items())}

    def attrs(self, live: Live) -> Attrs:
        """Return what a live object is like, ids turned into references and custom fields into their names."""
        attrs = {name: self.link(value) for name, value in live.attrs.items()}
        return attrs if self.fields is None else {**attrs, **self.fields.read(live.custom)}

    def link(self, value: Value) -> Value:
        """Return the same value with ids turned into references, sets of references sorted; unknown ids stay."""
        if isinstance(value, RemoteRef):
            return self._refs.get(value, value)
        if isinstance(value, tuple):
            return tuple(sorted((self.link(item) for item in value), key=str))
        if isinstance(value, Mapping):
            return {key: self.link(item) for key, item in value.items()}
        return value

    def unlink(self, value: Any) -> Any:
        """Return the same value with references to what exists turned back into ids, sets sorted."""
        if isinstance(value, Ref):
            remote_id = self.id_of(value)
            return value if remote_id is None else RemoteRef(value.kind, remote_id)
        if isinstance(value, tuple):
            return tuple(sorted((self.unlink(item) for item in value), key=str))
        if isinstance(value, Mapping):
            return {key: self.unlink(item) for key, item in value.items()}
        return value


def resolve_at_least(wanted: Value, live: Value, kept: Collection[Value] = ()) -> Value:
    """Return what a field gets: of `AtLeast` also all that is there, of any other list also what is to be kept."""
    there = live if isinstance(live, tuple) else ()
    if isinstance(wanted, AtLeast):
        return tuple(sorted({*wanted.refs, *there}, key=str))
    if kept and isinstance(wanted, tuple):
        return tuple(sorted({*wanted, *(item for item in there if item in kept)}, key=str))
    return wanted


def references(value: Side) -> frozenset[Ref]:
    """Return every reference inside a value."""
    if isinstance(value, Ref):
        return frozenset((value,))
    if isinstance(value, AtLeast):
        return frozenset(value.refs)
    if isinstance(value, tuple):
        return frozenset().union(*(references(item) for item in value))
    if isinstance(value, Mapping):
        return frozenset().union(*(references(item) for item in value.values()))
    return frozenset()


def pages_of(rows: int) -> int:
    """Return how many pages a listing of so many rows has; an empty one has one."""
    return 1 + max(0, -(-(rows - PAGE) // (PAGE - 1)))


@dataclass(frozen=True, slots=True)
class Observed:
    """What was read of an account.

    Attributes:
        live: the objects that matter, by kind; a kind that was not read is not in it.
        others: how many more objects of a kind were seen that are not ours to touch.
        carriers: ids of the live leads that carry each label; None where leads were not all listed.
        archived_carriers: the same for archived leads; None where they were not all read.
        unsure: markers that were not found, while part of the archived list was not read.
        pages: how many pages of live leads were read.
        gone: markers of objects that the lock file knows and that do not exist any more.
        fields: the account's custom fields; None where none is declared.
        reading: how live leads were read, what that cost, and why no other strategy was chosen; empty if they were not.
        filters: saved filters that name each label; None where they were not read.
        filters_hidden: whether they were to be read, and the token may not.
        ignored: the objects that `policy.ignore` names, by kind; none of them is in `live`.
        elsewhere: ownership marker of another namespace, with the key of a declared object → ids, of archived ones too.
        unmarked: title, white space collapsed → ids of live leads that have no ownership marker, were created over the
            API, and have the title of a declared lead.
        names: attribute and id, with a colon between → what the person, organization or user is known by.
    """

    live: Mapping[str, Sequence[Live]]
    others: Mapping[str, int] = field(default_factory=dict)
    carriers: Mapping[RemoteRef, Sequence[str]] | None = None
    archived_carriers: Mapping[RemoteRef, Sequence[str]] | None = None
    unsure: frozenset[str] = frozenset()
    pages: int = 0
    gone: frozenset[str] = frozenset()
    fields: Dictionary | None = None
    reading: str = ""
    ignored: Mapping[str, Sequence[Live]] = field(default_factory=dict)
    elsewhere: Mapping[str, Sequence[str]] = field(default_factory=dict)
    filters: Mapping[RemoteRef, Sequence[SavedFilter]] | None = None
    filters_hidden: bool = False
    unmarked: Mapping[str, Sequence[str]] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
