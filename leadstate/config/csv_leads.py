"""CSV files of leads (`leads_from`): each row becomes the mapping that YAML would have, and is validated like it.

A column is a field of a lead, or `field.part`; which there are follows from the models. RFC 4180, as Python's `csv`
reads it strictly; spaces before a cell are passed over.
"""

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Final, NamedTuple

from leadstate.config.messages import choice, keys_at, required_at, shapes_at
from leadstate.config.schema.document import DELIMITERS
from leadstate.config.validate import Checked, check
from leadstate.config.yaml.diagnostics import BREAK, LINE, Diagnostics, Place, Source, shown
from leadstate.config.yaml.files import ReadTable
from leadstate.config.yaml.nodes import Node, resolve

AT_ONCE: Final = 1000
"""Rows that are validated together, so that what only that needs does not add up."""
UNSET: Final = "null"
NO_ITEMS: Final = "[]"
_ROW: Final = ("leads", 0)
_BAR: Final = re.compile(r"(?<!\\)\|")
_BROKEN: Final = {
    "unexpected end": (
        "quote-not-closed",
        "a quoted cell of this row is not closed",
        'add the closing quote; a quote within quotes is written twice: ""',
    ),
    "field larger": (
        "too-long",
        "a cell of this row is too long; what follows was not read",
        "look for a quote that is not closed, or shorten it",
    ),
    "expected after": (
        "text-after-quote",
        "text follows a quoted cell of this row",
        'write a quote within quotes twice: ""; leave no space between the closing quote and what follows',
    ),
}
"""Words of the message of a `csv.Error` → code, summary and hint."""


class Cell(NamedTuple):
    """A cell: what is in it, where it begins, and whether that is a quote."""

    text: str
    place: Place
    quoted: bool


class Column(NamedTuple):
    """A column: the field of a lead, the part of it (empty for the whole), and what the text of a cell means."""

    field: str
    part: str
    read: Callable[[str], object]


def read_tables(file: Checked, diagnostics: Diagnostics, read: ReadTable) -> Iterator[Checked]:
    """Read the CSV files that a file names; return their leads in parts, each as if it were a file of its own."""
    for index, spec in enumerate(file.document.leads_from):
        item = file.root.find(("leads_from", index))
        named = item.find(("file",)).place
        source = read(named.source.folder / spec.file, diagnostics, named, DELIMITERS[spec.delimiter])
        leads = iter(()) if source is None else _leads(source, diagnostics)
        while source is not None and (part := list(islice(leads, AT_ONCE))):
            top = Place(source, 1, 1)
            listed = Node([{**spec.shared, **lead.value} for lead in part], top, None)
            listed.children = dict(enumerate(part))
            checked = check(_mapping(top, {"leads": listed}), diagnostics)
            yield replace(checked, root=Node({}, top, None), shared=item)


def _leads(source: Source, diagnostics: Diagnostics) -> Iterator[Node]:
    """Return the nodes of the rows that are whole."""
    rows = read_rows(source, diagnostics)
    header = next(rows, None)
    if header is None:
        hint = "begin with a row that names the columns, as in `key,title,person.email`"
        diagnostics.error("empty-file", "nothing is declared in this file", Place(source, 1, 1), hint=hint)
    columns = read_columns(header, diagnostics) if header else []
    # A whole field before its parts, so that it is noticed where a row has both.
    order = sorted(enumerate(columns), key=lambda column: bool(column[1].part))
    for cells in filter(None, rows if columns else ()):
        if len(cells) != len(columns):
            place = cells[min(len(columns), len(cells) - 1)].place
            summary = f"this row has {len(cells)} cells, and the first row has {len(columns)}"
            hint = "leave a cell empty where nothing is declared; put text that holds the delimiter in double quotes"
            diagnostics.error("ragged-row", summary, place, hint=hint)
            continue
        fields: dict[str, Node] = {}
        for column, cell in ((column, cells[index]) for index, column in order if cells[index].text.strip()):
            node, whole = _node(column, cell), fields.get(column.field)
            if column.part and whole is not None and not isinstance(whole.value, dict):
                summary = f"this row has both `{column.field}` and `{column.field}.{column.part}`"
                diagnostics.error("given-twice", summary, node.place, hint="leave one of the two cells empty")
                break
            if column.part:
                parts = (whole and whole.children) or {}
                node = _mapping(whole.place if whole else node.place, {**parts, column.part: node})
            fields[column.field] = node
        else:
            yield _mapping(cells[0].place._replace(column=1), fields)


