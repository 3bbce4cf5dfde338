"""What uses each label, in every form."""

import csv
import io
import json
import re
from dataclasses import fields, replace
from pathlib import Path

import pytest

from leadstate.model.usage import Carrier, LabelUsage, SavedFilter
from leadstate.report.formats.usage import CSV_COLUMNS, to_csv, to_html, to_json, to_table

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "usage.md"
HOT = LabelUsage(
    account="emea",
    label="Hot",
    id="hot",
    color="red",
    declared="yes",
    leads=1_204,
    archived_leads=7,
    oldest=Carrier("a", "2026-01-12T08:30:00.177Z"),
    newest=Carrier("b", "2026-05-09T19:33:00.216Z"),
    last_change="2026-05-11T10:33:00.216Z",
    filters=(SavedFilter(1, "Mine"), SavedFilter(2, "<b>Yours</b>")),
)
GONE = replace(HOT, label=None, id="dead", color="", declared="no", leads=2, filters=())
EVIL = "\x1b[31mred\u202e"


def test_the_reference_names_every_field_and_every_column() -> None:
    text, csv_part = PAGE.read_text(encoding="utf-8").split("## CSV")
    terms = re.findall(r"^(`.*)\n: ", text, re.MULTILINE)
    assert [name for line in terms for name in re.findall(r"`(\w+)`", line)] == [field.name for field in fields(HOT)]
    assert re.findall(r"`(\w+)`", csv_part)[: len(CSV_COLUMNS)] == list(CSV_COLUMNS)


def test_an_account_is_named_where_there_are_several() -> None:
    several, _ = to_table([HOT, replace(HOT, account="us")], color=False, width=200)
    assert [line.split()[0] for line in several.splitlines()] == ["account", "emea", "us"]
    single, _ = to_table([HOT], color=False, width=200)
    assert single.split()[0] == "label"


def test_a_label_that_is_gone_is_shown_by_its_id() -> None:
    text, _ = to_table([GONE], color=False, width=200)
    assert "(gone) dead" in text
    assert next(csv.DictReader(io.StringIO(to_csv([GONE]))))["label"] == ""
    assert json.loads(to_json([GONE]))[0]["label"] is None
    assert '<span class="chip c-none">(gone)</span>' in to_html([GONE])


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1"])
def test_no_name_becomes_a_formula(cell: str) -> None:
    row = next(csv.DictReader(io.StringIO(to_csv([replace(HOT, label=cell, filters=(SavedFilter(1, cell),))]))))
    for shown in (row["label"], row["filters"]):
        assert not shown.startswith(("=", "+", "-", "@", "\t", "\r"))


def test_names_are_text_in_every_form() -> None:
    row = replace(HOT, label=EVIL, account=EVIL, filters=(SavedFilter(1, EVIL),))
    forms = [to_table([row, HOT], color=False, width=200)[0], to_json([row]), to_csv([row]), to_html([row, HOT])]
    for text in forms:
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert "&lt;b&gt;Yours&lt;/b&gt;" in forms[3]


def test_no_label_is_no_line_of_the_table() -> None:
    assert to_table([], color=False, width=80) == ("", [])
    assert to_json([]) == "[]\n"
    assert to_csv([]).splitlines() == [",".join(CSV_COLUMNS)]
