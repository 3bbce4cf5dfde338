"""A company that is disturbed while leadstate works on it, in this process and in virtual time; every step is kept.

Requests are handled one after the other, so that each step has a state before and a state after. Nothing really waits:
the clock of the loop jumps to the next timer, and a run that waits for what never comes fails as a hang.
"""

import asyncio
import json
import os
import selectors
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, TypeVar

import httpx

from leadstate.engine.jobs import AccountJob
from leadstate.engine.run import Applied, Settings, apply_all, plan_all
from leadstate.model.account import Account, ImpactLevel
from leadstate.model.address import Address
from leadstate.model.plan import AccountPlan, Change, Status
from leadstate.pipedrive.connection import Connection, Pace, TokenAuth, http_client
from leadstate.pipedrive.secrets import Token
from leadstate.report.build import Command, Part, build
from leadstate.report.formats.json import to_json
from leadstate.report.formats.text import to_text
from leadstate.sandbox import Sandbox
from leadstate.sandbox.state.records import Tables
from tests.harness.edits import Edit
from tests.harness.faults import Fault, Faults
from tests.harness.sandbox_driver import Breakable

LONG = os.environ.get("LEADSTATE_PROVE") == "long"
"""Whether every proof takes the time it wants; else all of them together take a minute and a half."""

TOKEN = "canary-token-7f3a9c51e0d24b68"
SECRETS = (TOKEN, "canary-person", "canary-user", "canary-organization", "canary-unmanaged")
"""What no output may hold: the token, who people are, and what leads of others are called."""

MOST_REQUESTS = 5_000
"""More requests than any run here has a use for."""
MOST_SECONDS = 3_600.0
"""More virtual seconds than any run here has a use for."""

OF_THE_MOMENT = ("id", "add_time", "update_time", "archive_time", "cc_email", "label_ids")
"""Fields that differ where an object was created again: ids and times."""

T = TypeVar("T")
Body = Mapping[str, Any]


class HangError(AssertionError):
    """A run that does not end."""


class _Instant(selectors.DefaultSelector):
    """A selector that does not wait: it tells how long it was asked to."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if timeout is None and not ready:
            raise HangError("everything waits, and nothing will happen any more")
        self.seconds += 0.0 if ready else max(0.0, timeout or 0.0)
        if self.seconds > MOST_SECONDS:
            raise HangError(f"not done after {MOST_SECONDS:.0f} s")
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose timers are due as soon as there is nothing else to do."""

    def __init__(self) -> None:
        self._instant = _Instant()
        super().__init__(self._instant)

    def time(self) -> float:
        return self._instant.seconds


