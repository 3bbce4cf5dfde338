"""`leadstate init`: a starter configuration, its schema, .gitignore lines and a CI workflow. Overwrites nothing."""

from pathlib import Path

import click

from leadstate.cli.exits import Exit
from leadstate.cli.main import COMMANDS
from leadstate.cli.starter import starter
from leadstate.config import schema_text

IGNORED = (".leadstate/", "*.plan.json", ".env")


@click.command(short_help=COMMANDS["init"])
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=Path())
def init(*, folder: Path) -> int:
    """Write a starter configuration into FOLDER (here, by default). Files that exist are left as they are."""
    _write(folder / "leadstate.yaml", starter("leadstate.yaml"))
    _write(folder / "leadstate.schema.json", schema_text())
    _write(folder / ".github" / "workflows" / "leadstate.yml", starter("workflow.yml"))
    _ignore(folder / ".gitignore")
    click.echo("Next: write your domain into leadstate.yaml, put the token into PIPEDRIVE_TOKEN, run `leadstate plan`.")
    return Exit.FINE


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
    click.echo(f"written        {path} ({len(missing)} lines added)")
