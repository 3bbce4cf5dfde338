"""YAML text to plain Python values and where each one stands, or the diagnostic for text that is no YAML.

Refuses what YAML allows and a configuration does not need: tags, several documents, merge keys, keys that are no text,
a key twice, deep nesting, and aliases that expand to much (spec section 2). A plain scalar means what the core schema
of YAML 1.2 (section 10.3) says, and nothing of YAML 1.1: `on`, `no`, `1_000` and dates are text. Numbers with a point
are Decimal, so that 0.1 stays 0.1.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NoReturn

from leadstate.config.yaml.diagnostics import Diagnostics, Place, Source, cut, shown, visible_in_line
from leadstate.config.yaml.events import (
    ALIAS,
    DOCUMENT,
    END,
    MAPPING,
    MAX_DEPTH,
    SCALAR,
    SEQUENCE,
    NotYamlError,
    events_of,
)

_MISTAKES: Final = {
    "found unexpected .*quoted": ("a quoted text is not closed", "add the closing quote"),
    "expected ','|node content .*flow": (
        "a bracket or brace is not closed, or a comma is missing or one too many",
        "add `,`, `]` or `}`, or put the text in quotes",
    ),
    "could not find expected ':'": (
        "a key has no `:` after it",
        "write `key: value`; put text of several lines in quotes",
    ),
    "mapping values are not allowed": (
        "a `:` is where no key is allowed",
        "indent the keys of one mapping alike; put text that holds `: ` in quotes",
    ),
    "did not find expected (key|'-' indicator)": (
        "this fits neither the value before it nor a new key or item",
        "indent keys of one mapping, or items of one list, alike; put text that begins with a quote wholly in quotes",
    ),
    "invalid Unicode character escape": (
        "an escape like \\ud83d is half a character: YAML has no pairs of them, as JSON has",
        "write the character itself, or its one number, as in \\U0001F600",
    ),
    "unknown escape character|expected hexdecimal number": (
        "a `\\` in double quotes begins an escape that YAML does not have",
        "write `\\\\` for one `\\`, or put the text in single quotes",
    ),
    "cannot start any token": ("text without quotes cannot begin with this character", "put the text in quotes"),
    "while scanning an (alias|anchor)": (
        "a `*` begins an alias and a `&` an anchor, and no name of one follows",
        "put text that begins with `*` or `&` in quotes",
    ),
}
"""A pattern of libyaml's message → summary and hint, for the mistakes that people make; others keep its message."""
_AT_BEGIN: Final = tuple(_MISTAKES)[:3]
"""Those shown where the broken thing begins, and not where libyaml gave up on a later line."""
_ANYTHING: Final = "look for an unclosed quote or bracket, or put text with special characters in quotes as a whole"
_ABOUT_TAG: Final = re.compile(r"\btag\b")
_NO_TAG: Final = "a tag, which begins with `!`, is not allowed"
"""Does not repeat the tag, which may be a secret that nobody put in quotes."""
_INSTEAD_OF_TAG: Final = "remove the tag; text that begins with `!`, or looks like a number, goes in quotes"
_WORDS_ONLY: Final = re.compile(r"[^\W\d_]\w*(?: \w+)*")
MAX_THROUGH_ALIASES: Final = 10_000
"""Values reached through aliases, over a file."""
LONGEST_INT: Final = 40
"""int() of long text is quadratic and refuses 4,300 digits; Decimal takes any, and no field takes such a number."""

CONSTANTS: Final[dict[str, object]] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), Decimal("Infinity")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), Decimal("-Infinity")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), Decimal("NaN")),
}
_INT = re.compile(r"[-+]?[0-9]+")
_OCTAL_OR_HEX = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NUMERIC = frozenset("+-.0123456789")


def report_syntax_error(problem: NotYamlError, source: Source, diagnostics: Diagnostics) -> None:
    """Add the diagnostic for text that is no YAML."""
    place = _place(problem.at or problem.begun, source)
    line = source.lines[place.line - 1]
    indent = line.find("\t", 0, len(line) - len(line.lstrip()))
    # After a dash a tab indents, too.
    tab = place.column - 1 if indent < 0 and line[place.column - 1 :].startswith("\t") else indent
    if tab >= 0:
        hint = "use spaces to indent; YAML allows no tabs there"
        diagnostics.error("tab-indentation", "a tab is used to indent", place._replace(column=tab + 1), hint=hint)
        return
    message = f"{problem.problem} {problem.context}".strip()
    if _ABOUT_TAG.search(message):
        diagnostics.error("tag", _NO_TAG, _place(problem.begun or problem.at, source), hint=_INSTEAD_OF_TAG)
        return
    known = next((pattern for pattern in _MISTAKES if re.search(pattern, message)), "")
    summary, hint = _MISTAKES.get(known, (f"not YAML: {message}", _ANYTHING))
    if known in _AT_BEGIN and problem.begun and problem.at and problem.begun[0] < problem.at[0]:
        place = _place(problem.begun, source)
    diagnostics.error("yaml-syntax", summary, place, hint=hint)


