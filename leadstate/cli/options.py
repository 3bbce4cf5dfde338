"""Options that several commands share. Every option also reads `LEADSTATE_<OPTION>` (spec section 5)."""

import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from leadstate.cli import HIDDEN, VERBOSE
from leadstate.cli.completion import complete_accounts, complete_addresses, complete_guards
from leadstate.reconcile.guards import GUARDS

if TYPE_CHECKING:
    from leadstate.api.session import Runtime
    from leadstate.config import Configuration
    from leadstate.config.yaml.diagnostics import Source

F = TypeVar("F", bound=Callable[..., Any])


def runtime() -> "Runtime":
    """Return the current run's surroundings; tests put their own into click's context."""
    from leadstate.api.session import Runtime  # noqa: PLC0415  not needed for help

    return click.get_current_context().find_object(Runtime) or Runtime()


def load_configuration(
    paths: Sequence[Path], accounts: Sequence[str], sources: "Sequence[Source] | None" = None
) -> "Configuration":
    """Read the configuration and its lock file, within what the environment allows.

    Args:
        paths: files and folders.
        accounts: which accounts to keep.
        sources: the files, where they have been read already: a pipe can be read once.

    Raises:
        ConfigurationError: with all that is wrong with it.
        LockError: the lock file cannot be read.
        TrustError: a variable that limits hosts or sources is malformed.
    """
    from leadstate.api.configuration import load, lock_file, with_lock  # noqa: PLC0415  not needed for help
    from leadstate.config import Trust  # noqa: PLC0415  as above
    from leadstate.config.loader import understand  # noqa: PLC0415  as above
    from leadstate.config.yaml.diagnostics import Diagnostics  # noqa: PLC0415  as above

    trust = Trust.of(os.environ)
    if sources is None:
        return load(paths, accounts, trust)
    return with_lock(understand(sources, accounts, Diagnostics(), trust=trust), lock_file(paths))


class Option(click.Option):
    """An option with its environment variable named after its long form."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.envvar is None:
            longest = max(self.opts, key=len)
            self.envvar = "LEADSTATE_" + longest.lstrip("-").replace("-", "_").upper()


class OutputFile(click.Path):
    """A file for the result, which is checked to be writable before anything is done."""

    def __init__(self) -> None:
        super().__init__(dir_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path; OutputError where it cannot be written."""
        from leadstate.cli.output import check_writable  # noqa: PLC0415  loads the renderers, which `schema` needs not

        path = Path(str(super().convert(value, param, ctx)))
        check_writable(path)
        return path


def _split_guards(_ctx: click.Context, _param: click.Parameter, values: Sequence[str]) -> tuple[str, ...]:
    """Return guards that are given one by one, or with commas between; raise a usage error for an unknown one."""
    codes = tuple(code.strip() for value in values for code in value.split(","))
    for code in codes:
        if code not in GUARDS:
            raise click.BadParameter(f"{code!r} is not one of {', '.join(map(repr, GUARDS))}.")
    return codes


def _set_log_level(_ctx: click.Context, _param: click.Parameter, value: str) -> None:
    """Set the level of our own loggers alone: those of the HTTP libraries could log secrets."""
    logger = logging.getLogger("leadstate")
    if not logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
        logger.addHandler(handler)
    logger.propagate = False
    logger.setLevel(value.upper())


def option(*names: str, **settings: Any) -> Callable[[F], F]:
    """`click.option` with an environment variable."""
    return click.option(*names, cls=Option, **settings)


def combine(*options: Callable[[Any], Any]) -> Callable[[F], F]:
    """Return several options as one decorator; help shows them in this order."""

    def decorate(command: F) -> F:
        for add in reversed(options):
            command = add(command)
        return command

    return decorate


