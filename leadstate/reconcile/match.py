"""Who is who: a known id, ownership marker, name, then a previous name. Two candidates are an error, never a choice.

A declared object with a marker is known by its marker alone: a lead's title is no identity. One with an id, by its id.
The lock file is a cache of ids and live data wins: an id that is gone, or whose object has another marker, is ignored.
What it knows under a previous name counts as much as that name.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from leadstate.model.account import Account
from leadstate.model.address import Ref
from leadstate.model.diagnostics import Diagnostic
from leadstate.model.resource import Desired, Live
from leadstate.reconcile.unclear import describe_ambiguous, describe_shadowed

KnownBy: TypeAlias = Literal["id", "lock", "marker", "name", "previous-name"]
"""What tells that a live object is a declared one, the surest first."""


@dataclass(frozen=True, slots=True)
class Matching:
    """The result for one kind.

    Attributes:
        pairs: declared objects and the live ones that they are.
        missing: declared objects that do not exist; one that is declared by its id cannot be created.
        extra: live objects that nothing declares.
        shadowed: live objects that have a previous name of an object which exists under its current name.
        ambiguous: live objects that could each be the same declared one.
        duplicates: live objects that carry the marker of a declared one which says that another one is kept.
        diagnostics: errors and warnings found on the way.
    """

    pairs: tuple[tuple[Desired, Live], ...]
    missing: tuple[Desired, ...]
    extra: tuple[Live, ...]
    shadowed: tuple[Live, ...]
    ambiguous: tuple[Live, ...]
    duplicates: tuple[Live, ...]
    diagnostics: tuple[Diagnostic, ...]

    @property
    def undeclared(self) -> tuple[Live, ...]:
        """Every live object that was paired with no declaration."""
        return (*self.extra, *self.shadowed, *self.ambiguous, *self.duplicates)


def match_kind(account: Account, kind: str, live: Sequence[Live]) -> Matching:
    """Pair what an account declares of a kind with what exists of it.

    What must exist takes first what it can be. So what an object was called, and takes in, is the object itself where
    nothing else is: a rename keeps every lead.
    """
    desired = account.of_kind(kind)
    matcher = _Matcher(account, desired, live)
    with_id = [item for item in desired if item.remote_id is not None]
    others = [item for item in desired if item.remote_id is None]
    marked = [item for item in others if item.present and item.marker is not None]
    named = [item for item in others if item.present and item.marker is None]
    absent = [each for item in others if not item.present for each in matcher.split_absent(item)]

    gone = matcher.pair(with_id, matcher.find_by_id, "has its id", "have its id")
    duplicates = [other for item in marked if item.keep for other in matcher.take_duplicates(item)]
    unmarked = matcher.pair(marked, matcher.find_current, "carries its marker", "carry its marker")
    unnamed = matcher.pair(named, matcher.find_current, "has its name", "have its name")
    under_current_name = [pair for pair in matcher.pairs if len(pair[0].names) > 1]
    missing = matcher.pair(unnamed, matcher.find_former, "has a previous name of it", "have a previous name of it")
    done = matcher.pair(absent, matcher.find_current, "has its name", "have its name")
    shadowed = [other for pair in under_current_name for other in matcher.take_shadowed(*pair)]
    return Matching(
        pairs=tuple(matcher.pairs),
        missing=(*gone, *unmarked, *missing, *done),
        extra=tuple(matcher.free.values()),
        shadowed=tuple(shadowed),
        ambiguous=tuple(matcher.ambiguous),
        duplicates=tuple(duplicates),
        diagnostics=tuple(matcher.diagnostics),
    )


class _Matcher:
    """Pairs declared objects with live ones. What a method takes is not free any more, so their order matters.

    Attributes:
        free: id → live object that nothing has taken yet.
        pairs: as in `Matching`, and so are `ambiguous` and `diagnostics`.
    """

    def __init__(self, account: Account, desired: Sequence[Desired], live: Sequence[Live]) -> None:
        self.free = {there.remote_id: there for there in live}
        self.pairs: list[tuple[Desired, Live]] = []
        self.ambiguous: list[Live] = []
        self.diagnostics: list[Diagnostic] = []
        self._lock = account.lock
        self._policy = account.policy
        self._keys = {item.address.key for item in desired}
        self._addresses = {item.address.ref for item in desired if item.present}
        self._names = {name for item in desired for name in item.names[:1]}
        self._by_id = {there.remote_id: [there] for there in live}
        self._by_name: dict[str, list[Live]] = {}
        self._by_marker: dict[str | None, list[Live]] = {}
        for there in live:
            self._by_name.setdefault(there.name, []).append(there)
            self._by_marker.setdefault(there.marker, []).append(there)

    def split_absent(self, desired: Desired) -> list[Desired]:
        """Return an object that must not exist once for each of its names that are live: all of them go in one apply.

        The first one keeps the address; the others are addressed by their name.
        """
        names = [name for name in desired.names if name in self._by_name]
        if not names:
            return [desired]
        own = desired.address.key
        keys = [own, *(f"{own}#{name}" if name in self._keys else name for name in names[1:])]
        return [
            replace(desired, address=replace(desired.address, key=key), names=(name,))
            for key, name in zip(keys, names, strict=True)
        ]

    def pair(self, wanted: Iterable[Desired], find: Callable[[Desired], Iterable[Live]], *what: str) -> list[Desired]:
        """Pair what has exactly one candidate that is still free; return what has none.

        Args:
            wanted: declared objects.
            find: returns what one of them can be.
            what: what one candidate and several have in common with it, in words.
        """
        missing = []
        found = [
            (item, {there.remote_id: there for there in find(item) if there.remote_id in self.free}) for item in wanted
        ]
        for item, candidates in found:
            if not candidates:
                missing.append(item)
            elif len(candidates) == 1 and candidates.keys() <= self.free.keys():
                (remote_id,) = candidates
                self.pairs.append((item, self.free.pop(remote_id)))
            else:
                for remote_id in candidates:
                    self.free.pop(remote_id, None)
                self.ambiguous.extend(candidates.values())
                self.diagnostics.append(describe_ambiguous(item, [*candidates.values()], what, self._policy))
        return missing

    def find_by_id(self, desired: Desired) -> Iterable[Live]:
        """Return what has the declared id."""
        return self._by_id.get(desired.remote_id or "", ())

    def find_current(self, desired: Desired) -> Iterator[Live]:
        """Yield what has the marker or the current name, and what the lock file knows by the address."""
        ref = desired.address.ref
        # What has no key is addressed by its name, so that was the address before it got a key.
        key = ref.key if ref in self._lock or not desired.names else desired.names[0]
        # Nothing is deleted because the lock file knows it.
        for there in self._find_locked(desired, key) if desired.present else ():
            # A lead that others made is ours only where it is declared `adopted`, whatever the lock file claims.
            if there.marker == desired.marker or (there.marker is None and desired.adopted):
                yield there
        has = self._by_name.get(desired.names[0]) if desired.marker is None else self._by_marker.get(desired.marker)
        yield from has or ()

    def find_former(self, desired: Desired) -> Iterator[Live]:
        """Yield what has a previous name, and what the lock file knows by one."""
        for name in desired.names[1:]:
            yield from self._by_name.get(name, ())
            yield from self._find_locked(desired, name)

    def _find_locked(self, desired: Desired, key: str) -> Iterator[Live]:
        """Yield what the lock file knows by a key, unless it or the key is by now that of another declared object.

        What has the name of a declared object is that one, whatever was remembered of it. What an object was called is
        its own name where nothing has the current one, also if it is to take in what has that name.
        """
        ref = Ref(desired.address.kind, key)
        if ref != desired.address.ref and ref in self._addresses:
            return
        for there in self._by_id.get(self._lock.get(ref, ""), ()):
            is_own_name = there.name in desired.names and desired.names[0] not in self._by_name
            if is_own_name or there.name not in self._names:
                yield there

    def take_duplicates(self, desired: Desired) -> list[Live]:
        """Take the leads that go where a declaration says which one of several with its marker is kept.

        Nothing goes where it names none of them, or several, or where one is archived: that is for people to decide.
        """
        marked = self._by_marker.get(desired.marker, ())
        kept = [live for live in marked if live.remote_id in desired.keep]
        if len(kept) != 1 or any(live.frozen_by for live in marked):
            return []
        others = [live for live in marked if live is not kept[0]]
        return [live for live in others if self.free.pop(live.remote_id, None)]

    def take_shadowed(self, desired: Desired, current: Live) -> Iterator[Live]:
        """Take what has a previous name of an object that exists under its current name, with a warning."""
        for other in self.find_former(desired):
            if self.free.pop(other.remote_id, None) is not None:
                is_alone = len(self._by_name[other.name]) == 1
                self.diagnostics.append(describe_shadowed(desired, current, other, self._policy, is_alone=is_alone))
                yield other


def known_by(desired: Desired, live: Live, lock: Mapping[Ref, str]) -> tuple[KnownBy, ...]:
    """Return everything that speaks for a pair that `match_kind` has made."""
    if desired.remote_id is not None:
        return ("id",)
    refs = (desired.address.ref, *(Ref(desired.address.kind, name) for name in desired.names))
    speaks: dict[KnownBy, bool] = {
        "lock": desired.present and any(lock.get(ref) == live.remote_id for ref in refs),
        "marker": desired.marker is not None and desired.marker == live.marker,
        "name": desired.marker is None and live.name == desired.names[0],
        "previous-name": desired.marker is None and live.name in desired.names[1:],
    }
    return tuple(known for known in speaks if speaks[known])


def name_undeclared(kind: str, matching: Matching, account: Account) -> list[tuple[str, Live]]:
    """Return a key for each live object that no declaration was paired with, its id added where the name is taken."""
    undeclared = sorted(matching.undeclared, key=lambda live: live.remote_id)
    keys = Counter(_known_name(live, account) for live in undeclared)
    used = {desired.address.key for desired in (*account.of_kind(kind), *(paired for paired, _ in matching.pairs))}
    named = []
    for live in undeclared:
        key = _known_name(live, account)
        if keys[key] > 1 or key in used:
            key = f"{key}#{live.remote_id}"
        while key in used:
            key += "#"
        used.add(key)
        named.append((key, live))
    return named


def _known_name(live: Live, account: Account) -> str:
    ref = account.locked.get(live.remote_id)
    name = live.marker.partition(":")[2] if live.marker else live.name
    return (ref.key if ref else "") or name or live.remote_id
