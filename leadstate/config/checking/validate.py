"""One file's values against the models: every complaint at its place, and what of the file can still be used.

An item that is wrong is left out and the rest is checked again, so that one run shows the errors of both kinds: those
of the models, and those of the rules over what is right.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from leadstate.config.checking.salvage import salvage, wrong_fields
from leadstate.config.checking.suggest import did_you_mean, keys_at
from leadstate.config.checking.wording import Complaint, Loc, word, word_in_table
from leadstate.config.schema.document import Document
from leadstate.config.yaml.diagnostics import Diagnostics
from leadstate.config.yaml.nodes import Node, place_of
from leadstate.config.yaml.source import Place, Source

LISTS = ("labels", "leads")
_ITEMS = ("accounts", *LISTS)


@dataclass(frozen=True)
class Checked:
    """A file that could be read.

    Attributes:
        source: its text.
        root: its nodes.
        document: what of it is right.
        items: `labels` and `leads` → the nodes of the items in `document`.
        broken: `accounts`, `labels` and `leads` → names and values of the items that were left out.
        unsure: accounts of which the tags and variables are not known.
    """

    source: Source
    root: Node
    document: Document
    items: Mapping[str, Sequence[Node]]
    broken: Mapping[str, Sequence[tuple[str, Any]]] = field(default_factory=dict)
    unsure: frozenset[str] = frozenset()

    def node(self, *path: str | int) -> Node:
        """The node at a path; for what is not there, the nearest one above."""
        return _find(self.root, path)

    def key_place(self, *path: str) -> Place:
        """Where the key at the end of a path begins."""
        return place_of(_mark(self.root, path), self.source)


def check(root: Node, source: Source, diagnostics: Diagnostics) -> Checked:
    """Validate a file; what is wrong is among the diagnostics."""
    nodes = {name: _items(root, name) for name in LISTS}
    try:
        return Checked(source, root, Document.model_validate(root.value), nodes)
    except ValidationError as error:
        # Without input: an error must not carry what it is about, which may be a token.
        errors = [
            _complaint(one["type"], _untagged(one["loc"]), one.get("ctx", {}), root, source)
            for one in error.errors(include_url=False, include_input=False)
        ]
    _report(errors, root, source, diagnostics)
    return _what_is_right(errors, Checked(source, root, Document(), nodes))


def _complaint(kind: str, loc: Loc, ctx: Mapping[str, Any], root: Node, source: Source) -> Complaint:
    at = (*loc, "color") if kind == "label_color" else loc
    rest = "" if source.delimiter else _rest(root, at, source)
    return Complaint(kind, loc, ctx, _find(root, loc), rest)


def _rest(root: Node, loc: Loc, source: Source) -> str:
    """What follows a key on its line, or where an item of a list begins; nothing of what is not there."""
    parent, step = _find(root, loc[:-1]), loc[-1] if loc else ""
    if parent.keys and step in parent.keys:
        marker = parent.keys[str(step)]
        line: str = source.lines[marker.line][marker.column :]
        return line.partition(":")[2].strip()
    return ""


def _what_is_right(errors: Sequence[Complaint], checked: Checked) -> Checked:
    """The file without what is wrong, or with stand-ins for it."""
    root, nodes = checked.root, dict(checked.items)
    of_item: dict[tuple[str, str | int], list[Complaint]] = defaultdict(list)
    value = {key: copy(one) if key in _ITEMS else one for key, one in root.value.items()}
    for error in errors:
        kind, *rest = error.loc
        if kind in _ITEMS and rest and isinstance(value.get(str(kind)), dict | list):
            of_item[str(kind), rest[0]].append(error)
        else:
            value.pop(str(kind), None)
    broken: dict[str, list[tuple[str, Any]]] = defaultdict(list)
    unsure: set[str] = set()
    for (kind, name), complaints in of_item.items():
        if kind not in value:
            continue
        written, wrong = value[kind][name], wrong_fields(complaints)
        if kind == "accounts" and (wrong & {"vars", "tags"} or not isinstance(written, dict)):
            unsure.add(str(name))
        value[kind][name] = salvage(kind, written, wrong) if complaints[0].loc[-1] != "[key]" else None
        if value[kind][name] is None:
            broken[kind].append((str(name), written))
    for kind in LISTS:
        kept = value.get(kind, [])
        nodes[kind] = [node for node, one in zip(nodes[kind], kept, strict=False) if one is not None]
    for kind in set(_ITEMS) & set(value):
        value[kind] = _without_none(value[kind])
    document = Document.model_validate(value)
    return replace(checked, document=document, items=nodes, broken=broken, unsure=frozenset(unsure))


def _without_none(items: Any) -> Any:
    if isinstance(items, dict):
        return {name: one for name, one in items.items() if one is not None}
    return [item for item in items if item is not None]


def _items(root: Node, name: str) -> list[Node]:
    found = root.child(name)
    return found.children if found is not None and isinstance(found.children, list) else []


def _report(complaints: Sequence[Complaint], root: Node, source: Source, diagnostics: Diagnostics) -> None:
    unknown = [complaint.loc for complaint in complaints if complaint.type == "extra_forbidden"]
    meant = {(*loc[:-1], did_you_mean(str(loc[-1]), keys_at(loc[:-1]))) for loc in unknown}
    for complaint in complaints:
        if complaint.type == "missing" and complaint.loc in meant:
            continue  # it is there, misspelt, and that has been said
        about_key = complaint.type == "extra_forbidden" or complaint.loc[-1:] == ("[key]",)
        place = place_of(_mark(root, complaint.loc), source) if about_key else complaint.node.place(source)
        code, summary, hint = word_in_table(complaint) if source.delimiter else word(complaint)
        diagnostics.error(code, summary, place, hint=hint)


def _untagged(loc: Loc) -> Loc:
    """The path without the name of the alternative that was taken; only a lead's `labels` has some."""
    for index, step in enumerate(loc):
        if step in {"exactly", "at_least"} and loc[index - 1] == "labels" and loc[index - 2] != "overrides":
            return loc[:index] + loc[index + 1 :]
    return loc


def _find(root: Node, loc: Sequence[str | int]) -> Node:
    """The node at a path; steps that lead nowhere (what is missing) are passed over."""
    node = root
    for step in loc:
        node = node.child(step) or node
    return node


def _mark(root: Node, loc: Sequence[str | int]) -> Any:
    """Where the key at the end of a path begins."""
    path = [one for one in loc if one != "[key]"]
    parent = _find(root, path[:-1])
    keys = parent.keys or {}
    return keys.get(str(path[-1]), parent.marker)
