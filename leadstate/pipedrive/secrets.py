"""Tokens that hide themselves, and what takes them out of what a server or a program repeats."""

import base64
import json
import re
import sys
from collections.abc import Iterable
from typing import Any, NoReturn
from urllib.parse import quote

SHORTEST = 8
"""Characters from which on a secret is looked for in answers: a shorter one would blot out ordinary words there."""

STARS = "***"

_FOLDED = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789", b"abcdefghijklmnopqrstuvwxyz" + b"0" * 9)
_FEWEST_OF_BASE64 = 12
"""Characters of a secret's base64 form that are looked for; those of a short one could be a word."""


_LETTERS = b"0abcdefghijklmnopqrstuvwxyz"
_RUNS = bytes(ord("a") if char in _LETTERS else ord(" ") for char in range(256))
"""Turns folded text into runs of `a` where letters and digits are, with spaces between."""
_LONG_RUN = 16
"""Letters and digits in a row of a secret from which on runs alone are compared; an id of Pipedrive has up to 12."""


def fold(content: bytes) -> bytes:
    """Return the bytes in lower case and with every digit as the same one, so that one pass serves several searches."""
    return content.translate(_FOLDED)


class Token:
    """A secret that no repr, format, pickle or log shows."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the token itself; for the header of a request and nothing else."""
        return self._value

    def __repr__(self) -> str:
        return f"Token({STARS})"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(STARS, spec)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a token is not written anywhere")


class RunSecrets:
    """The long secrets of all accounts of a run: a label of one account, for example, may hold the token of another.

    Where a run has thousands of accounts, looking for each secret in turn would take a second for a page of leads.
    Nearly every secret has a long run of letters and digits, and nearly no other text has: ids hold dashes.
    """

    __slots__ = ("_beginnings", "_length", "_others", "_texts")

    def __init__(self) -> None:
        self._texts: set[str] = set()
        self._length = sys.maxsize
        """Characters of a run that are compared."""
        self._beginnings: set[bytes] = set()
        """The first characters of such a run of each secret that has one, folded."""
        self._others: list[bytes] = []
        """The other secrets, folded."""

    def add(self, texts: Iterable[str]) -> None:
        """Remember secrets, in the forms in which they can be repeated."""
        new = set(texts) - self._texts
        self._texts |= new
        # A token that is renewed joins the others; only one with shorter runs than theirs has all compared again.
        if not self._insert(new):
            lengths = [length for text in self._texts for length in map(_longest_run, _folded_forms(text))]
            self._length = min(length for length in lengths if length >= _LONG_RUN)
            self._beginnings.clear()
            self._others.clear()
            self._insert(self._texts)

    def may_be_in(self, folded: bytes) -> bool:
        """Return whether a text, JSON or not, can hold one of them, given what `fold` makes of it."""
        if any(secret in folded for secret in self._others):
            return True
        if not self._beginnings:
            return False
        length, runs = self._length, folded.translate(_RUNS)
        if b"a" * length not in runs:
            return False
        # Keys of custom fields are long runs too, and the same ones in every lead.
        found = {folded[slice(*run.span())] for run in re.finditer(b"a{%d,}" % length, runs)}
        return any(run[at : at + length] in self._beginnings for run in found for at in range(len(run) - length + 1))

    def mask(self, text: str) -> str:
        """Return the text without any of them."""
        if not self.may_be_in(fold(text.encode(errors="replace"))):
            return text
        lower = text.lower()
        return _pattern(secret for secret in self._texts if secret.lower() in lower).sub(STARS, text)

    def _insert(self, texts: Iterable[str]) -> bool:
        """Let secrets be looked for; return False if one has a long run that is shorter than what is compared."""
        for form in {form for text in texts for form in _folded_forms(text)}:
            longest = _longest_run(form)
            if longest < _LONG_RUN:
                self._others.append(form)
            elif longest < self._length:
                return False
            else:
                begin = form.translate(_RUNS).find(b"a" * self._length)
                self._beginnings.add(form[begin : begin + self._length])
        return True


class Secrets:
    """What must not be repeated of an account: its tokens, in any case, in URLs and in base64 too.

    Args:
        tokens: those that are known from the beginning.
        run: the secrets of all accounts of the run, which these join; unless given, this account is alone.
    """

    __slots__ = ("_folded", "_long", "_run", "_short", "_texts")

    def __init__(self, tokens: Iterable[Token] = (), run: RunSecrets | None = None) -> None:
        self._texts: set[str] = set()
        self._run = run
        self.add(*tokens)

    def add(self, *tokens: Token) -> None:
        """Remember more of them."""
        self._texts |= {form for token in tokens for form in _forms(token.reveal())}
        long = [text for text in self._texts if len(text) >= SHORTEST]
        self._short, self._long = _pattern(self._texts), _pattern(long)
        self._folded = [_in_json(text) for text in long]
        if self._run is not None:
            self._run.add(long)

    def scrub(self, text: str) -> str:
        """Return the text of a message without any secret."""
        masked = self._short.sub(STARS, text)
        return masked if self._run is None else self._run.mask(masked)

    def scrub_value(self, value: Any) -> Any:
        """Return decoded JSON without any long secret, keys included."""
        match value:
            case str():
                masked = self._long.sub(STARS, value)
                return masked if self._run is None else self._run.mask(masked)
            case list():
                return [self.scrub_value(item) for item in value]
            case dict():
                return {self.scrub_value(key): self.scrub_value(item) for key, item in value.items()}
            case _:
                return value

    def may_be_in(self, content: bytes, folded: bytes) -> bool:
        """Return whether JSON can hold a long secret.

        Args:
            content: the JSON.
            folded: the same as `fold` gives it.
        """
        if b"\\" in content and (b"\\/" in content or b"\\u00" in content):
            return bool(self._folded) or self._run is not None
        if any(secret in folded for secret in self._folded):
            return True
        return self._run is not None and self._run.may_be_in(folded)


def _in_json(text: str) -> bytes:
    """Return the text as JSON writes it, folded: a quotation mark is escaped there."""
    return fold(json.dumps(text)[1:-1].encode())


def _folded_forms(text: str) -> tuple[bytes, bytes]:
    return _in_json(text), fold(text.encode(errors="replace"))


def _longest_run(form: bytes) -> int:
    return max(map(len, form.translate(_RUNS).split()), default=0)


def _forms(secret: str) -> Iterable[str]:
    """Yield the secret as it is, in a URL, and what is the same in its base64 form whatever follows it."""
    if not secret:
        return
    yield secret
    yield quote(secret, safe="")
    whole = base64.b64encode(secret.encode()).decode()[: len(secret.encode()) * 8 // 6]
    if len(whole) >= _FEWEST_OF_BASE64:
        yield whole


def _pattern(texts: Iterable[str]) -> re.Pattern[str]:
    """Find the longest first: one secret may begin with another."""
    ordered = sorted(texts, key=lambda text: (-len(text), text))
    return re.compile("|".join(map(re.escape, ordered)) or r"(?!)", re.IGNORECASE)
