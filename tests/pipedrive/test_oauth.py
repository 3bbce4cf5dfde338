"""Access tokens: when they are asked for, how often, with what, and what is said and not said where there are none."""

import asyncio
import base64
import json
import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadstate.model.address import Span
from leadstate.model.diagnostics import diagnostic_of
from leadstate.pipedrive.client import Writer
from leadstate.pipedrive.connection import Connection, Pace, http_client
from leadstate.pipedrive.errors import ApiError, NoAccessToken, NoTokenServer, Unauthorized, WrongCompany
from leadstate.pipedrive.oauth import MARGIN, Client, OAuth
from leadstate.pipedrive.operations import ADD_LABEL, GET_LABELS, Request
from leadstate.pipedrive.secrets import Token

ID, SECRET, REFRESH = "client-id-9", "s3cret-of-the-client", "r3fresh-token"
BASIC = base64.b64encode(f"{ID}:{SECRET}".encode()).decode()
ORIGIN, TOKEN_URL = "https://acme.pipedrive.com", "https://oauth.pipedrive.com/oauth/token"
PLACE = Span("leadstate.yaml", 7, 9)
LABELS = Request(GET_LABELS)
CREATE = Request(ADD_LABEL, body={"name": "Hot", "color": "red"})
Reply = httpx.Response | Exception


