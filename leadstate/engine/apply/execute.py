"""Makes the changes of one account's plan, stage by stage. A failed change is an `Outcome`, never an exception.

Just before a change would create, overwrite or delete, the account is read again: a person may have changed it since it
was planned, and while a request that failed waits to be sent again. Pipedrive has no compare-and-set, so an edit can
still be lost in the time between this reading and the request, which is one round trip (`Connection.repeat`).
"""

import asyncio
import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import partial

from leadstate.engine.apply.create import NotCreated, create
from leadstate.engine.apply.recorder import Recorder
from leadstate.engine.events import Observer
from leadstate.engine.jobs import task_group
from leadstate.kinds import KINDS
from leadstate.kinds.base import Kind, decode_rows
from leadstate.kinds.lead import decode_summaries
from leadstate.model.address import Address, RemoteRef
from leadstate.model.diagnostics import counted, reason_of
from leadstate.model.plan import AccountPlan, Action, Change, Outcome, Status, plain
from leadstate.model.resource import CARRIED, CARRIER, CARRIES, FREEZES, Bindings, Live
from leadstate.pipedrive.client import Reader, Writer
from leadstate.pipedrive.connection import Connection
from leadstate.pipedrive.errors import ApiError, BadAnswer, NotFound, Rejected
from leadstate.pipedrive.operations import Request
from leadstate.reconcile.changed import labels_in
from leadstate.reconcile.dependencies import dependents
from leadstate.reconcile.diff import at, diff, removed

Outcomes = dict[Address, Outcome]

_log = logging.getLogger("leadstate")

AT_ONCE = 8
"""Changes of one account, or leads of one merge, under way at the same time; the limiter paces their requests."""

GONE = "it was gone already"
_SEEN_LATER = "the next plan will see what became of it"

ROUNDS = 3
"""How often leads are looked for that got the label while others were moved."""


class EndedError(Exception):
    """A change ends without its request: somebody changed the account meanwhile, or nothing is left to do."""

    def __init__(self, status: Status, detail: str = "", remote_id: str | None = None) -> None:
        super().__init__(detail)
        self.outcome = Outcome(status, detail, remote_id)


class StillCarried(ApiError):
    """Leads carry the label all the same, so it is not deleted."""

    code = "still-carried"
    fix = "run again when the account is quieter"


async def execute(
    plan: AccountPlan,
    connection: Connection,
    observers: Sequence[Observer] = (),
    interrupted: asyncio.Event | None = None,
    declined: Mapping[Address, Outcome] | None = None,
) -> Outcomes:
    """Apply a plan: labels added and updated, leads added and updated, leads deleted, labels deleted (spec section 3).

    One failed change does not stop those that do not need it. A failure that no other request can survive (a dead
    token, a spent budget, an observer that raises) ends the account's run, and so does an interrupt: what is under way
    is finished, what is left is skipped, with the reason. What was declined ends as it is given in `declined`.
    """
    writer = Recorder(connection, plan, observers)
    conflicts = Conflicts(plan, writer)
    run = _Run(plan.bindings, conflicts, writer, observers, interrupted or asyncio.Event(), declined or {})
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
    """Yield what may be made in any order; a stage begins when the one before has ended.

    What is deleted goes last, but for what waits for it.
    """
    waiting: list[Change] = []
    ended: set[Address] = set()
    writes = [[c for c in plan.changes if c.address.kind == name and c.action is not Action.DELETE] for name in KINDS]
    deletes = [[c for c in plan.changes if c.address.kind == name and c.action is Action.DELETE] for name in KINDS]
    for batch in (*writes, *reversed(deletes)):
        waiting += batch
        while ready := [change for change in waiting if ended.issuperset(change.after)]:
            yield ready
            ended |= {change.address for change in ready}
            waiting = [change for change in waiting if change.address not in ended]


