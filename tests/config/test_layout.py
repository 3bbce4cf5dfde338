"""The canonical layout: the same values, comments and anchors, and nothing left to lay out."""

import json
import re
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from leadstate.cli.starter import starter
from leadstate.config.layout.canonical import laid_out
from leadstate.config.text.findings import Findings
from leadstate.config.text.nodes import Node, read_nodes
from leadstate.config.text.source import Source
from leadstate.config.writing.edits import Append, Set, same
from leadstate.config.writing.spelling import written
from leadstate.config.writing.writer import rewritten
from leadstate.core.errors import ConfigurationError

ROOT = Path(__file__).parents[2]
SETTINGS = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def nodes_of(text: str) -> tuple[Source, Node]:
    source, findings = Source("f.yaml", text, Path()), Findings()
    root = read_nodes(source, findings)
    assert root is not None
    assert not findings.any_error, text
    return source, root


def fmt(text: str) -> str:
    return laid_out(Source("f.yaml", text, Path()))


CASES = {
    "indentation": (
        """
        labels:
        -   name: Hot
            color: red
            overrides:
                    us:
                        name: Heiß
        -   {name: Warm, color: yellow}
        """,
        """
        labels:
          - name: Hot
            color: red
            overrides:
              us:
                name: Heiß
          - {name: Warm, color: yellow}
        """,
    ),
    "spaces in brackets and quotes that nothing needs": (
        """
        labels:
          - { 'name' :  "Hot" ,color:   'red'  }
          - {name: "12", color: "on" , merge_from: [ 'a, b',"it's" ,]}
        """,
        """
        labels:
          - {name: Hot, color: red}
          - {name: "12", color: on, merge_from: ["a, b", it's]}
        """,
    ),
    "brackets over lines": (
        """
        accounts:
          main:
            token: {command: [vault, read,   # c
              secret/pipedrive
            ]}
        labels:
          - {color: red,  # why
             # above
             name: Hot
             # last
             }
        """,
        """
        accounts:
          main:
            token: {
                command: [
                  vault,
                  read,                      # c
                  secret/pipedrive
                ]
              }

        labels:
          - {
              # above
              name: Hot,
              color: red  # why
              # last
            }
        """,
    ),
    "blank lines": (
        """

        # head


        version: 1
        namespace: a
        labels:

          - a


          # b
          - b
        leads: []



        """,
        """
        # head

        version: 1
        namespace: a

        labels:
          - a

          # b
          - b

        leads: []
        """,
    ),
    "keys in the order of the schema": (
        """
        # the top

        # our labels
        labels:
          # hot
          - color: red
            # what people see
            name: Hot   # h
            mine: 1
            overrides: {us: {color: pink, name: Heiß}}
            accounts: [us]
        version: 1
        """,
        """
        # the top

        version: 1

        # our labels
        labels:
          # hot
          # what people see
          - name: Hot   # h
            color: red
            accounts: [us]
            overrides: {us: {name: Heiß, color: pink}}
            mine: 1
        """,
    ),
    "comments keep to what is indented like them": (
        """
        labels:   # all
        - name: Hot
          color: red
          # of hot
        # of warm
        - name: Warm
          color: yellow
            # of warm's keys
          # of the same
        # of leads
        leads: []
        # the end
        """,
        """
        labels:   # all
          - name: Hot
            color: red
            # of hot
          # of warm
          - name: Warm
            color: yellow
            # of warm's keys
            # of the same

        # of leads
        leads: []
        # the end
        """,
    ),
    "comments behind keep their column": (
        """
        accounts:
            main:
                domain: acme   # one
                tags:   [a]    # two
                vars: {a: 'b'} # three
                plan:    lite  # four
        """,
        """
        accounts:
          main:
            domain: acme       # one
            plan: lite         # four
            tags: [a]          # two
            vars: {a: b}       # three
        """,
    ),
    "anchors and aliases, and then keys stay where they are": (
        """
        labels:
          - color: &c   red
            name: Hot
          - &warm
              color:   *c
              name: Warm
          - *warm
        version: 1
        """,
        """
        labels:
          - color: &c red
            name: Hot
          - &warm
            color: *c
            name: Warm
          - *warm
        version: 1
        """,
    ),
    "texts of several lines": (
        """
        a:
            - >-
                folded
                  more

                text
            - |2
                indented
              less
            - "quoted
              text"
            - plain
              text  # c
        """,
        """
        a:
          - >-
            folded
              more

            text
          - |2
              indented
            less
          - quoted text
          - plain text # c
        """,
    ),
    "what begins a document": (
        """
        # c
        ---   # d
        a: 1
        ...
        # e
        """,
        """
        # c
        ---   # d
        a: 1
        # e
        """,
    ),
    "values on the next line": (
        """
        a:  # c
          # d
          text
        b:
          {x: 1}
        c:
        e:
        ? f
        : g
        """,
        """
        # d
        a: text # c

        b: {x: 1}

        c:

        e:
        f: g
        """,
    ),
}


