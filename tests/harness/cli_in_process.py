"""The command line in this process, against a sandbox in it: no port, no process, and real exit codes."""

import contextlib
import io
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import click
import httpx

from leadstate.api.session import Runtime
from leadstate.cli.exits import Exit
from leadstate.cli.main import cli
from leadstate.model.diagnostics import LeadstateError
from leadstate.pipedrive.connection import Pace
from leadstate.sandbox import Sandbox


def invoke(runtime: Runtime, *words: str) -> tuple[int, str, str]:
    """Run a command; return exit code, stdout and stderr. Let unexpected exceptions through."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = cli.main(list(words), prog_name="leadstate", obj=runtime, standalone_mode=False)
        except click.UsageError as failure:
            failure.show()
            code = Exit.USAGE
        except click.Abort:
            code = Exit.INTERRUPTED
        except (click.ClickException, LeadstateError, OSError) as failure:
            click.echo(f"{failure}\n{getattr(failure, 'hint', '')}", err=True)
            code = Exit.ERROR
    return int(code), out.getvalue(), err.getvalue()


def leadstate(
    sandbox: Sandbox,
    environ: Mapping[str, str],
    receipts: Path,
    words: tuple[str, ...],
    clock: Callable[[], float] = time.monotonic,
) -> tuple[int, str, str]:
    """Run a command against a sandbox; return exit code, stdout and stderr."""
    transport = httpx.ASGITransport(sandbox.app)
    return invoke(Runtime(environ=environ, transport=transport, receipts=receipts, pace=Pace(clock)), *words)


@dataclass(frozen=True)
class Commands:
    """Runs `leadstate` in this process, and answers as `cli_process.Shell` does."""

    folder: Path
    runtime: Runtime

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(words, *invoke(self.runtime, *words))

    def write(self, text: str, name: str = "leadstate.yaml") -> None:
        """Write a file of the configuration."""
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text, encoding="utf-8")