class Server:
    """A company and what gives its access tokens, as one transport on a clock that only sleeping moves."""

    def __init__(
        self, *answers: Reply, origin: str = ORIGIN, api: httpx.Response | None = None, **granted: Any
    ) -> None:
        self.answers = list(answers)
        self.origin = origin
        self.api = api
        self.granted = granted
        self.now = 1000.0
        self.asked: list[httpx.Request] = []
        self.seen: list[httpx.Request] = []
        self.rotated: list[str] = []
        self.good: set[str] | None = None
        self.tokens: list[str] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)  # others get their turn, as on a network
        if str(request.url) == TOKEN_URL:
            return self._token(request)
        self.seen.append(request)
        self.tokens.append(request.headers["authorization"])
        token = self.tokens[-1].removeprefix("Bearer ")
        if self.good is not None and token not in self.good:
            return httpx.Response(401, json={"success": False, "error": "Invalid token: access_token is invalid"})
        return self.api or httpx.Response(200, json={"success": True, "data": []})

    def _token(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if self.answers:
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            if isinstance(answer, Exception):
                raise answer
            return answer
        body = {"access_token": f"a{len(self.asked)}", "token_type": "Bearer", "expires_in": 3600, **self.granted}
        return httpx.Response(200, json=body)

    def run(self, use: Callable[[Writer], Any]) -> Any:
        """Call a function with a client of this server."""

        async def sleep(seconds: float) -> None:
            self.now += seconds

        async def main() -> Any:
            async with http_client(httpx.MockTransport(self)) as http:
                client = Client(Token(ID), Token(SECRET), Token(REFRESH), TOKEN_URL, PLACE)
                keep = self.rotated.append
                signer = OAuth(
                    http, client, self.origin, clock=lambda: self.now, rotated=lambda token: keep(token.reveal())
                )
                return await use(
                    Writer(Connection(http, self.origin, signer, Pace(lambda: self.now, sleep, lambda: 0.0)))
                )

        return asyncio.run(main())

    def fails(self, request: Request = LABELS) -> ApiError:
        """Return the failure of a request that has to fail."""
        with pytest.raises(ApiError) as caught:
            self.run(lambda client: client.send(request))
        return caught.value


def refused(message: str, error: str = "invalid_grant", status: int = 400) -> httpx.Response:
    return httpx.Response(status, json={"success": False, "message": message, "error": error})


GRANT = refused("Invalid grant: refresh_token is invalid")


def test_an_access_token_is_requested_before_the_first_request() -> None:
    server = Server()

    async def twice(client: Writer) -> None:
        await client.get(LABELS)
        await client.get(LABELS)

    server.run(twice)
    (asked,) = server.asked
    assert asked.method == "POST"
    assert asked.headers["authorization"] == f"Basic {BASIC}"
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    assert parse_qs(asked.content.decode()) == {"grant_type": ["refresh_token"], "refresh_token": [REFRESH]}
    assert server.tokens == ["Bearer a1", "Bearer a1"]
    assert all("x-api-token" not in request.headers for request in server.seen)
    assert [str(request.url) for request in server.seen] == [f"{ORIGIN}/api/v1/leadLabels"] * 2


@pytest.mark.parametrize(("life", "good_for"), [(3600, 3600 - MARGIN), (100, 90), ("100", 90)])
def test_a_token_is_renewed_shortly_before_it_expires(life: object, good_for: float) -> None:
    server = Server(expires_in=life)

    async def use(client: Writer) -> None:
        for later in (0.0, good_for - 0.5, 0.5):
            server.now += later
            await client.get(LABELS)

    server.run(use)
    assert server.tokens == ["Bearer a1", "Bearer a1", "Bearer a2"]


@pytest.mark.parametrize("life", [None, 0, -5])
def test_a_token_without_expiry_is_used_until_a_401(life: object) -> None:
    server = Server(expires_in=life)

    async def use(client: Writer) -> None:
        await client.get(LABELS)
        server.now += 1e9
        await client.get(LABELS)
        server.good = {"a2"}
        await client.get(LABELS)

    server.run(use)
    assert server.tokens == ["Bearer a1", "Bearer a1", "Bearer a1", "Bearer a2"]


@pytest.mark.parametrize("request_", [LABELS, CREATE])
def test_a_401_renews_the_token_once(request_: Request) -> None:
    server = Server()
    server.good = {"a2"}
    server.run(lambda client: client.send(request_))
    assert server.tokens == ["Bearer a1", "Bearer a2"]
    assert [request.content for request in server.seen] == [server.seen[0].content] * 2, (
        "the body is sent again as it was"
    )


@pytest.mark.parametrize("request_", [LABELS, CREATE])
def test_a_second_401_is_an_error(request_: Request) -> None:
    server = Server()
    server.good = set()
    failure = server.fails(request_)
    assert type(failure) is Unauthorized
    assert not failure.perhaps_done
    assert server.tokens == ["Bearer a1", "Bearer a2"]


def test_concurrent_requests_share_one_renewal() -> None:
    server = Server()

    async def use(client: Writer) -> None:
        await asyncio.gather(*(client.get(LABELS) for _ in range(15)))
        server.good = {"a2"}
        server.now += 10
        await asyncio.gather(*(client.get(LABELS) for _ in range(15)))

    server.run(use)
    assert len(server.asked) == 2
    assert server.tokens.count("Bearer a2") == 15


def test_two_accounts_of_one_client_have_separate_tokens() -> None:
    left, right = Server(), Server()
    left.run(lambda client: client.get(LABELS))
    right.run(lambda client: client.get(LABELS))
    assert (len(left.asked), len(right.asked)) == (1, 1)


@pytest.mark.parametrize(("answer", "each"), [(GRANT, 1), (httpx.ConnectError("refused"), 5)])
def test_waiting_requests_share_the_result_of_a_renewal(answer: Reply, each: int) -> None:
    server = Server(answer)

    async def use(client: Writer) -> list[Any]:
        return await asyncio.gather(*(client.get(LABELS) for _ in range(15)), return_exceptions=True)

    failures = server.run(use)
    assert all(isinstance(failure, NoAccessToken | NoTokenServer) for failure in failures)
    assert len(server.asked) == each
    assert server.seen == []


@pytest.mark.parametrize(
    ("answer", "said", "hint"),
    [
        (GRANT, "Invalid grant: refresh_token is invalid", "authorise the app again"),
        (httpx.Response(400, json={"error": "invalid_grant"}), "invalid_grant", "authorise the app again"),
        (refused("Invalid client: client is invalid", "invalid_client"), "client is invalid", "`client_secret`"),
        (httpx.Response(401, json={"error": "invalid_client"}), "401, invalid_client", "`client_secret`"),
        (httpx.Response(404, text="<html>"), "404, no JSON", "`token_url`"),
        (httpx.Response(302, headers={"location": "https://evil.test/"}), "302", "`token_url`"),
        (httpx.Response(200, text="<html>"), "200 without an access token", "`token_url`"),
        (httpx.Response(200, json=[]), "200 without an access token", "`token_url`"),
        (httpx.Response(200, json={"expires_in": 3600}), "without an access token", "`token_url`"),
        (httpx.Response(200, json={"access_token": None}), "without an access token", "`token_url`"),
        (httpx.Response(200, json={"access_token": ""}), "without an access token", "`token_url`"),
        (httpx.Response(200, json={"access_token": "a\r\nx: 1"}), "without an access token", "`token_url`"),
        (httpx.Response(200, json={"access_token": "é"}), "without an access token", "`token_url`"),
    ],
)
def test_a_token_answer_without_a_token_is_an_error(answer: httpx.Response, said: str, hint: str) -> None:
    server = Server(answer)
    failure = server.fails(CREATE)
    assert isinstance(failure, NoAccessToken)
    assert said in str(failure)
    assert hint in failure.hint
    assert diagnostic_of(failure, "emea").span == PLACE
    assert not failure.perhaps_done
    assert len(server.asked) == 1
    assert server.seen == []


_CURE = "check that `token_url` is the address that gives Pipedrive's OAuth tokens"
_CLIENT = "check the sources of `client_id` and `client_secret`; both are in the app's settings in Pipedrive"
_GRANT = "authorise the app again and put the new refresh token there; one lives 60 days after its last use"


@pytest.mark.parametrize(
    ("body", "said", "hint"),
    [
        ({"message": "Odd\n news", "error_description": "x", "error": "y"}, "400, Odd news", _CURE),
        ({"message": 5, "error_description": "told", "error": "y"}, "400, told", _CURE),
        ({"message": "", "error": "invalid_client"}, "400, invalid_client", _CLIENT),
        ({"error": "INVALID_GRANT"}, "400, INVALID_GRANT", _GRANT),
        ({"error": {"code": 1}}, "400", _CURE),
        ({}, "400", _CURE),
        (["error"], "400", _CURE),
    ],
)
def test_a_refused_renewal_quotes_the_server_and_gives_a_fix(body: object, said: str, hint: str) -> None:
    failure = Server(httpx.Response(400, json=body)).fails(CREATE)
    assert (type(failure), str(failure), failure.hint) == (NoAccessToken, f"oauth/token: {said}", hint)


@pytest.mark.parametrize("quoted", [BASIC, SECRET, REFRESH, ID])
def test_a_secret_quoted_in_a_refusal_is_masked(quoted: str) -> None:
    failure = Server(httpx.Response(400, json={"message": f"bad {quoted}!"})).fails(CREATE)
    assert str(failure) == "oauth/token: 400, bad ***!"


@pytest.mark.parametrize(
    ("token", "taken"), [("!~", True), ("x" * 16_384, True), ("x" * 16_385, False), ("a b", False)]
)
def test_a_token_with_invalid_header_characters_is_refused(token: str, *, taken: bool) -> None:
    server = Server(httpx.Response(200, json={"access_token": token}))
    if not taken:
        assert str(server.fails()) == "oauth/token: 200 without an access token"
        return
    server.run(lambda client: client.send(LABELS))
    assert server.tokens == [f"Bearer {token}"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (httpx.ConnectError("no"), "cannot connect to oauth.pipedrive.com (no)"),
        (httpx.ReadTimeout("slow"), "oauth.pipedrive.com did not answer within 30 s"),
        (refused("busy", status=503), "503, busy"),
    ],
)
def test_a_token_server_that_does_not_answer_is_named_and_retried(answer: Reply, said: str) -> None:
    server = Server(answer)
    failure = server.fails(CREATE)
    assert (type(failure), str(failure)) == (NoTokenServer, f"oauth/token: {said}")
    assert not failure.perhaps_done, "the create was never sent"
    assert "`token_url`" in failure.hint
    assert len(server.asked) == 5
    back = Server(answer, httpx.Response(200, json={"access_token": "a"}))
    back.run(lambda client: client.send(CREATE))
    assert back.tokens == ["Bearer a"]


