"""Who is who: a known id, ownership marker, name, then a previous name. Two candidates are an error, never a choice.

A declared object with a marker is known by its marker alone: a lead's title is no identity. One with an id, by its id.
The lock file is a cache of ids and live data wins: an id that is gone, or whose object has another marker, is ignored.
What it knows under a previous name counts as much as that name.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from leadstate.model.account import Account, Policy
from leadstate.model.address import Ref
from leadstate.model.diagnostics import Diagnostic, Severity, counted
from leadstate.model.escape import spelled_out
from leadstate.model.plan import plain
from leadstate.model.resource import CARRIES, Desired, Live

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
        diagnostics: errors and warnings found on the way.
        duplicates: live objects that carry the marker of a declared one which says that another one is kept.
    """

    pairs: tuple[tuple[Desired, Live], ...]
    missing: tuple[Desired, ...]
    extra: tuple[Live, ...]
    shadowed: tuple[Live, ...]
    ambiguous: tuple[Live, ...]
    diagnostics: tuple[Diagnostic, ...]
    duplicates: tuple[Live, ...] = ()

    @property
    def undeclared(self) -> tuple[Live, ...]:
        """Every live object that was paired with no declaration."""
        return (*self.extra, *self.shadowed, *self.ambiguous, *self.duplicates)


def match_kind(account: Account, kind: str, live: Sequence[Live]) -> Matching:
    """Pair what an account declares of a kind with what exists of it."""
    return match(account.of_kind(kind), live, account.lock, account.policy)


def match(
    desired: Sequence[Desired],
    live: Sequence[Live],
    lock: Mapping[Ref, str] | None = None,
    policy: Policy | None = None,
) -> Matching:
    """Pair the declared objects of one kind with the live ones.

    Args:
        desired: what is declared.
        live: what exists.
        lock: reference → id, as remembered from an earlier run.
        policy: the account's, for what to advise: a merge of what it protects would be refused.
    """
    matcher = _Matcher(desired, live, lock or {}, policy or Policy())
    wanted = [
        each
        for item in desired
        for each in ((item,) if item.present else _each_name(item, matcher.by_name.keys(), desired))
    ]
    renamed = matcher.find_renamed(wanted)
    wanted = [item for item in wanted if item not in renamed]
    marked = [item for item in wanted if item.remote_id is None and item.marker is not None]

    without_id = matcher.pair_by_id([item for item in wanted if item.remote_id is not None])
    duplicates = matcher.take_duplicates(marked)
    without_marker = matcher.pair_by_marker(marked)
    unnamed = matcher.pair_by_name([item for item in wanted if item.remote_id is None and item.marker is None])
    current = [pair for pair in matcher.pairs if pair[0].names]
    without_name = matcher.pair_by_previous_name(unnamed)
    shadowed = list(matcher.find_shadowed(current))
    return Matching(
        tuple(matcher.pairs),
        (*renamed, *without_id, *without_marker, *without_name),
        tuple(matcher.free.values()),
        tuple(there for there, _ in shadowed),
        tuple(matcher.ambiguous),
        (*matcher.diagnostics, *(diagnostic for _, diagnostic in shadowed)),
        tuple(duplicates),
    )


