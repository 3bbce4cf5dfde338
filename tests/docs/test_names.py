"""The documents name what there is: options, guards, keys of the configuration, files."""

import json
import re
from pathlib import Path
from typing import Any

import click
import pytest

from leadstate.cli.main import COMMANDS, cli
from leadstate.cli.starter import starter
from leadstate.reconcile.guards import GUARDS
from leadstate.report.formats.wording import WHY_DELETED

ROOT = Path(__file__).parents[2]
COMMAND_LINE_PAGE = (ROOT / "docs" / "reference" / "command-line.md").read_text(encoding="utf-8")
CONFIGURATION_PAGE = (ROOT / "docs" / "reference" / "configuration.md").read_text(encoding="utf-8")


def options() -> set[str]:
    found = set()
    with cli.make_context("leadstate", [], resilient_parsing=True) as ctx:
        pending: list[click.Command] = [command for name in COMMANDS if (command := cli.get_command(ctx, name))]
        while pending:
            command = pending.pop()
            if isinstance(command, click.Group):
                pending += command.commands.values()
            found |= {
                name
                for param in command.params
                for name in (*param.opts, *param.secondary_opts)
                if name.startswith("--")
            }
    return found


def test_every_option_that_the_page_names_exists() -> None:
    assert set(re.findall(r"--[a-z][a-z-]+", COMMAND_LINE_PAGE)) <= options()


def test_every_command_that_a_page_names_exists() -> None:
    pages = "".join(page.read_text(encoding="utf-8") for page in (ROOT / "docs").rglob("*.md"))
    assert set(re.findall(r"`leadstate ([a-z]+)", pages)) <= COMMANDS.keys()


def test_every_reason_of_a_change_is_in_the_page_about_policies() -> None:
    page = (ROOT / "docs" / "how-to" / "policy.md").read_text(encoding="utf-8")
    (reasons,) = re.findall(r"^- `changes\[\]\.reason`: (.*?)^- ", page, re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"`([a-z-]+)`", reasons)) == {"missing", "differs", "renamed", *WHY_DELETED}


@pytest.mark.parametrize("name", ["leadstate.yaml", "taken-over.yaml"])
def test_a_starter_file_names_every_value_of_prune(name: str) -> None:
    schema = json.loads((ROOT / "schemas" / "leadstate.schema.json").read_text(encoding="utf-8"))
    rules = schema["definitions"]["PruneSpec"]["properties"]
    comment = "     ".join(f"{of}: {' | '.join(rules[of]['enum'])}" for of in ("labels", "leads"))
    assert f"# {comment}\n" in starter(name)


@pytest.mark.parametrize("name", GUARDS)
def test_every_guard_is_described(name: str) -> None:
    assert f"`{name}`" in (ROOT / "docs" / "explanation" / "safety.md").read_text(encoding="utf-8")
    assert f"`guard[{name}]`" in (ROOT / "docs" / "how-to" / "operations.md").read_text(encoding="utf-8")


def keys(schema: dict[str, Any]) -> set[str]:
    here = set(schema.get("properties", {}))
    return here.union(*(keys(definition) for definition in schema.get("definitions", {}).values()))


def test_every_key_of_the_configuration_is_described() -> None:
    schema = json.loads((ROOT / "schemas" / "leadstate.schema.json").read_text(encoding="utf-8"))
    described = set(re.findall(r"[a-z_]+", CONFIGURATION_PAGE))
    assert keys(schema) <= described


def test_the_files_that_the_architecture_names_exist() -> None:
    text = (ROOT / "docs" / "explanation" / "architecture.md").read_text(encoding="utf-8")
    for name in re.findall(r"`((?:core|kinds|pipedrive|engine|config|report|cli)/\w+\.py)", text):
        assert (ROOT / "leadstate" / name).is_file(), name


def test_each_test_file_is_named_after_a_module_of_its_package() -> None:
    for file in (ROOT / "tests").rglob("test_*.py"):
        package = ROOT / "leadstate" / file.parent.relative_to(ROOT / "tests")
        if package.is_dir() and file.stem != "test_third_kind":  # it goes through all of them
            modules = {path.stem.rstrip("_") for path in package.iterdir()}
            name = file.stem.removeprefix("test_")
            assert any(name == module or name.startswith(f"{module}_") for module in modules), file
