"""Names of things: addresses people write, references between objects, ids Pipedrive gave, places in files."""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass

_TARGET = re.compile(r"(?:(?P<account>[^/:]+)/)?(?P<kind>[a-z][a-z_]*):(?P<key>.+)", re.DOTALL)


def normalize_text(raw: str) -> str:
    """Return the normal form of a name or title: Unicode NFC, no white space around it (spec section 2)."""
    return unicodedata.normalize("NFC", raw).strip()


def collapse(name: str) -> str:
    """Return the name with each run of white space as one space."""
    return " ".join(name.split())


@dataclass(frozen=True, order=True, slots=True)
class Span:
    """A place in a file, as editors count: lines and columns from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, order=True, slots=True)
class Ref:
    """An object by its name in the configuration, `label:Hot`; stays symbolic until a request is written."""

    kind: str
    key: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.key}"


@dataclass(frozen=True, order=True, slots=True)
class RemoteRef:
    """An object by the id that Pipedrive gave it; turned into a `Ref` as soon as the state was read."""

    kind: str
    id: str

    def __str__(self) -> str:
        return f"{self.kind}#{self.id}"


@dataclass(frozen=True, order=True, slots=True)
class Address:
    """One object of one account, `emea/label:Hot`."""

    account: str
    kind: str
    key: str

    def __str__(self) -> str:
        return f"{self.account}/{self.kind}:{self.key}"

    @property
    def ref(self) -> Ref:
        """The same object as its own account names it."""
        return Ref(self.kind, self.key)


@dataclass(frozen=True, slots=True)
class Target:
    """What `--target` selects: `emea/label:Hot`, or `label:Hot` in every account."""

    account: str | None
    kind: str
    key: str

    @classmethod
    def parse(cls, written: str, kinds: tuple[str, ...]) -> "Target":
        """Read a target; raise ValueError, which says what to write, if it is malformed or of an unknown kind."""
        found = _TARGET.fullmatch(written)
        if found is None or found["kind"] not in kinds:
            forms = " or ".join(f"{kind}:NAME" for kind in kinds)
            raise ValueError(
                f"{written!r} is not an address; write {forms}, with ACCOUNT/ before it for one account only"
            )
        return cls(found["account"], found["kind"], normalize_text(found["key"]))

    def selects(self, address: Address) -> bool:
        """Return whether the address is this object."""
        same_account = self.account is None or self.account == address.account
        return same_account and (self.kind, self.key) == (address.kind, address.key)

    def __str__(self) -> str:
        prefix = f"{self.account}/" if self.account else ""
        return f"{prefix}{self.kind}:{self.key}"


def accounts_of(targets: Collection[Target]) -> frozenset[str]:
    """Return the accounts that targets name; none where all accounts are meant, by no target or by one without."""
    named = frozenset(target.account for target in targets if target.account is not None)
    return named if all(target.account is not None for target in targets) else frozenset()
