"""Names for what nothing declares, and which id stands for which name; every name means one object."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from leadstate.core.account import Account
from leadstate.core.address import Ref
from leadstate.core.match import Matching, match
from leadstate.core.observed import Observed
from leadstate.core.resource import Bindings, Dictionary, Live


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


def identify(account: Account, observed: Observed, order: Sequence[str]) -> Identified:
    """Match what is declared with what exists, kind by kind, and give every object a name."""
    matchings = {kind: match(account.of_kind(kind), observed.live.get(kind, ()), account.lock) for kind in order}
    names = {one.remote_id: key for kind in order for key, one in name_undeclared(kind, matchings[kind], account)}
    return Identified(matchings, names, bind(matchings, names, observed.fields))


def name_undeclared(kind: str, matching: Matching, account: Account) -> list[tuple[str, Live]]:
    """A key for each live object that no declaration was paired with, its id added where the name is taken."""
    undeclared = sorted(matching.undeclared, key=lambda one: one.remote_id)
    keys = Counter(_known_name(one, account) for one in undeclared)
    used = {one.address.key for one in account.of_kind(kind)} | {one.address.key for one, _ in matching.pairs}
    named = []
    for one in undeclared:
        key = _known_name(one, account)
        if keys[key] > 1 or key in used:
            key = f"{key}#{one.remote_id}"
        while key in used:
            key += "#"
        used.add(key)
        named.append((key, one))
    return named


def _known_name(one: Live, account: Account) -> str:
    ref = account.locked.get(one.remote_id)
    known = None if ref is None else ref.key
    return known or (one.mark.partition(":")[2] if one.mark else one.name) or one.remote_id


def bind(matchings: Mapping[str, Matching], names: Mapping[str, str], fields: Dictionary | None) -> Bindings:
    """The ids of all objects, by kind matched, under their declared keys or the names they were given."""
    bindings = Bindings(fields)
    for kind, matching in matchings.items():
        for desired, live in matching.pairs:
            bindings.bind(desired.address.ref, live.remote_id)
        for one in matching.undeclared:
            bindings.bind(Ref(kind, names[one.remote_id]), one.remote_id)
    return bindings
