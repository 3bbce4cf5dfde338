"""Every diagnostic code that the product can say, read off its source.

A code is a string that goes into a parameter or an attribute named `code`, that a table is asked for with one, or that
stands in `error[…]`. Where it gets there through a local name or a table, its strings are taken from there; where none
is found the search fails, so that a code cannot hide.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

CODE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_KEBAB = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+\??")
_PRINTED = re.compile(r"\b(?:error|warning|guard)\[([a-z0-9-]+)\]")
ROOT = Path(__file__).parents[2] / "leadstate"


@dataclass
class _Product:
    """What the search knows of the source.

    Attributes:
        sinks: function or class → at which argument its `code` is. A private one is known in its own file only.
        constants: name of a module's constant → its values; tables of several modules may share one name.
    """

    sinks: dict[str, set[int]] = field(default_factory=dict)
    constants: dict[str, list[ast.expr]] = field(default_factory=dict)


@cache
def codes() -> frozenset[str]:
    """Return all codes. Raise AssertionError if one cannot be made out."""
    files = [file for file in ROOT.rglob("*.py") if "sandbox" not in file.relative_to(ROOT).parts]
    trees = {file: ast.parse(file.read_text(encoding="utf-8")) for file in files}
    product = _Product()
    for file, tree in trees.items():
        _learn(file, tree, product)
    return frozenset(code for file, tree in trees.items() for code in _found(file, tree, product))


def _full(name: str, file: Path) -> str:
    return f"{file}:{name}" if name.startswith("_") else name


def _learn(file: Path, tree: ast.Module, product: _Product) -> None:
    for top in tree.body:
        if isinstance(top, ast.Assign | ast.AnnAssign) and top.value is not None:
            for target in top.targets if isinstance(top, ast.Assign) else [top.target]:
                if isinstance(target, ast.Name):
                    product.constants.setdefault(target.id, []).append(top.value)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names = [(arg.arg, arg.annotation) for arg in node.args.args if arg.arg not in {"self", "cls"}]
        elif isinstance(node, ast.ClassDef):
            fields = [field for field in node.body if isinstance(field, ast.AnnAssign)]
            names = [(ast.unparse(field.target), field.annotation) for field in fields]
        else:
            continue
        for index, (name, kind) in enumerate(names):
            if name == "code" and kind is not None and ast.unparse(kind) == "str":
                product.sinks.setdefault(_full(node.name, file), set()).add(index)


def _found(file: Path, tree: ast.Module, product: _Product) -> Iterator[str]:
    inside = _functions(tree)
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef():
                yield from (code for statement in node.body for code in _attribute(statement))
            case ast.Call():
                for value in _passed(node, file, product):
                    yield from _of(value, inside.get(node), product, f"{file}:{node.lineno}")
            case ast.Subscript(slice=ast.Name("code")):
                table = node.value
                tables = product.constants.get(table.id, []) if isinstance(table, ast.Name) else [table]
                for table in tables:
                    if isinstance(table, ast.Dict):
                        yield from (code for key in table.keys if key for code in _strings(key, _KEBAB))
            case ast.Constant(value=str() as text):
                yield from _PRINTED.findall(text)


def _functions(tree: ast.Module) -> dict[ast.AST, ast.AST]:
    """Return the innermost function around each node."""
    functions = [part for part in ast.walk(tree) if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef)]
    return {node: function for function in functions for node in ast.walk(function)}


def _attribute(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.Assign) and any(
        isinstance(target, ast.Name) and target.id == "code" for target in node.targets
    ):
        yield from _strings(node.value, CODE)


def _passed(call: ast.Call, file: Path, product: _Product) -> Iterator[ast.expr]:
    name = _full(call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", ""), file)
    if name not in product.sinks:
        return
    yield from (call.args[index] for index in product.sinks[name] if index < len(call.args))
    yield from (keyword.value for keyword in call.keywords if keyword.arg == "code")


def _of(value: ast.expr, function: ast.AST | None, product: _Product, where: str) -> Iterator[str]:
    """Return the codes that an argument can be; none where it was passed on, and is found where it came from."""
    found = set(_strings(value, CODE))
    for name in (name.id for name in ast.walk(value) if isinstance(name, ast.Name)):
        sources = [*product.constants.get(name, []), *_bound(name, function)]
        found |= {code for source in sources for code in _through(source, product)}
    assert found or _is_passed_on(value), f"{where}: which codes are these? {ast.unparse(value)}"
    yield from found


def _is_passed_on(value: ast.expr) -> bool:
    """Return whether the code was taken from another object."""
    return any(
        (isinstance(attribute, ast.Name) and attribute.id == "code")
        or (isinstance(attribute, ast.Attribute) and attribute.attr == "code")
        for attribute in ast.walk(value)
    )


def _bound(name: str, function: ast.AST | None) -> Iterator[ast.expr]:
    """Return what a local name was given."""
    for node in ast.walk(function) if function is not None else ():
        if isinstance(node, ast.Assign):
            targets = [name for target in node.targets for name in ast.walk(target)]
            if any(isinstance(target, ast.Name) and target.id == name for target in targets):
                yield node.value


def _through(value: ast.expr, product: _Product) -> Iterator[str]:
    """Return the codes in an expression and in the tables that it names; codes have a hyphen."""
    yield from _strings(value, CODE if isinstance(value, ast.Constant) else _KEBAB)
    for name in (name.id for name in ast.walk(value) if isinstance(name, ast.Name)):
        for table in product.constants.get(name, []):
            yield from _strings(table, _KEBAB)


def _strings(value: ast.expr, form: re.Pattern[str]) -> Iterator[str]:
    """Return the strings in an expression that are codes; one that names a kind is described as labels have it."""
    for part in ast.walk(value):
        text = ""
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            text = part.value.replace("{0}", "label").replace("{1}", "labels")
        elif isinstance(part, ast.JoinedStr):
            text = "".join(str(piece.value) if isinstance(piece, ast.Constant) else "label" for piece in part.values)
        if form.fullmatch(text):
            yield text.rstrip("?")
