"""The columns of the terminal view. Rich's own table, which is slow, is the judge."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from leadstate.model.address import Span
from leadstate.model.diagnostics import ALLOWED
from leadstate.report.document import Diagnostic, Impact, Report, Result, Untouched
from leadstate.report.formats.console import GAP, LEAST, Cell, draw, print_rows, table
from leadstate.report.formats.text import to_text
from tests.harness.reports import account, change, diagnostic, hundred, many, report

WORDS = st.text(st.sampled_from("ab é漢🔥"), max_size=12).map(str.strip)
ROWS = st.lists(st.tuples(WORDS, st.lists(WORDS, max_size=6).map(" ".join), WORDS), min_size=1, max_size=6)


def cells(row: Sequence[str]) -> list[Cell]:
    return [[(text, "")] for text in row]


def by_rich(console: Console, rows: Sequence[Sequence[str]]) -> None:
    table = Table.grid(padding=(0, GAP, 0, 0))
    for number in range(3):
        table.add_column(overflow="fold", no_wrap=number != 1)
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)


@given(ROWS, st.integers(LEAST + 60, 200))
def test_rows_are_laid_out_as_by_rich(rows: Sequence[Sequence[str]], width: int) -> None:
    ours = draw(lambda console: print_rows(console, [cells(row) for row in rows], folds=1), color=False, width=width)
    theirs = draw(lambda console: by_rich(console, rows), color=False, width=width)
    assert ours == theirs


@pytest.mark.parametrize("width", [80, 100, 200])
def test_no_line_is_wider_than_the_terminal_if_avoidable(width: int) -> None:
    lines = to_text(many(200), color=False, width=width).splitlines()[:-1]
    assert max(map(len, lines)) <= width


@given(st.lists(st.tuples(*[st.text("ab /é漢", max_size=90)] * 4), min_size=1, max_size=4), st.integers(57, 120))
def test_a_long_cell_pushes_no_other_off_the_screen(rows: list[tuple[str, ...]], width: int) -> None:
    shown = draw(lambda console: print_rows(console, [cells(row) for row in rows], folds=1), color=False, width=width)
    assert all(cell_len(line) <= width for line in shown.splitlines())
    assert sorted("".join(shown.split())) == sorted(
        "".join(text for row in rows for text in row if text).replace(" ", "")
    )


def test_a_long_name_leaves_its_changes_on_the_screen() -> None:
    name = "Q3 " + "campaign for renewals " * 4
    long = change("~", f"emea/label:{name}", ("color", "red", "orange"))
    lines = to_text(report(account("emea", long)), color=False, width=80).splitlines()
    assert max(map(len, lines[:-1])) <= 80
    assert "".join(lines[1:-3]).count("orange") == 1


def test_colour_does_not_change_the_layout() -> None:
    plain = to_text(many(40), color=False, width=90)
    colored = to_text(many(40), color=True, width=90)
    assert "\x1b[32m" in colored
    assert "\x1b" not in plain
    bare = Text.from_ansi(colored).plain
    assert [line.rstrip() for line in bare.splitlines()] == [line.rstrip() for line in plain.splitlines()]


@pytest.mark.parametrize(
    "row",
    [
        ("aaaaaaaa漢", "aaa漢漢 aaa漢漢 aaaa漢漢 aaaaaaaa漢漢漢 aaaaaaaa漢漢漢漢", ""),
        ("", "a aaaa漢漢漢漢 aaaa漢漢漢漢 aaaaaaaaa aaaaaa漢漢漢漢", "aaaaaa漢漢漢漢"),
    ],
)
def test_an_empty_column_is_laid_out_as_by_rich(row: tuple[str, str, str]) -> None:
    ours = draw(lambda console: print_rows(console, [cells(row)], folds=1), color=False, width=72)
    assert ours == draw(lambda console: by_rich(console, [row]), color=False, width=72)


def in_use(*names: str, hint: str = "write it") -> tuple[Diagnostic, ...]:
    summary = "how many leads carry it was not counted"
    places = [Span(file="leadstate.yaml", line=number, column=5) for number in range(1, len(names) + 1)]
    return tuple(
        diagnostic("guard", "in-use", summary, hint=hint, account="emea", address=f"emea/label:{name}", source=place)
        for name, place in zip(names, places, strict=True)
    )


def test_equal_diagnostics_of_many_objects_are_one_line() -> None:
    refused = in_use(*(f"L{number}" for number in range(33)))
    shown = to_text(report(account("emea", diagnostics=refused), applyable=False), color=False, width=200)
    assert shown.count("guard[in-use]") == 1
    assert "guard[in-use] emea/label:L0, emea/label:L1, emea/label:L2 and 30 more: how many leads carry it" in shown
    assert shown.count("-->") == 3
    apart = (*in_use("A", "B"), *in_use("C", hint="other"))
    shown = to_text(report(account("emea", diagnostics=apart), applyable=False), color=False, width=200)
    assert "guard[in-use] emea/label:A, emea/label:B: how many" in shown
    assert shown.count("guard[in-use]") == 2


def test_a_guard_that_was_lifted_is_not_repeated_after_the_apply() -> None:
    lifted = tuple(replace(found, severity="warning", hint=ALLOWED) for found in in_use("Old"))
    planned = change("-", "emea/label:Old", ("name", "Old", None))
    done = replace(planned, result=Result(status="applied"))
    for shown_change, times in ((planned, 1), (done, 0)):
        shown = to_text(report(account("emea", shown_change, diagnostics=lifted)), color=False, width=200)
        assert shown.count("warning[in-use]") == times


def test_changes_with_the_same_result_are_one_line() -> None:
    spent = Result(status="skipped", detail="because daily budget spent, resets in 1 h 6 min")
    skipped = [change("+", f"emea/label:L{number}", result=spent) for number in range(36)]
    other = change("+", "emea/label:X", result=Result(status="failed", detail="refused"))
    shown = to_text(report(account("emea", *skipped, other), command="apply"), color=False, width=200)
    assert shown.count("resets in 1 h 6 min") == 1
    assert "  36 skipped: because daily budget spent, resets in 1 h 6 min\n" in shown
    assert "  failed: label:X: refused\n" in shown


LONG = "campaign-for-renewals-" * 6
WIDE = [
    report(
        account("emea", change("~", f"emea/label:{LONG}", ("color", "red", "orange"), file=f"{LONG}.yaml")),
        account(LONG, change("+", f"{LONG}/lead:a", ("custom_fields." + LONG, None, LONG), ("title", None, "Grüße"))),
        account("us", change("-", "us/label:x", reason="merged", moves_to=f"label:{LONG}"),
                untouched=(Untouched(address=f"us/label:{LONG}", kind="label", reason="retiring", detail="goes"),),
                diagnostics=(diagnostic("error", "e", LONG, hint=LONG, address=f"us/label:{LONG}"),)),
    ),
    report(account("emea", change("+", f"emea/label:{LONG}", result=Result(status="failed", detail=LONG)),
                   change("~", "emea/label:x", ("color", "a", "b"), result=Result(status="applied"),
                          impact=Impact(leads=1_204, archived_leads=17))), command="apply"),
    hundred(),
]  # fmt: skip


@pytest.mark.parametrize("verbose", [False, True])
@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("wide", WIDE, ids=["plan", "apply", "hundred"])
def test_no_name_however_long_pushes_anything_off_the_screen(wide: Report, width: int, *, verbose: bool) -> None:
    shown = to_text(wide, color=False, width=width, verbose=verbose)
    assert max(map(cell_len, shown.splitlines())) <= width


NARROW = {
    60: """\