@dataclass(slots=True)
class _Run:
    """The apply of one plan.

    Attributes:
        outcomes: of the changes that have ended.
        stopped: why nothing new is begun; empty while there is no reason.
        fatal: failures that no other request survives, in the words in which each was first met.
    """

    bindings: Bindings
    conflicts: "Conflicts"
    writer: Recorder
    observers: Sequence[Observer]
    interrupted: asyncio.Event
    declined: Mapping[Address, Outcome]
    outcomes: Outcomes = field(default_factory=dict)
    stopped: str = ""
    fatal: dict[type[ApiError], str] = field(default_factory=dict)

    async def perform(self, change: Change, gate: asyncio.Semaphore) -> None:
        async with gate:
            obstacle = next((a for a in change.after if self.outcomes[a].status is not Status.APPLIED), None)
            if change.address in self.declined:
                outcome = self.declined[change.address]
            elif self.stopped:
                outcome = Outcome(Status.SKIPPED, f"because {self.stopped}")
            elif self.interrupted.is_set():
                outcome = Outcome(Status.SKIPPED, "because the run was interrupted")
            elif obstacle is not None:
                outcome = Outcome(Status.SKIPPED, f"because {obstacle.ref} was not applied")
            else:
                outcome = await self._attempt(change)
            self.outcomes[change.address] = outcome
            try:
                for observer in self.observers:
                    observer.finished(change, outcome)
            except Exception as failure:  # noqa: BLE001  what was done is reported all the same, and nothing else is begun
                words = reason_of(failure) if isinstance(failure, OSError) else type(failure).__name__
                self.stopped = f"the result could not be recorded ({words})"
                self.outcomes[change.address] = replace(outcome, detail=outcome.detail or f"but {self.stopped}")

    async def _attempt(self, change: Change) -> Outcome:
        moved: set[str] = set()
        try:
            outcome = await self._change(change, moved)
        except EndedError as ended:
            outcome = ended.outcome
        except NotCreated as failure:
            outcome = Outcome(Status.UNKNOWN, f"{failure}; {_SEEN_LATER}")
        except ApiError as failure:
            detail = str(failure)
            if failure.fatal:
                # It is about the account and not about this change: those under way end with the same words.
                self.stopped = self.fatal.setdefault(type(failure), failure.summary)
                detail = f"{failure.operation}: {self.stopped}"
            outcome = Outcome(Status.FAILED, detail)
        except (ValueError, ArithmeticError, RecursionError):  # pydantic's ValidationError is a ValueError
            outcome = Outcome(Status.UNKNOWN, f"the answer is not understood; {_SEEN_LATER}")
        except Exception as failure:  # noqa: BLE001  a mistake of ours ends this change, and no other one
            _log.debug("internal error at %s", change.address, exc_info=failure)
            words = f"internal error ({type(failure).__name__}), a bug in leadstate"
            outcome = Outcome(Status.UNKNOWN, f"{words}; {_SEEN_LATER}")
        if moved and outcome.status is not Status.APPLIED:
            verb = "stays" if len(moved) == 1 else "stay"
            words = f"{counted(len(moved), 'lead')} had been moved to {change.moves_to} and {verb} moved"
            outcome = replace(outcome, detail=f"{outcome.detail}; {words}")
        return outcome

    async def _change(self, change: Change, moved: set[str]) -> Outcome:
        """Make the change unless a person has changed the account meanwhile; compare the answer with what was asked.

        Moving leads takes time, so conflicts are looked for before and after it. Pipedrive may ignore a value without
        an error.
        """
        kind = KINDS[change.address.kind]
        if change.moves_to is not None:
            await self.conflicts.check(change)
            await move_leads(change, self.bindings.resolve(change.moves_to), self.writer, moved)
        first, *rest = kind.requests(change, self.bindings)
        if change.action is Action.ADD:
            send = partial(self._send, change, kind, (first,))
            made = await create(change, kind, self.bindings, self.writer, send)
            self.bindings.bind(change.address.ref, made.remote_id)
            for request in rest:
                made = kind.decode(await self._send_one(replace(request, remote_id=made.remote_id), change))
        else:
            data = await self._send(change, kind, (first, *rest))
            if change.action is Action.DELETE:
                return Outcome(Status.APPLIED)
            made = kind.decode(data)
        differing = [(field.path, field.before, field.after) for field in diff(self.bindings.attrs(made), change.want)]
        if change.action is Action.ADD and made.marker != change.marker:
            differing.append(("origin_id", made.marker, change.marker))
        if change.action is Action.UPDATE and made.remote_id != change.remote_id:
            differing.append(("id", made.remote_id, change.remote_id))
        if not differing:
            return Outcome(Status.APPLIED, remote_id=made.remote_id)
        words = "; ".join(f"{path} is {plain(now)}, not {plain(wanted)}" for path, now, wanted in differing)
        return Outcome(Status.FAILED, f"not converged: Pipedrive answered that {words}", remote_id=made.remote_id)

    async def _send(self, change: Change, kind: Kind, requests: Sequence[Request]) -> object:
        """Send requests, each time right after conflicts were looked for; return the data of the last answer.

        Raises:
            EndedError: a conflict, or that there was nothing left to do.
        """
        again, begun = change.moves_to is not None, False

        async def attempt() -> object:
            nonlocal again, begun
            await self.conflicts.check(change, again=again, begun=begun)
            again, data = True, None
            for request in requests:
                try:
                    data = await self._send_one(request, change)
                except NotFound:
                    if change.action is Action.DELETE:
                        raise EndedError(Status.APPLIED, GONE) from None
                    raise
                except ApiError as failure:
                    begun = begun or failure.perhaps_done
                    raise
                begun = True
            return data

        return await (attempt() if kind.reread(change) is None else self.writer.repeat(attempt))

    async def _send_one(self, request: Request, change: Change) -> object:
        """Send one request, and return the data of its answer.

        One that archives is refused where the object is archived already, which takes nothing but its way back. So it
        is after an answer that was lost, since the client sends a PATCH again; then the object is read instead.
        """
        try:
            return (await self.writer.send(request, change)).data
        except Rejected:
            kind = KINDS[change.address.kind]
            archive = {kind.wire.get(FREEZES): True}
            if request.body != archive:
                raise
            data = (await self.writer.get(Request(kind.one, request.remote_id))).data
            if not isinstance(data, dict) or not archive.items() <= data.items():
                raise
            return data


