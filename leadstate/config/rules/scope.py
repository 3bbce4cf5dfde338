"""Which accounts something is declared for: `accounts`, `except`, and the keys of `overrides`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from leadstate.config.checking.suggest import choice
from leadstate.config.rules.merge import Entry, Merged
from leadstate.config.yaml.diagnostics import Diagnostics, visible
from leadstate.config.yaml.source import Place
from leadstate.kinds.label import LabelSpec
from leadstate.kinds.lead_spec import LeadSpec

TAG = "tag:"
Item: TypeAlias = Entry[LabelSpec] | Entry[LeadSpec]
Some = TypeVar("Some", Entry[LabelSpec], Entry[LeadSpec])


@dataclass(frozen=True, slots=True)
class Directory:
    """The accounts by name and by tag. Those that are wrong by themselves are known by name, but nothing is for them.

    Attributes:
        usable: names of accounts that are right.
        tags: tag → names, whether right or not.
        names: every name.
        any_tag: whether there may be tags that are not known, for they are wrong by themselves.
    """

    usable: tuple[str, ...]
    tags: Mapping[str, frozenset[str]]
    names: frozenset[str]
    any_tag: bool
    _within: dict[frozenset[str], tuple[str, ...]] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, merged: Merged) -> "Directory":
        """The accounts of a configuration."""
        tags: dict[str, set[str]] = {}
        tagged = [(name, entry.spec.tags) for name, entry in merged.accounts.items()]
        broken = merged.broken.get("accounts", [])
        for name, written in [*tagged, *((name, _tags(value)) for name, value in broken)]:
            for tag in written:
                tags.setdefault(tag, set()).add(name)
        names = frozenset({*merged.accounts, *(name for name, _ in broken)})
        by_tag = {tag: frozenset(one) for tag, one in tags.items()}
        return cls(tuple(sorted(merged.accounts)), by_tag, names, bool(merged.unsure))

    def select(self, selector: str) -> frozenset[str] | None:
        """The accounts that a selector means; None where it means nothing."""
        if selector.startswith(TAG):
            return self.tags.get(selector.removeprefix(TAG))
        return frozenset((selector,)) if selector in self.names else None

    def within(self, chosen: frozenset[str]) -> tuple[str, ...]:
        """The usable accounts among these, in order of name; one tuple, however many items are for the same."""
        if chosen not in self._within:
            self._within[chosen] = tuple(name for name in self.usable if name in chosen)
        return self._within[chosen]

    def unknown(self, selector: str, place: Place | None, diagnostics: Diagnostics) -> None:
        """Add the error for a selector that means nothing."""
        shown = visible(selector[:60])
        if selector.startswith(TAG):
            if self.any_tag:
                return
            summary = f"no account has the tag `{shown.removeprefix(TAG)}`"
            candidates = [f"{TAG}{tag}" for tag in sorted(self.tags)]
        else:
            summary, candidates = f"there is no account `{shown}`", sorted(self.names)
            if selector in self.tags:
                diagnostics.error("unknown-account", summary, place, hint=f"for a tag write `{TAG}{shown}`")
                return
        diagnostics.error("unknown-account", summary, place, hint=choice(selector, candidates, what="there are"))


def scope_of(entry: Item, directory: Directory, diagnostics: Diagnostics) -> tuple[str, ...]:
    """The usable accounts that an item is declared for, in order of name."""
    spec = entry.spec
    for key in ("accounts", "except"):
        child = entry.node.child(key)
        if child is not None and child.value is None:
            hint = f"leave `{key}` out for every account, or write a list of names"
            diagnostics.error("wrong-type", f"`{key}` names no account", child.place(entry.source), hint=hint)
    if spec.accounts is None and spec.except_ is None:
        scope = directory.usable
    elif spec.accounts is not None and spec.except_ is not None:
        place = entry.key_place("except")
        summary = "both `accounts` and `except` are given"
        diagnostics.error("accounts-and-except", summary, place, hint="keep one of the two")
        scope = directory.usable
    else:
        key, selectors = ("accounts", spec.accounts) if spec.accounts is not None else ("except", spec.except_ or [])
        chosen = _chosen(entry, key, selectors, directory, diagnostics)
        scope = directory.within(chosen) if key == "accounts" else directory.within(directory.names - chosen)
    within = frozenset(scope) if spec.overrides else frozenset()
    for name in spec.overrides:
        if name not in directory.names:
            directory.unknown(name, entry.key_place("overrides", name), diagnostics)
        elif name not in within and name in directory.usable:
            hint = "remove the override, or declare it for that account too"
            summary = f"this is not declared for the account `{name}`, and cannot be different there"
            diagnostics.error("override-out-of-scope", summary, entry.key_place("overrides", name), hint=hint)
    return scope


def _chosen(
    entry: Item,
    key: str,
    selectors: Sequence[str],
    directory: Directory,
    diagnostics: Diagnostics,
) -> frozenset[str]:
    chosen: frozenset[str] = frozenset()
    for index, selector in enumerate(selectors):
        found = directory.select(selector)
        if found is None:
            directory.unknown(selector, entry.place(key, index), diagnostics)
        else:
            chosen |= found
    return chosen


def _tags(value: Any) -> list[str]:
    found = value.get("tags") if isinstance(value, dict) else None
    return [tag for tag in found if isinstance(tag, str)] if isinstance(found, list) else []
