"""A company whose leads are read in different ways, with a clock of its own; every request is written down."""

import email.utils
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from leadstate.engine.jobs import AccountJob
from leadstate.engine.run import Settings, plan_all
from leadstate.model.account import Account, Policy
from leadstate.model.address import Ref
from leadstate.model.plan import AccountPlan
from leadstate.model.resource import Desired
from leadstate.pipedrive.connection import Connection
from leadstate.sandbox import Sandbox
from tests.harness.builders import lead_id
from tests.harness.connections import NOWHERE, TOKEN, connect

LABEL_ID = "00000000-0000-4000-8000-000000000001"
BEGIN = datetime(2026, 11, 24, tzinfo=UTC)


@dataclass
class Company(httpx.AsyncBaseTransport):
    """One company in this process: `ours` leads of the namespace `ns`, then those of others.

    Attributes:
        pages: of live leads, as they are remembered; 0 for not at all.
        hides_labels: whether the list of labels is empty.
        lengths: what the last plan has learnt of listings.
    """

    ours: int
    others: int = 0
    pages: int = 0
    hides_labels: bool = False
    now: datetime = BEGIN
    sent: Counter[str] = field(default_factory=Counter)
    lengths: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        stamp = "2026-01-12T08:30:00.000Z"
        leads = [
            {
                "id": lead_id(number),
                "title": f"k{number}" if number < self.ours else "an unmanaged lead",
                "person_id": 1,
                "label_ids": [LABEL_ID],
                "value": {"amount": 12000.5, "currency": "EUR"},
                "add_time": stamp,
                "update_time": stamp,
                **({"origin_id": f"ns:k{number}"} if number < self.ours else {}),
            }
            for number in range(self.ours + self.others)
        ]
        seed = {
            "token": TOKEN,
            "company": {"id": 7041, "name": "Acme", "domain": "acme"},
            "persons": [{"id": 1, "name": "Jane"}],
            "labels": [{"id": LABEL_ID, "name": "Hot", "color": "red"}],
            "leads": leads,
        }
        self.sandbox = Sandbox(seed, burst=100_000, daily=None, clock=lambda: self.now)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        shape = "/".join("{id}" if "-" in part else part for part in request.url.path.split("/")[3:])
        self.sent[shape + ("?updated_since" if "updated_since" in request.url.params else "")] += 1
        if shape == "leadLabels" and self.hides_labels:
            return httpx.Response(200, json={"success": True, "data": []})
        answer = await httpx.ASGITransport(self.sandbox.app).handle_async_request(request)
        answer.headers["date"] = email.utils.format_datetime(self.now, usegmt=True)
        return answer

    @property
    def company(self) -> Any:
        return self.sandbox.companies[0]

    @property
    def tokens(self) -> int:
        """What it was asked has cost until now."""
        found: int = self.sandbox.meter.report()["tokens"]
        return found

    def account(self, *desired: Desired, unknown: Sequence[int] = (), lock: Mapping[str, str] | None = None) -> Account:
        """Return an account that declares these; the lock file knows each of our leads but the unknown."""
        known = {f"k{number}": lead_id(number) for number in range(self.ours) if number not in unknown}
        refs = {Ref("lead", key): id_ for key, id_ in (known | dict(lock or {})).items()}
        return Account("emea", NOWHERE, "ns", Policy(), desired, lock=refs)

    def plan(self, account: Account, settings: Settings | None = None) -> AccountPlan:
        """Plan the account; `sent` counts what that took."""
        self.sent.clear()

        async def main(connection: Connection) -> AccountPlan:
            connection.lengths.update({"getLeads": self.pages} if self.pages else {})
            (plan,) = await plan_all([AccountJob(account, connection)], settings or Settings())
            self.lengths = connection.lengths
            return plan

        return connect(self, main)

    def later(self, **time: int) -> None:
        self.now += timedelta(**time)

    def update(self, number: int, **values: Any) -> None:
        self.company.update_lead(lead_id(number), {"custom": {}, **values})


def words(plan: AccountPlan) -> str:
    assert plan.reading
    return plan.reading
