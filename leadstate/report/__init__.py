"""The public document of a run, and the views made from it. Renderers read the document and nothing else."""

from typing import Protocol

from leadstate.report.document import Report
from leadstate.report.json import to_json
from leadstate.report.terminal import to_text


class Renderer(Protocol):
    """Makes one form of a report, in colour or not, for so many columns."""

    def __call__(self, report: Report, *, color: bool, width: int) -> str:
        """The report in this form."""


RENDERERS: dict[str, Renderer] = {"text": to_text, "json": to_json}
"""Format name → renderer."""
