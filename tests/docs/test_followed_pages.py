"""The tutorial and the how-to guides do what they say: every command is typed, and prints what the page shows.

pytest tests/docs/test_followed_pages.py --update-golden     writes what is printed into the pages; read the diff
"""

import shutil
from pathlib import Path

import pytest

from tests.harness.followed_pages import Reader, comparable, fits, rewritten

ROOT = Path(__file__).parents[2]
FOLDERS = ("tutorial", "how-to", "explanation")
PAGES = [
    page
    for folder in FOLDERS
    for page in sorted((ROOT / "docs" / folder).glob("*.md"))
    if "```console\n" in page.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_does_what_it_says(page: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    text = page.read_text(encoding="utf-8")
    for program in ("bash", "curl", "git"):
        if f"$ {program} " in text and shutil.which(program) is None:
            pytest.skip(f"no {program} here")
    folder, home = tmp_path / "work", tmp_path / "home"
    folder.mkdir()
    if "cd examples/" in text:
        shutil.copytree(ROOT / "examples", folder / "examples")
    home.mkdir()
    with Reader(folder, home) as reader:
        typed = list(reader.follow(text))
    if request.config.getoption("--update-golden"):
        printed = iter([output for _, output in typed])
        page.write_text(rewritten(text, lambda _: next(printed)), encoding="utf-8")
        return
    for command, output in typed:
        assert fits(command.shown, output), f"$ {command.command}\n{comparable(output)}"
