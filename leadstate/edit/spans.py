"""Where each value and line of a YAML text begins and ends, so that one can be replaced and all else stays as it is.

For texts that `nodes.read_nodes` has read without a diagnostic; says nothing about what a value means.
"""

import re
from dataclasses import dataclass
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
        quote: what a quoted text stands in.
        flow: whether a list or mapping stands in brackets.
        shared: whether an alias stands for it somewhere.
        anchor: the name that aliases call it by.
        is_mapping: whether it is a mapping.
        entries: what is in a list or mapping; None of anything else, an alias included.
    """

    begin: int
    end: int
    column: int
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
        name: the key.
        value: the value.
    """

    begin: int
    key_end: int | None
    name: str
    value: Spot


def read_spots(text: str) -> Spot:
    """Return the root value of a text."""
    stack: list[Spot] = []
    keys: list[tuple[str, int, int] | None] = []
    """Of each open mapping the key that waits for its value, and where it stands."""
    anchors: dict[str, tuple[Spot, str]] = {}
    root: Spot | None = None
    for what, event in events_of(text):
        if what is END:
            keys.pop()
            _close(stack.pop(), event)
        elif what in (ALIAS, SCALAR, MAPPING, SEQUENCE):
            spot, said = _spot(what, event, text, anchors)
            root = root or spot
            if stack:
                keys[-1] = _take(stack[-1], keys[-1], spot, said)
            if spot.entries is not None:
                stack.append(spot)
                keys.append(None)
    assert root is not None  # noqa: S101  for mypy: read_nodes has found a mapping
    return root


def _take(above: Spot, key: tuple[str, int, int] | None, spot: Spot, said: str) -> tuple[str, int, int] | None:
    """Put a value where it belongs; return the key that now waits for its value."""
    assert above.entries is not None  # noqa: S101  for mypy: what is open is a list or mapping
    if not above.is_mapping:
        above.entries.append(Entry(spot.begin, None, "", spot))
    elif key is None:
        return said, spot.begin, spot.end
    else:
        name, begin, end = key
        above.entries.append(Entry(begin, end, name, spot))
    return None


def _spot(what: str, event: Any, text: str, anchors: dict[str, tuple[Spot, str]]) -> tuple[Spot, str]:
    """Return a value as it begins, with the text of a scalar or of an alias's."""
    spot = Spot(event.start_mark.index, event.end_mark.index, event.start_mark.column)
    if what is ALIAS:
        target, said = anchors[event.anchor]
        target.shared = True
        return spot, said
    said = event.value if what is SCALAR else ""
    if event.anchor is not None:
        spot.anchor, anchors[event.anchor] = event.anchor, (spot, said)
    if what is not SCALAR:
        spot.flow, spot.is_mapping, spot.entries = bool(event.flow_style), what is MAPPING, []
        return spot, said
    if spot.anchor and (found := _ANCHOR.match(text, spot.begin, spot.end)):
        spot.begin = found.end()
    spot.quote = event.style if event.style in ("'", '"') else ""
    if event.style and event.style in _BLOCK_TEXT:
        spot.end = spot.begin + len(text[spot.begin : spot.end].rstrip())
    return spot, said


def _close(spot: Spot, event: Any) -> None:
    if spot.flow:
        spot.end = event.end_mark.index
    elif spot.entries:
        spot.end = spot.entries[-1].value.end
        if spot.is_mapping:
            spot.begin = spot.entries[0].begin
