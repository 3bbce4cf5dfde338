"""Tokens that hide themselves, and what signs requests with one: in a header, never in a URL (Pipedrive docs).

An API token travels in `x-api-token`; `oauth` has the other way.
"""

from abc import ABC, abstractmethod
from collections.abc import Generator
from typing import Final, NoReturn

import httpx

HEADER: Final = "x-api-token"


class Token:
    """A secret that no repr, format, pickle or log shows."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The token itself; for the header of a request and nothing else."""
        return self._value

    def scrub(self, text: str) -> str:
        """The text without the token."""
        return text.replace(self._value, "***") if self._value else text

    def __repr__(self) -> str:
        return "Token(***)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format("***", spec)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a token is not written anywhere")


class Signer(httpx.Auth, ABC):
    """Signs the requests of one account."""

    @property
    @abstractmethod
    def words(self) -> str:
        """What it signs with, for people: the kind of token, never the token."""

    @abstractmethod
    def scrub(self, text: str) -> str:
        """The text without any secret that it knows: a server may quote what it was sent."""


class TokenAuth(Signer):
    """Puts the token into the header at the last moment, so that requests shown or logged before do not hold it."""

    def __init__(self, token: Token) -> None:
        self._token = token

    @property
    def words(self) -> str:
        """An API token does not expire."""
        return "an API token"

    def scrub(self, text: str) -> str:
        """The text without the token."""
        return self._token.scrub(text)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sign one request."""
        request.headers[HEADER] = self._token.reveal()
        yield request
