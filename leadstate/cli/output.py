"""Where results go: stdout or a file, in colour or not, as wide as the terminal."""

import functools
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import click

from leadstate.report import IN_REPOSITORY, RENDERERS
from leadstate.report.document import Report
from leadstate.report.places import renamed

UNFOLDED = 10_000
"""Columns where nobody looks at a terminal: lines are not folded, so that a log can be searched."""


def wants_color(choice: str, *, err: bool = False) -> bool:
    """Whether to write ANSI styles (NO_COLOR is the convention of no-color.org)."""
    stream = sys.stderr if err else sys.stdout
    plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    return choice == "always" or (choice == "auto" and stream.isatty() and not plain)


def columns(*, err: bool = False) -> int:
    """Width to fold lines to."""
    stream = sys.stderr if err else sys.stdout
    return shutil.get_terminal_size().columns if stream.isatty() else UNFOLDED


def render(report: Report, form: str, color: str, *, err: bool = False) -> str:
    """A report in one form, for stdout or stderr."""
    return "".join(_render(report, form, color=wants_color(color, err=err), width=columns(err=err)))


def emit(report: Report, form: str, color: str, output: Path | None) -> None:
    """Write the report to stdout, or to a file that only its owner can read: it names people's leads."""
    if output is None:
        for piece in _render(report, form, color=wants_color(color), width=columns()):
            click.echo(piece, nl=False, color=True)
    else:
        write_private(output, _render(report, form, color=color == "always", width=UNFOLDED))


def _render(report: Report, form: str, *, color: bool, width: int) -> Iterable[str]:
    if form in IN_REPOSITORY:
        report = renamed(report, _in_repository())
    made = RENDERERS[form](report, color=color, width=width)
    return (made,) if isinstance(made, str) else made


def _in_repository() -> Callable[[str], str]:
    """What turns a path, as seen from this folder, into the path from the root of the repository around it.

    A checkout without `.git` is where GitHub's variable GITHUB_WORKSPACE says. Paths outside are absolute.
    """
    here = Path.cwd()
    workspace = Path(os.environ.get("GITHUB_WORKSPACE") or here)
    around = (one for one in (here, *here.parents) if (one / ".git").exists())
    root = next(around, workspace if here.is_relative_to(workspace) else here)

    @functools.cache
    def path(file: str) -> str:
        full = Path(os.path.normpath(here / file))
        return full.relative_to(root).as_posix() if full.is_relative_to(root) else full.as_posix()

    return path


def write_private(path: Path, text: Iterable[str]) -> None:
    """Write a file with mode 0600; a text may come in pieces."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    if hasattr(os, "fchmod"):  # a file that was there keeps its mode otherwise; Windows has no modes
        os.fchmod(descriptor, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.writelines((text,) if isinstance(text, str) else text)


PRIVATE = 0o600
"""Mode of a file that only its owner may read."""

PUBLIC = 0o644
"""Mode of a file that is committed."""


def write_beside(path: Path, content: bytes | Iterable[str], *, mode: int = PRIVATE) -> None:
    """Replace a file as a whole: a reader sees the old content or the new one, also if the disk is full.

    The new content is written to a temporary file in the same folder. Its name cannot be predicted, so nobody can put a
    link there that leads elsewhere; where `path` itself is a link, the link is replaced. A text may come in pieces.
    """
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    beside = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            whole = content.encode("utf-8") if isinstance(content, str) else content
            file.writelines((whole,) if isinstance(whole, bytes) else (piece.encode("utf-8") for piece in whole))
        beside.chmod(mode)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
