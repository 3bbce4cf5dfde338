"""Asks before something is changed: only `yes` will be accepted, and without a terminal nobody can be asked."""

import select
import sys
from collections.abc import Callable

import click

from leadstate.cli.interrupts import NOTHING_CHANGED, Interrupted, on_signals, raise_interrupt, signal_socket


def can_ask() -> bool:
    """Return whether somebody is there who could answer."""
    return sys.stdin is not None and sys.stdin.isatty()


def agreed(question: str, *, deed: str, show: Callable[[], str] = lambda: "") -> bool:
    """Return whether a person says yes; say so on stderr where the answer is no.

    Args:
        question: what is asked.
        deed: what is done after a yes, and by `--auto-approve` without asking: `apply`.
        show: what has to be seen before one can answer; made only where somebody is there to see it.

    Raises:
        Interrupted: a signal came instead of an answer.
    """
    if not can_ask():
        click.echo(
            f"Nothing was changed: there is no terminal to ask on. Pass --auto-approve to {deed} without asking.",
            err=True,
        )
        return False
    if ask(f"{question} Only 'yes' will be accepted: ", show).strip() == "yes":
        return True
    say_cancelled(deed)
    return False


def ask(question: str, show: Callable[[], str] = lambda: "") -> str:
    """Return the line that a person answers; empty, without its end of line, where the input has ended.

    Args:
        question: what is asked.
        show: what has to be seen before one can answer.

    Raises:
        Interrupted: a signal came instead of an answer.
    """
    # Reading holds up the event loop, so a signal raises here.
    with on_signals(raise_interrupt) as interrupted:
        if interrupted:
            raise Interrupted(NOTHING_CHANGED)
        try:
            click.echo(show(), nl=False, err=True, color=True)
            click.echo(question, nl=False, err=True)
            return _read_line()
        except KeyboardInterrupt:
            click.echo(err=True)
            raise Interrupted(NOTHING_CHANGED) from None


def say_cancelled(deed: str) -> None:
    """Write to stderr that nobody agreed to anything."""
    click.echo(f"{deed.capitalize()} cancelled. {NOTHING_CHANGED.partition('. ')[2]}", err=True)


def _read_line() -> str:
    """Read what is typed. `click.prompt` would write to stdout, which holds the report alone."""
    with signal_socket() as bell:
        if bell is not None:
            select.select([sys.stdin, bell], [], [])
        return sys.stdin.readline()
