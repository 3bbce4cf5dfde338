"""The public document of a run, and the views made from it. Renderers read the document and nothing else."""

from collections.abc import Iterator
from typing import Protocol

from leadstate.report.document import Report
from leadstate.report.formats.github import to_github
from leadstate.report.formats.html import to_html
from leadstate.report.formats.json import to_json
from leadstate.report.formats.junit import to_junit
from leadstate.report.formats.markdown import to_markdown
from leadstate.report.formats.sarif import to_sarif
from leadstate.report.formats.terraform import to_terraform_json
from leadstate.report.formats.text import to_text


class Renderer(Protocol):
    """Makes one form of a report: in colour or not, for so many columns, equal things once or each by itself."""

    def __call__(self, report: Report, *, color: bool, width: int, verbose: bool) -> str | Iterator[str]:
        """The report in this form, whole or in pieces."""


RENDERERS: dict[str, Renderer] = {
    "text": to_text,
    "json": to_json,
    "markdown": to_markdown,
    "html": to_html,
    "github": to_github,
    "sarif": to_sarif,
    "junit": to_junit,
    "terraform-json": to_terraform_json,
}
"""Format name → renderer."""

IN_REPOSITORY = frozenset({"markdown", "github", "sarif", "junit"})
"""Formats that are read beside a repository: there a file is named by its path in it."""
