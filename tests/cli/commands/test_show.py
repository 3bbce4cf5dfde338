"""`show` groups what is equal, unless all is wanted."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from leadstate.cli.main import cli
from leadstate.report.formats.json import to_json
from tests.harness.reports import hundred


@pytest.fixture
def stored(tmp_path: Path) -> str:
    file = tmp_path / "plan.json"
    file.write_text("".join(to_json(hundred())), encoding="utf-8")
    return str(file)


def lines(*words: str, env: dict[str, str] | None = None) -> int:
    done = CliRunner().invoke(cli, ["show", *words], env=env, standalone_mode=False)
    assert done.exception is None
    return len(done.stdout.splitlines())


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_a_plan_of_a_hundred_accounts_is_short_and_whole_with_verbose(stored: str, form: str) -> None:
    short = lines(stored, "--format", form)
    whole = lines(stored, "--format", form, "--verbose")
    assert short < 40
    assert whole > 195
    assert lines(stored, "--format", form, env={"LEADSTATE_VERBOSE": "1"}) == whole


@pytest.mark.parametrize("form", ["json", "sarif", "junit", "terraform-json"])
def test_formats_for_programs_are_whole_either_way(stored: str, form: str) -> None:
    assert lines(stored, "--format", form) == lines(stored, "--format", form, "--verbose")
