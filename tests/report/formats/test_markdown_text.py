"""Nothing that others write is markup, a link or a mention in Markdown: a CommonMark parser is the judge."""

import html
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from leadstate.model.escape import visible
from leadstate.report.formats.markdown import code, prose

JUDGE = MarkdownIt("commonmark").enable("table")
MARKUP = "`|\\@#*_~<>[]()!$:/.&;-+=1a \n\r\t\"'{}%w\u202e\x1b\u05d0🔥"
TEXTS = st.text(st.one_of(st.sampled_from(MARKUP), st.characters()), max_size=40)
CODE = re.compile(r"<code>(.*?)</code>", re.DOTALL)


def outside_code(page: str) -> str:
    return CODE.sub("", page)


@given(TEXTS)
@example("a|b")
@example("a\\|b")
@example("``")
@example(" `x` ")
def test_code_is_one_cell_and_keeps_the_text(text: str) -> None:
    page = JUDGE.render(f"| a | b |\n|---|---|\n| {code(text)} | end |\n")
    first, second = re.findall(r"<td>(.*?)</td>", page, re.DOTALL)
    assert second == "end"
    (shown,) = CODE.findall(first)
    assert outside_code(first) == ""
    assert html.unescape(shown) == visible(text)


@given(TEXTS)
@example("1. one")
@example("@octocat, #12; GH-12 www.evil.test deadbeef")
@example("see http://evil.test and [x](y) <b>")
@example("- [ ] x")
def test_prose_has_no_markup_mention_or_reference(text: str) -> None:
    page = JUDGE.render(f"- {code('x')}<br>\n  {prose(text)}\n")
    bare = html.unescape(outside_code(page))
    assert re.findall(r"<[^>]*>", outside_code(page)) == ["<ul>", "<li>", "<br>", "</li>", "</ul>"]
    assert not re.search(r"[@#`*_~\[\]<>$\\|]|://|www\.|\w-\d|[0-9a-f]{7}", re.sub(r"</?(?:ul|li|br)>", "", bare))


@given(TEXTS)
def test_prose_keeps_every_word(text: str) -> None:
    page = JUDGE.render(f"- {code('x')}<br>\n  {prose(text)}\n")
    said = html.unescape(re.sub(r"<[^>]*>", "", page)).split()
    # Backticks around a piece of code are its markup, then.
    assert "".join(said).replace("`", "") == "x" + "".join(visible(text).split()).replace("`", "")


@pytest.mark.parametrize(
    ("text", "names", "written"),
    [
        ("pass `--allow in-use` to do it", (), "pass `--allow in-use` to do it"),
        ("because label:Label 4 is deleted", ("label:Label 4",), "because `label:Label 4` is deleted"),
        ("(label:Label 4), too", ("label:Label 4", "label:Label"), "(`label:Label 4`), too"),
        ("label:Label 44 stays", ("label:Label 4",), "`label:Label` 44 stays"),
        ("the custom field 'My text': gone", (), "the custom field `'My text'`: gone"),
        ("""replaced "a b" by `c`""", (), """replaced `"a b"` by `c`"""),
        ("an account's name and another's", (), "an account's name and another's"),
        ("a `b` (`c d`).", (), "a `b` (`c d`)."),
        ("a name with `x|y z`", (), "a name with <code>x&#124;y z</code>"),
    ],
)
def test_a_name_with_spaces_is_one_code_span(text: str, names: tuple[str, ...], written: str) -> None:
    assert prose(text, names) == written


@given(TEXTS, st.lists(TEXTS, max_size=3))
def test_names_have_no_markup(text: str, names: list[str]) -> None:
    page = JUDGE.render(f"- {code('x')}<br>\n  {prose(' '.join([text, *names]), names)}\n")
    assert re.findall(r"<[^>]*>", outside_code(page)) == ["<ul>", "<li>", "<br>", "</li>", "</ul>"]


def test_plain_words_are_not_escaped() -> None:
    assert prose("12 deletes (92 %) are too many; raise policy.guards.max_deletes, or wait.") == (
        "12 deletes (92 %) are too many; raise `policy.guards.max_deletes`, or wait."
    )
