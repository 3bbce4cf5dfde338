"""The canonical layout of a YAML text (docs/decisions/0014): its values, comments and anchors, laid out anew.

Walks over what is written in the order in which it stands, so that each comment goes with the line it belongs to; then
the keys are put in order.
"""

import re
from typing import Any, Final

from leadstate.config.layout.key_order import order_of
from leadstate.config.layout.pieces import Part, Piece, from_first, with_remark
from leadstate.config.layout.remarks import Remark, Remarks
from leadstate.config.schema.document import Document
from leadstate.config.text.lines import Lines
from leadstate.config.text.spans import Entry, Spot, read_spots
from leadstate.config.writing.spelling import written

_STEP: Final = 2
_BREAK: Final = re.compile(r"\r\n|\n|\r")
_BEGINS: Final = re.compile(r"^---(?=\s|$)", re.MULTILINE)
_TEXT_BLOCK: Final = re.compile(r"[|>]-?([1-9]?)-?(?=\s)")
"""How a text of several lines begins; one that keeps the blank lines behind it (`+`) is written in quotes."""


def lay_out(text: str, value: Any) -> str:
    """The text in canonical layout.

    Args:
        text: a text that `nodes.read_nodes` has read without a finding.
        value: what it means.

    Raises:
        UnwritableError: a value cannot be written.
    """
    root = read_spots(text)
    return "\n".join(_Layout(text, root).document(Part(root, value, Document))) + "\n"


def _anchored(spot: Spot, text: str) -> str:
    """A value with its anchor before it."""
    return text if spot.anchor is None else f"&{spot.anchor} {text}".rstrip()


def _any_shared(spot: Spot) -> bool:
    return spot.shared or any(_any_shared(entry.value) for entry in spot.entries or ())