@pytest.mark.parametrize(("given_", "wanted"), CASES.values(), ids=CASES)
def test_laid_out(given_: str, wanted: str) -> None:
    wanted = dedent(wanted).removeprefix("\n")
    assert fmt(dedent(given_).removeprefix("\n")) == wanted
    assert fmt(wanted) == wanted


@pytest.mark.parametrize("text", ["a: |\n  x\n     \nb: 1\n", "--- &r\na: 1\n", "? &k a\n: 1\nb: *k\n"])
def test_what_would_not_say_the_same_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        fmt(text)
    assert [one.code for one in caught.value.diagnostics] == ["layout"]


def test_line_ends_and_trailing_spaces() -> None:
    assert fmt("a: 1  \r\nb:\t2\r\n\r\n\r\n# c \t\r\nd: 3") == "a: 1\nb: 2\n\n# c\nd: 3\n"
    assert fmt("a: 1\rb: 2") == "a: 1\nb: 2\n"
    assert fmt("{a: 1}") == "{a: 1}\n"


README = re.search(r"## What you write\n\n```yaml\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
OURS = {
    **{
        f"examples/{one.parent.name}/{one.name}": one.read_text("utf-8")
        for one in ROOT.glob("examples/*/*.yaml")
        if "\nversion: 1\n" in f"\n{one.read_text('utf-8')}"
    },
    **{name: starter(name) for name in ("leadstate.yaml", "demo.yaml")},
    "README.md": README[1] if README else "",
}


@pytest.mark.parametrize("text", OURS.values(), ids=OURS)
def test_what_we_write_by_hand_is_canonical(text: str) -> None:
    assert fmt(text) == text


ITEM = {"name": "a: b", "color": "red", "accounts": ["us"], "overrides": {"us": {"name": "x", "color": "blue"}}}


@pytest.mark.parametrize("text", OURS.values(), ids=OURS)
def test_what_edits_make_of_it_is_canonical(text: str) -> None:
    source, root = nodes_of(text)
    edits = [Append("leads", ({"key": "k", "title": "t", "labels": ["a"]},))]
    if "leads" not in root.value or "labels" in root.value:  # a new list goes to the end of a file
        edits.insert(0, Append("labels", (ITEM, ITEM)))
    after = rewritten(source, root, edits)
    assert fmt(after) == after


def test_what_edits_make_of_lines_is_canonical() -> None:
    text = "labels:\n  - name: Hot\n    color: red\n    merge_from: [\n        a\n      ]\n"
    source, root = nodes_of(text)
    edits = [Set(("labels", 0, "merge_from"), ["a", "b"]), Set(("labels", 0, "overrides"), {"us": {"name": "x"}})]
    after = rewritten(source, root, [*edits, Append("labels", (ITEM,))])
    assert fmt(after) == after


KEYS = ["version", "namespace", "accounts", "labels", "leads", "name", "color", "key", "policy", "x y", "a: b", "12"]
TEXTS = st.sampled_from(
    ["Hot", "it's", "a: b", "Ünï 🎉", "12", "x # y", "null", '"q"', "", "- a", "a\nb", "#", "no", "a,b"]
)
SCALARS = TEXTS | st.none() | st.booleans() | st.integers(-5, 5)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3),
    max_leaves=12,
)


