"""Which parts of a file are secret, so that no excerpt or message shows them (spec section 1, promise 8).

Looks at the text a second time, and only once something is wrong with it: by the YAML events where there are some, by
patterns where the text is no YAML. Masks too much rather than too little.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import cache
from typing import Any

from leadstate.config.yaml.events import ALIAS, END, MAPPING, MAX_DEPTH, SCALAR, SEQUENCE, NotYamlError, events_of
from leadstate.pipedrive.secrets import STARS

KEYS = (
    "env", "file", "command", "keyring", "service", "user",
    "oauth", "client_id", "client_secret", "refresh_token", "token_url", "save_to",
)  # fmt: skip
"""What may stand under `token` as a key and is not a secret."""
OUR_NAME = "leadstate"
"""A usual service of a keyring entry. It is masked where it stands; elsewhere it is only our name."""
LONG_ENOUGH = 6
"""A shorter value is masked where it stands, not everywhere: it would blot out ordinary words."""

LONGEST = 4096
CUT = 60
"""Messages repeat no more than this of anything."""
MANY = 20
"""Of something longer, or of more words, the words are not looked for elsewhere: it is masked where it stands."""

TOKEN_LIKE = re.compile(r"(?<![0-9A-Za-z])[0-9A-Fa-f]{40}(?![0-9A-Za-z])")
ENV_NAME = re.compile(r"[A-Z_][A-Z0-9_]*")
_SECRET_KEY = re.compile(r"tok|tkn|secret|passw|pwd|api[_-]?key|credential", re.IGNORECASE)
_SECRET_WORDS = ("token", "secret", "password", "api_key", "apikey")
_ASSIGNMENT = re.compile(r"(?<![\w.-])([\w.-]{1,100})[\"']?\s*[:=]\s*")
_QUERY = re.compile(r"(?:token|secret|passw|api[_-]?key)[\w-]{0,50}\s*=\s*([^\s,;&}\"']+)", re.IGNORECASE)
_USERINFO = re.compile(r"://([^/@\s\"']+)@")
_PATH = re.compile(r"://[^/\s\"']+(/[^\s\"']*)")
"""The path of a URL, and whatever follows without a space: one match takes all, so that no text is searched twice."""
_PART = re.compile(r"/((?=[A-Za-z_-]*[0-9])[0-9A-Za-z_=+~-]{8,}|[\w=+~-]{16,})")
"""A part of a path that could be a token: long, or with a digit in it."""
_WORD = re.compile(r"[\w-]+")
_COMMENT = re.compile(r"(?:^|\s)#")

Interval = tuple[int, int]


@cache
def is_secret_key(key: str) -> bool:
    """Return whether what stands under this key is a secret, the key being perhaps misspelt."""
    low = key.lower()
    if low == "max_tokens":
        return False
    return bool(_SECRET_KEY.search(low)) or any(alike(low, word, 0.75) for word in _SECRET_WORDS)


def alike(left: str, right: str, least: float) -> bool:
    """Return whether two words are at least so alike, from 0 to 1."""
    left = left[:64]
    # Most words share too few letters, which is seen in a tenth of the time; a file may hold a million words.
    most = 2 * sum(char in left for char in right) / (len(left) + len(right))
    return most >= least and SequenceMatcher(None, left, right).ratio() >= least


@dataclass(slots=True)
class SecretSpans:
    """What is secret in one text.

    Attributes:
        complete: whether the whole text could be read as YAML.
        values: secret texts in small letters, masked wherever they stand.
    """

    lines: list[str]
    complete: bool = True
    values: set[str] = field(default_factory=set)
    _spans: dict[int, list[Interval]] = field(default_factory=dict)
    _intervals: dict[int, list[Interval]] = field(default_factory=dict)

    def hide(self, event: Any, value: str) -> None:
        """Remember a scalar as secret."""
        start, end = event.start_mark, event.end_mark
        for line in range(start.line, end.line + 1):
            first = start.column if line == start.line else 0
            last = end.column if line == end.line else 1 << 30
            self._spans.setdefault(line, []).append((first, last))
        words = value.split(maxsplit=MANY)
        found = (word for word in {value, *words[:MANY]} if LONG_ENOUGH <= len(word) <= LONGEST and word != OUR_NAME)
        # In small letters, for a message may change the case; and cut, for a message cuts what is long.
        self.values.update(part for word in found for part in (word.lower(), word[:CUT].lower()))

    def cover(self, numbers: Iterable[int]) -> None:
        """Let nothing of these lines be shown."""
        self._spans.update((number, [(0, 1 << 30)]) for number in numbers)

    def intervals(self, number: int) -> list[Interval]:
        """Return the secret columns of a line (from 0), in order and apart."""
        if number not in self._intervals:
            line = self.lines[number]
            found = [*self._spans.get(number, ()), *_by_pattern(line)]
            for pattern in self._patterns(line):
                found += [(m.start(), m.end()) for m in pattern.finditer(line)]
            if not self.complete:
                found += _by_assignment(self.lines, number)
            self._intervals[number] = _merge(found, len(line))
        return self._intervals[number]

    def redact(self, text: str) -> str:
        """Return the text of a message without the secrets."""
        for pattern in self._patterns(text):
            text = pattern.sub(STARS, text)
        return TOKEN_LIKE.sub(STARS, _USERINFO.sub(f"://{STARS}@", text))

    def _patterns(self, text: str) -> list[re.Pattern[str]]:
        """Return what finds the secrets that stand in the text, the longest first."""
        low = text.lower()
        found = sorted((value for value in self.values if value in low), key=len, reverse=True)
        return [re.compile(re.escape(value), re.IGNORECASE) for value in found]


@dataclass(slots=True)
class _Frame:
    mapping: bool
    secret: bool
    key: str | None = None
    at_key: bool = True


def find_secrets(text: str, lines: list[str]) -> SecretSpans:
    """Find what stands under keys such as `token`, as far as the text can be read."""
    secrets = SecretSpans(lines)
    stack: list[_Frame] = []
    anchors: dict[str, tuple[Any, str]] = {}
    try:
        for what, event in events_of(text):
            _find_in_event(what, event, stack, anchors, secrets)
            if len(stack) > MAX_DEPTH:
                secrets.complete = False
                break
    except NotYamlError:
        secrets.complete = False
    return secrets


def find_secrets_of_table(lines: list[str]) -> SecretSpans:
    """Return the secrets of a CSV file: where a column has such a name, nothing below the first line is shown."""
    secrets = SecretSpans(lines)
    header = next((line for line in lines if line.strip()), "")
    if any(is_secret_key(name) for name in _WORD.findall(header)):
        secrets.cover(range(1, len(lines)))
    return secrets


def _find_in_event(
    what: str, event: Any, stack: list[_Frame], anchors: dict[str, tuple[Any, str]], secrets: SecretSpans
) -> None:
    if what is END:
        stack.pop()
    if what not in (SCALAR, ALIAS, SEQUENCE, MAPPING):
        return
    frame = stack[-1] if stack else _Frame(mapping=False, secret=False)
    is_key = frame.mapping and frame.at_key
    frame.at_key = not frame.at_key
    below = frame.secret or bool(not is_key and frame.key is not None and is_secret_key(frame.key))
    if what in (SEQUENCE, MAPPING):
        if is_key:
            frame.key = None
        stack.append(_Frame(mapping=what is MAPPING, secret=below))
        return
    if what is SCALAR:
        value = str(event.value)
        if event.anchor is not None:
            anchors[event.anchor] = (event, value)
    else:
        event, value = anchors.get(event.anchor, (event, event.anchor))
    if is_key:
        frame.key = value
        if frame.secret and not any(alike(value.lower(), word, 0.6) for word in KEYS):
            secrets.hide(event, value)
    elif below and not (frame.secret and frame.key == "env" and _names_variable(value)):
        secrets.hide(event, value)


def _names_variable(value: str) -> bool:
    """Return whether this is a variable's name as people write them, and not a token put in its place."""
    return bool(ENV_NAME.fullmatch(value)) and not TOKEN_LIKE.fullmatch(value)