in 97 accounts  customer-000, customer-001, customer-002 and
94 more
  ~ label:Hot       color  "orange" → "red"
                    1,164 leads keep it   leadstate.yaml:3
  + label:Partner   color  "green"
                    leadstate.yaml:4

customer-097  customer-097.pipedrive.com
  - label:Lukewarm   merged into label:Warm
                     leadstate.yaml:8
""",
    80: """\
in 97 accounts  customer-000, customer-001, customer-002 and 94 more
  ~ label:Hot       color  "orange" → "red"
                    1,164 leads keep it   leadstate.yaml:3
  + label:Partner   color  "green"
                    leadstate.yaml:4

customer-097  customer-097.pipedrive.com
  - label:Lukewarm   merged into label:Warm   leadstate.yaml:8
""",
    120: """\
in 97 accounts  customer-000, customer-001, customer-002 and 94 more
  ~ label:Hot       color  "orange" → "red"   leadstate.yaml:3   1,164 leads keep it
  + label:Partner   color  "green"            leadstate.yaml:4

customer-097  customer-097.pipedrive.com
  - label:Lukewarm   merged into label:Warm   leadstate.yaml:8
""",
}
REST = """
No changes in customer-098, customer-099.
In all 100 accounts: 199 labels untouched (unmanaged; prune: none)

warning[lookalike] customer-000/label:Hot, customer-001/label:Hot, customer-002/label:Hot and 97 more: it looks like
another label

Plan: 97 to add, 97 to update, 1 to delete.  Read 0 requests, 0 tokens; apply will take 0 requests, 0 tokens.
"""


@pytest.mark.parametrize("width", sorted(NARROW))
def test_a_plan_of_a_hundred_accounts_is_read_at_a_glance(width: int) -> None:
    shown = to_text(hundred(), color=False, width=width)
    assert shown.startswith(NARROW[width])
    assert shown.removeprefix(NARROW[width]).split() == REST.split()
    assert len(shown.splitlines()) < 40


def test_many_accounts_without_changes_are_the_last_line_alone() -> None:
    shown = to_text(report(*(account(f"a{number}") for number in range(9))), color=False, width=80)
    assert shown == "No changes. 0 objects are up to date.  Read 0 requests, 0 tokens.\n"
    few = to_text(report(account("a"), account("b")), color=False, width=80)
    assert few.startswith("No changes in a, b.\n\nNo changes. 0 objects")


def test_with_verbose_every_account_change_and_diagnostic_is_there() -> None:
    shown = to_text(hundred(), color=False, width=200, verbose=True)
    assert shown.count("label:Hot   ") == 97
    assert shown.count("label:Partner   ") == 97
    assert shown.count("  no changes") == 0
    assert shown.count("warning[lookalike]") == 100
    assert all(f"customer-{number:03}  customer-{number:03}.pipedrive.com" in shown for number in range(100))
    long = report(account("a", change("~", "a/lead:x", ("title", "x" * 90 + "1", "x" * 90 + "2"))))
    assert ("x" * 90 + "2" in to_text(long, color=False, width=300, verbose=True)) is True
    assert ("x" * 90 + "2" in to_text(long, color=False, width=300)) is False


def test_a_table_that_is_too_narrow_for_its_ids_loses_no_character() -> None:
    row = ["Campaign", "3e78b760-fb66-11f0-91c1-d76c55000005"]
    text, left_out = table(["label", "id"], [row], color=False, width=20, dispensable=[], whole=["id"])
    assert (text.splitlines()[1].split(), left_out) == (row, [])
