"""`leads_from`: every mistake in a CSV file has its place and its fix, and none is an accident of ours."""

import csv
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadstate.api.configuration import load
from leadstate.config.yaml import files
from leadstate.config.yaml.diagnostics import MANY
from leadstate.model.diagnostics import ConfigurationError, Diagnostic
from tests.config.conftest import ACCOUNTS, MARK, WITH_TABLE, Errors


def where(diagnostic: Diagnostic) -> tuple[str, int, int]:
    assert diagnostic.span is not None
    return Path(diagnostic.span.file).name, diagnostic.span.line, diagnostic.span.column


ERRORS = [
    ("‸", "empty-file"),
    ("‸\n\n , ,\n", "empty-file"),
    ("key,title,person,‸titel\n", "unknown-column"),
    ("key,title,person,‸person.emial\n", "unknown-column"),
    ("key,title,person,‸value.\n", "unknown-column"),
    ("key,title,person,‸overrides\n", "unknown-column"),
    ("key,title,person,‸overrides.us\n", "unknown-column"),
    ("‸key;title;person\na;A;1\n", "unknown-column"),
    ("key,title,person, ‸title\n", "duplicate-column"),
    ("key,title,‸,person\n", "unknown-column"),
    ("‸sep=;\nkey;title;person\na;A;1\n", "unknown-column"),
    ("‸key,person\na,1\n", "missing-column"),
    ("key,title,person\na,A,1,‸x,\n", "ragged-row"),
    ("key,title,person\na,‸A\n", "ragged-row"),
    ('key,title,person\n‸a,"A,1\nb,B,1\n', "quote-not-closed"),
    ('key,title,person\n‸a,"A" ,1\nb,B,1\n', "text-after-quote"),
    ('‸key,"title,person\n', "quote-not-closed"),
    ("key,title,person,person.email\na,A,1,‸a@b.test\n", "given-twice"),
    ("key,title,person.email,person\na,A,‸a@b.test,1\n", "given-twice"),
    ("key,title,person,labels,labels.at_least\na,A,1,Hot,‸Hot\n", "given-twice"),
    ("key,title,person\n‸a,,1\n", "missing-key"),
    ("key,title,person\n‸A,A,1\n", "bad-key"),
    ("key,title,person\na,‸null,1\n", "wrong-type"),
    ("key,title,person\na,A,‸Jane\n", "wrong-type"),
    ("key,title,person\na,A,‸0\n", "out-of-range"),
    ("key,title,person\na,A,‸~\n", "wrong-type"),
    ("key,title,person.email\na,A,‸Jane\n", "bad-email"),
    ('key,title,person,labels\na,A,1,"Hot| ‸Cold"\n', "unknown-label"),
    ('key,title,person,labels\na,"A\n","1",‸Cold\n', "unknown-label"),
    ("key,title,person,labels\na,A,1,Hot|‸\n", "empty-text"),
    ("key,title,person,labels\na,A,1,‸null\n", "cannot-unset"),
    ("key,title,person,value.amount,value.currency\na,A,1,‸1_000,EUR\n", "bad-amount"),
    ("key,title,person,value.amount\na,A,1,‸5\n", "missing-key"),
    ("key,title,person,value\na,A,1,‸5\n", "wrong-type"),
    ("key,title,person,archived\na,A,1,‸yes\n", "wrong-type"),
    ("key,title,person,expected_close_date\na,A,1,‸31.12.2026\n", "bad-date"),
    ("key,title,person,mode\na,A,1,‸sed\n", "unknown-value"),
    ("key,title,person\na,‸A ${nope},1\n", "unknown-variable"),
    ("key,title,person,accounts\na,A,1,emea|‸uss\n", "unknown-account"),
    ("key,title,person,accounts,except\na,A,1,emea,‸us\n", "accounts-and-except"),
    ("key,title,person\n‸a,A,\n", "lead-without-contact"),
    ("key,title,person\na,A,1\n‸a,B,1\n", "duplicate-lead"),
    ("key,title,person\na,A\x00‸,1\n", "control-character"),
]


