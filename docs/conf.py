"""The documentation as a site (`make docs`) and a man page (`make man`): Sphinx reads the Markdown of this folder."""

from leadstate import __version__

project = "leadstate"
author = "the leadstate authors"
project_copyright = author
release = version = __version__

extensions = ["myst_parser"]
nitpicky = True
suppress_warnings = ["misc.highlighting_failure"]  # broken YAML is broken on purpose in the diagnostics

myst_heading_anchors = 3

html_theme = "furo"
html_title = f"leadstate {__version__}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False

man_pages = [("reference/commands", "leadstate", "labels and leads of Pipedrive accounts, declared in YAML", author, 1)]
