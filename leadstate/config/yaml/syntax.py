"""What libyaml says about broken text, in words that name the mistake and its fix."""

import re
from typing import Final, NamedTuple

from leadstate.config.yaml.diagnostics import Diagnostics, visible
from leadstate.config.yaml.events import NotYamlError
from leadstate.config.yaml.source import Place, Source


class _Wording(NamedTuple):
    said: str
    context: str
    summary: str
    hint: str
    at_begin: bool = False
    """Whether the place to show is where the broken thing begins, not where libyaml gave up."""
    bracket: bool = False
    """Whether that is so where it gave up on another line."""


_WORDINGS = (
    _Wording(
        "unexpected end of stream",
        "quoted",
        "a quoted text is not closed",
        "add the closing quote; in single quotes write '' for one quote",
        at_begin=True,
    ),
    _Wording(
        "unexpected document indicator",
        "",
        "a quoted text is not closed before the `---` or `...`",
        "add the closing quote",
        at_begin=True,
    ),
    _Wording(
        "',' or ']'",
        "",
        "a list is not closed, or a comma is missing",
        "add `,` or `]`, or put the text in quotes",
        bracket=True,
    ),
    _Wording(
        "',' or '}'",
        "",
        "a mapping is not closed, or a comma is missing",
        "add `,` or `}`, or put the text in quotes",
        bracket=True,
    ),
    _Wording(
        "unexpected ':'",
        "",
        "text that holds a `:` is not in quotes",
        'put it in quotes, as in {url: "http://127.0.0.1"}',
    ),
    _Wording(
        "mapping values are not allowed",
        "",
        "a `:` stands where no key can be",
        "indent the keys of one mapping alike; put text that holds `: ` in quotes",
    ),
    _Wording(
        "could not find expected ':'",
        "",
        "a key has no `:` after it",
        "write `key: value`; put text of several lines in quotes",
        at_begin=True,
    ),
    _Wording(
        "did not find expected key",
        "",
        "this fits neither the value before it nor a new key",
        "indent the keys of one mapping alike; put text that begins with a quote in quotes as a whole",
    ),
    _Wording("'-' indicator", "", "a list goes on with something that is no item", "begin the line with `- `"),
    _Wording(
        "unknown escape character",
        "",
        "an unknown escape in double quotes",
        "write \\\\ for a backslash, or use single quotes",
    ),
    _Wording("hexdecimal number", "", "a broken escape in double quotes", "write \\\\ for a backslash"),
    _Wording("Unicode character escape", "", "an escape stands for no character", "write the character itself"),
    _Wording(
        "expected <document start>",
        "",
        "something follows the end of the document",
        "put a text that holds quotes, `*` or `&` in quotes as a whole; a file holds one document",
    ),
    _Wording("incompatible YAML document", "", "a YAML version that is not supported", "remove the %YAML line"),
    _Wording("directive", "", "a broken line that begins with `%`", "remove the line, or quote the text"),
    _Wording("", "directive", "a broken line that begins with `%`", "remove the line, or quote the text"),
    _Wording("", "tag", "a broken tag (`!`)", "put text that begins with `!` in quotes"),
    _Wording("", "alias", "a broken alias (`*`)", "put text that begins with `*` in quotes"),
    _Wording("", "anchor", "a broken anchor (`&`)", "put text that begins with `&` in quotes"),
    _Wording("", "block scalar", "a broken text block (`|` or `>`)", "write `|` and put the text on the lines below"),
    _Wording("node content", "", "a value is missing here", "write a value, or remove the comma or bracket too many"),
)
_UNCLOSED = _Wording("", "", "a bracket or brace is not closed", "add `]` or `}`")
_ANYTHING = _Wording("", "", "this is not valid YAML", "look for an unclosed quote or bracket, or a wrong indentation")


def explain(problem: NotYamlError, source: Source, diagnostics: Diagnostics) -> None:
    """Add the diagnostic."""
    place = _place(problem.at or problem.begun, source)
    char = _char(place)
    if "cannot start any token" in problem.problem or "cannot start any token" in problem.context:
        if char == "\t":
            hint = "use spaces to indent; YAML allows no tabs there"
            diagnostics.error("tab-indentation", "a tab stands where YAML allows only spaces", place, hint=hint)
        else:
            summary = f"text cannot begin with `{char}`" if char else "text cannot begin like this"
            diagnostics.error("yaml-syntax", summary, place, hint="put the text in quotes")
        return
    said = next(
        (wording for wording in _WORDINGS if wording.said in problem.problem and wording.context in problem.context),
        _ANYTHING,
    )
    indented_by_tab = _tab_before(place)
    if indented_by_tab is not None:
        hint = "use spaces to indent; YAML allows no tabs there"
        diagnostics.error("tab-indentation", "a tab is used to indent", indented_by_tab, hint=hint)
        return
    over_lines = problem.begun is not None and problem.at is not None and problem.begun[0] < problem.at[0]
    if problem.begun is not None and (said.at_begin or (said.bracket and over_lines)):
        place = _place(problem.begun, source)
    if "flow" in problem.context and _is_end(problem.at, source):
        said = _UNCLOSED
    diagnostics.error("yaml-syntax", said.summary, place, hint=_hint_from_lines(place) or said.hint)


def _hint_from_lines(place: Place) -> str:
    """The fix, where the line and the one above it show the mistake."""
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
    """With what a key should be in line: the key above whose column is the nearest; nothing where one is in line."""
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
    """The place; where libyaml points behind the text, the end of the last line that holds something."""
    line, column = at or (0, 0)
    if _is_end((line, column), source):
        line = max((index for index, one in enumerate(source.lines) if one.strip()), default=0)
        return Place(source, line + 1, max(1, len(source.lines[line].rstrip())))
    return Place(source, line + 1, column + 1)


def _is_end(at: tuple[int, int] | None, source: Source) -> bool:
    line, column = at or (0, 0)
    rest = (source.lines[line][column:], *source.lines[line + 1 :]) if line < len(source.lines) else ()
    return not "".join(rest).strip()


def _char(place: Place) -> str:
    return place.source.lines[place.line - 1][place.column - 1 : place.column]


def _tab_before(place: Place) -> Place | None:
    """The tab in the indentation of this line, if there is one."""
    line = place.source.lines[place.line - 1]
    indent = line[: len(line) - len(line.lstrip())]
    return place._replace(column=indent.index("\t") + 1) if "\t" in indent else None
