"""OAuth: access tokens for a refresh token, one request at a time, before they expire and after a 401.

Source: Pipedrive docs, OAuth authorization and OAuth status codes. What answers says where else requests could go
(`api_domain`); they go where the account is declared to be, and nowhere else.
"""

import asyncio
import base64
import logging
import math
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Final

import httpx
from pydantic import BaseModel, ValidationError

from leadstate.model.address import Span
from leadstate.model.diagnostics import counted
from leadstate.pipedrive.answers import host_of, quote_line
from leadstate.pipedrive.connection import Signer, explain_no_answer
from leadstate.pipedrive.errors import ApiError, NoAccessToken, NoTokenServer, WrongCompany
from leadstate.pipedrive.secrets import RunSecrets, Secrets, Token

OPERATION: Final = "oauth/token"
"""What errors call the request for an access token: it is no operation of the API."""

MARGIN: Final = 60.0
"""Seconds before its end in which an access token is not used any more; of a short life a tenth."""

_COMPANIES = ".pipedrive.com"
_LONGEST_TOKEN = 16_384
"""Characters; servers take no longer headers."""
_LONGEST_LIFE = 366 * 86_400.0
"""Seconds that an access token lasts at the most; Pipedrive's lasts an hour."""

_log = logging.getLogger("leadstate.http")


@dataclass(frozen=True, slots=True)
class Client:
    """An OAuth client, and what it may ask with.

    Attributes:
        client_id: its id.
        client_secret: its secret.
        refresh_token: the token that access tokens are given for.
        token_url: the address of the token server; https unless loopback.
        at: where the refresh token is declared, for errors.
    """

    client_id: Token
    client_secret: Token
    refresh_token: Token
    token_url: str
    at: Span | None = None


class _Granted(BaseModel):
    """What answers a refresh; all but the access token may be missing."""

    access_token: str
    refresh_token: str | None = None
    expires_in: float | None = None
    api_domain: str | None = None


@dataclass(frozen=True, slots=True)
class _Access:
    token: Token
    good_until: float


