"""What there is to know about one object: declared, live, how the two were paired, what follows. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from leadstate.model.account import Account
from leadstate.model.address import Address, RemoteRef, Span
from leadstate.model.plan import AccountPlan, Change, Reason, Untouched
from leadstate.model.policy import Prune
from leadstate.model.resource import CARRIED, Attrs, Desired, Live, Observed, references, settle
from leadstate.reconcile.match import KnownBy, identify, known_by


@dataclass(frozen=True, slots=True)
class Written:
    """Where the value of a declared field is from.

    Attributes:
        field: its name.
        span: where the value stands.
        overridden: whether it stands among the `overrides` of the account.
        variables: each `${name}` in it, its value, and where the account sets it.
    """

    field: str
    span: Span
    overridden: bool
    variables: tuple[tuple[str, str, Span], ...] = ()


@dataclass(frozen=True, slots=True)
class Explained:
    """One object of one account.

    Attributes:
        address: its address.
        desired: what is declared; None where nothing declares it.
        live: what exists; None where nothing does.
        known_by: what tells that the two are one.
        wanted: the declared fields, as they shall be.
        there: the live fields, ids turned into references.
        change: what is to be done with it.
        untouched: why nothing is done with it, where that is not because it is up to date.
        needed_by: declared objects that refer to it.
        prune: what the account does with undeclared objects of its kind.
        remembered: whether the lock file knows its id.
        leads: of a label, how many live leads carry it; None where they were not read.
    """

    address: Address
    desired: Desired | None
    live: Live | None
    known_by: tuple[KnownBy, ...]
    wanted: Attrs
    there: Attrs
    change: Change | None
    untouched: Untouched | None
    needed_by: tuple[Address, ...]
    prune: Prune
    remembered: bool
    leads: int | None


def explain(
    address: Address,
    account: Account,
    observed: Observed,
    plan: AccountPlan,
    order: Sequence[str],
    *,
    declared: Account,
) -> Explained | None:
    """Explain one object; None where it is neither declared nor there.

    Args:
        address: the object.
        account: the account as it was planned.
        observed: what exists.
        plan: the plan.
        order: the kinds, as the plan was made with.
        declared: the account with everything that is declared.
    """
    found = identify(account, observed, order)
    matching = found.matchings[address.kind]
    live_of = {paired.address: live for paired, live in matching.pairs}
    live_of |= {Address(account.name, address.kind, found.names[live.remote_id]): live for live in matching.undeclared}
    ignored = {Address(account.name, live.kind, live.name): live for live in observed.ignored.get(address.kind, ())}
    live_of = {**ignored, **live_of}
    desired = next((item for item in account.desired if item.address == address), None)
    live = live_of.get(address)
    if desired is None and live is None:
        return None
    there = {} if live is None else {name: found.bindings.link(value) for name, value in live.attrs.items()}
    return Explained(
        address,
        desired,
        live,
        known_by(desired, live, account.lock) if desired is not None and live is not None else (),
        {} if desired is None else {name: settle(value, there.get(name)) for name, value in desired.attrs.items()},
        there,
        next((change for change in plan.changes if change.address == address), None),
        Untouched(address.kind, Reason.IGNORED, address.key)
        if live is not None and ignored.get(address) is live
        else next((group for group in plan.untouched if (group.kind, group.key) == (address.kind, address.key)), None),
        tuple(item.address for item in declared.desired if address.ref in _referred(item)),
        account.policy.prune(address.kind),
        live is not None and live.remote_id in account.locked,
        _leads(live, observed),
    )


def _leads(live: Live | None, observed: Observed) -> int | None:
    if live is None or live.kind != CARRIED or observed.carriers is None:
        return None
    return len(observed.carriers.get(RemoteRef(CARRIED, live.remote_id), ()))


def known_words(account: Account, observed: Observed, order: Sequence[str]) -> dict[tuple[str, str], Address]:
    """Kind and word → the object that it may mean: keys, names and former names of what is declared or there."""
    found = identify(account, observed, order)
    words: dict[tuple[str, str], Address] = {}
    for kind, matching in found.matchings.items():
        for desired in account.of_kind(kind):
            words |= {(kind, name): desired.address for name in desired.names}
        for paired, live in matching.pairs:
            words[kind, live.name] = paired.address
        for live in matching.undeclared:
            key = found.names[live.remote_id]
            words[kind, key] = Address(account.name, kind, key)
    return words | {(item.address.kind, item.address.key): item.address for item in account.desired}


def _referred(desired: Desired) -> frozenset[object]:
    values = (*desired.attrs.values(), desired.moves_to)
    return frozenset().union(*(references(value) for value in values))
