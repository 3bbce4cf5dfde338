"""Where results go: stdout or a file, in colour or not, as wide as the terminal. Diagnostics go to stderr."""

import functools
import json
import os
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from leadstate.api.files import PRIVATE, PUBLIC, replace_file
from leadstate.cli import VERBOSE
from leadstate.config.yaml.files import refuse_folder_link_outwards
from leadstate.kinds.base import to_json_number
from leadstate.model.diagnostics import ConfigurationError, Diagnostic, LeadstateError, counted, reason_of, some
from leadstate.model.escape import visible, visible_json
from leadstate.model.plan import AccountPlan
from leadstate.report import IN_REPOSITORY, render
from leadstate.report.build import Command, build, diagnostic_row
from leadstate.report.document import Report, with_renamed_files

if TYPE_CHECKING:
    from leadstate.api.session import Session

UNFOLDED = 10_000
"""Columns where nobody looks at a terminal: lines are not folded, so that a log can be searched."""


def wants_color(choice: str, *, err: bool = False) -> bool:
    """Return whether to write ANSI styles (NO_COLOR is the convention of no-color.org)."""
    stream = sys.stderr if err else sys.stdout
    plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    return choice == "always" or (choice == "auto" and stream.isatty() and not plain)


def columns(*, err: bool = False) -> int:
    """Return the width to fold lines to."""
    stream = sys.stderr if err else sys.stdout
    return shutil.get_terminal_size().columns if stream.isatty() else UNFOLDED


def color_and_width(color: str, output: Path | None) -> tuple[bool, int]:
    """Return whether to write ANSI styles, and the width to fold lines to; for a file no terminal matters."""
    return (wants_color(color), columns()) if output is None else (color == "always", UNFOLDED)


def text_for_stderr(report: Report, color: str) -> str:
    """Return a report as text for a person who reads stderr."""
    return "".join(_render(report, "text", color=wants_color(color, err=True), width=columns(err=True)))


def emit(report: Report, form: str, color: str, output: Path | None) -> None:
    """Write the report to stdout, or to a file that only its owner can read: it names people's leads."""
    colored, width = color_and_width(color, output)
    rendered = _render(report, form, color=colored, width=width)
    if output is None:
        for piece in rendered:
            click.echo(piece, nl=False, color=True)
        return
    try:
        write_private(output, rendered)
    except OutputError:
        emit(report, form, color, None)  # the disk may have filled since the run began: nothing is lost
        raise


def write(text: str, output: Path | None) -> None:
    """Write a result to stdout, or to a file that only its owner can read."""
    if output is None:
        click.echo(text, nl=False, color=True)
    else:
        write_private(output, text)


def to_json(value: object) -> str:
    """Return a value as JSON; a decimal number is a number."""

    def number(value: object) -> int | float:
        if not isinstance(value, Decimal):
            raise TypeError(f"{type(value).__name__} is not JSON")
        return to_json_number(value)

    return visible_json(json.dumps(value, indent=2, ensure_ascii=False, default=number)) + "\n"


def _render(report: Report, form: str, *, color: bool, width: int) -> Iterable[str]:
    if form in IN_REPOSITORY:
        report = with_renamed_files(report, _in_repository())
    return render(report, form, color=color, width=width, verbose=_is_verbose())


def _is_verbose() -> bool:
    context = click.get_current_context(silent=True)
    return bool(context and context.meta.get(VERBOSE))


def _in_repository() -> Callable[[str], str]:
    """Return a function that turns a path relative to this folder into one relative to the root of its repository.

    A checkout without `.git` is where GitHub's variable GITHUB_WORKSPACE says. Paths outside are absolute.
    """
    here = Path.cwd()
    workspace = Path(os.environ.get("GITHUB_WORKSPACE") or here)
    around = (parent for parent in (here, *here.parents) if (parent / ".git").exists())
    root = next(around, workspace if here.is_relative_to(workspace) else here)

    @functools.cache
    def path(file: str) -> str:
        full = Path(os.path.normpath(here / file))
        return full.relative_to(root).as_posix() if full.is_relative_to(root) else full.as_posix()

    return path


def configuration_report(command: Command, failure: ConfigurationError) -> Report:
    """Return the document of a run that ended at its configuration."""
    return build(command, [], diagnostics=failure.diagnostics)


def table(rows: Sequence[Sequence[str]], headings: Sequence[str], *, color: str, output: Path | None) -> str:
    """Return a table for stdout, or for a file. A column for which the terminal has no room is left out, and named.

    Args:
        rows: the cells, in the order of the headings.
        headings: the more important ones first; the last one is always shown, and in one piece.
        color: whether to colour.
        output: the file, where it is for one.
    """
    from leadstate.report.formats import console  # noqa: PLC0415  only for a table

    colored, width = color_and_width(color, output)
    least_first = headings[-2:0:-1]
    text, left_out = console.table(
        headings, rows, color=colored, width=width, dispensable=least_first, whole=headings[-1:]
    )
    say_left_out(left_out[::-1])
    return text