def read_rows(source: Source, diagnostics: Diagnostics) -> Iterator[list[Cell]]:
    """Return the rows in which something stands, the header among them; an empty one in the place of a broken one."""
    lines = LINE.findall(source.text)
    reader = csv.reader(lines, delimiter=source.delimiter, skipinitialspace=True, strict=True)
    while (begin := reader.line_num) < len(lines):
        try:
            texts = next(reader)
        except csv.Error as problem:
            code, summary, hint = next(known for words, known in _BROKEN.items() if words in str(problem))
            diagnostics.error(code, summary, Place(source, begin + 1, 1), hint=hint)
            yield []
            if code == "too-long":
                return
            continue
        if any(text.strip() for text in texts):
            yield _cells(texts, "".join(lines[begin : reader.line_num]), Place(source, begin + 1, 1))


def _cells(texts: Sequence[str], row: str, place: Place) -> list[Cell]:
    """Return the cells of a row with their places; the text of the row begins at `place`."""
    cells: list[Cell] = []
    begin = at = 0
    for text in texts:
        while row.startswith(" ", at):
            at += 1
        quoted = row.startswith('"', at)
        *above, last = BREAK.split(row[begin:at])
        place = Place(place.source, place.line + len(above), len(last) + (1 if above else place.column))
        cells.append(Cell(text, place, quoted))
        begin = at
        at += len(text) + (2 + text.count('"') if quoted else 0) + 1
    return cells


def _mapping(place: Place, children: Mapping[str, Node]) -> Node:
    # A cell has no key: its key begins where it does.
    keys = {name: child.place for name, child in children.items()}
    return Node({name: child.value for name, child in children.items()}, place, None, children, keys)


def _node(column: Column, cell: Cell) -> Node:
    text = cell.text.strip()
    value = column.read(text)
    node = Node(value, cell.place, None if isinstance(value, list) else text)
    if isinstance(value, list):
        first = cell.place.column + cell.quoted
        pieces = (Node(piece, cell.place._replace(column=first + at), piece) for at, piece in _pieces(cell.text))
        node.children = dict(enumerate(pieces))
    return node


def read_columns(header: Sequence[Cell], diagnostics: Diagnostics) -> list[Column]:
    """Return the columns, in order; none, with diagnostics, if one is wrong or missing."""
    columns: list[Column] = []
    first: dict[str, Place] = {}
    for cell in header:
        name, place = cell.text.strip(), cell.place
        column = _column(name)
        if name in first:
            summary, detail = f"the column {shown(name)} appears twice", f"first here: {first[name].span}"
            diagnostics.error("duplicate-column", summary, place, hint="keep one of the two", detail=detail)
        elif column is None:
            advice = partial(_column_hint, name, is_alone=len(header) == 1)
            diagnostics.error("unknown-column", f"unknown column {shown(name)}", place, hint=advice)
        else:
            columns.append(column)
        first.setdefault(name, place)
    if len(columns) < len(header):
        return []
    missing = [name for name in required_at(_ROW) if name not in first]
    for name in missing:
        hint = f"add a column `{name}`; the first row names the columns"
        diagnostics.error("missing-column", f"there is no column `{name}`", header[0].place, hint=hint)
    return [] if missing else columns


def _column_hint(name: str, *, is_alone: bool) -> str:
    """Return what to write in place of an unknown column: another delimiter, or a column that there is."""
    if name.startswith("sep="):
        return "remove this line, which is for Excel alone, and name the delimiter in `leads_from`"
    for word, delimiter in DELIMITERS.items():
        if is_alone and delimiter in name:
            return f'write `leads_from: {{file: …, delimiter: "{word}"}}`'
    return choice(name, _known_columns(), what="columns")


def _column(name: str) -> Column | None:
    field, dot, part = name.partition(".")
    read = _reader((*_ROW, field, part) if dot else (*_ROW, field))
    return None if read is None or (dot and not part) else Column(field, part, read)


def _reader(loc: Sequence[str | int]) -> Callable[[str], object] | None:
    """Return what reads a cell for the value at this path of a configuration; None if no cell can hold it."""
    shapes = shapes_at(loc)
    types = {shape.get("type") for shape in shapes}
    words = {str(word): word for shape in shapes for word in shape.get("enum", ())}
    if words or "string" in types:
        return lambda text: words.get(text, None if text == UNSET else text)
    if "array" in types:
        return lambda text: None if text == UNSET else [piece for _, piece in _pieces(text)]
    return _scalar if types & {"integer", "number", "boolean", "null"} else None


def _scalar(text: str) -> object:
    value = resolve(text)
    return text if value is None and text != UNSET else value


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    """Return the items of a list in one cell, with where each begins: `|` between them, a backslash before others."""
    begin = 0
    for piece in _BAR.split(text) if text.strip() != NO_ITEMS else ():
        yield begin + len(piece) - len(piece.lstrip()), piece.replace(r"\|", "|").strip()
        begin += len(piece) + 1


def _known_columns() -> list[str]:
    fields = keys_at(_ROW)
    parts = ((field, [f"{field}.{part}" for part in keys_at((*_ROW, field))]) for field in fields)
    return [name for field, names in parts for name in (field, *names) if _column(name) is not None]
