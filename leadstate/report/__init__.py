"""The public document of a run, and the views made from it. Renderers read the document and nothing else."""

from collections.abc import Callable, Iterable
from importlib import import_module

from leadstate.report.document import Report

FORMATS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "text": ("text", "to_text", ("color", "width", "verbose")),
    "json": ("json", "to_json", ()),
    "markdown": ("markdown", "to_markdown", ("verbose",)),
    "html": ("html", "to_html", ("verbose",)),
    "github": ("github", "to_github", ("verbose",)),
    "sarif": ("sarif", "to_sarif", ()),
    "junit": ("junit", "to_junit", ()),
    "terraform-json": ("terraform", "to_terraform_json", ()),
}
"""Format → the module in `formats`, its function, and the options that this takes."""

IN_REPOSITORY = frozenset({"markdown", "github", "sarif", "junit"})
"""Formats that are read beside a repository: there a file is named by its path in it."""


def render(report: Report, form: str, *, color: bool, width: int, verbose: bool) -> Iterable[str]:
    """Return a report in one format, in pieces. Its module is imported now: a run needs one format of eight.

    Args:
        report: the document.
        form: one of `FORMATS`.
        color: whether ANSI styles are written.
        width: columns that lines are folded to.
        verbose: whether each account, change and diagnostic is shown by itself.
    """
    module, function, takes = FORMATS[form]
    options = {"color": color, "width": width, "verbose": verbose}
    to_format: Callable[..., str | Iterable[str]] = getattr(
        import_module(f"leadstate.report.formats.{module}"), function
    )
    made = to_format(report, **{name: options[name] for name in takes})
    return (made,) if isinstance(made, str) else made
