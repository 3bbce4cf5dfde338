"""What signs requests with a token: in a header, never in a URL (Pipedrive docs).

An API token travels in `x-api-token`; `oauth` has the other way.
"""

from abc import ABC, abstractmethod
from collections.abc import Generator
from typing import Final

import httpx

from leadstate.pipedrive.secrets import Secrets, Token

HEADER: Final = "x-api-token"


class Signer(httpx.Auth, ABC):
    """Signs the requests of one account; `secrets` are those that it knows: a server may quote what it was sent."""

    secrets: Secrets

    @property
    @abstractmethod
    def words(self) -> str:
        """What it signs with, for people: the kind of token, never the token."""


class TokenAuth(Signer):
    """Puts the token into the header at the last moment, so that requests shown or logged before do not hold it."""

    def __init__(self, token: Token) -> None:
        self._token = token
        self.secrets = Secrets([token])

    @property
    def words(self) -> str:
        """An API token does not expire."""
        return "an API token"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sign one request."""
        request.headers[HEADER] = self._token.reveal()
        yield request
