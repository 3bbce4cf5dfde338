"""`leads_from`: a row of a CSV file is a lead as YAML has it."""

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadstate.api.configuration import load
from leadstate.config import messages
from leadstate.config.configuration import Configuration
from leadstate.config.csv_leads import read_columns, read_rows
from leadstate.config.yaml.diagnostics import BREAK, Diagnostics, Source
from leadstate.edit.spelling import spell
from leadstate.model.resource import Desired
from tests.config.conftest import ACCOUNTS, LoadTable
from tests.harness.builders import HERE


def leads(found: Configuration, account: str = "emea") -> list[Desired]:
    (chosen,) = (declared.account for declared in found.accounts if declared.account.name == account)
    return list(chosen.of_kind("lead"))


NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp", "Cn", "Co")), min_size=1, max_size=50
)
TEXTS = NAMES.filter(
    lambda text: bool(text.strip()) and text.strip() != "null" and "${" not in text and "\ufeff" not in text
)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "title": TEXTS,
    "person": st.one_of(st.integers(1, 99), st.just({"email": "jane@acme.test"}), st.just({"name": "Jane"})),
    "organization": st.one_of(st.none(), st.just({"name": 'Acme, Inc. "7"'}), st.integers(1, 2**53 - 1)),
    "owner": st.one_of(st.just({"email": "sam@acme.test"}), st.integers(1, 9)),
    "labels": st.one_of(
        st.lists(st.sampled_from(("Hot", "A|B")), unique=True),
        st.just({"at_least": ["Hot"]}),
        st.just({"at_least": []}),
    ),
    "value": st.one_of(
        st.none(), st.decimals(0, 10**6, places=2).map(lambda decimal: {"amount": decimal, "currency": "EUR"})
    ),
    "expected_close_date": st.one_of(st.none(), st.dates().map(str)),
    "visible_to": st.sampled_from((1, 3, 5, 7, "owner", "company")),
    "was_seen": st.booleans(),
    "channel": st.one_of(st.none(), st.integers(1, 9)),
    "channel_id": st.one_of(st.none(), TEXTS),
    "archived": st.booleans(),
    "mode": st.sampled_from(("seed", "enforce")),
    "if_gone": st.sampled_from(("leave", "create")),
    "except": st.just(["us"]),
}
LEADS = st.fixed_dictionaries(
    {"title": FIELDS["title"], "person": FIELDS["person"], "except": FIELDS["except"]},
    optional={name: strategy for name, strategy in FIELDS.items() if name not in {"title", "person", "except"}},
)


def cell(value: object) -> str:
    match value:
        case None:
            return "null"
        case list():
            return "|".join(str(item).replace("|", r"\|") for item in value) or "[]"
        case bool():
            return str(value).lower()
    return str(value)


def as_table(items: Sequence[dict[str, Any]], delimiter: str) -> str:
    rows = [
        {
            name: text
            for field, value in item.items()
            for name, text in (
                [(f"{field}.{part}", cell(inner)) for part, inner in value.items()]
                if isinstance(value, dict)
                else [(field, cell(value))]
            )
        }
        for item in items
    ]
    out = io.StringIO()
    header = dict.fromkeys(name for row in rows for name in row)
    writer = csv.DictWriter(out, header, delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def declared(folder: str, yaml: str) -> list[Desired]:
    path = Path(folder) / "leadstate.yaml"
    path.write_text(yaml, encoding="utf-8")
    return [replace(lead, span=HERE) for lead in leads(load([path]))]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(LEADS, min_size=1, max_size=4), st.sampled_from((",", ";", "tab")))
def test_a_row_declares_what_the_same_lead_in_yaml_declares(items: list[dict[str, Any]], delimiter: str) -> None:
    items = [{"key": f"lead-{index}", **item} for index, item in enumerate(items)]
    with TemporaryDirectory() as folder:
        expected = declared(folder, ACCOUNTS + "leads:\n" + "".join(f"  - {spell(item)}\n" for item in items))
        table = as_table(items, "\t" if delimiter == "tab" else delimiter)
        (Path(folder) / "seeds.csv").write_bytes(table.encode())
        assert declared(folder, f'{ACCOUNTS}leads_from: {{file: seeds.csv, delimiter: "{delimiter}"}}\n') == expected


