"""Makes the changes of one account's plan, stage by stage. A failed change is an `Outcome`, never an exception."""

import asyncio
import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from leadstate.engine.apply.conflicts import GONE, Conflicts
from leadstate.engine.apply.create import NotCreated, bound, make
from leadstate.engine.apply.merge import move_leads
from leadstate.engine.events import Observer
from leadstate.kinds import KINDS
from leadstate.model.address import Address
from leadstate.model.diagnostics import counted
from leadstate.model.plan import AccountPlan, Action, Change, Outcome, Status, plain
from leadstate.pipedrive.client import Writer
from leadstate.pipedrive.errors import ApiError, NotFound
from leadstate.reconcile.dependencies import dependents
from leadstate.reconcile.diff import diff

Outcomes = dict[Address, Outcome]

_log = logging.getLogger("leadstate")

AT_ONCE = 8
"""Changes of one account under way at the same time; the limiter paces their requests."""


async def execute(
    plan: AccountPlan,
    writer: Writer,
    observer: Observer | None = None,
    interrupted: asyncio.Event | None = None,
    declined: Mapping[Address, Outcome] | None = None,
) -> Outcomes:
    """Apply a plan: labels added and updated, leads added and updated, leads deleted, labels deleted (spec section 3).

    One failed change does not stop those that do not need it. A failure that no other request can survive (a dead
    token, a spent budget, an observer that raises) ends the account's run, and so does an interrupt: what is under way
    is finished, what is left is skipped, with the reason. What was declined ends as it is given in `declined`.
    """
    run = _Run(plan, writer, observer or Observer(), interrupted or asyncio.Event(), declined or {})
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
        observer: Observer,
        interrupted: asyncio.Event,
        declined: Mapping[Address, Outcome],
    ) -> None:
        self.outcomes: Outcomes = {}
        self._declined = declined
        self._bindings = plan.bindings
        self._writer = writer
        self._observer = observer
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
                self._observer.finished(change, outcome)
            except Exception as failure:  # noqa: BLE001  what was done is reported all the same, and nothing else is begun
                self._stopped = f"what was done could not be noted down ({_words(failure)})"
                self.outcomes[change.address] = replace(outcome, detail=outcome.detail or f"but {self._stopped}")

    async def _attempt(self, change: Change) -> Outcome:
        moved: set[str] = set()
        outcome = await self._end(change, moved)
        if not moved or outcome.status is Status.APPLIED:
            return outcome
        count = len(moved)
        stay = "stays" if count == 1 else "stay"
        return replace(
            outcome,
            detail=f"{outcome.detail}; {counted(count, 'lead')} had been moved to {change.moves_to} and {stay} moved",
        )

    async def _end(self, change: Change, moved: set[str]) -> Outcome:
        try:
            return await self._change(change, moved)
        except NotCreated as failure:
            return Outcome(Status.UNKNOWN, f"{failure}; the next plan will see what became of it")
        except ApiError as failure:
            if failure.fatal:
                # It is about the account and not about this change: those under way end with the same words.
                self._stopped = self._fatal.setdefault(type(failure), str(failure))
            return Outcome(Status.FAILED, self._stopped if failure.fatal else str(failure))
        except (ValueError, ArithmeticError, RecursionError):  # pydantic's ValidationError is a ValueError
            return Outcome(Status.UNKNOWN, "the answer is not understood; the next plan will see what became of it")
        except Exception as failure:  # noqa: BLE001  a mistake of ours ends this change, and no other one
            _log.debug("internal error at %s", change.address, exc_info=failure)
            words = f"internal error ({type(failure).__name__}), a mistake in leadstate"
            return Outcome(Status.UNKNOWN, f"{words}; the next plan will see what became of it")

    async def _change(self, change: Change, moved: set[str]) -> Outcome:
        """Make the change unless a person has changed the account meanwhile; moving leads takes time, so look again."""
        end = await self._conflicts.find(change)
        if end is None and change.moves_to is not None:
            await move_leads(change, bound(self._bindings, change.moves_to), self._writer, moved)
            end = await self._conflicts.find(change, again=True)
        if end is not None:
            return end
        try:
            return await self._make(change)
        except NotFound:
            if change.action is Action.DELETE:
                return GONE
            raise

    async def _make(self, change: Change) -> Outcome:
        """Make it, and compare what Pipedrive answered with what was asked: it may ignore a value without an error."""
        made = await make(change, KINDS[change.address.kind], self._bindings, self._writer)
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


def _words(failure: Exception) -> str:
    return failure.strerror or str(failure) if isinstance(failure, OSError) else type(failure).__name__
