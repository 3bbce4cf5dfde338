"""An event says what became of a change."""

import pytest

from leadstate.api.results import Event, Reporter
from leadstate.model.address import Address
from leadstate.model.plan import Outcome, Status
from tests.harness.builders import account as declared
from tests.harness.builders import label, planned

(CHANGE,) = planned(declared(label("Hot"))).changes


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
