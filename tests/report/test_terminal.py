"""The columns of the terminal view. Rich's own table, which is slow, is the judge."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.table import Table
from rich.text import Text

from leadstate.report.columns import GAP, NARROWEST, Cell, print_rows
from leadstate.report.console import drawn
from leadstate.report.terminal import to_text
from tests.report.reports import many

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


@given(ROWS, st.integers(NARROWEST + 60, 200))
def test_rows_stand_as_in_a_table_of_rich(rows: Sequence[Sequence[str]], width: int) -> None:
    ours = drawn(lambda console: print_rows(console, [cells(row) for row in rows], folds=1), color=False, width=width)
    theirs = drawn(lambda console: by_rich(console, rows), color=False, width=width)
    assert ours == theirs


@pytest.mark.parametrize("width", [80, 100, 200])
def test_where_it_fits_no_line_is_wider_than_the_terminal(width: int) -> None:
    lines = to_text(many(200), color=False, width=width).splitlines()[:-1]
    assert max(map(len, lines)) <= width


def test_colour_changes_nothing_but_colour() -> None:
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
def test_an_empty_column_takes_a_place_at_the_end_only_as_it_does_for_rich(row: tuple[str, str, str]) -> None:
    ours = drawn(lambda console: print_rows(console, [cells(row)], folds=1), color=False, width=72)
    assert ours == drawn(lambda console: by_rich(console, [row]), color=False, width=72)
