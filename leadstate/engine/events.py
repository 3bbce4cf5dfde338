"""What happens while a plan is applied, for whoever wants to know: a receipt, a progress bar."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from leadstate.model.address import Address
from leadstate.model.plan import AccountPlan, Change, Outcome, Touch
from leadstate.pipedrive.operations import Delay


class Observer:
    """Hears of each step of an apply; a method that is not overridden does nothing. None may raise."""

    obstacle: str = ""
    """Why nothing more may be written; empty while there is no reason."""

    def started(self, receipt: Path, plans: Sequence[AccountPlan]) -> None:
        """Hear that these plans are about to be applied; the receipt has been written."""

    def delayed(self, account: str, delay: Delay) -> None:
        """Nothing is sent to an account for a while, or one request is sent again after it."""

    def touching(self, account: str, touch: Touch) -> None:
        """Hear that a request that does this is about to be sent."""

    def touched(self, account: str, intended: Touch, done: Touch | None) -> None:
        """Hear of an answer: `intended` is what was announced; `done` is what happened, None if nothing did."""

    def finished(self, change: Change, outcome: Outcome) -> None:
        """Hear that a change has ended."""


@dataclass(frozen=True, slots=True)
class Event:
    """A change has ended.

    Attributes:
        address: the object.
        action: `add`, `update` or `delete`.
        status: `applied`, `failed`, `skipped`, `conflict`, `unknown` or `declined`.
        detail: why, where it was not applied.
    """

    address: Address
    action: str
    status: str
    detail: str

    def __str__(self) -> str:
        return f"{self.address}: {self.action} {self.status}" + (f" ({self.detail})" if self.detail else "")


class Reporter(Observer):
    """Calls a function for each change that ends; where it raises an exception, the run goes on.

    Attributes:
        failure: the first exception that the function has raised.
        interrupted: set once it has raised what is to end the run, as `SystemExit` is; it is not called again then.
    """

    def __init__(self, report: Callable[[Event], object]) -> None:
        self.failure: BaseException | None = None
        self.interrupted = asyncio.Event()
        self._report = report

    def finished(self, change: Change, outcome: Outcome) -> None:
        """Hear that a change has ended."""
        if self.interrupted.is_set():
            return
        try:
            self._report(Event(change.address, change.action.value, outcome.status.value, outcome.detail or ""))
        except (Exception, asyncio.CancelledError) as failure:  # noqa: BLE001  a run is not ended halfway by a function
            self.failure = self.failure or failure
        except BaseException as failure:  # noqa: BLE001  whoever has begun the run raises it once that has ended
            self.failure = failure
            self.interrupted.set()
