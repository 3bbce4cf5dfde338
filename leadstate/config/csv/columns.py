"""The header of a CSV file of leads: what each column is, and how the text of a cell becomes the value that YAML has.

Which columns there can be follows from the models: a field, or `field.part`. Nothing here knows a field by its name.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from leadstate.config.csv.cells import Cell
from leadstate.config.schema.leads_from import DELIMITERS
from leadstate.config.suggest import choice, did_you_mean, keys_at, required_at, shapes_at
from leadstate.config.yaml.diagnostics import Diagnostics, visible
from leadstate.config.yaml.scalars import resolve
from leadstate.config.yaml.source import Place

UNSET: Final = "null"
NO_ITEMS: Final = "[]"
_LEAD: Final = ("leads", 0)
_BAR: Final = re.compile(r"(?<!\\)\|")


class Column(NamedTuple):
    """A column: the field of a lead, the part of it (empty for the whole), and what the text of a cell means."""

    field: str
    part: str
    read: Callable[[str], object]


def columns_of(header: Sequence[Cell], places: Sequence[Place], diagnostics: Diagnostics) -> list[Column] | None:
    """The columns, in order; None, and diagnostics, where one is wrong or missing."""
    columns: list[Column] = []
    first: dict[str, Place] = {}
    meant: set[str | None] = set()
    for cell, place in zip(header, places, strict=True):
        name = cell.text.strip()
        column = _column(name)
        if not name:
            hint = "give it a name in the first row, or remove it"
            diagnostics.error("column-without-name", "a column has no name", place, hint=hint)
        elif name in first:
            summary, detail = f"the column `{visible(name[:60])}` stands twice", f"first here: {first[name].span}"
            diagnostics.error("duplicate-column", summary, place, hint="keep one of the two", detail=detail)
        elif column is None:
            meant.add(did_you_mean(name, _known()))
            hint = _another_delimiter(name) if len(header) == 1 else ""
            meant.update(required_at(_LEAD) if hint else ())
            hint = hint or choice(name, _known(), what="columns")
            diagnostics.error("unknown-column", f"unknown column `{visible(name[:60])}`", place, hint=hint)
        else:
            columns.append(column)
        first.setdefault(name, place)
    missing = [name for name in required_at(_LEAD) if name not in first]
    for name in missing:
        if name not in meant:
            hint = f"add a column `{name}`; the first row names the columns"
            diagnostics.error("missing-column", f"there is no column `{name}`", places[0], hint=hint)
    return None if missing or len(columns) < len(header) else columns


def pieces(text: str) -> Iterator[tuple[int, str]]:
    """The items of a list in one cell, and where each begins: `|` between them, a backslash before others."""
    begin = 0
    for one in _BAR.split(text) if text != NO_ITEMS else ():
        yield begin + len(one) - len(one.lstrip()), one.replace(r"\|", "|").strip()
        begin += len(one) + 1


def _column(name: str) -> Column | None:
    field, dot, part = name.partition(".")
    read = _reading((*_LEAD, field, part) if dot else (*_LEAD, field))
    return None if read is None or (dot and not part) else Column(field, part, read)


def _reading(loc: Sequence[str | int]) -> Callable[[str], object] | None:
    """How to read a cell for the value at this path of a configuration; None where no cell can hold it."""
    shapes = shapes_at(loc)
    types = {shape.get("type") for shape in shapes}
    words = {str(word): word for shape in shapes for word in shape.get("enum", ())}
    if words:
        return lambda text: words.get(text, None if text == UNSET else text)
    if "string" in types:
        return lambda text: None if text == UNSET else text
    if "array" in types:
        return lambda text: None if text == UNSET else [one for _, one in pieces(text)]
    if types & {"integer", "number", "boolean", "null"}:
        return _scalar
    return None


def _scalar(text: str) -> object:
    value = resolve(text)
    return text if value is None and text != UNSET else value


def _another_delimiter(name: str) -> str:
    """The fix where the whole header is one cell for want of the right delimiter."""
    found = [word for word, one in DELIMITERS.items() if one in name]
    return f'write `leads_from: {{file: …, delimiter: "{found[0]}"}}`' if found else ""


def _known() -> list[str]:
    """Every column that has a name of its own."""
    names = (
        name for field in keys_at(_LEAD) for name in (field, *(f"{field}.{part}" for part in keys_at((*_LEAD, field))))
    )
    return [name for name in names if _column(name) is not None]
