"""The diagnostic for text that is no YAML: the mistakes that people make by name, anything else in libyaml's words."""

import re
from typing import Final, NamedTuple

from leadstate.config.yaml.diagnostics import Diagnostics, Place, Source, visible
from leadstate.config.yaml.events import NotYamlError


class _Mistake(NamedTuple):
    problem: str
    """A pattern that libyaml's problem and context match."""
    summary: str
    hint: str
    at_begin: bool = False
    """Whether to show where the broken thing begins, and not where libyaml gave up on a later line."""


_MISTAKES: Final = (
    _Mistake(
        "found unexpected .*quoted",
        "a quoted text is not closed",
        "add the closing quote; in single quotes write '' for one quote",
        at_begin=True,
    ),
    _Mistake(
        "expected ','|node content .*flow",
        "a bracket or brace is not closed, or a comma is missing or one too many",
        "add `,`, `]` or `}`, or put the text in quotes",
        at_begin=True,
    ),
    _Mistake(
        "mapping values are not allowed",
        "a `:` stands where no key can be",
        "indent the keys of one mapping alike; put text that holds `: ` in quotes",
    ),
    _Mistake(
        "could not find expected ':'",
        "a key has no `:` after it",
        "write `key: value`; put text of several lines in quotes",
        at_begin=True,
    ),
    _Mistake(
        "did not find expected (key|'-' indicator)",
        "this fits neither the value before it nor a new key or item",
        "indent the keys of one mapping alike; put text that begins with a quote in quotes as a whole",
    ),
)
_TABS: Final = "use spaces to indent; YAML allows no tabs there"
_ANYTHING: Final = "look for an unclosed quote or bracket, or put text with special characters in quotes as a whole"


def explain(problem: NotYamlError, source: Source, diagnostics: Diagnostics) -> None:
    """Add the diagnostic."""
    place = _place(problem.at or problem.begun, source)
    char, tab = _char(place), _tab_before(place)
    said = f"{problem.problem} {problem.context}".strip()
    if "cannot start any token" in said and char != "\t":
        summary = f"text cannot begin with `{char}`" if char else "text cannot begin like this"
        diagnostics.error("yaml-syntax", summary, place, hint="put the text in quotes")
    elif char == "\t" or tab is not None:
        diagnostics.error("tab-indentation", "a tab is used to indent", tab or place, hint=_TABS)
    else:
        known = next((mistake for mistake in _MISTAKES if re.search(mistake.problem, said)), None)
        summary, hint = (known.summary, known.hint) if known else (f"not YAML: {said}", _ANYTHING)
        if known and known.at_begin and problem.begun and problem.at and problem.begun[0] < problem.at[0]:
            place = _place(problem.begun, source)
        diagnostics.error("yaml-syntax", summary, place, hint=_hint_from_lines(place) or hint)


def _hint_from_lines(place: Place) -> str:
    """Return the fix, where the line and the one above it show the mistake."""
    line, index = place.source.lines[place.line - 1], place.column - 1
    before = line[:index]
    if line[index - 1 : index + 1] == "${":
        return "put text that holds `${` in quotes; a token's variable is written {env: NAME}"
    if _NO_SPACE_AFTER_DASH.match(line):
        return "write a space after the `-`"
    if _KEY_AND_TEXT.match(before) and line[index : index + 1] == ":":
        return "put text that holds `: ` in quotes"
    here = _KEY.match(line)
    return _aligned(here, place) if here else ""


def _aligned(here: re.Match[str], place: Place) -> str:
    """Return what to line a key up with: the key above with the nearest column; nothing if one is in line."""
    column, nearest, at = len(here[1]), None, 0
    for number in range(place.line - 1, max(0, place.line - _NEAR), -1):
        found = _KEY.match(place.source.lines[number - 1])
        if found and (nearest is None or abs(len(found[1]) - column) < abs(len(nearest[1]) - column)):
            nearest, at = found, number
        if found and not found[1]:
            break
    if nearest is None or len(nearest[1]) == column:
        return ""
    if here[1].strip() and not nearest[1].strip():
        return "line the `-` up with the `-` of the item above"
    return f"line `{visible(here[2][:60])}` up with `{visible(nearest[2][:60])}` in line {at}"


_NEAR: Final = 20
"""Lines with keys that are looked at; the mistake is seldom far from where it shows."""
_KEY = re.compile(r"( *(?:- +)*)([\w-]+):(?:\s|$)")
_KEY_AND_TEXT = re.compile(r" *(?:- +)*[\w-]+: +[^\s{\[\"']")
_NO_SPACE_AFTER_DASH = re.compile(r" *-[^\s-]")


def _place(at: tuple[int, int] | None, source: Source) -> Place:
    """Return the place; the end of the last line that holds something if libyaml points behind the text."""
    line, column = at or (0, 0)
    if _is_end((line, column), source):
        line = max((index for index, text in enumerate(source.lines) if text.strip()), default=0)
        return Place(source, line + 1, max(1, len(source.lines[line].rstrip())))
    return Place(source, line + 1, column + 1)


def _is_end(at: tuple[int, int] | None, source: Source) -> bool:
    line, column = at or (0, 0)
    rest = (source.lines[line][column:], *source.lines[line + 1 :]) if line < len(source.lines) else ()
    return not "".join(rest).strip()


def _char(place: Place) -> str:
    return place.source.lines[place.line - 1][place.column - 1 : place.column]


def _tab_before(place: Place) -> Place | None:
    """Return the tab in the indentation of this line, if there is one."""
    line = place.source.lines[place.line - 1]
    indent = line[: len(line) - len(line.lstrip())]
    return place._replace(column=indent.index("\t") + 1) if "\t" in indent else None
