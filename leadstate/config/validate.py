"""Validate one file against the models: every mistake at its place, and what of the file can still be used.

A field with an error is left out of its item, or something harmless stands in for it, so that one run shows the errors
of both kinds: those of the models, and those of the rules over the rest. Nothing of that is used otherwise, for errors
end the run. Where the field decides what the item is or which accounts it is for, the item is left out.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from leadstate.config.hints import did_you_mean, keys_at
from leadstate.config.messages import Loc, Mistake, message_of
from leadstate.config.schema.document import AccountSpec, Document
from leadstate.config.yaml.diagnostics import Diagnostics, Place, Source
from leadstate.config.yaml.nodes import Node, place_of
from leadstate.kinds import KINDS
from leadstate.kinds.base import Spec

_LISTS: Final = tuple(kind.section for kind in KINDS.values())
_ITEMS: Final = ("accounts", *_LISTS)
_MODELS: Final[Mapping[str, type[Spec]]] = {
    "accounts": AccountSpec,
    **{kind.section: kind.spec for kind in KINDS.values()},
}
_STAND_INS: Final[Mapping[str, Mapping[str, Any]]] = {
    "accounts": {"domain": "stand-in", "token": {"env": "STAND_IN"}},
    **{kind.section: kind.stand_ins for kind in KINDS.values()},
}
_DECISIVE: Final = frozenset(("name", "key", "state", "accounts", "except", "overrides"))
"""Fields without which an item is not known."""


@dataclass(frozen=True)
class Checked:
    """A file that could be read.

    Attributes:
        source: its text.
        root: its nodes.
        document: what of it is right.
        items: section of a kind → the nodes of its items in `document`.
        broken: `accounts` and sections of kinds → names and values of the items that were left out.
        unsure: accounts of which the tags and variables are not known.
    """

    source: Source
    root: Node
    document: Document
    items: Mapping[str, Sequence[Node]]
    broken: Mapping[str, Sequence[tuple[str, Any]]] = field(default_factory=dict)
    unsure: frozenset[str] = frozenset()

    def node(self, *path: str | int) -> Node:
        """Return the node at a path; for what is not there, the nearest one above."""
        return _find(self.root, path)

    def key_place(self, *path: str) -> Place:
        """Return where the key at the end of a path begins."""
        return place_of(_mark(self.root, path), self.source)


def check(root: Node, source: Source, diagnostics: Diagnostics) -> Checked:
    """Validate a file; add what is wrong to the diagnostics."""
    nodes = {name: _items(root, name) for name in _LISTS}
    try:
        return Checked(source, root, Document.model_validate(root.value), nodes)
    except ValidationError as error:
        # Without input: an error must not carry what it is about, which may be a token.
        mistakes = [_mistake(details, root, source) for details in error.errors(include_url=False, include_input=False)]
    _report(mistakes, root, source, diagnostics)
    return _without_mistakes(mistakes, Checked(source, root, Document(), nodes))


def _mistake(details: ErrorDetails, root: Node, source: Source) -> Mistake:
    loc = _untagged(details["loc"])
    at = (*loc, "color") if details["type"] == "label_color" else loc
    rest = "" if source.delimiter else _rest(root, at, source)
    return Mistake(
        details["type"], loc, details["msg"], details.get("ctx", {}), _find(root, loc), rest, bool(source.delimiter)
    )


def _rest(root: Node, loc: Loc, source: Source) -> str:
    """Return what follows a key on its line; nothing where there is no such key."""
    parent, step = _find(root, loc[:-1]), loc[-1] if loc else ""
    if parent.keys and step in parent.keys:
        marker = parent.keys[str(step)]
        line: str = source.lines[marker.line][marker.column :]
        return line.partition(":")[2].strip()
    return ""


def _without_mistakes(mistakes: Sequence[Mistake], checked: Checked) -> Checked:
    """Return the file without what is wrong, or with stand-ins for it."""
    root, nodes = checked.root, dict(checked.items)
    of_item: dict[tuple[str, str | int], list[Mistake]] = defaultdict(list)
    value = {key: copy(items) if key in _ITEMS else items for key, items in root.value.items()}
    for mistake in mistakes:
        kind, *rest = mistake.loc
        if kind in _ITEMS and rest and isinstance(value.get(str(kind)), dict | list):
            of_item[str(kind), rest[0]].append(mistake)
        else:
            value.pop(str(kind), None)
    broken: dict[str, list[tuple[str, Any]]] = defaultdict(list)
    unsure: set[str] = set()
    for (kind, name), of_this in of_item.items():
        if kind not in value:
            continue
        written, wrong = value[kind][name], _wrong_fields(of_this)
        if kind == "accounts" and (wrong & {"vars", "tags"} or not isinstance(written, dict)):
            unsure.add(str(name))
        value[kind][name] = _salvage(kind, written, wrong) if of_this[0].loc[-1] != "[key]" else None
        if value[kind][name] is None:
            broken[kind].append((str(name), written))
    for kind in _LISTS:
        kept = value.get(kind, [])
        nodes[kind] = [node for node, item in zip(nodes[kind], kept, strict=False) if item is not None]
    for kind in set(_ITEMS) & set(value):
        value[kind] = _without_none(value[kind])
    document = Document.model_validate(value)
    return replace(checked, document=document, items=nodes, broken=broken, unsure=frozenset(unsure))


def _wrong_fields(mistakes: Sequence[Mistake]) -> frozenset[str]:
    """Return the fields of one item that are in error; for an unknown one also the one that was meant."""
    fields: set[str] = set()
    for mistake in mistakes:
        if len(mistake.loc) > 2:  # noqa: PLR2004  kind, item, field
            field = str(mistake.loc[2])
            fields.add(field)
            if mistake.type == "extra_forbidden":
                fields.add(did_you_mean(field, keys_at(mistake.loc[:2])) or field)
        elif mistake.type == "cannot_unset":
            fields.add(str(mistake.ctx["field"]))
    return frozenset(fields)


def _salvage(kind: str, value: Any, wrong: frozenset[str]) -> Any:
    """Return an item without its wrong fields; None if it has to be left out."""
    if not isinstance(value, dict) or wrong & _DECISIVE:
        return None
    made = {key: field for key, field in value.items() if key not in wrong}
    if kind == "accounts":
        made = {key: field for key, field in made.items() if key not in {"domain", "url", "token"}}
        made |= _STAND_INS[kind]
    wrong_ones = {key: field for key, field in _STAND_INS[kind].items() if key in wrong}
    # An error about the whole item, as of a colour that is missing, names no field.
    for stand_ins in (wrong_ones, {**_STAND_INS[kind], **made, **wrong_ones}):
        try:
            _MODELS[kind].model_validate({**made, **stand_ins})
        except ValidationError:
            continue
        return {**made, **stand_ins}
    return None


def _without_none(items: Any) -> Any:
    if isinstance(items, dict):
        return {name: item for name, item in items.items() if item is not None}
    return [item for item in items if item is not None]


def _items(root: Node, name: str) -> list[Node]:
    found = root.child(name)
    return found.children if found is not None and isinstance(found.children, list) else []


def _report(mistakes: Sequence[Mistake], root: Node, source: Source, diagnostics: Diagnostics) -> None:
    unknown = [mistake.loc for mistake in mistakes if mistake.type == "extra_forbidden"]
    meant = {(*loc[:-1], did_you_mean(str(loc[-1]), keys_at(loc[:-1]))) for loc in unknown}
    for mistake in mistakes:
        if mistake.type == "missing" and mistake.loc in meant:
            continue  # it is there, misspelt, and that is reported
        about_key = mistake.type == "extra_forbidden" or mistake.loc[-1:] == ("[key]",)
        place = place_of(_mark(root, mistake.loc), source) if about_key else mistake.node.place(source)
        code, summary, hint = message_of(mistake)
        diagnostics.error(code, summary, place, hint=hint)


def _untagged(loc: Loc) -> Loc:
    """Return the path without the name of the alternative that was taken; only a lead's `labels` has some."""
    for index, step in enumerate(loc):
        if step in {"exactly", "at_least"} and loc[index - 1] == "labels" and loc[index - 2] != "overrides":
            return loc[:index] + loc[index + 1 :]
    return loc


def _find(root: Node, loc: Sequence[str | int]) -> Node:
    """Return the node at a path; steps that lead nowhere (what is missing) are passed over."""
    node = root
    for step in loc:
        node = node.child(step) or node
    return node


def _mark(root: Node, loc: Sequence[str | int]) -> Any:
    """Return where the key at the end of a path begins."""
    path = [step for step in loc if step != "[key]"]
    parent = _find(root, path[:-1])
    keys = parent.keys or {}
    return keys.get(str(path[-1]), parent.marker)
