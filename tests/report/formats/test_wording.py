"""The three ends of an apply, in every format: no differences, what remains, or that it could not be read again."""

import html

import pytest

from leadstate.report import FORMATS, render
from leadstate.report.document import Account, Remaining, Untouched
from leadstate.report.formats.text import to_text
from leadstate.report.formats.wording import remarks
from tests.harness.reports import account, change, diagnostic, report

CLEAN = Remaining(add=0, update=0, delete=0)
ERROR = diagnostic("error", "ambiguous", "2 labels have its name")
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
        (
            [account(name, unread=f"x: 401, correlation id {name}") for name in "abc"],
            "3 accounts could not be read again (x: 401, correlation id a and 2 more).",
        ),
        ([account("a")], "1 account could not be read again."),
        (
            [account("a", remaining=CLEAN), account("b", remaining=Remaining(add=1, update=1, delete=0, declined=2))],
            "Read again: only the 2 declined changes are left.",
        ),
        (
            [account("a", remaining=Remaining(add=0, update=0, delete=1, declined=1))],
            "Read again: only the declined change is left.",
        ),
        (
            [account("a", remaining=Remaining(add=3, update=0, delete=0, declined=1, errors=(ERROR,)))],
            "Read again: 2 differences and 1 error besides 1 declined change. The apply did not converge.",
        ),
        (
            [account("a", unread="x"), account("b", remaining=Remaining(add=3, update=0, delete=0, declined=2))],
            "1 account could not be read again (x). In the others: 1 difference besides 2 declined changes.",
        ),
        (
            [account("a", unread="x"), account("b", remaining=Remaining(add=1, update=0, delete=0, declined=1))],
            "1 account could not be read again (x).",
        ),
    ],
)
def test_exactly_one_result_is_written(accounts: list[Account], said: str) -> None:
    assert end(*accounts) == said


def test_remaining_errors_are_written_once() -> None:
    found = report(account("a", remaining=WRONG), command="apply").all_diagnostics()
    assert found == (ERROR,)
    assert report(account("a", remaining=WRONG, diagnostics=(ERROR,)), command="apply").all_diagnostics() == (ERROR,)
    text = to_text(report(account("a", remaining=WRONG), command="apply"), color=False, width=100)
    assert "error[ambiguous] 2 labels have its name" in text


def test_few_reasons_are_told_and_the_others_counted() -> None:
    why = [f"{number}: {'long ' * 100}" for number in range(200)]
    told = end(*(account(f"a{number}", unread=reason) for number, reason in enumerate(why)))
    assert told.startswith("200 accounts could not be read again (0: long ")
    assert told.endswith("…; 197 more reasons).")
    assert len(told) < 700


@pytest.mark.parametrize("name", ["text", "markdown", "html", "github"])
def test_every_format_writes_the_result(name: str) -> None:
    done = report(account("a", unread="getLeads: 429, spent"), command="apply")
    told = "".join(render(done, name, color=False, width=100, verbose=False))
    assert "1 account could not be read again" in told
    assert "429, spent" in told
    assert "no differences" not in told


@pytest.mark.parametrize("name", ["text", "markdown", "html", "github", "junit"])
def test_every_format_shows_a_person_as_written_and_a_lead_by_its_title(name: str) -> None:
    given = change("~", "a/lead:#1", ("person", 5, 7))
    whole = report(account("a", given, names={"person:7": "p7@acme.test", "lead:#1": "Renewal"}))
    told = html.unescape("".join(render(whole, name, color=False, width=200, verbose=False)))
    assert "p7@acme.test (7)" in told
    assert 'lead:#1 "Renewal"' in told.replace("%3A", ":")


def test_what_is_gone_is_named_with_what_can_have_become_of_it() -> None:
    gone = tuple(Untouched(address=f"a/lead:{key}", kind="lead", reason="gone") for key in "wxyz")
    label = Untouched(address="a/label:L", kind="label", reason="gone")
    told = to_text(report(account("a", untouched=(*gone, label))), color=False, width=200)
    why = "deleted, converted to a deal, or hidden from the token"
    assert f"  4 leads untouched ({why}): lead:w, lead:x, lead:y and 1 more\n" in told
    assert "  1 label untouched (deleted since): label:L\n" in told


@pytest.mark.parametrize("name", FORMATS)
def test_no_format_lets_a_name_move_the_cursor_or_command_a_runner(name: str) -> None:
    hostile = "\x1b[31m\x9b\u202e\u2028##[error]"
    planned = change("-", f"a/label:{hostile}", ("name", hostile, None), line=None)
    told = "".join(render(report(account("a", planned)), name, color=False, width=200, verbose=True))
    assert not any(char in told for char in "\x1b\x9b\u202e\u2028")
    assert "##[" not in told
