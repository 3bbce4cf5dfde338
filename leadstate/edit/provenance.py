"""Where each field of a declared object is from: the item itself or an override, and the variables in it."""

from collections.abc import Iterator, Sequence
from typing import Any

from leadstate.config.rules.variables import names_in
from leadstate.config.yaml.nodes import Node
from leadstate.edit.items import Files
from leadstate.model.address import Span
from leadstate.model.resource import Desired
from leadstate.reconcile.explain import Written


def provenance(files: Files, desired: Desired, fields: Sequence[str]) -> tuple[Written, ...]:
    """The fields that are written of an object, in the order given; what is no item of its own has none.

    Args:
        files: the configuration as it is written.
        desired: the object.
        fields: the names of its fields.
    """
    item, account = files.item(desired.span), desired.address.account
    if item is None:
        return ()
    source, root = next((file.source, file.root) for file in files.files if file.source.name == item.file)
    node = _at(root, *item.steps)
    override = _at(node, "overrides", account)
    found = []
    for name in fields:
        there = _at(override, name)
        value = there or _at(node, name)
        if value is not None:
            variables = tuple(_variables(files, account, value.value))
            found.append(Written(name, value.place(source).span, there is not None, variables))
    return tuple(found)


def _at(node: Node | None, *steps: str | int) -> Node | None:
    for step in steps:
        node = node.child(step) if node is not None else None
    return node


def _variables(files: Files, account: str, value: Any) -> Iterator[tuple[str, str, Span]]:
    for name in dict.fromkeys(name for text in _texts(value) for name in names_in(text)):
        for file in files.files:
            node = _at(file.root, "accounts", account, "vars", name)
            if node is not None:
                yield name, str(node.value), node.place(file.source).span


def _texts(value: Any) -> Iterator[str]:
    """The texts that variables are replaced in: a text, or a list of names, exact or not."""
    names = value.get("at_least") if isinstance(value, dict) else value
    yield from names if isinstance(names, list) else [names] if isinstance(names, str) else []
