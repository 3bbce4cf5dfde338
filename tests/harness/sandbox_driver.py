"""A sandbox on fake clocks with counted ids, and a client that talks to it in-process."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx

from leadstate.sandbox import Sandbox
from tests.harness.faults import Fault, Faults

TOKEN = "token-of-acme"
OTHER = "token-of-other"
START = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
FIELD = "3ce5b1409718d65a8adc965be1f0da8821d8b9ab"
UNKNOWN_FIELD = "f" * 40
NOWHERE = "00000000-0000-4000-8000-00000000dead"
HOT, COLD = "aecece60-c069-11eb-93bf-b59c4f1731e6", "aecece62-c069-11eb-93bf-b59c4f1731e6"


class FakeClock:
    """Time that moves only when it is told to."""

    def __init__(self) -> None:
        self.now = START
        self.seconds = 1000.0

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.seconds += seconds


class CountedIds:
    """UUIDs of version 1 in the order of asking."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, kind: str) -> str:
        self.asked.append(kind)
        return str(UUID(int=len(self.asked) << 96 | 0x1000 << 64 | 0x8 << 60))


def company(token: str = TOKEN, number: int = 7041, **more: Any) -> dict[str, Any]:
    """Return a company: users 1 and 2, persons and organizations 1 to 3, labels Hot and Cold, one custom field."""
    return {
        "token": token,
        "company": {"id": number, "name": f"Company {number}", "domain": f"company-{number}"},
        "plan": "lite",
        "users": [{"id": i, "name": f"User {i}", "email": f"user{i}@acme.test"} for i in (1, 2)],
        "persons": [{"id": i, "name": f"Person {i}"} for i in (1, 2, 3)],
        "organizations": [{"id": i, "name": f"Organization {i}"} for i in (1, 2, 3)],
        "fields": [FIELD],
        "labels": [{"id": HOT, "name": "Hot", "color": "red"}, {"id": COLD, "name": "Cold", "color": "blue"}],
        **more,
    }


class Breakable(httpx.AsyncBaseTransport):
    """Gives requests to the sandbox in this process, where a broken connection is httpx's own error as on a port."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._inner = httpx.ASGITransport(sandbox.app)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return await self._inner.handle_async_request(request)
        except ConnectionResetError as reset:
            raise httpx.ReadError(str(reset), request=request) from reset
        except ConnectionAbortedError as aborted:
            raise httpx.RemoteProtocolError(str(aborted), request=request) from aborted


class World:
    """One sandbox with the clocks and ids that it was given."""

    def __init__(self, *companies: Mapping[str, Any], **options: Any) -> None:
        self.clock = FakeClock()
        self.ids = CountedIds()
        self.slept: list[float] = []
        self.sandbox = Sandbox(
            {"companies": list(companies) or [company()]},
            clock=lambda: self.clock.now,
            monotonic=lambda: self.clock.seconds,
            new_id=self.ids,
            sleep=self._sleep,
            **{"burst": None, "daily": None, **options},
        )

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def disturb(self, *faults: Fault, lag: int = 0) -> Faults:
        """Let these things happen to the requests from now on, and nothing else."""
        self.sandbox.intercept = plan = Faults(*faults, lag=lag)
        return plan

    def call(
        self, method: str, path: str, body: Any = None, *, token: str | None = TOKEN, **options: Any
    ) -> httpx.Response:
        """Send one request; `body` is JSON, or bytes to send as they are."""
        headers = {} if token is None else {"x-api-token": token}
        content = {"content": body} if isinstance(body, bytes) else {} if body is None else {"json": body}

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.sandbox.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as client:
                return await client.request(method, path, headers=headers, **content, **options)

        return asyncio.run(send())

    def api(self, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        """Send one request to a path below `/api/v1`."""
        return self.call(method, f"/api/v1{path}", body, **options)

    def second(self, path: str, **query: Any) -> Any:
        """Send a request; return the body of a success from a path below `/api/v2`."""
        answer = self.call("GET", f"/api/v2{path}", params=query)
        assert answer.is_success, answer.text
        assert answer.json()["success"] is True
        return answer.json()

    def broken(self, method: str, path: str, body: Any = None) -> httpx.TransportError:
        """Send a request to a path below `/api/v1`; return the error of its connection, which has to break."""

        async def send() -> None:
            async with httpx.AsyncClient(transport=Breakable(self.sandbox), base_url="http://sandbox") as client:
                await client.request(method, f"/api/v1{path}", headers={"x-api-token": TOKEN}, json=body)

        try:
            asyncio.run(send())
        except httpx.TransportError as error:
            return error
        raise AssertionError("the connection held")

    def data(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """Return the `data` of an answer that has to be a success."""
        answer = self.api(method, path, body, **options)
        assert answer.is_success, answer.text
        assert answer.json()["success"] is True
        return answer.json()["data"]

    def refusal(self, method: str, path: str, body: Any = None, **options: Any) -> str:
        """Return the message of an answer that has to be a 400 in the general envelope."""
        answer = self.api(method, path, body, **options)
        assert answer.status_code == 400, answer.text
        envelope = answer.json()
        assert set(envelope) == {"success", "error", "error_info", "data", "additional_data"}
        assert envelope["success"] is False
        assert envelope["data"] is None
        assert envelope["additional_data"] is None
        return str(envelope["error"])

    def add(self, **values: Any) -> dict[str, Any]:
        """Add a lead of person 1, and return it."""
        lead: dict[str, Any] = self.data("POST", "/leads", {"title": "A lead", "person_id": 1, **values})
        return lead

    @property
    def titles(self) -> list[str]:
        """The titles of all leads that there are."""
        return [lead.title for lead in self.sandbox.companies[0].tables().leads]

    def listed(self, path: str = "/leads", **query: Any) -> list[Any]:
        """Return the titles of one page."""
        return [lead["title"] for lead in self.data("GET", path, params=query)]