def _place(at: tuple[int, int] | None, source: Source) -> Place:
    """Return the place; the end of the last line that holds something if libyaml points behind the text."""
    (line, column), lines = at or (0, 0), source.lines
    if not any(text.strip() for text in [*(text[column:] for text in lines[line : line + 1]), *lines[line + 1 :]]):
        line = max((index for index, text in enumerate(lines) if text.strip()), default=0)
        column = max(0, len(lines[line].rstrip()) - 1)
    return Place(source, line + 1, column + 1)


@dataclass(slots=True, eq=False)
class Node:
    """A value and its place.

    Attributes:
        value: plain Python: a scalar, a list or a dict of such.
        place: where it begins.
        text: a scalar as it is written.
        children: the nodes of a list by their indexes, or of a mapping by their keys; None of a scalar.
        keys: where each key of a mapping begins.
    """

    value: Any
    place: Place
    text: str | None
    children: "Mapping[Any, Node] | None" = None
    keys: Mapping[str, Place] | None = None

    def child(self, step: str | int) -> "Node | None":
        """Return the node below; None if it has no such item or key."""
        return self.children.get(step) if self.children else None

    def find(self, path: Iterable[str | int]) -> "Node":
        """Return the node at a path; steps that lead nowhere, such as to what is missing, are passed over."""
        node = self
        for step in path:
            node = node.child(step) or node
        return node

    def key_place(self, path: Sequence[str | int]) -> Place:
        """Return where the key at the end of a path begins; if there is no such key, where what it belongs to does."""
        above = self.find(path[:-1])
        return (above.keys or {}).get(str(path[-1]), above.place)


class _RefusedError(Exception):
    """The rest of the file is not read; the reason is among the diagnostics."""


def read_nodes(source: Source, diagnostics: Diagnostics) -> Node | None:
    """Return the root mapping of a file; None, with diagnostics, if the file cannot be used."""
    try:
        root = _Reader(source, diagnostics, events_of(source.text)).read()
    except NotYamlError as problem:
        report_syntax_error(problem, source, diagnostics)
        return None
    except _RefusedError:
        return None
    if root is None or (root.value is None and not root.text):
        hint = "begin with `version: 1`, then `accounts:` and `labels:`"
        diagnostics.error("empty-file", "nothing is declared in this file", Place(source, 1, 1), hint=hint)
        return None
    if root.keys is None:
        hint = "begin with keys: `version: 1`, then `accounts:` and `labels:`"
        diagnostics.error("wrong-type", "the file is not a mapping of keys to values", root.place, hint=hint)
        return None
    return root


