"""A rich console that writes what it is given and nothing more: no markup, no emoji codes, no guessing at styles.

Rich's own tables measure every cell several times; `print_rows` measures each once.
"""

import io
import itertools
from collections.abc import Callable, Collection, Iterable, Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.segment import Segment, Segments
from rich.style import Style
from rich.text import Text

from leadstate.model.escape import visible

Cell = Sequence[tuple[str, str]]
"""Pieces of text, each with its style."""

GAP = 3
TABLE_GAP = 2
"""Columns between two of a table with headings."""
LEAST = 24
"""The column that folds first keeps so many columns of the terminal while others can become narrower."""
NARROWEST = 12
"""A column keeps so many columns of the terminal; where even that does not fit, lines run over."""


def print_rows(
    console: Console,
    rows: Sequence[Sequence[Cell]],
    *,
    folds: int | None = None,
    whole: Collection[int] = (),
    hangs: Collection[int] = (),
    gap: int = GAP,
) -> None:
    """Print rows, each column as wide as its widest cell; where the console is too narrow, cells fold.

    Args:
        console: where to.
        rows: all with the same number of cells.
        folds: the column that becomes narrower before any other does.
        whole: the columns that do not become narrower.
        hangs: the columns in which the lines of a folded cell begin below its second piece.
        gap: columns of the terminal between two cells.
    """
    if not rows:
        return
    taken = [[cell_width(cell) for cell in row] for row in rows]
    widths = [max(column) for column in zip(*taken, strict=True)]
    # An empty column at the end takes a place all the same.
    widths[-1] = max(1, widths[-1])
    room = console.width - gap * (len(widths) - 1)
    if folds is not None:  # it gives way first, then the widest of all
        widths[folds] = min(widths[folds], max(LEAST, room - sum(widths) + widths[folds]))
    while sum(widths) > room:
        narrower = [at for at, width in enumerate(widths) if width > NARROWEST and at not in whole]
        if not narrower:
            break
        widths[max(narrower, key=widths.__getitem__)] -= 1
    lines: list[Cell] = []
    for row, needs in zip(rows, taken, strict=True):
        if all(need <= width for need, width in zip(needs, widths, strict=True)):
            spaces = ((" " * (width - need + gap), "") for need, width in zip(needs, widths, strict=True))
            lines.append([piece for cell, space in zip(row, spaces, strict=True) for piece in (*cell, space)])
            continue
        folded = (
            _folded(console, cell, width, pieces=1 if column in hangs else 0)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for cells in itertools.zip_longest(*folded, fillvalue=()):
            line: list[tuple[str, str]] = []
            for cell, width in zip(cells, widths, strict=True):
                line += [*cell, (" " * (width - cell_width(cell) + gap), "")]
            lines.append(line)
    _print_lines(console, lines)


def fit(width: int, rows: Sequence[Sequence[Cell]], *, folds: int | None = None) -> bool:
    """Return whether rows fit a terminal; the column that folds may be as narrow as can be read with ease."""
    widths = [max(map(cell_width, column)) for column in zip(*rows, strict=True)]
    if folds is not None:
        widths[folds] = min(widths[folds], LEAST)
    return sum(widths) + GAP * (len(widths) - 1) <= width


def print_folded(console: Console, lines: Iterable[Cell], *, indent: int = 0, hangs: int = 0) -> None:
    """Print lines that are as wide as they are; where the console is too narrow, they fold.

    Args:
        console: where to.
        lines: what.
        indent: columns that stay empty before each.
        hangs: pieces below which nothing of a folded line stands; none means that it folds to its begin.
    """
    room = max(NARROWEST, console.width - indent)
    folded = (part for line in lines for part in _folded(console, line, room, hangs))
    _print_lines(console, ([(" " * indent, ""), *part] for part in folded))


def _print_lines(console: Console, lines: Iterable[Cell]) -> None:
    """Print lines as they are, however long."""
    segments = [
        Segment(text, Style.parse(style) if style else None)
        for line in lines
        for text, style in (*line, ("\n", ""))
        if text
    ]
    console.print(Segments(segments), end="", crop=False)


def cell_width(cell: Cell) -> int:
    """Return how many columns of the terminal a cell takes."""
    return sum([cell_len(text) for text, _ in cell])


def _folded(console: Console, cell: Cell, width: int, pieces: int = 0) -> Sequence[Cell]:
    """Fold a cell so that each line begins behind its first pieces, if that leaves enough of the width."""
    if cell_width(cell) <= width:
        return [cell]
    indent = cell_width(cell[:pieces])
    if width - indent < NARROWEST // 2:
        pieces = indent = 0
    lines = Text.assemble(*cell[pieces:]).wrap(console, width - indent, overflow="fold")
    first, *more = ([(piece.text, str(piece.style or "")) for piece in line.render(console)] for line in lines)
    return [[*cell[:pieces], *first], *([(" " * indent, ""), *line] for line in more)]


def table(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    color: bool,
    width: int,
    dispensable: Sequence[str],
    whole: Collection[str],
    right: Collection[str] = (),
    dim: Collection[int] = (),
) -> tuple[str, list[str]]:
    """Return a table, and the columns for which it is too narrow.

    Args:
        headings: the names of the columns.
        rows: the cells, in the order of the headings.
        color: whether ANSI styles are written.
        width: columns of the terminal.
        dispensable: columns that a narrow terminal does without, in this order.
        whole: columns whose cells do not fold.
        right: columns that are aligned to the right.
        dim: numbers of the rows that are faint.
    """
    shown = {name: [visible(row[at]) for row in rows] for at, name in enumerate(headings)}
    least = {name: max(cell_len(text) for text in (name, *cells)) for name, cells in shown.items()}
    least |= {name: min(least[name], NARROWEST) for name in shown if name not in whole}
    left_out = []
    for name in dispensable:
        if name in shown and sum(least[left] + TABLE_GAP for left in shown) - TABLE_GAP > width:
            del shown[name]
            left_out.append(name)
    columns = [
        [text.rjust(least[name]) if name in right else text for text in (name, *cells)] for name, cells in shown.items()
    ]
    styles = ["bold", *("dim" if number in dim else "" for number in range(len(rows)))]
    lines = [[[(cell, style)] for cell in cells] for style, *cells in zip(styles, *columns, strict=True)]
    held = {at for at, name in enumerate(shown) if name in whole}
    text = draw(lambda console: print_rows(console, lines, whole=held, gap=TABLE_GAP), color=color, width=width)
    return text, left_out


def draw(show: Callable[[Console], None], *, color: bool, width: int) -> str:
    """Return what `show` prints, without white space at line ends.

    Args:
        show: prints to the console it is given.
        color: whether ANSI styles are written.
        width: columns that lines are folded to.
    """
    out = io.StringIO()
    show(
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