class _Matcher:
    """Pairs declared objects with live ones. Each method takes what it claims out of `free`, so their order matters.

    Attributes:
        by_name: name → the live objects that have it.
        free: id → live object that nothing has claimed yet.
        pairs: as in `Matching`, and so are `ambiguous` and `diagnostics`.
    """

    def __init__(
        self, desired: Sequence[Desired], live: Sequence[Live], lock: Mapping[Ref, str], policy: Policy
    ) -> None:
        self.by_name: defaultdict[str, list[Live]] = defaultdict(list)
        self.free = {there.remote_id: there for there in live}
        self.pairs: list[tuple[Desired, Live]] = []
        self.ambiguous: list[Live] = []
        self.diagnostics: list[Diagnostic] = []
        self._lock = lock
        self._policy = policy
        self._taken = {item.address.ref for item in desired if item.present}
        self._by_id = {there.remote_id: [there] for there in live}
        self._by_marker: defaultdict[str, list[Live]] = defaultdict(list)
        for there in live:
            self.by_name[there.name].append(there)
            if there.marker is not None:
                self._by_marker[there.marker].append(there)

    def find_renamed(self, wanted: Sequence[Desired]) -> list[Desired]:
        """Return merge sources that are no objects of their own: each is what its target was called, and becomes it.

        What an object was called, and takes in, is the object itself where nothing else is: a rename keeps every lead.
        """
        former = {
            item.address.ref: item.names[1:]
            for item in wanted
            if len(item.names) > 1
            and item.names[0] not in self.by_name
            and all(there.name in item.names for there in self._locked(item))
        }
        return [item for item in wanted if item.moves_to in former and {*item.names} & {*former[item.moves_to]}]

    def pair_by_id(self, wanted: Iterable[Desired]) -> list[Desired]:
        """Pair what is declared by its id; return what does not exist."""
        return self._pair(wanted, lambda item: self._by_id.get(item.remote_id or "", ()), "has its id", "have its id")

    def take_duplicates(self, wanted: Iterable[Desired]) -> list[Live]:
        """Return the live objects that go where a declaration says which one of several with its marker is kept."""
        return [
            other
            for item in wanted
            for other in _not_kept(item, self._by_marker[item.marker or ""])
            if self.free.pop(other.remote_id, None)
        ]

    def pair_by_marker(self, wanted: Iterable[Desired]) -> list[Desired]:
        """Pair by ownership marker, or by what the lock file knows; return what has neither."""
        return self._pair(
            wanted,
            lambda item: (*self._remembered(item), *self._by_marker[item.marker or ""]),
            "carries its marker",
            "carry its marker",
        )

    def pair_by_name(self, wanted: Sequence[Desired]) -> list[Desired]:
        """Pair by current name, or by what the lock file knows; return what has neither."""
        owners = {item.names[0]: item for item in wanted}

        def find(item: Desired) -> Iterator[Live]:
            # A label that has the name of another declared one is that one, whatever was remembered of it.
            yield from (there for there in self._remembered(item) if owners.get(there.name, item) is item)
            yield from self.by_name[item.names[0]]

        return self._pair(wanted, find, "has its name", "have its name")

    def pair_by_previous_name(self, wanted: Iterable[Desired]) -> list[Desired]:
        """Pair by a previous name; return what has none of them."""
        return self._pair(
            wanted,
            self._formerly,
            "has a previous name of it",
            "have a previous name of it",
        )

    def find_shadowed(self, pairs: Sequence[tuple[Desired, Live]]) -> Iterator[tuple[Live, Diagnostic]]:
        """Yield what has a previous name of an object that exists under its current name; it is not free any more."""
        for owner, current in pairs:
            for other in self._formerly(owner):
                if self.free.pop(other.remote_id, None) is not None:
                    is_alone = len(self.by_name[other.name]) == 1
                    yield other, _shadowed(owner, current, other, self._policy, is_alone=is_alone)

    def _locked(self, desired: Desired) -> Sequence[Live]:
        """Return the object that the lock file knows a declared one by, if it exists."""
        ref = desired.address.ref
        if ref in self._lock or not desired.names:
            return self._by_id.get(self._lock.get(ref, ""), ())
        # What has no key is addressed by its name, so that was the address before it got a key.
        return self._locked_as(desired, desired.names[0])

    def _locked_as(self, desired: Desired, name: str) -> Sequence[Live]:
        """Return the object that the lock file knows by a name, if it exists, unless another one has that address."""
        ref = Ref(desired.address.kind, name)
        return () if ref in self._taken else self._by_id.get(self._lock.get(ref, ""), ())

    def _formerly(self, desired: Desired) -> Iterator[Live]:
        """Yield what has a previous name of a declared object, or what the lock file knows by that name."""
        for name in desired.names[1:]:
            yield from self.by_name[name]
            if desired.present:
                yield from self._locked_as(desired, name)

    def _remembered(self, desired: Desired) -> Iterator[Live]:
        """Yield the same where the lock file is to be believed. Nothing is deleted on a memory alone."""
        # A lead that others made is ours only where it is declared `adopted`, whatever the lock file claims.
        markers = (None, desired.marker) if desired.adopted else (desired.marker,)
        return (there for there in self._locked(desired) if desired.present and there.marker in markers)

    def _pair(self, wanted: Iterable[Desired], find: Callable[[Desired], Iterable[Live]], *what: str) -> list[Desired]:
        """Pair what has exactly one candidate that is still free; return what has none.

        `what` says what one candidate and several have in common with it.
        """
        rest = []
        found = [
            (item, {there.remote_id: there for there in find(item) if there.remote_id in self.free}) for item in wanted
        ]
        for item, candidates in found:
            if not candidates:
                rest.append(item)
            elif len(candidates) == 1 and candidates.keys() <= self.free.keys():
                (remote_id,) = candidates
                self.pairs.append((item, self.free.pop(remote_id)))
            else:
                for remote_id in candidates:
                    self.free.pop(remote_id, None)
                self.ambiguous.extend(candidates.values())
                self.diagnostics.append(_ambiguous(item, [*candidates.values()], what, self._policy))
        return rest


