"""`--stats`: how each account was read and why, and its requests by operation; on stderr."""

from collections import Counter
from collections.abc import Iterable, Mapping

import click

from leadstate.api.session import Session
from leadstate.model.diagnostics import counted
from leadstate.model.escape import visible
from leadstate.model.plan import AccountPlan


def say_stats(opened: Session, plans: Iterable[AccountPlan]) -> None:
    """A line of each account's reading, one of its requests so far, and one of all where they are several."""
    readings = {plan.account: plan.reading for plan in plans}
    whole, tokens = Counter[str](), 0
    for job in opened.work:
        name, spent = job.account.name, job.connection.spent
        reading = readings.get(name)
        click.echo(visible(f"{name}  live leads: {reading.words if reading else 'not read'}"), err=True)
        click.echo(visible(f"{name}  {_requests(spent.by_operation, spent.tokens)}"), err=True)
        whole += spent.by_operation
        tokens += spent.tokens
    if len(opened.work) > 1:
        click.echo(f"{counted(len(opened.work), 'account')}  {_requests(whole, tokens)}", err=True)


def _requests(by_operation: Mapping[str, int], tokens: int) -> str:
    total = counted(sum(by_operation.values()), "request")
    each = ", ".join(f"{name} {number:,}" for name, number in sorted(by_operation.items()))
    return f"{total}, {counted(tokens, 'token')}" + (f": {each}" if each else "")
