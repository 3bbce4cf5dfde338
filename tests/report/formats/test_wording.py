"""The three ends of an apply, in every format: no differences, what remains, or that it could not be read again."""

import pytest

from leadstate.report import RENDERERS
from leadstate.report.document import Account, Remaining
from leadstate.report.formats.text import to_text
from leadstate.report.formats.wording import remarks
from tests.harness.reports import account, diagnostic, report

CLEAN = Remaining(add=0, update=0, delete=0)
ERROR = diagnostic("error", "ambiguous", "2 labels bear its name")
WRONG = Remaining(add=0, update=0, delete=0, errors=(ERROR,))


def end(*accounts: Account) -> str:
    (found,) = map(str, remarks(report(*accounts, command="apply")))
    return found


@pytest.mark.parametrize(
    ("accounts", "said"),
    [
        ([account("a", remaining=CLEAN), account("b", remaining=CLEAN)], "Read again: no differences."),
        (
            [account("a", remaining=CLEAN), account("b", remaining=Remaining(add=1, update=1, delete=1))],
            "Read again: 3 differences. The apply did not converge.",
        ),
        ([account("a", remaining=WRONG)], "Read again: 1 error. The apply did not converge."),
        (
            [account("a", remaining=WRONG), account("b", remaining=Remaining(add=1, update=0, delete=0))],
            "Read again: 1 difference and 1 error. The apply did not converge.",
        ),
        (
            [account("a", unread="getLeads: 429, spent"), account("b", remaining=CLEAN)],
            "1 account could not be read again (getLeads: 429, spent).",
        ),
        (
            [
                account("a", unread="x"),
                account("b", unread="y"),
                account("c", unread="x"),
                account("d", remaining=WRONG),
            ],
            "3 accounts could not be read again (x; y). In the others: 1 error.",
        ),
        ([account("a")], "1 account could not be read again."),
    ],
)
def test_exactly_one_result_is_written(accounts: list[Account], said: str) -> None:
    assert end(*accounts) == said


def test_remaining_errors_are_written_once() -> None:
    found = report(account("a", remaining=WRONG), command="apply").all_diagnostics()
    assert found == (ERROR,)
    assert report(account("a", remaining=WRONG, diagnostics=(ERROR,)), command="apply").all_diagnostics() == (ERROR,)
    text = to_text(report(account("a", remaining=WRONG), command="apply"), color=False, width=100)
    assert "error[ambiguous] 2 labels bear its name" in text


@pytest.mark.parametrize("name", ["text", "markdown", "html", "github"])
def test_every_format_writes_the_result(name: str) -> None:
    done = report(account("a", unread="getLeads: 429, spent"), command="apply")
    told = RENDERERS[name](done, color=False, width=100, verbose=False)
    assert "1 account could not be read again" in told
    assert "429, spent" in told
    assert "no differences" not in told
