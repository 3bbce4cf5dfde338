"""How labels by accounts look, on a terminal that is wide enough and on one that is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from leadstate.cli.commands.matrix import Grid, print_matrix
from leadstate.report.formats.console import drawn

NAMES = [f"account-{number}" for number in range(100)]


def shown(grid: Grid, names: list[str], width: int = 80) -> list[str]:
    return drawn(lambda console: print_matrix(console, grid, names), color=False, width=width).splitlines()


def test_few_accounts_stand_side_by_side() -> None:
    grid: Grid = {"Hot": {"a": ["red"], "b": ["red"]}, "Old": {"b": ["gray", "red"]}}
    assert [line.split() for line in shown(grid, ["a", "b"])] == [
        ["label", "a", "b"],
        ["Hot", "red", "red"],
        ["!", "Old", "—", "gray,", "red"],
    ]


def test_a_hundred_accounts_are_listed_by_colour() -> None:
    hot = {name: ["red"] for name in NAMES} | {"account-3": ["orange"]}
    del hot["account-7"]
    lines = shown({"Hot": hot, "Warm": {name: ["yellow"] for name in NAMES}}, NAMES)
    assert [line.split() for line in lines] == [
        ["!", "Hot", "red", "98", "accounts"],
        ["orange", "account-3"],
        ["—", "account-7"],
        ["Warm", "yellow", "100", "accounts"],
    ]


@pytest.mark.parametrize("width", [60, 80, 200])
@given(
    grid=st.dictionaries(
        st.text("ab é漢", min_size=1, max_size=90).map(str.strip).filter(bool),
        st.dictionaries(st.sampled_from(NAMES), st.just(["red"]) | st.just(["orange", "red"]), min_size=1),
        min_size=1,
        max_size=4,
    )
)
def test_no_line_is_wider_than_the_terminal_nor_empty(width: int, grid: Grid) -> None:
    lines = shown(grid, NAMES, width)
    assert all(cell_len(line) <= width for line in lines)
    assert all(line.strip() for line in lines)


def test_no_label_is_no_line() -> None:
    assert shown({}, NAMES) == []