def test_an_unsent_request_costs_no_tokens() -> None:
    server = Server(GRANT)

    async def use(client: Writer) -> tuple[int, int]:
        with pytest.raises(NoAccessToken):
            await client.get(LABELS)
        return client.spent.requests, client.spent.tokens

    assert server.run(use) == (0, 0)


@pytest.mark.parametrize(
    "domain",
    ["https://other.pipedrive.com", "other.pipedrive.com", "https://acme.pipedrive.com.evil.test", "https://[", "x y"],
)
def test_a_token_of_another_company_is_refused(domain: str) -> None:
    server = Server(api_domain=domain)
    failure = server.fails()
    assert isinstance(failure, WrongCompany)
    assert diagnostic_of(failure, "emea").code == "wrong-company"
    assert diagnostic_of(failure, "emea").span == PLACE
    assert str(failure).startswith("oauth/token: the client is authorised for ")
    assert str(failure).endswith(", not for acme.pipedrive.com")
    assert failure.hint == "use a refresh token of that company, or correct `domain`"
    assert server.seen == []


@pytest.mark.parametrize("domain", [ORIGIN, "https://ACME.pipedrive.com/", "acme.pipedrive.com", "", None])
def test_a_token_of_this_company_is_accepted(domain: str | None) -> None:
    Server(api_domain=domain).run(lambda client: client.get(LABELS))


