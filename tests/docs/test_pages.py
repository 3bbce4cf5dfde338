"""The pages are true of the code: what is generated is up to date, commands parse, YAML loads, links lead somewhere."""

import os
import re
import shlex
import subprocess
from pathlib import Path

import click
import pytest

from docs.generate import GENERATED
from leadstate.api.configuration import load
from leadstate.cli.main import COMMANDS, GROUPS, cli
from tests.harness.page_fragments import whole

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")])
GUIDES = [ROOT / "README.md", *sorted((ROOT / "docs" / "how-to").glob("*.md"))]
HOW_TO = "".join(page.read_text(encoding="utf-8") for page in GUIDES)
SEEDS = re.findall(r"```csv\n(.*?)```", HOW_TO, re.DOTALL)[0]
OURS = re.compile(r"^(?:version|namespace|accounts|policy|labels|leads|leads_from):", re.MULTILINE)
"""What begins a configuration or a part of one; other YAML is about pre-commit or a CI system."""
HERE = re.compile(r"https://github\.com/your-organization/leadstate/(?:blob|tree)/main/")
"""Absolute links of the README, which is shown on other sites too."""
_COMMAND = re.compile(r"^(?:\$ |    )?(leadstate [a-z].*?)(?:\s{2,}#.*)?$", re.MULTILINE)
_BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)


def commands() -> set[str]:
    """Return every command line in the pages' blocks, and in the helps, which the command reference repeats."""
    texts = [page.read_text(encoding="utf-8") for page in PAGES]
    blocks = [block for text in texts for block in _BLOCK.findall(text)]
    lines = [line for form, block in blocks if form in {"", "sh"} for line in _COMMAND.findall(block)]
    lines += [line for text in texts for line in re.findall(r"^    (leadstate [a-z].*)$", text, re.MULTILINE)]
    return {part.strip() for line in lines for part in line.split("&&") if part.strip().startswith("leadstate ")}


def _prose(text: str) -> str:
    """Return a page without its blocks and code."""
    return re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL)


def anchors(page: Path) -> set[str]:
    """Return what the headings of a page are linked to as."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", GENERATED, ids=lambda page: str(page.relative_to(ROOT)))
def test_generated_pages_are_up_to_date(page: Path) -> None:
    assert page.read_text(encoding="utf-8") == GENERATED[page](), "make fix (or: python -m docs.generate)"


@pytest.mark.parametrize("line", sorted(commands()))
def test_a_command_in_the_pages_can_be_run(line: str) -> None:
    words = shlex.split(line.partition(" > ")[0], comments=True)[1:]
    with cli.make_context("leadstate", [], resilient_parsing=True) as ctx:
        command: click.Command = cli
        while isinstance(command, click.Group) and words:
            found = command.get_command(ctx, words[0])
            assert found is not None, f"no command {words[0]!r}"
            command, words = found, words[1:]
        with click.Context(command, parent=ctx) as inner:
            command.make_parser(inner).parse_args(words)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_installs_leadstate_from_its_repository_and_no_index(page: Path) -> None:
    for line in re.findall(r"(?:pip|uv)x? .*?install .*", page.read_text(encoding="utf-8")):
        words = re.split(r"[\s\"'`]+", line.replace(" @ ", "@"))
        assert not [word for word in words if re.fullmatch(r"leadstate(\[.*\])?", word)], line


@pytest.mark.parametrize(
    "example", [yaml for yaml in re.findall(r"```yaml\n(.*?)```", HOW_TO, re.DOTALL) if OURS.match(yaml)]
)
def test_yaml_of_a_guide_is_a_valid_configuration(example: str, tmp_path: Path) -> None:
    file = tmp_path / "leadstate.yaml"
    file.write_text(whole(example), encoding="utf-8")
    (tmp_path / "seeds.csv").write_text(SEEDS, encoding="utf-8")
    assert load([file]).diagnostics == ()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_in_the_pages_resolve(page: Path) -> None:
    text = HERE.sub(f"{os.path.relpath(ROOT, page.parent)}/", page.read_text(encoding="utf-8"))
    for target, anchor in re.findall(r"\](?:\(|: )([^)#\s]*)(?:#([^)\s]*))?(?:\)|\n)", text):
        if not target.startswith("http"):
            file = page.parent / target if target else page
            assert file.exists(), target
            site = ROOT / "docs"
            assert not page.is_relative_to(site) or file.resolve().is_relative_to(site), f"{target} is not on the site"
            assert not anchor or anchor in anchors(file), f"{target}#{anchor}"


def test_pages_load_nothing_from_other_hosts() -> None:
    for file in (ROOT / "docs" / "_static").iterdir():
        addresses = set(re.findall(r"https?://[\w.]+", file.read_text(encoding="utf-8")))
        assert addresses <= {"http://www.w3.org"}, file


def test_every_command_is_in_one_group() -> None:
    grouped = [name for names in GROUPS.values() for name in names]
    assert sorted(grouped) == sorted(COMMANDS), "cli/main.py: GROUPS"


def test_every_command_shows_examples() -> None:
    with cli.make_context("leadstate", [], resilient_parsing=True) as ctx:
        for name in COMMANDS:
            command = cli.get_command(ctx, name)
            assert command is not None
            assert f"Examples:  leadstate {name}" in (command.help or ""), name


def test_links_in_the_readme_are_absolute() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    targets = dict(re.findall(r"^\[(.*?)\]: (\S+)$", text, re.MULTILINE))
    assert targets
    assert all(target.startswith("https://") for target in targets.values())
    assert not re.findall(r"(?<!!)\[[^\]]*\]\((?!https://)", text)
    prose = re.sub(r"^\[.*?\]: .*$", "", _prose(text), flags=re.MULTILINE)
    named = re.findall(r"(?<!!)\[([^\]]+)\](?:\[([^\]]*)\])?(?!\()", prose)
    assert {key or label.lower() for label, key in named} == set(targets)


def test_pages_have_no_blocks_that_a_repository_page_shows_raw() -> None:
    for page in PAGES:
        blocks = set(re.findall(r"^```\{(\w+)\}", page.read_text(encoding="utf-8"), re.MULTILINE))
        assert blocks <= {"toctree"}, page


def test_each_page_that_a_file_names_is_there() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    texts = {name: ROOT / name for name in listed if Path(name).suffix in {".md", ".py", ".yml", ".toml", ""}}
    named = {
        (name, page)
        for name, path in texts.items()
        if path.is_file()
        for page in re.findall(r"(?<![\w./-])docs/[a-z0-9/-]+\.md", path.read_text(encoding="utf-8"))
    }
    assert {(name, page) for name, page in named if not (ROOT / page).exists()} == set()
