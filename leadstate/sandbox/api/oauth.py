"""OAuth: gives access tokens for refresh tokens, and says whose an access token is.

Source: Pipedrive docs, OAuth authorization and OAuth status codes; of an error's body only the message is documented.
What was given out lives in memory and not in the state: a new state, or a restart, knows the seed's tokens only.
"""

import base64
import binascii
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from leadstate.sandbox.api.wire import Reply
from leadstate.sandbox.state.company import Clock, Company, NewId
from leadstate.sandbox.state.records import OAuthClient

SCOPE = "base,leads:full,contacts:read,search:read,users:read,deals:read"
FORM = "application/x-www-form-urlencoded"


@dataclass(slots=True)
class _Installed:
    """A client in a company, the refresh token that is good now, and access tokens with the Unix time of their end."""

    client: OAuthClient
    company: Company
    refresh_token: str | None
    access: dict[str, float] = field(default_factory=dict)


class TokenServer:
    """Every company's OAuth client. Of HTTP it knows the form and the header of a token request."""

    def __init__(self, clock: Clock, new_id: NewId) -> None:
        self._clock = clock
        self._new_id = new_id
        self._installed: list[_Installed] = []

    def adopt(self, clients: Iterable[tuple[OAuthClient, Company]]) -> None:
        """Know these clients, each in its company, and forget every token that was given out."""
        self._installed = [_Installed(client, company, client.refresh_token) for client, company in clients]

    def company(self, access_token: str) -> Company | None:
        """Return the company that an access token opens, while it does."""
        now = self._clock().timestamp()
        for installed in self._installed:
            if access_token in installed.access and now < installed.access[access_token]:
                return installed.company
        return None

    def expire(self) -> None:
        """End every access token."""
        for installed in self._installed:
            installed.access.clear()

    def revoke(self) -> None:
        """End every token, as when people uninstall the client."""
        self.expire()
        for installed in self._installed:
            installed.refresh_token = None

    def answer(self, authorization: str, content_type: str, body: bytes) -> Reply:
        """Return the answer to a token request: `grant_type=refresh_token` of a client that authenticates by Basic."""
        pair = _basic(authorization)
        if pair is None:
            return _error("invalid_client", "Invalid client: cannot retrieve client credentials")
        mine = [installed for installed in self._installed if _same(pair, installed.client)]
        if not mine:
            return _error("invalid_client", "Invalid client: client is invalid")
        form = parse_qs(body.decode("utf-8", "replace")) if content_type.partition(";")[0].strip() == FORM else {}
        (grant_type,), (token,) = form.get("grant_type", [""])[:1], form.get("refresh_token", [""])[:1]
        if not grant_type:
            return _error("invalid_request", "Missing parameter: grant_type")
        if grant_type != "refresh_token":
            return _error("unsupported_grant_type", "Unsupported grant type: grant_type is invalid")
        found = next((installed for installed in mine if installed.refresh_token == token), None)
        if found is None:
            return _error("invalid_grant", "Invalid grant: refresh_token is invalid")
        return self._granted(found)

    def _granted(self, found: _Installed) -> Reply:
        client = found.client
        access = f"access-{self._new_id('token')}"
        found.access[access] = self._clock().timestamp() + client.expires_in
        if client.rotate:
            found.refresh_token = f"refresh-{self._new_id('token')}"
        body = {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": client.expires_in,
            "refresh_token": found.refresh_token,
            "scope": SCOPE,
            "api_domain": f"https://{found.company.domain}.pipedrive.com",
        }
        return Reply(200, body)


def bearer(authorization: str) -> str | None:
    """Return the access token of a header, if it holds one."""
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _basic(authorization: str) -> str | None:
    """Return `id:secret` of a header, if it holds that."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        pair = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    return pair if ":" in pair else None


def _same(pair: str, client: OAuthClient) -> bool:
    return hmac.compare_digest(pair.encode(), f"{client.client_id}:{client.client_secret}".encode())


def _error(code: str, message: str) -> Reply:
    return Reply(400, {"success": False, "message": message, "error": code})