@given(st.text(max_size=30) | st.sampled_from(["https://evil.test", "https://acme.pipedrive.com@evil.test"]))
def test_a_token_is_sent_to_the_declared_host_only(domain: str) -> None:
    for origin in (ORIGIN, "https://proxy.test"):
        server = Server(origin=origin, api_domain=domain)
        try:
            server.run(lambda client: client.get(LABELS))
        except WrongCompany:
            assert origin == ORIGIN
        assert {request.url.host for request in server.seen} <= {httpx.URL(origin).host}
        assert {request.url.host for request in server.asked} == {"oauth.pipedrive.com"}


def test_a_rotated_refresh_token_is_stored_and_used() -> None:
    server = Server(refresh_token="r2", expires_in=100)

    async def use(client: Writer) -> None:
        await client.get(LABELS)
        server.now += 100
        await client.get(LABELS)

    server.run(use)
    assert server.rotated == ["r2"], "the second answer holds the same one"
    assert parse_qs(server.asked[1].content.decode())["refresh_token"] == ["r2"]


@pytest.mark.parametrize("same", [REFRESH, None, "", "no token"])
def test_an_unchanged_refresh_token_is_not_stored(same: str | None) -> None:
    server = Server(refresh_token=same)
    server.run(lambda client: client.get(LABELS))
    assert server.rotated == []


def test_the_credential_has_a_readable_description() -> None:
    server = Server()

    async def use(client: Writer) -> list[str]:
        signer = client._connection.signer  # noqa: SLF001  what doctor asks
        before = signer.words
        await client.get(LABELS)
        return [before, signer.words]

    assert server.run(use) == [
        "OAuth, without an access token so far",
        "an OAuth access token, renewed in 59 minutes",
    ]


QUOTED = (SECRET, REFRESH, BASIC, "a1", "r2-new-token")


@given(
    st.lists(st.sampled_from(QUOTED) | st.text("bcdf =,", max_size=4), min_size=1, max_size=6).map(" ".join),
    st.sampled_from(["error", "message", "error_description"]),
    st.sampled_from([400, 401, 403, 404, 429, 500, 503]),
)
def test_secrets_quoted_by_the_token_server_are_masked(text: str, key: str, status: int) -> None:
    records: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = records.append  # type: ignore[assignment,method-assign]  # keeps what is logged
    logger = logging.getLogger("leadstate")
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    bad = httpx.Response(status, content=json.dumps({"success": False, key: text}), headers={"x-correlation-id": text})

    at_the_api = Server(api=bad, access_token="a1", refresh_token="r2-new-token").fails()
    at_the_token_server = Server(bad).fails()
    logger.removeHandler(handler)
    logger.setLevel(logging.NOTSET)
    said = [f"{failure} {failure.hint} {failure!r}" for failure in (at_the_api, at_the_token_server)]
    said += [record.getMessage() for record in records]
    for secret in (SECRET, REFRESH, BASIC):
        assert all(secret not in failure for failure in said)
    assert "a1" not in str(at_the_api)
    assert "r2-new-token" not in str(at_the_api)


def test_a_long_quoted_token_is_masked_completely() -> None:
    long = "t0k" * 300
    quoting = httpx.Response(401, json={"success": False, "error": f"Invalid token: {long}"})

    assert str(Server(api=quoting, access_token=long).fails()) == "getLeadLabels: 401, Invalid token: ***"
    at_the_token_server = Server(refused(f"{'x' * 290} {REFRESH}")).fails()
    assert "x ***" in str(at_the_token_server)
    assert REFRESH[:5] not in str(at_the_token_server)
