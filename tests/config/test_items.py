"""The files as they are written: which item stands where, and that no shape of a file is too odd to be looked at."""

from pathlib import Path

import pytest

from leadstate.config.text.findings import Findings
from leadstate.config.text.source import Source
from leadstate.config.writing.items import Files
from leadstate.core.address import Span


def files_of(text: str) -> Files:
    return Files.of([Source("f.yaml", text, Path())], Findings())


@pytest.mark.parametrize("key", ["labels", "leads"])
@pytest.mark.parametrize("value", ["{name: Hot, color: red}", '{"0": {name: Hot}}', "Hot", "3", "", "[Hot]", "[]"])
def test_what_is_no_list_of_items_has_none(key: str, value: str) -> None:
    files = files_of(f"version: 1\n{key}: {value}\n")
    assert all(files.item(Span("f.yaml", 2, column)) is None for column in range(1, 30))


def test_an_item_is_found_where_it_begins() -> None:
    files = files_of("version: 1\nlabels:\n  - {name: Hot}\n  - name: Cold\nleads:\n  - {key: a}\n")
    found = {line: files.item(Span("f.yaml", line, 5)) for line in range(1, 7)}
    assert {line: item.steps for line, item in found.items() if item} == {
        3: ("labels", 0),
        4: ("labels", 1),
        6: ("leads", 0),
    }


def test_what_an_account_has_of_its_own_is_found_at_any_depth() -> None:
    text = "labels:\n  - {a: 1, c: {x: 1, y: 2}, n: {}, overrides: {us: {a: 2, c: {x: 3}}, uk: {n: 0}}}\n"
    item = files_of(text).item(Span("f.yaml", 2, 5))
    assert item is not None
    assert [item.overrides(name, path) for name in ("us", "uk", "eu") for path in (("a",), ("c", "x"), ("c", "y"))] == [
        *(True, True, False),
        *(False, False, False),
        *(False, False, False),
    ]
    assert [item.written("us", path) for path in (("a",), ("c", "x"), ("c", "y"), ("z",), ("n", "m"))] == [
        *(2, 3, 2),
        *(None, None),
    ]
    assert item.written("eu", ("a",)) == 1
    assert item.written("uk", ("n",)) == 0
