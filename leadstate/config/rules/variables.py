"""`${name}` in texts, replaced from an account's `vars`. There is no other templating, and no nesting."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from pydantic_core import PydanticCustomError

from leadstate.config.messages import choice
from leadstate.config.rules.scope import AccountSet, Directory, Item, Problems
from leadstate.config.schema.document import AccountSpec
from leadstate.config.validate import Entry
from leadstate.config.yaml.diagnostics import Place, visible
from leadstate.kinds.base import LONGEST_TEXT, Spec, fields_set, one_line

_USE = re.compile(r"\$\{([^{}]*)\}?")


_NONE: Final[frozenset[str]] = frozenset()


def has_variable(text: str | None) -> bool:
    """Return whether something in the text is to be replaced."""
    return text is not None and "${" in text


def names_in(text: str) -> list[str]:
    """Return the names of the variables that a text uses."""
    return _USE.findall(text)


def used_in(value: Any) -> frozenset[str]:
    """Return the names of the variables that the texts in a value use, wherever in it they stand."""
    match value:
        case str():
            return frozenset(names_in(value)) if "${" in value else _NONE
        case Spec():
            return used_in(list(fields_set(value).values()))
        case Mapping():
            return used_in(list(value.values()))
        case list():
            found = _NONE
            for item in value:
                found |= used_in(item)
            return found
    return _NONE


class Variant(NamedTuple):
    """Accounts in which an item is the same: `account` is one of them, and stands for all."""

    account: str
    accounts: AccountSet


@dataclass(slots=True)
class Variables:
    """Replaces variables.

    5,000 accounts and 2,000 labels are ten million objects. So an item is not made for each account, but for each set
    of accounts that have no override of it and the same values of the variables that it uses.

    Attributes:
        accounts: the usable accounts.
        directory: the same by name and tag.
        problems: learns what cannot be replaced.
    """

    accounts: Mapping[str, Entry[AccountSpec]]
    directory: Directory
    problems: Problems
    _found: dict[tuple[frozenset[str], bool], Sequence[AccountSet]] = field(default_factory=dict)
    _variants: dict[tuple[object, ...], Sequence[Variant]] = field(default_factory=dict)

    def variants(self, entry: Item, scope: AccountSet, *, by_plan: bool = False) -> Iterator[Variant]:
        """Split the accounts that an item is for into those in which it is the same.

        Args:
            entry: the item.
            scope: the accounts.
            by_plan: whether the item differs by the account's Pipedrive plan too.
        """
        for name in entry.spec.overrides:
            if bit := self.directory.bits.get(name, 0) & scope:
                yield Variant(name, bit)
                scope &= ~bit
        used = used_in([value for name, value in fields_set(entry.spec).items() if name != "overrides"])
        known = (scope, used, by_plan)
        if known not in self._variants:
            same = ((accounts & scope) for accounts in self._classes(used, by_plan=by_plan))
            self._variants[known] = [Variant(self.directory.first(accounts), accounts) for accounts in same if accounts]
        yield from self._variants[known]

    def _classes(self, used: frozenset[str], *, by_plan: bool) -> Sequence[AccountSet]:
        """Return all accounts, in sets of those that have the same values of some variables."""
        if not used and not by_plan:
            return (self.directory.everyone,)
        if (used, by_plan) not in self._found:
            groups: dict[tuple[object, ...], AccountSet] = defaultdict(int)
            for name, bit in self.directory.bits.items():
                spec, unknown = self.accounts[name].spec, self.accounts[name].unknown
                values = tuple(spec.vars.get(variable) for variable in used)
                alone = (bool(used) and "vars" in unknown) or (by_plan and "plan" in unknown)
                groups[values, spec.plan if by_plan else None, name if alone else None] |= bit
            self._found[used, by_plan] = tuple(groups.values())
        return self._found[used, by_plan]

    def replaced(self, value: Any, variant: Variant, entry: Item, *path: str | int) -> Any:
        """Return the value at a path of an item with its variables replaced, wherever in it; None if one cannot be."""
        match value:
            case str():
                return self.replace(value, variant, entry.place(*path)) if "${" in value else value
            case Spec():
                made = self.replaced(fields_set(value), variant, entry, *path)
                return None if made is None else value.model_copy(update=made)
            case Mapping():
                found = {key: self.replaced(part, variant, entry, *path, key) for key, part in value.items()}
                return None if any(found[key] is None for key in found if value[key] is not None) else found
            case list():
                items = [self.replaced(item, variant, entry, *path, index) for index, item in enumerate(value)]
                return None if None in items else items
        return value

    def replace(self, text: str, variant: Variant, place: Place) -> str | None:
        """Return the text in normal form, as these accounts have it; None if it cannot be made."""
        values = self.accounts[variant.account].spec.vars
        failed = False

        def value(found: re.Match[str]) -> str:
            nonlocal failed
            used, name = found[0], found[1]
            if name in values and used.endswith("}"):
                return values[name]
            failed = True
            if not used.endswith("}"):
                hint = "add the `}`; a text that holds `${` itself comes from a variable"
                self.problems.error("bad-variable", place, variant.accounts, "a `${` is not closed", hint)
            elif "vars" not in self.accounts[variant.account].unknown:
                shown = visible(name[:60])
                near = choice(name, sorted(values), what="this account has") + "  Or: " if values else ""
                hint = f"{near}add `vars: {{{shown}: …}}` to the account"
                summary = f"the variable `{shown}` is not set"
                self.problems.error("unknown-variable", place, variant.accounts, summary, hint)
            return ""

        made = _USE.sub(value, text)
        if failed:
            return None
        try:
            normal = one_line(made)
            problem = "" if len(normal) <= LONGEST_TEXT else f"is longer than {LONGEST_TEXT} characters"
        except PydanticCustomError as error:
            normal, problem = "", error.message()
        if problem:
            summary = f"with its variables replaced, this {problem}"
            self.problems.error(
                "bad-text", place, variant.accounts, summary, "change the account's `vars`, or the text"
            )
            return None
        return normal
