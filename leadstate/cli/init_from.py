"""A first configuration that is an account as it is: `init --from`. Its client has no way to write to the account."""

import re
from pathlib import Path
from string import Template

import click

from leadstate.cli.diagnostics import say
from leadstate.cli.event_loop import wait_for
from leadstate.cli.session import session
from leadstate.cli.starter import starter
from leadstate.config import Configuration
from leadstate.config.loader import understand
from leadstate.config.yaml.diagnostics import Diagnostics, Source
from leadstate.edit.edits import Append
from leadstate.edit.import_ import named_items
from leadstate.edit.items import Files
from leadstate.edit.keys import readable_key
from leadstate.engine.read.undeclared import Undeclared, Wanted, read_undeclared
from leadstate.kinds.label import LABEL
from leadstate.model.errors import ConfigurationError

_PIPEDRIVE = re.compile(r"(?:https?://)?([^/.]+)\.pipedrive\.com/?")


def taken_over(config: Path, account: str, variable: str) -> str | None:
    """Return a configuration with the account's labels; None, with diagnostics on stderr, if it cannot be read.

    Args:
        config: the file that is to be written.
        account: the company's domain, or the address of its Pipedrive, of a proxy or a sandbox.
        variable: the environment variable that holds the token.
    """
    source = Source(str(config), _head(account, variable), config.parent)
    try:
        files = Files.of([source], Diagnostics())
        configuration = understand([source], (), Diagnostics())
    except ConfigurationError as failure:
        first = failure.diagnostics[0]
        raise click.UsageError(f"{account!r} or {variable!r} will not do: {first.summary}; {first.hint}") from None
    found = wait_for(_read(configuration))
    everyone = frozenset(account.account for account in found)
    taken = named_items(LABEL, {account.account: account.named.get(LABEL.name, ()) for account in found}, everyone)
    diagnostics = [*taken.diagnostics, *(diagnostic for account in found for diagnostic in account.diagnostics)]
    say(diagnostics)
    # What cannot be declared is left out, and said; an account that cannot be read is the end.
    if not found or any(diagnostic.code != "not-imported" for account in found for diagnostic in account.diagnostics):
        return None
    ((_, text),) = files.edited({source.name: [Append("labels", tuple(taken.items))]}) or [(source, source.text)]
    return text


def _head(account: str, variable: str) -> str:
    domain = _PIPEDRIVE.fullmatch(account)
    if domain is not None:
        name, address = domain[1], f"domain: {domain[1]}"
    elif "://" in account:
        name, address = "main", f"url: {account}"
    else:
        name, address = account, f"domain: {account}"
    namespace = readable_key(name, ())
    return Template(starter("taken-over.yaml")).substitute(
        name=namespace, namespace=namespace, address=address, variable=variable
    )


async def _read(configuration: Configuration) -> list[Undeclared]:
    async with session(configuration) as opened:
        for plan in opened.unusable:
            say(plan.diagnostics)
        return await read_undeclared(opened.work, Wanted())