def say_left_out(columns: Sequence[str]) -> None:
    """Write to stderr for which columns of a table the terminal is too narrow, if any."""
    if columns:
        click.echo(f"Too narrow for {some(columns)}: `--format json` or `-o FILE` writes all columns.", err=True)


class OutputError(LeadstateError):
    """A file that the user named for the result cannot be written."""

    code = "output"


_DEVICE_FOLDERS = (Path("/dev"), Path("/dev/fd"), Path("/proc/self/fd"))
"""Folders in which the system itself keeps links: /dev/stdout, and what a shell makes of `-o >(command)`."""


def check_writable(path: Path) -> None:
    """Raise OutputError if a file for the result cannot be written; leave no trace."""
    if path.exists() and not path.is_file():  # a pipe or a device: opening it may wait, or mean something
        return
    there = os.path.lexists(path)
    os.close(_open(path, 0))
    if not there:
        path.unlink()


def write_private(path: Path, text: str | Iterable[str]) -> None:
    """Write a file with mode 0600; a text may come in pieces.

    Raises:
        OutputError: it cannot be written, or is a link.
    """
    descriptor = _open(path, os.O_TRUNC)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            if hasattr(os, "fchmod") and path.is_file():  # a file that was there keeps its mode otherwise
                os.fchmod(descriptor, PRIVATE)
            file.writelines((text,) if isinstance(text, str) else text)
    except OSError as failure:
        raise _unwritable(path, failure) from None


def replace_public(path: Path, text: str) -> None:
    """Replace a file that other programs read, as a whole: a reader sees the old text or the new one.

    Raises:
        OutputError: it cannot be written, or is a link.
    """
    refuse_folder_link_outwards(path, OutputError)
    if path.is_symlink() and path.parent not in _DEVICE_FOLDERS:
        raise _unwritable(path, OSError())
    try:
        if path.exists() and not path.is_file():  # a pipe or a device
            path.write_text(text, encoding="utf-8")
        else:
            replace_file(path, (text,), mode=PUBLIC)
    except OSError as failure:
        raise _unwritable(path, failure) from None


def _open(path: Path, flags: int) -> int:
    """Open a file for the result. No link is followed: it could lead personal data to another place."""
    refuse_folder_link_outwards(path, OutputError)
    follow = 0 if path.parent in _DEVICE_FOLDERS else getattr(os, "O_NOFOLLOW", 0)
    try:
        return os.open(path, os.O_WRONLY | os.O_CREAT | follow | flags, PRIVATE)
    except OSError as failure:
        raise _unwritable(path, failure) from None


def _unwritable(path: Path, failure: OSError) -> OutputError:
    if path.is_symlink():
        return OutputError(f"{path} is a link to {path.readlink()}", hint="name the file itself, or remove the link")
    return OutputError(f"{path} cannot be written: {reason_of(failure)}", hint="name a file that can be written")


def say(diagnostics: Iterable[Diagnostic]) -> None:
    """Write diagnostics to stderr, each with its place and its fix; equal ones once, with every account."""
    rows = [*map(diagnostic_row, diagnostics)]
    if not rows:
        return
    from leadstate.report.formats.grouping import group_diagnostics  # noqa: PLC0415  loads rich, seldom needed
    from leadstate.report.formats.text import diagnostic_text  # noqa: PLC0415  as above

    for group in group_diagnostics(rows, apart=_is_verbose()):
        click.echo(diagnostic_text(group, most=len(rows)).plain, err=True)


def say_stats(opened: "Session", plans: Iterable[AccountPlan]) -> None:
    """Write to stderr how each account was read, its requests so far, and those of several accounts in all."""
    readings = {plan.account: plan.reading for plan in plans}
    whole, tokens = Counter[str](), 0
    for job in opened.work:
        name, spent = job.account.name, job.connection.spent
        reading = readings.get(name)
        click.echo(visible(f"{name}  live leads: {reading or 'not read'}"), err=True)
        click.echo(visible(f"{name}  {_requests(spent.by_operation, spent.tokens)}"), err=True)
        whole += spent.by_operation
        tokens += spent.tokens
    if len(opened.work) > 1:
        click.echo(f"{counted(len(opened.work), 'account')}  {_requests(whole, tokens)}", err=True)


def _requests(by_operation: Mapping[str, int], tokens: int) -> str:
    total = counted(sum(by_operation.values()), "request")
    each = ", ".join(f"{name} {number:,}" for name, number in sorted(by_operation.items()))
    return f"{total}, {counted(tokens, 'token')}" + (f": {each}" if each else "")
