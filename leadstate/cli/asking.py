"""Asks before something is changed: only `yes` is taken for one, and without a terminal nobody can be asked."""

import sys
from collections.abc import Callable

import click


def agreed(question: str, *, refusal: str, deed: str, show: Callable[[], str] = lambda: "") -> bool:
    """Whether a person says yes.

    Args:
        question: what is asked.
        refusal: what is said where the answer is no: `Not applied`.
        deed: what `--auto-approve` does without asking: `apply`.
        show: what has to be seen before one can answer; made only where somebody is there to see it.
    """
    if not sys.stdin.isatty():
        click.echo(
            f"{refusal}: there is no terminal to ask on. Pass --auto-approve to {deed} without asking.", err=True
        )
        return False
    click.echo(show(), nl=False, err=True, color=True)
    answer = click.prompt(f"{question} Only 'yes' is taken for one", err=True, default="no", show_default=False)
    if str(answer).strip() == "yes":
        return True
    click.echo(f"{refusal}.", err=True)
    return False
