"""CSV text to rows with their places; what is no CSV is reported, and the row left out (RFC 4180, Python's `csv`)."""

import csv
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from leadstate.config.csv.cells import Cell, cells_at, is_closed
from leadstate.config.yaml.diagnostics import Diagnostics
from leadstate.config.yaml.source import BREAK, Place, Source

_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")


class Mark(NamedTuple):
    """Where something begins; line and column from 0."""

    line: int
    column: int


class Row(NamedTuple):
    """One row: the line and the index at which it begins, and the texts of its cells; none where it is no CSV."""

    line: int
    at: int
    texts: list[str]


def rows_of(source: Source, diagnostics: Diagnostics) -> Iterator[Row]:
    """The rows in which something stands, the header among them, one at a time."""
    lines = _Lines(source.text)
    reader = csv.reader(lines, delimiter=source.delimiter, strict=True, skipinitialspace=True)
    while lines.at < len(source.text):
        line, at = lines.line, lines.at
        try:
            texts = next(reader)
        except csv.Error:
            going_on = _can_go_on(source, line, at, diagnostics)
            yield Row(line, at, [])
            if not going_on:
                return
        else:
            if any(map(str.strip, texts)):
                yield Row(line, at, texts)


def cells_in(source: Source, at: int) -> list[Cell]:
    """The cells of the row that begins at an index."""
    return list(cells_at(source.text, at, source.delimiter))


def mark_of(source: Source, line: int, at: int, index: int) -> Mark:
    """The marker of an index within the row that begins on a line, at an index."""
    before = BREAK.split(source.text[at:index])
    return Mark(line + len(before) - 1, len(before[-1]))


class _Lines:
    """The lines of a text, one at a time, their breaks included; says how far it is."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.line = 0
        self.at = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        found = _LINE.match(self.text, self.at)
        if found is None:
            raise StopIteration
        self.line, self.at = self.line + 1, found.end()
        return found[0]


def _can_go_on(source: Source, line: int, at: int, diagnostics: Diagnostics) -> bool:
    """Report what is wrong with a row; whether it is known where the next one begins."""
    cells = cells_in(source, at)
    broken = cells[-1]

    def place(index: int) -> Place:
        marker = mark_of(source, line, at, index)
        return Place(source, marker.line + 1, marker.column + 1)

    if broken.quoted and not is_closed(source.text, broken.begin, broken.end):
        hint = 'add the closing quote; a quote within quotes is written twice: ""'
        diagnostics.error("quote-not-closed", "a quoted cell is not closed", place(broken.begin), hint=hint)
        return False
    if broken.quoted and source.text[broken.end : broken.end + 1] not in {"", "\n", "\r"}:
        hint = 'a quote within quotes is written twice: ""; no space stands between the closing quote and what follows'
        opened = f"it begins here: {place(broken.begin).span}"
        diagnostics.error("text-after-quote", "text follows a quoted cell", place(broken.end), hint=hint, detail=opened)
        return True
    longest = max(cells, key=lambda cell: len(cell.text))
    summary = f"a cell is longer than {csv.field_size_limit():,} characters; what follows was not read"
    diagnostics.error(
        "too-long", summary, place(longest.begin), hint="look for a quote that is not closed, or shorten it"
    )
    return False
