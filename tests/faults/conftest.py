"""Each proof says how many cases it ran: `record_property("cases", (what, number))`, printed at the end of a run."""

from collections import Counter
from collections.abc import Callable

import pytest

Counted = Callable[[str, int], None]


@pytest.fixture
def counted(record_property: Callable[[str, object], None]) -> Counted:
    """Note that a proof ran so many cases; the numbers of one proof add up."""

    def note(proof: str, cases: int) -> None:
        record_property("prove", [proof, cases])

    return note


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    found: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport) and report.when == "call":
                for name, value in report.user_properties:
                    if name == "prove" and isinstance(value, list | tuple):
                        found[str(value[0])] += int(value[1])
    if found:
        terminalreporter.section("proofs")
    for proof, cases in found.items():
        terminalreporter.write_line(f"{proof}: {cases:,} cases")