class Conflicts:
    """Looks for conflicts in one account. A listing is read once for all adds, and once for all deletes."""

    def __init__(self, plan: AccountPlan, reader: Reader) -> None:
        self._bindings = plan.bindings
        self._names = {(live.kind, live.remote_id): live.name for live in plan.named}
        self._reader = reader
        self._listed: dict[tuple[str, Action], dict[str, Live]] = {}
        self._listing = asyncio.Lock()

    async def check(self, change: Change, *, again: bool = False, begun: bool = False) -> None:
        """Raise an error if something keeps a change from being made.

        Args:
            change: what is about to be made.
            again: whether to read anew what is shared with other changes.
            begun: whether this run may have made the change, or a part of it: its answer was lost.

        Raises:
            EndedError: a conflict; or that the object is gone, or is as the change would have it.
            NotFound: the object that an update is about does not exist any more.
            ApiError: it could not be read.
        """
        kind = KINDS[change.address.kind]
        request = kind.reread(change)
        if request is None:
            return
        found: Live | None
        if request.remote_id is None:
            listed = await self._list(kind, request, change.action, again=again)
            if change.action is Action.ADD:
                self._check_name(change, listed.values())
                return
            if again and change.moves_to is not None and self._bindings.id_of(change.moves_to) not in listed:
                words = f"somebody deleted {change.moves_to}, which its leads get, since it was planned"
                raise EndedError(Status.CONFLICT, words)
            found = listed.get(change.remote_id or "")
        else:
            try:
                (found,) = decode_rows(kind, request.operation, [(await self._reader.get(request)).data])
            except NotFound:
                if change.action is not Action.DELETE:
                    raise
                found = None
        if found is None:
            raise EndedError(Status.APPLIED, GONE)
        self._compare(change, found, begun=begun)

    def _check_name(self, change: Change, listed: Iterable[Live]) -> None:
        """Raise an error if an object has the name of one to be created, and had not when that was planned."""
        for live in listed:
            known = self._bindings.knows(RemoteRef(live.kind, live.remote_id))
            was_there = known and self._names.get((live.kind, live.remote_id)) == live.name
            if live.name == change.want["name"] and not was_there:
                words = f"somebody made a {live.kind} of this name since it was planned ({live.remote_id}); plan again"
                raise EndedError(Status.CONFLICT, words)

    def _compare(self, change: Change, live: Live, *, begun: bool) -> None:
        """Raise an error if an object has values that neither the plan knew nor the change may have made."""
        now = self._bindings.attrs(live)
        planned = {field.path: field.before for field in change.fields}
        made = {field.path: field.after for field in change.fields} if begun else planned
        if change.action is Action.DELETE:
            current = {field.path: field.before for field in removed(now)}
        else:
            current = {field.path: at(now, field.steps) for field in change.fields}
            if begun and current == made:
                raise EndedError(Status.APPLIED, remote_id=live.remote_id)
        differing = [
            f"{path} was {plain(planned.get(path))}, is {plain(current.get(path))}"
            for path in sorted(planned.keys() | current.keys())
            if current.get(path) not in (planned.get(path), made.get(path))
        ]
        if differing:
            raise EndedError(Status.CONFLICT, f"somebody changed it since it was planned: {'; '.join(differing)}")

    async def _list(self, kind: Kind, request: Request, action: Action, *, again: bool) -> Mapping[str, Live]:
        async with self._listing:
            if again or (kind.name, action) not in self._listed:
                rows = (await self._reader.get(request)).all_rows()
                self._listed[kind.name, action] = {
                    live.remote_id: live for live in decode_rows(kind, request.operation, rows)
                }
            return self._listed[kind.name, action]


