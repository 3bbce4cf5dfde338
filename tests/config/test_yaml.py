"""Text that is no YAML, or YAML that a configuration does not need."""

import subprocess
import sys
import textwrap
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from leadstate.config.yaml.diagnostics import Diagnostics, Source
from leadstate.config.yaml.nodes import read_nodes, resolve
from leadstate.model.diagnostics import Diagnostic, Severity

OneError = Callable[[str, str], Diagnostic]

BAD = {
    "empty": ("‸", "empty-file"),
    "only comments": ("‸# nothing\n# here\n", "empty-file"),
    "only a document start": ("‸---\n", "empty-file"),
    "a list": ("‸- 1\n", "wrong-type"),
    "a scalar": ("‸hello\n", "wrong-type"),
    "tab for indentation": ("labels:\n‸\t- name: Hot\n", "tab-indentation"),
    "tab after spaces": ("a:\n  b: 1\n ‸\tc: 2\n", "tab-indentation"),
    "tab after a dash": ("labels:\n  -‸\t{name: Hot}\n", "tab-indentation"),
    "tab after a dash and a space": ("labels:\n  - ‸\tname: Hot\n", "tab-indentation"),
    "tag": ("version: ‸!!int 1\n", "tag"),
    "tag with a colon": ("labels: [{name: ‸!a:b x}]\n", "tag"),
    "tag in its long form": ("labels: [{name: ‸!<tag:example.com,2000:x> x}]\n", "tag"),
    "tag of an unknown handle": ("labels: [{name: ‸!a!b x}]\n", "tag"),
    "non-specific tag": ("version: ‸! 1\n", "tag"),
    "tag on a list": ("labels: ‸!!set [a]\n", "tag"),
    "many documents": ("version: 1\n‸---\nversion: 1\n", "many-documents"),
    "merge key": ("version: 1\naccounts:\n  ‸<<: {a: 1}\n", "merge-key"),
    "duplicate key": ("version: 1\n‸version: 1\n", "duplicate-key"),
    "duplicate key quoted": ('"version": 1\n‸version: 1\n', "duplicate-key"),
    "key is a number": ("‸2026: 1\n", "key-not-text"),
    "key is nothing": ("version: 1\n?‸ \n: 1\n", "key-not-text"),
    "key is a list": ("‸[a, b]: 1\n", "key-not-text"),
    "key is a mapping": ("? ‸{a: b}\n: 1\n", "key-not-text"),
    "unknown alias": ("version: ‸*nowhere\n", "unknown-alias"),
    "recursive alias": ("labels: &a [1, ‸*a]\n", "recursive-alias"),
    "recursive alias through a mapping": ("labels: &a {b: {c: ‸*a}}\n", "recursive-alias"),
    "deep flow": ("labels: " + "[" * 63 + "‸[" + "[" * 50_000, "too-deep"),
    "open quote": ("version: 1\nnamespace: ‸'acme\nlabels: []\n", "yaml-syntax"),
    "open bracket": ("version: 1\nlabels: ‸[a, b\nleads: []\n", "yaml-syntax"),
    "open brace at the end": ("version: 1\nlabels: ‸{\n", "yaml-syntax"),
    "two colons": ("version: 1\nnamespace: a‸: b\n", "yaml-syntax"),
    "no colon": ("version: 1\n‸namespace\nlabels: []\n", "yaml-syntax"),
    "at sign": ("version: 1\nnamespace: ‸@acme\n", "yaml-syntax"),
    "backtick": ("version: 1\nnamespace: ‸`acme`\n", "yaml-syntax"),
    "percent": ("version: 1\nnamespace: ‸%acme\n", "yaml-syntax"),
    "bad escape": ('version: 1\nnamespace: "a‸\\q"\n', "yaml-syntax"),
    "wrong indentation": ("labels:\n  - name: Hot\n ‸  color: red\n".replace("‸  ", " ‸"), "yaml-syntax"),
    "text after a quoted text": ('version: 1\nnamespace: "a" ‸"b"\n', "yaml-syntax"),
    "after the end": ("version: 1\n...\n‸what\n", "yaml-syntax"),
    "future version of YAML": ("‸%YAML 3.0\n---\nversion: 1\n", "yaml-syntax"),
    "surrogate escape": ('version: 1\nnamespace: "\\u‸D800"\n', "yaml-syntax"),
    "colon ends a flow scalar": ("labels: [a‸:]\n", "yaml-syntax"),
}


@pytest.mark.parametrize("name", BAD)
def test_refused_yaml_has_code_and_place(name: str, one_error: OneError) -> None:
    text, code = BAD[name]
    if code in {"tag", "merge-key", "duplicate-key", "key-not-text"}:
        # Those do not end the reading: what else is wrong with the file is said as well.
        diagnostics = Diagnostics()
        before, _, after = text.partition("‸")
        read_nodes(Source("f.yaml", before + after, Path()), diagnostics)
        (found,) = diagnostics.sorted(Severity.ERROR)
        assert found.code == code
        assert found.hint
        assert found.span is not None
        place = (before.count("\n") + 1, len(before) - before.rfind("\n"))
        assert (found.span.line, found.span.column) == place
        return
    one_error(text, code)


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        (r"\u‸d83d\ude00", r"write the character itself, or its one number, as in \U0001F600"),
        (r"‸\q", r"write `\\` for one `\`, or put the text in single quotes"),
        (r"a\u‸12", r"write `\\` for one `\`, or put the text in single quotes"),
    ],
)
def test_a_wrong_escape_within_quotes_has_a_fix_of_its_own(one_error: OneError, name: str, fix: str) -> None:
    found = one_error(f'version: 1\nlabels:\n  - {{name: "{name}", color: red}}\n', "yaml-syntax")
    assert found.hint == fix


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("labels: [‸@vip]", "put the text in quotes"),
        ("labels: [‸`vip`]", "put the text in quotes"),
        ("policy: {ignore: {labels: [*‸]}}", "put text that begins with `*` or `&` in quotes"),
        ("policy: {ignore: {labels: [&‸ co]}}", "put text that begins with `*` or `&` in quotes"),
    ],
)
def test_a_character_that_no_text_can_begin_with_has_a_fix_of_its_own(one_error: OneError, text: str, fix: str) -> None:
    assert one_error(f"version: 1\n{text}\n", "yaml-syntax").hint == fix


