"""Live values of declared objects as edits of the files: a plan's updates in reverse.

Refuses, with a diagnostic each, what stands in a CSV file, for only YAML is edited, and what no file can declare: a
label that is not declared, a colour we do not know, a text that would be taken for a variable.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import ValidationError

from leadstate.config.configuration import Configuration
from leadstate.config.rules.variables import used_in
from leadstate.edit.items import Files, Item, spellings
from leadstate.edit.spelling import LIKE_VARIABLE, as_people_write
from leadstate.edit.writer import Edit, Set
from leadstate.kinds import KINDS
from leadstate.model.address import Address, Ref, Span, normalize_text
from leadstate.model.diagnostics import Diagnostic, Severity
from leadstate.model.plan import Change, FieldDiff
from leadstate.model.resource import CUSTOM, Absent, Desired, Dictionary, Side, references

_CHANGE_OR_LEAVE_OUT: Final = "change it in Pipedrive, or leave the field out"
_CONTACTS: Final = {"person": "organization", "organization": "person"}


class _UnfitError(Exception):
    """The live value cannot be declared; why, and what to do."""

    def __init__(self, why: str, fix: str, span: Span | None = None) -> None:
        super().__init__(why)
        self.fix = fix
        self.span = span


@dataclass(frozen=True, slots=True)
class _Words:
    """What decides how the values of one account are written: its files, what it declares, its custom fields."""

    files: Files
    desired: Sequence[Desired]
    fields: Dictionary | None


@dataclass(frozen=True, slots=True)
class Pulled:
    """Edits of a file that accept one field of an object, in one or several accounts.

    Attributes:
        file: its name.
        edits: what is made together or not at all.
        drifts: what they accept.
        renamed: account → new address of the object → the id that the lock file knows under its old one.
    """

    file: str
    edits: tuple[Edit, ...]
    drifts: tuple[tuple[Change, FieldDiff], ...]
    renamed: Mapping[str, Mapping[Ref, str]] = field(default_factory=dict)


@dataclass(slots=True)
class Accepted:
    """What accepts the drift, and what could not be accepted."""

    pulled: list[Pulled] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)

    @property
    def edits(self) -> dict[str, list[Edit]]:
        """The edits by file."""
        edits: dict[str, list[Edit]] = defaultdict(list)
        for pulled in self.pulled:
            edits[pulled.file] += pulled.edits
        return edits

    @property
    def renamed(self) -> dict[str, dict[Ref, str]]:
        """Account → address that the edits give an object → the id that the lock file knows under its old one."""
        renamed: dict[str, dict[Ref, str]] = defaultdict(dict)
        for pulled in self.pulled:
            for account, ids in pulled.renamed.items():
                renamed[account] |= ids
        return dict(renamed)

    def leave_out(self, files: Files) -> None:
        """Take out what cannot be edited in place, such as a value that an alias stands for, with a diagnostic each."""
        pulled, self.pulled = self.pulled, []
        for one_field in pulled:
            failure = files.refusal(one_field.file, one_field.edits)
            if failure is None:
                self.pulled.append(one_field)
                continue
            unfit = _UnfitError(failure.why, failure.hint, failure.span)
            self.diagnostics += [_diagnostic(change, drifted, unfit) for change, drifted in one_field.drifts]


def accept(
    changes: Sequence[Change], files: Files, everything: Configuration, fields: Mapping[str, Dictionary]
) -> Accepted:
    """Return the edits that write the live values into the files, instead of the updates that would overwrite them.

    Args:
        changes: updates, of any accounts.
        files: as they are written.
        everything: all declared accounts, those included that no change is about.
        fields: account → its custom fields, where a change is about one.
    """
    accepted = Accepted()
    declared = [account.account for account in everything.accounts]
    words = {account.name: _Words(files, account.desired, fields.get(account.name)) for account in declared}
    scopes: dict[Span | None, dict[str, Desired]] = defaultdict(dict)
    referred = {ref for change in changes for drifted in change.fields for ref in references(drifted.before)}
    for account in declared:
        for desired in account.desired:
            scopes[desired.span][account.name] = desired
            referred |= references((*desired.attrs.values(), desired.moves_to))
    taken: dict[tuple[Item, str], list[tuple[Change, FieldDiff, object]]] = defaultdict(list)
    for change in changes:
        item = files.item(change.span)
        if item is None:
            unfit = _UnfitError("it stands in a CSV file, and only YAML is edited", "write it there by hand")
            accepted.diagnostics += [_diagnostic(change, drifted, unfit) for drifted in change.fields]
            continue
        for drifted in change.fields:
            try:
                value = _value(change.address, drifted, item, words[change.address.account])
            except _UnfitError as failure:
                accepted.diagnostics.append(_diagnostic(change, drifted, failure))
                continue
            taken[item, drifted.path].append((change, drifted, value))
    locks = {account.name: account.lock for account in declared}
    for (item, path), drifts in taken.items():
        scope = scopes[drifts[0][0].span]
        edits = [*_edits(item, path, {change.address.account: value for change, _, value in drifts}, scope)]
        renamed: dict[str, dict[Ref, str]] = {}
        if edits[0].path == (*item.steps, "name") and item.node.value.get("key") is None:
            if any(change.address.ref in referred for change, *_ in drifts):
                # A label that gets another name, and is referred to by the old one, keeps that as its key.
                edits.append(Set((*item.steps, "key"), item.node.value["name"]))
            else:
                key = normalize_text(str(edits[0].value))
                renamed = {
                    name: {Ref(ref.kind, key): locks[name][ref]}
                    for name, desired in scope.items()
                    if (ref := desired.address.ref) in locks[name]
                }
        pulled = Pulled(
            item.source.name, tuple(edits), tuple((change, drifted) for change, drifted, _ in drifts), renamed
        )
        accepted.pulled.append(pulled)
    return accepted


def _edits(item: Item, name: str, live: Mapping[str, object], scope: Collection[str]) -> Iterator[Set]:
    """Yield edits of the item if every account that takes the value from there has the same, else of its overrides."""
    sharing = {account for account in scope if item.overridden(account, name) is None}
    if sharing and sharing <= live.keys() and all(live[account] == live[min(sharing)] for account in sharing):
        yield Set((*item.steps, *item.path(name)), live[min(sharing)])
    else:
        sharing = set()
    for account in sorted(live.keys() - sharing):
        yield Set((*item.steps, "overrides", account, *item.path(name, account)), live[account])


def _value(address: Address, field: FieldDiff, item: Item, words: _Words) -> object:
    """Return the live value as people write it; raise `_UnfitError` if it cannot be declared."""
    if not (field.path in KINDS[address.kind].form.model_fields or field.path.startswith(CUSTOM)):
        raise _UnfitError("pull cannot write this field", "write it by hand")
    name, account = field.path, address.account
    written = item.written(account, name)
    before = None if written is None else written.value
    if name == "labels":
        value = _labels(field.before, before, words)
    else:
        value = as_people_write(name, field.before, words.files.account(account).get("plan"), before)
        if used_in(value):
            raise _UnfitError(*LIKE_VARIABLE)
    if value is None and name in _CONTACTS:
        other = _CONTACTS[name]
        contact = item.written(account, other)
        if contact is None or contact.value is None:
            raise _UnfitError(f"the live lead has no {name}, and no {other} is declared", f"declare its {other} first")
    *outer, last = item.path(name)
    try:
        KINDS[address.kind].override.model_validate({outer[0]: {last: value}} if outer else {last: value})
    except ValidationError:
        raise _UnfitError("this cannot be declared", _CHANGE_OR_LEAVE_OUT) from None
    if name.startswith(CUSTOM) and words.fields is not None and not isinstance(field.before, Absent):
        why = words.fields.refusal(name, field.before)
        if why:
            raise _UnfitError(f"the field does not accept it: {why}", _CHANGE_OR_LEAVE_OUT)
    return value


def _labels(live: Side, before: Any, words: _Words) -> object:
    """Return the labels of a lead: those that stay as they are written, others by key, or by name without one."""
    refs = live if isinstance(live, tuple) else ()
    written = {
        desired.address.ref: spellings(desired, words.files)
        for desired in words.desired
        if desired.present and desired.names
    }
    at_least = isinstance(before, Mapping)
    names: list[str] = list(before["at_least"] if isinstance(before, Mapping) else before or ())
    meant = {name: ref for name in names for ref, known in written.items() if normalize_text(name) in known}
    kept = [name for name in names if meant.get(name) in refs]
    if at_least:
        return {"at_least": kept}
    unknown = [ref.key if isinstance(ref, Ref) else str(ref) for ref in refs if ref not in written]
    if unknown:
        raise _UnfitError(
            f"it carries labels that are not declared: {', '.join(unknown)}", "import or declare those labels first"
        )
    there = {meant[name] for name in kept}
    return [*kept, *(written[ref][0] for ref in refs if isinstance(ref, Ref) and ref not in there)]


def _diagnostic(change: Change, field: FieldDiff, failure: _UnfitError) -> Diagnostic:
    return Diagnostic(
        "not-pulled",
        Severity.ERROR,
        f"the live value of `{field.path}` was not taken: {failure}",
        hint=failure.fix,
        span=failure.span or change.span,
        account=change.address.account,
        address=change.address,
    )