async def move_leads(change: Change, target: str, writer: Writer, moved: set[str]) -> None:
    """Move every live lead from the label that is deleted to the target.

    Args:
        change: the delete.
        target: the id of the label that the leads get.
        writer: the way to the account.
        moved: gets the id of each lead that was moved, also where not all of them are.

    Raises:
        StillCarried: a lead could not be read or written, or after some rounds there are still leads that carry it;
            those that were moved stay moved.
        ApiError: no request to this account can succeed now.
    """
    kind, source = KINDS[CARRIER], change.remote_id or ""
    gate = asyncio.Semaphore(AT_ONCE)
    failures: list[tuple[str, ApiError]] = []

    async def move(lead: str) -> None:
        """Move one lead. A failure does not stop the others, unless none can succeed after it."""
        async with gate:
            if any(failure.fatal for _, failure in failures):
                return
            try:
                if await _move(lead, source, target, writer):
                    moved.add(lead)
            except NotFound:
                return
            except ApiError as failure:
                failures.append((lead, failure))

    carriers: Collection[str] = change.carriers or ()
    for _ in range(ROUNDS):
        async with task_group() as group:
            for lead in carriers:
                group.create_task(move(lead))
        if failures:
            raise _choose_gravest(failures)
        carriers = await _find_carriers(kind, source, writer)
        if not carriers:
            return
    verb = "carries" if len(carriers) == 1 else "carry"
    raise StillCarried(kind.operation(Action.UPDATE).id, f"{counted(len(carriers), kind.name)} still {verb} the label")


def _choose_gravest(failures: Sequence[tuple[str, ApiError]]) -> ApiError:
    """Return what ends a merge of which some leads could not be moved: what no request survives, else the first."""
    for _, failure in failures:
        if failure.fatal:
            return failure
    lead, failure = failures[0]
    more = f"; {counted(len(failures) - 1, 'other lead')} could not be moved either" if len(failures) > 1 else ""
    return StillCarried(failure.operation, f"lead {lead}: {failure.summary}{more}")


async def _move(lead: str, source: str, target: str, writer: Writer) -> bool:
    """Give a lead the one label in place of the other; return False if it does not carry that or cannot be edited."""
    kind = KINDS[CARRIER]
    update = kind.operation(Action.UPDATE)
    not_given = BadAnswer(update.id, "did not answer that it has the labels that it was given")
    begun = False

    async def attempt() -> bool:
        nonlocal begun
        answer = await writer.get(Request(kind.one, lead))
        (now,) = decode_rows(kind, kind.one, [answer.data])
        labels = decode_summaries(kind.one, [answer.data])[0].label_ids
        if begun and source not in labels and target not in labels:
            raise not_given
        if source not in labels or now.frozen_by is not None:
            return begun and source not in labels
        # In the order in which people have them.
        others = list(dict.fromkeys(target if label == source else label for label in labels))
        try:
            answer = await writer.send(Request(update, lead, {kind.wire[CARRIES]: others}))
        except ApiError as failure:
            begun = begun or failure.perhaps_done
            raise
        (now,) = decode_rows(kind, update, [answer.data])
        if now.remote_id != lead or {*labels_in(now.attrs)} != {RemoteRef(CARRIED, label) for label in others}:
            raise not_given
        return True

    return await writer.repeat(attempt)


async def _find_carriers(kind: Kind, label: str, writer: Writer) -> list[str]:
    found: list[str] = []
    async with aclosing(writer.pages(kind.listing)) as pages:
        async for page in pages:
            leads = decode_summaries(kind.listing, page.rows)
            found += [lead.id for lead in leads if label in lead.label_ids]
    return found