@pytest.mark.parametrize(("text", "code"), ERRORS)
def test_csv_mistake_has_its_code_and_place(errors_of_table: Errors, text: str, code: str) -> None:
    before, _, after = text.partition(MARK)
    found = errors_of_table(before + after)
    assert [diagnostic.code for diagnostic in found] == [code], [
        (str(diagnostic.span), diagnostic.code, diagnostic.summary) for diagnostic in found
    ]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    assert where(found[0]) == ("seeds.csv", line, column - (code == "control-character"))
    assert found[0].excerpt or not before + after


def test_mistakes_of_all_files_are_reported_at_once(errors_of_table: Errors) -> None:
    found = errors_of_table(
        'key,title,person\nA,A,Jane\nb,"B"x,1\nc,C\n"d,D,1\n',
        ACCOUNTS + "leads_from: [seeds.csv, none.csv]\nleads: [{key: e, title: E, person: 1, labels: [No]}]\n",
    )
    assert sorted((where(diagnostic), diagnostic.code) for diagnostic in found) == [
        (("leadstate.yaml", 9, 25), "file-missing"),
        (("leadstate.yaml", 10, 48), "unknown-label"),
        (("seeds.csv", 2, 1), "bad-key"),
        (("seeds.csv", 2, 5), "wrong-type"),
        (("seeds.csv", 3, 1), "text-after-quote"),
        (("seeds.csv", 4, 3), "ragged-row"),
        (("seeds.csv", 5, 1), "quote-not-closed"),
    ]


def test_key_in_yaml_and_csv_shows_both_places(errors_of_table: Errors) -> None:
    yaml = WITH_TABLE + "leads:\n  - {key: a, title: A, person: 1}\n"
    (found,) = errors_of_table("key,title,person\n\na,A,1\n", yaml)
    assert found.code == "duplicate-lead"
    assert where(found) == ("seeds.csv", 3, 1)
    assert "leadstate.yaml:11:11" in found.detail


def test_hint_for_a_cell_names_cells_and_columns(errors_of_table: Errors) -> None:
    columns = "key,title,person,organization,owner,value.amount,was_seen\n"
    found = errors_of_table(f'{columns}a,,Jane,Acme,Sam,"1,5",yes\n')
    assert [diagnostic.hint for diagnostic in found] == [
        "fill the cell in the column `title`",
        "use the column `person.email` or `person.name`",
        "use the column `organization.name`",
        "use the column `owner.email`",
        "write digits without quotes, as in 1200.50",
        "fill the cell in the column `value.currency`",
        "write true or false",
    ]


def test_mistake_in_shared_fields_is_reported_once_in_the_yaml(errors_of_table: Errors) -> None:
    table = "key,title,person\n" + "".join(f"a{index},A,1\n" for index in range(MANY + 1))
    (found,) = errors_of_table(table, f"{ACCOUNTS}leads_from: {{file: seeds.csv, accounts: [emea, uss]}}\n")
    assert (found.code, where(found)) == ("unknown-account", ("leadstate.yaml", 9, 48))
    assert found.detail == ""


def test_leads_from_is_validated(errors_of_table: Errors) -> None:
    for form, code in (
        ("5", "wrong-type"),
        ("", "wrong-type"),
        ("{delimiter: tab}", "missing-key"),
        ("{file: a.csv, delimiter: x}", "unknown-value"),
        ("{file: a.csv, mod: seed}", "unknown-key"),
        ("{file: ''}", "empty-value"),
        (".", "file-unreadable"),
    ):
        found = errors_of_table("", f"{ACCOUNTS}leads_from: {form}\n")
        assert [(diagnostic.code, where(diagnostic)[:2]) for diagnostic in found] == [(code, ("leadstate.yaml", 9))]


