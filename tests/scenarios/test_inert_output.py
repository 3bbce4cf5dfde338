"""What an account holds commands neither a terminal nor a CI system, in whatever form it is printed."""

import json
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from leadstate.cli.commands.get import to_yaml
from leadstate.cli.output import to_json
from leadstate.cli.patch import show
from leadstate.config.yaml.diagnostics import Source

NAMES = (
    "##[stop-commands]x",
    "::add-mask::x",
    "a\n::add-mask::x",
    "\x9b31m",
    "left\u202eright",
    "a\u2028b",
    "Žluť",
    "#1: x",
)
ROWS: list[dict[str, Any]] = [{"name": name, "list": [name, [name]], name: 1} for name in NAMES]


@pytest.mark.parametrize("form", [to_json, to_yaml])
def test_rows_of_every_form_are_escaped_and_equal(form: Any) -> None:
    text = form(ROWS)
    read = json.loads(text) if form is to_json else YAML(typ="safe", pure=True).load(text)
    assert read == ROWS
    assert "##[" not in text
    assert not any(line.lstrip().startswith("::") for line in text.splitlines())
    assert not any(char in text for char in "\x9b\u202e\u2028")
    assert "Žluť" in text


def test_control_characters_of_a_patch_are_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    before = Source("leadstate.yaml", "::warning::x\nlabels:\n  - {name: Hot}\n", Path())
    after = "::warning::x\nlabels:\n  - {name: Hot}\n\t- {name: '##[stop-commands]x'}\n  - \u202e\n"
    show([(before, after)], "never")
    assert capsys.readouterr().out.splitlines()[3:] == [
        " \\x3a:warning::x",
        " labels:",
        "   - {name: Hot}",
        "+\t- {name: '\\x23#[stop-commands]x'}",
        "+  - \\u202e",
    ]
