"""What happens while a plan is applied, for whoever wants to know: a receipt, a progress bar."""

from typing import Protocol

from leadstate.core.outcome import Outcome
from leadstate.core.plan import Change


class Observer(Protocol):
    """Hears of each change as it ends; must not raise."""

    def finished(self, change: Change, outcome: Outcome) -> None:
        """A change has come to its end."""


class Several:
    """Several listeners, in order."""

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers

    def finished(self, change: Change, outcome: Outcome) -> None:
        """Each of them hears it."""
        for one in self._observers:
            one.finished(change, outcome)


class Nobody:
    """Nobody listens."""

    def finished(self, change: Change, outcome: Outcome) -> None:
        """Nothing is done with it."""
