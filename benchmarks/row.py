"""What a row of the table is: two things compared in one run, as a ratio or share, and its limit (spec section 8)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

Number = float | int | None


class SkippedError(Exception):
    """A row that cannot be measured here; says why."""


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured: the value that is held against the limit, and the numbers that it was made of.

    `sound` is False where something besides the value went wrong, such as a request that was answered 429.
    """

    value: float
    numbers: Mapping[str, Number] = field(default_factory=dict)
    sound: bool = True


@dataclass(frozen=True, slots=True)
class Row:
    """One row.

    Attributes:
        name: what `--only` takes.
        compared: one line that says what is compared with what.
        unit: of the value: `×`, `%`, `MB`, `tokens`.
        measure: measures it, in an empty folder.
        limit: the value may be this at most; None for a row that only tells, as those about other tools do.
        at_least: the value must be this at least instead.
    """

    name: str
    compared: str
    unit: str
    measure: Callable[[Path], Figure]
    limit: float | None = None
    at_least: bool = False

    def holds(self, figure: Figure) -> bool:
        """Whether a figure is within the limit."""
        if self.limit is None:
            return figure.sound
        return figure.sound and (figure.value >= self.limit if self.at_least else figure.value <= self.limit)
