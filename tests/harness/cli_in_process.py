"""The command line in this process, against a sandbox in it: no port, no process, and real exit codes."""

import contextlib
import io
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import click
import httpx

from leadstate.api.session import Runtime
from leadstate.cli.exits import Exit
from leadstate.cli.main import cli
from leadstate.model.errors import LeadstateError
from leadstate.pipedrive.connection import Pace
from leadstate.sandbox import Sandbox


def leadstate(
    sandbox: Sandbox,
    environ: Mapping[str, str],
    receipts: Path,
    words: tuple[str, ...],
    clock: Callable[[], float] = time.monotonic,
) -> tuple[int, str, str]:
    """Run a command; return exit code, stdout and stderr. Let unexpected exceptions through."""
    transport = httpx.ASGITransport(sandbox.app)
    runtime = Runtime(environ=environ, transport=transport, receipts=receipts, pace=Pace(clock))
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = cli.main(list(words), prog_name="leadstate", obj=runtime, standalone_mode=False)
        except click.UsageError as failure:
            failure.show()
            code = Exit.USAGE
        except LeadstateError as failure:
            click.echo(f"{failure}\n{failure.hint}", err=True)
            code = Exit.ERROR
    return int(code), out.getvalue(), err.getvalue()
