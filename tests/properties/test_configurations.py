"""Whatever the bytes are, the answer is a configuration or errors with places and fixes."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadstate.api.configuration import load
from leadstate.model.diagnostics import ConfigurationError

GOOD = """version: 1
namespace: acme
accounts:
  emea: {domain: acme, token: {env: T}, tags: [prod], vars: {r: EMEA}}
  us: {url: "http://127.0.0.1:80", token: {file: t}, policy: {guards: {max_deletes: null}}}
policy: {prune: {labels: all, leads: owned}, archived_pages: 3}
labels:
  - &hot {name: Hot, color: red}
  - {name: "${r} b", key: b, color: blue, previously: [C], accounts: [tag:prod], overrides: {emea: {name: D}}}
  - {name: Old, state: absent, except: [us]}
leads:
  - key: a
    title: "A ${r}"
    person: 1
    labels: {at_least: [Hot, b]}
    value: {amount: 12.5, currency: EUR}
    expected_close_date: 2026-12-31
    accounts: [emea]
    overrides: {emea: {labels: [Hot], visible_to: 3}}
"""
PIECES = st.sampled_from((*"{}[]:,-\n\t'\"?#\x00é\ue000", "&a ", "*a", "*hot", "!!str ", "<<: *hot")) | st.sampled_from(
    ("  ", "${r}", "${", "null", "true", "1e999", ".nan", "|\n", ">-\n", "---\n", "tag:", "token", "key: ")
)


def check(raw: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "f.yaml"
        path.write_bytes(raw)
        try:
            found = load([path]).diagnostics
        except ConfigurationError as error:
            found = error.diagnostics
            assert found
        for diagnostic in found:
            assert diagnostic.code
            assert diagnostic.summary
            assert diagnostic.hint
            assert diagnostic.span is not None
            assert diagnostic.span.line >= 1
            assert diagnostic.span.column >= 1


SETTINGS = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@SETTINGS
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_with_a_place(raw: bytes) -> None:
    check(raw)


@SETTINGS
@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_with_a_place(text: str) -> None:
    check(text.encode("utf-8", "surrogatepass"))


@SETTINGS
@given(st.lists(st.tuples(st.integers(0, len(GOOD)), st.integers(0, 12), PIECES | st.text(max_size=3)), max_size=4))
def test_mutated_file_is_read_or_refused_with_a_place(changes: list[tuple[int, int, str]]) -> None:
    text = GOOD
    for start, length, piece in changes:
        text = text[:start] + piece + text[start + length :]
    check(text.encode("utf-8", "surrogatepass"))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | PIECES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@SETTINGS
@given(st.sampled_from(["accounts", "labels", "leads", "policy", "version", "namespace"]), VALUES, st.booleans())
def test_any_value_at_any_key_is_read_or_refused_with_a_place(key: str, value: object, in_list: bool) -> None:  # noqa: FBT001  hypothesis passes it
    import json

    value = [value] if in_list else value
    lines = [line for line in GOOD.splitlines() if not line.startswith(f"{key}:")]
    check(("\n".join(lines if key != "version" else lines[1:]) + f"\n{key}: {json.dumps(value)}\n").encode())
    check(f"version: 1\naccounts: {{a: {{domain: a, token: {{env: T}}}}}}\n{key}: {json.dumps(value)}\n".encode())


def test_unmutated_file_is_valid() -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "f.yaml"
        path.write_text(GOOD, encoding="utf-8")
        assert len(load([path]).accounts) == 2
