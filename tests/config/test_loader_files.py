import os
from pathlib import Path

import pytest

from leadstate.api.configuration import load
from leadstate.config.yaml.files import LARGEST
from leadstate.model.diagnostics import ConfigurationError, Diagnostic

GOOD = "version: 1\naccounts:\n  a: {domain: acme, token: {env: T}}\n"


def errors(*paths: Path) -> list[Diagnostic]:
    with pytest.raises(ConfigurationError) as caught:
        load(paths)
    assert all(diagnostic.hint for diagnostic in caught.value.diagnostics)
    return list(caught.value.diagnostics)


def place_of(path: Path) -> tuple[str, int, int, str]:
    (found,) = errors(path)
    assert found.span is not None
    return found.span.file, found.span.line, found.span.column, found.code


def test_missing_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "none.yaml"
    assert place_of(path) == (str(path), 1, 1, "file-missing")


def test_folder_without_yaml_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("a: 1")
    (tmp_path / ".hidden.yaml").write_text("a: 1")
    (tmp_path / "folder.yaml").mkdir()
    assert place_of(tmp_path) == (str(tmp_path), 1, 1, "no-files")


def test_no_path_is_an_error() -> None:
    assert [found.code for found in errors()] == ["no-files"]


def test_impossible_path_is_an_error() -> None:
    assert [found.code for found in errors(Path("a\0b"))] == ["file-unreadable"]


def test_unreadable_file_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(GOOD)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    assert place_of(path) == (str(path), 1, 1, "file-unreadable")


def test_a_file_over_64_mib_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.touch()
    os.truncate(path, LARGEST + 1)
    assert place_of(path) == (str(path), 1, 1, "file-too-large")


@pytest.mark.parametrize(
    ("raw", "line", "column", "code"),
    [
        ("version: 1\n".encode("utf-16"), 1, 1, "not-utf-8"),
        ("version: 1\n".encode("utf-16-le"), 1, 2, "control-character"),
        ("version: 1\nnamespace: café\n".encode("latin-1"), 2, 15, "not-utf-8"),
        (b"\xef\xbb\xbfversion: 1\nnamespace: caf\xe9\n", 2, 15, "not-utf-8"),
        (b"\x7fELF\x02\x01\x00", 1, 1, "control-character"),
        (b"version: 1\nnamespace: a\x1b[31m\n", 2, 13, "control-character"),
        ("version: 1\nnamespace: a\u2028b\n".encode(), 2, 13, "control-character"),
        ("version: 1\nnamespace: a\x85b\n".encode(), 2, 13, "control-character"),
        (b"", 1, 1, "empty-file"),
    ],
)
def test_bytes_that_are_no_text_have_a_place(raw: bytes, line: int, column: int, code: str, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(raw)
    assert place_of(path) == (str(path), line, column, code)


@pytest.mark.parametrize(("raw", "offset"), [(b"a: caf\xe9\n", 6), (b"\xef\xbb\xbfa: caf\xe9\n", 9)])
def test_offset_of_a_wrong_byte_is_that_in_the_file(raw: bytes, offset: int, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(raw)
    (found,) = errors(path)
    assert found.summary == f"byte 0xe9 at offset {offset} is not UTF-8"


def test_an_escape_sequence_is_shown_as_text(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"a: \x1b[31mred\n")
    (found,) = errors(path)
    assert "\x1b" not in found.excerpt
    assert found.excerpt == "1 | a: \\x1b[31mred\n  |    ^"


def test_a_folder_is_read_as_one_in_order_of_name(tmp_path: Path) -> None:
    (tmp_path / "b.yml").write_text("labels: [{name: B, color: red}]\n")
    (tmp_path / "a.yaml").write_text(GOOD + "labels: [{name: A, color: red}]\n")
    found = load([tmp_path])
    assert [desired.address.key for desired in found.accounts[0].account.desired] == ["A", "B"]


def test_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD)
    assert len(load([tmp_path, tmp_path / "a.yaml"]).accounts) == 1


def test_relative_paths_stay_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.yaml").write_text("version: 2\n")
    assert {str(found.span) for found in errors(Path("a.yaml"))} == {"a.yaml:1:1", "a.yaml:1:10"}


def test_a_file_that_cannot_be_read_does_not_make_others_wrong(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("accounts: [\n")
    (tmp_path / "b.yaml").write_text("labels: [{name: A, color: rde, accounts: [emea]}]\n")
    assert [found.code for found in errors(tmp_path)] == ["yaml-syntax", "unknown-color"]


def test_a_missing_file_does_not_make_others_wrong(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text("labels: [{name: A, color: red, accounts: [emea]}]\n")
    assert [found.code for found in errors(tmp_path / "a.yaml", tmp_path / "b.yaml")] == ["file-missing"]


def test_errors_of_several_files_come_in_order_of_place(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text("labels: [{name: A, color: rde}]\nleads: [{key: a}]\n")
    (tmp_path / "a.yaml").write_text(GOOD + "x: 1\n")
    found = [error.span for error in errors(tmp_path) if error.span is not None]
    assert found == sorted(found)
    assert [(Path(span.file).name, span.line) for span in found] == [("a.yaml", 4), ("b.yaml", 1), *[("b.yaml", 2)] * 3]
