"""`leadstate init`: a starter configuration or that of an account as it is. Overwrites nothing.

Beside it a schema, .gitignore lines and a CI workflow. The client of `--from` has no way to write to the account.
"""

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from string import Template

import click

from leadstate.cli import options
from leadstate.cli.exits import Exit
from leadstate.cli.interrupts import wait_for
from leadstate.cli.main import COMMANDS
from leadstate.cli.output import say
from leadstate.cli.session import session
from leadstate.cli.starter import starter
from leadstate.config import Configuration, schema_text
from leadstate.config.git import default_branch
from leadstate.config.loader import understand
from leadstate.config.schema.document import ENVIRONMENT_VARIABLE
from leadstate.config.yaml.diagnostics import Diagnostics, Source
from leadstate.config.yaml.files import folder_link_outwards, repository_of
from leadstate.edit.import_ import import_named
from leadstate.edit.items import Files
from leadstate.edit.spelling import readable_key, spell
from leadstate.edit.writer import Append
from leadstate.engine.read.undeclared import Undeclared, UndeclaredFilter, read_undeclared
from leadstate.kinds import KINDS
from leadstate.model.diagnostics import ConfigurationError, Diagnostic, counted
from leadstate.model.resource import CARRIED
from leadstate.pipedrive.errors import Unauthorized

VARIABLE = "PIPEDRIVE_TOKEN"
"""The name of the token's variable in the starter files."""

IGNORED = (
    ".leadstate/", "*plan.json", "*plan.html", "*plan.md", "drift.*", "rollback.json", "report.*", "usage.*", "*.prom",
    "shard-*.json", "events.jsonl", "*.custom.spacelift.json", "refresh-token", ".env",
)  # fmt: skip
"""Files that hold titles of leads, or secrets, or are new in each run, as our pages and examples name them."""
_PIPEDRIVE = re.compile(r"(?:https?://)?([^/.]+)\.pipedrive\.com/?")


def _configuration_from(config: Path, account: str, variable: str) -> str | None:
    """Return a configuration with the account's labels; None, with diagnostics on stderr, if it cannot be read."""
    source = Source(str(config), _head(account, variable), config.parent)
    try:
        files = Files.of([source], Diagnostics())
        configuration = understand([source], (), Diagnostics())
    except ConfigurationError as failure:
        first = failure.diagnostics[0]
        raise click.UsageError(f"{account!r} is not an account: {first.summary}; {first.hint}") from None
    found, failures = wait_for(_read(configuration))
    everyone = frozenset(account.account for account in found)
    imported = import_named(
        KINDS[CARRIED], {account.account: account.named.get(CARRIED, ()) for account in found}, everyone
    )
    left_out = [diagnostic for account in found for diagnostic in account.diagnostics]
    say(_about_command(diagnostic, variable) for diagnostic in (*failures, *imported.diagnostics, *left_out))
    # What cannot be declared is left out, and said; an account that cannot be read is the end.
    if not found or any(diagnostic.code != "not-imported" for diagnostic in left_out):
        return None
    ((_, text),) = files.edit({source.name: [Append("labels", tuple(imported.items))]}) or [(source, source.text)]
    return text


def _head(account: str, variable: str) -> str:
    domain = _PIPEDRIVE.fullmatch(account)
    if domain is not None:
        name, key, address = domain[1], "domain", domain[1]
    elif "://" in account:
        name, key, address = "main", "url", account
    else:
        name, key, address = account, "domain", account
    # Quoted where YAML would take it for something else: 4711 for a number, NULL for nothing.
    namespace = spell(readable_key(name))
    return Template(starter("taken-over.yaml")).substitute(
        name=namespace,
        namespace=namespace,
        address=f"{key}: {spell(address, flow=False)}",
        variable=spell(variable),
    )


async def _read(configuration: Configuration) -> tuple[list[Undeclared], Sequence[Diagnostic]]:
    async with session(configuration) as opened:
        return await read_undeclared(opened.work, UndeclaredFilter()), opened.failures


def _about_command(diagnostic: Diagnostic, variable: str) -> Diagnostic:
    """Return a diagnostic without its place, which is in a file that is not written yet."""
    hint = diagnostic.hint
    if diagnostic.code == Unauthorized.code:
        hint = (
            f"check the token in the variable {variable}; an API token is under Personal preferences > API in Pipedrive"
        )
    return replace(diagnostic, span=None, excerpt="", hint=hint)


def _check_variable(_ctx: click.Context, _param: click.Parameter, name: str) -> str:
    """Return the name of a variable; raise a usage error where the configuration would not take it."""
    if not re.fullmatch(ENVIRONMENT_VARIABLE, name):
        raise click.BadParameter(f"{name!r} is not the name of an environment variable: letters, digits and `_`")
    return name


