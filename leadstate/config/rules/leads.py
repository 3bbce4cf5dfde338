"""How leads fit into their accounts: contact, identity, references to labels (spec section 2). One error a place."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from leadstate.config.checking.suggest import choice
from leadstate.config.rules.groups import Groups, in_accounts
from leadstate.config.rules.labels import LabelsHere, shown
from leadstate.config.rules.merge import Entry
from leadstate.config.rules.variables import Variables, has_variable
from leadstate.config.yaml.diagnostics import Diagnostics
from leadstate.config.yaml.source import Place
from leadstate.kinds.base import Spec, fields_set
from leadstate.kinds.lead import declare
from leadstate.kinds.lead_spec import LONGEST_MARK, AtLeastLabels, LeadSpec, Plan, visibility
from leadstate.model.address import Address, Span
from leadstate.model.resource import CUSTOM, Desired


@dataclass(frozen=True, slots=True)
class Broken:
    """Labels that are wrong by themselves: what they may be called, and whether they may be called anything."""

    names: frozenset[str]
    unknowable: bool


@dataclass(slots=True)
class Leads:
    """The leads of all accounts.

    Attributes:
        labels: account → its labels.
        plans: account → what its company has bought, where that is declared.
        everywhere: what a lead may write in one account or another.
    """

    labels: Mapping[str, LabelsHere]
    variables: Variables
    namespace: str
    broken: Broken
    plans: Mapping[str, Plan | None]
    everywhere: frozenset[str] = frozenset()
    _trouble: dict[tuple[str, Place, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    _keys: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.everywhere = frozenset(name for here in self.labels.values() for name in here.meant)
        self._keys = {
            account: {name: meant[0].key for name, meant in here.meant.items() if len(meant) == 1 and meant[0].present}
            for account, here in self.labels.items()
        }

    def desired(self, leads: Iterable[Entry[LeadSpec]], account: str) -> list[Desired]:
        """What an account shall hold; leads with diagnostics are left out."""
        made = []
        keys, namespace = self._keys[account], self.namespace
        for entry in leads:
            spec = self._here(entry, account)
            if spec is not None:
                address = Address(account, "lead", spec.key)
                place = partial(self._span, entry, account)
                made.append(
                    declare(spec, address, entry.place().span, namespace=namespace, label_keys=keys, place=place)
                )
        return made

    def _here(self, entry: Entry[LeadSpec], account: str) -> LeadSpec | None:
        """The lead as the account has it; None where something is wrong with it."""
        spec = entry.spec
        override = spec.overrides.get(account)
        written = dict(fields_set(override)) if override is not None else {}
        if override is not None and override.custom_fields:
            # Each custom field is managed by itself, so an override of one leaves the others.
            written["custom_fields"] = {**(spec.custom_fields or {}), **override.custom_fields}
        if written:
            spec = spec.model_copy(update=written)
        changed: dict[str, object] = {}
        fine = True
        for name in _TEXTS:
            value = getattr(spec, name)
            if value is not None and _holds_variable(value):
                place = entry.place(*_path(name, account, written))
                changed[name] = self._replaced(value, account, place)
                fine = fine and changed[name] is not None
        if spec.labels is not None:
            names = self._labels(entry, spec, account, written)
            fine = fine and names is not None
            changed |= {} if names is None or names == _names(spec) else {"labels": _like(spec, names)}
        if spec.visible_to is not None:
            changed["visible_to"] = visibility(spec.visible_to, self.plans[account])
            if changed["visible_to"] is None:
                place = entry.place(*_path("visible_to", account, written))
                self._trouble["visibility-unknown", place, str(spec.visible_to)].append(account)
                fine = False
        if spec.person is None and spec.organization is None:
            self._trouble["lead-without-contact", entry.place(), ""].append(account)
            fine = False
        if not fine:
            return None
        return spec.model_copy(update=changed) if changed else spec

    def _replaced(self, value: Any, account: str, place: Place) -> Any:
        """The value with its variables replaced, wherever in it they stand; None where one cannot be."""
        match value:
            case str():
                return self.variables.replace(value, account, place)
            case Spec():
                made = self._replaced(fields_set(value), account, place)
                return None if made is None else value.model_copy(update=made)
            case Mapping():
                found = {key: self._replaced(one, account, place) for key, one in value.items()}
                return None if any(found[key] is None for key in found if value[key] is not None) else found
            case list():
                items = [self._replaced(one, account, place) for one in value]
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
        self, entry: Entry[LeadSpec], spec: LeadSpec, account: str, written: Mapping[str, object]
    ) -> list[str] | None:
        """The names as the account has them; None where one means nothing there."""
        keys = self._keys[account]
        names = _names(spec)
        if all(name in keys for name in names):
            return names
        made = []
        inner = ("at_least",) if isinstance(spec.labels, AtLeastLabels) else ()
        for index, name in enumerate(names):
            place = entry.place(*_path("labels", account, written), *inner, index)
            replaced = self.variables.replace(name, account, place)
            if replaced is not None and replaced in keys:
                made.append(replaced)
            elif replaced is not None and (code := self._problem(replaced, account)):
                self._trouble[code, place, name].append(account)
        return made if len(made) == len(names) else None

    def _problem(self, name: str, account: str) -> str | None:
        here = self.labels[account]
        meant = here.meant.get(name, [])
        if len(meant) > 1:
            # Labels with one name or key have been reported as such.
            return "ambiguous-label" if len({(one.key, one.spec.name) for one in meant}) > 1 else None
        if meant:
            return "label-absent"
        if name in here.unsure or name in self.broken.names or self.broken.unknowable:
            return None
        return "label-not-in-account" if name in self.everywhere else "unknown-label"

    def report(self, groups: Groups, diagnostics: Diagnostics) -> None:
        """Add what is wrong, each place once."""
        for (code, place, name), accounts in self._trouble.items():
            where = groups.in_accounts(accounts)
            candidates = sorted({one for account in accounts for one in self._keys[account]})
            now = sorted({one for account in accounts for one in self.labels[account].named_before(name)})
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
    leads: Sequence[tuple[Entry[LeadSpec], Sequence[str]]],
    namespace: str,
    groups: Groups,
    diagnostics: Diagnostics,
) -> None:
    """No two leads of one account have one key, and no marker is longer than Pipedrive takes."""
    seen: dict[str, list[tuple[Entry[LeadSpec], Sequence[str]]]] = defaultdict(list)
    for entry, scope in leads:
        key = entry.spec.key
        for other, taken in seen[key]:
            shared = sorted(set(scope) & set(taken))
            if shared:
                summary = f"the lead {shown(key)} is declared twice{in_accounts(shared, groups.count)}"
                detail = f"first here: {other.place('key').span}"
                diagnostics.error(
                    "duplicate-lead", summary, entry.place("key"), hint="give one of the two another key", detail=detail
                )
                break
        seen[key].append((entry, scope))
        if len(namespace) + 1 + len(key) > LONGEST_MARK:
            summary = f"namespace and key together are longer than {LONGEST_MARK - 1} characters"
            diagnostics.error("marker-too-long", summary, entry.place("key"), hint="shorten the key or the namespace")


_TEXTS = ("title", "person", "organization", "owner", "channel_id", "custom_fields")
"""Fields that hold text in which variables are replaced; labels are replaced where they are looked up."""


def _holds_variable(value: Any) -> bool:
    match value:
        case str():
            return has_variable(value)
        case Spec():
            return any(map(_holds_variable, fields_set(value).values()))
        case Mapping():
            return any(map(_holds_variable, value.values()))
        case list():
            return any(map(_holds_variable, value))
    return False


def _path(name: str, account: str, written: Mapping[str, object]) -> tuple[str, ...]:
    """Where a field stands: in the account's override, or in the lead itself."""
    return ("overrides", account, name) if name in written else (name,)


def _names(spec: LeadSpec) -> list[str]:
    return spec.labels.at_least if isinstance(spec.labels, AtLeastLabels) else list(spec.labels or ())


def _like(spec: LeadSpec, names: list[str]) -> object:
    return AtLeastLabels(at_least=names) if isinstance(spec.labels, AtLeastLabels) else names
