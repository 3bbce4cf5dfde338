"""Waits for work that goes over the network."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def wait_for(work: Coroutine[Any, Any, T]) -> T:
    """What the work comes to.

    When `asyncio.run` ends it asks for the handler of Ctrl-C, and CPython's `signal` then makes the `repr` of the task,
    in which its result is. That of a thousand plans took 70 MB and a second, so the task has no result.
    """
    results: list[T] = []

    async def keep() -> None:
        results.append(await work)

    asyncio.run(keep())
    return results[0]
