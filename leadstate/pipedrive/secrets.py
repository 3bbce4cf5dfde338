"""Tokens that hide themselves, and what takes them out of what a server or a program repeats."""

import base64
import json
import re
from collections.abc import Iterable
from typing import Any, NoReturn
from urllib.parse import quote

SHORTEST = 8
"""Characters from which on a secret is looked for in answers: a shorter one would blot out ordinary words there."""

STARS = "***"

_FOLDED = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789", b"abcdefghijklmnopqrstuvwxyz" + b"0" * 9)
_FEWEST_OF_BASE64 = 12
"""Characters of a secret's base64 form that are looked for; those of a short one could be a word."""


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


class Secrets:
    """What must not be repeated of an account: its tokens, in any case, in URLs and in base64 too."""

    __slots__ = ("_folded", "_long", "_short", "_texts")

    def __init__(self, tokens: Iterable[Token] = ()) -> None:
        self._texts: set[str] = set()
        self.add(*tokens)

    def add(self, *tokens: Token) -> None:
        """Remember more of them."""
        self._texts |= {form for token in tokens for form in _forms(token.reveal())}
        long = [text for text in self._texts if len(text) >= SHORTEST]
        self._short, self._long = _pattern(self._texts), _pattern(long)
        # As JSON writes them: a quotation mark is escaped there.
        self._folded = [fold(json.dumps(text)[1:-1].encode()) for text in long]

    def scrub(self, text: str) -> str:
        """Return the text of a message without any secret."""
        return self._short.sub(STARS, text)

    def scrub_value(self, value: Any) -> Any:
        """Return decoded JSON without any long secret, keys included."""
        match value:
            case str():
                return self._long.sub(STARS, value)
            case list():
                return [self.scrub_value(item) for item in value]
            case dict():
                return {self._long.sub(STARS, key): self.scrub_value(item) for key, item in value.items()}
            case _:
                return value

    def may_be_in(self, content: bytes, folded: bytes) -> bool:
        """Return whether JSON can hold a long secret.

        Args:
            content: the JSON.
            folded: the same as `fold` gives it.
        """
        if b"\\" in content and (b"\\/" in content or b"\\u00" in content):
            return bool(self._folded)
        return any(secret in folded for secret in self._folded)


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
