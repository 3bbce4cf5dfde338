"""OAuth in the sandbox: token requests in the documented words, access tokens that end, refresh tokens that rotate."""

import asyncio
import base64
from typing import Any

import httpx
import pytest

from leadstate.sandbox import Sandbox, SeedError
from tests.harness.sandbox_driver import OTHER, TOKEN, World, company

CLIENT = {"client_id": "c", "client_secret": "s:ecret", "refresh_token": "r"}
BASIC = "Basic " + base64.b64encode(b"c:s:ecret").decode()
GRANT = {"grant_type": "refresh_token", "refresh_token": "r"}


def new_world(*others: dict[str, Any], **client: Any) -> World:
    return World(company(oauth={**CLIENT, **client}), *others, burst="plan")


def ask(of: World, authorization: str = BASIC, **form: str) -> httpx.Response:
    headers = {"authorization": authorization} if authorization else {}
    return _send(of, "POST", "/oauth/token", headers=headers, data=form or GRANT)


def _send(of: World, method: str, path: str, **options: Any) -> httpx.Response:
    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(of.sandbox.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as client:
            return await client.request(method, path, **options)

    return asyncio.run(send())


def labels(of: World, access_token: str) -> httpx.Response:
    return _send(of, "GET", "/api/v1/leadLabels", headers={"authorization": f"Bearer {access_token}"})


def test_an_access_token_opens_its_company() -> None:
    world = new_world(company(OTHER, 7042))
    granted = ask(world)
    assert granted.status_code == 200
    body = granted.json()
    assert body.keys() == {"access_token", "token_type", "expires_in", "refresh_token", "scope", "api_domain"}
    assert (body["expires_in"], body["refresh_token"]) == (3600, "r")
    assert body["api_domain"] == "https://company-7041.pipedrive.com"
    answer = labels(world, body["access_token"])
    assert answer.status_code == 200
    assert answer.headers["x-ratelimit-limit"] == "80", "four times what an API token has"
    assert world.api("GET", "/leadLabels", token=TOKEN).headers["x-ratelimit-limit"] == "20"
    assert world.sandbox.meter.requests == 2, "the token request is not counted"


def test_an_access_token_expires() -> None:
    world = new_world(expires_in=100)
    token = ask(world).json()["access_token"]
    world.clock.pass_by(99)
    assert labels(world, token).status_code == 200
    world.clock.pass_by(1)
    refused = labels(world, token)
    assert refused.status_code == 401
    assert refused.json()["error"] == "Invalid token: access_token is invalid"
    assert labels(world, ask(world).json()["access_token"]).status_code == 200


@pytest.mark.parametrize("token", ["", "wrong", TOKEN, "r"])
def test_an_invalid_access_token_is_401(token: str) -> None:
    assert labels(new_world(), token).status_code == 401


@pytest.mark.parametrize(
    ("authorization", "form", "message"),
    [
        ("", {}, "Invalid client: cannot retrieve client credentials"),
        ("Bearer x", {}, "Invalid client: cannot retrieve client credentials"),
        ("Basic !", {}, "Invalid client: cannot retrieve client credentials"),
        ("Basic " + base64.b64encode(b"c").decode(), {}, "Invalid client: cannot retrieve client credentials"),
        ("Basic " + base64.b64encode(b"c:wrong").decode(), {}, "Invalid client: client is invalid"),
        (BASIC, {"x": "1"}, "Missing parameter: grant_type"),
        (BASIC, {"grant_type": "password"}, "Unsupported grant type: grant_type is invalid"),
        (BASIC, {"grant_type": "refresh_token"}, "Invalid grant: refresh_token is invalid"),
        (BASIC, {**GRANT, "refresh_token": "wrong"}, "Invalid grant: refresh_token is invalid"),
    ],
)
def test_a_refused_token_request_has_the_documented_error(
    authorization: str, form: dict[str, str], message: str
) -> None:
    refused = ask(new_world(), authorization, **form)
    assert refused.status_code == 400
    assert refused.json()["message"] == message


def test_a_token_request_must_be_a_form() -> None:
    answer = _send(new_world(), "POST", "/oauth/token", headers={"authorization": BASIC}, json=GRANT)
    assert answer.json()["message"] == "Missing parameter: grant_type"


def test_a_rotating_refresh_token_is_accepted_once() -> None:
    world = new_world(rotate=True)
    new = ask(world).json()["refresh_token"]
    assert new != "r"
    assert ask(world).status_code == 400
    assert ask(world, grant_type="refresh_token", refresh_token=new).status_code == 200


def test_tokens_can_be_expired_and_revoked() -> None:
    world = new_world()
    token = ask(world).json()["access_token"]
    world.sandbox.tokens.expire()
    assert labels(world, token).status_code == 401
    token = ask(world).json()["access_token"]
    world.sandbox.tokens.revoke()
    assert labels(world, token).status_code == 401
    assert ask(world).status_code == 400


def test_a_replaced_state_accepts_only_tokens_of_its_seed() -> None:
    world = new_world(rotate=True)
    token = ask(world).json()["access_token"]
    dumped = world.sandbox.dump()
    assert dumped["companies"][0]["oauth"] == {**CLIENT, "expires_in": 3600, "rotate": True}
    world.sandbox.replace(dumped)
    assert labels(world, token).status_code == 401
    assert ask(world).status_code == 200


def test_two_companies_must_not_share_a_refresh_token() -> None:
    two = {"companies": [company(oauth=CLIENT), company(OTHER, 7042, oauth=CLIENT)]}
    with pytest.raises(SeedError, match=r"companies\[1\]\.oauth\.refresh_token: token is taken"):
        Sandbox(two)


def test_an_access_token_may_outlive_every_calendar() -> None:
    world = new_world(expires_in=2**53 - 1)
    granted = ask(world).json()
    assert granted["expires_in"] == 2**53 - 1
    world.clock.pass_by(3600 * 24 * 365 * 1000)
    assert labels(world, granted["access_token"]).status_code == 200
