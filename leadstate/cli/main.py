"""The entry point: finds the command, turns what went wrong into a message and an exit code."""

import errno
import gc
import importlib
import keyword
import os
import sys
from contextlib import suppress
from typing import NoReturn

import click

from leadstate import __version__
from leadstate.cli.exits import Exit
from leadstate.cli.interrupts import install
from leadstate.cli.streams import fill_closed, guard

GROUPS: dict[str, dict[str, str]] = {
    "Start": {
        "demo": "Run a guided demo against the embedded sandbox.",
        "init": "Write a starter configuration, .gitignore lines and a CI workflow.",
        "doctor": "Check each account: reachable, token, company, limits, clock.",
    },
    "Everyday": {
        "validate": "Check the configuration, offline.",
        "plan": "Show what an apply would do. Never writes.",
        "explain": "Explain one label or lead, and why a plan changes it.",
        "apply": "Apply the configuration to the accounts.",
        "show": "Render a stored plan or receipt.",
    },
    "Take over and tidy": {
        "import": "Write live labels and leads that are not declared into the YAML.",
        "pull": "Accept drift: write live values into the YAML.",
        "lock": "Refresh the lock file from the live accounts.",
        "restore": "Undo an apply by its receipt.",
    },
    "Look": {
        "get": "Read live labels, leads, fields, sources and users.",
        "matrix": "Show labels by accounts, and where they differ.",
        "usage": "Count the leads that carry each label, and name the filters that use it.",
    },
    "Tools": {
        "schema": "Print the JSON Schema of the configuration or of the report.",
        "sandbox": "Serve an embedded Pipedrive on loopback.",
    },
}
"""Heading in `--help` → command → its line; here, so that `--help` need not import the commands."""
COMMANDS = {name: line for commands in GROUPS.values() for name, line in commands.items()}

COMMANDS_ELSEWHERE: dict[str, str] = {
    **dict.fromkeys(("diff", "preview", "dry-run"), "plan"),
    **dict.fromkeys(("sync", "push", "deploy"), "apply"),
    **dict.fromkeys(("rollback", "undo", "revert"), "restore"),
}
"""Command of another tool → ours that does this."""

DRY_RUNS: dict[str, str] = {
    "import": "leadstate import --check",
    "pull": "leadstate pull --check",
    "restore": "leadstate restore RECEIPT --out FILE",
}
"""Command → what only shows what it would do; for any other that is `leadstate plan`."""


SELDOM = (5_000, 10, 10)
"""When to look for garbage. What files are read into has no cycles, and looking at every 700 new objects, as Python
does, takes a fifth of the time of reading a large configuration, in vain. More seldom still, and answers pile up: those
of httpx have cycles, and a page of leads is 340 KB."""

FIXES = {
    **dict.fromkeys((errno.EACCES, errno.EPERM), "check who may read and write it and its folder (`ls -ld`)"),
    errno.EROFS: "name a file on a disk that can be written",
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "free space on the disk and run the command again"),
    errno.EMFILE: "allow more open files (`ulimit -n`)",
}
"""Why the system refused a file → what to do about it."""

WIDEST_HELP = 100
"""Columns of help, however wide the terminal is."""