@given(
    st.lists(st.lists(st.text(st.sampled_from('a",; \n\r\t|')), min_size=2, max_size=2), min_size=1, max_size=4),
    st.sampled_from(",;\t"),
)
def test_each_cell_has_the_place_of_its_quote(rows: list[list[str]], delimiter: str) -> None:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows(rows)
    source = Source("seeds.csv", out.getvalue(), Path(), delimiter)
    found = list(read_rows(source, Diagnostics()))
    assert [[cell.text for cell in row] for row in found] == [row for row in rows if any(map(str.strip, row))]
    for cell in (cell for row in found for cell in row):
        assert cell.quoted
        assert source.lines[cell.place.line - 1][cell.place.column - 1] == '"'


def test_the_text_of_a_row_is_searched_for_line_breaks_once(monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[str] = []

    class Break:
        @staticmethod
        def split(text: str) -> list[str]:
            searched.append(text)
            return BREAK.split(text)

    monkeypatch.setattr("leadstate.config.csv_leads.BREAK", Break)
    text = 'a; "b\r\nc";d' + ";" * 50
    (cells,) = read_rows(Source("seeds.csv", text, Path(), ";"), Diagnostics())
    assert (len(cells), cells[-1].place[1:]) == (53, (2, 55))
    assert "".join(searched) == text


def test_csv_file_is_named_by_path_mapping_or_list(load_table: LoadTable, tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "b.csv").write_text("key;title;person\nb;B;1\n")
    absolute = tmp_path / "c.csv"
    absolute.write_text("key\ttitle\tperson\nc\tC\t1\n")
    for form, expected in (
        ("seeds.csv", "a"),
        ("{file: seeds.csv}", "a"),
        ("[seeds.csv]", "a"),
        (f'[seeds.csv, {{file: more/b.csv, delimiter: ";"}}, {{file: "{absolute}", delimiter: tab}}]', "abc"),
    ):
        found = load_table("key,title,person\na,A,1\n", f"{ACCOUNTS}leads_from: {form}\n")
        assert "".join(lead.address.key for lead in leads(found)) == expected


def test_an_empty_cell_is_not_managed_and_null_unsets(load_table: LoadTable) -> None:
    found = load_table("key,title,person,organization,value,channel_id\na,A,1,, null ,\n,,,,,\n\n   \n")
    (lead,) = leads(found)
    assert lead.attrs == {"title": "A", "person": 1, "value": None}


def test_variables_are_replaced_and_white_space_is_trimmed(load_table: LoadTable) -> None:
    found = load_table('key,title,person\n a , "  A ${region}  ", 1\n')
    assert [lead.attrs["title"] for account in ("emea", "us") for lead in leads(found, account)] == ["A EMEA", "A US"]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_byte_order_mark_and_any_line_break_are_accepted(load_table: LoadTable, newline: str) -> None:
    table = newline.join(("key,title,person", "a,A,1", "b,B,1"))
    found = leads(load_table(b"\xef\xbb\xbf" + table.encode()))
    assert [(lead.address.key, lead.span.line, lead.span.column) for lead in found] == [("a", 2, 1), ("b", 3, 1)]


def test_fields_beside_the_file_are_defaults_of_its_rows(load_table: LoadTable) -> None:
    shared = "{file: seeds.csv, accounts: [tag:prod], mode: seed, if_gone: create}"
    found = load_table("key,title,person,mode\na,A,1,\nb,B,1,enforce\n", f"{ACCOUNTS}leads_from: {shared}\n")
    assert [(lead.address.key, lead.create_only, lead.leave_gone) for lead in leads(found)] == [
        ("a", True, False),
        ("b", False, False),
    ]
    assert leads(found, "us") == []


def test_column_part_is_any_key_where_the_models_take_any(monkeypatch: pytest.MonkeyPatch) -> None:
    schema = messages._schema()  # noqa: SLF001  a field of a kind that leads do not have yet
    lead = schema["$defs"]["LeadSpec"]
    fields = {"type": "object", "additionalProperties": {"anyOf": [{"type": "string"}, {"type": "array"}]}}
    changed = {**lead, "properties": {**lead["properties"], "free": fields}}
    monkeypatch.setattr(messages, "_schema", lambda: {**schema, "$defs": {**schema["$defs"], "LeadSpec": changed}})
    text = "key,title,free.Deal size. v2,free.x\n"
    source = Source("seeds.csv", text, Path(), ",")
    (header,) = read_rows(source, Diagnostics())
    found = read_columns(header, Diagnostics())
    assert [(column.field, column.part, column.read("7")) for column in found[2:]] == [
        ("free", "Deal size. v2", "7"),
        ("free", "x", "7"),
    ]
    source = Source("seeds.csv", "free.", Path(), ",")
    (nameless,) = read_rows(source, Diagnostics())
    assert read_columns(nameless, Diagnostics()) == []
