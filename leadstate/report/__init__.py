"""The public document of a run, and the views made from it. Renderers read the document and nothing else."""

from collections.abc import Callable, Iterator
from importlib import import_module

from leadstate.report.document import Report

Renderer = Callable[..., str | Iterator[str]]
"""Returns a report in one form, whole or in pieces; takes the options `color`, `width` and `verbose`."""


def _renderer(module: str, function: str, *takes: str) -> Renderer:
    """Return a renderer whose module is imported when it is called: a run needs one format of eight.

    Args:
        module: the module in `formats`.
        function: its function, of a report.
        takes: the options that make a difference to it.
    """

    def render(report: Report, **options: int) -> str | Iterator[str]:
        renderer: Renderer = getattr(import_module(f"leadstate.report.formats.{module}"), function)
        return renderer(report, **{name: options[name] for name in takes})

    return render


RENDERERS: dict[str, Renderer] = {
    "text": _renderer("text", "to_text", "color", "width", "verbose"),
    "json": _renderer("json", "to_json"),
    "markdown": _renderer("markdown", "to_markdown", "verbose"),
    "html": _renderer("html", "to_html", "verbose"),
    "github": _renderer("github", "to_github", "verbose"),
    "sarif": _renderer("sarif", "to_sarif"),
    "junit": _renderer("junit", "to_junit"),
    "terraform-json": _renderer("terraform", "to_terraform_json"),
}
"""Format name → renderer."""

IN_REPOSITORY = frozenset({"markdown", "github", "sarif", "junit"})
"""Formats that are read beside a repository: there a file is named by its path in it."""
