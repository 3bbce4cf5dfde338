"""Makes the changes of one account's plan, stage by stage. A failed change is an `Outcome`, never an exception."""

import asyncio
import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from leadstate.engine.apply.conflicts import GONE, Conflicts
from leadstate.engine.apply.create import NotCreated, create
from leadstate.engine.apply.merge import move_leads
from leadstate.engine.events import Observer
from leadstate.kinds import KINDS
from leadstate.kinds.base import Kind
from leadstate.model.address import Address
from leadstate.model.diagnostics import counted
from leadstate.model.plan import AccountPlan, Action, Change, Outcome, Status, plain
from leadstate.model.resource import FREEZES, Live
from leadstate.pipedrive.client import Writer
from leadstate.pipedrive.errors import ApiError, NotFound, Rejected
from leadstate.pipedrive.operations import Request
from leadstate.reconcile.dependencies import dependents
from leadstate.reconcile.diff import diff

Outcomes = dict[Address, Outcome]

_log = logging.getLogger("leadstate")

AT_ONCE = 8
"""Changes of one account under way at the same time; the limiter paces their requests."""

_SEEN_LATER = "the next plan will see what became of it"


async def execute(
    plan: AccountPlan,
    writer: Writer,
    observers: Sequence[Observer] = (),
    interrupted: asyncio.Event | None = None,
    declined: Mapping[Address, Outcome] | None = None,
) -> Outcomes:
    """Apply a plan: labels added and updated, leads added and updated, leads deleted, labels deleted (spec section 3).

    One failed change does not stop those that do not need it. A failure that no other request can survive (a dead
    token, a spent budget, an observer that raises) ends the account's run, and so does an interrupt: what is under way
    is finished, what is left is skipped, with the reason. What was declined ends as it is given in `declined`.
    """
    run = _Run(plan, writer, observers, interrupted or asyncio.Event(), declined or {})
    for stage in stages(plan):
        # Two merges may move the same lead, whose whole list of labels each of them writes: one after the other.
        gate = asyncio.Semaphore(1 if any(change.moves_to for change in stage) else AT_ONCE)
        async with asyncio.TaskGroup() as group:
            for change in stage:
                group.create_task(run.perform(change, gate))
    return {change.address: run.outcomes[change.address] for change in plan.changes}


def decline(plan: AccountPlan, declined: Collection[Address]) -> Outcomes:
    """Return the ends of the changes that somebody declined, and of those that cannot be made without them."""
    chosen = {change.address for change in plan.changes if change.address in declined}
    followers = dependents(plan.changes, chosen)
    return {
        **{address: Outcome(Status.DECLINED, "not chosen") for address in chosen},
        **{
            address: Outcome(Status.DECLINED, f"because {needed.ref} was declined")
            for address, needed in followers.items()
        },
    }


def stages(plan: AccountPlan) -> Iterator[Sequence[Change]]:
    """What of one stage is made in any order; a stage begins when the one before has ended."""
    for name in KINDS:
        yield [c for c in plan.changes if c.address.kind == name and c.action is not Action.DELETE]
    for name in reversed(KINDS):
        yield [c for c in plan.changes if c.address.kind == name and c.action is Action.DELETE]


