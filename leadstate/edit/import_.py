"""Live labels and leads as items of a file: one for all accounts where they agree, `overrides` where they do not.

Refuses, with a diagnostic each, what cannot be declared: an unknown colour, a text that would be taken for a variable,
two leads with one marker.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import ValidationError

from leadstate.config.rules.variables import used_in
from leadstate.edit.spelling import LIKE_VARIABLE, ReadableKeys, as_people_write
from leadstate.kinds.base import Kind, PersonRef, Spec
from leadstate.kinds.lead import LeadSpec, OrganizationRef, UserRef
from leadstate.model.address import Ref
from leadstate.model.diagnostics import Diagnostic, Severity
from leadstate.model.resource import Known, Live

Found = Mapping[str, Sequence[Live]]
"""Account → what it has, in the order of its listing."""
Fields = dict[str, Any]

_FIELDS: Final = (
    "title", "person", "organization", "owner", "labels", "value", "expected_close_date", "visible_to", "channel",
    "channel_id",
)  # fmt: skip
"""Whether a lead was seen is left out: people flip it by looking."""

_CONTACTS: Final[Mapping[str, tuple[str, type[Spec]]]] = {
    "person": ("person", PersonRef),
    "organization": ("organization", OrganizationRef),
    "owner": ("user", UserRef),
}
_NEVER_UNSET: Final = ("owner", "visible_to")
"""Fields that take no null, so that no item can express that one account has a value and another has none."""


@dataclass(slots=True)
class Imported:
    """Items to write, and what was left out.

    Attributes:
        items: in the order of the listings.
        accounts: name or key → the accounts that have it.
        adopted: account → reference → id, for leads that carry no marker of ours.
        diagnostics: what was left out, and why.
    """

    items: list[Fields] = field(default_factory=list)
    accounts: dict[str, list[str]] = field(default_factory=dict)
    adopted: dict[str, dict[Ref, str]] = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)

    def leave(self, account: str, what: str, why: str, fix: str, *, severity: Severity = Severity.ERROR) -> None:
        """Add a diagnostic."""
        self.diagnostics.append(Diagnostic("not-imported", severity, f"{what}: {why}", hint=fix, account=account))


def import_named(kind: Kind, found: Found, everyone: frozenset[str]) -> Imported:
    """Return an item for each object of a kind identified by name.

    Args:
        kind: the kind.
        found: objects that nothing declares.
        everyone: every account of the configuration; an item that is not for all of them gets `accounts`.
    """
    imported = Imported()
    here: dict[str, dict[str, Fields]] = defaultdict(dict)
    for account, listed in found.items():
        for live in listed:
            what, fields = f"the {kind.name} {live.name!r}", dict(live.attrs)
            if used_in(live.name):
                imported.leave(account, what, *LIKE_VARIABLE)
            elif not _is_valid(kind.spec, fields):
                values = ", ".join(f"{name} {value}" for name, value in fields.items() if name != "name")
                why = f"its name or a value cannot be declared ({values})"
                imported.leave(account, what, why, "change it in Pipedrive")
            else:
                here[live.name][account] = fields
    for name, by_account in here.items():
        imported.items.append(_item({"name": name}, by_account, everyone))
        imported.accounts[name] = list(by_account)
    return imported


@dataclass(frozen=True, slots=True)
class Declared:
    """What is declared already, and how leads refer to it.

    Attributes:
        everyone: every account of the configuration; an item that is not for all of them gets `accounts`.
        namespace: the configuration's marker.
        keys: of the leads that are declared.
        names: account → label → what a lead writes for it.
        plans: account → what its company has bought, as it is written.
    """

    everyone: frozenset[str]
    namespace: str
    keys: frozenset[str]
    names: Mapping[str, Mapping[Ref, str]]
    plans: Mapping[str, Any]


def import_leads(found: Found, known: Mapping[str, Known], declared: Declared) -> Imported:
    """Return an item for each lead: its key is that of its marker; without one it gets a readable key, and is adopted.

    Leads of several accounts whose titles give one key are one item.

    Args:
        found: leads that nothing declares, their labels as references.
        known: account → what people and organizations are known by; an id is written for one that is not in it.
        declared: what is declared already.
    """
    imported = Imported()
    here: dict[str, dict[str, Fields]] = defaultdict(dict)
    marked = {
        lead.marker.removeprefix(f"{declared.namespace}:") for leads in found.values() for lead in leads if lead.marker
    }
    for account, leads in found.items():
        markers = Counter(lead.marker for lead in leads)
        keys = ReadableKeys({*declared.keys, *marked})
        for lead in leads:
            key = (lead.marker or "").removeprefix(f"{declared.namespace}:")
            if lead.marker is None:
                key = keys.make(lead.name)
            what = f"the lead {key!r}"
            fields = _lead_fields(lead, declared.names.get(account, {}), declared.plans.get(account), known[account])
            if lead.marker and markers[lead.marker] > 1:
                imported.leave(account, what, "several carry this marker", "delete the others in Pipedrive")
            elif used_in([fields.get("title"), fields.get("channel_id")]):
                imported.leave(account, what, *LIKE_VARIABLE)
            elif not _is_valid(LeadSpec, {"key": key, **fields}):
                imported.leave(account, what, "its key or a field cannot be declared", "declare it by hand")
            else:
                here[key][account] = fields
                if lead.marker is None:
                    imported.adopted.setdefault(account, {})[Ref(lead.kind, key)] = lead.remote_id
                if isinstance(fields["labels"], dict):
                    why = "some of its labels are not declared, and stay untouched"
                    fix = "import the labels too, and write the list out"
                    imported.leave(account, what, why, fix, severity=Severity.WARNING)
    for key, by_account in here.items():
        adopted = {} if key in marked else {"adopted": True}
        imported.items.append(_item({"key": key, **adopted}, by_account, declared.everyone))
        imported.accounts[key] = list(by_account)
    return imported


def _lead_fields(lead: Live, names: Mapping[Ref, str], plan: Any, known: Known) -> Fields:
    """Return what a lead has, as people write it; what it has not is not written."""
    fields: Fields = {}
    for name in _FIELDS:
        value = lead.attrs[name]
        if name == "labels":
            carried = value if isinstance(value, tuple) else ()
            declared = [names[ref] for ref in carried if isinstance(ref, Ref) and ref in names]
            fields[name] = declared if len(declared) == len(carried) else {"at_least": declared}
        elif name in _CONTACTS and isinstance(value, int):
            kind, model = _CONTACTS[name]
            words = known.get((kind, value), {})
            # An id is written where a file cannot hold what somebody is known by.
            unfit = used_in(words) or not _is_valid(model, words)
            fields[name] = value if unfit else dict(words)
        elif value is not None:
            fields[name] = as_people_write(name, value, plan)
    return fields


def _is_valid(model: type[Spec], fields: Mapping[str, Any]) -> bool:
    try:
        model.model_validate(fields)
    except ValidationError:
        return False
    return True


def _item(item: Fields, by_account: Mapping[str, Fields], everyone: frozenset[str]) -> Fields:
    """Return one item for all these accounts: what most of them have, and `overrides` for the others."""
    overrides: dict[str, Fields] = {}
    for name in dict.fromkeys(name for fields in by_account.values() for name in fields):
        values = [fields.get(name) for fields in by_account.values()]
        if None in values and name in _NEVER_UNSET:
            continue
        base = max(values, key=values.count)
        if base is not None:
            item[name] = base
        for account, fields in by_account.items():
            if fields.get(name) != base:
                overrides.setdefault(account, {})[name] = fields.get(name)
    if by_account.keys() != everyone:
        item["accounts"] = sorted(by_account)
    return {**item, "overrides": overrides} if overrides else item