configuration = combine(
    option(
        "-c",
        "--config",
        "paths",
        multiple=True,
        default=(Path("leadstate.yaml"),),
        type=click.Path(path_type=Path),
        metavar="PATH",
        help="Configuration file or folder; may be repeated.  [default: leadstate.yaml]",
    ),
    option(
        "-a",
        "--account",
        "accounts",
        multiple=True,
        metavar="NAME|tag:TAG",
        shell_complete=complete_accounts,
        help="Only this account, or those with this tag; may be repeated.",
    ),
)

progress = option(
    "--no-progress",
    is_flag=True,
    expose_value=False,
    callback=lambda context, _parameter, value: context.meta.update({HIDDEN: value}),
    help="Hide progress.",
)
"""For runs that may be long."""

verbose = option(
    "--verbose",
    is_flag=True,
    expose_value=False,
    callback=lambda context, _parameter, value: context.meta.update({VERBOSE: value}),
    help="Show each account, change and diagnostic by itself, and values in full.",
)
"""For reports that people read."""

guards = combine(
    option(
        "--allow",
        multiple=True,
        callback=_split_guards,
        shell_complete=complete_guards,
        metavar="GUARD[,GUARD]",
        help=f"Lift guards for this run: {', '.join(GUARDS)}; may be repeated.",
    ),
    option(
        "--max-tokens",
        type=click.IntRange(min=0),
        metavar="N",
        help="Refuse an apply that costs more rate-limit tokens in one account.",
    ),
    option(
        "--reserve",
        type=click.IntRange(0, 100),
        default=0,
        metavar="PERCENT",
        help="Refuse an apply that leaves less of the company's daily rate-limit tokens, where the server tells them.",
    ),
    progress,
)
"""What lifts or sets a guard for one run, and `--no-progress`."""

targets = option(
    "--target",
    "targets",
    multiple=True,
    metavar="ADDRESS",
    shell_complete=complete_addresses,
    help="Only this object: label:Hot, or emea/label:Hot; may be repeated.",
)

planning = combine(
    targets,
    option(
        "--impact",
        type=click.Choice(["none", "live", "full"]),
        default="live",
        show_default=True,
        help="Count what uses a deleted label: nothing, live leads, or archived leads and saved filters too. The live "
        "leads of a label that is merged are counted in any case.",
    ),
    guards,
    option(
        "--shard", metavar="K/N", help="Only the K-th of N parts of the accounts; `show` puts their reports together."
    ),
    option(
        "--stats",
        is_flag=True,
        help="Write to stderr how each account was read and why, and its requests by operation.",
    ),
)
"""What `plan` and `apply` share."""

approval = combine(
    option("--auto-approve", is_flag=True, help="Do not ask."),
    option("--interactive", is_flag=True, help="Ask about each change: yes, no, all of its account, or quit."),
    option(
        "--events",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Write events to a new file as they happen, one JSON object a line.",
    ),
    option(
        "--lock-timeout",
        type=click.FloatRange(min=0),
        default=0,
        show_default=True,
        metavar="SECONDS",
        help="Time to wait for another apply or restore of these accounts on this machine.",
    ),
)
"""What stands between a plan and its first write: who is asked about what, waiting for locks, events."""

log_level = option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="warning",
    show_default=True,
    expose_value=False,
    is_eager=True,
    callback=_set_log_level,
    help="What is logged on stderr; debug logs each request with its status.",
)

display = combine(
    option(
        "--color",
        type=click.Choice(["auto", "always", "never"]),
        default="auto",
        show_default=True,
        help="Colour the output; auto does so on a terminal, unless NO_COLOR is set.",
    ),
    log_level,
)


def output(*formats: str) -> Callable[[F], F]:
    """`--format`, `-o/--output`, and how it looks."""
    return combine(
        option(
            "--format",
            "form",
            type=click.Choice(formats),
            default=formats[0],
            show_default=True,
            help="Output format.",
        ),
        display,
        option(
            "-o",
            "--output",
            type=OutputFile(),
            metavar="FILE",
            help="Write what --format gives to a file instead of stdout.",
        ),
    )
