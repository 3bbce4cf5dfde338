"""`leadstate explain`: everything that is known of one object. Its clients have no way to write."""

from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path

import click

from leadstate import __version__
from leadstate.api.configuration import DEFAULT
from leadstate.api.session import Session
from leadstate.cli import options
from leadstate.cli.completion import complete_addresses
from leadstate.cli.event_loop import wait_for
from leadstate.cli.exits import Exit
from leadstate.cli.main import COMMANDS
from leadstate.cli.output import columns, say, wants_color, write_private
from leadstate.cli.progress import progress
from leadstate.cli.session import Choices, session
from leadstate.config import Configuration
from leadstate.edit.items import Files, provenance
from leadstate.engine.explain import Found, explain_all
from leadstate.engine.run import Settings
from leadstate.kinds import KINDS
from leadstate.model.address import Address, Target
from leadstate.model.diagnostics import Diagnostic, error
from leadstate.model.errors import ConfigurationError
from leadstate.model.escape import visible
from leadstate.report.build import explanation
from leadstate.report.document import Requests
from leadstate.report.formats.explanation import Explanation, Explanations, dump, explanation_text

_NEAR = 3
"""How many addresses a message suggests."""


@click.command(short_help=COMMANDS["explain"])
@click.argument("address", metavar="ADDRESS", shell_complete=complete_addresses)
@options.configuration
@options.progress
@options.output("text", "json")
def explain(
    *, address: str, paths: tuple[Path, ...], accounts: tuple[str, ...], form: str, color: str, output: Path | None
) -> int:
    """Explain one label or lead: where it is declared, what is live, what a plan does and why.

    Reads what `plan --target ADDRESS` reads. An unmanaged object is explained too.

    \b
    Examples:  leadstate explain label:Hot
               leadstate explain emea/lead:acme-renewal
    """
    try:
        target = Target.parse(address, tuple(KINDS))
    except ValueError as failure:
        raise click.BadParameter(str(failure), param_hint="ADDRESS") from None
    if target.account and accounts:
        raise click.UsageError("The address names its account: leave out --account.")
    chosen = (target.account,) if target.account else accounts
    choices = Choices(paths or (DEFAULT,), chosen, allow=(), max_tokens=None, reserve=None)
    try:
        files = Files.read(choices.paths)
        configuration = choices.configuration()
    except ConfigurationError as failure:
        say(failure.diagnostics)
        return Exit.ERROR
    found, document = wait_for(_explain(target, Settings(today=options.runtime().now().date()), configuration, files))
    unread = [diagnostic for account in found if not account.plan.complete for diagnostic in account.plan.diagnostics]
    if document.explanations:
        text = _FORMS[form](document, color=output is None and wants_color(color), width=columns())
        if output is None:
            click.echo(text, nl=False, color=True)
        else:
            write_private(output, text)
        nowhere = [account.plan.account for account in found if account.plan.complete and account.explained is None]
        if nowhere:
            click.echo(f"Neither declared nor there in {visible(', '.join(nowhere))}.", err=True)
    elif not unread:
        say([_unknown(target, found)])
    say(unread)
    return Exit.FINE if document.explanations and not unread else Exit.ERROR


async def _explain(
    target: Target, settings: Settings, configuration: Configuration, files: Files
) -> tuple[list[Found], Explanations]:
    async with session(configuration) as opened:
        with progress("Reading", "accounts", len(opened.work), opened.work) as shown:
            found = await explain_all(opened.work, target, settings, shown.account)
        spent = opened.reading_cost().values()
        document = Explanations(
            leadstate_version=__version__,
            target=str(target),
            explanations=tuple(_documents(found, opened, files)),
            read=Requests(requests=sum(requests for requests, _ in spent), tokens=sum(tokens for _, tokens in spent)),
        )
        return [*found, *(Found(plan) for plan in opened.unusable)], document


def _documents(found: Sequence[Found], opened: Session, files: Files) -> Iterator[Explanation]:
    for account in found:
        if account.explained is not None:
            desired = account.explained.desired
            written = () if desired is None else provenance(files, desired, tuple(desired.attrs))
            yield explanation(account.explained, account.plan, written, company=opened.hosts[account.plan.account])


def _unknown(target: Target, found: Sequence[Found]) -> Diagnostic:
    """Nothing bears this address; what was perhaps meant does."""
    words: dict[str, list[Address]] = {}
    for account in found:
        for (kind, word), address in account.known.items():
            if kind == target.kind:
                words.setdefault(word.casefold(), []).append(address)
    close = get_close_matches(target.key.casefold(), words, n=_NEAR)
    meant = (address for word in close for address in words[word])
    near = list(dict.fromkeys(str(address) if target.account else str(address.ref) for address in meant))
    hint = (
        f"did you mean {' or '.join(near[:_NEAR])}?"
        if near
        else "`leadstate get labels` and `get leads` list what is there"
    )
    return error("unknown-address", f"nothing is declared or there at {target}", hint=hint)


_FORMS: dict[str, Callable[..., str]] = {
    "text": explanation_text,
    "json": lambda document, **_: dump(document),
}
