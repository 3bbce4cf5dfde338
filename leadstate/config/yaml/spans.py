"""Where each value and line of a YAML text begins and ends, so that one can be replaced and all else stays as it is.

For texts that `nodes.read_nodes` has read without a diagnostic; says nothing about what a value means.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from leadstate.config.yaml.events import ALIAS, END, MAPPING, SCALAR, SEQUENCE, events_of

_BREAK: Final = re.compile(r"\r\n|\n|\r")
_REST: Final = re.compile(r"[^\r\n]*")
_TO_COLON: Final = re.compile(r"\s*:")
_COMMENT: Final = re.compile(r"(?:\r\n|\n|\r)([ \t]*)#[^\r\n]*")


class Lines:
    """The lines of one text; every place is an index into it.

    Attributes:
        text: the text.
        newline: how its lines end.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        found = _BREAK.search(text)
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
        found = _BREAK.match(self.text, end)
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


_ANCHOR = re.compile(r"&\S+\s*")
_BLOCK_TEXT: Final = "|>"


class Spot:
    """A value as it is written.

    Attributes:
        begin: where it begins in the text, its anchor excepted.
        end: where it ends; comments and blank lines after it are not its own.
        column: where it begins in its line; for a block list that of its dashes, for a block mapping that of its keys.
        quote: what a quoted text stands in.
        flow: whether a list or mapping stands in brackets.
        shared: whether an alias stands for it somewhere.
        entries: what is in a list or mapping; None of anything else, an alias included.
    """

    __slots__ = ("anchor", "begin", "column", "end", "entries", "flow", "is_mapping", "quote", "shared")

    def __init__(self, begin: int, end: int, column: int) -> None:
        self.begin = begin
        self.end = end
        self.column = column
        self.quote = ""
        self.flow = False
        self.shared = False
        self.is_mapping = False
        self.anchor: str | None = None
        self.entries: list[Entry] | None = None


class Entry:
    """One item of a list, or one key of a mapping with its value.

    Attributes:
        begin: where the key begins, or the item.
        key_end: where the key ends; of a list's item, None.
        value: the value.
        name: the key.
    """

    __slots__ = ("begin", "key_end", "name", "value")

    def __init__(self, begin: int, key_end: int | None, name: str, value: Spot) -> None:
        self.begin = begin
        self.key_end = key_end
        self.name = name
        self.value = value


class _Open:
    """A list or mapping that has begun, and the key that waits for its value."""

    __slots__ = ("key", "spot")

    def __init__(self, spot: Spot) -> None:
        self.spot = spot
        self.key: tuple[str, int, int] | None = None

    def take(self, value: Spot, text: str) -> None:
        """Take the next value: a key of a mapping if none waits."""
        entries = self.spot.entries
        assert entries is not None  # noqa: S101  for mypy: what is open is a list or mapping
        if not self.spot.is_mapping:
            entries.append(Entry(value.begin, None, "", value))
        elif self.key is None:
            self.key = (text, value.begin, value.end)
        else:
            name, begin, end = self.key
            entries.append(Entry(begin, end, name, value))
            self.key = None


def read_spots(text: str) -> Spot:
    """Return the root value of a text."""
    stack: list[_Open] = []
    root: Spot | None = None
    for spot, said in _spots(text, stack):
        if stack:
            stack[-1].take(spot, said)
        root = root or spot
        if spot.entries is not None:
            stack.append(_Open(spot))
    assert root is not None  # noqa: S101  for mypy: read_nodes has found a mapping
    return root


def _spots(text: str, stack: list[_Open]) -> Iterator[tuple[Spot, str]]:
    """Return each value as it begins, with the text of a scalar or of an alias's; take what ends from the stack."""
    anchors: dict[str, Spot] = {}
    texts: dict[str, str] = {}
    for what, event in events_of(text):
        if what is END:
            _close(stack.pop().spot, event)
            continue
        if what is ALIAS:
            anchors[event.anchor].shared = True
            said = texts.get(event.anchor, "")
            yield Spot(event.start_mark.index, event.end_mark.index, event.start_mark.column), said
            continue
        if what not in (SCALAR, MAPPING, SEQUENCE):
            continue
        spot = Spot(event.start_mark.index, event.end_mark.index, event.start_mark.column)
        if event.anchor is not None:
            anchors[event.anchor] = spot
            spot.anchor = event.anchor
            texts[event.anchor] = event.value if what is SCALAR else ""
        if what is SCALAR:
            _scalar(spot, event, text)
        else:
            spot.flow, spot.is_mapping, spot.entries = bool(event.flow_style), what is MAPPING, []
        yield spot, event.value if what is SCALAR else ""


def _scalar(spot: Spot, event: Any, text: str) -> None:
    if spot.anchor is not None and (found := _ANCHOR.match(text, spot.begin, spot.end)):
        spot.begin = found.end()
    spot.quote = event.style if event.style in ("'", '"') else ""
    if event.style and event.style in _BLOCK_TEXT:
        spot.end = spot.begin + len(text[spot.begin : spot.end].rstrip())


def _close(spot: Spot, event: Any) -> None:
    entries = spot.entries
    if spot.flow:
        spot.end = event.end_mark.index
    elif entries:
        spot.end = entries[-1].value.end
        if spot.is_mapping:
            spot.begin = entries[0].begin