def _by_pattern(line: str) -> list[Interval]:
    found = [(m.start(), m.end()) for m in TOKEN_LIKE.finditer(line)]
    found += [(m.start(1), m.end(1)) for pattern in (_QUERY, _USERINFO) for m in pattern.finditer(line)]
    for path in _PATH.finditer(line):
        found += [(m.start(1), m.end(1)) for m in _PART.finditer(line, *path.span(1))]
    comment = _COMMENT.search(line)
    if comment:
        found += _from_assignment(line, comment.end())
    return found


def _by_assignment(lines: list[str], number: int) -> list[Interval]:
    """Return the rest of the line after `token:`, or a line that hangs below such a line, for text that is no YAML."""
    line = lines[number]
    above = [index for index in range(max(0, number - 100), number) if lines[index].strip()]
    parents = {above[-1]} if above else set()
    shallower = [index for index in above if _indent(lines[index]) < _indent(line)]
    parents |= {shallower[-1]} if shallower else set()
    for index in parents:
        keys: list[str] = _ASSIGNMENT.findall(lines[index])
        deeper = _indent(lines[index]) < _indent(line) or lines[index].rstrip().endswith((":", "=", "|", ">", "-"))
        if keys and is_secret_key(keys[-1]) and deeper:
            return [(0, len(line))]
    return _from_assignment(line, 0)


def _from_assignment(line: str, start: int) -> list[Interval]:
    for found in _ASSIGNMENT.finditer(line, start):
        if is_secret_key(found[1]):
            return [(found.end(), len(line))]
    return []


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _merge(found: list[Interval], length: int) -> list[Interval]:
    merged: list[Interval] = []
    for start, end in sorted((start, min(end, length)) for start, end in found):
        if start >= end:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
