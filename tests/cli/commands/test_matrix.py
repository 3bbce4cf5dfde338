"""How labels by accounts look, on a terminal that is wide enough and on one that is not."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from leadstate.cli.commands.matrix import MISSING, Grid, to_text
from leadstate.sandbox import Sandbox
from tests.harness.commands import Ended, Folder
from tests.harness.connections import NOWHERE

NAMES = [f"account-{number}" for number in range(100)]


def written(grid: Grid, names: list[str], width: int, *, differences: bool = False) -> tuple[str, bool]:
    rows = {label: [", ".join(row.get(name, ())) or MISSING for name in names] for label, row in grid.items()}
    return to_text(rows, names, differences=differences, color=False, width=width)


def shown(grid: Grid, names: list[str], width: int = 80, *, differences: bool = False) -> list[str]:
    return written(grid, names, width, differences=differences)[0].splitlines()


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
@pytest.mark.parametrize("differences", [False, True])
@given(
    grid=st.dictionaries(
        st.text("ab é漢", min_size=1, max_size=90).map(str.strip).filter(bool),
        st.dictionaries(st.sampled_from(NAMES), st.just(["red"]) | st.just(["orange", "red"]), min_size=1),
        min_size=1,
        max_size=4,
    )
)
def test_no_line_is_wider_than_the_terminal_nor_empty(width: int, differences: bool, grid: Grid) -> None:  # noqa: FBT001  a parameter
    lines = shown(grid, NAMES, width, differences=differences)
    assert all(cell_len(line) <= width for line in lines)
    assert all(line.strip() for line in lines)


def test_no_labels_are_no_lines() -> None:
    assert shown({}, NAMES) == []


FLEET: Grid = {
    "Hot": {name: ["orange" if name == "account-3" else "red"] for name in NAMES if name != "account-7"},
    "Old": {"account-3": ["gray"]},
}
"""100 accounts: in 98 of them both labels are as in most."""


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (
            60,
            """\
    label   account-3   account-7
!   Hot     orange      —
!   Old     gray        —
""",
        ),
        (
            30,
            """\
!   Hot   red      98 accounts
          orange   account-3
          —        account-7
!   Old   gray     1 account
          —        account-0,
""",
        ),
    ],
)
def test_differences_show_only_the_accounts_that_differ(width: int, expected: str) -> None:
    lines = shown(FLEET, NAMES, width, differences=True)
    assert lines[: expected.count("\n")] == expected.splitlines()


def test_lists_name_the_first_accounts_of_many_and_say_so() -> None:
    text, whole = written(FLEET, NAMES, 80)
    assert "account-18, account-19, account-20 and 79 more" in " ".join(text.split())
    assert not whole
    assert written({"Old": {"account-3": ["gray"]}}, NAMES[:21], 40)[1]


def command(tmp_path: Path, *words: str, **policy: object) -> Ended:
    folder = Folder(tmp_path)
    companies = [
        {
            "token": f"t{number}",
            "company": {"id": number, "name": "C", "domain": f"c{number}"},
            "labels": [
                {"name": "Hot", "color": "orange" if number == 3 else "red"},
                {"name": "Warm", "color": "yellow"},
            ],
        }
        for number in (1, 2, 3)
    ]
    accounts = {f"a{n}": {"url": f"{NOWHERE}{n}", "token": {"file": f"t{n}"}} for n in (1, 2, 3)}
    for number in (1, 2, 3):
        (tmp_path / f"t{number}").write_text(f"t{number}")
    folder.configure({"version": 1, "accounts": accounts, "policy": policy})
    return folder.run(Sandbox({"companies": companies}), "matrix", *words)


def test_the_command_shows_differences_in_every_form(tmp_path: Path) -> None:
    assert command(tmp_path, "--differences").out == "    label   a3\n!   Hot     orange\n"
    found = json.loads(command(tmp_path, "--differences", "--format", "json").out)
    assert found == {"Hot": {"a1": ["red"], "a2": ["red"], "a3": ["orange"]}}
    same = command(tmp_path, "--differences", "-a", "a1", "-a", "a2")
    assert (same.out, same.err) == ("", "No differences in 2 accounts.\n")


def test_an_ignored_label_is_left_out(tmp_path: Path) -> None:
    assert json.loads(command(tmp_path, "--format", "json", ignore={"labels": ["H*"]}).out).keys() == {"Warm"}


def test_a_file_holds_the_whole_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leadstate.cli.output.columns", lambda: 20)
    narrow = command(tmp_path)
    assert "2 accounts" in narrow.out
    assert command(tmp_path, "-o", "./matrix.txt").code == 0
    assert (tmp_path / "matrix.txt").read_text().splitlines()[0].split() == ["label", "a1", "a2", "a3"]
