"""Accounts for which the same is declared: it is checked once for all of them, however many they are.

5,000 accounts and 2,000 labels are 373 KB of YAML, and ten million objects.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from leadstate.config.rules.merge import Merged
from leadstate.config.rules.scope import Item
from leadstate.config.rules.variables import names_in

Scoped = tuple[Item, tuple[str, ...]]
"""A label or lead, and the accounts that it is for."""

_SHOWN = 10
"""Accounts that a message names."""


@dataclass(frozen=True, slots=True)
class Groups:
    """All usable accounts, in groups.

    Attributes:
        members: the first account of a group → all accounts of it, in order of name.
    """

    members: Mapping[str, Sequence[str]]

    def in_accounts(self, firsts: Iterable[str]) -> str:
        """` in the accounts a, b`, of groups by their first accounts; nothing where it is all accounts."""
        return in_accounts([name for first in set(firsts) for name in self.members[first]], self.count)

    @property
    def count(self) -> int:
        """How many accounts there are."""
        return sum(map(len, self.members.values()))


def group_accounts(usable: Sequence[str], items: Sequence[Scoped], merged: Merged) -> Groups:
    """Group accounts that have the same items, plan and used variables, and no override."""
    traits: dict[str, list[object]] = {name: [merged.accounts[name].spec.plan] for name in usable}
    scopes = {id(scope): scope for _, scope in items if len(scope) < len(usable)}
    for number, scope in enumerate(dict.fromkeys(scopes.values())):
        for name in scope:
            traits[name].append(number)
    # What is known of them by themselves, and what overrides them, is for nobody else.
    alone = merged.unsure.union(*(entry.spec.overrides for entry, _ in items if entry.spec.overrides))
    used = _variables(items)
    groups: dict[tuple[object, ...], list[str]] = defaultdict(list)
    for name in usable:
        values = merged.accounts[name].spec.vars
        known = tuple(sorted((key, value) for key, value in values.items() if used is None or key in used))
        groups[known, *traits[name], *((name,) if name in alone else ())].append(name)
    return Groups({names[0]: names for names in groups.values()})


def _variables(items: Sequence[Scoped]) -> frozenset[str] | None:
    """The variables that occur in the files of these items; None where escapes may hide some."""
    texts = [source.text for source in {id(entry.source): entry.source for entry, _ in items}.values()]
    if any("\\" in text for text in texts):
        return None
    return frozenset(name for text in texts for name in names_in(text))


def in_accounts(names: Iterable[str], everyone: int) -> str:
    """` in the accounts a, b`; nothing where it is all of them."""
    known = sorted(set(names))
    if len(known) == everyone:
        return ""
    more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    return f" in the account{'s' if len(known) > 1 else ''} " + ", ".join(known[:_SHOWN]) + more
