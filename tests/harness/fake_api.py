"""A tiny Pipedrive in memory, which does what a test tells it to at any request."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

import httpx

from leadstate.engine.apply.execute import Outcomes, execute
from leadstate.engine.events import Observer
from leadstate.engine.run import Settings, plan_one, unread
from leadstate.model.account import Account, ImpactLevel, Policy
from leadstate.model.diagnostics import LeadstateError, diagnostic_of
from leadstate.model.plan import AccountPlan, Change, Outcome
from leadstate.model.resource import Desired
from leadstate.pipedrive.client import Writer
from leadstate.pipedrive.connection import Connection
from tests.harness.builders import FREE
from tests.harness.connections import NOWHERE, FakeTime, connect

T = TypeVar("T")
Reply = httpx.Response


@dataclass
class Fake(httpx.AsyncBaseTransport):
    """One account.

    Attributes:
        labels: id → label.
        filters: id → saved filter, its conditions with it.
        leads: id → lead, live or archived.
        sent: every request, as `PATCH leads/1`.
        bodies: what each write request held, beside its name.
        before: name of a request, and how often it was sent before → what happens then; an answer in place of its own.
        after: the same, once the request was done.
        alters: name of a request → what becomes of a body before it is stored.
    """

    labels: dict[str, dict[str, Any]] = field(default_factory=dict)
    leads: dict[str, dict[str, Any]] = field(default_factory=dict)
    filters: dict[str, dict[str, Any]] = field(default_factory=dict)
    sent: list[str] = field(default_factory=list)
    bodies: list[tuple[str, Any]] = field(default_factory=list)
    before: dict[tuple[str, int], Callable[[], Reply | None]] = field(default_factory=dict)
    after: dict[tuple[str, int], Callable[[], Reply | None]] = field(default_factory=dict)
    alters: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = field(default_factory=dict)
    sorts: bool = True
    time: FakeTime = field(default_factory=FakeTime)
    made: int = 0

    def label(self, id_: str, name: str, color: str = "red") -> None:
        self.labels[id_] = {"id": id_, "name": name, "color": color}

    def lead(self, id_: str, marker: str | None = None, *labels: str, **values: Any) -> None:
        self.leads[id_] = {
            "id": id_,
            "title": id_,
            "person_id": 1,
            "origin_id": marker,
            "label_ids": [*labels],
            **values,
        }

    def with_label(self, id_: str, name: str, color: str = "red") -> Self:
        """Return the account with one more label."""
        self.label(id_, name, color)
        return self

    def with_lead(self, id_: str, marker: str | None = None, *labels: str, **values: Any) -> Self:
        """Return the account with one more lead."""
        self.lead(id_, marker, *labels, **values)
        return self

    def with_leads(self, prefix: str, count: int, *labels: str, **values: Any) -> Self:
        """Return the account with so many more unmanaged leads."""
        for number in range(count):
            self.lead(f"{prefix}{number}", None, *labels, **values)
        return self

    def writes(self) -> list[str]:
        return [name for name in self.sent if not name.startswith("GET")]

    async def handle_async_request(self, request: httpx.Request) -> Reply:
        name = f"{request.method} {request.url.path.split('/', 3)[3]}"
        times = self.sent.count(name)
        self.sent.append(name)
        for _ in range(3):
            await asyncio.sleep(0)
        body = json.loads(request.content) if request.content else {}
        if body:
            self.bodies.append((name, body))
        if (name, times) in self.before and (first := self.before[name, times]()) is not None:
            return first
        if name in self.alters:
            body = self.alters[name](body)
        reply = self._do(request, name.partition(" ")[2].split("/"), body)
        return (self.after[name, times]() if (name, times) in self.after else None) or reply

    def _do(self, request: httpx.Request, path: list[str], body: dict[str, Any]) -> Reply:
        table = {"leadLabels": self.labels, "filters": self.filters}.get(path[0], self.leads)
        if request.method == "POST":
            self.made += 1
            table[f"new-{self.made}"] = {"id": f"new-{self.made}", **body}
            return ok(table[f"new-{self.made}"], 201)
        if path in (["leadLabels"], ["filters"]):
            return ok([*table.values()])
        if path in (["leads"], ["leads", "archived"]):
            return self._page(request, archived=len(path) > 1)
        if path[1] not in table:
            return failed(404, "not found")
        if request.method == "DELETE":
            return ok({"id": table.pop(path[1])["id"]})
        table[path[1]] |= body
        return ok(table[path[1]])

    def _page(self, request: httpx.Request, *, archived: bool) -> Reply:
        rows = [lead for lead in self.leads.values() if bool(lead.get("is_archived")) is archived]
        if "sort" in request.url.params and self.sorts:
            rows.reverse()
        start, limit = (int(request.url.params.get(name, 0)) for name in ("start", "limit"))
        more = len(rows) > start + limit
        return ok(rows[start : start + limit], pagination={"limit": limit, "more_items_in_collection": more})

    def run(self, do: Callable[[Writer], Awaitable[T]]) -> T:
        """Call a function with a writer; no pause takes any time."""
        return self.connect(lambda connection: do(Writer(connection)))

    def connect(self, do: Callable[[Connection], Awaitable[T]]) -> T:
        """Call a function with a connection; no pause takes any time."""
        return connect(self, do, pace=self.time.pace())

    def plan(
        self, *desired: Desired, policy: Policy = FREE, impact: ImpactLevel = ImpactLevel.LIVE, **of_account: Any
    ) -> AccountPlan:
        """Plan these declarations."""
        account = Account("emea", NOWHERE, "ns", policy, desired, **of_account)
        return self.plan_account(account, Settings(impact=impact))

    def plan_account(self, account: Account, settings: Settings) -> AccountPlan:
        """Plan an account."""
        try:
            return self.run(lambda writer: plan_one(account, writer, settings))
        except LeadstateError as failure:
            return unread(account, diagnostic_of(failure, account.name))

    def apply(self, plan: AccountPlan, observer: "Heard | None" = None) -> Outcomes:
        """Carry a plan out; `sent` and `bodies` hold what that took."""
        self.sent.clear()
        self.bodies.clear()
        return self.connect(lambda connection: execute(plan, connection, () if observer is None else (observer,)))


@dataclass
class Heard(Observer):
    """Writes down what it hears."""

    ended: list[tuple[str, str]] = field(default_factory=list)
    fails: Exception | None = None

    def finished(self, change: Change, outcome: Outcome) -> None:
        self.ended.append((str(change.address.ref), outcome.status.value))
        if self.fails is not None:
            raise self.fails


def ok(data: object, status: int = 200, **additional: object) -> Reply:
    """Return a successful answer."""
    return httpx.Response(status, json={"success": True, "data": data, "additional_data": additional})


def failed(status: int, error: str = "no", **headers: str) -> Reply:
    """Return an answer that refuses."""
    return httpx.Response(status, json={"success": False, "error": error}, headers=headers)


def lost() -> Reply:
    """Return an answer that never arrives."""
    raise httpx.ReadError("reset")


def ends(outcomes: Outcomes) -> dict[str, str]:
    """Return what became of each change, in short."""
    return {str(address.ref): outcome.status.value for address, outcome in outcomes.items()}


def only(outcomes: Outcomes) -> Outcome:
    """Return what became of the only change."""
    (outcome,) = outcomes.values()
    return outcome


def details(outcomes: Outcomes) -> list[str]:
    """Return what is said of each change."""
    return [outcome.detail for outcome in outcomes.values()]
