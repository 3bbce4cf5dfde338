"""What a layout is made of: a value as it is written, and one entry of a list or mapping as lines."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from leadstate.config.layout.key_order import Shape, below
from leadstate.config.layout.remarks import Remark
from leadstate.config.text.spans import Entry, Spot


class Part(NamedTuple):
    """A value: where it is written, what it is, and what the schema says of it."""

    spot: Spot
    value: Any
    shape: Shape

    @property
    def on_lines(self) -> bool:
        """Whether it is a list or mapping that stands on lines of its own."""
        return bool(self.spot.entries) and not self.spot.flow

    def parts(self, until: int) -> "Iterator[tuple[Entry, Part, int]]":
        """Each entry of a list or mapping, its value, and where the next one begins; after the last, `until`."""
        entries = self.spot.entries or []
        begins = [*(one.begin for one in entries), until]
        for index, one in enumerate(entries):
            inner = below(self.shape, one.name if self.spot.is_mapping else None)
            value = self.value[one.name if self.spot.is_mapping else index]
            yield one, Part(one.value, value, inner), begins[index + 1]


@dataclass(slots=True)
class Piece:
    """One entry, laid out.

    Attributes:
        name: the key; of a list's item, nothing.
        above: the comments and blank lines above it.
        lines: its lines.
        behind: a comment behind its first line, where others are below a key, else behind its last.
        is_head: whether that is its first line.
    """

    name: str
    above: list[str]
    lines: list[str]
    behind: Remark | None = None
    is_head: bool = False

    def whole(self, after: str = "") -> list[str]:
        """All its lines; what comes after it stands before the comment."""
        at = 0 if self.is_head else -1
        self.lines[at] = with_remark(self.lines[at] + after, self.behind)
        return self.above + self.lines


def with_remark(line: str, remark: Remark | None) -> str:
    """The comment behind the line: in its old column, or where the line is longer, one space behind it."""
    return line if remark is None else line + " " * max(1, remark.column - len(line)) + remark.text


def from_first(lines: list[str]) -> list[str]:
    """The lines without blank ones at the beginning."""
    return lines[next((at for at, line in enumerate(lines) if line), len(lines)) :]
