"""The files as they are written: which item stands where, and that no shape of a file is too odd to be looked at."""

from pathlib import Path

import pytest

from leadstate.config.yaml.diagnostics import Diagnostics, Source
from leadstate.edit.items import Files, Item
from leadstate.edit.writer import Append, Set
from leadstate.model.address import Span
from leadstate.model.diagnostics import ConfigurationError


def files_of(text: str) -> Files:
    return Files.of([Source("f.yaml", text, Path())], Diagnostics())


def value(item: Item, account: str, name: str) -> object:
    """The value of an attribute as an account has it; None where none is written."""
    node = item.written(account, name)
    return None if node is None else node.value


@pytest.mark.parametrize("key", ["labels", "leads"])
@pytest.mark.parametrize("value", ["{name: Hot, color: red}", '{"0": {name: Hot}}', "Hot", "3", "", "[Hot]", "[]"])
def test_a_section_that_is_not_a_list_has_no_items(key: str, value: str) -> None:
    files = files_of(f"version: 1\n{key}: {value}\n")
    assert all(files.item(Span("f.yaml", 2, column)) is None for column in range(1, 30))


def test_an_item_is_found_by_the_place_where_it_begins() -> None:
    files = files_of("version: 1\nlabels:\n  - {name: Hot}\n  - name: Cold\nleads:\n  - {key: a}\n")
    found = {line: files.item(Span("f.yaml", line, 5)) for line in range(1, 7)}
    assert {line: item.steps for line, item in found.items() if item} == {
        3: ("labels", 0),
        4: ("labels", 1),
        6: ("leads", 0),
    }


def test_an_override_is_found_for_fields_and_custom_fields() -> None:
    text = (
        "leads:\n  - {a: 1, n: 3, custom_fields: {x: 1, y: 2}, "
        "overrides: {us: {a: 2, custom_fields: {x: 3}}, uk: {n: 0, custom_fields: null}, eu: null}}\n"
    )
    item = files_of(text).item(Span("f.yaml", 2, 5))
    assert item is not None
    names = ("a", "custom_fields.x", "custom_fields.y")
    assert [item.overridden(account, name) is not None for account in ("us", "uk", "eu", "fr") for name in names] == [
        *(True, True, False),
        *(False, False, False) * 3,
    ]
    assert [value(item, "us", name) for name in (*names, "z", "custom_fields.z")] == [2, 3, 2, None, None]
    assert value(item, "eu", "a") == 1
    assert value(item, "uk", "n") == 0
    assert value(item, "uk", "custom_fields.y") == 2


def test_a_custom_field_stands_under_its_name_as_it_is_spelled_there() -> None:
    decomposed = "Gro\u0308\u00dfe"
    text = (
        f"leads:\n  - {{custom_fields: {{{decomposed}: 1}}, overrides: {{us: {{custom_fields: {{' Größe ': 2}}}}}}}}\n"
    )
    item = files_of(text).item(Span("f.yaml", 2, 5))
    assert item is not None
    name = "custom_fields.Größe"
    assert item.path(name) == item.path(name, "eu") == ("custom_fields", decomposed)
    assert item.path(name, "us") == ("custom_fields", " Größe ")
    assert [value(item, account, name) for account in ("us", "eu")] == [2, 1]
    assert item.path("custom_fields.a.b") == ("custom_fields", "a.b")
    assert item.path("title") == ("title",)


ONE = "version: 1\naccounts: {a: {domain: a, token: {env: T}}}\nlabels: [{name: Hot, color: red}]\n"
TWO = "leads: []\n# the end\n"


def written_files(folder: Path) -> tuple[Files, str, str]:
    (folder / "1.yaml").write_text(ONE, encoding="utf-8")
    (folder / "2.yaml").write_text(TWO, encoding="utf-8")
    return Files.read([folder]), str(folder / "1.yaml"), str(folder / "2.yaml")


def test_files_are_read_in_order(tmp_path: Path) -> None:
    files, first, second = written_files(tmp_path)
    assert [file.source.name for file in files.files] == [first, second]
    assert not any(file.new for file in files.files)


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    for text, code in (("a: [", "yaml-syntax"), (None, "file-missing")):
        path = tmp_path / f"{code}.yaml"
        if text is not None:
            path.write_text(text, encoding="utf-8")
        with pytest.raises(ConfigurationError) as caught:
            Files.read([path])
        assert [found.code for found in caught.value.diagnostics] == [code]


def test_only_changed_files_are_returned_with_their_old_text(tmp_path: Path) -> None:
    files, first, second = written_files(tmp_path)
    assert files.edit({}) == []
    assert files.edit({first: [Set(("labels", 0, "color"), "red")], second: []}) == []
    ((source, text),) = files.edit({first: [Set(("labels", 0, "color"), "blue")]})
    assert (source.name, source.text, text) == (first, ONE, ONE.replace("red", "blue"))


def test_a_new_file_has_an_empty_old_text(tmp_path: Path) -> None:
    files, first, _ = written_files(tmp_path)
    new = files.with_new(tmp_path / "3.yaml", "labels")
    assert [file.new for file in new.files] == [False, False, True]
    assert new.files[2].source.folder == tmp_path
    assert new.item(Span(first, 3, 10)) == files.item(Span(first, 3, 10)) is not None
    found = new.edit({str(tmp_path / "3.yaml"): [Append("labels", ({"name": "Cold", "color": "blue"},))]})
    assert [(source.name, source.text, text) for source, text in found] == [
        (str(tmp_path / "3.yaml"), "", "labels:\n  - {name: Cold, color: blue}\n")
    ]


def test_edits_that_make_the_configuration_invalid_are_refused(tmp_path: Path) -> None:
    files, first, second = written_files(tmp_path)
    with pytest.raises(ConfigurationError) as caught:
        files.edit({first: [Set(("labels", 0, "color"), "mauve")]})
    assert [found.code for found in caught.value.diagnostics] == ["unknown-color"]
    with pytest.raises(ConfigurationError):
        files.edit({second: [Append("labels", ({"name": "Hot", "color": "red"},))]})
