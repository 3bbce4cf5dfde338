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

    def place(self, *path: str | int) -> Place:
        """Return where the value at a path in it begins; for what is not there, where the nearest thing above does."""
        node = self.node
        for step in path:
            node = node.child(step) or node
        return node.place(self.source)

    def key_place(self, *path: str) -> Place:
        """Return where the key at the end of a path begins."""
        node = self.node
        for step in path[:-1]:
            node = node.child(step) or node
        return node.key_place(path[-1], self.source)


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
        broken: `accounts` and the sections of kinds → items that are wrong by themselves, and have been reported.
        dropped: keys that are wrong as a whole.
        unsure: accounts of which the tags and variables are not known.
    """

    top: Place | None = None
    namespace: str | None = None
    namespace_given: bool = False
    policy: Entry[PolicySpec] | None = None
    accounts: dict[str, Entry[AccountSpec]] = field(default_factory=dict)
    items: dict[str, list[Entry[Any]]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    broken: dict[str, list[tuple[str, Any]]] = field(default_factory=dict)
    dropped: set[str] = field(default_factory=set)
    unsure: set[str] = field(default_factory=set)


def merge(files: Sequence[Checked], diagnostics: Diagnostics) -> Merged:
    """Return one configuration made of the files."""
    merged = Merged(top=Place(files[0].source, 1, 1) if files else None)
    seen: dict[str, Place] = {}
    for file in files:
        document, source = file.document, file.source
        merged.unsure |= file.unsure
        merged.namespace_given |= file.root.child("namespace") is not None
        merged.dropped |= {key for key in file.root.value if key not in document.model_fields_set}
        for key in ("namespace", "policy"):
            if file.root.child(key) is not None and not _once(key, file.key_place(key), seen, diagnostics):
                continue
            if key == "namespace" and document.namespace:
                merged.namespace = document.namespace
            elif key == "policy" and key in document.model_fields_set:
                merged.policy = Entry(document.policy, file.node("policy"), source)
        for name, account in document.accounts.items():
            place = file.key_place("accounts", name)
            if _once(f"accounts.{name}", place, seen, diagnostics):
                merged.accounts[name] = Entry(account, file.node("accounts", name), source)
        for kind in KINDS.values():
            listed = zip(document.items_of(kind), file.items[kind.section], strict=True)
            merged.items[kind.name] += [Entry(spec, node, source) for spec, node in listed]
        for section, values in file.broken.items():
            merged.broken.setdefault(section, []).extend(values)
    _check_version(files, diagnostics)
    return merged


def _once(what: str, place: Place, seen: dict[str, Place], diagnostics: Diagnostics) -> bool:
    """Return whether this is the first of its kind; report both places if it is not."""
    if what not in seen:
        seen[what] = place
        return True
    kind, _, name = what.partition(".")
    code, summary = (
        ("duplicate-account", f"the account `{name}` is declared twice")
        if name
        else (
            "given-twice",
            f"`{kind}` is given in more than one file",
        )
    )
    diagnostics.error(code, summary, place, hint="keep one of the two", detail=f"first here: {seen[what].span}")
    return False


def _check_version(files: Sequence[Checked], diagnostics: Diagnostics) -> None:
    if files and not any(file.root.child("version") for file in files):
        place = Place(files[0].source, 1, 1)
        diagnostics.error("missing-key", "`version` is missing", place, hint="add `version: 1` at the top of the file")