def run_virtually(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


def _now() -> float:
    return asyncio.get_running_loop().time()


PACE = Pace(_now, asyncio.sleep, lambda: 0.5)
"""Time and chance of a run in virtual time."""


class Ticks:
    """A clock that is a second later each time somebody looks at it: nothing is written twice at one moment."""

    def __init__(self) -> None:
        self._looks = 0

    def __call__(self) -> datetime:
        self._looks += 1
        return datetime(2026, 11, 24, 9, tzinfo=UTC) + timedelta(seconds=self._looks)


@dataclass(frozen=True)
class State:
    """Labels and leads of the company, by id, as the sandbox dumps them."""

    tables: Tables

    @cached_property
    def labels(self) -> Mapping[str, Body]:
        return {label.id: label.body() for label in self.tables.labels}

    @cached_property
    def leads(self) -> Mapping[str, Body]:
        return {lead.id: lead.body() for lead in self.tables.leads}

    @property
    def markers(self) -> list[str]:
        """The origin_id of every lead that has one."""
        return [lead["origin_id"] for lead in self.leads.values() if lead["origin_id"]]


def labels_of(now: State, id_: str) -> Counter[tuple[str, str]]:
    """Return name and colour of a lead's labels; labels that were created again have new ids."""
    return Counter((now.labels[label]["name"], now.labels[label]["color"]) for label in now.leads[id_]["label_ids"])


def image(now: State) -> dict[str, Any]:
    """Return a company without the ids and times that change when an object is created again."""
    return {
        "labels": sorted((label["name"], label["color"]) for label in now.labels.values()),
        "leads": {
            who(lead): {
                **{key: value for key, value in lead.items() if key not in OF_THE_MOMENT},
                "labels": sorted(labels_of(now, id_).elements()),
            }
            for id_, lead in now.leads.items()
        },
    }


def who(lead: Body) -> str:
    """Return what identifies a lead over a rollback: its marker if it is ours, else its id."""
    marker = lead["origin_id"] or ""
    return marker if marker.startswith("ns:") else lead["id"]


@dataclass(frozen=True)
class Step:
    """One request: the state just before the operation and just after it, and what people did just before that.

    `begun` says how many requests had been answered when it was sent, and `heard` whether its answer was a success.
    """

    number: int
    begun: int
    method: str
    path: str
    body: Body = field(repr=False)
    before: State = field(repr=False)
    after: State = field(repr=False)
    edits: tuple[Edit, ...]
    heard: bool

    @property
    def writes(self) -> bool:
        return self.method != "GET"

    @property
    def about(self) -> str:
        """The id in the path, if there is one."""
        return self.path.rpartition("/")[2]


People = Callable[[int, httpx.Request], Sequence[Edit]]
"""What people do just before the request of this number."""

Spoil = Callable[[int, httpx.Request, httpx.Response], httpx.Response]
"""What comes of the answer to the request of this number."""


def nobody(_number: int, _request: httpx.Request) -> Sequence[Edit]:
    """Do nothing: no person edits."""
    return ()


def as_it_is(_number: int, _request: httpx.Request, reply: httpx.Response) -> httpx.Response:
    """Return the answer unchanged."""
    return reply


@dataclass
class Wire(httpx.AsyncBaseTransport):
    """Gives requests to the sandbox one by one."""

    sandbox: Sandbox
    people: People
    spoil: Spoil
    steps: list[Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._turn = asyncio.Lock()
        self._inner = Breakable(self.sandbox)
        self._count = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._count += 1
        if self._count > MOST_REQUESTS:
            raise HangError(f"more than {MOST_REQUESTS} requests")
        begun = len(self.steps)
        async with self._turn:
            number = len(self.steps) + 1
            company = self.sandbox.companies[0]
            edits = tuple(person for person in self.people(number, request) if not person.make(company))
            before = state(self.sandbox)
            heard = False
            try:
                reply = await self._inner.handle_async_request(request)
                await reply.aread()
                heard = reply.is_success and "json" in reply.headers["content-type"]
            finally:
                body = json.loads(request.content) if request.content else {}
                path = request.url.path
                after = state(self.sandbox) if request.method != "GET" else before
                self.steps.append(Step(number, begun, request.method, path, body, before, after, edits, heard))
            return self.spoil(number, request, reply)


def state(sandbox: Sandbox) -> State:
    """Return what the first company of the sandbox holds now."""
    return State(sandbox.companies[0].tables())


@dataclass(frozen=True)
class Run:
    """One run of leadstate: what it planned and did, request by request, and all that it says about it."""

    plan: AccountPlan
    reading: Sequence[Step]
    applied: Applied | None
    writing: Sequence[Step]
    parts: Sequence[Part]
    waited: float

    @cached_property
    def output(self) -> str:
        """All that is said about it, in every form."""
        return "".join(map(rendered, self.parts))

    @property
    def steps(self) -> list[Step]:
        return [*self.reading, *self.writing]

    @property
    def statuses(self) -> set[Status]:
        return set() if self.applied is None else {outcome.status for outcome in self.applied.outcomes.values()}

    @property
    def changes(self) -> Mapping[str, Change]:
        """What was planned, by the id of the object."""
        return {change.remote_id: change for change in self.plan.changes if change.remote_id is not None}

    def status(self, address: str) -> Status:
        """Return what became of one change."""
        assert self.applied is not None
        return self.applied.outcomes[Address("emea", *address.split(":"))].status


def plan_and_apply(
    sandbox: Sandbox,
    account: Account,
    *faults: Fault,
    people: People = nobody,
    spoil: Spoil = as_it_is,
    lag: int = 0,
    apply: bool = True,
) -> Run:
    """Plan and apply one account while these things happen; afterwards nothing happens any more."""
    sandbox.intercept = Faults(*faults, lag=lag)
    wire = Wire(sandbox, people, spoil)
    chosen = Settings(impact=ImpactLevel.LIVE)

    async def main() -> Run:
        async with http_client(wire) as http:
            work = [AccountJob(account, Connection(http, account.origin, TokenAuth(Token(TOKEN)), PACE))]
            (plan,) = await plan_all(work, chosen)
            reading = tuple(wire.steps)
            parts = [Part(plan, (0, 0))]
            applied = None
            if apply:
                (applied,) = await apply_all(work, [plan], chosen)
                cost = (applied.spent.requests, applied.spent.tokens)
                parts.append(Part(plan, (0, 0), cost, applied.outcomes, applied.remaining))
            return Run(plan, reading, applied, tuple(wire.steps[len(reading) :]), parts, _now())

    try:
        return run_virtually(main())
    finally:
        # Lists catch up too: between two runs there is more time than they lag.
        sandbox.intercept = None


def rendered(part: Part) -> str:
    """Return all that is said of one account: to people, to programs, and in a receipt."""
    command: Command = "plan" if part.written is None else "apply"
    report, receipt = build(command, [part]), build(command, [replace(part, touched=())])
    return "".join([to_text(report, color=False, width=10_000), *to_json(report), *to_json(receipt)])


def leaks(run: Run) -> list[str]:
    """Return the secrets that a run has let out."""
    return [secret for secret in SECRETS if secret in run.output]


def company(labels: Iterable[Body], leads: Iterable[Body], **more: Any) -> Body:
    """Return a seed document of one company, in which whatever nobody may hear of is called a canary."""
    return {
        "token": TOKEN,
        "company": {"id": 7041, "name": "Acme", "domain": "acme"},
        "users": [{"id": 101, "name": "canary-user", "email": "canary-user@acme.test"}],
        "persons": [{"id": i, "name": f"canary-person {i}"} for i in (1, 2)],
        "organizations": [{"id": i, "name": f"canary-organization {i}"} for i in (1, 2)],
        "labels": list(labels),
        "leads": list(leads),
        **more,
    }


def check_nothing_twice(now: State) -> None:
    """Check that no marker and no name of a label exists twice."""
    assert len(now.markers) == len(set(now.markers)), f"a second lead with one marker: {sorted(now.markers)}"
    names = [label["name"] for label in now.labels.values()]
    assert len(names) == len(set(names)), f"a second label with one name: {sorted(names)}"


def check_unmanaged_leads(before: State, now: State) -> None:
    """Check that unmanaged leads are unchanged, but for labels that were deleted."""
    for id_, lead in before.leads.items():
        if not (lead["origin_id"] or "").startswith("ns:"):
            kept = [label for label in lead["label_ids"] if label in now.labels]
            assert now.leads[id_] == {**lead, "label_ids": kept}, "an unmanaged lead was changed"


def converge(sandbox: Sandbox, account: Account) -> Run:
    """Apply without faults; check that it works, and that a plan after it is empty."""
    run = plan_and_apply(sandbox, account)
    assert run.plan.applyable, run.plan.diagnostics
    assert run.statuses <= {Status.APPLIED}, run.applied
    again = plan_and_apply(sandbox, account, apply=False)
    assert again.plan.changes == (), again.plan.changes
    return run
