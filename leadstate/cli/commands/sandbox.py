"""`leadstate sandbox`: the embedded Pipedrive on a loopback port."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import click

from leadstate.cli import options
from leadstate.cli.exits import Exit
from leadstate.cli.main import COMMANDS

_BANNER = """\
An embedded Pipedrive, not the real one: {url}
{where}. Stop it with Ctrl-C.
"""


@click.command(short_help=COMMANDS["sandbox"])
@options.option(
    "--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="Port; 0 takes a free one."
)
@options.option(
    "--seed",
    default="fresh",
    show_default=True,
    metavar="NAME|FILE",
    help="Initial state: empty, fresh, drifted, or a JSON file. A --db file with content wins over it.",
)
@options.option("--db", type=click.Path(dir_okay=False, path_type=Path), help="Keep the state in this SQLite file.")
@options.option(
    "--latency",
    type=click.IntRange(0, 600_000),
    default=0,
    show_default=True,
    metavar="MS",
    help="Wait before each answer.",
)
@options.option(
    "--burst",
    type=click.IntRange(min=1),
    metavar="N",
    help="Burst limit: requests in 2 s.  [default: that of the Pipedrive plan]",
)
@options.option(
    "--daily",
    type=click.IntRange(min=1),
    metavar="N",
    help="Rate-limit tokens a day.  [default: those of the Pipedrive plan]",
)
@options.option(
    "--fault",
    "texts",
    multiple=True,
    metavar="KIND[:OPERATION]",
    help="Let one request go wrong; see above. May be repeated.",
)
@options.log_level
def sandbox(
    *,
    port: int,
    seed: str,
    db: Path | None,
    latency: int,
    burst: int | None,
    daily: int | None,
    texts: tuple[str, ...],
) -> int:
    """Serve an embedded Pipedrive: leads, labels and limits as the real one documents them, on loopback only.

    It prints its address, its token, and an `accounts:` block to copy. State is in memory unless --db names a file.

    Each --fault lets the next request go wrong, or the next of one OPERATION (an id of Pipedrive's API description,
    such as addLead), so that you see leadstate retry. Kinds:

    \b
    429   rate limited; nothing was done
    503   service unavailable; nothing was done
    lost  the connection is closed without an answer, though the request was done

    \b
    Examples:  leadstate sandbox
               leadstate sandbox --seed drifted --port 0
               leadstate sandbox --fault 429 --fault lost:addLead --latency 200

    """
    embedded = load_sandbox()
    try:
        faults = [embedded.parse_fault(text) for text in texts]
    except ValueError as failure:
        raise click.BadParameter(str(failure), param_hint="--fault") from None
    try:
        made = embedded.Sandbox(
            seed,
            db=db,
            latency=latency / 1000,
            burst=burst or "plan",
            daily=daily or "plan",
            intercept=embedded.Faults(faults),
        )
    except embedded.SeedError as failure:
        # An error at a place in the document does not say which document.
        raise click.ClickException(f"{seed}: {failure}" if failure.path else str(failure)) from None
    except embedded.StoreError as failure:
        raise click.ClickException(str(failure)) from None
    where = f"State in {db}" if db else "State in memory"
    if made.restored:
        where += ", which has content: --seed is not used"

    def ready(url: str) -> None:
        click.echo(_BANNER.format(url=url, where=where))
        click.echo(accounts_block(url, made.companies))

    try:
        embedded.serve(made.app, port=port, ready=ready)
    except embedded.PortError as failure:
        raise click.ClickException(f"{failure}; name another one with --port, 0 takes a free one") from None
    finally:
        made.close()
    return Exit.FINE


def load_sandbox() -> ModuleType:
    """Return the sandbox package; raise a message if its extra is not installed."""
    try:
        import uvicorn  # noqa: F401, PLC0415  only asked whether it is there

        from leadstate import sandbox as embedded  # noqa: PLC0415  an extra
    except ImportError as missing:
        raise click.ClickException(
            f"the sandbox needs {missing.name}: install leadstate with its extra, leadstate[sandbox]"
        ) from None
    return embedded


def accounts_block(url: str, companies: Sequence[Any]) -> str:
    """Return shell lines and YAML to copy, an account for each company.

    Several companies have one address here, so each account says which one it is.
    """
    if not companies:
        return "There is no company. PUT a seed document to /_sandbox/state, or start with another --seed.\n"
    several = len(companies) > 1
    variables = [f"PIPEDRIVE_TOKEN_{i}" if several else "PIPEDRIVE_TOKEN" for i in range(1, len(companies) + 1)]
    exports = [
        f"export {name}={shlex.quote(company.token)}" for name, company in zip(variables, companies, strict=True)
    ]
    yaml = ["accounts:"]
    for name, company in zip(variables, companies, strict=True):
        yaml += [f"  {company.domain}:", f"    url: {url}", f"    token: {{env: {name}}}"]
        yaml += [f"    company_id: {company.id}"] if several else []
    return "\n".join([*exports, "", *yaml]) + "\n"
