"""How objects that names tell fit together: names, keys, previous names (spec section 2). One diagnostic a place."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TypeAlias

from leadstate.config.rules.merge import Entry
from leadstate.config.rules.scope import AccountSet, Directory
from leadstate.config.rules.variables import Variables, Variant
from leadstate.config.yaml.diagnostics import Diagnostics, Place, visible
from leadstate.kinds.base import Kind, fields_set
from leadstate.kinds.named import NamedSpec, declare, taken_in
from leadstate.model.address import Address
from leadstate.model.policy import Policy
from leadstate.model.resource import Desired
from leadstate.reconcile.lookalikes import look


@dataclass(frozen=True, slots=True)
class NamedHere:
    """A named object as some accounts have it.

    Attributes:
        entry: as it is declared.
        variant: the accounts.
        key: its key, which is its name where none is written.
        base: its name without the override.
        spec: what is declared, with override and variables in it.
    """

    entry: Entry[NamedSpec]
    variant: Variant
    key: str
    base: str
    spec: NamedSpec

    @property
    def accounts(self) -> AccountSet:
        """The accounts that have it."""
        return self.variant.accounts

    @property
    def present(self) -> bool:
        """False where it must not exist."""
        return self.spec.state == "present"

    @property
    def where(self) -> Place:
        """Where its name is written."""
        return self.entry.place("name")


@dataclass(slots=True)
class Meaning:
    """What a name means to whoever refers to an object by it.

    Attributes:
        first: key of the first label of that name → the accounts in which it is that.
        keys: key of the only label of that name → the accounts in which it is that, and present.
        absent: accounts in which the only label of that name must not exist.
        anywhere: accounts in which a label has that name.
        several: accounts in which labels of different keys or names have it.
    """

    first: dict[str, AccountSet] = field(default_factory=lambda: defaultdict(int))
    keys: dict[str, AccountSet] = field(default_factory=lambda: defaultdict(int))
    absent: AccountSet = 0
    anywhere: AccountSet = 0
    several: AccountSet = 0

    @classmethod
    def of(cls, labels: Sequence[NamedHere]) -> "Meaning":
        """Return what the name of these labels means."""
        meaning, twice = cls(), 0
        same: dict[tuple[str, str], AccountSet] = defaultdict(int)
        for label in labels:
            twice |= meaning.anywhere & label.accounts
            meaning.first[label.key] |= label.accounts & ~meaning.anywhere
            meaning.anywhere |= label.accounts
            same[label.key, label.spec.name] |= label.accounts
        seen = 0
        for accounts in same.values():
            meaning.several |= seen & accounts
            seen |= accounts
        for label in labels:
            if not label.present:
                meaning.absent |= label.accounts & ~twice
            elif alone := label.accounts & ~twice:
                meaning.keys[label.key] |= alone
        return meaning


@dataclass(slots=True)
class Names:
    """The objects of one kind that names tell, in all accounts.

    Attributes:
        kind: their kind.
        here: in the order of the files.
        meant: what a reference may be → the objects that this means.
        unsure: names of objects that could not be made out, and have been reported → the accounts of these.
    """

    kind: Kind
    here: list[NamedHere] = field(default_factory=list)
    meant: dict[str, list[NamedHere]] = field(default_factory=lambda: defaultdict(list))
    unsure: dict[str, AccountSet] = field(default_factory=lambda: defaultdict(int))
    _meanings: dict[str, Meaning] = field(default_factory=dict)
    _names: dict[AccountSet, list[str]] = field(default_factory=dict)
    _before: dict[str, list[NamedHere]] = field(default_factory=lambda: defaultdict(list))

    def meaning(self, name: str) -> Meaning:
        """Return what a name means."""
        if name not in self._meanings:
            self._meanings[name] = Meaning.of(self.meant.get(name, ()))
        return self._meanings[name]

    def names_in(self, accounts: AccountSet) -> list[str]:
        """Return what a reference may be in these accounts, in one of them or another."""
        if accounts not in self._names:
            keys = {name: self.meaning(name).keys.values() for name in self.meant}
            self._names[accounts] = sorted(name for name in keys if any(those & accounts for those in keys[name]))
        return self._names[accounts]

    def named_before(self, name: str, accounts: AccountSet) -> list[str]:
        """Return the names of objects that stay and of which this is a former name, or one that they take in."""
        if not self._before:
            for label in filter(attrgetter("present"), self.here):
                for former in (*label.spec.previously, *label.spec.sources):
                    self._before[str(former)].append(label)
        return sorted(label.spec.name for label in self._before.get(name, ()) if label.accounts & accounts)

    def desired(self) -> Iterator[tuple[AccountSet, Desired]]:
        """Return what accounts shall hold, objects that others take in included."""
        for label in self.here:
            address = Address(label.variant.account, self.kind.name, label.key)
            for accounts, successor in self._successors(label):
                yield accounts, declare(self.kind, label.spec, address, label.entry.place().span, successor)
            for index, source in enumerate(label.spec.sources):
                yield label.accounts, taken_in(source, address, label.entry.place("merge_from", index).span)

    def _successors(self, label: NamedHere) -> Iterator[tuple[AccountSet, str | None]]:
        """Return the keys of the objects that replace it, each with the accounts in which it does."""
        rest = label.accounts
        if label.spec.successor is not None:
            for key, accounts in self.meaning(label.spec.successor).first.items():
                if here := rest & accounts:
                    yield here, key
                    rest &= ~here
        if rest:
            yield rest, None


def names_of(kind: Kind, entries: Iterable[tuple[Entry[NamedSpec], AccountSet]], variables: Variables) -> Names:
    """Return the objects that are declared for accounts, with overrides and variables in them."""
    found = Names(kind)
    for entry, scope in entries:
        for variant in variables.variants(entry, scope):
            made = _here(entry, variant, variables)
            if made is None:
                for name in {entry.spec.name, entry.spec.key} - {None}:
                    found.unsure[str(name)] |= variant.accounts
                continue
            found.here.append(made)
            for name in {made.key, made.base, made.spec.name}:
                found.meant[name].append(made)
    return found


def _here(entry: Entry[NamedSpec], variant: Variant, variables: Variables) -> NamedHere | None:
    spec, account = entry.spec, variant.account
    base = variables.replace(spec.name, variant, entry.place("name"))
    key = variables.replace(spec.key, variant, entry.place("key")) if spec.key is not None else base
    previously = [
        variables.replace(name, variant, entry.place("previously", index)) for index, name in enumerate(spec.previously)
    ]
    sources = [
        variables.replace(source, variant, entry.place("merge_from", index)) if isinstance(source, str) else source
        for index, source in enumerate(spec.sources)
    ]
    successor = (
        variables.replace(spec.successor, variant, entry.place("replace_with")) if spec.successor is not None else None
    )
    override = spec.overrides.get(account)
    changed = dict(fields_set(override)) if override is not None else {}
    name = base
    if override is not None and override.name is not None:
        name = variables.replace(override.name, variant, entry.place("overrides", account, "name"))
    former = [text for text in previously if text is not None]
    if base is None or key is None or name is None or len(former) < len(previously):
        return None
    if None in sources or (spec.successor is not None and successor is None):
        return None
    texts = {"name": name, "previously": former, "merge_from": sources, "replace_with": successor}
    texts = {field: value for field, value in texts.items() if field in type(spec).model_fields}
    if override is not None or any(getattr(spec, field) != value for field, value in texts.items()):
        spec = spec.model_copy(update={**changed, **texts})
    return NamedHere(entry, variant, key, base, spec)


def check_names(names: Names, directory: Directory, diagnostics: Diagnostics) -> None:
    """Report every pair of objects that cannot stand beside each other."""
    clashes: dict[tuple[str, Place, Place], AccountSet] = defaultdict(int)
    for code, place, first, accounts in _clashes(names.here):
        clashes[code, place, first] |= accounts
    kind = names.kind
    for (code, place, first), accounts in clashes.items():
        tell = diagnostics.warning if code in _REMARKS else diagnostics.error
        summary, hint = (words.format(kind.name, kind.section) for words in _CLASHES[code])
        where, detail = directory.in_accounts(accounts), f"the other one: {first.span}"
        tell(code.format(kind.name, kind.section), summary + where, place, hint=hint, detail=detail)


_CLASHES = {
    "duplicate-{0}": ("two {1} have one name", "keep one of the two, or rename one"),
    "duplicate-{0}-key": ("two {1} have one key", "give one of the two another `key`"),
    "{1}-alike": ("two {1} look alike", "keep one, with the other's name in its `merge_from`, or rename one"),
    "previous-name-declared": (
        "a previous name of this {0} is the name of another declared one",
        "take it out of `previously`, or remove the other {0}",
    ),
    "previous-name-twice": ("two {1} claim one previous name", "leave it to one of the two"),
    "merge-source-declared": (
        "a {0} that this one takes in is declared itself",
        "take it out of `merge_from`, or remove the other {0}",
    ),
    "merge-source-twice": ("two {1} take in the same one", "leave it to one of the two"),
    "successor-unknown": (
        "the {0} in `replace_with` is not declared for this account, or is to be absent itself",
        "name a {0} that stays",
    ),
}


_REMARKS = frozenset({"{1}-alike"})
"""What is a warning: both objects can plainly exist."""


Clash: TypeAlias = tuple[str, Place, Place, AccountSet]
"""Code, place, the place of the other object, and the accounts that have both."""


class _Claims:
    """Who claims a name first, in each account."""

    def __init__(self) -> None:
        self._first: dict[str, dict[AccountSet, NamedHere]] = defaultdict(dict)
        self._taken: dict[str, AccountSet] = {}

    def find(self, name: str, accounts: AccountSet) -> Iterator[tuple[NamedHere, AccountSet]]:
        """Return the labels that claim a name first in some of these accounts, and in which."""
        rest = accounts & self._taken.get(name, 0)
        if not rest:
            return
        first = self._first[name]
        if accounts in first:  # so that labels that use the same variables do not search each other's accounts
            yield first[accounts], accounts
            return
        for those, label in first.items():
            if both := rest & those:
                yield label, both
                rest &= ~both
            if not rest:
                return

    def claim(self, name: str, label: NamedHere, accounts: AccountSet) -> list[tuple[NamedHere, AccountSet]]:
        """Return the other labels that claimed the name before; this one claims it in the accounts that are left."""
        before = [(first, both) for first, both in self.find(name, accounts) if first is not label]
        taken = self._taken.get(name, 0)
        # A set that is kept as it is, and not as a copy, saves 600 bytes for each of 5,000 accounts.
        if free := accounts & ~taken if taken else accounts:
            self._first[name][free] = label
            self._taken[name] = taken | free if taken else free
        return before


def _clashes(labels: Sequence[NamedHere]) -> Iterator[Clash]:
    by_name, by_key, by_look = _Claims(), _Claims(), _Claims()
    for label in labels:
        free = label.accounts
        for first, both in by_name.claim(label.spec.name, label, label.accounts):
            yield "duplicate-{0}", label.where, first.where, both
            free &= ~both
        if label.present:
            for first, both in by_look.claim(look(label.spec.name), label, free):
                yield "{1}-alike", label.where, first.where, both
        for first, both in by_key.claim(label.key, label, label.accounts):
            if first.spec.name != label.spec.name:
                place = label.entry.place("key" if label.entry.spec.key else "name")
                yield "duplicate-{0}-key", place, first.where, both
    yield from _merge_clashes(labels, by_name)
    yield from _former_clashes(labels, by_name)


def _former_clashes(labels: Sequence[NamedHere], by_name: _Claims) -> Iterator[Clash]:
    former = _Claims()
    for label in labels:
        for index, name in enumerate(label.spec.previously):
            for other, both in by_name.find(name, label.accounts):
                if other is not label:
                    yield "previous-name-declared", label.entry.place("previously", index), other.where, both
            for first, both in former.claim(name, label, label.accounts):
                yield "previous-name-twice", label.entry.place("previously", index), first.where, both


def _merge_clashes(labels: Sequence[NamedHere], by_name: _Claims) -> Iterator[Clash]:
    taken, staying = _Claims(), dict[str, AccountSet]()
    for label in labels:
        if label.present:
            for name in (label.key, label.base, label.spec.name):
                staying[name] = staying.get(name, 0) | label.accounts
    for label in labels:
        for index, source in enumerate(label.spec.sources):
            name = source if isinstance(source, str) else source.id
            for other, both in by_name.find(name, label.accounts):
                yield "merge-source-declared", label.entry.place("merge_from", index), other.where, both
            for first, both in taken.claim(name, label, label.accounts):
                yield "merge-source-twice", label.entry.place("merge_from", index), first.where, both
        if label.spec.successor is not None and (lost := label.accounts & ~staying.get(label.spec.successor, 0)):
            yield "successor-unknown", label.entry.place("replace_with"), label.where, lost


def check_policies(
    names: Names, policies: Iterable[tuple[Policy, AccountSet]], directory: Directory, diagnostics: Diagnostics
) -> None:
    """Report what is declared though the policy of an account ignores it, or that is to go though it is protected."""
    kind = names.kind
    problems: dict[tuple[str, Place, str], AccountSet] = defaultdict(int)
    for policy, accounts in policies:
        for label in names.here:
            both = label.accounts & accounts
            for place, name, goes in _spoken_of(label) if both else ():
                if policy.ignores(kind.name, name):
                    problems["ignored-{0}", place, name] |= both
                elif goes and policy.protects(kind.name, name):
                    problems["protected-{0}", place, name] |= both
    for (code, place, name), accounts in problems.items():
        summary, hint = (words.format(kind.name, kind.section, shown(name)) for words in _POLICIES[code])
        diagnostics.error(code.format(kind.name), f"{summary}{directory.in_accounts(accounts)}", place, hint=hint)


_POLICIES = {
    "ignored-{0}": ("{2} is declared, and `policy.ignore` ignores it", "take it out of one of the two"),
    "protected-{0}": (
        "{2} is to be deleted, and `policy.protect` protects it",
        "keep the {0}, or take it out of `policy.protect`",
    ),
}


def _spoken_of(label: NamedHere) -> Iterator[tuple[Place, str, bool]]:
    """Yield each name that a declaration speaks of: where, the name, and whether an object of it is to be deleted."""
    yield label.where, label.spec.name, not label.present
    for index, name in enumerate(label.spec.previously):
        yield label.entry.place("previously", index), name, not label.present
    for index, source in enumerate(label.spec.sources):
        if isinstance(source, str):
            yield label.entry.place("merge_from", index), source, True


def shown(name: str) -> str:
    """Return a name for a message."""
    return f"`{visible(name[:60])}`"