class _Layout:
    def __init__(self, text: str, root: Spot) -> None:
        self.text = text
        self.lines = Lines(text)
        self.remarks = Remarks(text, root)
        self.sorting = not _any_shared(root)
        """An anchor has to stand before its aliases, so keys stay in their order where there are any."""
        self.columns: list[int] = []
        """Where the lists and mappings that are being laid out began in their lines, the outermost first."""

    def document(self, root: Part) -> list[str]:
        """All lines of the text."""
        begins = _BEGINS.search(self.text, 0, root.spot.begin)
        found = self._above(begins.start(), 0) if begins else []
        if begins:
            found.append(with_remark("---", self._behind(begins.end())))
        if root.on_lines:
            pieces, _ = self._pieces(root, 0, len(self.text))
            # What stands above the first key is about the file, as far as a blank line sets it apart.
            head = pieces[0].above
            last = max((at for at, line in enumerate(head) if not line), default=len(head) - 1) + 1
            found += head[:last]
            pieces[0].above = head[last:]
            pieces = self._in_order(pieces, root)
            for piece in pieces[1:]:
                if isinstance(root.value[piece.name], list | dict | None) and "" not in piece.above:
                    piece.above.insert(0, "")
            found += from_first([line for piece in pieces for line in piece.whole()])
        else:
            found += [*self._above(root.spot.begin, 0), *self._value(root, 0, flow=False)]
        found += self._above(len(self.text), 0)
        return from_first(from_first(found)[::-1])[::-1]

    def _above(self, before: int, column: int) -> list[str]:
        """The comments and blank lines before a place, as lines of their own."""
        found: list[str] = []
        for one in self.remarks.take(before):
            if one.text or found[-1:] != [""]:
                found.append(" " * column + one.text if one.text else "")
        return found

    def _behind(self, at: int, before: int | None = None) -> Remark | None:
        """The comment behind a place in its line, or behind it and before another."""
        end = self.lines.end(at)
        return self.remarks.take_behind(at, end if before is None else min(max(at, before), end))

    def _block(self, part: Part, column: int, until: int) -> tuple[list[Piece], list[str]]:
        """A list or mapping on lines of its own: its entries, and the comments behind the last one.

        Args:
            part: what it is.
            column: where it goes.
            until: where the next entry of what it is in begins.
        """
        pieces, tail = self._pieces(part, column, until)
        return self._in_order(pieces, part), tail

    def _pieces(self, part: Part, column: int, until: int) -> tuple[list[Piece], list[str]]:
        """The same, the entries as they stand."""
        pieces = []
        spot = part.spot
        self.columns.append(spot.column)
        for entry, inner, end in part.parts(until):
            above = self._above(entry.begin, column)
            piece = self._key(entry, inner, column, end) if spot.is_mapping else self._item(inner, column, end)
            piece.above[:0] = above
            pieces.append(piece)
        self.columns.pop()
        if not self.columns:
            return pieces, []
        nearer = self.remarks.take_nearer(until, spot.column, self.columns, in_doubt=until == len(self.text))
        return pieces, [" " * column + one.text if one.text else "" for one in nearer]

    def _key(self, entry: Entry, part: Part, column: int, until: int) -> Piece:
        at = entry.key_end or entry.begin
        line = " " * column + self._name(entry, flow=False) + ":"
        if not part.on_lines:
            piece = self._leaf(part, line, column, at)
            piece.name = entry.name
            return piece
        behind = self._behind(at)
        pieces, tail = self._block(part, column + _STEP, until)
        lines = from_first([line for piece in pieces for line in piece.whole()])
        return Piece(
            entry.name, [], [f"{line} {_anchored(part.spot, '')}".rstrip(), *lines, *tail], behind, is_head=True
        )

    def _item(self, part: Part, column: int, until: int) -> Piece:
        dash = " " * column + "-"
        if not part.on_lines:
            return self._leaf(part, dash, column, part.spot.begin)
        pieces, tail = self._block(part, column + _STEP, until)
        above: list[str] = []
        if part.spot.anchor is None:
            above, pieces[0].above = [line[_STEP:] for line in pieces[0].above if line], []
        lines = from_first([line for piece in pieces for line in piece.whole()])
        if part.spot.anchor is None:
            lines[0] = dash + " " + lines[0][column + _STEP :]
        else:
            lines.insert(0, f"{dash} {_anchored(part.spot, '')}")
        return Piece("", above, [*lines, *tail])

    def _leaf(self, part: Part, before: str, column: int, at: int) -> Piece:
        """A key or dash with a scalar, or with what stands in brackets, and the comment behind it."""
        spot = part.spot
        behind = self._behind(at, spot.begin)
        above = self._above(spot.begin, column) if spot.begin < spot.end else []
        first, *rest = self._value(part, column, flow=False)
        after = self._behind(max(at, spot.end))
        if behind is not None and after is not None:
            above.insert(0, " " * column + behind.text)
        return Piece("", above, [f"{before} {first}" if first else before, *rest], after or behind)

    def _value(self, part: Part, column: int, *, flow: bool) -> list[str]:
        """A scalar, or what stands in brackets.

        Args:
            part: what it is.
            column: that of the list or mapping on lines which it is in; within brackets, that of its line.
            flow: whether it stands within brackets.
        """
        spot = part.spot
        text = self.text[spot.begin : spot.end]
        if spot.flow:
            first, *rest = self._in_brackets(part, column if flow or not self.columns else column + _STEP)
        elif not spot.quote and (block := _TEXT_BLOCK.match(text)):
            first, *rest = self._text_block(spot, column, int(block[1] or 0))
        else:
            again = spot.quote or _BREAK.search(text) or (flow and not text)
            first, rest = written(part.value, flow=flow) if again else text, []
        return [_anchored(spot, first), *rest]

    def _text_block(self, spot: Spot, column: int, said: int) -> list[str]:
        """A text of several lines: indented like the rest, else as it is."""
        header, *lines = _BREAK.split(self.text[spot.begin : self.lines.end(spot.end)])
        first = next((line for line in lines if line.strip(" ")), "")
        old = self.columns[-1] + said if said else len(first) - len(first.lstrip(" "))
        indent = " " * (column + (said or _STEP))
        return [header.rstrip(), *(indent + line[old:] if line[old:] else "" for line in lines)]

    def _in_brackets(self, part: Part, column: int) -> list[str]:
        """On one line where it stands on one; else a line an entry, the last bracket in the column."""
        spot, inner = part.spot, " " * (column + _STEP)
        pieces = []
        for entry, one, until in part.parts(spot.end):
            key = self._name(entry, flow=True) + ": " if spot.is_mapping else ""
            above = self._above(max(entry.begin, one.spot.begin), column + _STEP)
            first, *rest = self._value(one, column + _STEP, flow=True)
            behind = self._behind(max(entry.key_end or 0, one.spot.end), until)
            pieces.append(Piece(entry.name, [line for line in above if line], [inner + key + first, *rest], behind))
        tail = [line for line in self._above(spot.end, column + _STEP) if line]
        pieces = self._in_order(pieces, part)
        begin, end = "{}" if spot.is_mapping else "[]"
        if not _BREAK.search(self.text, spot.begin, spot.end) or not (pieces or tail):
            return [begin + ", ".join(piece.lines[0].lstrip() for piece in pieces) + end]
        lines = [line for piece in pieces for line in piece.whole("," if piece is not pieces[-1] else "")]
        return [begin, *lines, *tail, " " * column + end]

    def _name(self, entry: Entry, *, flow: bool) -> str:
        """A key."""
        text = self.text[entry.begin : entry.key_end]
        if text.startswith("*"):
            return text + " "
        return written(entry.name, flow=flow) if text[:1] in "'\"|>" or _BREAK.search(text) else text

    def _in_order(self, pieces: list[Piece], part: Part) -> list[Piece]:
        """The entries of a mapping in the order of the schema; what it does not know comes last, as it was."""
        if not self.sorting or not part.spot.is_mapping:
            return pieces
        order = order_of(part.shape)
        return sorted(pieces, key=lambda piece: order.index(piece.name) if piece.name in order else len(order))
