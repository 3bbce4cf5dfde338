"""CSV files of leads (`leads_from`): each row becomes the mapping that YAML would have, and is validated like it.

A column is a field of a lead, or `field.part`; which there are follows from the models. RFC 4180; a quote within a cell
that does not begin with one is text, and spaces before a cell are passed over.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final, NamedTuple

from leadstate.config.hints import choice, did_you_mean, keys_at, required_at, shapes_at
from leadstate.config.schema.document import DELIMITERS
from leadstate.config.validate import Checked, check
from leadstate.config.yaml.diagnostics import BREAK, Diagnostics, Place, Source, visible
from leadstate.config.yaml.files import ReadTable
from leadstate.config.yaml.nodes import Node, resolve

AT_ONCE: Final = 1000
"""Rows that are validated together, so that what only that needs does not add up."""
LONGEST_CELL: Final = 131_072
"""Characters, as in Python's `csv`; a longer cell is a quote that is not closed."""
UNSET: Final = "null"
NO_ITEMS: Final = "[]"
_ROW: Final = ("leads", 0)
_BAR: Final = re.compile(r"(?<!\\)\|")


class Mark(NamedTuple):
    """Where something begins; line and column from 0."""

    line: int
    column: int


class Cell(NamedTuple):
    """A cell: what is in it, where it begins, and whether that is a quote."""

    text: str
    mark: Mark
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
        named = file.root.find(("leads_from", index, "file")).place(file.source)
        path, delimiter = file.source.folder / spec.file, DELIMITERS[spec.delimiter]
        source = read(path, diagnostics, named=named, delimiter=delimiter)
        if source is not None:
            shared = {name: _Elsewhere(item.child(name) or item, file.source) for name in spec.shared}
            yield from _checked(source, shared, diagnostics)


def _checked(source: Source, shared: Mapping[str, Node], diagnostics: Diagnostics) -> Iterator[Checked]:
    rows = rows_of(source, diagnostics)
    header = next(rows, None)
    if header is None:
        hint = "begin with a row that names the columns, as in `key,title,person.email`"
        diagnostics.error("empty-file", "nothing is declared in this file", Place(source, 1, 1), hint=hint)
        return
    columns = columns_of(header, source, diagnostics) if header else None
    leads = _leads(source, rows, columns, shared, diagnostics) if columns is not None else iter(())
    while part := list(islice(leads, AT_ONCE)):
        listed = Node([node.value for node in part], Mark(0, 0), None)
        listed.children = part
        yield replace(
            check(_mapping(Mark(0, 0), {"leads": listed}), source, diagnostics), root=Node({}, Mark(0, 0), None)
        )


def rows_of(source: Source, diagnostics: Diagnostics) -> Iterator[list[Cell]]:
    """Return the rows in which something stands, the header among them; an empty one in the place of a broken one."""
    text, delimiter = source.text, source.delimiter
    # Spaces, and then a cell in quotes (1, closed by 2) or without (3).
    pattern = re.compile(rf' *(?:"([^"]*(?:""[^"]*)*)("?)|([^{re.escape(delimiter)}\r\n]*))')
    at = line = line_begins = 0
    while at < len(text):
        cells: list[Cell] = []
        while not cells or text.startswith(delimiter, at):
            found = pattern.match(text, at + bool(cells))
            assert found is not None  # noqa: S101  for mypy: the pattern matches nothing, too
            at, quoted = found.end(), found[3] is None
            begin = found.start(1) - 1 if quoted else found.start(3)
            cell = Cell(found[1].replace('""', '"') if quoted else found[3], Mark(line, begin - line_begins), quoted)
            cells.append(cell)
            if (quoted and not found[2]) or len(cell.text) > LONGEST_CELL:
                _report_endless(cell, source, diagnostics)
                yield []
                return
            for newline in BREAK.finditer(text, begin, at) if quoted else ():
                line, line_begins = line + 1, newline.end()
        end = BREAK.search(text, at)
        if cells[-1].quoted and at < (end.start() if end else len(text)):
            hint = 'write a quote within quotes twice: ""; leave no space between the closing quote and what follows'
            detail = f"it begins here: {_place(cells[-1].mark, source).span}"
            place = Place(source, line + 1, at - line_begins + 1)
            diagnostics.error("text-after-quote", "text follows a quoted cell", place, hint=hint, detail=detail)
            yield []
        elif any(cell.text.strip() for cell in cells):
            yield cells
        at = line_begins = end.end() if end else len(text)
        line += 1


def _report_endless(cell: Cell, source: Source, diagnostics: Diagnostics) -> None:
    """Report a cell after which nobody knows where the next row begins."""
    if len(cell.text) > LONGEST_CELL:
        summary = f"a cell is longer than {LONGEST_CELL:,} characters; what follows was not read"
        hint = "look for a quote that is not closed, or shorten it"
        diagnostics.error("too-long", summary, _place(cell.mark, source), hint=hint)
    else:
        hint = 'add the closing quote; a quote within quotes is written twice: ""'
        diagnostics.error("quote-not-closed", "a quoted cell is not closed", _place(cell.mark, source), hint=hint)


