"""The cells of one row of a CSV text, each with its place (RFC 4180). For places only: values come from Python's `csv`.

A quote within a cell that does not begin with one is text, as `csv` has it; so are spaces, but for those before a cell.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Final, NamedTuple

QUOTE: Final = '"'


class Cell(NamedTuple):
    """A cell: where it begins and ends in the text, its quotes included, and what is in it."""

    begin: int
    end: int
    text: str

    @property
    def quoted(self) -> bool:
        """Whether it stands in quotes."""
        return self.end - self.begin > len(self.text)


def cells_at(text: str, at: int, delimiter: str) -> Iterator[Cell]:
    """The cells of the row that begins at an index; of a broken row those up to where it breaks."""
    cell = _cell(delimiter)
    while found := cell.match(text, at):
        begin, end = found.span(found.lastindex or 0)
        if found.lastindex == 1:
            inner = text[begin + 1 : end - is_closed(text, begin, end)]
            yield Cell(begin, end, inner.replace(QUOTE * 2, QUOTE))
        else:
            yield Cell(begin, end, text[begin:end])
        if not text.startswith(delimiter, end):
            return
        at = end + 1


def is_closed(text: str, begin: int, end: int) -> bool:
    """Whether a cell that begins with a quote has its other one."""
    return text.count(QUOTE, begin, end) % 2 == 0


@cache
def _cell(delimiter: str) -> re.Pattern[str]:
    """Spaces, and then a cell in quotes (1) or without (2)."""
    return re.compile(rf' *(?:("[^"]*(?:""[^"]*)*"?)|([^{re.escape(delimiter)}\r\n]*))')