class _Run:
    def __init__(
        self,
        plan: AccountPlan,
        writer: Writer,
        observers: Sequence[Observer],
        interrupted: asyncio.Event,
        declined: Mapping[Address, Outcome],
    ) -> None:
        self.outcomes: Outcomes = {}
        self._declined = declined
        self._bindings = plan.bindings
        self._writer = writer
        self._observers = observers
        self._interrupted = interrupted
        self._conflicts = Conflicts(plan, writer)
        self._stopped = ""
        self._fatal: dict[type[ApiError], str] = {}

    async def perform(self, change: Change, gate: asyncio.Semaphore) -> None:
        async with gate:
            obstacle = next((a for a in change.after if self.outcomes[a].status is not Status.APPLIED), None)
            if change.address in self._declined:
                outcome = self._declined[change.address]
            elif self._stopped:
                outcome = Outcome(Status.SKIPPED, f"because {self._stopped}")
            elif self._interrupted.is_set():
                outcome = Outcome(Status.SKIPPED, "because the run was interrupted")
            elif obstacle is not None:
                outcome = Outcome(Status.SKIPPED, f"because {obstacle.ref} was not applied")
            else:
                outcome = await self._attempt(change)
            self.outcomes[change.address] = outcome
            try:
                for observer in self._observers:
                    observer.finished(change, outcome)
            except Exception as failure:  # noqa: BLE001  what was done is reported all the same, and nothing else is begun
                words = failure.strerror or str(failure) if isinstance(failure, OSError) else type(failure).__name__
                self._stopped = f"what was done could not be noted down ({words})"
                self.outcomes[change.address] = replace(outcome, detail=outcome.detail or f"but {self._stopped}")

    async def _attempt(self, change: Change) -> Outcome:
        moved: set[str] = set()
        try:
            outcome = await self._change(change, moved)
        except NotCreated as failure:
            outcome = Outcome(Status.UNKNOWN, f"{failure}; {_SEEN_LATER}")
        except ApiError as failure:
            if failure.fatal:
                # It is about the account and not about this change: those under way end with the same words.
                self._stopped = self._fatal.setdefault(type(failure), str(failure))
            outcome = Outcome(Status.FAILED, self._stopped if failure.fatal else str(failure))
        except (ValueError, ArithmeticError, RecursionError):  # pydantic's ValidationError is a ValueError
            outcome = Outcome(Status.UNKNOWN, f"the answer is not understood; {_SEEN_LATER}")
        except Exception as failure:  # noqa: BLE001  a mistake of ours ends this change, and no other one
            _log.debug("internal error at %s", change.address, exc_info=failure)
            words = f"internal error ({type(failure).__name__}), a mistake in leadstate"
            outcome = Outcome(Status.UNKNOWN, f"{words}; {_SEEN_LATER}")
        if moved and outcome.status is not Status.APPLIED:
            verb = "stays" if len(moved) == 1 else "stay"
            words = f"{counted(len(moved), 'lead')} had been moved to {change.moves_to} and {verb} moved"
            outcome = replace(outcome, detail=f"{outcome.detail}; {words}")
        return outcome

    async def _change(self, change: Change, moved: set[str]) -> Outcome:
        """Make the change unless a person has changed the account meanwhile; compare the answer with what was asked.

        Moving leads takes time, so conflicts are looked for again after that. Pipedrive may ignore a value without an
        error.
        """
        end = await self._conflicts.find(change)
        if end is None and change.moves_to is not None:
            await move_leads(change, self._bindings.resolve(change.moves_to), self._writer, moved)
            end = await self._conflicts.find(change, again=True)
        if end is not None:
            return end
        try:
            made = await self._send(change)
        except NotFound:
            if change.action is Action.DELETE:
                return GONE
            raise
        if made is None:
            return Outcome(Status.APPLIED)
        differing = [(field.path, field.before, field.after) for field in diff(self._bindings.attrs(made), change.want)]
        if change.action is Action.ADD and made.marker != change.marker:
            differing.append(("origin_id", made.marker, change.marker))
        if change.action is Action.UPDATE and made.remote_id != change.remote_id:
            differing.append(("id", made.remote_id, change.remote_id))
        if not differing:
            return Outcome(Status.APPLIED, remote_id=made.remote_id)
        words = "; ".join(f"{path} is {plain(now)}, not {plain(wanted)}" for path, now, wanted in differing)
        return Outcome(Status.FAILED, f"not converged: Pipedrive answered that {words}", remote_id=made.remote_id)

    async def _send(self, change: Change) -> Live | None:
        """Send what the change takes, and return the object as it was answered last; None after a delete."""
        kind = KINDS[change.address.kind]
        requests = kind.requests(change, self._bindings)
        made: Live | None = None
        if change.action is Action.ADD:
            made = await create(requests[0], change, kind, self._bindings, self._writer)
            self._bindings.bind(change.address.ref, made.remote_id)
            requests = [replace(request, remote_id=made.remote_id) for request in requests[1:]]
        for request in requests:
            try:
                data = (await self._writer.send(request)).data
            except Rejected:
                data = await self._archived_already(request, kind)
                if data is None:
                    raise
            if change.action is not Action.DELETE:
                made = kind.decode(data)
        return made

    async def _archived_already(self, request: Request, kind: Kind) -> dict[str, Any] | None:
        """Return an object that a refused request was to archive, if it is archived; None for any other request.

        So it is after an answer that was lost: the client sends a PATCH again, and an archived object takes nothing but
        its way back.
        """
        archive = {kind.wire.get(FREEZES): True}
        if kind.one is None or request.body != archive:
            return None
        data = (await self._writer.get(Request(kind.one, request.remote_id))).data
        return data if isinstance(data, dict) and archive.items() <= data.items() else None
