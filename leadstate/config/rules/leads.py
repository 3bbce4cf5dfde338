"""How leads fit into their accounts: contact, identity, references to labels (spec section 2). One error a place."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias

from leadstate.config.hints import choice
from leadstate.config.rules.merge import Entry
from leadstate.config.rules.names import Names, shown
from leadstate.config.rules.scope import AccountSet, Directory
from leadstate.config.rules.variables import Variables, Variant, used_in
from leadstate.config.yaml.diagnostics import Diagnostics, Place
from leadstate.kinds.base import Spec, fields_set
from leadstate.kinds.lead import declare, former_markers
from leadstate.kinds.lead_spec import LONGEST_MARK, AtLeastLabels, LeadSpec, visibility
from leadstate.model.address import Address, Span
from leadstate.model.resource import CUSTOM, Desired

Keys: TypeAlias = list[tuple[AccountSet, dict[str, str]]]
"""Accounts, and what the labels of a lead mean there: name → key."""


@dataclass(frozen=True, slots=True)
class Broken:
    """Labels that are wrong by themselves: what they may be called, and whether they may be called anything."""

    names: frozenset[str]
    unknowable: bool


@dataclass(slots=True)
class Leads:
    """The leads of all accounts."""

    labels: Names
    variables: Variables
    directory: Directory
    namespace: str
    broken: Broken
    _trouble: dict[tuple[str, Place, str], AccountSet] = field(default_factory=lambda: defaultdict(int))

    def desired(self, leads: Iterable[tuple[Entry[LeadSpec], AccountSet]]) -> Iterator[tuple[AccountSet, Desired]]:
        """Return what accounts shall hold; leads with errors are left out."""
        for entry, scope in leads:
            for variant in self.variables.variants(entry, scope, by_plan=entry.spec.visible_to is not None):
                account = variant.account
                spec, keys = self._here(entry, variant)
                for accounts, label_keys in keys:
                    yield (
                        accounts,
                        declare(
                            spec,
                            Address(account, "lead", spec.key),
                            entry.place().span,
                            namespace=self.namespace,
                            label_keys=label_keys,
                            place=partial(self._span, entry, account),
                        ),
                    )

    def _here(self, entry: Entry[LeadSpec], variant: Variant) -> tuple[LeadSpec, Keys]:
        """Return the lead as accounts have it, and the keys of its labels; no accounts if something is wrong."""
        spec, account = entry.spec, variant.account
        override = spec.overrides.get(account)
        written = dict(fields_set(override)) if override is not None else {}
        if override is not None and override.custom_fields:
            # Each custom field is managed by itself, so an override of one leaves the others.
            written["custom_fields"] = {**(spec.custom_fields or {}), **override.custom_fields}
        if written:
            spec = spec.model_copy(update=written)
        changed: dict[str, object] = {}
        for name in _TEXTS:
            value = getattr(spec, name)
            if value is not None and used_in(value):
                place = entry.place(*_path(name, account, written))
                changed[name] = self._replaced(value, variant, place)
        wrong = None in changed.values()
        names, keys = self._labels(entry, spec, variant, written)
        changed |= {} if names == _names(spec) else {"labels": _like(spec, names)}
        if spec.visible_to is not None:
            changed["visible_to"] = visibility(spec.visible_to, self.variables.accounts[account].spec.plan)
            if changed["visible_to"] is None:
                place = entry.place(*_path("visible_to", account, written))
                self._trouble["visibility-unknown", place, str(spec.visible_to)] |= variant.accounts
                wrong = True
        if spec.person is None and spec.organization is None:
            self._trouble["lead-without-contact", entry.place(), ""] |= variant.accounts
            wrong = True
        return (spec.model_copy(update=changed) if changed else spec), ([] if wrong else keys)

    def _replaced(self, value: Any, variant: Variant, place: Place) -> Any:
        """Return the value with its variables replaced, wherever in it they stand; None if one cannot be."""
        match value:
            case str():
                return self.variables.replace(value, variant, place)
            case Spec():
                made = self._replaced(fields_set(value), variant, place)
                return None if made is None else value.model_copy(update=made)
            case Mapping():
                found = {key: self._replaced(item, variant, place) for key, item in value.items()}
                return None if any(found[key] is None for key in found if value[key] is not None) else found
            case list():
                items = [self._replaced(item, variant, place) for item in value]
                return None if None in items else items
        return value

    @staticmethod
    def _span(entry: Entry[LeadSpec], account: str, attribute: str) -> Span:
        override = entry.spec.overrides.get(account)
        if attribute.startswith(CUSTOM):
            name = attribute.removeprefix(CUSTOM)
            inner = ("overrides", account) if override is not None and name in (override.custom_fields or {}) else ()
            return entry.place(*inner, "custom_fields", name).span
        return entry.place(*_path(attribute, account, fields_set(override) if override else {})).span

    def _labels(
        self, entry: Entry[LeadSpec], spec: LeadSpec, variant: Variant, written: Mapping[str, object]
    ) -> tuple[list[str], Keys]:
        """Return the names of a lead's labels with variables replaced, and their keys; no accounts if a name is wrong.

        One name may mean labels of different keys in different accounts.
        """
        inner = ("at_least",) if isinstance(spec.labels, AtLeastLabels) else ()
        names: list[str] = []
        found: Keys = [(variant.accounts, {})]
        wrong = False
        for index, name in enumerate(_names(spec)):
            path = (*_path("labels", variant.account, written), *inner, index)
            replaced = self.variables.replace(name, variant, entry.place(*path)) if used_in(name) else name
            if replaced is None:
                wrong = True
                continue
            names.append(replaced)
            keys = self.labels.meaning(replaced).keys
            for code, accounts in self._problems(replaced, variant.accounts):
                wrong = True
                if code:
                    self._trouble[code, entry.place(*path), name] |= accounts
            found = [
                (both, {**known, replaced: key})
                for accounts, known in found
                for key, those in keys.items()
                if (both := accounts & those)
            ]
        return names, ([] if wrong else found)

    def _problems(self, name: str, accounts: AccountSet) -> Iterator[tuple[str, AccountSet]]:
        """Return why a lead cannot refer to this name, and in which accounts; no code if that is reported already."""
        meaning = self.labels.meaning(name)
        for those in meaning.keys.values():
            accounts &= ~those
            if not accounts:
                return
        if absent := accounts & meaning.absent:
            yield "label-absent", absent
        if several := accounts & meaning.several:
            yield "ambiguous-label", several
        nowhere = accounts & ~meaning.anywhere
        known = nowhere & ~self.labels.unsure.get(name, 0)
        if known and not (name in self.broken.names or self.broken.unknowable):
            yield "label-not-in-account" if name in self.labels.meant else "unknown-label", known
        else:
            yield "", accounts

    def report(self, diagnostics: Diagnostics) -> None:
        """Add what is wrong, each place once."""
        for (code, place, name), accounts in self._trouble.items():
            where = self.directory.in_accounts(accounts)
            candidates = self.labels.names_in(accounts)
            now = self.labels.named_before(name, accounts)
            summary, hint = {
                "lead-without-contact": (
                    f"the lead has neither a person nor an organization{where}",
                    "add `person: ID` or `organization: ID`; Pipedrive takes no lead without",
                ),
                "visibility-unknown": (
                    f"`visible_to: {name}` means nothing{where}: the `plan` is not declared, or has no such visibility",
                    "add `plan` (lite, growth, premium, ultimate) to the account; only the last two have groups",
                ),
                "unknown-label": (
                    f"there is no label {shown(name)}",
                    f"it is a former name of {shown(now[0])}; write that"
                    if now
                    else choice(name, candidates, what="labels")
                    if candidates
                    else "declare it under `labels`",
                ),
                "label-absent": (
                    f"the label {shown(name)} is declared `state: absent`{where}",
                    "take it out of the lead, or declare the label present",
                ),
                "label-not-in-account": (
                    f"the label {shown(name)} is not declared for every account of this lead; it is missing{where}",
                    "declare the label there too, or use `overrides` or `accounts` of the lead",
                ),
                "ambiguous-label": (
                    f"{shown(name)} means two labels{where}: the key of one, the name of another",
                    "give the label another `key`, and write that",
                ),
            }[code]
            diagnostics.error(code, summary, place, hint=hint)


def check_keys(
    leads: Sequence[tuple[Entry[LeadSpec], AccountSet]], namespace: str, directory: Directory, diagnostics: Diagnostics
) -> None:
    """Report two leads of one account with one key, and a marker that is longer than Pipedrive takes."""
    seen: dict[str, list[tuple[Entry[LeadSpec], AccountSet]]] = defaultdict(list)
    taken: dict[str, AccountSet] = defaultdict(int)
    for entry, scope in leads:
        key = entry.spec.key
        if scope & taken[key]:
            first, shared = next((first, both) for first, those in seen[key] if (both := scope & those))
            summary = f"the lead {shown(key)} is declared twice{directory.in_accounts(shared)}"
            detail = f"first here: {first.place('key').span}"
            hint = "give one of the two another key"
            diagnostics.error("duplicate-lead", summary, entry.place("key"), hint=hint, detail=detail)
        seen[key].append((entry, scope))
        taken[key] |= scope
        if len(namespace) + 1 + len(key) > LONGEST_MARK:
            summary = f"namespace and key together are longer than {LONGEST_MARK - 1} characters"
            diagnostics.error("marker-too-long", summary, entry.place("key"), hint="shorten the key or the namespace")


def check_former_keys(
    leads: Sequence[tuple[Entry[LeadSpec], AccountSet]], namespace: str, directory: Directory, diagnostics: Diagnostics
) -> None:
    """Report a former key that is the key of another lead of the account, or that two leads claim."""
    declared: dict[str, AccountSet] = defaultdict(int)
    claimed: dict[str, AccountSet] = defaultdict(int)
    for entry, scope in leads:
        declared[f"{namespace}:{entry.spec.key}"] |= scope
    for entry, scope in leads:
        for index, written in enumerate(entry.spec.previously):
            marker = written if ":" in written else f"{namespace}:{written}"
            if marker not in former_markers(entry.spec, namespace):
                continue
            place = entry.place("previously", index)
            if both := scope & declared[marker]:
                summary = f"the former key {shown(written)} is the key of another lead{directory.in_accounts(both)}"
                hint = "take it out of `previously`, or remove the other lead"
                diagnostics.error("previous-key-declared", summary, place, hint=hint)
            elif both := scope & claimed[marker]:
                summary = f"two leads claim the former key {shown(written)}{directory.in_accounts(both)}"
                diagnostics.error("previous-key-twice", summary, place, hint="leave it to one of the two")
            claimed[marker] |= scope


_TEXTS = ("title", "person", "organization", "owner", "channel_id", "custom_fields")
"""Fields that hold text in which variables are replaced; labels are replaced where they are looked up."""


def _path(name: str, account: str, written: Mapping[str, object]) -> tuple[str, ...]:
    """Return where a field stands: in the account's override, or in the lead itself."""
    return ("overrides", account, name) if name in written else (name,)


def _names(spec: LeadSpec) -> list[str]:
    return spec.labels.at_least if isinstance(spec.labels, AtLeastLabels) else list(spec.labels or ())


def _like(spec: LeadSpec, names: list[str]) -> object:
    return AtLeastLabels(at_least=names) if isinstance(spec.labels, AtLeastLabels) else names
