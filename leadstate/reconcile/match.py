"""Who is who: a known id, ownership marker, name, then a previous name. Two candidates are an error, never a choice.

A declared object with a marker is known by its marker alone: a lead's title is no identity. One with an id, by its id.
The lock file is a cache of ids and live data wins: an id that is gone, or whose object has another marker, is ignored.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from leadstate.model.account import Account
from leadstate.model.address import Ref
from leadstate.model.diagnostics import Diagnostic, Severity, counted
from leadstate.model.plan import plain
from leadstate.model.resource import Bindings, Desired, Dictionary, Live, Observed

_PLAIN = re.compile(r"(?!(?i:true|false|null|yes|no|on|off|y|n)$)[A-Za-z][A-Za-z0-9]*(?: [A-Za-z][A-Za-z0-9]*)*")
"""A name that means itself in YAML, whatever its version, without quotes."""


class KnownBy(StrEnum):
    """What tells that a live object is a declared one, the surest first."""

    ID = "id"
    LOCK = "lock"
    MARK = "marker"
    NAME = "name"
    PREVIOUS_NAME = "previous-name"


@dataclass(frozen=True, slots=True)
class Matching:
    """The result for one kind.

    Attributes:
        pairs: declared objects and the live ones that they are.
        missing: declared objects that do not exist.
        gone: objects declared by id that do not exist: to create them would make others.
        extra: live objects that nothing declares.
        shadowed: live objects that bear a previous name of an object which exists under its current name.
        ambiguous: live objects that could each be the same declared one.
        diagnostics: errors and warnings found on the way.
        duplicates: live objects that carry the marker of a declared one which says that another one is kept.
    """

    pairs: tuple[tuple[Desired, Live], ...]
    missing: tuple[Desired, ...]
    gone: tuple[Desired, ...]
    extra: tuple[Live, ...]
    shadowed: tuple[Live, ...]
    ambiguous: tuple[Live, ...]
    diagnostics: tuple[Diagnostic, ...]
    duplicates: tuple[Live, ...] = ()

    @property
    def undeclared(self) -> tuple[Live, ...]:
        """Every live object that was paired with no declaration."""
        return (*self.extra, *self.shadowed, *self.ambiguous, *self.duplicates)


NOTHING = Matching((), (), (), (), (), (), ())
"""Of a kind of which nothing is declared and nothing exists."""


@dataclass(slots=True)
class _Matcher:
    free: dict[str, Live]
    pairs: list[tuple[Desired, Live]] = field(default_factory=list)
    ambiguous: list[Live] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)

    def settle(self, wanted: Iterable[Desired], find: Callable[[Desired], list[Live]], *what: str) -> list[Desired]:
        """Pair what has exactly one candidate that is still free; return what is still unmatched.

        `what` says what one candidate and several have in common with it.
        """
        rest = []
        found = [(desired, [live for live in find(desired) if live.remote_id in self.free]) for desired in wanted]
        for desired, candidates in found:
            if not candidates:
                rest.append(desired)
            elif len(candidates) == 1 and candidates[0].remote_id in self.free:
                self.pairs.append((desired, self.free.pop(candidates[0].remote_id)))
            else:
                for candidate in candidates:
                    self.free.pop(candidate.remote_id, None)
                self.ambiguous.extend(candidates)
                self.diagnostics.append(_ambiguous(desired, candidates, what))
        return rest


def match(desired: Sequence[Desired], live: Sequence[Live], lock: Mapping[Ref, str] | None = None) -> Matching:
    """Pair the declared objects of one kind with the live ones.

    Args:
        desired: what is declared.
        live: what exists.
        lock: reference → id, as remembered from an earlier run.
    """
    by_marker: dict[str, list[Live]] = defaultdict(list)
    by_name: dict[str, list[Live]] = defaultdict(list)
    for there in live:
        by_name[there.name].append(there)
        if there.marker is not None:
            by_marker[there.marker].append(there)

    desired = [each for item in desired for each in _each_name(item, by_name.keys(), desired)]
    matcher = _Matcher({there.remote_id: there for there in live})
    by_id = {there.remote_id: [there] for there in live}
    pinned = [item for item in desired if item.remote_id is not None]
    marked = [item for item in desired if item.remote_id is None and item.marker is not None]
    named = [item for item in desired if item.remote_id is None and item.marker is None]
    gone = matcher.settle(pinned, lambda d: by_id.get(d.remote_id or "", []), "has its id", "have its id")

    duplicates = [
        other
        for wanted in marked
        for other in _not_kept(wanted, by_marker[wanted.marker or ""])
        if matcher.free.pop(other.remote_id, None)
    ]
    declared = {desired.names[0]: desired for desired in named}

    def remembered(wanted: Desired, others: Iterable[Live]) -> list[Live]:
        """What the lock knows it by, and what else it could be, each once. Nothing is deleted on a memory alone."""
        locked = by_id.get((lock or {}).get(wanted.address.ref, ""), []) if wanted.present else []
        # A lead that others made is ours only where it is declared `adopted`, whatever the lock file claims.
        markers = (None, wanted.marker) if wanted.adopted else (wanted.marker,)
        # A label that bears the name of another declared one is that one, whatever was remembered of it.
        fitting = [live for live in locked if live.marker in markers and declared.get(live.name, wanted) is wanted]
        return list({other.remote_id: other for other in (*fitting, *others)}.values())

    missing = matcher.settle(
        marked, lambda d: remembered(d, by_marker[d.marker or ""]), "carries its marker", "carry its marker"
    )
    rest = matcher.settle(named, lambda d: remembered(d, by_name[d.names[0]]), "bears its name", "bear its name")
    present = [pair for pair in matcher.pairs if pair[0].names]
    missing += matcher.settle(
        rest,
        lambda d: [live for name in d.names[1:] for live in by_name[name]],
        "bears a previous name of it",
        "bear a previous name of it",
    )

    shadowed = []
    for owner, current in present:
        for name in owner.names[1:]:
            for other in by_name[name]:
                if matcher.free.pop(other.remote_id, None) is not None:
                    shadowed.append(other)
                    source = (
                        name if _PLAIN.fullmatch(name) and len(by_name[name]) == 1 else f"{{id: {other.remote_id}}}"
                    )
                    matcher.diagnostics.append(_shadowed(owner, current, other, source))
    return Matching(
        tuple(matcher.pairs),
        tuple(missing),
        tuple(gone),
        tuple(matcher.free.values()),
        tuple(shadowed),
        tuple(matcher.ambiguous),
        tuple(matcher.diagnostics),
        tuple(duplicates),
    )


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
    if desired.present or desired.remote_id is not None or len(names) < 2:  # noqa: PLR2004  one name needs no other
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
    """Everything that speaks for a pair which `match` has made."""
    if desired.remote_id is not None:
        return (KnownBy.ID,)
    found = {
        KnownBy.LOCK: desired.present and lock.get(desired.address.ref) == live.remote_id,
        KnownBy.MARK: desired.marker is not None and desired.marker == live.marker,
        KnownBy.NAME: desired.marker is None and live.name == desired.names[0],
        KnownBy.PREVIOUS_NAME: desired.marker is None and live.name in desired.names[1:],
    }
    return tuple(known for known, speaks in found.items() if speaks)


def _ambiguous(desired: Desired, candidates: Sequence[Live], what: Sequence[str]) -> Diagnostic:
    kind = desired.address.kind
    if len(candidates) == 1:
        summary = f"another declared {kind} is already the one that {what[0]}"
        hint = "remove one of the two declarations"
    else:
        summary = f"{counted(len(candidates), kind)} {what[1]}, so it is not clear which one is meant"
        hint = f"leave one of them in Pipedrive (move its leads, rename or delete the other {kind}), then plan again"
        if desired.marker is not None and all(candidate.marker == desired.marker for candidate in candidates):
            hint = f"to keep the first and delete the others, write `keep: [{candidates[0].remote_id}]` in it"
        elif desired.present and desired.names:
            others = ", ".join(f"{{id: {candidate.remote_id}}}" for candidate in candidates[1:])
            hint = f"to keep the first with the leads of all, write `merge_from: [{others}]`; else {hint}"
    detail = "\n".join(
        f"{candidate.remote_id}  {candidate.name}{_differing(candidate, candidates)}" for candidate in candidates
    )
    return desired.diagnostic("ambiguous", Severity.ERROR, summary, detail=detail, hint=hint)


def _differing(about: Live, candidates: Sequence[Live]) -> str:
    """Return the fields in which an object differs from the other candidates, with its values."""
    names = [
        name
        for name, value in about.attrs.items()
        if any(other.attrs.get(name) != value for other in candidates) and value != about.name
    ]
    return "".join(f"  {name}: {json.dumps(plain(about.attrs[name]), ensure_ascii=False)}" for name in names)


def _shadowed(owner: Desired, current: Live, other: Live, source: str) -> Diagnostic:
    return owner.diagnostic(
        "previous-name-exists",
        Severity.WARNING,
        f"{owner.address.ref} exists, and so does a {other.kind} named {other.name!r}, its previous name",
        detail=f"{current.remote_id}  {current.name}\n{other.remote_id}  {other.name}",
        hint=f"to move its leads and delete it, write `merge_from: [{source}]`; else take the name out of `previously`",
    )


@dataclass(frozen=True, slots=True)
class Identified:
    """Who is who in one account.

    Attributes:
        matchings: the declared and the live objects, by kind.
        names: remote id → key, for what no declaration was paired with.
        bindings: which id stands for which reference.
    """

    matchings: Mapping[str, Matching]
    names: Mapping[str, str]
    bindings: Bindings


def identify(
    account: Account, observed: Observed, order: Sequence[str], matched: Mapping[str, Matching] | None = None
) -> Identified:
    """Match what is declared with what exists, kind by kind unless it is `matched` already, and name every object."""
    matchings = dict.fromkeys(order, NOTHING)
    names: dict[str, str] = {}
    for kind in order:
        declared, live = account.of_kind(kind), observed.live.get(kind, ())
        if declared or live:
            matchings[kind] = (matched or {}).get(kind) or match(declared, live, account.lock)
            names |= {there.remote_id: key for key, there in name_undeclared(kind, matchings[kind], account)}
    return Identified(matchings, names, bind(matchings, names, observed.fields))


def name_undeclared(kind: str, matching: Matching, account: Account) -> list[tuple[str, Live]]:
    """A key for each live object that no declaration was paired with, its id added where the name is taken."""
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
    known = None if ref is None else ref.key
    return known or (live.marker.partition(":")[2] if live.marker else live.name) or live.remote_id


def bind(matchings: Mapping[str, Matching], names: Mapping[str, str], fields: Dictionary | None) -> Bindings:
    """The ids of all objects, by kind matched, under their declared keys or the names they were given."""
    bindings = Bindings(fields)
    for kind, matching in matchings.items():
        for desired, live in matching.pairs:
            bindings.bind(desired.address.ref, live.remote_id)
        for live in matching.undeclared:
            bindings.bind(Ref(kind, names[live.remote_id]), live.remote_id)
    return bindings
