"""Rules for kinds identified by name: names, keys, previous names (spec section 2). One diagnostic a place."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, TypeAlias

from leadstate.config.messages import choice
from leadstate.config.rules.scope import AccountSet, Claims, Problems
from leadstate.config.rules.variables import Variables, path_of
from leadstate.config.validate import Entry
from leadstate.config.yaml.diagnostics import Place, shown
from leadstate.kinds.base import Kind
from leadstate.kinds.named import NamedSpec, declare_named, declare_source
from leadstate.model.account import Policy, explain_ignored, explain_protected
from leadstate.model.address import Address
from leadstate.model.diagnostics import Severity
from leadstate.model.resource import Desired
from leadstate.reconcile.lookalikes import skeleton

_Clash: TypeAlias = "tuple[tuple[str, str], Place, NamedHere, AccountSet]"
"""What a name is in two objects, as in `_CLASHES`; its place in one, the other one, and the accounts that have both."""

_CLASHES: Final[Mapping[tuple[str, str], tuple[str, str, str]]] = {
    ("name", "name"): ("duplicate-{0}", "two {1} have the same name", "keep one of the two, or rename one"),
    ("key", "key"): ("duplicate-{0}-key", "two {1} have the same key", "give one of the two another `key`"),
    ("look", "look"): ("{1}-alike", "two {1} look alike", "keep one{2}, or rename one"),
    ("previously", "name"): (
        "previous-name-declared",
        "a previous name of this {0} is the name of another declared one",
        "take it out of `previously`, or remove the other {0}",
    ),
    ("previously", "previously"): (
        "previous-name-twice",
        "two {1} claim one previous name",
        "leave it to one of the two",
    ),
    ("merge_from", "name"): (
        "merge-source-declared",
        "a {0} that this one takes in is declared itself",
        "take it out of `merge_from`, or remove the other {0}",
    ),
    ("merge_from", "previously"): (
        "merge-source-previous",
        "a {0} that this one takes in is a previous name of another one",
        "leave it to one of the two: a rename keeps the {0} with its leads, a merge gives them this one",
    ),
    ("merge_from", "merge_from"): (
        "merge-source-twice",
        "two {1} take in the same one",
        "leave it to one of the two",
    ),
}
"""What a name is in one object, and in the other → code, summary and hint."""


@dataclass(frozen=True, slots=True)
class NamedHere:
    """A named object as some accounts have it.

    Attributes:
        entry: as it is declared.
        account: one of the accounts that have it, for all.
        accounts: the accounts that have it.
        key: its key; its name if no key is written.
        base: its name without the override.
        spec: what is declared, with override and variables in it.
    """

    entry: Entry[NamedSpec]
    account: str
    accounts: AccountSet
    key: str
    base: str
    spec: NamedSpec

    @property
    def present(self) -> bool:
        """False where it must not exist."""
        return self.spec.state == "present"

    @property
    def where(self) -> Place:
        """Where its name is written: in the override that changes it, or in the object itself."""
        return self.entry.place(*path_of(self.entry, self.account, "name"))

    def others_in(self, key: str) -> Iterator[tuple[Any, Place]]:
        """Yield what is listed under `previously` or `merge_from`, and where it is written."""
        for index, name in enumerate(self.spec.previously if key == "previously" else self.spec.sources):
            yield name, self.entry.place(key, index)


@dataclass(slots=True)
class Meaning:
    """What a name means to whoever refers to an object by it.

    Attributes:
        keys: key of the only object of that name → the accounts in which it is that, and present.
        present: all of these accounts.
        absent: accounts in which the only object of that name must not exist.
        anywhere: accounts in which an object has that name.
        several: accounts in which objects of different keys or names have it.
    """

    keys: dict[str, AccountSet] = field(default_factory=lambda: defaultdict(int))
    present: AccountSet = 0
    absent: AccountSet = 0
    anywhere: AccountSet = 0
    several: AccountSet = 0

    @classmethod
    def of(cls, items: Sequence[NamedHere]) -> "Meaning":
        """Return what the name of these objects means."""
        meaning, twice = cls(), 0
        for item in items:
            twice |= meaning.anywhere & item.accounts
            meaning.anywhere |= item.accounts
        for item in items:
            alone = item.accounts & ~twice
            if not item.present:
                meaning.absent |= alone
            elif alone:
                meaning.keys[item.key] |= alone
                meaning.present |= alone
        # Two of one key and one name have been reported as such.
        if len({(item.key, item.spec.name) for item in items}) > 1:
            meaning.several = twice
        return meaning


@dataclass(slots=True)
class Names:
    """The objects of one kind identified by name, in all accounts.

    Attributes:
        kind: their kind.
        here: in the order of the files.
        meant: what a reference may be → the objects that this means.
        unsure: accounts in which an object could not be made out, which has been reported: it may have any name.
    """

    kind: Kind
    here: list[NamedHere] = field(default_factory=list)
    meant: dict[str, list[NamedHere]] = field(default_factory=lambda: defaultdict(list))
    unsure: AccountSet = 0
    _meanings: dict[str, Meaning] = field(default_factory=dict)

    def meaning(self, name: str) -> Meaning:
        """Return what a name means."""
        if name not in self._meanings:
            self._meanings[name] = Meaning.of(self.meant.get(name, ()))
        return self._meanings[name]

    def instead_of(self, name: str, accounts: AccountSet) -> str:
        """Return the hint for a name that nothing has in these accounts: what is called so no more, or a near miss."""
        for item in self.here:
            former = map(str, (*item.spec.previously, *item.spec.sources))
            if item.present and item.accounts & accounts and name in former:
                return f"it is a former name of {shown(item.spec.name)}; write that"
        known = sorted(word for word in self.meant if self.meaning(word).present & accounts)
        return choice(name, known, what=self.kind.section) if known else f"declare it under `{self.kind.section}`"

    def desired(self) -> Iterator[tuple[AccountSet, Desired]]:
        """Return the desired objects of accounts, with those that others take in."""
        for item in self.here:
            address = Address(item.account, self.kind.name, item.key)
            made = partial(declare_named, self.kind, item.spec, address, item.entry.place().span)
            rest = item.accounts
            if item.spec.successor is not None:
                for key, accounts in self.meaning(item.spec.successor).keys.items():
                    if here := rest & accounts:
                        yield here, made(key)
                        rest &= ~here
            if rest:
                yield rest, made()
            for index, source in enumerate(item.spec.sources):
                yield item.accounts, declare_source(source, address, item.entry.place("merge_from", index).span)


def resolve_names(kind: Kind, entries: Iterable[tuple[Entry[NamedSpec], AccountSet]], variables: Variables) -> Names:
    """Return the objects that are declared for accounts, with overrides and variables in them."""
    found = Names(kind)
    for entry, scope in entries:
        for variant in variables.variants(entry, scope):
            spec, failed = variables.resolve(entry, variant)
            base = entry.spec.name if variant.is_plain else variables.replace(entry.spec.name, variant, entry, "name")
            if failed or base is None:
                found.unsure |= variant.accounts
                continue
            made = NamedHere(entry, variant.account, variant.accounts, spec.key or base, base, spec)
            found.here.append(made)
            for name in {made.key, base, spec.name}:
                found.meant[name].append(made)
    return found


def check_names(names: Names, problems: Problems) -> None:
    """Report every pair of objects that cannot stand beside each other."""
    kind = names.kind
    merging = ", with the other's name in its `merge_from`" if "merge_from" in kind.spec.model_fields else ""
    for fields, place, other, accounts in _clashes(names.here):
        code, summary, hint = (words.format(kind.name, kind.section, merging) for words in _CLASHES[fields])
        # Two objects whose names look alike can plainly exist.
        severity = Severity.WARNING if fields == ("look", "look") else Severity.ERROR
        detail = f"the other one: {other.where.span}"
        problems.error(code, place, accounts, summary, hint, detail=detail, severity=severity)
    _check_successors(names, problems)


def _check_successors(names: Names, problems: Problems) -> None:
    """Report successors that no object is, or several, or only one that is to be absent itself."""
    kind = names.kind
    for item in names.here:
        word = item.spec.successor
        if word is None:
            continue
        place, meaning = item.entry.place("replace_with"), names.meaning(word)
        if absent := item.accounts & meaning.absent:
            summary = f"the {kind.name} {shown(word)} in `replace_with` is to be absent itself"
            problems.error("successor-unknown", place, absent, summary, f"name a {kind.name} that stays")
        if several := item.accounts & meaning.several:
            summary = f"{shown(word)} in `replace_with` is the key of one {kind.name} and the name of another"
            fix = f"give the {kind.name} another `key`, and write that"
            problems.error(f"ambiguous-{kind.name}", place, several, summary, fix)
        if nowhere := item.accounts & ~meaning.anywhere & ~names.unsure:
            summary = f"`replace_with` names the {kind.name} {shown(word)}, which is not declared"
            hint = (
                f"declare the {kind.name} there too"
                if word in names.meant
                else partial(names.instead_of, word, nowhere)
            )
            problems.error("successor-unknown", place, nowhere, summary, hint)


def _clashes(items: Sequence[NamedHere]) -> Iterator[_Clash]:
    claims = {there: Claims[NamedHere]() for there, _ in _CLASHES}
    for item in items:
        free = item.accounts
        for first, both in claims["name"].claim(item.spec.name, item, item.accounts):
            yield ("name", "name"), item.where, first, both
            free &= ~both
        if item.present:
            for first, both in claims["look"].claim(skeleton(item.spec.name), item, free):
                yield ("look", "look"), item.where, first, both
        for first, both in claims["key"].claim(item.key, item, item.accounts):
            if first.spec.name != item.spec.name:
                yield ("key", "key"), item.entry.place("key" if item.entry.spec.key else "name"), first, both
    yield from _clashes_of_others(items, "previously", ("name",), claims)
    yield from _clashes_of_others(items, "merge_from", ("name", "previously"), claims)


def _clashes_of_others(
    items: Sequence[NamedHere], here: str, earlier: Sequence[str], claims: Mapping[str, Claims[NamedHere]]
) -> Iterator[_Clash]:
    for item in items:
        for source, place in item.others_in(here):
            name = source if isinstance(source, str) else source.id
            for there in earlier:
                for other, both in claims[there].find(name, item.accounts):
                    # An object may have one of its former names again, but cannot take itself in.
                    if other is not item or (here, there) == ("merge_from", "name"):
                        yield (here, there), place, other, both
            for first, both in claims[here].claim(name, item, item.accounts):
                yield (here, here), place, first, both


def check_policies(names: Names, policies: Iterable[tuple[Policy, AccountSet]], problems: Problems) -> None:
    """Report what is declared though the policy of an account ignores it, or that is to go though it is protected."""
    kind = names.kind
    named = [
        (
            item.accounts,
            (
                (item.spec.name, item.where, not item.present),
                *((name, place, not item.present) for name, place in item.others_in("previously")),
                *((name, place, True) for name, place in item.others_in("merge_from") if isinstance(name, str)),
            ),
        )
        for item in names.here
    ]
    for policy, of_policy in policies:
        for accounts, places in named:
            both = accounts & of_policy
            for name, place, goes in places if both else ():
                if policy.ignores(kind.name, name):
                    words = explain_ignored(f"{shown(name)} is declared")
                    problems.error(f"ignored-{kind.name}", place, both, *words)
                elif goes and policy.protects(kind.name, name):
                    words = explain_protected(kind.name, shown(name))
                    problems.error(f"protected-{kind.name}", place, both, *words)
