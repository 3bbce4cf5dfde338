"""A rich console that writes what it is given and nothing more: no markup, no emoji codes, no guessing at styles.

Rich's tables measure every cell several times; `print_rows` measures each once.
"""

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import zip_longest

from rich.cells import cell_len
from rich.console import Console
from rich.segment import Segment, Segments
from rich.style import Style
from rich.text import Text

Cell = Sequence[tuple[str, str]]
"""Pieces of text, each with its style."""

GAP = 3
NARROWEST = 12
"""A column keeps so many columns of the terminal; where even that does not fit, lines run over."""


def print_rows(console: Console, rows: Sequence[Sequence[Cell]], *, folds: int) -> None:
    """Print rows, each column as wide as its widest cell; where the console is too narrow, cells fold.

    Args:
        console: where to.
        rows: all with the same number of cells.
        folds: the column that becomes narrower before any other does.
    """
    if not rows:
        return
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    # As in rich's tables: an empty column at the end takes a place all the same.
    widths[-1] = max(1, widths[-1])
    widths = _fitting(widths, console.width - GAP * (len(widths) - 1), folds)
    print_lines(console, (line for row in rows for line in _lines(console, row, widths)))


def _fitting(widths: Sequence[int], room: int, folds: int) -> list[int]:
    """Return the widths of columns in so much room: one gives way first, then the widest of the others."""
    found = list(widths)
    found[folds] = min(found[folds], max(NARROWEST, room - sum(widths) + widths[folds]))
    while sum(found) > room:
        widest = max(range(len(found)), key=found.__getitem__)
        if found[widest] <= NARROWEST:
            break
        found[widest] -= 1
    return found


def print_lines(console: Console, lines: Iterable[Cell]) -> None:
    """Print lines as they are, however long."""
    segments = [
        Segment(text, Style.parse(style) if style else None) for line in lines for text, style in (*line, ("\n", ""))
    ]
    console.print(Segments(segments), end="", crop=False)


def _width(cell: Cell) -> int:
    return sum(cell_len(text) for text, _ in cell)


def _lines(console: Console, row: Sequence[Cell], widths: Sequence[int]) -> Iterator[Cell]:
    folded = [_folded(console, cell, width) for cell, width in zip(row, widths, strict=True)]
    for cells in zip_longest(*folded, fillvalue=()):
        line: list[tuple[str, str]] = []
        for cell, width in zip(cells, widths, strict=True):
            line += [*cell, (" " * (width - _width(cell) + GAP), "")]
        yield line


def _folded(console: Console, cell: Cell, width: int) -> Sequence[Cell]:
    if _width(cell) <= width:
        return [cell]
    return [
        [(piece.text, str(piece.style or "")) for piece in line.render(console)]
        for line in Text.assemble(*cell).wrap(console, width, overflow="fold")
    ]


def drawn(draw: Callable[[Console], None], *, color: bool, width: int) -> str:
    """What `draw` prints, without white space at line ends.

    Args:
        draw: prints to the console it is given.
        color: whether ANSI styles are written.
        width: columns that lines are folded to.
    """
    out = io.StringIO()
    draw(
        Console(
            file=out,
            width=width,
            force_terminal=color,
            no_color=not color,
            color_system="standard" if color else None,
            highlight=False,
            markup=False,
            emoji=False,
            legacy_windows=False,
        )
    )
    return "".join(line.rstrip() + "\n" for line in out.getvalue().splitlines())
