"""A run that is signed with OAuth, against the sandbox: tokens that end while many leads are written."""

import asyncio
from dataclasses import replace

import httpx

from leadstate.engine.jobs import AccountJob
from leadstate.engine.run import Applied, Settings, apply_all, plan_all
from leadstate.model.account import Account, Policy
from leadstate.model.plan import Status
from leadstate.pipedrive.connection import Connection, Pace, http_client
from leadstate.pipedrive.oauth import Client, OAuth
from leadstate.pipedrive.secrets import Token
from tests.harness.builders import label, lead, refs
from tests.harness.sandbox_driver import World, company

ORIGIN, TOKEN_URL = "https://company-7041.pipedrive.com", "https://oauth.pipedrive.com/oauth/token"
ID, SECRET, REFRESH = "client-9", "s3cret-9", "r3fresh-9"
MANY = 120
SECONDS_A_REQUEST = 1.0


class Run:
    """One plan and apply of many leads; `after` requests of the apply something happens."""

    def __init__(self, *, after: int = 0, happens: str = "", **client: object) -> None:
        oauth = {"client_id": ID, "client_secret": SECRET, "refresh_token": REFRESH, **client}
        self.world = World(company(oauth=oauth), burst=None, daily=None)
        self.requests: list[str] = []
        self.rotated: list[str] = []
        self.after = after
        self.happens = happens
        self.unauthorized = 0

    async def _before(self, request: httpx.Request) -> None:
        await asyncio.sleep(0)  # others get their turn, as on a network
        self.requests.append(request.url.path)
        self.world.clock.pass_by(SECONDS_A_REQUEST)
        if self.happens and len(self.requests) == self.after:
            getattr(self.world.sandbox.tokens, self.happens)()

    async def _after(self, reply: httpx.Response) -> None:
        self.unauthorized += reply.status_code == httpx.codes.UNAUTHORIZED

    def __call__(self) -> Applied:
        leads = [lead(f"k{number:03}", labels=refs("Hot")) for number in range(MANY)]
        declared = Account("emea", ORIGIN, "ns", replace(Policy(), max_deletes=None), (label("Hot"), *leads))
        clock = self.world.clock

        async def main() -> Applied:
            async with http_client(httpx.ASGITransport(self.world.sandbox.app)) as http:
                http.event_hooks = {"request": [self._before], "response": [self._after]}
                client = Client(Token(ID), Token(SECRET), Token(REFRESH), TOKEN_URL)
                signer = OAuth(
                    http,
                    client,
                    ORIGIN,
                    clock=lambda: clock.seconds,
                    rotated=lambda token: self.rotated.append(token.reveal()),
                )

                async def sleep(seconds: float) -> None:
                    clock.pass_by(seconds)

                work = [AccountJob(declared, Connection(http, ORIGIN, signer, Pace(lambda: clock.seconds, sleep)))]
                (plan,) = await plan_all(work, Settings())
                (applied,) = await apply_all(work, [plan], Settings())
                return applied

        return asyncio.run(main())

    @property
    def refreshes(self) -> int:
        """How often an access token was asked for."""
        return self.requests.count("/oauth/token")


def statuses(applied: Applied) -> set[Status]:
    return {outcome.status for outcome in applied.outcomes.values()}


def test_tokens_are_renewed_before_they_expire_during_an_apply() -> None:
    run = Run(expires_in=60)
    applied = run()
    assert statuses(applied) == {Status.APPLIED}
    assert applied.remaining is not None
    assert applied.remaining.changes == ()
    assert len(run.world.titles) == MANY
    assert 2 < run.refreshes < MANY / 10
    assert run.unauthorized == 0


def test_an_early_expiry_costs_one_refresh_and_creates_no_duplicate() -> None:
    run = Run(after=60, happens="expire")
    applied = run()
    assert statuses(applied) == {Status.APPLIED}
    assert len(run.world.titles) == MANY
    assert run.unauthorized > 1, "several were under way"
    assert run.refreshes == 2


def test_a_client_uninstalled_during_a_run_is_an_error() -> None:
    run = Run(after=60, happens="revoke")
    applied = run()
    assert statuses(applied) == {Status.APPLIED, Status.FAILED, Status.SKIPPED}
    failed = [outcome for outcome in applied.outcomes.values() if outcome.status is Status.FAILED]
    assert all("Invalid grant: refresh_token is invalid" in outcome.detail for outcome in failed)
    assert run.refreshes == 2, "nothing is asked for once it was refused"
    assert len(run.world.titles) == sum(outcome.status is Status.APPLIED for outcome in applied.outcomes.values())


def test_rotating_refresh_tokens_are_followed() -> None:
    run = Run(expires_in=60, rotate=True)
    assert statuses(run()) == {Status.APPLIED}
    assert len(run.rotated) == run.refreshes > 2
    assert len({*run.rotated}) == len(run.rotated)
