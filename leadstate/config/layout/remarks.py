"""The comments and blank lines of a YAML text, which its events do not tell: what stands between the values."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from leadstate.config.text.lines import Lines
from leadstate.config.text.spans import Spot


class Remark(NamedTuple):
    """A comment, or a blank line.

    Attributes:
        at: where it begins in the text.
        column: where it begins in its line.
        text: with its `#`; empty for a blank line.
        alone: whether nothing stands before it in its line.
    """

    at: int
    column: int
    text: str
    alone: bool


class Remarks:
    """The remarks of a text, taken one after the other as they stand."""

    def __init__(self, text: str, root: Spot) -> None:
        self._found = list(find_remarks(text, root))
        self._next = 0

    def peek(self, before: int) -> Remark | None:
        """The next one, where it stands before a place."""
        found = self._found[self._next] if self._next < len(self._found) else None
        return found if found is not None and found.at < before else None

    def take(self, before: int) -> Iterator[Remark]:
        """All that stand before a place and have not been taken."""
        while (found := self.peek(before)) is not None:
            self._next += 1
            yield found

    def take_behind(self, begin: int, end: int) -> Remark | None:
        """The next one, where it is a comment behind something, from one place to another."""
        found = self.peek(end + 1)
        if found is None or found.alone or found.at < begin:
            return None
        self._next += 1
        return found

    def take_nearer(self, before: int, column: int, others: Iterable[int], *, in_doubt: bool) -> Iterator[Remark]:
        """Comments alone in their lines that are indented more like one column than others, blank lines between them.

        Args:
            before: only what stands before this place.
            column: the one column.
            others: the others.
            in_doubt: whether one that is as near to another column is taken.
        """
        others, blank = tuple(others), None
        at = self._next
        while at < len(self._found) and (one := self._found[at]).at < before and one.alone:
            at += 1
            if not one.text:
                blank = one
                continue
            mine, theirs = abs(one.column - column), min(abs(one.column - other) for other in others)
            if mine > theirs or (mine == theirs and not in_doubt):
                return
            if blank is not None:
                yield blank
                blank = None
            self._next = at
            yield one


def find_remarks(text: str, root: Spot) -> Iterator[Remark]:
    """Every remark, in order. What follows a `#` between two values is a comment, whatever stands before the `#`."""
    lines, at = Lines(text), 0
    for begin, end in (*_written(root), (len(text), len(text))):
        yield from _between(text, lines, at, begin)
        at = end


def _written(spot: Spot) -> Iterator[tuple[int, int]]:
    """Where each scalar, key and alias begins and ends; what is not written is nowhere."""
    for entry in spot.entries or ():
        if entry.key_end is not None:
            yield entry.begin, entry.key_end
        yield from _written(entry.value)
    if spot.entries is None and spot.begin < spot.end:
        yield spot.begin, spot.end


def _between(text: str, lines: Lines, at: int, end: int) -> Iterator[Remark]:
    while at <= end:
        begin, stop = lines.begin(at), lines.end(at)
        comment = text.find("#", at, min(stop, end))
        if comment >= 0:
            yield Remark(comment, comment - begin, text[comment:stop].rstrip(), not text[begin:comment].strip())
        elif at == begin and stop < end and not text[begin:stop].strip():
            yield Remark(at, 0, "", alone=True)
        if stop >= end:
            return
        at = lines.next(stop)
