"""Every code that the product can say is described once, and every described one can be said.

The YAML of an entry is given to the loader, which has to find that code in it; what it leaves out stands around it.
"""

import re
from pathlib import Path

import pytest

from leadstate.api.configuration import load
from leadstate.model.diagnostics import ConfigurationError
from tests.harness.diagnostic_codes import CODE, codes
from tests.harness.page_fragments import whole

PAGES = Path(__file__).parents[2] / "docs" / "reference" / "diagnostics"
ENTRY = re.compile(r"^### `(.+?)`\n(.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
NEVER_SAID = {"error", "api", "configuration"}
"""Those of errors that only others are made of, and of the configuration, whose diagnostics are said one by one."""


def entries() -> list[tuple[str, str]]:
    return [found for page in sorted(PAGES.glob("*.md")) for found in ENTRY.findall(page.read_text(encoding="utf-8"))]


ENTRIES = entries()
IN_YAML = [(code, example) for code, text in ENTRIES for example in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)]


def test_every_code_has_one_entry_and_every_entry_is_a_code() -> None:
    described = [code for code, _ in ENTRIES]
    said = codes() - NEVER_SAID
    assert sorted(said - set(described)) == [], "describe them in docs/reference/diagnostics (see reference/style.md)"
    assert sorted(set(described) - said) == [], "nothing says these any more"
    assert len(described) == len(set(described))


@pytest.mark.parametrize(("code", "text"), ENTRIES, ids=[code for code, _ in ENTRIES])
def test_an_entry_has_a_fix_and_an_example(code: str, text: str) -> None:
    assert CODE.fullmatch(code)
    meaning, fix, rest = text.partition("**Fix:**")
    assert meaning.strip()
    assert fix
    assert "```yaml\n" in rest or re.search(rf"```text\n(error|warning|guard)\[{code}\] ", rest)


@pytest.mark.parametrize(("code", "example"), IN_YAML, ids=[code for code, _ in IN_YAML])
def test_an_example_causes_its_diagnostic(code: str, example: str, tmp_path: Path) -> None:
    file = tmp_path / "leadstate.yaml"
    file.write_text(whole(example), encoding="utf-8")
    try:
        found = load([file]).diagnostics
    except ConfigurationError as failure:
        found = failure.diagnostics
    assert code in {diagnostic.code for diagnostic in found}, [
        f"{diagnostic.code}: {diagnostic.summary}" for diagnostic in found
    ]


def test_codes_are_found_in_every_form_in_the_source() -> None:
    assert {"duplicate-key", "label-absent", "previous-name-twice", "bad-namespace", "reserve", "file"} <= codes()
    assert {"several-found", "none-found", "unreachable", "given-twice", "bad-domain", "unknown-value"} <= codes()