class OAuth(Signer):
    """Signs the requests of one account with access tokens that it asks for when it needs one.

    A 401 says that a request was not carried out, so it is sent once more with a new token, whatever its method.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        client: Client,
        origin: str,
        *,
        clock: Callable[[], float],
        rotated: Callable[[Token], None],
        run: RunSecrets | None = None,
    ) -> None:
        """Ask for nothing yet.

        Args:
            http: sends the requests for access tokens.
            client: the OAuth client.
            origin: where the account is declared to be.
            clock: monotonic seconds.
            rotated: hears of each refresh token that takes the place of the one before.
            run: the secrets of all accounts of the run.
        """
        self._http = http
        self._client = client
        self._host = httpx.URL(origin).host
        self._clock = clock
        self._rotated = rotated
        self._refresh_token = client.refresh_token
        self._access: _Access | None = None
        self._failure: ApiError | None = None
        self._turn = asyncio.Lock()
        pair = f"{client.client_id.reveal()}:{client.client_secret.reveal()}"
        basic = Token(base64.b64encode(pair.encode()).decode())
        self.secrets = Secrets([client.client_id, client.client_secret, client.refresh_token, basic], run)

    @property
    def words(self) -> str:
        """The kind of token and how long the last one lasts."""
        if self._access is None:
            return "OAuth, without an access token so far"
        seconds = self._access.good_until - self._clock()
        when = "once it is refused" if math.isinf(seconds) else f"in {counted(max(0, round(seconds / 60)), 'minute')}"
        return f"an OAuth access token, renewed {when}"

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Sign one request, and once more where its token is not valid any more.

        Raises:
            ApiError: there is no access token to be had.
        """
        access = self._access
        if access is None or access.good_until <= self._clock():
            access = await self._newer_than(access)
        request.headers["authorization"] = f"Bearer {access.token.reveal()}"
        reply = yield request
        if reply.status_code == httpx.codes.UNAUTHORIZED:
            await reply.aread()  # gives the connection back before another is asked for
            access = await self._newer_than(access)
            request.headers["authorization"] = f"Bearer {access.token.reveal()}"
            yield request

    async def _newer_than(self, known: _Access | None) -> _Access:
        """Return another access token. One request asks for it; those that wait meanwhile share what comes of that."""
        failed = self._failure
        async with self._turn:
            if self._access is not None and self._access is not known:
                return self._access
            if self._failure is not None and (self._failure.fatal or self._failure is not failed):
                raise self._failure
            try:
                self._access = await self._ask()
            except ApiError as failure:
                self._failure = failure
                raise
            return self._access

    async def _ask(self) -> _Access:
        client = self._client
        try:
            reply = await self._http.post(
                client.token_url,
                data={"grant_type": "refresh_token", "refresh_token": self._refresh_token.reveal()},
                auth=httpx.BasicAuth(client.client_id.reveal(), client.client_secret.reveal()),
            )
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as failure:
            raise NoTokenServer(OPERATION, explain_no_answer(failure, client.token_url), sent=False) from None
        _log.debug("POST %s -> %s", OPERATION, reply.status_code)
        if not reply.is_success:
            raise self._refusal(reply)
        granted = self._granted(reply)
        self._check_company(granted.api_domain or "")
        seconds = granted.expires_in
        life = min(seconds, _LONGEST_LIFE) if seconds and seconds > 0 else math.inf
        return _Access(Token(granted.access_token), self._clock() + life - min(MARGIN, life / 10))

    def _granted(self, reply: httpx.Response) -> _Granted:
        """Return what was given, remember it as secret, and hand the refresh token on if it is a new one."""
        try:
            granted = _Granted.model_validate_json(reply.content)
        except ValidationError:
            granted = None
        if granted is None or not _is_token(granted.access_token):
            raise NoAccessToken(OPERATION, f"{reply.status_code} without an access token", span=self._client.at)
        self.secrets.add(Token(granted.access_token))
        new = granted.refresh_token or ""
        if _is_token(new) and new != self._refresh_token.reveal():
            self._refresh_token = Token(new)
            self.secrets.add(self._refresh_token)
            self._rotated(self._refresh_token)
        return granted

    def _check_company(self, api_domain: str) -> None:
        """Raise `WrongCompany` for another company's token; the address of a proxy or a sandbox tells nothing."""
        if not api_domain or not self._host.endswith(_COMPANIES):
            return
        there = host_of(api_domain if "://" in api_domain else f"https://{api_domain}") or api_domain
        if there != self._host:
            raise WrongCompany(
                OPERATION,
                f"the client is authorised for {quote_line(there, self.secrets.scrub)}, not for {self._host}",
                hint="use a refresh token of that company, or correct `domain`",
                span=self._client.at,
            )

    def _refusal(self, reply: httpx.Response) -> ApiError:
        """Return the error of a refusal, with Pipedrive's words for it, else those that OAuth has."""
        try:
            body = reply.json()
        except (ValueError, RecursionError):
            body = {"error": "no JSON"}
        found = [body.get(key) for key in ("message", "error_description", "error")] if isinstance(body, dict) else []
        text = next((text for text in found if isinstance(text, str) and text), "")
        words = ", ".join(filter(None, (str(reply.status_code), quote_line(text, self.secrets.scrub))))
        if reply.is_server_error or reply.status_code == httpx.codes.TOO_MANY_REQUESTS:
            return NoTokenServer(OPERATION, words, sent=False)
        plain, hint = words.lower().replace("_", " "), NoAccessToken.fix
        if "invalid client" in plain:
            hint = "check the sources of `client_id` and `client_secret`; both are in the app's settings in Pipedrive"
        elif "invalid grant" in plain:
            hint = "authorise the app again and put the new refresh token there; one lives 60 days after its last use"
        return NoAccessToken(OPERATION, words, hint=hint, span=self._client.at)


def _is_token(text: str) -> bool:
    """Return whether a text can stand in a header."""
    return 0 < len(text) <= _LONGEST_TOKEN and all("!" <= char <= "~" for char in text)
