"""CSV files of leads as checked files: each row becomes the mapping that YAML would have, and meets the same models.

Rows are read and checked a thousand at a time, so that what only the check needs does not add up.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from itertools import islice
from typing import Any, Final

from leadstate.config.csv.cells import Cell
from leadstate.config.csv.columns import Column, columns_of, pieces
from leadstate.config.csv.rows import Mark, Row, cells_in, mark_of, rows_of
from leadstate.config.schema.leads_from import DELIMITERS
from leadstate.config.validate import Checked, check
from leadstate.config.yaml.diagnostics import Diagnostics
from leadstate.config.yaml.files import ReadTable
from leadstate.config.yaml.nodes import Node, place_of
from leadstate.config.yaml.source import Place, Source

AT_ONCE: Final = 1000


def read_tables(file: Checked, diagnostics: Diagnostics, read: ReadTable) -> Iterator[Checked]:
    """The leads of the CSV files that a file names, in parts, each as if it were a file of its own."""
    for index, spec in enumerate(file.document.leads_from):
        item = file.node("leads_from", index)
        named = file.node("leads_from", index, "file").place(file.source)
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
    columns = _columns(source, header, diagnostics)
    if columns is None:
        return
    leads = _Table(source, columns, shared).leads(rows, diagnostics)
    while part := list(islice(leads, AT_ONCE)):
        listed, root = Node([value for _, value in part], Mark(0, 0), None), Node({}, Mark(0, 0), None)
        listed.children = [node for node, _ in part]
        root.value, root.children = {"leads": listed.value}, {"leads": listed}
        yield replace(check(root, source, diagnostics), root=Node({}, root.marker, None))


def _columns(source: Source, header: Row, diagnostics: Diagnostics) -> list[Column] | None:
    cells = cells_in(source, header.at)
    places = [place_of(mark_of(source, header.line, header.at, cell.begin), source) for cell in cells]
    return columns_of(cells, places, diagnostics) if header.texts else None


class _Table:
    """What the rows of one file have in common: its text, the columns, and the fields that stand beside its name."""

    def __init__(self, source: Source, columns: Sequence[Column], shared: Mapping[str, Node]) -> None:
        self.source = source
        self.shared = shared
        # A row is asked for one field after the other.
        self.cells = lru_cache(maxsize=1)(partial(cells_in, source))
        # A whole field before its parts, so that it is noticed where a row has both.
        self.columns = sorted(enumerate(columns), key=lambda column: bool(column[1].part))
        self.width = len(columns)
        self.by_field: dict[str, list[tuple[int, Column]]] = defaultdict(list)
        for index, column in self.columns:
            self.by_field[column.field].append((index, column))

    def leads(self, rows: Iterator[Row], diagnostics: Diagnostics) -> Iterator[tuple["_Lead", dict[str, Any]]]:
        """The node and the value of each row that is whole."""
        for row in rows:
            lead = _Lead(self, row)
            if not row.texts:
                continue
            if len(row.texts) != self.width:
                self._ragged(lead, row, diagnostics)
            elif (value := self._value(lead, row, diagnostics)) is not None:
                yield lead, value

    def _value(self, lead: "_Lead", row: Row, diagnostics: Diagnostics) -> dict[str, Any] | None:
        made: dict[str, Any] = {}
        for index, (field, part, read) in self.columns:
            text = row.texts[index].strip()
            if not text:
                continue
            if not part:
                made[field] = read(text)
            elif isinstance(parts := made.setdefault(field, {}), dict):
                parts[part] = read(text)
            else:
                place = lead.cell_place(lead.cells()[index])
                summary = f"this row has both `{field}` and `{field}.{part}`"
                diagnostics.error("given-twice", summary, place, hint="leave one of the two cells empty")
                return None
        for field, node in self.shared.items():
            made.setdefault(field, node.value)
        return made

    def _ragged(self, lead: "_Lead", row: Row, diagnostics: Diagnostics) -> None:
        cells = lead.cells()
        place = lead.cell_place(cells[self.width] if len(cells) > self.width else cells[-1])
        summary = f"this row has {len(row.texts)} cells, and the first row has {self.width}"
        hint = "leave a cell empty where nothing is declared; put text that holds the delimiter in double quotes"
        diagnostics.error("ragged-row", summary, place, hint=hint)


class _Lead(Node):
    """A row as the node of a lead. What is in it gets nodes only when asked for, which only a few are."""

    __slots__ = ("at", "table")

    def __init__(self, table: _Table, row: Row) -> None:
        super().__init__({}, Mark(row.line, 0), None)
        self.table = table
        self.at = row.at

    def child(self, step: str | int) -> Node | None:
        """The node of a field; that beside the file's name where the row does not have it; None where none is."""
        table = self.table
        columns = table.by_field.get(str(step))
        if columns is not None:
            cells = self.cells()
            written = [(column, cells[index]) for index, column in columns if cells[index].text.strip()]
            if written:
                return self._field(written)
        return table.shared.get(str(step))

    def key_place(self, key: str, source: Source) -> Place:
        """A cell has no key: where the cell begins."""
        return (self.child(key) or self).place(source)

    def cells(self) -> list[Cell]:
        """Its cells."""
        return self.table.cells(self.at)

    def cell_place(self, cell: Cell) -> Place:
        """Where a cell begins."""
        return place_of(self._mark(cell.begin), self.table.source)

    def _mark(self, index: int) -> Mark:
        return mark_of(self.table.source, self.marker.line, self.at, index)

    def _field(self, written: Sequence[tuple[Column, Cell]]) -> Node:
        if not written[0][0].part:
            return self._cell(*written[0])
        parts = {column.part: self._cell(column, cell) for column, cell in written}
        node = Node({part: one.value for part, one in parts.items()}, self._mark(written[0][1].begin), None)
        node.children = parts
        return node

    def _cell(self, column: Column, cell: Cell) -> Node:
        text = cell.text.strip()
        value = column.read(text)
        if not isinstance(value, list):
            return Node(value, self._mark(cell.begin), text)
        node = Node(value, self._mark(cell.begin), None)
        node.children = []
        for at, one in pieces(cell.text):
            node.children.append(Node(one, self._mark(cell.begin + cell.quoted + at), one))
        return node


class _Elsewhere(Node):
    """A node of another file, which keeps its place there."""

    __slots__ = ("source",)

    def __init__(self, node: Node, source: Source) -> None:
        super().__init__(node.value, node.marker, node.text)
        self.source = source
        self.children, self.keys = node.children, node.keys

    def child(self, step: str | int) -> Node | None:
        """The node below, which is elsewhere too."""
        found = super().child(step)
        return None if found is None else _Elsewhere(found, self.source)

    def place(self, source: Source) -> Place:  # noqa: ARG002  a node does not know its file; this one does
        """Where it begins in its own file."""
        return super().place(self.source)
