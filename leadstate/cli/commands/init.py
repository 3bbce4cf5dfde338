"""`leadstate init`: a starter configuration, its schema, .gitignore lines and a CI workflow. Overwrites nothing."""

import re
from pathlib import Path

import click

from leadstate.cli import options
from leadstate.cli.exits import Exit
from leadstate.cli.init_from import taken_over
from leadstate.cli.main import COMMANDS
from leadstate.cli.starter import starter
from leadstate.config import schema_text
from leadstate.model.diagnostics import counted

VARIABLE = "PIPEDRIVE_TOKEN"
"""The name of the token's variable in the starter files."""

IGNORED = (
    ".leadstate/",
    "*plan.json",
    "*plan.html",
    "*plan.md",
    "drift.*",
    "rollback.json",
    "report.*",
    "usage.*",
    "shard-*.json",
    "events.jsonl",
    "*.custom.spacelift.json",
    "refresh-token",
    ".env",
)
"""Files that hold titles of leads, or secrets, under the names that our pages and examples give them."""


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
    help="The environment variable that holds the account's token.",
)
def init(*, folder: Path, account: str | None, variable: str) -> int:
    """Write a starter configuration into FOLDER (by default the current one). Existing files are not overwritten.

    With --from, the file declares the labels that the account has (10 tokens), so that a plan has no changes.
    `leadstate import` adds leads, and the labels of further accounts.

    \b
    Examples:  leadstate init
               leadstate init --from acme-emea
               leadstate init --from http://127.0.0.1:8765 --token-env SANDBOX_TOKEN
    """
    config = folder / "leadstate.yaml"
    text = starter("leadstate.yaml").replace(VARIABLE, variable)
    if account is not None:
        if config.exists():
            raise click.UsageError(f"{config} is there already: `leadstate import` adds what an account has.")
        taken = taken_over(config, account, variable)
        if taken is None:
            return Exit.ERROR
        text = taken
    _write(config, text)
    _write(folder / "leadstate.schema.json", schema_text())
    _write(folder / ".github" / "workflows" / "leadstate.yml", _workflow(variable))
    _ignore(folder / ".gitignore")
    if account is None:
        first = f"write your domain into leadstate.yaml, put the token into {variable}"
        click.echo(f"Next: {first}, run `leadstate plan`.")
    else:
        click.echo("Next: run `leadstate plan`; it says `No changes`, and from now on the file decides.")
    return Exit.FINE


def _workflow(variable: str) -> str:
    """Return the CI workflow. The action hands over `PIPEDRIVE_*`, and other variables where it is told to."""
    text = starter("workflow.yml").replace(VARIABLE, variable)
    if variable.startswith("PIPEDRIVE_"):
        return text
    return re.sub(r"^( +)command: .*\n", rf"\g<0>\1env: {variable}\n", text, flags=re.MULTILINE)


def _write(path: Path, text: str) -> None:
    if path.exists():
        click.echo(f"left as it is  {path}")
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    click.echo(f"written        {path}")


def _ignore(path: Path) -> None:
    there = path.read_text(encoding="utf-8") if path.exists() else ""
    missing = [line for line in IGNORED if line not in there.splitlines()]
    if not missing:
        click.echo(f"left as it is  {path}")
        return
    gap = "" if not there or there.endswith("\n") else "\n"
    path.write_text(there + gap + "\n".join(missing) + "\n", encoding="utf-8")
    click.echo(f"written        {path} ({counted(len(missing), 'line')} added)")
