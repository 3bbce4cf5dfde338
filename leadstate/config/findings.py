"""What is wrong, collected with its place, excerpt and cure. Every secret is masked here, before anything gets out."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from leadstate.config.masking import STARS
from leadstate.config.source import Place, Source
from leadstate.core import escape
from leadstate.core.address import Span
from leadstate.core.diagnostics import Diagnostic, Severity

AROUND = 60
"""So many characters of a long line are shown on each side of the place."""


@dataclass(slots=True)
class Findings:
    """Errors and warnings, each once."""

    _found: dict[Diagnostic, None] = field(default_factory=dict)
    _sources: list[Source] = field(default_factory=list)

    def error(
        self,
        code: str,
        summary: str,
        at: Place | Span | None,
        *,
        hint: str,
        detail: str = "",
        account: str | None = None,
        severity: Severity = Severity.ERROR,
    ) -> None:
        """Add an error."""
        place = at if isinstance(at, Place) else None
        if place is not None and place.source not in self._sources[-1:]:
            self._sources.append(place.source)
        span = place.span if place is not None else at
        shown = excerpt(place) if place is not None else ""
        assert not isinstance(span, Place)  # noqa: S101  for mypy: a Place has become its span
        found = Diagnostic(code, severity, summary, detail, hint, span, shown, account)
        self._found.setdefault(found)

    def warning(self, code: str, summary: str, at: Place | None, *, hint: str, detail: str = "") -> None:
        """Add a warning."""
        self.error(code, summary, at, hint=hint, detail=detail, severity=Severity.WARNING)

    @property
    def any_error(self) -> bool:
        """Whether one of them is an error."""
        return any(one.severity is Severity.ERROR for one in self._found)

    def sorted(self, severity: Severity) -> tuple[Diagnostic, ...]:
        """Those of one severity, by place, with no secret in them."""
        chosen = [self._redacted(one) for one in self._found if one.severity is severity]
        return tuple(sorted(dict.fromkeys(chosen), key=lambda one: (one.span or Span("", 0, 0), one.code, one.summary)))

    def _redacted(self, found: Diagnostic) -> Diagnostic:
        texts = [found.summary, found.detail, found.hint]
        for source in dict.fromkeys(self._sources):
            texts = [source.secrets.redact(text) for text in texts]
        return replace(found, summary=texts[0], detail=texts[1], hint=texts[2])


def excerpt(place: Place) -> str:
    """The source line with a caret below the place; long lines cut, secrets and control characters masked."""
    number = place.line - 1
    lines = place.source.lines
    if number >= len(lines):
        return ""
    line = lines[number]
    column = min(place.column - 1, len(line))
    start, end = _window(len(line), column)
    shown, caret = _show(line, start, end, column, place.source.secrets.intervals(number))
    gutter = f"{place.line} | "
    lead, tail = ("…" if start else ""), ("…" if end < len(line) else "")
    return f"{gutter}{lead}{shown}{tail}\n{' ' * (len(gutter) - 2)}| {' ' * (len(lead) + caret)}^"


def _window(length: int, column: int) -> tuple[int, int]:
    if length <= 2 * AROUND:
        return 0, length
    start = min(max(0, column - AROUND), length - 2 * AROUND)
    return start, start + 2 * AROUND


def _show(line: str, start: int, end: int, column: int, secret: Sequence[tuple[int, int]]) -> tuple[str, int]:
    """The characters from start to end as they can be shown, and how wide it is to the column."""
    shown: list[str] = []
    width, caret, index = 0, None, start
    intervals = [one for one in secret if one[1] > start and one[0] < end]
    while index < end:
        covered = next((one for one in intervals if one[0] <= index < one[1]), None)
        last = index + 1 if covered is None else covered[1]
        piece = STARS if covered is not None else visible(line[index])
        if caret is None and index <= column < last:
            caret = width
        shown.append(piece)
        width += _width(piece)
        index = last
    return "".join(shown), width if caret is None else caret


def visible(text: str) -> str:
    """The text with what a terminal would act upon, or nobody would see, written as an escape; a tab as an arrow."""
    return escape.visible(text.replace("\t", "→"))


def _width(text: str) -> int:
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )
