"""The receipt of an apply: written before the first request and as changes end, so that a killed run leaves one too."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from leadstate.cli.output import write_beside
from leadstate.core.address import Address
from leadstate.core.outcome import Outcome
from leadstate.core.plan import Change
from leadstate.engine.events import Observer
from leadstate.report.build import Part, build
from leadstate.report.document import Report
from leadstate.report.json import to_json

SECONDS_BETWEEN = 1.0
TIMES_BETWEEN = 20
"""A receipt of thousands of changes takes a while to write: it is written once a second at the most, and writing it may
take a twentieth of the time."""


class Receipt(Observer):
    """Listens to the engine and keeps a file up to date.

    Args:
        folder: where receipts go; made if need be, for its owner only.
        parts: the accounts with their plans.
        now: the time, in UTC.
        clock: monotonic seconds.
    """

    def __init__(
        self, folder: Path, parts: Sequence[Part], *, now: Callable[[], datetime], clock: Callable[[], float]
    ) -> None:
        self._outcomes: dict[str, dict[Address, Outcome]] = {part.plan.account: {} for part in parts}
        self._parts = [replace(part, outcomes=self._outcomes[part.plan.account]) for part in parts]
        self._clock = clock
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        report = self._report()
        name = (report.fingerprint or "").removeprefix("sha256:")[:8]
        self.path = _unused(folder, f"{now():%Y%m%dT%H%M%SZ}-{name}")
        self._write(report)

    def finished(self, change: Change, outcome: Outcome) -> None:
        """Note the end of a change."""
        self._outcomes[change.address.account][change.address] = outcome
        if self._clock() >= self._next:
            self._write(self._report())

    def close(self, parts: Sequence[Part]) -> None:
        """Write what the end was."""
        self._parts = list(parts)
        self._write(self._report())

    def _report(self) -> Report:
        return build("apply", self._parts, receipt=True)

    def _write(self, report: Report) -> None:
        begun = self._clock()
        write_beside(self.path, to_json(report))
        now = self._clock()
        self._next = now + max(SECONDS_BETWEEN, TIMES_BETWEEN * (now - begun))


def _unused(folder: Path, stem: str) -> Path:
    """A name that no receipt has: two runs of one second keep both."""
    path, number = folder / f"{stem}.json", 2
    while path.exists():
        path, number = folder / f"{stem}-{number}.json", number + 1
    return path
