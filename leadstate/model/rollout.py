"""Which accounts a run works on, and in which order: a shard of them, and some before the others."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

REST = "rest"
_SIZE = re.compile(r"([0-9]{1,6})(%?)")


@dataclass(frozen=True, slots=True)
class Shard:
    """One of several parts of all accounts: which part an account is in depends on its name and nothing else."""

    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> "Shard":
        """Return the shard that `K/N` means, as in 2/4; ValueError if it is malformed."""
        found = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text)
        if found is None or not 1 <= int(found[1]) <= int(found[2]):
            raise ValueError(f"{text!r} is not a shard: write K/N, as in 2/4, with K from 1 to N")
        return cls(int(found[1]), int(found[2]))

    def holds(self, account: str) -> bool:
        """Return whether an account is in this part."""
        digest = hashlib.sha256(account.encode()).digest()
        return int.from_bytes(digest[:8], "big") % self.of == self.number - 1

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


@dataclass(frozen=True, slots=True)
class Limit:
    """Which part of all accounts a run is limited to, as its report says.

    Attributes:
        accounts: names and tags; none means all.
        shard: K/N.
    """

    accounts: tuple[str, ...] = ()
    shard: str | None = None


@dataclass(frozen=True, slots=True)
class Rollout:
    """In which order an apply goes through the accounts.

    Attributes:
        sizes: how many accounts go first, how many then: numbers, or percentages of all; the last wave is the rest.
        max_failed: accounts that may fail before the next wave is not begun.
    """

    sizes: tuple[str, ...] = ()
    max_failed: int = 0

    def __post_init__(self) -> None:
        """Raise ValueError for what cannot be applied: an apply must not find that out half-way."""
        if not isinstance(self.max_failed, int) or self.max_failed < 0:
            raise ValueError(f"`max_failed` takes an integer from 0 on, not {self.max_failed!r}")
        for size in self.sizes:
            found = _SIZE.fullmatch(size)
            if found is None or int(found[1]) == 0 or (found[2] and int(found[1]) > 100):  # noqa: PLR2004  percent
                raise ValueError(f"{size!r} is not the size of a wave: write a number of accounts or a percentage")

    @classmethod
    def parse(cls, text: str, max_failed: int = 0) -> "Rollout":
        """Return the rollout that `1,10%,rest` means.

        Raises:
            ValueError: it is malformed.
            TypeError: it is no text.
        """
        if not isinstance(text, str):
            raise TypeError(f"a rollout is a text like 1,10%,{REST}, not {text!r}")
        *sizes, last = (size.strip() for size in text.split(","))
        rollout = cls(tuple(sizes), max_failed)
        if last != REST:
            raise ValueError(f"{text!r} does not end with `{REST}`: write it like 1,10%,{REST}")
        return rollout

    def waves(self, items: Sequence[T]) -> list[Sequence[T]]:
        """Return the items in waves, in their order; none is empty, and a percentage is one at the least."""
        waves: list[Sequence[T]] = []
        begin = 0
        for size in self.sizes:
            number = -(-len(items) * int(size[:-1]) // 100) if size.endswith("%") else int(size)
            waves.append(items[begin : begin + number])
            begin += number
        return [wave for wave in (*waves, items[begin:]) if wave]
