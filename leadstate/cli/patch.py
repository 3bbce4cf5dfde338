"""Shows what becomes of the files as a patch, asks, and puts the new texts in their place, each as a whole.

The ids of leads that the new texts adopt go into the lock file first. Refuses files that changed meanwhile, devices and
pipes, and a link in a folder that leads elsewhere.
"""

import difflib
import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import click

from leadstate.api.configuration import lock_file
from leadstate.api.files import PUBLIC, replace_file
from leadstate.api.lockfile import add_ids
from leadstate.cli.consent import confirm
from leadstate.cli.exits import Exit
from leadstate.cli.options import combine, option, runtime
from leadstate.cli.output import wants_color
from leadstate.config.yaml.diagnostics import LINE, Source
from leadstate.config.yaml.files import is_meant, is_stream
from leadstate.edit.items import Files
from leadstate.edit.writer import Edit
from leadstate.model.address import Ref
from leadstate.model.diagnostics import ConfigurationError, LeadstateError
from leadstate.model.escape import visible

_BOM = b"\xef\xbb\xbf"
_WRITABLE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH
_STYLES = {"+": "green", "-": "red", "@": "cyan"}

patch_options = combine(
    option("--check", is_flag=True, help="Only show the patch; exit 3 if there is one."),
    option("--auto-approve", is_flag=True, help="Do not ask."),
)

Changed: TypeAlias = tuple[Source, str]
"""A file, and its new text."""


class FileError(LeadstateError):
    """A file that cannot be replaced."""

    code = "file"


def read_files(paths: Sequence[Path]) -> Files:
    """Return the files as they are written; raise FileError where one is a pipe, into which nothing can be written."""
    for path in paths:
        if is_stream(path):
            raise FileError(f"{path} is a pipe, and not a file that can be edited", hint="name the file itself with -c")
    return Files.read(paths)


def file_for(key: str, files: Files, into: Path | None) -> str:
    """Return the file that the user names, else the last that has the list already, else the only one."""
    known = [file.source.name for file in files.files]
    if into is not None:
        for name in known:
            if Path(name).resolve() == into.resolve():
                return name
        raise click.BadParameter(
            f"is not a file of this configuration, which is {', '.join(known)}", param_hint="--into"
        )
    last = files.last_with(key)
    if last is not None:
        return last.source.name
    if len(known) > 1:
        raise click.UsageError(f"No file has `{key}` yet: name one with --into, of {', '.join(known)}.")
    return known[0]


def can_be_made(into: Path, paths: Sequence[Path]) -> bool:
    """Return whether a file does not exist yet, and would be part of the configuration in a folder that is read."""
    return not into.exists() and is_meant(into.name) and any(into.parent.resolve() == path.resolve() for path in paths)


def new_texts(files: Files, edits: Mapping[str, Sequence[Edit]]) -> list[Changed]:
    """Return each file that changes with its new text; raise ConfigurationError if the result would be invalid."""
    try:
        return files.edit(edits)
    except ConfigurationError:
        click.echo("The files would not be a valid configuration any more, so nothing was written:", err=True)
        raise


def patch(
    changed: Sequence[Changed],
    named: Sequence[Path],
    *,
    check: bool,
    auto_approve: bool,
    color: str,
    adopted: Mapping[str, Mapping[Ref, str]] | None = None,
    renamed: Mapping[str, Mapping[Ref, str]] | None = None,
) -> Exit:
    """Show the new texts as a patch; unless it is a check, ask and put them in their place, each as a whole.

    Args:
        changed: each file and its new text.
        named: the paths that the user gave.
        check: whether only to show the patch.
        auto_approve: whether nobody is asked.
        color: whether to colour the patch.
        adopted: account → reference → id of the leads that the new texts adopt, for the lock file.
        renamed: account → reference → id of what has this address in the new texts, and another one in the lock file.

    Raises:
        FileError: a file must not be replaced, or was changed meanwhile.
    """
    show(changed, color)
    if not changed:
        return Exit.FINE
    if check:
        return Exit.REFUSED
    targets = [_target(source, named) for source, _ in changed]
    for replaced in (*targets, *([lock_file(named)] if adopted or renamed else [])):
        _check_folder(replaced)
    if not auto_approve and not confirm("Write this?", deed="write"):
        return Exit.REFUSED
    for target, (source, _) in zip(targets, changed, strict=True):
        _read_unchanged(target, source)
    if adopted:  # first: an id too many does no harm, a lead that is declared without its id is adopted a second time
        add_ids(lock_file(named), adopted, runtime().state)
    for target, (source, text) in zip(targets, changed, strict=True):
        _replace(target, source, text)
    if renamed:  # last: what is not known under its new name is found by it, but nothing is found by an old one
        add_ids(lock_file(named), renamed, runtime().state)
    return Exit.FINE


def show(changed: Sequence[Changed], color: str) -> None:
    """Show the new texts as a patch, on stdout."""
    colored = wants_color(color)
    for source, text in changed:
        before, after = LINE.findall(source.text), LINE.findall(text)
        for line in difflib.unified_diff(before, after, source.name, source.name):
            body = line.rstrip("\r\n")
            end = line[len(body) :] or "\n\\ No newline at end of file\n"
            shown = "\t".join(map(visible, body.split("\t"))) + end
            style = _STYLES.get(line[:1]) if colored else None
            click.echo(click.style(shown, fg=style) if style else shown, nl=False, color=True)


def _target(source: Source, named: Sequence[Path]) -> Path:
    """Return the file itself, where the path is a link to it."""
    path = Path(source.name)
    real = Path(os.path.realpath(path))
    if real != path.absolute() and path.is_symlink() and path not in named:
        raise FileError(f"{path} is a link to {real}", hint=f"name that file with -c {path}, or edit it by hand")
    if real.exists() and not real.is_file():
        raise FileError(f"{path} is not a regular file", hint="edit the configuration by hand")
    if real.exists() and not stat.S_IMODE(real.stat().st_mode) & _WRITABLE:
        raise FileError(f"{path} is read-only", hint=f"make it writable (`chmod u+w {path}`) and run the command again")
    return real


def _check_folder(path: Path) -> None:
    """Raise FileError unless a file beside this one could be created, which then takes its place."""
    folder = path.absolute().parent
    if not os.access(folder, os.W_OK | os.X_OK):
        hint = f"make its folder writable (`chmod u+w {folder}`) and run the command again"
        raise FileError(f"{path} cannot be replaced: its folder is read-only", hint=hint)


def _read_unchanged(target: Path, source: Source) -> bytes:
    raw = target.read_bytes() if target.exists() else b""
    if raw.decode("utf-8-sig", "replace") != source.text:
        raise FileError(f"{source.name} was changed meanwhile", hint="run the command again")
    return raw


def _replace(target: Path, source: Source, text: str) -> None:
    """Replace the file as a whole; it keeps its mode and its byte order mark."""
    raw = _read_unchanged(target, source)
    mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else PUBLIC
    replace_file(target, (_BOM if raw.startswith(_BOM) else b"") + text.encode("utf-8"), mode=mode)