def merge_source(live: Live, *, is_alone: bool) -> str:
    """Return what `merge_from` takes for a live object: its name, or its id where the name does not tell."""
    return spelled_out(live.name) if is_alone and "${" not in live.name else _by_id(live)


def _by_id(live: Live) -> str:
    return f"{{id: {live.remote_id}}}"


def _not_kept(desired: Desired, bearing: Sequence[Live]) -> Sequence[Live]:
    """Return the leads that go where a declaration says which one of several with its marker is kept.

    Nothing goes where it names none of them, or several, or where one is archived: that is for people to decide.
    """
    kept = [live for live in bearing if live.remote_id in desired.keep]
    if len(kept) != 1 or any(live.frozen_by for live in bearing):
        return ()
    return [live for live in bearing if live is not kept[0]]


def _each_name(desired: Desired, live: Collection[str], declared: Sequence[Desired]) -> list[Desired]:
    """Return an object that must not exist once for each of its names that are live: all of them go in one apply.

    The first one keeps the address; the others are addressed by their name.
    """
    names = [name for name in desired.names if name in live]
    if desired.remote_id is not None or len(names) < 2:  # noqa: PLR2004  one name needs no other
        return [desired]
    keys = {item.address.key for item in declared}
    first, *others = names
    return [
        replace(desired, names=(first,)),
        *(
            replace(
                desired,
                address=replace(desired.address, key=f"{desired.address.key}#{name}" if name in keys else name),
                names=(name,),
            )
            for name in others
        ),
    ]


def known_by(desired: Desired, live: Live, lock: Mapping[Ref, str]) -> tuple[KnownBy, ...]:
    """Return everything that speaks for a pair which `match` has made."""
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


def _ambiguous(desired: Desired, candidates: Sequence[Live], what: Sequence[str], policy: Policy) -> Diagnostic:
    kind = desired.address.kind
    # In one order, whatever the lock file knows: a plan and the reading after an apply give the same advice.
    candidates = sorted(candidates, key=lambda candidate: candidate.remote_id)
    if len(candidates) == 1:
        summary = f"another declared {kind} is already the one that {what[0]}"
        hint = "remove one of the two declarations"
    else:
        by_lock = [live for live in candidates if not _is_claimed(live, desired)]
        known = [f"the lock file knows it as {' and as '.join(repr(live.name) for live in by_lock)}"] if by_lock else []
        others = len(candidates) - len(by_lock)
        who = [f"{counted(others, kind)} {what[0] if others == 1 else what[1]}"] if others else []
        summary = f"{', and '.join((*known, *who))}, so it is not clear which one is meant"
        hint = (
            _which_lead(desired, candidates) if desired.marker else _which_named(desired, candidates, by_lock, policy)
        )
    detail = "\n".join(
        f"{candidate.remote_id}  {candidate.name}{_differing(candidate, candidates)}" for candidate in candidates
    )
    return desired.diagnostic("ambiguous", Severity.ERROR, summary, detail=detail, hint=hint)


