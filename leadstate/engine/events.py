"""What happens while a plan is applied, for whoever wants to know: a receipt, a progress bar."""

from collections.abc import Sequence
from pathlib import Path

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
