"""Several observers hear the same, in order; an event says what became of a change."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from leadstate.engine.events import Event, Observer, Reporter, Several
from leadstate.model.address import Address
from leadstate.model.plan import AccountPlan, Change, Outcome, Status, Touch
from leadstate.pipedrive.operations import Delay
from tests.harness.builders import account as declared
from tests.harness.builders import label, planned

(CHANGE,) = planned(declared(label("Hot"))).changes
INTENDED, DONE = (Touch("label", remote_id, "Hot", None, {"name": "Hot"}) for remote_id in (None, "1"))


@dataclass
class Diary(Observer):
    """Writes down everything it hears, into a book that several may share."""

    name: str
    book: list[object] = field(default_factory=list)
    reason: str = ""

    @property
    def obstacle(self) -> str:
        return self.reason

    def started(self, receipt: Path, plans: Sequence[AccountPlan]) -> None:
        self.book.append((self.name, receipt, plans))

    def delayed(self, account: str, delay: Delay) -> None:
        self.book.append((self.name, account, delay))

    def touching(self, account: str, touch: Touch) -> None:
        self.book.append((self.name, account, touch))

    def touched(self, account: str, intended: Touch, done: Touch | None) -> None:
        self.book.append((self.name, account, intended, done))

    def finished(self, change: Change, outcome: Outcome) -> None:
        self.book.append((self.name, change, outcome))


def test_each_observer_hears_everything_in_order() -> None:
    book: list[object] = []
    several = Several(Diary("first", book), Diary("second", book))
    outcome, delay, plans = Outcome(Status.APPLIED), Delay(2.0), [planned(declared())]
    several.started(Path("receipt.json"), plans)
    several.delayed("emea", delay)
    several.touching("emea", INTENDED)
    several.touched("emea", INTENDED, DONE)
    several.finished(CHANGE, outcome)
    heard: list[tuple[object, ...]] = [(Path("receipt.json"), plans), ("emea", delay)]
    heard += [("emea", INTENDED), ("emea", INTENDED, DONE), (CHANGE, outcome)]
    assert book == [(name, *words) for words in heard for name in ("first", "second")]


def test_the_first_reason_of_an_observer_is_the_obstacle() -> None:
    assert Several(Diary("a"), Diary("b", reason="disk full"), Diary("c", reason="later")).obstacle == "disk full"
    assert Several(Diary("a"), Observer()).obstacle == ""


@pytest.mark.parametrize(
    ("outcome", "detail", "shown"),
    [
        (Outcome(Status.APPLIED), "", "emea/label:Hot: add applied"),
        (Outcome(Status.SKIPPED, "no time"), "no time", "emea/label:Hot: add skipped (no time)"),
    ],
)
def test_a_change_that_ends_is_reported_as_an_event(outcome: Outcome, detail: str, shown: str) -> None:
    heard: list[Event] = []
    Reporter(heard.append).finished(CHANGE, outcome)
    assert heard == [Event(Address("emea", "label", "Hot"), "add", outcome.status.value, detail)]
    assert str(heard[0]) == shown
