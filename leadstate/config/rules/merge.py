"""Several files as one: accounts together, items of each kind in order; what may be there once is there once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from leadstate.config.schema.document import AccountSpec, PolicySpec
from leadstate.config.validate import Checked
from leadstate.config.yaml.diagnostics import Diagnostics, Place, Source
from leadstate.config.yaml.nodes import Node
from leadstate.kinds import KINDS
from leadstate.kinds.base import Spec

T_co = TypeVar("T_co", bound=Spec, covariant=True)


@dataclass(frozen=True, slots=True)
class Entry(Generic[T_co]):
    """One declared thing and where it stands."""

    spec: T_co
    node: Node
    source: Source
    shared: tuple[Node, Source] | None = None
    """Where stands what it shares with others."""

    def place(self, *path: str | int) -> Place:
        """Return where the value at a path in it begins; for what is not there, where the nearest thing above does."""
        node, source = self._at(path)
        return node.find(path).place(source)

    def key_place(self, *path: str) -> Place:
        """Return where the key at the end of a path begins."""
        node, source = self._at(path)
        return node.key_place(path, source)

    def _at(self, path: Sequence[str | int]) -> tuple[Node, Source]:
        is_shared = self.shared is not None and path and self.node.child(path[0]) is None
        return self.shared if self.shared is not None and is_shared else (self.node, self.source)


@dataclass(slots=True)
class Merged:
    """Everything that the files say and that is right by itself.

    Attributes:
        top: the beginning of the first file.
        namespace: the marker of our leads, if one is given and right.
        namespace_given: whether one is given at all.
        policy: what holds for every account, with its place.
        accounts: name → account.
        items: kind → its items, in the order of the files.
        broken: `accounts` and the sections of kinds → names of items with errors, which have been reported.
        dropped: keys that are wrong as a whole.
        unsure: accounts of which the tags and variables are not known.
    """

    top: Place | None = None
    namespace: str | None = None
    namespace_given: bool = False
    policy: Entry[PolicySpec] | None = None
    accounts: dict[str, Entry[AccountSpec]] = field(default_factory=dict)
    items: dict[str, list[Entry[Any]]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    broken: dict[str, list[str]] = field(default_factory=dict)
    dropped: set[str] = field(default_factory=set)
    unsure: set[str] = field(default_factory=set)


def merge(files: Sequence[Checked], diagnostics: Diagnostics) -> Merged:
    """Return one configuration made of the files."""
    merged = Merged(top=Place(files[0].source, 1, 1) if files else None)
    seen: dict[tuple[str, ...], Place] = {}
    for file in files:
        document, root, source = file.document, file.root, file.source
        merged.unsure |= file.unsure
        merged.namespace_given |= "namespace" in root.value
        merged.dropped |= root.value.keys() - document.model_fields_set
        once = [(key,) for key in ("namespace", "policy") if key in root.value]
        for path in (*once, *(("accounts", name) for name in document.accounts)):
            place, node = root.key_place(path, source), root.find(path)
            if path in seen:
                _report_twice(path, place, seen[path], diagnostics)
            elif path[0] == "accounts":
                merged.accounts[path[-1]] = Entry(document.accounts[path[-1]], node, source)
            elif path[0] == "policy" and "policy" in document.model_fields_set:
                merged.policy = Entry(document.policy, node, source)
            elif path[0] == "namespace":
                merged.namespace = document.namespace or None
            seen.setdefault(path, place)
        for kind in KINDS.values():
            listed = zip(document.items_of(kind), file.items[kind.section], strict=True)
            merged.items[kind.name] += [Entry(spec, node, source, file.shared) for spec, node in listed]
        for section, names in file.broken.items():
            merged.broken.setdefault(section, []).extend(names)
    if files and not any("version" in file.root.value for file in files):
        hint = "add `version: 1` at the top of the file"
        diagnostics.error("missing-key", "`version` is missing", merged.top, hint=hint)
    return merged


def _report_twice(path: tuple[str, ...], place: Place, first: Place, diagnostics: Diagnostics) -> None:
    detail = f"first here: {first.span}"
    if len(path) > 1:
        summary = f"the account `{path[-1]}` is declared twice"
        diagnostics.error("duplicate-account", summary, place, hint="keep one of the two", detail=detail)
    else:
        summary = f"`{path[0]}` is given in more than one file"
        diagnostics.error("given-twice", summary, place, hint="keep one of the two", detail=detail)
