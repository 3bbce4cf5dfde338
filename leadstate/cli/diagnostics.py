"""Findings for people, on stderr: for commands whose result is no report."""

from collections.abc import Iterable

import click

from leadstate.model.diagnostics import Diagnostic
from leadstate.model.escape import visible


def say(findings: Iterable[Diagnostic]) -> None:
    """Say each one, with its place and its cure."""
    for one in findings:
        about = one.address or one.account
        lines = [f"{one.severity}[{one.code}] {f'{about}: ' if about else ''}{one.summary}"]
        lines += [f"  --> {one.span}"] if one.span else []
        lines += [f"  {line}" for block in (one.excerpt, one.detail) for line in block.splitlines()]
        lines += [f"  = {one.hint}"] if one.hint else []
        click.echo("\n".join(map(visible, lines)), err=True)
