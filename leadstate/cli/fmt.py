"""`leadstate fmt`: the configuration's files in canonical layout. Asks no account, and nobody."""

from collections.abc import Iterable
from pathlib import Path

import click

from leadstate.cli import options
from leadstate.cli.declared import DEFAULT
from leadstate.cli.exits import Exit
from leadstate.cli.findings import say
from leadstate.cli.main import COMMANDS
from leadstate.cli.patching import Changed, show, targets_of, write
from leadstate.config.layout.canonical import laid_out
from leadstate.config.text.files import read_sources
from leadstate.config.text.findings import Findings
from leadstate.config.text.source import Source
from leadstate.core.diagnostics import Diagnostic, Severity
from leadstate.core.errors import ConfigurationError
from leadstate.core.escape import visible


@click.command(short_help=COMMANDS["fmt"])
@options.files
@options.option("--check", is_flag=True, help="Write nothing; exit 3 where a file would change.")
@options.option("--diff", is_flag=True, help="Show what changes as a patch, instead of the files' names.")
@options.looks
def fmt(*, paths: tuple[Path, ...], check: bool, diff: bool, color: str) -> int:
    """Lay out the configuration's files: indentation, spaces, quotes, blank lines, the order of keys.

    What the files say stays, and so do comments, anchors, and the order of labels and leads. Names the files that
    change on stdout. A file that is no YAML is reported and left as it is; the others are laid out.

    \b
    Examples:  leadstate fmt
               leadstate fmt --check --diff
               leadstate fmt -c accounts.yaml -c labels.yaml
    """
    paths = paths or (DEFAULT,)
    findings = Findings()
    sources = read_sources(paths, findings)
    changed, errors = _laid_out(sources)
    if diff:
        show(changed, color)
    if not check:
        write(targets_of(changed, paths), changed)
    for source, _ in () if diff else changed:
        click.echo(visible(source.name))
    errors = [*findings.sorted(Severity.ERROR), *errors]
    say(errors)
    if errors:
        return Exit.ERROR
    return Exit.REFUSED if check and changed else Exit.FINE


def _laid_out(sources: Iterable[Source]) -> tuple[list[Changed], list[Diagnostic]]:
    """The files that change, and what is wrong with those that cannot be laid out."""
    changed: list[Changed] = []
    errors: list[Diagnostic] = []
    for source in sources:
        try:
            text = laid_out(source)
        except ConfigurationError as failure:
            errors += failure.diagnostics
        else:
            changed += [(source, text)] if text != source.text else []
    return changed, errors
