"""Validate files against the models, every mistake at its place, and make one configuration of what can be used.

A field with an error is left out of its item, or something harmless stands in for it, so that one run shows the errors
of both kinds: those of the models, and those of the rules over the rest. Nothing of that is used otherwise, for errors
end the run. Where the field decides what the item is or which accounts it is for, the item is left out.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any, Final, Generic, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from leadstate.config.messages import did_you_mean, keys_at, message_of
from leadstate.config.schema.document import IGNORED, AccountSpec, Document, PolicySpec
from leadstate.config.yaml.diagnostics import Diagnostics, Place
from leadstate.config.yaml.nodes import Node
from leadstate.kinds import KINDS
from leadstate.kinds.base import Spec

T_co = TypeVar("T_co", bound=Spec, covariant=True)

_LISTS: Final = tuple(kind.section for kind in KINDS.values())
_ITEMS: Final = ("accounts", *_LISTS)
_STAND_INS: Final[Mapping[str, Mapping[str, Any]]] = {
    "accounts": {"domain": "stand-in", "token": {"env": "STAND_IN"}},
    **{kind.section: kind.stand_ins for kind in KINDS.values()},
}
_ADDRESS: Final = frozenset(("domain", "url"))
"""Fields of which an account has exactly one."""
_DECISIVE: Final = frozenset(("name", "key", "state", "accounts", "except", "overrides", "[key]"))
"""Fields without which an item is not known."""


@dataclass(frozen=True)
class Checked:
    """A file that could be read.

    Attributes:
        root: its nodes.
        document: what of it is right.
        items: section of a kind → the nodes of its items in `document`.
        broken: `accounts` and sections of kinds → names, or numbers, of the items that were left out.
        unknown: account → its fields that are in error, or that something else stands in for.
        shared: what the items share: what stands beside the `file` of a table.
    """

    root: Node
    document: Document
    items: Mapping[str, Sequence[Node]]
    broken: Mapping[str, Sequence[str]] = field(default_factory=dict)
    unknown: Mapping[str, frozenset[str]] = field(default_factory=dict)
    shared: Node | None = None


def check(root: Node, diagnostics: Diagnostics) -> Checked:
    """Validate a file; add what is wrong to the diagnostics."""
    listed = {section: root.find((section,)) for section in _LISTS}
    nodes = {
        section: [*node.children.values()] if node.children and isinstance(node.value, list) else []
        for section, node in listed.items()
    }
    try:
        return Checked(root, Document.model_validate(root.value), nodes)
    except ValidationError as error:
        # Without input: an error must not carry what it is about, which may be a token.
        errors = error.errors(include_url=False, include_input=False)
    _report(errors, root, diagnostics)
    return _without_errors(errors, Checked(root, Document(), nodes))


def _report(errors: Sequence[ErrorDetails], root: Node, diagnostics: Diagnostics) -> None:
    unknown = [error["loc"] for error in errors if error["type"] == "extra_forbidden"]
    meant = {(*loc[:-1], did_you_mean(str(loc[-1]), keys_at(loc[:-1]))) for loc in unknown}
    for error in errors:
        loc = error["loc"]
        if error["type"] == "missing" and loc in meant:
            continue  # it is there, misspelt, and that is reported
        node = root.find(loc)
        path = tuple(step for step in loc if step != "[key]")
        about_key = error["type"] == "extra_forbidden" or path != loc
        place = root.key_place(path) if about_key else node.place
        code, summary, hint = message_of(error, node, in_cell=bool(place.source.delimiter))
        diagnostics.error(code, summary, place, hint=hint)


def _without_errors(errors: Sequence[ErrorDetails], checked: Checked) -> Checked:
    """Return the file without what is wrong, or with stand-ins for it."""
    value = {key: copy(items) if key in _ITEMS else items for key, items in checked.root.value.items()}
    wrong: dict[str, dict[str | int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for error in errors:
        section, *rest = error["loc"] or ("",)
        if section in _ITEMS and rest and isinstance(value.get(str(section)), dict | list):
            wrong[str(section)][rest[0]] |= _wrong_fields(error)
        else:
            value.pop(str(section), None)
    broken: dict[str, list[str]] = defaultdict(list)
    unknown: dict[str, frozenset[str]] = {}
    nodes = dict(checked.items)
    for section in wrong.keys() & value.keys():
        items = value[section]
        for name, fields in wrong[section].items():
            written = items[name]
            if section == "accounts" and isinstance(written, dict) and len(_ADDRESS & (written.keys() - fields)) != 1:
                fields |= _ADDRESS  # noqa: PLW2901  which of two is meant, or what instead of none, is not known
            items[name] = _salvaged(section, written, fields)
            if items[name] is None:
                broken[section].append(str(name))
            elif section == "accounts":
                unknown[str(name)] = frozenset(fields)
        if isinstance(items, dict):
            value[section] = {name: item for name, item in items.items() if item is not None}
        else:
            nodes[section] = [node for node, item in zip(nodes[section], items, strict=True) if item is not None]
            value[section] = [item for item in items if item is not None]
    nodes = {section: nodes[section] if section in value else [] for section in nodes}
    document = Document.model_validate(value)
    return replace(checked, document=document, items=nodes, broken=broken, unknown=unknown)


def _wrong_fields(error: ErrorDetails) -> set[str]:
    """Return the fields of an item that an error is about; for an unknown one also the one that was meant."""
    if "field" in (context := error.get("ctx", {})):
        return {str(context["field"])}
    loc = error["loc"]
    fields = {str(step) for step in loc[2:3]}
    if error["type"] == "extra_forbidden":
        fields |= {meant for field in fields if (meant := did_you_mean(field, keys_at(loc[:2])))}
    return fields


def _salvaged(section: str, value: Any, wrong: set[str]) -> Any:
    """Return an item without its wrong fields; None if it has to be left out."""
    if not isinstance(value, dict) or wrong & _DECISIVE:
        return None
    made = {key: field for key, field in value.items() if key not in wrong}
    made |= {key: field for key, field in _STAND_INS[section].items() if key in wrong}
    try:
        Document.model_validate({section: {"name": made} if section == "accounts" else [made]})
    except ValidationError:
        return None
    return made


@dataclass(frozen=True, slots=True)
class Entry(Generic[T_co]):
    """One declared thing and where it stands."""

    spec: T_co
    node: Node
    shared: Node | None = None
    """What it shares with others."""
    unknown: frozenset[str] = frozenset()
    """Its fields that are in error, about which no rule reports anything; only accounts are used in spite of some."""

    def place(self, *path: str | int) -> Place:
        """Return where the value at a path in it begins; for what is not there, where the nearest thing above does."""
        return self._above(path).find(path).place

    def key_place(self, *path: str) -> Place:
        """Return where the key at the end of a path begins."""
        return self._above(path).key_place(path)

    def _above(self, path: Sequence[str | int]) -> Node:
        if self.shared is not None and path and self.node.child(path[0]) is None:
            return self.shared
        return self.node


@dataclass(slots=True)
class Merged:
    """Everything in the files that is right by itself.

    Attributes:
        top: the beginning of the first file.
        namespace: the marker of our leads, if one is given and right.
        namespace_given: whether one is given at all.
        policy: what holds for every account, with its place.
        accounts: name → account.
        items: kind → its items, in the order of the files.
        broken: `accounts` and the sections of kinds → names of items with errors, which have been reported.
        dropped: keys that are wrong as a whole.
    """

    top: Place | None = None
    namespace: str | None = None
    namespace_given: bool = False
    policy: Entry[PolicySpec] | None = None
    accounts: dict[str, Entry[AccountSpec]] = field(default_factory=dict)
    items: dict[str, list[Entry[Any]]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    broken: dict[str, list[str]] = field(default_factory=dict)
    dropped: set[str] = field(default_factory=set)


def merge(files: Sequence[Checked], diagnostics: Diagnostics) -> Merged:
    """Return one configuration made of the files."""
    merged = Merged(top=Place(files[0].root.place.source, 1, 1) if files else None)
    seen: dict[tuple[str, ...], Place] = {}
    for file in files:
        document, root = file.document, file.root
        dropped = root.value.keys() - document.model_fields_set
        merged.dropped |= dropped | {_meant(key) for key in dropped - Document.model_fields.keys()}
        merged.namespace_given |= "namespace" in root.value or "namespace" in merged.dropped
        once = [(key,) for key in ("namespace", "policy") if key in root.value]
        for path in (*once, *(("accounts", name) for name in document.accounts)):
            place, node = root.key_place(path), root.find(path)
            if path in seen:
                _report_twice(path, place, seen[path], diagnostics)
            elif path[0] == "accounts":
                name = path[-1]
                unknown = file.unknown.get(name, frozenset())
                merged.accounts[name] = Entry(document.accounts[name], node, unknown=unknown)
            elif path[0] == "policy" and "policy" in document.model_fields_set:
                merged.policy = Entry(document.policy, node)
            elif path[0] == "namespace":
                merged.namespace = document.namespace or None
            seen.setdefault(path, place)
        for kind in KINDS.values():
            listed = zip(getattr(document, kind.section), file.items[kind.section], strict=True)
            merged.items[kind.name] += [Entry(spec, node, file.shared) for spec, node in listed]
        for section, names in file.broken.items():
            merged.broken.setdefault(section, []).extend(names)
    if files and "version" not in merged.dropped and not any("version" in file.root.value for file in files):
        hint = "add `version: 1` at the top of the file"
        diagnostics.error("missing-key", "`version` is missing", merged.top, hint=hint)
    return merged


def _meant(key: str) -> str:
    """Return the top-level key that an unknown one is meant to be, or itself."""
    return key if key.startswith(IGNORED) else did_you_mean(key, Document.model_fields) or key


def _report_twice(path: tuple[str, ...], place: Place, first: Place, diagnostics: Diagnostics) -> None:
    code, summary = "given-twice", f"`{path[0]}` is given in more than one file"
    if len(path) > 1:
        code, summary = "duplicate-account", f"the account `{path[-1]}` is declared twice"
    diagnostics.error(code, summary, place, hint="keep one of the two", detail=f"first here: {first.span}")