def _leads(
    source: Source,
    rows: Iterator[list[Cell]],
    columns: Sequence[Column],
    shared: Mapping[str, Node],
    diagnostics: Diagnostics,
) -> Iterator[Node]:
    """Return the nodes of the rows that are whole."""
    # A whole field before its parts, so that it is noticed where a row has both.
    order = sorted(enumerate(columns), key=lambda column: bool(column[1].part))
    for cells in filter(None, rows):
        if len(cells) != len(columns):
            place = _place(cells[min(len(columns), len(cells) - 1)].mark, source)
            summary = f"this row has {len(cells)} cells, and the first row has {len(columns)}"
            hint = "leave a cell empty where nothing is declared; put text that holds the delimiter in double quotes"
            diagnostics.error("ragged-row", summary, place, hint=hint)
            continue
        fields = dict(shared)
        for column, cell in ((column, cells[index]) for index, column in order if cells[index].text.strip()):
            node = _node(column, cell)
            if column.part:
                whole = fields.get(column.field) or _mapping(node.marker, {})
                if not isinstance(whole.value, dict):
                    summary = f"this row has both `{column.field}` and `{column.field}.{column.part}`"
                    hint = "leave one of the two cells empty"
                    diagnostics.error("given-twice", summary, node.place(source), hint=hint)
                    break
                node = _mapping(whole.marker, {**whole.children, column.part: node})
            fields[column.field] = node
        else:
            yield _mapping(Mark(cells[0].mark.line, 0), fields)


def _mapping(mark: Mark, children: dict[str, Node]) -> Node:
    node = Node({name: child.value for name, child in children.items()}, mark, None)
    # A cell has no key: its key begins where it does.
    node.children, node.keys = children, {name: child.marker for name, child in children.items()}
    return node


def _node(column: Column, cell: Cell) -> Node:
    text = cell.text.strip()
    value = column.read(text)
    node = Node(value, cell.mark, None if isinstance(value, list) else text)
    if isinstance(value, list):
        first = cell.mark.column + cell.quoted
        node.children = [Node(piece, Mark(cell.mark.line, first + at), piece) for at, piece in _pieces(cell.text)]
    return node


class _Elsewhere(Node):
    """A node of another file, which keeps its place there."""

    __slots__ = ("source",)

    def __init__(self, node: Node, source: Source) -> None:
        super().__init__(node.value, node.marker, node.text)
        self.source = source
        self.children, self.keys = node.children, node.keys

    def child(self, step: str | int) -> Node | None:
        """Return the node below, which is elsewhere too."""
        found = super().child(step)
        return None if found is None else _Elsewhere(found, self.source)

    def place(self, source: Source) -> Place:  # noqa: ARG002  a node does not know its file; this one does
        """Return where it begins in its own file."""
        return super().place(self.source)


def _place(mark: Mark, source: Source) -> Place:
    return Place(source, mark.line + 1, mark.column + 1)


def columns_of(header: Sequence[Cell], source: Source, diagnostics: Diagnostics) -> list[Column] | None:
    """Return the columns, in order; None, with diagnostics, if one is wrong or missing."""
    columns: list[Column] = []
    first: dict[str, Place] = {}
    meant: set[str | None] = set()
    for cell in header:
        name, place = cell.text.strip(), _place(cell.mark, source)
        column = _column(name)
        if not name:
            hint = "give it a name in the first row, or remove it"
            diagnostics.error("column-without-name", "a column has no name", place, hint=hint)
        elif name in first:
            summary, detail = f"the column `{visible(name[:60])}` stands twice", f"first here: {first[name].span}"
            diagnostics.error("duplicate-column", summary, place, hint="keep one of the two", detail=detail)
        elif column is None:
            known = _known_columns()
            meant.add(did_you_mean(name, known))
            hint = _another_delimiter(name) if len(header) == 1 else ""
            meant.update(required_at(_ROW) if hint else ())
            hint = hint or choice(name, known, what="columns")
            diagnostics.error("unknown-column", f"unknown column `{visible(name[:60])}`", place, hint=hint)
        else:
            columns.append(column)
        first.setdefault(name, place)
    missing = [name for name in required_at(_ROW) if name not in first]
    for name in missing:
        if name not in meant:
            hint = f"add a column `{name}`; the first row names the columns"
            place = _place(header[0].mark, source)
            diagnostics.error("missing-column", f"there is no column `{name}`", place, hint=hint)
    return None if missing or len(columns) < len(header) else columns


def _column(name: str) -> Column | None:
    field, dot, part = name.partition(".")
    read = _reader((*_ROW, field, part) if dot else (*_ROW, field))
    return None if read is None or (dot and not part) else Column(field, part, read)


def _reader(loc: Sequence[str | int]) -> Callable[[str], object] | None:
    """Return what reads a cell for the value at this path of a configuration; None if no cell can hold it."""
    shapes = shapes_at(loc)
    types = {shape.get("type") for shape in shapes}
    words = {str(word): word for shape in shapes for word in shape.get("enum", ())}
    if words:
        return lambda text: words.get(text, None if text == UNSET else text)
    if "string" in types:
        return lambda text: None if text == UNSET else text
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


def _another_delimiter(name: str) -> str:
    """Return the fix where the whole header is one cell for want of the right delimiter; nothing where it is not."""
    found = [word for word, delimiter in DELIMITERS.items() if delimiter in name]
    return f'write `leads_from: {{file: …, delimiter: "{found[0]}"}}`' if found else ""


def _known_columns() -> list[str]:
    fields = keys_at(_ROW)
    parts = ((field, [f"{field}.{part}" for part in keys_at((*_ROW, field))]) for field in fields)
    return [name for field, names in parts for name in (field, *names) if _column(name) is not None]
