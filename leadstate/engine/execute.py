"""Makes the changes of one account's plan, stage by stage. A failed change is an `Outcome`, never an exception."""

from collections.abc import Iterator

from pydantic import ValidationError

from leadstate.core.address import Address, Ref
from leadstate.core.diff import diff
from leadstate.core.outcome import Outcome, Status
from leadstate.core.plan import AccountPlan, Action, Change, plain
from leadstate.core.resource import Bindings
from leadstate.kinds import KIND_NAMES, kind_named
from leadstate.kinds.kind import Kind
from leadstate.kinds.operations import Request
from leadstate.pipedrive.answers import Answer
from leadstate.pipedrive.client import Writer
from leadstate.pipedrive.errors import ApiError, NotFound

Outcomes = dict[Address, Outcome]


async def execute(plan: AccountPlan, writer: Writer) -> Outcomes:
    """Apply a plan: labels added and updated, leads added and updated, leads deleted, labels deleted (spec section 3).

    One failed change does not stop those that do not need it. A failure that no other request can survive (a dead
    token, a spent budget) ends the account's run: what is left is skipped, with the reason.
    """
    outcomes: Outcomes = {}
    stopped = ""
    for change in _in_stages(plan):
        obstacle = next((a for a in change.after if outcomes[a].status is not Status.APPLIED), None)
        if stopped:
            outcomes[change.address] = Outcome(Status.SKIPPED, f"because {stopped}")
        elif obstacle is not None:
            outcomes[change.address] = Outcome(Status.SKIPPED, f"because {obstacle.ref} was not applied")
        else:
            outcomes[change.address], stopped = await _make(change, plan.bindings, writer)
    return outcomes


def _in_stages(plan: AccountPlan) -> Iterator[Change]:
    writes = [c for c in plan.changes if c.action is not Action.DELETE]
    deletes = [c for c in plan.changes if c.action is Action.DELETE]
    for name in KIND_NAMES:
        yield from (c for c in writes if c.address.kind == name)
    for name in reversed(KIND_NAMES):
        yield from (c for c in deletes if c.address.kind == name)


async def _make(change: Change, bindings: Bindings, writer: Writer) -> tuple[Outcome, str]:
    """Make one change; the second value says why the account's run has to end, if it has to."""
    kind = kind_named(change.address.kind)
    done = 0
    try:
        answer = None
        for request in kind.requests(change, lambda ref: _bound(bindings, ref)):
            answer = await writer.send(_addressed(request, change, bindings))
            done += 1
            if change.action is Action.ADD and done == 1:
                bindings.bind(change.address.ref, kind.decode(answer.data).remote_id)
        return _judged(change, kind, answer, bindings), ""
    except NotFound as failure:
        if change.action is Action.DELETE:
            return Outcome(Status.APPLIED, "it was gone already"), ""
        return Outcome(Status.FAILED, _with_progress(failure, done)), ""
    except ApiError as failure:
        unclear = failure.perhaps_done and change.action is Action.ADD and done == 0
        status = Status.UNKNOWN if unclear else Status.FAILED
        detail = _with_progress(failure, done)
        if unclear:
            detail += "; it may have been created all the same, the next plan will see"
        return Outcome(status, detail), str(failure) if failure.fatal else ""
    except (ValidationError, ArithmeticError):
        return Outcome(Status.UNKNOWN, "the answer is not understood; the next plan will see what became of it"), ""


def _bound(bindings: Bindings, ref: Ref) -> str:
    found = bindings.id_of(ref)
    if found is None:
        raise LookupError(f"{ref} has no id, though every change that it depends on was applied")
    return found


def _addressed(request: Request, change: Change, bindings: Bindings) -> Request:
    """A request that follows an add gets the id that the add was answered."""
    if request.remote_id is None and "{id}" in request.operation.path:
        return Request(request.operation, _bound(bindings, change.address.ref), request.body)
    return request


def _judged(change: Change, kind: Kind, answer: Answer | None, bindings: Bindings) -> Outcome:
    """Compare what Pipedrive answered with what was asked: unknown values may be ignored without an error."""
    if change.action is Action.DELETE or answer is None:
        return Outcome(Status.APPLIED)
    got = {name: bindings.link(value) for name, value in kind.decode(answer.data).attrs.items()}
    differing = diff(got, change.want)
    if not differing:
        return Outcome(Status.APPLIED)
    words = "; ".join(f"{one.path} is {plain(one.before)}, not {plain(one.after)}" for one in differing)
    return Outcome(Status.FAILED, f"not converged: Pipedrive took the request and answered that {words}")


def _with_progress(failure: ApiError, done: int) -> str:
    return str(failure) + (f" (after {done} of its requests had succeeded)" if done else "")
