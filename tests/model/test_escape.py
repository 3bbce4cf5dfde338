"""Foreign text moves no cursor, turns no direction, breaks no line and commands no CI system."""

import json
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadstate.model.escape import is_visible, visible, visible_json

HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
JOINERS = "\u200c\u200d"
TEXTS = st.text(st.one_of(st.sampled_from("#[:\\ \n\t\u202e\u2028\x9b\U000e0041a"), st.characters()), max_size=20)


def test_every_hidden_character_and_no_other_is_escaped() -> None:
    for code in range(sys.maxunicode + 1):
        char = chr(code)
        category = unicodedata.category(char)
        if category in HIDDEN and char not in JOINERS:
            assert visible(char) == (
                f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"
            )
        elif category != "Cn":
            assert visible(char) == char


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("##[stop-commands]x", "\\x23#[stop-commands]x"),
        ("a ###[x", "a #\\x23#[x"),
        ("::add-mask::x", "\\x3a:add-mask::x"),
        ("  ::add-mask::x", "  \\x3a:add-mask::x"),
        ("\u3000::x", "\u3000\\x3a:x"),
        ("\x1f::x", "\\x1f::x"),
        ("a ::b ##x [y]: ", "a ::b ##x [y]: "),
        ("ä\n::x", "ä\\x0a::x"),
    ],
)
def test_workflow_commands_of_ci_runners_are_escaped(text: str, shown: str) -> None:
    assert visible(text) == shown
    assert is_visible(text) is (text == shown)


@given(TEXTS)
def test_escaped_text_is_one_line_without_commands(text: str) -> None:
    shown = visible(text)
    assert "##[" not in shown
    assert not shown.strip().startswith("::")
    assert len(shown.splitlines()) <= 1
    assert visible(shown) == shown


@given(st.dictionaries(TEXTS, TEXTS | st.lists(TEXTS)), st.sampled_from([None, 2]))
def test_escaped_json_has_the_same_value_and_no_commands(document: object, indent: int | None) -> None:
    text = json.dumps(document, ensure_ascii=False, indent=indent)
    shown = visible_json(text)
    assert json.loads(shown) == document
    for line in shown.split("\n"):
        assert visible(line) == line
