"""The documentation as a site (`make docs`) and a man page (`make man`): Sphinx reads the Markdown of this folder."""

from pathlib import Path
from typing import Any

from leadstate import __version__

project = "leadstate"
author = "the leadstate authors"
project_copyright = author
release = version = __version__

extensions = ["myst_parser"]
nitpicky = True
suppress_warnings = ["misc.highlighting_failure"]  # broken YAML is broken on purpose in the diagnostics

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"leadstate {__version__}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_search_scorer = str(Path(__file__).with_name("scorer.js"))

man_pages = [("reference/commands", "leadstate", "labels and leads of Pipedrive accounts, declared in YAML", author, 1)]

FROM_THE_ROOT = {"changelog": "CHANGELOG.md", "contributing": "CONTRIBUTING.md"}
"""Pages that stand at the root of the repository, where people look for them, and on the site too."""


def _from_the_root(app: Any, page: str, source: list[str]) -> None:
    if page in FROM_THE_ROOT:
        source[0] = (Path(app.srcdir).parent / FROM_THE_ROOT[page]).read_text(encoding="utf-8").replace("](docs/", "](")


def setup(app: Any) -> None:
    """Show the pages of the root on the site."""
    app.connect("source-read", _from_the_root)