def _which_lead(desired: Desired, candidates: Sequence[Live]) -> str:
    """Return what to do about several objects that could each be one with a marker."""
    archived = [candidate.remote_id for candidate in candidates if candidate.frozen_by]
    if any(candidate.marker != desired.marker for candidate in candidates):
        return "delete one of them in Pipedrive, or correct its id in the lock file; then plan again"
    if archived:
        back = f"bring {', '.join(archived)} back from the archive"
        return f"in Pipedrive {back}, or delete all but one of them; then plan again"
    return f"to keep the first and delete the others, write `keep: [{candidates[0].remote_id}]` in it"


def _which_named(desired: Desired, candidates: Sequence[Live], by_lock: Sequence[Live], policy: Policy) -> str:
    """Return what to do about several objects that could each be one that is known by its name."""
    _, *rest = candidates
    return _either(
        f"to keep the first with the leads of all, write `merge_from: [{', '.join(map(_by_id, rest))}]`"
        if desired.present and desired.names and not _any_protected(rest, policy)
        else "",
        _apart(by_lock if len(by_lock) < len(candidates) else by_lock[1:]),
        f"leave one of them in Pipedrive (move its leads, rename or delete the other {desired.address.kind}), "
        "then plan again",
    )


def _either(*fixes: str) -> str:
    """Return the fixes that there are as one sentence."""
    *others, last = filter(None, fixes)
    return "; ".join((*others, f"else {last}" if others else last))


def _apart(known: Sequence[Live]) -> str:
    """Return how to keep objects that only the lock file takes for a declared one, if there are any."""
    return f"to keep them apart, declare {' and '.join(repr(live.name) for live in known)} too" if known else ""


def _any_protected(live: Iterable[Live], policy: Policy) -> bool:
    return any(policy.protects(there.kind, there.name) for there in live)


def _is_claimed(live: Live, desired: Desired) -> bool:
    """Return whether a live object has the marker or a name of a declared one."""
    return live.name in desired.names if desired.marker is None else live.marker == desired.marker


def _differing(about: Live, candidates: Sequence[Live]) -> str:
    """Return the fields in which an object differs from the other candidates, with its values, but for bare ids."""
    names = [
        name
        for name, value in about.attrs.items()
        if any(other.attrs.get(name) != value for other in candidates) and value != about.name and name != CARRIES
    ]
    return "".join(f"  {name}: {json.dumps(plain(about.attrs[name]), ensure_ascii=False)}" for name in names)


def _shadowed(owner: Desired, current: Live, other: Live, policy: Policy, *, is_alone: bool) -> Diagnostic:
    """Return the warning that an object exists, and beside it another one that has or had a previous name of it."""
    which, rest = "its previous name", "take the name out of `previously`"
    if not _is_claimed(other, owner):
        which, rest = "which the lock file knows by its previous name", _apart([other])
    merge = f"to move its leads and delete it, write `merge_from: [{merge_source(other, is_alone=is_alone)}]`"
    return owner.diagnostic(
        "previous-name-exists",
        Severity.WARNING,
        f"{owner.address.ref} exists, and so does a {other.kind} named {other.name!r}, {which}",
        detail=f"{current.remote_id}  {current.name}\n{other.remote_id}  {other.name}",
        hint=_either("" if _any_protected([other], policy) else merge, rest),
    )


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
