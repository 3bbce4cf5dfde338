"""One account as the engine gets it: where it is, what it shall hold, what it allows. No token: clients hold those."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fnmatch import translate
from functools import cached_property, lru_cache
from typing import Any, Final, Self
from urllib.parse import urlsplit

from leadstate.model.address import Ref, collapse
from leadstate.model.plan import AccountReceipt
from leadstate.model.resource import Desired, Live

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
"""Names of this machine under which one server is usually reached."""


class Prune(StrEnum):
    """Which unmanaged objects are deleted: none, those with our marker, those that the lock file knows, or all."""

    NONE = "none"
    OWNED = "owned"
    LOCKED = "locked"
    ALL = "all"


class ImpactLevel(StrEnum):
    """How thoroughly the leads that carry a deleted label are counted."""

    NONE = "none"
    LIVE = "live"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Policy:
    """Rules of one account (spec section 2, `policy`).

    Attributes:
        prune_rules: kind → its rule; NONE for a kind that is not in it.
        max_deletes: deletes of one run; None for no limit.
        max_delete_percent: deletes of a kind, in percent of what exists; None for no limit.
        max_tokens: rate-limit tokens that an apply may cost; None for no limit.
        refuse_in_use: whether deleting a label that leads carry is refused.
        archived_pages: how many pages of 500 archived leads may be read.
        ignore: kind → patterns of the names of live objects that are as if they were not there.
        protect: kind → patterns of the names of live objects that are never deleted.
    """

    prune_rules: Mapping[str, Prune] = field(default_factory=dict)
    max_deletes: int | None = 10
    max_delete_percent: int | None = 30
    max_tokens: int | None = None
    refuse_in_use: bool = True
    archived_pages: int = 10
    ignore: Mapping[str, Sequence[str]] = field(default_factory=dict)
    protect: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def prune(self, kind: str) -> Prune:
        """Return the rule for a kind."""
        return self.prune_rules.get(kind, Prune.NONE)

    def ignores(self, kind: str, name: str) -> bool:
        """Return whether a live object of this name is ignored."""
        return _matches(name, self.ignore.get(kind, ()))

    def protects(self, kind: str, name: str) -> bool:
        """Return whether a live object of this name is never deleted; no `--allow` lifts that."""
        return _matches(name, self.protect.get(kind, ()))


def explain_ignored(what: str) -> tuple[str, str]:
    """Return what is wrong, and the fix, where an ignored object is declared, as in "`Hot` is declared"."""
    return f"{what}, and `policy.ignore` ignores it", "take it out of one of the two"


def explain_protected(kind: str, what: str) -> tuple[str, str]:
    """Return what is wrong, and the fix, where a protected object of a kind is to be deleted."""
    fix = f"keep the {kind}, or take it out of `policy.protect`"
    return f"{what} is to be deleted, and `policy.protect` protects it", fix


def _matches(name: str, patterns: Sequence[str]) -> bool:
    """Return whether a pattern matches a name. Its brackets hold a set of characters, or are those of the name."""
    return bool(patterns) and _any_of(tuple(patterns)).match(name) is not None


@lru_cache
def _any_of(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """Return patterns as one: thousands of accounts, each with patterns of its own, ask about thousands of names."""
    forms = dict.fromkeys(form for pattern in patterns for form in (pattern, pattern.replace("[", "[[]")))
    return re.compile("|".join(map(translate, forms)))


def unify_loopback(origin: str) -> str:
    """Return the origin with one name in place of those that this machine has, so that equal servers compare equal."""
    parts = urlsplit(origin)
    if parts.hostname not in _LOOPBACK:
        return origin
    return f"{parts.scheme}://localhost" + ("" if parts.port is None else f":{parts.port}")


def is_loopback(origin: str) -> bool:
    """Return whether an origin is on this machine, as a sandbox is; `http` is accepted for no other one."""
    parts = urlsplit(origin)
    return parts.scheme == "http" or parts.hostname in _LOOPBACK


@dataclass(frozen=True, slots=True, eq=False)
class InAccount(Sequence[Desired]):
    """What one account of many declares, found and given its addresses while it is read.

    Kept for each of 5,000 accounts, the 2,000 labels of them all would take gigabytes.

    Attributes:
        account: the account's name.
        bit: the account, as a set of accounts.
        shared: what is declared for all accounts: the accounts that have an object, as bits, and the object.
    """

    account: str
    bit: int
    shared: Sequence[tuple[int, Desired]]

    def __len__(self) -> int:
        return sum(1 for accounts, _ in self.shared if accounts & self.bit)

    def __iter__(self) -> Iterator[Desired]:
        for accounts, desired in self.shared:
            if accounts & self.bit:
                here = desired.address.account == self.account
                yield desired if here else replace(desired, address=replace(desired.address, account=self.account))

    def __getitem__(self, index: Any) -> Any:
        return tuple(self)[index]


@dataclass(frozen=True)
class Account:
    """A declared account.

    Attributes:
        name: its name in the configuration.
        origin: scheme, host and port, `https://acme-emea.pipedrive.com`.
        namespace: prefix of our leads' ownership markers; None where no leads are declared.
        policy: its rules.
        desired: what it shall hold.
        lock: reference → remote id, as the lock file remembers them: a cache; live data wins.
        company_id: the company that the token has to belong to, if that is declared.
        receipt: what an apply has done, where that is to be undone instead of what is declared being made.
        disputed: reference → remote id that the lock file, merged badly, gives to others too: it identifies none of
            them, and is not in `lock`.
    """

    name: str
    origin: str
    namespace: str | None
    policy: Policy
    desired: Sequence[Desired]
    company_id: int | None = None
    lock: Mapping[Ref, str] = field(default_factory=dict)
    receipt: AccountReceipt | None = None
    disputed: Mapping[Ref, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Take ids out of `lock` that it holds for several objects."""
        claims = Counter((ref.kind, id_) for ref, id_ in self.lock.items())
        disputed = {ref: id_ for ref, id_ in self.lock.items() if claims[ref.kind, id_] > 1}
        believed = {ref: id_ for ref, id_ in self.lock.items() if ref not in disputed}
        object.__setattr__(self, "lock", believed)
        object.__setattr__(self, "disputed", {**self.disputed, **disputed})

    @property
    def host(self) -> str:
        """Host and port, as people know the account."""
        return urlsplit(self.origin).netloc

    def of_kind(self, kind: str) -> tuple[Desired, ...]:
        """Return the declared objects of one kind."""
        return tuple(item for item in self.desired if item.address.kind == kind)

    @cached_property
    def locked(self) -> Mapping[str, Ref]:
        """Remote id → reference, for everything that the lock file remembers."""
        return {remote_id: ref for ref, remote_id in self.lock.items()}

    def remembers(self, kind: str, remote_id: str) -> bool:
        """Return whether the lock file knows an object of this kind by this id."""
        ref = self.locked.get(remote_id)
        return ref is not None and ref.kind == kind

    @cached_property
    def titles(self) -> frozenset[str]:
        """Titles of the declared objects that have our marker, white space collapsed."""
        titles = (desired.attrs.get("title") for desired in self.desired if desired.marker is not None)
        return frozenset(collapse(title) for title in titles if isinstance(title, str))

    def prunes(self, live: Live) -> bool:
        """Return whether the rule of its kind deletes this unmanaged object, unless `policy.protect` protects it."""
        rule = self.policy.prune(live.kind)
        return (
            rule is Prune.ALL
            or (rule is Prune.OWNED and self.owns(live.marker) and not live.frozen_by)
            or (rule is Prune.LOCKED and self.remembers(live.kind, live.remote_id))
        )

    def owns(self, marker: str | None) -> bool:
        """Return whether a live object carries a marker of this configuration's namespace, or one that it names."""
        if marker is None or self.namespace is None:
            return False
        return marker.startswith(f"{self.namespace}:") or marker in self.renamed

    @cached_property
    def renamed(self) -> Mapping[str, str]:
        """Ownership marker of earlier days → the one that its object is declared with now."""
        return {former: desired.marker for desired in self.desired for former in desired.former if desired.marker}

    @cached_property
    def keys(self) -> frozenset[str]:
        """Keys of the declared objects that have our marker."""
        return frozenset(desired.address.key for desired in self.desired if desired.marker is not None)

    def with_former_keys(self) -> Self:
        """Return the account with the ids that the lock file knows under a former key of an object under its key."""
        lock = dict(self.lock)
        for desired in self.desired:
            now = desired.address.ref
            for former in desired.former:
                # The lock file holds keys alone, whatever the namespace was.
                ref = Ref(now.kind, former.partition(":")[2])
                if ref in lock and now not in lock and ref.key not in self.keys:
                    lock[now] = lock.pop(ref)
        return self if lock == self.lock else replace(self, lock=lock)
