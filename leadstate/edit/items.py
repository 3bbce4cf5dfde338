"""The files of a configuration as they are written: which declared thing stands where, and what edits make of them.

Refuses edits after which the files would not be a configuration any more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from leadstate.config.loader import understand
from leadstate.config.yaml.diagnostics import Diagnostics, Source
from leadstate.config.yaml.files import read_sources
from leadstate.config.yaml.nodes import Node, read_nodes
from leadstate.edit.writer import Edit, EditError, Steps, Writer
from leadstate.kinds import KINDS
from leadstate.model.address import Span, normalize_text
from leadstate.model.diagnostics import ConfigurationError, Severity
from leadstate.model.resource import CUSTOM, Desired


@dataclass(frozen=True)
class File:
    """One file: its text and its nodes; `new` if it does not exist yet."""

    source: Source
    root: Node
    new: bool = False

    @cached_property
    def writer(self) -> Writer:
        """What edits the text."""
        return Writer(self.source, self.root)


@dataclass(frozen=True, slots=True)
class Item:
    """A declared object, as it is written."""

    source: Source
    steps: Steps
    node: Node

    def path(self, attribute: str, account: str | None = None) -> tuple[str, ...]:
        """Return where an attribute stands in the item, or with an account in what the item overrides for it.

        A custom field stands under its name, whatever dots are in that, and as it is spelled there.
        """
        if not attribute.startswith(CUSTOM):
            return (attribute,)
        name = attribute.removeprefix(CUSTOM)
        there = [self.node] if account is None else [self.node, _node_at(self.node, "overrides", account)]
        fields = [_node_at(node, "custom_fields") for node in there]
        spelled = [key for node in fields if node for key in node.keys or () if normalize_text(key) == name]
        return ("custom_fields", spelled[-1] if spelled else name)

    def overridden(self, account: str, attribute: str) -> Node | None:
        """Return the value that an account has for an attribute in place of the value of the item."""
        return _node_at(self.node, "overrides", account, *self.path(attribute, account))

    def written(self, account: str, attribute: str) -> Node | None:
        """Return the value of an attribute as an account has it: in its override, else in the item."""
        return self.overridden(account, attribute) or _node_at(self.node, *self.path(attribute))


def _node_at(node: Node | None, *steps: str) -> Node | None:
    for step in steps:
        node = node.child(step) if node is not None else None
    return node


@dataclass(frozen=True)
class Files:
    """All files, in the order in which they are read."""

    files: tuple[File, ...]
    _items: Mapping[Span, Item]

    @classmethod
    def read(cls, paths: Sequence[Path]) -> "Files":
        """Return the files at these paths; raise `ConfigurationError` if one cannot be read."""
        diagnostics = Diagnostics()
        return cls.of(read_sources(paths, diagnostics), diagnostics)

    @classmethod
    def of(cls, sources: Sequence[Source], diagnostics: Diagnostics) -> "Files":
        """Return the files of these texts; raise `ConfigurationError` if there is an error in them or found before."""
        files = []
        for source in sources:
            root = read_nodes(source, diagnostics)
            if root is not None:
                files.append(File(source, root))
        if diagnostics.any_error:
            raise ConfigurationError(diagnostics.sorted(Severity.ERROR))
        return cls(tuple(files), _find_items(files))

    def with_new(self, path: Path, key: str) -> "Files":
        """Return the same with a file that is to be made, for a list of this key."""
        source = Source(str(path), f"{key}: []\n", path.parent)
        root = read_nodes(source, Diagnostics())
        assert root is not None  # noqa: S101  for mypy: it is a mapping
        return Files((*self.files, File(source, root, new=True)), self._items)

    @property
    def sources(self) -> list[Source]:
        """The texts of the files."""
        return [file.source for file in self.files]

    def item(self, span: Span | None) -> Item | None:
        """Return the item that begins at a place."""
        return None if span is None else self._items.get(span)

    def account(self, name: str) -> Mapping[str, Any]:
        """Return an account, as it is written."""
        found = [accounts[name] for file in self.files if name in (accounts := file.root.value.get("accounts") or {})]
        return found[0] if found else {}

    def last_with(self, key: str) -> File | None:
        """Return the last file that has a key at its top."""
        return next((file for file in reversed(self.files) if key in file.root.value), None)

    def edit(self, edits: Mapping[str, Sequence[Edit]]) -> list[tuple[Source, str]]:
        """Return each file that the edits change, and its new text.

        Raises:
            EditError: an edit cannot be made in place.
            ConfigurationError: the files would not be right any more.
        """
        texts = {
            file.source.name: file.writer.rewrite(made) for file in self.files if (made := edits.get(file.source.name))
        }
        sources = [replace(source, text=texts.get(source.name, source.text)) for source in self.sources]
        understand(sources, (), Diagnostics())
        return [
            (replace(file.source, text="") if file.new else file.source, texts[file.source.name])
            for file in self.files
            if texts.get(file.source.name, file.source.text) != file.source.text
        ]

    def refusal(self, name: str, edits: Sequence[Edit]) -> EditError | None:
        """Return why edits of a file cannot be made in place; None if they can."""
        return next(file.writer.refusal(edits) for file in self.files if file.source.name == name)


def _find_items(files: Sequence[File]) -> dict[Span, Item]:
    items: dict[Span, Item] = {}
    for file in files:
        for key in (kind.section for kind in KINDS.values()):
            listed = file.root.child(key)
            # Anything else is not a list of items; that is an error of the configuration, and reported as such.
            written = listed.children if listed is not None and isinstance(listed.value, list) else None
            for index, node in (written or {}).items():
                if isinstance(node.value, dict):
                    span = node.place.span
                    items.setdefault(span, Item(file.source, (key, index), node))
    return items


def find_places(files: Files, desired: Desired) -> dict[str, Span]:
    """Return where the value of each field of an object is written; empty if a table declares it.

    Args:
        files: the configuration as it is written.
        desired: the object.
    """
    item = files.item(desired.span)
    if item is None:
        return {}
    written = {name: item.written(desired.address.account, name) for name in desired.attrs}
    return {name: node.place.span for name, node in written.items() if node is not None}


def spellings(label: Desired, files: Files) -> tuple[str, ...]:
    """Return what a lead may write for a label; the first is what we write: its key, or its name if it has no key."""
    item = files.item(label.span)
    value: Mapping[str, Any] = {} if item is None else item.node.value
    own = value.get("key") or value.get("name") or label.address.key
    return tuple(
        normalize_text(name)
        for name in (own, value.get("name"), label.address.key, *label.names[:1])
        if name is not None
    )
