"""`leadstate usage`: how many leads carry each label, and which saved filters name it."""

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import click

from leadstate.cli import options
from leadstate.cli.consent import can_ask, confirm
from leadstate.cli.exits import Exit
from leadstate.cli.interrupts import wait_for
from leadstate.cli.main import COMMANDS
from leadstate.cli.options import load_configuration
from leadstate.cli.output import color_and_width, say, say_left_out, write
from leadstate.cli.session import exit_of, progress, session
from leadstate.config import Configuration
from leadstate.engine.jobs import AccountJob, each
from leadstate.engine.read.usage import UNASKED, Census, Forecast, UsageScope
from leadstate.model.diagnostics import NAMED, Diagnostic, Severity, counted, worst
from leadstate.model.escape import visible
from leadstate.model.usage import LabelUsage
from leadstate.reconcile.guards import MAX_TOKENS
from leadstate.report.formats.usage import to_csv, to_html, to_json, to_table


@click.command(short_help=COMMANDS["usage"])
@options.configuration
@options.option("--archived", is_flag=True, help="Count archived leads too (40 tokens a page of 500).")
@options.option("--filters", is_flag=True, help="Name the saved filters that use a label (20 tokens, and 2 a filter).")
@options.option("--unused", is_flag=True, help="Only labels that nothing uses, of what was read.")
@options.option("--auto-approve", is_flag=True, help="Do not ask, however much is to be read.")
@options.option(
    "--max-tokens",
    type=click.IntRange(min=0),
    metavar="N",
    help="Refuse to read an account that takes more rate-limit tokens; the first 100 are spent to find out.",
)
@options.output("table", "json", "csv", "html")
@options.progress
def usage(
    *,
    paths: tuple[Path, ...],
    accounts: tuple[str, ...],
    archived: bool,
    filters: bool,
    unused: bool,
    auto_approve: bool,
    max_tokens: int | None,
    form: str,
    color: str,
    output: Path | None,
) -> int:
    """Count the leads that carry each label (10 tokens an account, and 20 a page of 500 open leads).

    Says of each label whether it is declared, when the oldest and the newest lead that carries it were made, and when
    one of its leads was last changed. Where an account takes more than 100 rate-limit tokens, what it takes is said
    before it is read, and on a terminal asked about; where nobody knows how many leads there are, that is found out
    first.

    \b
    Examples:  leadstate usage
               leadstate usage -a emea --archived --filters
               leadstate usage --archived --filters --unused --max-tokens 2000
               leadstate usage --format csv -o usage.csv
    """
    wanted = UsageScope(archived=archived, filters=filters)
    found = wait_for(_count(load_configuration(paths, accounts), wanted, auto_approve=auto_approve, limit=max_tokens))
    if found is None:
        return Exit.REFUSED
    rows, failures = found
    if unused:
        rows = [row for row in rows if row.unused]
        unread = [] if archived else ["archived leads (`--archived`)"]
        unread += [] if filters else ["saved filters (`--filters`)"]
        if not rows and not failures:
            click.echo("Every label is used.", err=True)
        elif rows and unread:
            click.echo(f"Not read: {' and '.join(unread)}.", err=True)
    if form == "table":
        colored, width = color_and_width(color, output)
        text, left_out = to_table(rows, color=colored, width=width)
        say_left_out(left_out)
    else:
        text = {"json": to_json, "csv": to_csv, "html": to_html}[form](rows)
    write(text, output)
    say(failures)
    return exit_of(worst(failures))


async def _count(
    configuration: Configuration, wanted: UsageScope, *, auto_approve: bool, limit: int | None
) -> tuple[list[LabelUsage], list[Diagnostic]] | None:
    """Count every account that takes no more rate-limit tokens than the limit; None where a person said no."""
    limit = sys.maxsize if limit is None else limit
    async with session(configuration) as opened:
        failures = {diagnostic.account or "": diagnostic for diagnostic in opened.failures}
        censuses = {job.account.name: Census(job, wanted) for job in opened.work}
        allowed = dict.fromkeys(censuses, min(UNASKED, limit))

        def left() -> list[AccountJob]:
            """Return the accounts of which more is to be read."""
            names = {name for name, census in censuses.items() if not census.done} - failures.keys()
            return [job for job in opened.work if job.account.name in names]

        def fail(job: AccountJob, diagnostic: Diagnostic) -> None:
            failures[job.account.name] = diagnostic

        async def read_on(step: Callable[[Census], Awaitable[None]]) -> None:
            work = left()
            with progress(work) as shown:
                await each(work, lambda job: step(censuses[job.account.name]), fail, shown.account)

        async def advance(census: Census) -> None:
            await census.advance(allowed[census.job.account.name])

        await read_on(Census.begin)
        await read_on(advance)
        while work := left():
            forecasts = {job.account.name: censuses[job.account.name].forecast for job in work}
            _say_cost(forecasts)
            failures |= {
                name: _beyond(name, forecast, limit, wanted)
                for name, forecast in forecasts.items()
                if forecast.least > limit
            }
            needed = {name: min(forecast.needed, limit) for name, forecast in forecasts.items() if name not in failures}
            beyond = {name: tokens for name, tokens in needed.items() if tokens > allowed[name]}
            if beyond and not auto_approve and can_ask() and not confirm("Read that?", deed="read"):
                return None
            allowed |= beyond
            await read_on(advance)
        rows = [row for name in sorted(censuses.keys() - failures.keys()) for row in censuses[name].usage()]
        return rows, [failures[name] for name in sorted(failures)]


def _beyond(account: str, forecast: Forecast, limit: int, wanted: UsageScope) -> Diagnostic:
    """Return the refusal of an account that takes more than the limit."""
    given = [f"`--{name}`" for name in ("archived", "filters") if getattr(wanted, name)]
    least = "at least " if forecast.unknown else ""
    return Diagnostic(
        MAX_TOKENS,
        Severity.GUARD,
        f"to count its leads takes {least}{counted(forecast.least, 'rate-limit token')}; {limit:,} may be spent",
        hint=", or leave out ".join(["raise `--max-tokens`", *([" or ".join(given)] if given else [])]),
        account=account,
    )


def _say_cost(forecasts: dict[str, Forecast]) -> None:
    """Say on stderr what is to be spent, account by account and in all."""
    for name, forecast in list(forecasts.items())[:NAMED]:
        click.echo(visible(f"{name}: {_words(forecast)}"), err=True)
    if len(forecasts) > 1:
        more = f"{len(forecasts):,} accounts: " if len(forecasts) <= NAMED else f"{len(forecasts):,} accounts in all: "
        needed, spent = (sum(getattr(f, name) for f in forecasts.values()) for name in ("needed", "spent"))
        click.echo(f"{more}{needed:,} rate-limit tokens, of which {spent:,} are spent.", err=True)


def _words(forecast: Forecast) -> str:
    if forecast.unknown:
        lists = " and ".join(forecast.unknown)
        return (
            f"how many {lists} there are is not known; finding out takes up to {forecast.needed:,} rate-limit tokens "
            f"({forecast.spent:,} are spent), mostly for pages that have to be read anyway."
        )
    *first, last = forecast.left or ("nothing",)
    left = f"{', '.join(first)} and {last}" if first else last
    return f"{forecast.needed:,} rate-limit tokens ({forecast.spent:,} are spent) with {left} to read."
