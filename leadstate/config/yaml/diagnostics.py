"""Files with places in them, and what is wrong there: collected with excerpt and fix. Every secret is masked here.

Of mistakes of one kind in one file the first hundred are kept and the others counted: a table of 100,000 rows may have
one in every row.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, TypeAlias

from leadstate.config.yaml.masking import CUT, SecretSpans, find_secrets, find_secrets_of_table
from leadstate.model import escape
from leadstate.model.address import Span
from leadstate.model.diagnostics import Diagnostic, Severity
from leadstate.pipedrive.secrets import STARS

BREAK = re.compile(r"\r\n|\n|\r")
LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")
"""A line with its break; the last one may have none."""
MANY = 100
"""So many diagnostics of one kind are kept of one file."""
WIDTH = 78
"""Columns of an excerpt: a report indents it by two, and a terminal has 80."""
Hint: TypeAlias = str | Callable[[], str]
"""What to do about a mistake; one that takes time is a function, which is called only if it is shown."""
_Kind: TypeAlias = tuple[Severity, str, str]


@dataclass(frozen=True)
class Source:
    """One file.

    Attributes:
        name: as the user gave it.
        text: what is in it.
        folder: where it is.
        delimiter: what stands between the cells of a CSV file; empty for YAML.
    """

    name: str
    text: str
    folder: Path
    delimiter: str = ""

    @cached_property
    def lines(self) -> list[str]:
        """Its lines without their breaks."""
        return BREAK.split(self.text)

    @cached_property
    def secrets(self) -> SecretSpans:
        """What must not be shown; found only when the first error is."""
        if self.delimiter:
            return find_secrets_of_table(self.lines)
        return find_secrets(self.text, self.lines)

    def place_of(self, index: int) -> "Place":
        """Return the place of a character."""
        before = BREAK.split(self.text[:index])
        return Place(self, len(before), len(before[-1]) + 1)


class Place(NamedTuple):
    """A place in a file; line and column from 1."""

    source: Source
    line: int
    column: int

    @property
    def span(self) -> Span:
        """The same without the text."""
        return Span(self.source.name, self.line, self.column)


def _kind(found: Diagnostic) -> _Kind:
    return found.severity, found.code, found.span.file if found.span else ""


@dataclass(slots=True)
class Diagnostics:
    """Errors and warnings, each once."""

    _found: dict[Diagnostic, tuple[Place | None, str]] = field(default_factory=dict)
    _kept: Counter[_Kind] = field(default_factory=Counter)
    _left_out: dict[_Kind, set[int]] = field(default_factory=lambda: defaultdict(set))

    def error(
        self,
        code: str,
        summary: str,
        at: Place | Span | None,
        *,
        hint: Hint,
        detail: str = "",
        severity: Severity = Severity.ERROR,
    ) -> None:
        """Add an error, unless there is one that differs in the hint alone."""
        place, span = (at, at.span) if isinstance(at, Place) else (None, at)
        found = Diagnostic(code, severity, summary, detail, "", span)
        kind = _kind(found)
        if found in self._found:
            return
        if self._kept[kind] < MANY:
            self._kept[kind] += 1
            self._found[found] = place, hint if isinstance(hint, str) else hint()
        else:
            self._left_out[kind].add(hash(found))

    @property
    def any_error(self) -> bool:
        """Whether one of them is an error."""
        return any(diagnostic.severity is Severity.ERROR for diagnostic in self._found)

    def sorted(self, severity: Severity) -> tuple[Diagnostic, ...]:
        """Return the diagnostics of one severity, by place, with no secret in them."""
        sources = dict.fromkeys(place.source for place, _ in self._found.values() if place)
        secrets = [source.secrets for source in sources]
        chosen = dict.fromkeys(
            _redacted(replace(diagnostic, hint=hint, excerpt=excerpt(place) if place else ""), secrets)
            for diagnostic, (place, hint) in self._found.items()
            if diagnostic.severity is severity
        )
        found = sorted(chosen, key=lambda item: (item.span or Span("", 0, 0), item.code, item.summary))
        last = {_kind(diagnostic): index for index, diagnostic in enumerate(found)}
        for kind, left_out in self._left_out.items():
            if kind in last:
                diagnostic = found[last[kind]]
                more = f"and {len(left_out):,} more of this kind in the file"
                found[last[kind]] = replace(diagnostic, detail=f"{diagnostic.detail}\n{more}".strip())
        return tuple(found)


def _redacted(found: Diagnostic, secrets: Sequence[SecretSpans]) -> Diagnostic:
    texts = [found.summary, found.detail, found.hint]
    for secret in secrets:
        texts = [secret.redact(text) for text in texts]
    return replace(found, summary=texts[0], detail=texts[1], hint=texts[2])


def excerpt(place: Place) -> str:
    """Return the source line with a caret below the place; long lines cut, secrets and control characters masked."""
    number = place.line - 1
    lines = place.source.lines
    if number >= len(lines):
        return ""
    line = lines[number]
    column = min(place.column - 1, len(line))
    gutter = f"{place.line} | "
    start, end = _window(line, column, WIDTH - len(gutter) - len("……"))
    part, caret = _show(line, start, end, column, place.source.secrets.intervals(number))
    lead, tail = ("…" if start else ""), ("…" if end < len(line) else "")
    return f"{gutter}{lead}{part}{tail}\n{' ' * (len(gutter) - 2)}| {' ' * (len(lead) + caret)}^"


def _window(line: str, column: int, room: int) -> tuple[int, int]:
    """Return which characters of a line are shown, on both sides of a column: as many as fit the room, in columns."""
    start = end = column
    grows = True
    while grows:
        grows = False
        for index in (end, start - 1):
            width = max(1, _width(visible_in_line(line[index]))) if 0 <= index < len(line) else room + 1
            if width <= room:
                start, end, room, grows = min(start, index), max(end, index + 1), room - width, True
    return start, end


def _show(line: str, start: int, end: int, column: int, secret: Sequence[tuple[int, int]]) -> tuple[str, int]:
    """Return the characters from start to end as they can be shown, and how wide it is to the column."""
    pieces: list[str] = []
    width, caret, index = 0, None, start
    intervals = [interval for interval in secret if interval[1] > start and interval[0] < end]
    while index < end:
        covered = next((interval for interval in intervals if interval[0] <= index < interval[1]), None)
        last = index + 1 if covered is None else covered[1]
        piece = STARS if covered is not None else visible_in_line(line[index])
        if caret is None and index <= column < last:
            caret = width
        pieces.append(piece)
        width += _width(piece)
        index = last
    return "".join(pieces), width if caret is None else caret


def visible_in_line(text: str) -> str:
    """Return the text with what a terminal would act upon, or nobody would see, as an escape; a tab as an arrow."""
    return escape.visible(text.replace("\t", "→"))


def cut(text: str) -> str:
    """Return the beginning of a text for a message."""
    return visible_in_line(text[:CUT])


def shown(text: str) -> str:
    """Return the beginning of a text for a message, as code."""
    return f"`{cut(text)}`"


def _width(text: str) -> int:
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )
