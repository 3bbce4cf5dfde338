"""Edits in place: what was asked for is read back, and everything else stays as it is to the byte."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from leadstate.config.yaml.diagnostics import Diagnostics, Source
from leadstate.config.yaml.nodes import Node, read_nodes
from leadstate.edit.spelling import UnwritableError, spell
from leadstate.edit.writer import Append, Edit, EditError, Set, Writer, apply_edits, same

SETTINGS = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
ODD = st.text(st.sampled_from("-?:,[]{}#&*!|>'\"%@` aA01.~<=\\\t\n/$"), max_size=8)
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | ODD
CONSTANTS = st.sampled_from(["", "null", "~", "true", "no", "012", "1e3", ".nan", "0x1f", "---", "<<", "a: b", "a #b"])
TEXTS = ANY_TEXT | CONSTANTS
SCALARS = TEXTS | st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3))


def nodes_of(text: str) -> tuple[Source, Node]:
    source, diagnostics = Source("f.yaml", text, Path()), Diagnostics()
    root = read_nodes(source, diagnostics)
    assert root is not None
    assert not diagnostics.any_error, text
    return source, root


def edit(text: str, *edits: Edit) -> str:
    source, root = nodes_of(text)
    return Writer(source, root).rewrite(edits)


@SETTINGS
@given(TEXTS, st.sampled_from(["", "'", '"']))
def test_every_written_text_is_read_back(text: str, quote: str) -> None:
    in_block, in_flow = spell(text, quote=quote, flow=False), spell(text, quote=quote)
    assert nodes_of(f"k: {in_block}  # c\n")[1].value == {"k": text}
    assert nodes_of(f"k:\n  - {in_block}\n  - a: {in_block}")[1].value == {"k": [text, {"a": text}]}
    assert nodes_of(f"k: {{k: {in_flow}, {in_flow}:  [1, {in_flow}]}}\n" if text != "k" else "k: {k: k}")[1].value


@SETTINGS
@given(VALUES)
def test_every_written_value_is_read_back(value: Any) -> None:
    read = nodes_of(f"k: {spell(value)}\n")[1].value["k"]
    assert same(comparable(read), comparable(value))


def comparable(value: Any) -> Any:
    """Whole decimals are read as integers: `1` has no point."""
    if isinstance(value, dict):
        return {key: comparable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [comparable(item) for item in value]
    return Decimal(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else value


@pytest.mark.parametrize("text", ["Hot", "12 o'clock", "no", "a:b", "x#y", "Grüße 🎉", "-5%", "2026-12-31x", "a, b"])
def test_a_plain_text_is_not_quoted(text: str) -> None:
    assert spell(text, flow=False) == text


@pytest.mark.parametrize("text", ["0 :0", "a ?b", ":a", "?a", "a::b", "'a':b"])
def test_a_text_that_the_reader_refuses_in_brackets_is_quoted_there(text: str) -> None:
    assert _as_read({"": text}) == {"": text}


def test_a_lone_surrogate_is_refused() -> None:
    with pytest.raises(UnwritableError):
        spell("\ud800")


NAMES = st.sampled_from(["Hot", "it's", "a: b", "Ünï 🎉", "12", "x # y", "null", '"q"'])
COLORS = st.sampled_from(["red", "blue", "pink"])


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, list[str], str]:
    """A file of labels in any style: head and list key, the text of each item, and what follows."""
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    indent = " " * draw(st.sampled_from([0, 2, 4]))
    number = 0

    def remark() -> str:
        nonlocal number
        number += 1
        return draw(st.sampled_from(["", f" # remark {number}", f"   # it's {{{number}"]))

    def text(value: str) -> str:
        single = "'" + value.replace("'", "''") + "'"
        return draw(st.sampled_from([json.dumps(value, ensure_ascii=False), single, spell(value)]))

    items = []
    for _ in range(draw(st.integers(1, 4))):
        name, color = text(draw(NAMES)), text(draw(COLORS))
        over = draw(st.sampled_from([None, "flow", "block"]))
        if draw(st.booleans()):
            inner = ", overrides: {us: {color: red}}" if over else ""
            lines = [f"{indent}- {{name: {name}, color: {color}{inner}}}{remark()}"]
        else:
            lines = [f"{indent}- name: {name}{remark()}", f"{indent}  color:  {color}{remark()}"]
            lines += [f"{indent}  overrides: {{us: {{color: red}}}}{remark()}"] if over == "flow" else []
            if over == "block":
                lines += [f"{indent}  overrides:{remark()}", f"{indent}    us:", f"{indent}      color: red{remark()}"]
        lines += draw(st.sampled_from([[], [""], ["", f"{indent}# above the next"]]))
        items.append(newline.join(lines) + newline)
    tail = draw(st.sampled_from(["", f"# the end{newline}", f"leads: []  # none{newline}"]))
    head = newline.join(["# top", "version: 1", "", f"labels:{remark()}", ""])
    return head, items, tail


@SETTINGS
@given(documents(), st.data())
def test_an_edit_touches_its_item_only(document: tuple[str, list[str], str], data: st.DataObject) -> None:
    head, items, tail = document
    text = head + "".join(items) + tail
    chosen = data.draw(st.lists(st.integers(0, len(items) - 1), min_size=1, max_size=3, unique=True))
    edits: list[Edit] = []
    for index in chosen:
        paths = [("name",), ("color",), ("overrides", "us", "color"), ("overrides", "emea", "name"), ("key",)]
        some = data.draw(st.lists(st.sampled_from(paths), min_size=1, max_size=3, unique=True))
        edits += [Set(("labels", index, *path), data.draw(TEXTS)) for path in some]
    after = edit(text, *edits)
    assert same(nodes_of(after)[1].value, apply_edits(nodes_of(text)[1].value, edits))
    begin = 0
    for index, item in enumerate([head, *items, tail]):
        if index - 1 not in chosen:
            found = after.find(item, begin)
            assert found >= 0
            begin = found + len(item)
    for line in text.splitlines():
        _, marker, remark = line.partition(" # remark")
        assert f"{marker}{remark}" in after


@SETTINGS
@given(documents(), st.data())
def test_a_new_scalar_changes_its_line_only(document: tuple[str, list[str], str], data: st.DataObject) -> None:
    head, items, tail = document
    text = head + "".join(items) + tail
    index = data.draw(st.integers(0, len(items) - 1))
    after = edit(text, Set(("labels", index, "color"), data.draw(NAMES)))
    lines, now = text.splitlines(keepends=True), after.splitlines(keepends=True)
    assert len(lines) == len(now)
    assert sum(before != after for before, after in zip(lines, now, strict=True)) <= 1


@SETTINGS
@example(("labels:\n", ["  - a: 1\n"], ""), [{"\xa0": 1}])
@given(documents(), st.lists(st.dictionaries(TEXTS, VALUES, min_size=1, max_size=3), min_size=1, max_size=3))
def test_new_items_come_after_the_others(document: tuple[str, list[str], str], new: list[dict[str, Any]]) -> None:
    head, items, tail = document
    text = head + "".join(items) + tail
    after = edit(text, Append("labels", tuple(_as_read(item) for item in new)))
    assert len(nodes_of(after)[1].value["labels"]) == len(items) + len(new)
    assert after.startswith(head + "".join(items[:-1]))
    assert after.endswith(tail)
    old, now = text.splitlines(), iter(after.splitlines())
    assert all(line in now for line in old)


def _as_read(value: Any) -> Any:
    return nodes_of(f"k: {spell(value)}")[1].value["k"]


@pytest.mark.parametrize(
    ("before", "edits", "after"),
    [
        ("version: 1", [Append("labels", ({"a": 1},))], "version: 1\n\nlabels:\n  - {a: 1}"),
        ("{version: 1}\n", [Append("labels", ({"a": 1},))], "{version: 1, labels: [{a: 1}]}\n"),
        ("labels: [] # none\nx: 1\n", [Append("labels", ("a",))], "labels: # none\n  - a\nx: 1\n"),
        ("labels:  # none\r\nx: 1\r\n", [Append("labels", ("a",))], "labels:  # none\r\n  - a\r\nx: 1\r\n"),
        ("labels: ~", [Append("labels", ("a", "b"))], "labels:\n  - a\n  - b"),
        ("labels: [{a: 1}]\n", [Append("labels", ({"b": 2},))], "labels: [{a: 1}, {b: 2}]\n"),
        ("l: [\n  {a: 1}  # x\n]\n", [Append("l", ({"b": 2},))], "l: [\n  {a: 1},  # x\n  {b: 2}\n]\n"),
        ("l:\n- a: 1\n  # more\n# end\n", [Append("l", ({"b": 2},))], "l:\n- a: 1\n  # more\n- b: 2\n# end\n"),
        ("l:\n- a: 1\n\n- a: 2\n", [Append("l", ({"a": 3},))], "l:\n- a: 1\n\n- a: 2\n\n- a: 3\n"),
        ("l:\n- a: 1\n\n- a: 2\n", [Append("l", ({"a": 3}, {"a": 4}))], "l:\n- a: 1\n\n- a: 2\n\n- a: 3\n\n- a: 4\n"),
        ("l:\n\n- a: 1\n", [Append("l", ({"a": 2},))], "l:\n\n- a: 1\n- a: 2\n"),
        ("l:\n- a\n- b\n\n- c\n", [Append("l", ("d",))], "l:\n- a\n- b\n\n- c\n\n- d\n"),
        ("l:\n- a\n\n- b\n- c\n", [Append("l", ("d",))], "l:\n- a\n\n- b\n- c\n- d\n"),
        ("l:\n- {a: 1}\n", [Append("l", ({"b": 2},))], "l:\n- {a: 1}\n- {b: 2}\n"),
        ("k: {a: 1, b: 2}", [Set(("k",), {"b": 2})], "k: {b: 2}"),
        ("k:\n  a: 1\n  b: 2\n", [Set(("k",), {"a": 1})], "k: {a: 1}\n"),
        ("k:\n  - a # a\n  - b # b\n", [Set(("k",), ["b", "c"])], "k:\n  - b # b\n  - c\n"),
        ("k: [a, b, c]  # x", [Set(("k",), ["b", "d"])], "k: [b, d]  # x"),
        ("x:\n  k:\n    - a\n    - b\n  y: 1\n", [Set(("x", "k"), [])], "x:\n  k: []\n  y: 1\n"),
        ("k:\n  email: a@b.c\ny: 1\n", [Set(("k",), 5)], "k: 5\ny: 1\n"),
        ("k: {email: a@b.c}  # who\n", [Set(("k",), 5)], "k: 5  # who\n"),
        ("k:  # why\ny: 1", [Set(("k",), 5)], "k: 5  # why\ny: 1"),
        ("k: |\n  long\n  text\n\ny: 1\n", [Set(("k",), "short")], "k: short\n\ny: 1\n"),
        ("k: 'a'\nl: \"b\"\n", [Set(("k",), "it's"), Set(("l",), "x")], "k: 'it''s'\nl: \"x\"\n"),
        ("a: &x red\nb: &y 1\nc: *y\n", [Set(("a",), "blue")], "a: &x blue\nb: &y 1\nc: *y\n"),
        ("a: &x red\nb: *x # b\n", [Set(("b",), "blue")], "a: &x red\nb: blue # b\n"),
        ("k: 1\n", [Set(("k",), value=True)], "k: true\n"),
        ("k: [a, b]\n", [Set(("k",), ["c", "d"])], "k: [c, d]\n"),
        ("k: [a, b, c]\n", [Set(("k",), ["a", "c"])], "k: [a, c]\n"),
        ("l: [\n  a  # x, y\n]\n", [Append("l", ("b",))], "l: [\n  a,  # x, y\n  b\n]\n"),
        ("l: [\n  a,  # x\n]\n", [Append("l", ("b", "c"))], "l: [\n  a,  # x\n  b,\n  c\n]\n"),
        ("k:\n  a: 1\n", [Set(("k", "b, c"), "x, y")], "k:\n  a: 1\n  b, c: x, y\n"),
        ("k: {a: 1}\n", [Set(("k", "b, c"), "x, y")], 'k: {a: 1, "b, c": "x, y"}\n'),
        ("a: 1\n", [Append("b, c", ({"x": "y, z"}, "u, v"))], 'a: 1\n\nb, c:\n  - {x: "y, z"}\n  - u, v\n'),
        # What stands in a text is no comment.
        ('k: ["Tier #1", Hot]\n', [Set(("k",), ["Hot"])], "k: [Hot]\n"),
        ("k: ['a #1', b] # x\n", [Set(("k",), [])], "k: [] # x\n"),
        ("k:\n  - 'a #1'\n", [Set(("k",), ["b"])], "k: [b]\n"),
        ("k:\n  'a #1': {\"b #2\": null}\n", [Set(("k",), 5)], "k: 5\n"),
        ("k:\n  a: |\n    b\n    # c\n", [Set(("k",), 5)], "k: 5\n"),
        # A comment beside a value stays.
        ("k: # why\n  [a, b]\n", [Set(("k",), ["c"])], "k: # why\n  [c]\n"),
        ("k: >- # agreed\n  Old\n  title\n\ny: 1\n", [Set(("k",), "New")], "k: New # agreed\n\ny: 1\n"),
        ("k: &a |2 # agreed\n   x\n# y", [Set(("k",), "New")], "k: &a New # agreed\n# y"),
        ("k:\n- a: >- # why\n    x\n- b\n", [Set(("k", 0, "a"), "c")], "k:\n- a: c # why\n- b\n"),
        ("labels: # none\n  []\n", [Set(("labels",), None)], "labels: # none\n  null\n"),
        # A key that is set beside others takes nothing of them away, and one that is there is not made a second time.
        ("k:\n  a: 1\n  b: 2\n", [Set(("k", "b"), 3)], "k:\n  a: 1\n  b: 3\n"),
        ("k: {a: {x: 1}}\n", [Set(("k", "a", "y"), 2)], "k: {a: {x: 1, y: 2}}\n"),
        ("k:\n", [Set(("k", "a", "b"), 1)], "k: {a: {b: 1}}\n"),
        # Types are kept apart, and null is a value.
        ("k: 1\n", [Set(("k",), "1")], 'k: "1"\n'),
        ("k: 1\n", [Set(("k",), Decimal("1.0"))], "k: 1.0\n"),
        ('k: "true"\n', [Set(("k",), value=True)], "k: true\n"),
        ("k: a\n", [Set(("k",), None)], "k: null\n"),
        ("k:\n  a: 1\n", [Set(("k", "b"), None)], "k:\n  a: 1\n  b: null\n"),
    ],
)
def test_each_edit_gives_exactly_this_text(before: str, edits: list[Edit], after: str) -> None:
    assert edit(before, *edits) == after


@pytest.mark.parametrize(
    ("text", "change", "message"),
    [
        ("a: &x red\nb: *x\n", Set(("a",), "blue"), "f.yaml:1:7: an alias (*x) stands for this value elsewhere"),
        (
            "l:\n  - &x {a: 1}\n  - *x\n",
            Set(("l", 0, "a"), 2),
            "f.yaml:2:5: an alias (*x) stands for this value elsewhere",
        ),
        ("k:\n  # why\n  email: a\n", Set(("k",), 5), "f.yaml:3:3: a comment would be lost with this value"),
        ("k: # why\n  email: a\n", Set(("k",), 5), "f.yaml:2:3: a comment would be lost with this value"),
        ("k: [ # Sam decides\n  ]\n", Set(("k",), ["a"]), "f.yaml:1:4: a comment would be lost with this value"),
        ("k: {\n  # Sam decides\n}\n", Set(("k",), {"a": 1}), "f.yaml:1:4: a comment would be lost with this value"),
        ("k: [ # x\n  ]\n", Append("k", ("a",)), "f.yaml:1:4: a comment would be lost with this value"),
        ("k: # x\n  []\n", Append("k", ("a",)), "f.yaml:2:3: a comment would be lost with this value"),
        ("k: # x\n  ~\n", Append("k", ("a",)), "f.yaml:2:3: a comment would be lost with this value"),
        ("k: ['#', # x\n  a]\n", Set(("k",), []), "f.yaml:1:4: a comment would be lost with this value"),
        ("k:\n- {'#': 1, # x\n  a: 2}\n", Set(("k",), 1), "f.yaml:2:1: a comment would be lost with this value"),
        ("k:\n  a: > # x\n    b\n", Set(("k",), 1), "f.yaml:2:3: a comment would be lost with this value"),
        (
            "k:\n  a: 1 # why\n  b: 2\n",
            Set(("k",), {"b": 2}),
            "f.yaml:2:3: a comment would be lost with this value",
        ),
    ],
)
def test_an_edit_that_cannot_be_made_in_place_is_refused_with_its_place(text: str, change: Edit, message: str) -> None:
    with pytest.raises(EditError) as caught:
        edit(text, change)
    assert str(caught.value) == f"{message}, so nothing was written"
    assert caught.value.hint == "edit this place by hand, or write it in another way, and run the command again"


def test_edits_that_cannot_be_made_have_a_refusal() -> None:
    text = "a: &x red\nb: *x\nc: [ # why\n  ]\nd: 1\n"
    groups = [[Set(("d",), 2)], [Set(("d",), 2), Set(("a",), "blue")], [Set(("c",), [1])]]
    writer = Writer(*nodes_of(text))
    fine, shared, comment = map(writer.refusal, groups)
    assert fine is None
    assert isinstance(shared, EditError)
    assert (shared.why, str(shared.span)) == ("an alias (*x) stands for this value elsewhere", "f.yaml:1:7")
    assert isinstance(comment, EditError)
    assert comment.why == "a comment would be lost with this value"


@pytest.mark.parametrize("text", ["green", "[", "{a: 1}"])
def test_a_result_that_reads_otherwise_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leadstate.edit.writer.spell", lambda *_, **__: text)
    with pytest.raises(EditError) as caught:
        edit("# first\na: red\n", Set(("a",), "blue"))
    assert str(caught.value) == "f.yaml:2:4: the text does not come out as it should, so nothing was written"


def test_removing_one_of_equal_items_keeps_the_order_of_the_others() -> None:
    assert edit("k: [1, 2, 1, 3]\n", Set(("k",), [2, 1])) == "k: [2, 1]\n"
    assert edit("k: [1, 1, 2]\n", Set(("k",), [1, 1])) == "k: [1, 1]\n"


def test_edits_do_not_change_the_values_that_were_given() -> None:
    data = {"l": [{"a": 1}]}
    assert apply_edits(data, [Set(("l", 0, "a"), 2), Append("l", (3,))]) == {"l": [{"a": 2}, 3]}
    assert data == {"l": [{"a": 1}]}


@pytest.mark.parametrize(
    ("value", "other"),
    [
        (1, True),
        (0, False),
        (1, "1"),
        (1, Decimal(1)),
        (Decimal("1.0"), Decimal("1.00")),
        (None, ""),
        (None, False),
        ([], {}),
        ([1], [1, 2]),
        ([1, 2], [2, 1]),
        ({"a": 1}, {"a": True}),
        ({"a": None}, {}),
        ({"a": 1}, {"b": 1}),
        ([{"a": [1]}], [{"a": [True]}]),
    ],
)
def test_values_of_different_types_are_different(value: object, other: object) -> None:
    assert not same(value, other)
    assert not same(other, value)
    assert same(value, value)
    assert same(other, other)


def test_the_error_names_the_unwritable_value_and_a_fix() -> None:
    with pytest.raises(UnwritableError) as caught:
        spell("a\ud800")
    assert str(caught.value) == "'a\\ud800' cannot be written into a YAML file"
    assert caught.value.hint == "change it in Pipedrive first"


def test_an_edit_leaves_all_other_values() -> None:
    data = {"a": {"b": 1, "c": 2}, "l": [1, {"x": 1, "y": 2}, 3]}
    assert apply_edits(data, [Set(("a", "b"), None)]) == {**data, "a": {"b": None, "c": 2}}
    assert apply_edits(data, [Set(("l", 1, "x"), 5)]) == {**data, "l": [1, {"x": 5, "y": 2}, 3]}
    assert apply_edits(data, [Set(("n", "m"), 1), Append("l", (4,)), Append("k", (1,))]) == {
        "a": data["a"],
        "l": [*data["l"], 4],
        "n": {"m": 1},
        "k": [1],
    }
