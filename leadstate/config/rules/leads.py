"""How leads fit into their accounts: contact, identity, references to labels (spec section 2). One error a place."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeAlias

from leadstate.config.rules.names import Names
from leadstate.config.rules.scope import AccountSet, Claims, Problems
from leadstate.config.rules.variables import Variables, Variant, path_of
from leadstate.config.validate import Entry
from leadstate.config.yaml.diagnostics import Diagnostics, Place, shown
from leadstate.kinds.lead import LONGEST_MARK, AtLeastLabels, LeadSpec, declare_lead, marker_of, visibility
from leadstate.model.address import Address, Span
from leadstate.model.resource import CUSTOM, Desired

_LABELS: Final[Mapping[str, tuple[str, str]]] = {
    "unknown-label": ("there is no label {0}", ""),
    "label-absent": (
        "the label {0} is declared `state: absent`",
        "take it out of the lead, or declare the label present",
    ),
    "label-not-in-account": (
        "the label {0} is not declared for every account of this lead; it is missing",
        "declare the label there too, or use `overrides` or `accounts` of the lead",
    ),
    "ambiguous-label": (
        "{0} is the key of one label and the name of another",
        "give the label another `key`, and write that",
    ),
}
"""Code → what is wrong with a reference to a label, and the hint; without one, a label like it is offered."""

Keys: TypeAlias = list[tuple[AccountSet, dict[str, str]]]
"""Accounts, and what the labels of a lead mean there: name → key."""


@dataclass(slots=True)
class Leads:
    """The leads of all accounts."""

    labels: Names
    variables: Variables
    problems: Problems
    namespace: str

    def desired(self, leads: Iterable[tuple[Entry[LeadSpec], AccountSet]]) -> Iterator[tuple[AccountSet, Desired]]:
        """Return the desired leads of accounts; those with errors are left out."""
        for entry, scope in leads:
            for variant in self.variables.variants(entry, scope, by_plan=entry.spec.visible_to is not None):
                account = variant.account
                spec, keys = self._here(entry, variant)
                for accounts, label_keys in keys:
                    yield (
                        accounts,
                        declare_lead(
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
        account = variant.account
        spec, failed = self.variables.resolve(entry, variant)
        if spec.visible_to is not None:
            declared = self.variables.accounts[account]
            number = visibility(spec.visible_to, declared.spec.plan)
            if number is None:
                failed.add("visible_to")
                if "plan" not in declared.unknown:
                    place = entry.place(*path_of(entry, account, "visible_to"))
                    summary = f"`visible_to: {spec.visible_to}` needs the account's `plan`, or is not available on it"
                    hint = "add `plan` (lite, growth, premium, ultimate) to the account; only the last two have groups"
                    self.problems.error("visibility-unknown", place, variant.accounts, summary, hint)
            spec = spec.model_copy(update={"visible_to": number})
        if spec.person is None and spec.organization is None and not failed & {"person", "organization"}:
            summary = "the lead has neither a person nor an organization"
            hint = "add `person: ID` or `organization: ID`; Pipedrive takes no lead without"
            self.problems.error("lead-without-contact", entry.place(), variant.accounts, summary, hint)
            failed.add("person")
        keys = self._label_keys(entry, spec, variant)
        return spec, ([] if failed else keys)

    @staticmethod
    def _span(entry: Entry[LeadSpec], account: str, attribute: str) -> Span:
        path = path_of(entry, account, attribute)
        if attribute.startswith(CUSTOM):
            name, override = attribute.removeprefix(CUSTOM), entry.spec.overrides.get(account)
            path = ("custom_fields", name)
            if override is not None and name in (override.custom_fields or {}):
                path = ("overrides", account, *path)
        return entry.place(*path).span

    def _label_keys(self, entry: Entry[LeadSpec], spec: LeadSpec, variant: Variant) -> Keys:
        """Return the keys of a lead's labels; no accounts if a name is wrong.

        One name may mean labels of different keys in different accounts.
        """
        path, names = path_of(entry, variant.account, "labels"), spec.labels or ()
        if isinstance(names, AtLeastLabels):
            path, names = (*path, "at_least"), names.at_least
        found: Keys = [(variant.accounts, {})]
        wrong = False
        for index, name in enumerate(names):
            if lost := variant.accounts & ~self.labels.meaning(name).present:
                wrong = True
                self._report_label(name, lost, entry.place(*path, index))
            found = [
                (both, {**known, name: key})
                for accounts, known in found
                for key, those in self.labels.meaning(name).keys.items()
                if (both := accounts & those)
            ]
        return [] if wrong else found

    def _report_label(self, name: str, accounts: AccountSet, place: Place) -> None:
        """Report why a lead cannot refer to this name in these accounts, unless it is that a label is in error."""
        meaning = self.labels.meaning(name)
        missing = "label-not-in-account" if name in self.labels.meant else "unknown-label"
        for code, those in (
            ("label-absent", accounts & meaning.absent),
            ("ambiguous-label", accounts & meaning.several),
            (missing, accounts & ~meaning.anywhere & ~self.labels.unsure),
        ):
            if those:
                summary, hint = _LABELS[code]
                instead = partial(self.labels.instead_of, name, those)
                self.problems.error(code, place, those, summary.format(shown(name)), hint or instead)


def check_keys(
    leads: Sequence[tuple[Entry[LeadSpec], AccountSet]], namespace: str, problems: Problems, diagnostics: Diagnostics
) -> None:
    """Report keys and former keys that two leads of one account claim, and a marker that is too long for Pipedrive."""
    markers, former = Claims[Entry[LeadSpec]](), Claims[Entry[LeadSpec]]()
    for entry, scope in leads:
        key, place = entry.spec.key, entry.place("key")
        for first, both in markers.claim(marker_of(key, namespace), entry, scope):
            summary, detail = f"the lead {shown(key)} is declared twice", f"first here: {first.place('key').span}"
            problems.error("duplicate-lead", place, both, summary, "give one of the two another key", detail=detail)
        if len(namespace) + 1 + len(key) > LONGEST_MARK:
            summary = f"namespace and key together are longer than {LONGEST_MARK - 1} characters"
            diagnostics.error("marker-too-long", summary, place, hint="shorten the key or the namespace")
    for entry, scope in leads:
        for index, written in enumerate(entry.spec.previously):
            marker = marker_of(written, namespace)
            place = entry.place("previously", index)
            others = [both for other, both in markers.find(marker, scope) if other is not entry]
            for both in others:
                summary = f"the former key {shown(written)} is the key of another lead"
                hint = "take it out of `previously`, or remove the other lead"
                problems.error("previous-key-declared", place, both, summary, hint)
            for _, both in () if others else former.claim(marker, entry, scope):
                summary = f"two leads claim the former key {shown(written)}"
                problems.error("previous-key-twice", place, both, summary, "leave it to one of the two")
