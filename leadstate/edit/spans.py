"""Where each value and line of a YAML text begins and ends, so that one can be replaced and all else stays as it is.

For texts that `nodes.read_nodes` has read without a diagnostic; does not interpret values.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from leadstate.config.yaml.diagnostics import BREAK
from leadstate.config.yaml.events import ALIAS, END, MAPPING, SCALAR, SEQUENCE, events_of

_REST: Final = re.compile(r"[^\r\n]*")
_TO_COLON: Final = re.compile(r"\s*:")
_ANCHOR: Final = re.compile(r"&\S+\s*")
_BLOCK_TEXT: Final = "|>"
_COMMENT: Final = re.compile(r"(?:\r\n|\n|\r)([ \t]*)#[^\r\n]*")


class Lines:
    """The lines of one text; every place is an index into it.

    Attributes:
        text: the text.
        newline: how its lines end.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        found = BREAK.search(text)
        self.newline = found[0] if found else "\n"

    def begin(self, at: int) -> int:
        """Return where the line begins that this is in."""
        return max(self.text.rfind("\n", 0, at), self.text.rfind("\r", 0, at)) + 1

    def end(self, at: int) -> int:
        """Return where it ends, its line break excepted."""
        found = _REST.match(self.text, at)
        return found.end() if found else at

    def next(self, end: int) -> int:
        """Return where the line after one that ends here begins."""
        found = BREAK.match(self.text, end)
        return found.end() if found else end

    def above(self, at: int) -> str:
        """Return the line above the one that this is in; something that is not blank for the first line."""
        begin = self.begin(at)
        if begin == 0:
            return "-"
        end = begin - (2 if self.text.endswith("\r\n", 0, begin) else 1)
        return self.text[self.begin(end) : end]

    def below(self, at: int, column: int) -> int:
        """Return the end of the line, and of the comments right below it that are indented as far."""
        end = self.end(at)
        while found := _COMMENT.match(self.text, end):
            if len(found[1]) < column:
                break
            end = found.end()
        return end

    def after_colon(self, at: int) -> int:
        """Return where the colon after a key ends."""
        found = _TO_COLON.match(self.text, at)
        return found.end() if found else at


@dataclass(slots=True, eq=False)
class Spot:
    """A value as it is written.

    Attributes:
        begin: where it begins in the text, its anchor excepted.
        end: where it ends; comments and blank lines after it are not its own.
        column: where it begins in its line; for a block list that of its dashes, for a block mapping that of its keys.
        text: the text of a scalar, or of the one that an alias stands for.
        quote: what a quoted text stands in.
        flow: whether a list or mapping stands in brackets.
        shared: whether an alias stands for it somewhere.
        anchor: the name of its anchor, or of the one that an alias refers to.
        is_mapping: whether it is a mapping.
        entries: what is in a list or mapping; None of anything else, an alias included.
    """

    begin: int
    end: int
    column: int
    text: str = ""
    quote: str = ""
    flow: bool = False
    shared: bool = False
    anchor: str | None = None
    is_mapping: bool = False
    entries: "list[Entry] | None" = None


class Entry(NamedTuple):
    """One item of a list, or one key of a mapping with its value.

    Attributes:
        begin: where the key begins, or the item.
        key_end: where the key ends; of a list's item, None.
        name: the key; of a list's item, nothing.
        value: the value.
    """

    begin: int
    key_end: int | None
    name: str
    value: Spot


def read_spots(text: str) -> Spot:
    """Return the root value of a text."""
    reader = _Reader(text, events_of(text))
    return next(reader.spot(what, event) for what, event in reader.events if what in (ALIAS, SCALAR, MAPPING, SEQUENCE))


@dataclass(slots=True)
class _Reader:
    """Makes spots of events. Recursive, which `read_nodes` has bounded."""

    text: str
    events: Iterator[tuple[str, Any]]
    anchors: dict[str, Spot] = field(default_factory=dict)

    def spot(self, what: str, event: Any) -> Spot:
        """Return the value that begins with an event."""
        spot = Spot(event.start_mark.index, event.end_mark.index, event.start_mark.column, anchor=event.anchor)
        if what is ALIAS:
            target = self.anchors[event.anchor]
            target.shared, spot.text = True, target.text
            return spot
        if event.anchor is not None:
            self.anchors[event.anchor] = spot
        if what is SCALAR:
            self._scalar(spot, event)
        else:
            spot.flow, spot.is_mapping = bool(event.flow_style), what is MAPPING
            self._entries(spot)
        return spot

    def _scalar(self, spot: Spot, event: Any) -> None:
        spot.text, spot.quote = event.value, event.style if event.style in ("'", '"') else ""
        if spot.anchor and (found := _ANCHOR.match(self.text, spot.begin, spot.end)):
            spot.begin = found.end()
        if event.style and event.style in _BLOCK_TEXT:
            spot.end = spot.begin + len(self.text[spot.begin : spot.end].rstrip())

    def _entries(self, spot: Spot) -> None:
        spot.entries = []
        for what, event in self.events:
            if what is END:
                break
            first = self.spot(what, event)
            if spot.is_mapping:
                spot.entries.append(Entry(first.begin, first.end, first.text, self.spot(*next(self.events))))
            else:
                spot.entries.append(Entry(first.begin, None, "", first))
        if spot.flow:
            spot.end = event.end_mark.index
        elif spot.entries:
            spot.end = spot.entries[-1].value.end
            if spot.is_mapping:
                spot.begin = spot.entries[0].begin
