"""Accounts worked on at the same time. A bad account does not sink the rest: its failure is a diagnostic of its own."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from leadstate.model.account import Account
from leadstate.model.diagnostics import Diagnostic, LeadstateError, Severity, bug_in_leadstate, diagnostic_of
from leadstate.pipedrive.connection import Connection
from leadstate.pipedrive.errors import BadAnswer

AT_ONCE = 32
"""Accounts worked on at the same time: limits are an account's own, sockets and memory are ours."""

T = TypeVar("T")

_log = logging.getLogger("leadstate")


@dataclass(frozen=True, slots=True)
class AccountJob:
    """One account and the way to it."""

    account: Account
    connection: Connection


Ended = Callable[[AccountJob], None]
"""Hears that an account has come to its end; must not raise."""


async def each(
    work: Sequence[AccountJob],
    do: Callable[[AccountJob], Awaitable[T]],
    fail: Callable[[AccountJob, Diagnostic], T],
    ended: Ended | None = None,
) -> list[T]:
    """Do something with every account, several at a time. What goes wrong in one account does not stop the others.

    Args:
        work: the accounts.
        do: works on one of them.
        fail: makes a result of what went wrong in one, whatever was raised.
        ended: hears of each account that has come to its end.

    Returns:
        The results, in the order of the accounts.
    """
    gate = asyncio.Semaphore(AT_ONCE)

    async def gated(job: AccountJob) -> T:
        async with gate:
            try:
                done = await do(job)
            except Exception as failure:  # noqa: BLE001  whatever it is, the other accounts go on and the report is written
                done = fail(job, failure_of(failure, job.account.name))
        if ended is not None:
            ended(job)
        return done

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(gated(job)) for job in work]
    return [task.result() for task in tasks]


def failure_of(failure: Exception, account: str) -> Diagnostic:
    """Return the diagnostic of what was raised while an account was worked on; a mistake of ours is called one."""
    if isinstance(failure, LeadstateError):
        return diagnostic_of(failure, account)
    if isinstance(failure, ArithmeticError | RecursionError):
        words = f"an answer contains a value that cannot be used ({type(failure).__name__})"
        return Diagnostic(BadAnswer.code, Severity.ERROR, words, hint=BadAnswer.fix, account=account)
    _log.debug("internal error in %s", account, exc_info=failure)
    return bug_in_leadstate(failure, account)


@asynccontextmanager
async def task_group() -> AsyncIterator[asyncio.TaskGroup]:
    """Open a task group of which the first failure ends the others, and is raised as what it is."""
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
