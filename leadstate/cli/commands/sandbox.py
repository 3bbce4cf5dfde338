"""`leadstate sandbox`: the embedded Pipedrive on a loopback port."""

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
@options.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="0 takes a free one.")
@options.option(
    "--seed",
    default="fresh",
    show_default=True,
    metavar="NAME|FILE",
    help="What it holds at first: empty, fresh, drifted, or a JSON file.",
)
@options.option("--db", type=click.Path(dir_okay=False, path_type=Path), help="Keep the state in this SQLite file.")
@options.option(
    "--latency", type=click.IntRange(min=0), default=0, show_default=True, metavar="MS", help="Wait before each answer."
)
@options.option(
    "--jitter",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    metavar="MS",
    help="Wait up to so much longer, by chance.",
)
@options.option("--burst", type=click.IntRange(min=1), metavar="N", help="Requests in 2 s.  [default: as the plan has]")
@options.option(
    "--daily", type=click.IntRange(min=1), metavar="N", help="Rate-limit tokens a day.  [default: as above]"
)
@options.option(
    "--lag",
    type=click.IntRange(0, 10_000),
    default=0,
    show_default=True,
    metavar="N",
    help="Show a change in lists only after N further requests; an object read by its id is current.",
)
@options.option("--fault", "specs", multiple=True, metavar="SPEC", help="What goes wrong; see above. May be repeated.")
def sandbox(
    *,
    port: int,
    seed: str,
    db: Path | None,
    latency: int,
    jitter: int,
    burst: int | None,
    daily: int | None,
    lag: int,
    specs: tuple[str, ...],
) -> int:
    """Serve an embedded Pipedrive: leads, labels and limits as the real one documents them, on loopback only.

    It prints its address, its token, and an `accounts:` block to copy. State is in memory unless --db names a file.

    A --fault makes requests go wrong: KIND[:OPERATION][@N][*[TIMES]], such as 'lost:addLead@2*3': of the requests of
    this operation (an id of Pipedrive's API description; any, if left out) those from the N-th on (1), so many in a
    row (1; without end for a * alone). Quote it where your shell expands *. GET, PUT and DELETE /_sandbox/faults
    read, replace and end faults while it runs. Kinds:

    \b
    error-before  503, and nothing was done
    error-after   503, though it was done
    rate-limited  429, as of a full burst window; nothing was done
    reset         connection reset, and nothing was done
    lost          connection closed without an answer, though it was done
    cut           connection closed in the middle of the answer; it was done
    short-page    a page of leads that lacks a row and says that more follow
    shield        403 with an HTML page; nothing was done
    html          200 with an HTML page; nothing was done

    \b
    Examples:  leadstate sandbox
               leadstate sandbox --seed drifted --port 0
               leadstate sandbox --fault 'lost:addLead' --latency 200

    """
    embedded = load_sandbox()
    try:
        faults = [embedded.fault_of(spec) for spec in specs]
    except embedded.FaultError as failure:
        raise click.BadParameter(str(failure), param_hint="--fault") from None
    try:
        made = embedded.Sandbox(
            seed,
            db=db,
            latency=latency / 1000,
            jitter=jitter / 1000,
            burst=burst or "plan",
            daily=daily or "plan",
            faults=faults,
            lag=lag,
        )
    except (embedded.SeedError, embedded.StoreError) as failure:
        raise click.ClickException(str(failure)) from None
    where = f"State in {db}" if db else "State in memory"

    def ready(url: str) -> None:
        click.echo(_BANNER.format(url=url, where=where))
        click.echo(accounts_block(url, made.companies))

    try:
        embedded.serve(made.app, port=port, ready=ready)
    finally:
        made.close()
    return Exit.FINE


def load_sandbox() -> ModuleType:
    """The sandbox package; a message where its extra is not installed."""
    try:
        import uvicorn  # noqa: F401, PLC0415  only asked whether it is there

        from leadstate import sandbox as embedded  # noqa: PLC0415  an extra
    except ImportError as missing:
        raise click.ClickException(f"the sandbox needs {missing.name}: pip install 'leadstate[sandbox]'") from None
    return embedded


def accounts_block(url: str, companies: Sequence[Any]) -> str:
    """Return shell lines and YAML to copy, an account for each company.

    Several companies have one address here, so each account says which one it is.
    """
    several = len(companies) > 1
    variables = [f"PIPEDRIVE_TOKEN_{i}" if several else "PIPEDRIVE_TOKEN" for i in range(1, len(companies) + 1)]
    exports = [f"export {name}={company.token}" for name, company in zip(variables, companies, strict=True)]
    yaml = ["accounts:"]
    for name, company in zip(variables, companies, strict=True):
        yaml += [f"  {company.domain}:", f"    url: {url}", f"    token: {{env: {name}}}"]
        yaml += [f"    company_id: {company.id}"] if several else []
    return "\n".join([*exports, "", *yaml]) + "\n"
