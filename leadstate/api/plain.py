"""Plan and apply without `await`, for scripts and schedulers that run no event loop."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from leadstate.api.credentials import Warn
from leadstate.api.results import Event, Plan, Result
from leadstate.api.session import Runtime, connect
from leadstate.config import Configuration
from leadstate.model.account import ImpactLevel
from leadstate.model.diagnostics import LeadstateError
from leadstate.model.rollout import Rollout

T = TypeVar("T")


class EventLoopRunning(LeadstateError):
    """A function that waits was called where an event loop is running, which it would hold up."""

    code = "event-loop"


def plan(
    configuration: Configuration,
    targets: Sequence[str] = (),
    *,
    accounts: Sequence[str] = (),
    impact: str = ImpactLevel.LIVE,
    allow: Sequence[str] = (),
    max_tokens: int | None = None,
    reserve: int = 0,
    runtime: Runtime | None = None,
    warn: Warn | None = None,
) -> Plan:
    """Plan every account; never writes. The arguments are those of `connect` and `Session.plan`."""

    async def run() -> Plan:
        async with connect(configuration, accounts, runtime=runtime, warn=warn) as session:
            return await session.plan(targets, impact=impact, allow=allow, max_tokens=max_tokens, reserve=reserve)

    return _wait_for(run)


def apply(
    plan: Plan,
    *,
    allow: Sequence[str] = (),
    max_tokens: int | None = None,
    only: Sequence[str] | None = None,
    on_event: Callable[[Event], object] | None = None,
    lock: bool | None = None,
    lock_timeout: float = 0.0,
    rollout: Rollout | None = None,
    runtime: Runtime | None = None,
    warn: Warn | None = None,
) -> Result:
    """Apply a plan: plan again, compare, apply, read again.

    The configuration, the accounts and the guards that were lifted come with the plan; the other arguments are those of
    `connect` and `Session.apply`.

    Raises:
        UnknownTarget: `only` holds what is not an address, or one at which nothing is planned.
        StalePlan: a new plan differs.
        Refused: a guard refuses.
        Locked: another run holds one of the accounts.
        ReceiptError: the receipt cannot be written; nothing was changed.
        EventLoopRunning: this was called where an event loop is running, as `plan` must not be either.
        TypeError: an argument has the wrong type; a stored plan, for one, has no configuration.
        ValueError: a number is out of its bounds, or no guard is called so.
    """
    if not isinstance(plan, Plan):
        raise TypeError(
            f"`leadstate.apply` takes a `Plan`, not {type(plan).__name__}: a stored plan has no configuration, so it is"
            " for `Session.apply` within `leadstate.connect`"
        )

    async def run() -> Result:
        async with connect(plan.configuration, runtime=runtime, warn=warn) as session:
            return await session.apply(
                plan,
                allow=allow,
                max_tokens=max_tokens,
                only=only,
                on_event=on_event,
                lock=lock,
                lock_timeout=lock_timeout,
                rollout=rollout,
            )

    return _wait_for(run)


def _wait_for(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work())
    hint = "use `async with leadstate.connect(configuration) as session`, or call this in a thread of its own"
    raise EventLoopRunning("an event loop is running here, and this function would hold it up", hint=hint)