def test_a_duplicate_key_shows_both_places(one_error: OneError) -> None:
    text = "version: 1\naccounts:\n  a: {domain: acme, token: {env: T}}\n  ‸a: {domain: acme, token: {env: T}}\n"
    found = one_error(text, "duplicate-key")
    assert found.detail.endswith("0.yaml:3:3")


def test_alias_expansion_is_bounded(one_error: OneError) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    found = one_error("\n".join(lines), "alias-expansion")
    assert found.span is not None
    assert found.span.line == 4


def test_depth_counts_through_aliases(one_error: OneError) -> None:
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 80)]
    found = one_error("\n".join(lines), "too-deep")
    assert found.span is not None
    assert found.span.line == 64


def test_aliases_within_bounds_are_fine(load_text: Callable[[str], object]) -> None:
    load_text(
        "version: 1\naccounts:\n  a: &a {domain: acme, token: &t {env: T}}\n  b: {domain: acme-b, token: *t}\n"
        "labels:\n  - &hot {name: Hot, color: red, accounts: [a]}\n"
    )


@pytest.mark.parametrize("kind", ["flow", "flow mappings", "block", "block dashes"])
def test_million_levels_are_refused_quickly(kind: str, tmp_path: Path) -> None:
    text = {
        "flow": "[" * 1_000_000,
        "flow mappings": '{"a":' * 1_000_000,
        "block": "".join(" " * n + "a:\n" for n in range(3000)),
        "block dashes": "- " * 1_000_000,
    }[kind]
    path = tmp_path / "deep.yaml"
    path.write_text(text)
    program = textwrap.dedent("""
        import sys
        from pathlib import Path
        from leadstate.api.configuration import load
        from leadstate.model.diagnostics import ConfigurationError
        try:
            load([Path(sys.argv[1])])
        except ConfigurationError as error:
            print([diagnostic.code for diagnostic in error.diagnostics])
    """)
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], cwd=root, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "['too-deep']"), done.stderr


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("NULL", None),
        ("nULL", "nULL"),
        ("true", True),
        ("False", False),
        ("yes", "yes"),
        ("on", "on"),
        ("12", 12),
        ("-12", -12),
        ("+012", 12),
        ("0o14", 12),
        ("0xfF", 255),
        ("0b1", "0b1"),
        ("1_000", "1_000"),
        ("12e3", Decimal("12e3")),
        ("1.", Decimal(1)),
        (".5", Decimal("0.5")),
        ("-.inf", Decimal("-Infinity")),
        (".inf", Decimal("Infinity")),
        ("1e99999999999999999999999", Decimal("Infinity")),
        ("2026-12-31", "2026-12-31"),
        ("12:30:45", "12:30:45"),
        ("1.2.3", "1.2.3"),
        ("-", "-"),
        (".", "."),
        ("9" * 50, Decimal("9" * 50)),
    ],
)
def test_plain_scalars_by_the_core_schema(text: str, value: object) -> None:
    found = resolve(text)
    assert (type(found), found) == (type(value), value)


def test_nan_is_a_number() -> None:
    found = resolve(".nan")
    assert isinstance(found, Decimal)
    assert found.is_nan()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[emea, tag:prod]", ["emea", "tag:prod"]),
        ("{u: http://127.0.0.1:80/?q=1}", {"u": "http://127.0.0.1:80/?q=1"}),
        ("{t: Why?, u: a::b}", {"t": "Why?", "u": "a::b"}),
        ('{"a":1,"b":"c:d?e"}', {"a": 1, "b": "c:d?e"}),
        ("['a:b?', \"\ue000:\ue001\"]", ["a:b?", "\ue000:\ue001"]),
        ("{a: [x:y], b: {c: d}}", {"a": ["x:y"], "b": {"c": "d"}}),
    ],
)
def test_colons_and_question_marks_within_flow_scalars(text: str, value: object) -> None:
    diagnostics = Diagnostics()
    root = read_nodes(Source("f", f"k: {text}\n", Path()), diagnostics)
    assert root is not None
    assert root.value == {"k": value}


def test_windows_line_ends_and_a_byte_order_mark_keep_the_places(one_error: OneError) -> None:
    text = "\ufeffversion: 1\r\naccounts:\r\n  a: {domain: acme, token: {env: T}, tagz: [x]}\r\n"
    found = one_error(text, "unknown-key")
    assert found.span is not None
    assert (found.span.line, found.span.column) == (3, 38)
    assert "\r" not in found.excerpt