@click.command(short_help=COMMANDS["init"])
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=Path())
@options.option(
    "--from", "account", metavar="ACCOUNT", help="Declare the labels of this account: acme-emea, or its address."
)
@options.option(
    "--token-env",
    "variable",
    metavar="NAME",
    default=VARIABLE,
    show_default=True,
    callback=_check_variable,
    help="The environment variable that holds the account's token.",
)
@options.log_level
def init(*, folder: Path, account: str | None, variable: str) -> int:
    """Write a starter configuration into FOLDER (by default the current one). Existing files are not overwritten.

    With --from, the file declares the labels that the account has (10 tokens), so that a plan has no changes.
    `leadstate import` adds leads, and the labels of further accounts. The CI workflow is written to the root of the git
    repository that FOLDER is in.

    \b
    Examples:  leadstate init
               leadstate init --from acme-emea
               leadstate init --from http://127.0.0.1:8765 --token-env SANDBOX_TOKEN
    """
    config = folder / "leadstate.yaml"
    text = starter("leadstate.yaml").replace(VARIABLE, variable)
    if account is not None:
        if os.path.lexists(config):
            raise click.UsageError(f"{config} already exists: `leadstate import` adds what an account has.")
        taken = _configuration_from(config, account, variable)
        if taken is None:
            return Exit.ERROR
        text = taken
    is_new = not os.path.lexists(config)
    _write(config, text)
    _write(folder / "leadstate.schema.json", schema_text())
    _write_workflow(config, variable)
    _ignore(folder / ".gitignore")
    if not is_new:
        click.echo("Next: run `leadstate plan`.")
    elif account is None:
        first = f"write your domain into leadstate.yaml, put the token into {variable}"
        click.echo(f"Next: {first}, run `leadstate plan`.")
    else:
        click.echo("Next: run `leadstate plan`; it says `No changes`, and from now on the file decides.")
    return Exit.FINE


def _write_workflow(config: Path, variable: str) -> None:
    """Write the CI workflow to the root of the repository, where GitHub looks for workflows."""
    folder, inside = config.parent, ""
    root = repository_of(folder)
    if root != folder.resolve() and folder_link_outwards(config) is None:
        inside = folder.resolve().joinpath(config.name).relative_to(root).as_posix()
        folder = Path(os.path.relpath(root))
    path = folder / ".github" / "workflows" / "leadstate.yml"
    if len(inside.split()) > 1:
        click.echo(f"not written    {path}: its `config` takes no path with white space")
    elif inside and path.is_file() and inside not in re.split(r"[\s'\"]+", path.read_text("utf-8", "replace")):
        _write(path, "", f": it does not run {inside}; give that a job of its own")
    else:
        _write(path, _workflow(variable, inside, default_branch(folder) or "main"))


def _workflow(variable: str, config: str, branch: str) -> str:
    """Return the CI workflow.

    Args:
        variable: the token's. The action hands over `PIPEDRIVE_*`, and other variables where it is told to.
        config: the configuration's path in the repository; empty where that is the action's default.
        branch: what is pushed to it is applied.
    """
    inputs = {"config": config and spell(config, flow=False)}
    if not variable.startswith("PIPEDRIVE_"):
        inputs["env"] = variable

    def with_inputs(command: re.Match[str]) -> str:
        return command[0] + "".join(f"{command[1]}{name}: {value}\n" for name, value in inputs.items() if value)

    text = starter("workflow.yml").replace(VARIABLE, variable)
    text = text.replace("branches: [main]", f"branches: [{spell(branch, flow=True)}]")
    return re.sub(r"^( +)command: .*\n", with_inputs, text, flags=re.MULTILINE)


def _write(path: Path, text: str, but: str = "") -> None:
    """Write a file unless it exists; `but` is added to the line which says that it does."""
    if os.path.lexists(path) or folder_link_outwards(path) is not None:
        click.echo(f"left as it is  {path}{but}")
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    click.echo(f"written        {path}")


def _ignore(path: Path) -> None:
    """Add the lines that are missing; git takes any bytes for names, so those of others stay as they are."""
    there = path.read_bytes() if path.exists() else b""
    known = {line.strip() for line in there.splitlines()}
    missing = [line for line in IGNORED if line.encode() not in known]
    if not missing or path.is_symlink():  # git does not follow it either
        click.echo(f"left as it is  {path}")
        return
    gap = b"" if not there or there.endswith(b"\n") else b"\n"
    path.write_bytes(there + gap + "".join(f"{line}\n" for line in missing).encode())
    click.echo(f"written        {path} ({counted(len(missing), 'line')} added)")
