"""The page as a file: it loads nothing, shows every colour, and says nothing that the document does not."""

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from leadstate.kinds.label import LabelSpec
from leadstate.model.escape import visible
from leadstate.report.formats.html import COLORS, Cell, Chip, grid, part, to_html
from tests.harness.reports import account, change, diagnostic, hundred, report


class Page(HTMLParser):
    """Elements, attributes and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.attributes: list[tuple[str, str, str]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


WHOLE = report(
    account("a", change("~", "a/label:Hot", ("color", "orange", "red")), labels=[("Hot", "orange"), ("Cold", "blue")]),
    diagnostics=(diagnostic("warning", "w", "look", hint="there"),),
)


def test_the_page_loads_nothing_and_allows_only_its_own_script_and_style() -> None:
    text = to_html(WHOLE)
    page = Page(text)
    assert {(tag, name) for tag, name, _ in page.attributes if name in {"src", "href", "action", "style"}} == {
        ("link", "href"),
        ("a", "href"),
    }
    assert {value for _, name, value in page.attributes if name == "href"} == {"data:,", "#changes"}
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert "url(" not in part("page.css")
    assert "@import" not in part("page.css")
    (policy,) = [value for tag, name, value in page.attributes if name == "content" and "default-src" in value]
    for element in ("script", "style"):
        (body,) = re.findall(rf"<{element}>(.*?)</{element}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert f"{element}-src 'sha256-{digest}'" in policy


def test_every_colour_that_can_be_declared_has_a_style() -> None:
    declared = LabelSpec.model_json_schema()["properties"]["color"]["anyOf"][0]["enum"]
    assert sorted(COLORS) == sorted(declared)
    assert all(f".c-{color} {{" in part("page.css") for color in COLORS)
    assert Chip("teal", 'teal" onload="x').style == "c-none"


@given(st.text(max_size=30))
def test_a_name_is_escaped_everywhere(rest: str) -> None:
    name = f"x{rest}"
    row = change("~", f"a/label:{name}", (name, name, name), file=name)
    text = to_html(report(account("a", row, labels=[(name, name)]), diagnostics=(diagnostic("error", "x", name),)))
    shape = to_html(report(account("a", change("~", "a/label:x", ("x", "x", "x")), labels=[("x", "x")]),
                           diagnostics=(diagnostic("error", "x", "x"),)))  # fmt: skip
    tags = [(tag, attribute) for tag, attribute, _ in Page(text).attributes]
    assert tags == [(tag, attribute) for tag, attribute, _ in Page(shape).attributes]
    assert {f"label:{visible(name)}", f"{visible(name)}:3"} <= set(Page(text).texts)


def test_the_grid_shows_live_and_planned_values() -> None:
    read = account(
        "one",
        change("~", "one/label:Hot", ("color", "orange", "red")),
        change("~", "one/label:Nurture", ("name", "Cold", "Nurture")),
        change("+", "one/label:New", ("color", None, "pink"), ("name", None, "New")),
        change("-", "one/label:Old", ("color", "gray", None), ("name", "Old", None)),
        labels=[("Hot", "orange"), ("Old", "gray")],
    )
    cold = replace(read.labels[0], address="one/label:Nurture", name="Cold", color="blue")
    read = replace(read, labels=(*read.labels, cold))
    unread = account("two", diagnostics=(diagnostic("error", "network", "no answer"),))
    found = grid([read, unread])
    chip = {color: Chip(color, color) for color in COLORS}
    assert dict(found) == {
        "Hot": [Cell(chip["orange"], chip["red"], ""), None],
        "New": [Cell(None, chip["pink"], ""), None],
        "Nurture": [Cell(chip["blue"], chip["blue"], "Cold"), None],
        "Old": [Cell(chip["gray"], None, ""), None],
    }


def test_many_warnings_are_folded_and_errors_are_not() -> None:
    warnings = [diagnostic("warning", "c", f"warning {number}") for number in range(20)]
    errors = [diagnostic("error", "c", f"error {number}") for number in range(20)]
    page = to_html(report(account("emea"), diagnostics=(*warnings, *errors)))
    above, _, folded = page.partition('<details class="folded">')
    assert all(f"error {number}" in above for number in range(20))
    assert "20 more warnings" in folded
    assert "warning 0" not in above.partition("<main>")[2]


def test_above_changes_stand_three_diagnostics_of_one_line_each() -> None:
    found = tuple(diagnostic("error", "c", f"error {number}", hint="mend it") for number in range(5))
    page = to_html(report(account("a", change("+", "a/label:x")), diagnostics=found))
    above, _, folded = page.partition('<details class="folded">')
    assert "error 2" in above
    assert "error 3" not in above
    assert "<details open>" not in above.partition("<main>")[2]
    assert "2 more diagnostics" in folded
    alone = to_html(report(account("a", change("+", "a/label:x")), diagnostics=found[:1]))
    assert "<details open>" in alone


def test_equal_changes_stand_once_with_all_their_accounts() -> None:
    page = to_html(hundred())
    assert page.count('<tbody class="change') == 3
    assert "<h2>In 97 accounts</h2>" in page
    assert "2 changes in each" in page
    assert "<summary>customer-000, customer-001, customer-002 and 94 more</summary>" in page
    assert "No changes in customer-098, customer-099." in page
    assert page.count("it looks like another label") == 1
    assert to_html(hundred(), verbose=True).count('<tbody class="change') == 195
