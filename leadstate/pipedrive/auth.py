"""API tokens that hide themselves. They travel in the `x-api-token` header, never in a URL (Pipedrive docs)."""

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
        """The text without the token: a server may quote what it was sent."""
        return text.replace(self._value, "***") if self._value else text

    def __repr__(self) -> str:
        return "Token(***)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format("***", spec)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a token is not written anywhere")


class TokenAuth(httpx.Auth):
    """Puts the token into the header at the last moment, so that requests shown or logged before do not hold it."""

    def __init__(self, token: Token) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sign one request."""
        request.headers[HEADER] = self._token.reveal()
        yield request
