"""What happens while a plan is applied, for whoever wants to know: a receipt, a progress bar."""

from typing import Protocol

from leadstate.core.outcome import Outcome
from leadstate.core.plan import Change


class Observer(Protocol):
    """Hears of each change as it ends; must not raise."""

    def finished(self, change: Change, outcome: Outcome) -> None:
        """A change has come to its end."""


class Nobody:
    """Nobody listens."""

    def finished(self, change: Change, outcome: Outcome) -> None:
        """Nothing is done with it."""
