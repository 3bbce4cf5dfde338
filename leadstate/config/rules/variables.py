"""`${name}` in texts, replaced from an account's `vars`. There is no other templating, and no nesting."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Any, Final, NamedTuple, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from leadstate.config.messages import choice, sentence_of
from leadstate.config.rules.scope import AccountSet, Directory, Item, Problems
from leadstate.config.schema.document import VARIABLE, AccountSpec
from leadstate.config.validate import Entry
from leadstate.config.yaml.diagnostics import Place, cut, shown
from leadstate.kinds.base import REPLACED, Spec, fields_set, is_tag
from leadstate.kinds.base import Item as ItemSpec

_USE = re.compile(r"\$\{([^{}]*)\}?")
_NONE: Final[frozenset[str]] = frozenset()
_ABOUT_ACCOUNTS: Final = ("accounts", "except_", "overrides")
"""Fields that say where an item is declared; in all others variables are replaced."""


def used_in(value: Any) -> frozenset[str]:
    """Return the names of the variables that the texts in a value use, wherever in it they stand."""
    match value:
        case str():
            return frozenset(_USE.findall(value)) if "${" in value else _NONE
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


def path_of(entry: Item, account: str, name: str) -> tuple[str, ...]:
    """Return where a field stands that an account has: in the account's override, or in the item itself."""
    override = entry.spec.overrides.get(account)
    return ("overrides", account, name) if override and name in override.model_fields_set else (name,)


class Variant(NamedTuple):
    """Accounts in which an item is the same.

    Attributes:
        account: one of them, which stands for all.
        accounts: all of them.
        is_plain: whether they have the item as it is written, without an override and without variables.
    """

    account: str
    accounts: AccountSet
    is_plain: bool


S = TypeVar("S", bound=ItemSpec)


@dataclass(slots=True)
class Variables:
    """Replaces variables.

    5,000 accounts and 2,000 labels are ten million objects. So an item is not made for each account, but for each set
    of accounts that have no override of it and the same values of the variables that it uses.

    Attributes:
        accounts: the usable accounts.
        directory: the same by name and tag.
        problems: what cannot be replaced is added there.
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
                yield Variant(name, bit, is_plain=False)
                scope &= ~bit
        used = used_in([value for name, value in fields_set(entry.spec).items() if name not in _ABOUT_ACCOUNTS])
        known = (scope, used, by_plan)
        if known not in self._variants:
            same = ((accounts & scope) for accounts in self._classes(used, by_plan=by_plan))
            self._variants[known] = [
                Variant(self.directory.first(accounts), accounts, not used) for accounts in same if accounts
            ]
        yield from self._variants[known]

    def resolve(self, entry: Entry[S], variant: Variant) -> tuple[S, set[str]]:
        """Return an item as accounts have it, with their override in it and with variables replaced.

        Also return the fields in which a variable cannot be replaced; those are None.
        """
        if variant.is_plain:
            return entry.spec, set()
        override = entry.spec.overrides.get(variant.account)
        there = dict(fields_set(override)) if override is not None else {}
        changed: dict[str, Any] = {}
        failed: set[str] = set()
        for name, value in {**fields_set(entry.spec), **there}.items():
            parts = {path_of(entry, variant.account, name): value}
            if name in there and isinstance(value, dict):
                # Each custom field is managed by itself, so an override of one leaves the others.
                others = getattr(entry.spec, name) or {}
                parts[name,] = {key: field for key, field in others.items() if key not in value}
            used = name not in _ABOUT_ACCOUNTS and any(map(used_in, parts.values()))
            made: list[Any] = [
                self.replace(part, variant, entry, *path) if used else part for path, part in parts.items()
            ]
            if used and None in made:
                failed.add(name)
                changed[name] = None
            elif used or name in there:
                changed[name] = made[0] if len(made) == 1 else {**made[1], **made[0]}
        return entry.spec.model_copy(update=changed), failed

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

    def replace(self, value: Any, variant: Variant, entry: Item, *path: str) -> Any:
        """Return the value of a field with its variables replaced, wherever in it; None if it cannot be made.

        Args:
            value: the value.
            variant: the accounts that it is for.
            entry: the item that has the field.
            path: where the value stands in the item; the field's name comes last.
        """
        if not used_in(value):
            return value
        values = self.accounts[variant.account].spec.vars
        unset: list[re.Match[str]] = []

        def replace_text(text: str, *steps: str | int) -> str:
            place = entry.place(*path, *steps)
            unset.extend(use for use in _USE.finditer(text) if not self._is_set(use, values, variant, place))
            return text if unset else _USE.sub(lambda use: values[use[1]], text)

        made = _map_texts(value, replace_text)
        if unset:
            return None
        try:
            return _validator(type(entry.spec), path[-1]).validate_python(made, context=REPLACED)
        except ValidationError as failure:
            for error in failure.errors(include_url=False, include_input=False):
                place = entry.place(*path, *(step for step in error["loc"] if not is_tag(step)))
                summary = f"with its variables replaced, this {sentence_of(error)}"
                hint = "change the account's `vars`, or the text"
                self.problems.error("bad-text", place, variant.accounts, summary, hint)
        return None

    def _is_set(self, use: re.Match[str], values: Mapping[str, str], variant: Variant, place: Place) -> bool:
        """Return whether a variable has a value in these accounts; if not, report it."""
        name = use[1]
        if not use[0].endswith("}"):
            hint = "add the `}`; a text that holds `${` itself comes from a variable"
            self.problems.error("bad-variable", place, variant.accounts, "a `${` is not closed", hint)
        elif name in values:
            return True
        elif "vars" not in self.accounts[variant.account].unknown:
            hint = choice(name.strip(), sorted(values), what="this account has") if values else ""
            if re.search(VARIABLE, name):
                hint += f"{'  Or: ' if hint else ''}add `vars: {{{cut(name)}: …}}` to the account"
            hint = hint or "write the name of a variable of the account's `vars`: letters, digits and `_`"
            summary = f"the variable {shown(name)} is not set"
            self.problems.error("unknown-variable", place, variant.accounts, summary, hint)
        return False


def _map_texts(value: Any, replace: Callable[..., str], *path: str | int) -> Any:
    """Return the plain form of a value with each text replaced, of which `replace` is given the path too."""
    match value:
        case str():
            return replace(value, *path) if "${" in value else value
        case Spec():
            return _map_texts(fields_set(value), replace, *path)
        case Mapping():
            return {key: _map_texts(part, replace, *path, key) for key, part in value.items()}
        case list():
            return [_map_texts(part, replace, *path, index) for index, part in enumerate(value)]
    return value


@cache
def _validator(model: type[Spec], name: str) -> TypeAdapter[Any]:
    """Return what validates the value of one field of a model."""
    field = model.model_fields[name]
    annotated: Any = Annotated[field.annotation, field]
    return TypeAdapter(annotated, config=ConfigDict(strict=True))