class Printer:
    """Writes a value in any style that YAML has."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.remarks: list[str] = []

    def one_of(self, *choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    def maybe(self, times: int, of: int) -> bool:
        return self.draw(st.integers(1, of)) <= times

    def remark(self, before: str) -> str:
        """A comment, or none."""
        if not self.maybe(1, 3):
            return ""
        self.remarks.append(f"# {len(self.remarks)} it's {{[")
        return before + self.remarks[-1]

    def gap(self, indent: int) -> list[str]:
        """Lines between two entries."""
        lines = [""] * self.one_of(0, 0, 0, 1, 3)
        if found := self.remark(" " * max(0, indent + self.one_of(0, 0, 0, 1, -2))):
            lines += [found, *[""] * self.one_of(0, 0, 1)]
        return lines

    def scalar(self, value: Any, *, flow: bool) -> str:
        if not isinstance(value, str):
            return written(value)
        single = "'" + value.replace("'", "''") + "'" if value and "\n" not in value else written(value, flow=flow)
        return str(self.one_of(json.dumps(value, ensure_ascii=False), single, written(value, flow=flow)))

    def brackets(self, value: Any, indent: int, *, on_lines: bool) -> str:
        if not isinstance(value, list | dict):
            return self.scalar(value, flow=True)

        def space() -> str:
            if on_lines and self.maybe(1, 2):
                return f"{self.remark(' ')}\n{' ' * (indent + self.one_of(1, 2, 4))}"
            return str(self.one_of("", " "))

        parts = []
        for one in value.items() if isinstance(value, dict) else value:
            if isinstance(value, dict):
                parts.append(f"{self.scalar(one[0], flow=True)}: {self.brackets(one[1], indent, on_lines=on_lines)}")
            else:
                parts.append(self.brackets(one, indent, on_lines=on_lines))
        begin, end = "{}" if isinstance(value, dict) else "[]"
        trailing = self.one_of("", ",") if parts else ""
        inner = "".join(part + space() + "," + space() + " " for part in parts[:-1]) + "".join(parts[-1:])
        return begin + space() + inner + trailing + space() + end

    def value(self, value: Any, indent: int) -> tuple[str, list[str]]:
        """What stands in the line of a key or dash, and the lines below."""
        if not isinstance(value, list | dict):
            if isinstance(value, str) and value.isalpha() and self.maybe(1, 3):
                header = self.one_of("|-", ">-", "|2-") + self.remark(" ")
                return header, [" " * (indent + 2) + value]
            return self.scalar(value, flow=False) + self.remark("   "), []
        if not value or self.maybe(1, 2):
            return self.brackets(value, indent, on_lines=self.maybe(1, 2)) + self.remark(" "), []
        return self.remark(" "), self.block(value, indent + self.one_of(1, 2, 4))

    def block(self, value: Any, indent: int) -> list[str]:
        lines: list[str] = []
        for one in value.items() if isinstance(value, dict) else value:
            lines += self.gap(indent)
            if isinstance(value, dict):
                start, inner = f"{self.scalar(one[0], flow=False)}:", one[1]
            else:
                start, inner = "-", one
            if not isinstance(value, dict) and isinstance(inner, list | dict) and inner and self.maybe(1, 2):
                spaces = self.one_of(1, 3)
                below = [line for line in self.block(inner, indent + 1 + spaces) if line.strip()]
                while below[0].lstrip().startswith("#"):
                    lines.append(below.pop(0))
                lines += [" " * indent + "-" + " " * spaces + below[0].lstrip(), *below[1:]]
                continue
            head, below = self.value(inner, indent)
            lines += [" " * indent + start + (" " * self.one_of(1, 3) + head if head else ""), *below]
        return lines + self.gap(indent)


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, Any, list[str]]:
    """A text in any style, what it means, and its comments."""
    value = draw(st.dictionaries(st.sampled_from(KEYS), VALUES, min_size=1, max_size=5))
    printer = Printer(draw)
    lines = printer.block(value, 0)
    begin = printer.one_of([], ["---"], ["# top", "", "---"])
    newline = printer.one_of("\n", "\r\n", "\r")
    text = "\n".join([*begin, *lines]).replace("\n", newline) + printer.one_of("", newline)
    return text, value, printer.remarks + (["# top"] if len(begin) > 1 else [])


@SETTINGS
@given(documents())
def test_values_and_comments_stay_and_nothing_is_left_to_do(document: tuple[str, Any, list[str]]) -> None:
    text, value, remarks = document
    assume(same(nodes_of(text)[1].value, value))  # a remark below a text block can be a line of it
    after = fmt(text)
    assert same(nodes_of(after)[1].value, value)
    assert fmt(after) == after
    for one in remarks:
        assert one in after
    assert not re.search(r"[ \t]$|\r|\n\n\n", after, re.MULTILINE)
