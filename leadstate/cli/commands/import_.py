"""`leadstate import`: what is live and not declared into the YAML. Its clients have no way to write to an account."""

from collections.abc import Sequence
from pathlib import Path

import click

from leadstate.api.configuration import lock_file
from leadstate.cli import options
from leadstate.cli.exits import Exit
from leadstate.cli.interrupts import wait_for
from leadstate.cli.main import COMMANDS
from leadstate.cli.options import load_configuration
from leadstate.cli.output import say
from leadstate.cli.patch import can_be_made, file_for, new_texts, patch, patch_options, read_files
from leadstate.cli.session import progress, session
from leadstate.config import Configuration
from leadstate.edit.import_ import Declared, Imported, import_leads, import_named
from leadstate.edit.items import Files, spellings
from leadstate.edit.writer import Append, Edit
from leadstate.engine.read.undeclared import Undeclared, UndeclaredFilter, read_undeclared
from leadstate.kinds import KINDS
from leadstate.model.address import Ref, normalize_text
from leadstate.model.diagnostics import Diagnostic, Severity, counted
from leadstate.model.resource import CARRIED, CARRIER


def _kinds(command: options.F) -> options.F:
    """Add `--labels/--no-labels`, and the like for every kind identified by name."""
    for kind in (kind for kind in reversed(KINDS.values()) if kind.is_named):
        flag, words = f"--{kind.section}/--no-{kind.section}", f"Import {kind.section} that are not declared."
        command = options.option(flag, f"with_{kind.name}", default=True, help=f"{words}  [default: yes]")(command)
    return command


@click.command("import", short_help=COMMANDS["import"])
@options.configuration
@_kinds
@options.option(
    "--leads",
    "with_leads",
    is_flag=True,
    help="Import leads that are not declared, with our ownership marker or with none.",
)
@options.option(
    "--names",
    is_flag=True,
    help="Write people by email and organizations by name instead of by id (1 token each at most).",
)
@options.option("--owner", "owners", multiple=True, type=click.INT, metavar="ID", help="Only leads of this user.")
@options.option(
    "--label",
    "labels",
    multiple=True,
    metavar="NAME",
    help="Only this label, and leads that carry it; may be repeated.",
)
@options.option("--source", "sources", multiple=True, metavar="NAME", help="Only leads from this source.")
@options.option(
    "--into",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="File to add to; it may be a new one in a folder that is read.  [default: the last with a list]",
)
@patch_options
@options.progress
@options.display
def import_(
    *,
    paths: tuple[Path, ...],
    accounts: tuple[str, ...],
    with_leads: bool,
    names: bool,
    owners: tuple[int, ...],
    labels: tuple[str, ...],
    sources: tuple[str, ...],
    into: Path | None,
    check: bool,
    auto_approve: bool,
    color: str,
    **with_kinds: bool,
) -> int:
    """Write live labels and leads that are not declared into the YAML, so that a plan has no changes for them.

    A label that all accounts share is written once, with `overrides` where its colour differs and `accounts` where an
    account lacks it. Labels that share a name are reported and left out.

    --leads imports leads that carry the ownership marker of this configuration, and leads that carry none. A marker can
    only be set on creation, so the latter are written as `adopted`, and leadstate.lock.json remembers their ids: commit
    it. Without it they are neither created nor changed. Leads with another marker stay untouched. --names makes one
    item of leads that several accounts share.

    \b
    Examples:  leadstate import -a emea
               leadstate import --check
               leadstate import -a emea --leads --names
               leadstate import -a emea --no-labels --leads --owner 101 --source API
    """
    kinds = frozenset(name for name in KINDS if with_kinds.get(f"with_{name}"))
    wanted = UndeclaredFilter(
        kinds, with_leads, names, frozenset(owners), frozenset(map(normalize_text, labels)), frozenset(sources)
    )
    if not kinds and not with_leads:
        raise click.UsageError("Nothing is chosen: --no-labels needs --leads.")
    if not with_leads and (owners or sources or names):
        raise click.UsageError("--owner, --source and --names are about leads: add --leads.")
    files = read_files(paths)
    configuration = load_configuration(paths, accounts)
    everything = load_configuration(paths, ()) if accounts else configuration
    if with_leads and configuration.namespace is None:
        raise click.UsageError(
            "--leads needs a `namespace` in the configuration, which marks the leads of this configuration."
        )
    found, diagnostics = wait_for(_read(configuration, wanted))
    new = _items(found, files, everything, kinds)
    edits: dict[str, list[Edit]] = {}
    chosen = [(KINDS[kind].section, imported) for kind, imported in new.items() if imported.items]
    if chosen and into is not None and can_be_made(into, paths):
        files = files.with_new(into, chosen[0][0])
    for key, imported in chosen:
        edits.setdefault(file_for(key, files, into), []).append(Append(key, tuple(imported.items)))
    changed = new_texts(files, edits)
    diagnostics = [*diagnostics, *(diagnostic for imported in new.values() for diagnostic in imported.diagnostics)]
    adopted = new[CARRIER].adopted
    code = patch(changed, paths, check=check, auto_approve=auto_approve, color=color, adopted=adopted)
    if code is Exit.FINE and adopted:
        click.echo(f"{lock_file(paths)} remembers the adopted leads: commit it.", err=True)
    say(diagnostics)
    if not changed and any(account.named for account in found):
        click.echo("Nothing to import.", err=True)
    if code is Exit.FINE and any(diagnostic.severity is Severity.ERROR for diagnostic in diagnostics):
        return Exit.IN_PART if changed else Exit.ERROR
    return code


async def _read(
    configuration: Configuration, wanted: UndeclaredFilter
) -> tuple[Sequence[Undeclared], list[Diagnostic]]:
    async with session(configuration) as opened:
        with progress(opened.work) as shown:
            found = await read_undeclared(opened.work, wanted, shown.account)
        for account in found:
            if account.foreign:
                leads = counted(account.foreign, CARRIER)
                words = f"{account.account}: {leads} with the marker of somebody else (`origin_id`): untouched."
                click.echo(words, err=True)
        return found, [*opened.failures, *(diagnostic for account in found for diagnostic in account.diagnostics)]


def _items(
    found: Sequence[Undeclared], files: Files, everything: Configuration, kinds: frozenset[str]
) -> dict[str, Imported]:
    """Return for each kind what of it is to be written."""
    everyone = frozenset(account.account.name for account in everything.accounts)
    new = {
        kind: import_named(KINDS[kind], {account.account: account.named.get(kind, ()) for account in found}, everyone)
        for kind in KINDS
        if kind in kinds
    }
    # Account → label → what a lead writes for it, new labels included.
    names: dict[str, dict[Ref, str]] = {
        account.account.name: {
            label.address.ref: spellings(label, files)[0] for label in account.account.of_kind(CARRIED) if label.present
        }
        for account in everything.accounts
    }
    for name, accounts in new.get(CARRIED, Imported()).accounts.items():
        for account_name in accounts:
            names[account_name][Ref(CARRIED, name)] = name
    declared = Declared(
        everyone,
        everything.namespace or "",
        frozenset(lead.address.key for account in everything.accounts for lead in account.account.of_kind(CARRIER)),
        names,
        {name: files.account(name).get("plan") for name in everyone},
    )
    leads = {account.account: account.leads for account in found}
    return {**new, CARRIER: import_leads(leads, {account.account: account.known for account in found}, declared)}
