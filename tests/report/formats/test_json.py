"""The document as JSON: in pieces, and read again."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from leadstate.model.diagnostics import ReportError
from leadstate.model.escape import visible_json
from leadstate.report.document import Report, Scope
from leadstate.report.formats.json import digest_of, parse, to_json
from tests.harness.reports import account, change, diagnostic, many, report

ACCOUNTS = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,20}", fullmatch=True)
"""As accounts are named: the harness takes an address apart at its slash."""

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.just('\n  "accounts": []')


@given(st.lists(st.tuples(ACCOUNTS, st.lists(NAMES, max_size=3)), max_size=3), NAMES)
def test_the_pieces_join_to_the_whole_report(parts: list[tuple[str, list[str]]], text: str) -> None:
    made = [
        account(name, *(change("+", f"{name}/label:{key}", ("name", None, key)) for key in keys))
        for name, keys in dict(parts).items()
    ]
    document = report(*made, diagnostics=(diagnostic("warning", "w", text),), scope=Scope(targets=(text,)))
    written = list(to_json(document))
    again = parse("".join(written))
    assert again == document
    assert "".join(written) == visible_json(TypeAdapter(Report).dump_json(again, indent=2).decode()) + "\n"


def test_a_piece_holds_one_account_at_most() -> None:
    whole = many(changes=100, accounts=10)
    longest = max(map(len, to_json(whole)))
    assert longest <= 2 * max(map(len, to_json(replace(whole, accounts=whole.accounts[:1]))))


def test_the_digest_covers_members_of_a_later_minor_version_which_are_ignored() -> None:
    document = many(changes=4)
    later = json.loads("".join(to_json(document)))
    later["accounts"][0]["changes"][0]["new"] = {"a": 1}
    later["new"] = [1.50]
    later["digest"] = digest_of(later)
    assert replace(parse(json.dumps(later)), digest=document.digest) == document
    later["accounts"][0]["changes"][0]["new"] = {"a": 2}
    with pytest.raises(ReportError, match="edited"):
        parse(json.dumps(later))


@pytest.mark.parametrize("member", ["accounts", "digest", "diagnostics"])
def test_a_report_that_lacks_a_member_is_refused(member: str) -> None:
    left = json.loads("".join(to_json(many(changes=4))))
    del left[member]
    with pytest.raises(ReportError):
        parse(json.dumps(left))


def test_a_member_that_this_version_needs_is_missed() -> None:
    with pytest.raises(ReportError, match=r"summary\.add"):
        parse("".join(to_json(many(changes=4))).replace('"add": ', '"gain": '))