@dataclass(slots=True)
class _Reader:
    """Makes nodes of events. Recursive, which `MAX_DEPTH` bounds.

    Attributes:
        anchors: name → the node that it stands at; None while that is being read.
        through_aliases: how many values aliases stood for so far.
    """

    source: Source
    diagnostics: Diagnostics
    events: Iterator[tuple[str, Any]]
    anchors: dict[str, Node | None] = field(default_factory=dict)
    through_aliases: int = 0

    def read(self) -> Node | None:
        """Return the root; None if there is none."""
        root: Node | None = None
        for what, event in self.events:
            if what is DOCUMENT and root is not None:
                hint = "remove the `---`, or put the second document into a file of its own; a folder is read as one"
                mark = event.start_mark
                place = Place(self.source, mark.line + 1, mark.column + 1)
                self._refuse("many-documents", "a second document begins", place, hint)
            if what in (SCALAR, ALIAS, SEQUENCE, MAPPING):
                root = self._node(what, event, 0)
        return root

    def _node(self, what: str, event: Any, depth: int) -> Node:
        """Return the value that begins with an event, within so many lists and mappings."""
        mark = event.start_mark
        place = Place(self.source, mark.line + 1, mark.column + 1)
        if what is ALIAS:
            return self._alias(event.anchor, place, depth)
        if event.tag is not None:
            self._error("tag", _NO_TAG, place, _INSTEAD_OF_TAG)
        if what is SCALAR:
            text = event.value
            # A tag makes the first of `implicit` False unless it is `!`, so a tagged scalar is text here.
            node = Node(resolve(text) if event.implicit[0] else text, place, text)
        else:
            if depth == MAX_DEPTH:
                self._too_deep(place)
            if event.anchor is not None:
                self.anchors[event.anchor] = None
            read = self._mapping if what is MAPPING else self._list
            node = read(place, depth + 1)
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        return node

    def _list(self, place: Place, depth: int) -> Node:
        children: dict[Any, Node] = {}
        for what, event in self.events:
            if what is END:
                break
            children[len(children)] = self._node(what, event, depth)
        return Node([child.value for child in children.values()], place, None, children)

    def _mapping(self, place: Place, depth: int) -> Node:
        children: dict[Any, Node] = {}
        keys: dict[str, Place] = {}
        for what, event in self.events:
            if what is END:
                break
            key = self._node(what, event, depth)
            child = self._node(*next(self.events), depth)
            if self._is_key(key, keys, plain=what is SCALAR and event.implicit[0]):
                keys[key.value], children[key.value] = key.place, child
        return Node({name: child.value for name, child in children.items()}, place, None, children, keys)

    def _is_key(self, node: Node, keys: Mapping[str, Place], *, plain: bool) -> bool:
        """Return whether a node can be the next key of a mapping; if not, report it."""
        key = node.value
        if not isinstance(key, str):
            wrong = (
                f"is not text: {shown(node.text)}" if node.text else "is empty" if node.text == "" else "is not text"
            )
            hint = f'write it in quotes: "{cut(node.text)}"' if node.text else "write text before the `:`"
            self._error("key-not-text", f"this key {wrong}", node.place, hint)
        elif key == "<<" and plain:
            hint = "YAML 1.2 has no merge keys: write the keys out, or use `overrides` and `vars`"
            self._error("merge-key", "`<<` does not merge mappings", node.place, hint)
        elif key in keys:
            summary = f"the key {shown(key)} appears twice in one mapping"
            detail = f"first here: {keys[key].span}"
            self._error("duplicate-key", summary, node.place, "keep one of the two", detail)
        else:
            return True
        return False

    def _alias(self, name: str, place: Place, depth: int) -> Node:
        if name not in self.anchors:
            hint = f"write `&{visible_in_line(name)}` at a value further up, or quote the text"
            self._refuse("unknown-alias", f"there is no anchor `&{visible_in_line(name)}`", place, hint)
        node = self.anchors[name]
        if node is None:
            hint = "write the value out where it is needed"
            self._refuse("recursive-alias", f"`*{visible_in_line(name)}` contains itself", place, hint)
        level = [node]
        while level:
            self.through_aliases += sum(1 + len(inner.keys or ()) for inner in level)
            if self.through_aliases > MAX_THROUGH_ALIASES:
                hint = "write the values out, or fewer aliases to large ones"
                summary = f"aliases expand to more than {MAX_THROUGH_ALIASES:,} values"
                self._refuse("alias-expansion", summary, place, hint)
            depth += any(inner.text is None for inner in level)
            if depth > MAX_DEPTH:
                self._too_deep(place)
            level = [below for inner in level if inner.children for below in inner.children.values()]
        return node

    def _too_deep(self, place: Place) -> NoReturn:
        hint = "a configuration needs six levels; look for brackets or dashes too many"
        self._refuse("too-deep", f"more than {MAX_DEPTH} levels of lists and mappings", place, hint)

    def _error(self, code: str, summary: str, place: Place, hint: str, detail: str = "") -> None:
        self.diagnostics.error(code, summary, place, hint=hint, detail=detail)

    def _refuse(self, code: str, summary: str, place: Place, hint: str) -> NoReturn:
        self._error(code, summary, place, hint)
        raise _RefusedError


def resolve(text: str) -> object:
    """Return the value of a plain scalar: str, int, Decimal, bool or None."""
    if text in CONSTANTS:
        return CONSTANTS[text]
    if text[0] not in _NUMERIC:
        return text
    if _INT.fullmatch(text):
        return int(text) if len(text) <= LONGEST_INT else _decimal(text)
    if _FLOAT.fullmatch(text):
        return _decimal(text)
    if len(text) <= LONGEST_INT and _OCTAL_OR_HEX.fullmatch(text):
        return int(text, 0)
    return text


def is_words(text: str) -> bool:
    """Return whether a text is words that need no quotes anywhere, as most texts are: no mark and no constant."""
    return bool(_WORDS_ONLY.fullmatch(text)) and text not in CONSTANTS


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        # An exponent beyond what Decimal holds. Whatever is asked for, this number is of no use.
        return Decimal("Infinity")