def test_likely_delimiter_is_named(errors_of_table: Errors) -> None:
    assert [diagnostic.hint for diagnostic in errors_of_table("key;title;person\n")] == [
        'write `leads_from: {file: …, delimiter: ";"}`'
    ]
    assert [diagnostic.hint for diagnostic in errors_of_table("sep=;\nkey;title\n")] == [
        "remove this line, which is for Excel alone, and name the delimiter in `leads_from`"
    ]
    assert [diagnostic.hint for diagnostic in errors_of_table("key\ttitle\n")] == [
        'write `leads_from: {file: …, delimiter: "tab"}`'
    ]


def test_csv_file_is_utf_8_and_bounded(errors_of_table: Errors, monkeypatch: pytest.MonkeyPatch) -> None:
    (found,) = errors_of_table("key,title\na,\u00fc\n".encode("latin-1"))
    assert (found.code, where(found)) == ("not-utf-8", ("seeds.csv", 2, 3))
    (found,) = errors_of_table("key,title\n".encode("utf-16"))
    assert (found.code, where(found)) == ("not-utf-8", ("seeds.csv", 1, 1))
    monkeypatch.setattr(files, "LARGEST", 400)
    (found,) = errors_of_table("x" * 401)
    assert (found.code, where(found)) == ("file-too-large", ("leadstate.yaml", 9, 13))


def test_reading_ends_at_an_endless_cell(errors_of_table: Errors) -> None:
    long = "x" * (csv.field_size_limit() + 1)
    (found,) = errors_of_table(f"key,title,person\na,{long},1\nb,B\n")
    assert (found.code, where(found)) == ("too-long", ("seeds.csv", 2, 1))


def test_hundred_mistakes_of_a_kind_are_shown_and_the_rest_counted(
    errors_of_table: Errors,
) -> None:
    rows = "".join(f"a{index},A,1,No{index},x\n" for index in range(2500))
    found = errors_of_table("key,title,person,labels,channel\n" + rows)
    by_code = {
        code: [diagnostic for diagnostic in found if diagnostic.code == code]
        for code in ("wrong-type", "unknown-label")
    }
    assert [len(group) for group in by_code.values()] == [MANY, MANY]
    for ones in by_code.values():
        assert ones[-1].detail == "and 2,400 more of this kind in the file"
        assert [where(diagnostic)[1] for diagnostic in ones] == list(range(2, MANY + 2))


def test_rows_beyond_the_first_thousand_keep_their_places(errors_of_table: Errors) -> None:
    rows = "".join(f"a{index},A,1\n" for index in range(2500))
    (found,) = errors_of_table(f"key,title,person\n{rows}B,A,1\n")
    assert where(found) == ("seeds.csv", 2502, 1)


def test_a_column_of_secrets_is_not_shown(errors_of_table: Errors) -> None:
    (found,) = errors_of_table("key,title,person\na,0123456789abcdef0123456789abcdef01234567,x\n")
    assert "89abcdef" not in found.excerpt
    (found,) = errors_of_table("\nkey,title,api_token\na,A,s3cr3t\0\n")
    assert (found.code, where(found)) == ("control-character", ("seeds.csv", 3, 11))
    assert "s3cr3t" not in found.excerpt


PIECES = st.sampled_from(
    ("key,title,person\n", "a,A,1\n", '"', '""', ",", "\n", "\r", "${", "null", "|", "\0", "é", " ")
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(st.binary(max_size=100), st.lists(PIECES, max_size=20).map(lambda pieces: "".join(pieces).encode())))
def test_any_bytes_give_a_configuration_or_errors_with_places_and_hints(raw: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "leadstate.yaml"
        path.write_text(WITH_TABLE, encoding="utf-8")
        (Path(folder) / "seeds.csv").write_bytes(raw)
        try:
            load([path])
        except ConfigurationError as error:
            found = error.diagnostics
            assert found
            for diagnostic in found:
                assert diagnostic.hint
                assert diagnostic.span is not None
                assert diagnostic.span.line >= 1
                assert diagnostic.span.column >= 1