class _Commands(click.Group):
    """Imports a command when it is asked for: httpx, pydantic and rich take longer than most commands."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  click's signature
        if cmd_name not in COMMANDS:
            return None
        name = f"{cmd_name}_" if keyword.iskeyword(cmd_name) else cmd_name
        command: click.Command = getattr(importlib.import_module(f"leadstate.cli.commands.{name}"), name)
        if not gc.isenabled():  # `run` has seen to that
            gc.freeze()
            gc.set_threshold(*SELDOM)
            gc.enable()
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  as above
        width = max(map(len, COMMANDS))
        for heading, commands in GROUPS.items():
            with formatter.section(heading):
                formatter.write_dl([(name.ljust(width), line) for name, line in commands.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Suggest the command that a mistyped one, or one of another tool, resembles."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as failure:
            import difflib  # noqa: PLC0415  only for the message

            meant = COMMANDS_ELSEWHERE.get(args[0])
            close = difflib.get_close_matches(args[0], COMMANDS, n=1) if meant is None else [meant]
            if not close or (meant is None and "Did you mean" in failure.message):
                raise
            raise click.UsageError(f"{failure.message} Did you mean {close[0]!r}?", ctx) from None


def _help_width() -> int:
    """Return the width that click gives to help; click imports `shutil` to find it, a tenth of the time of `--help`."""
    columns = 0
    with suppress(ValueError):
        columns = int(os.environ.get("COLUMNS", ""))
    if columns <= 0:
        with suppress(AttributeError, ValueError, OSError):
            columns = os.get_terminal_size(sys.__stdout__.fileno()).columns  # type: ignore[union-attr]  # suppressed
    return max(min(columns if columns > 0 else 80, WIDEST_HELP) - 2, 50)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": WIDEST_HELP})
@click.version_option(__version__, message="leadstate %(version)s")
def cli() -> None:
    """Lead labels and seeded leads of Pipedrive accounts, declared in YAML and reconciled like infrastructure.

    \b
    Examples:  leadstate demo                    watch it work; no account needed
               leadstate init --from acme-emea   begin with what an account has
               leadstate plan                    see what an apply would do
               leadstate apply                   ask, then do it
               leadstate plan --help             all options of a command

    Every option also reads LEADSTATE_<OPTION> from the environment. Exit codes: 0 fine, 1 error, 2 changes pending
    (plan --detailed-exitcode), 3 refused, 4 applied in part, 64 usage, 130 interrupted.
    """


def main() -> NoReturn:
    """Run the command line and end the process."""
    code = run()
    # Everything is written. Taking all objects apart takes 30 ms, and while Python ends it sets signals to their
    # defaults: a second Ctrl-C would kill the process.
    os._exit(code)


def run() -> int:
    """Run the command line, write all of its output, and return the exit code."""
    # Modules are no garbage: looking for some among them, while they are imported and when the process ends, takes a
    # fifth of the time that a small plan does.
    gc.disable()
    # httpx imports a command line of its own where it can, half of rich with it, which takes a tenth of a small plan.
    sys.modules["httpx._main"] = None  # type: ignore[assignment]  # makes that import fail (Python docs: import system)
    install()
    if not fill_closed():
        fix = "keep stdout open; to discard the result, redirect it to /dev/null"
        _say_error("output", "stdout is closed, so the result cannot be written", fix)
        return int(Exit.ERROR)
    output = guard()
    if "_LEADSTATE_COMPLETE" in os.environ:
        from leadstate.cli.completion import register  # noqa: PLC0415  only to complete

        register()
    code = _run()
    sys.stdout.flush()
    if output is not None and output.failure is not None:
        from leadstate.model.diagnostics import reason_of  # noqa: PLC0415  keeps start-up light

        fix = "free space on the disk, or name a file with -o FILE; a receipt holds what an apply did"
        _say_error("output", f"the result could not be written to stdout: {reason_of(output.failure)}", fix)
        code = Exit.ERROR if code in (Exit.FINE, Exit.CHANGES) else code
    sys.stderr.flush()
    return int(code)


def _run() -> int:
    try:
        code = cli.main(prog_name="leadstate", standalone_mode=False, terminal_width=_help_width())
    except click.UsageError as failure:
        if isinstance(failure, click.NoSuchOption) and failure.option_name in ("--dry-run", "--dryrun"):
            command = (failure.ctx and failure.ctx.command.name) or ""
            meant = DRY_RUNS.get(command, "leadstate plan")
            failure = click.UsageError(f"{failure.message.rstrip('.')}. Did you mean `{meant}`?", failure.ctx)
        failure.show()
        return Exit.USAGE
    except (click.Abort, KeyboardInterrupt) as failure:
        click.echo(str(failure) or "Interrupted.", err=True)
        return Exit.INTERRUPTED
    except click.ClickException as failure:
        failure.show()
        return Exit.ERROR
    except Exception as failure:  # noqa: BLE001  the last line of defence: a user is shown a message, not a traceback
        return _explain(failure)
    return code if isinstance(code, int) else Exit.FINE


def _of_file(failure: OSError) -> tuple[str, str]:
    """Return which file the system refused and why, and what to do about it."""
    if failure.errno == errno.ENOENT and not failure.filename:  # only asking for the working folder names no file
        return "the working folder does not exist any more", "change into another folder and run the command again"
    where = f"{os.fsdecode(failure.filename)}: " if isinstance(failure.filename, str | bytes) else ""
    return f"{where}{failure.strerror or failure}", FIXES.get(
        failure.errno or 0, "check the path, and who may read and write it"
    )


def _explain(failure: Exception) -> int:
    from leadstate.cli.output import say  # noqa: PLC0415  keeps start-up light
    from leadstate.model.diagnostics import ConfigurationError, LeadstateError, bug_in_leadstate  # noqa: PLC0415  as above

    if isinstance(failure, ConfigurationError):
        say(failure.diagnostics)
    elif isinstance(failure, LeadstateError):
        _say_error(failure.code, str(failure), failure.hint)
    elif isinstance(failure, OSError):
        _say_error("file", *_of_file(failure))
    else:
        import logging  # noqa: PLC0415  as above

        logging.getLogger("leadstate").debug("internal error", exc_info=failure)
        say([bug_in_leadstate(failure)])
    return Exit.ERROR


def _say_error(code: str, what: str, fix: str) -> None:
    """Write an error to stderr in the form of a diagnostic, without the modules that diagnostics need."""
    from leadstate.model.escape import visible  # noqa: PLC0415  keeps start-up light

    click.echo(f"error[{code}] {visible(what)}", err=True)
    if fix:
        click.echo(f"  = {visible(fix)}", err=True)
