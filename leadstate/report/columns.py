"""Rows of styled cells under each other. Rich's tables measure every cell several times; this measures each once."""

from collections.abc import Iterable, Iterator, Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.segment import Segment, Segments
from rich.style import Style
from rich.text import Text

Cell = Sequence[tuple[str, str]]
"""Pieces of text, each with its style."""

GAP = 3
NARROWEST = 12
"""The column that folds keeps so many columns of the terminal; where even that does not fit, lines run over."""


def print_rows(console: Console, rows: Sequence[Sequence[Cell]], *, folds: int) -> None:
    """Print rows, each column as wide as its widest cell; one of them folds where the console is too narrow.

    Args:
        console: where to.
        rows: all with the same number of cells.
        folds: which column.
    """
    if not rows:
        return
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    # As in rich's tables: an empty column at the end takes a place all the same.
    widths[-1] = max(1, widths[-1])
    others = sum(widths) - widths[folds] + GAP * (len(widths) - 1)
    widths[folds] = min(widths[folds], max(NARROWEST, console.width - others))
    print_lines(console, (line for row in rows for line in _lines(console, row, widths, folds)))


def print_lines(console: Console, lines: Iterable[Cell]) -> None:
    """Print lines as they are, however long."""
    segments = [
        Segment(text, Style.parse(style) if style else None) for line in lines for text, style in (*line, ("\n", ""))
    ]
    console.print(Segments(segments), end="", crop=False)


def _width(cell: Cell) -> int:
    return sum(cell_len(text) for text, _ in cell)


def _lines(console: Console, row: Sequence[Cell], widths: Sequence[int], folds: int) -> Iterator[Cell]:
    first, *more = [row[folds]] if _width(row[folds]) <= widths[folds] else _folded(console, row[folds], widths[folds])
    cells = [*row[:folds], first, *row[folds + 1 :]]
    line: list[tuple[str, str]] = []
    for cell, width in zip(cells, widths, strict=True):
        line += [*cell, (" " * (width - _width(cell) + GAP), "")]
    yield line
    indent = " " * (sum(widths[:folds]) + GAP * folds)
    for cell in more:
        yield [(indent, ""), *cell]


def _folded(console: Console, cell: Cell, width: int) -> Iterator[Cell]:
    for line in Text.assemble(*cell).wrap(console, width, overflow="fold"):
        yield [(one.text, str(one.style or "")) for one in line.render(console)]
