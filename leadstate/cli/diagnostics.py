"""Diagnostics for people, on stderr: for commands whose result is no report."""

from collections.abc import Iterable

import click

from leadstate.model.diagnostics import Diagnostic
from leadstate.model.escape import visible


def say(diagnostics: Iterable[Diagnostic]) -> None:
    """Write each one to stderr, with its place and its fix."""
    for diagnostic in diagnostics:
        about = diagnostic.address or diagnostic.account
        lines = [f"{diagnostic.severity}[{diagnostic.code}] {f'{about}: ' if about else ''}{diagnostic.summary}"]
        lines += [f"  --> {diagnostic.span}"] if diagnostic.span else []
        lines += [f"  {line}" for block in (diagnostic.excerpt, diagnostic.detail) for line in block.splitlines()]
        lines += [f"  = {diagnostic.hint}"] if diagnostic.hint else []
        click.echo("\n".join(map(visible, lines)), err=True)
