"""`leadstate demo`: a drifted account is planned, applied and found clean, by the real commands over a real port."""

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import click

from leadstate.cli import options
from leadstate.cli.commands.sandbox import load_sandbox
from leadstate.cli.exits import Exit
from leadstate.cli.main import COMMANDS
from leadstate.cli.output import wants_color
from leadstate.cli.starter import starter

STORY = (
    ("These are its labels. People have worked here: Hot was painted orange, VIP was made by hand.", "get labels"),
    ("We declare four labels and two leads. What would change?", "plan"),
    ("Make it so. (In CI; at a terminal it asks first.)", "apply --auto-approve"),
    ("And again: nothing is left to do. Cold is Nurture now, with the same id on the same leads.", "plan"),
    ("The label that people made by hand is still there.", "get labels"),
)


@click.command(short_help=COMMANDS["demo"])
@options.display
def demo(*, color: str) -> int:
    """Start an embedded Pipedrive whose account has drifted, then plan, apply and plan again. No account needed.

    \b
    Examples:  leadstate demo
    """
    embedded = load_sandbox()
    made = embedded.Sandbox("drifted")
    with embedded.running(made.app) as url, tempfile.TemporaryDirectory(prefix="leadstate-demo-") as folder:
        text = starter("demo.yaml").replace("${URL}", url)
        Path(folder, "leadstate.yaml").write_text(text, encoding="utf-8")
        colored = wants_color(color)
        click.secho("An account of a Pipedrive that runs in this process:", bold=colored or None, color=colored)
        click.echo(f"{url}\n")
        # The user's variables would have these commands read, and apply, the user's own configuration.
        environ = {name: value for name, value in os.environ.items() if not name.startswith("LEADSTATE_")}
        environ["LEADSTATE_DEMO_TOKEN"] = made.companies[0].token
        for words, command in STORY:
            click.secho(f"# {words}", fg="cyan" if colored else None, color=colored)
            click.echo(f"$ leadstate {command}")
            sys.stdout.flush()
            arguments = shlex.split(command)
            done = subprocess.run(  # noqa: S603  our own command line with fixed words
                [sys.executable, "-m", "leadstate", *arguments, "--color", "always" if colored else "never"],
                cwd=folder,
                env=environ,
                check=False,
            )
            click.echo()
            if done.returncode != Exit.FINE:
                click.echo(f"leadstate {command} ended with {done.returncode}, which it should not.", err=True)
                return Exit.ERROR
    return Exit.FINE
