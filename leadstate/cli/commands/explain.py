"""`leadstate explain`: everything that is known of one object. Its clients have no way to write."""

from difflib import get_close_matches
from functools import partial
from pathlib import Path

import click

from leadstate import __version__
from leadstate.cli import options
from leadstate.cli.completion import complete_addresses
from leadstate.cli.exits import Exit
from leadstate.cli.interrupts import wait_for
from leadstate.cli.main import COMMANDS
from leadstate.cli.options import load_configuration
from leadstate.cli.output import color_and_width, say, write
from leadstate.cli.session import progress, session
from leadstate.config import Configuration
from leadstate.edit.items import Files, find_places
from leadstate.engine.run import Settings, refresh_target
from leadstate.kinds import KINDS
from leadstate.model.address import Address, Target, accounts_of
from leadstate.model.diagnostics import Diagnostic, Severity
from leadstate.model.escape import visible
from leadstate.model.plan import AccountPlan
from leadstate.report.document import Requests
from leadstate.report.explain import explain_object, find_ambiguity
from leadstate.report.formats.explanation import Explanations, to_json, to_text


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
    if target.account and {*accounts} - {target.account}:
        raise click.UsageError(
            "The address names its account: leave out --account, and the variable LEADSTATE_ACCOUNT."
        )
    files = Files.read(paths)
    configuration = load_configuration(paths, accounts or sorted(accounts_of((target,))), files.sources)
    document, plans, ambiguous = wait_for(_explain(target, configuration, files))
    unread = [diagnostic for plan in plans if not plan.complete for diagnostic in plan.diagnostics]
    found = {explanation.address.partition("/")[0] for explanation in document.explanations}
    found |= {diagnostic.account or "" for diagnostic in ambiguous}
    if document.explanations:
        colored, width = color_and_width(color, output)
        write(to_json(document) if form == "json" else to_text(document, color=colored, width=width), output)
        nowhere = [plan.account for plan in plans if plan.complete and plan.account not in found]
        if nowhere:
            click.echo(f"Neither declared nor live in {visible(', '.join(nowhere))}.", err=True)
    elif not unread and not ambiguous:
        say([_unknown(target, configuration)])
    say([*ambiguous, *unread])
    return Exit.FINE if document.explanations and not unread and not ambiguous else Exit.ERROR


async def _explain(
    target: Target, configuration: Configuration, files: Files
) -> tuple[Explanations, list[AccountPlan], list[Diagnostic]]:
    settings = Settings(today=options.runtime().now().date())
    async with session(configuration) as opened:
        with progress(opened.work) as shown:
            found = await refresh_target(opened.work, target, settings, shown.account)
        explanations, ambiguous = [], []
        for plan, refreshed in found:
            if refreshed is None:
                continue
            address = Address(plan.account, target.kind, target.key)
            explained = explain_object(
                address, refreshed.account, refreshed.observed, plan, partial(find_places, files)
            )
            if explained is not None:
                explanations.append(explained)
            elif (several := find_ambiguity(address, refreshed.observed, plan)) is not None:
                ambiguous.append(several)
        document = Explanations(
            leadstate_version=__version__,
            target=str(target),
            explanations=tuple(explanations),
            read=Requests.sum(spent.cost for spent in opened.spent().values()),
        )
        return document, [*(plan for plan, _ in found), *opened.unusable], ambiguous


def _unknown(target: Target, configuration: Configuration) -> Diagnostic:
    """Return the error that no object has this address, with similar declared addresses."""
    words = {
        name: str(desired.address if target.account else desired.address.ref)
        for declared in configuration.accounts
        for desired in declared.account.of_kind(target.kind)
        for name in (desired.address.key, *desired.names)
    }
    near = dict.fromkeys(words[word] for word in get_close_matches(target.key, words))
    hint = f"did you mean {' or '.join(near)}?" if near else "`leadstate get labels` and `get leads` list live objects"
    return Diagnostic("unknown-address", Severity.ERROR, f"{target} is neither declared nor live", hint=hint)
