"""`leadstate doctor`: is each account reachable, is the token good, whose is it, what is left of its limits."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import click
from pydantic import ValidationError

from leadstate.cli import options
from leadstate.cli.exits import Exit
from leadstate.cli.interrupts import wait_for
from leadstate.cli.main import COMMANDS
from leadstate.cli.options import load_configuration
from leadstate.cli.output import color_and_width, to_json, write
from leadstate.cli.session import read_accounts
from leadstate.engine.jobs import AccountJob
from leadstate.engine.read.observe import Me
from leadstate.kinds import KINDS
from leadstate.model.diagnostics import SecretError, counted
from leadstate.model.escape import visible
from leadstate.model.resource import CARRIED
from leadstate.pipedrive.client import Reader
from leadstate.pipedrive.connection import Headers
from leadstate.pipedrive.errors import ApiError
from leadstate.pipedrive.operations import GET_ME, Request
from leadstate.report.formats.console import Cell, draw, print_folded

CLOCK_MAY_DIFFER = 60
"""Seconds between our clock and the server's that nothing here would notice."""


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check; `good` is None where it could not be decided."""

    account: str
    check: str
    good: bool | None
    detail: str


@click.command(short_help=COMMANDS["doctor"])
@options.configuration
@options.progress
@options.output("text", "json")
def doctor(*, paths: tuple[Path, ...], accounts: tuple[str, ...], form: str, color: str, output: Path | None) -> int:
    """Check each account (12 tokens): reachable, token valid, company, rights, limits left, clock.

    \b
    Examples:  leadstate doctor
               leadstate doctor -a tag:prod --format json
    """
    now = options.runtime().now
    found, failures = wait_for(
        read_accounts(load_configuration(paths, accounts), lambda job: _examine_account(job, now), any_company=True)
    )
    checks = [check for its_checks in found.values() for check in its_checks]
    for failure in failures:
        what = "token" if failure.code == SecretError.code else "reachable"
        checks.append(Check(failure.account or "", what, good=False, detail=f"{failure.summary}; {failure.hint}"))
    checks.sort(key=lambda check: check.account)
    if form == "json":
        text = to_json([asdict(check) for check in checks])
    else:
        colored, width = color_and_width(color, output)
        text = _text(checks, color=colored, width=width)
    write(text, output)
    return Exit.ERROR if any(check.good is False for check in checks) else Exit.FINE


def _text(checks: list[Check], *, color: bool, width: int) -> str:
    sign = {True: ("ok", "green"), False: ("FAIL", "red"), None: ("?", "yellow")}
    lines: list[Cell] = []
    for check in checks:
        word, style = sign[check.good]
        before, after = f"{visible(check.account)}  ", f"  {check.check:9}  "
        lines.append([(before, ""), (f"{word:4}", style), (after, ""), (visible(check.detail), "")])
    return draw(lambda console: print_folded(console, lines, hangs=3), color=color, width=width)


async def _examine_account(work: AccountJob, now: Callable[[], dt.datetime]) -> list[Check]:
    account, reader = work.account, Reader(work.connection)
    name = account.name
    try:
        me = Me.model_validate((await reader.get(Request(GET_ME))).data)
    except ApiError as failure:
        if failure.operation != GET_ME.id:  # there is no access token, so the account was not asked
            return [Check(name, "token", good=False, detail=f"{failure}; {failure.hint}")]
        reached = failure.status is not None
        return [
            Check(name, "reachable", good=reached, detail=account.origin if reached else f"{failure}; {failure.hint}"),
            *([Check(name, "token", good=False, detail=f"{failure}; {failure.hint}")] if reached else []),
        ]
    except ValidationError:
        return [Check(name, "reachable", good=False, detail=f"{account.origin} does not answer as Pipedrive does")]
    company = f"{me.company_name} ({me.company_domain}, id {me.company_id})"
    right = account.company_id in (None, me.company_id)
    return [
        Check(name, "reachable", good=True, detail=account.origin),
        Check(name, "token", good=True, detail=f"belongs to {me.name}; {work.connection.signer.words}"),
        Check(name, "company", good=right, detail=company if right else f"{company}, not {account.company_id}"),
        await _rights(name, me, reader),
        *_limits(name, reader.headers),
        _clock(name, reader.server_time, now()),
    ]


async def _rights(name: str, me: Me, reader: Reader) -> Check:
    """Check the rights: without those of an admin, some leads may be hidden from every listing."""
    try:
        labels = (await reader.get(Request(KINDS[CARRIED].listing))).all_rows()
    except ApiError as failure:
        return Check(name, "rights", good=False, detail=f"{failure}; {failure.hint}")
    who = "an admin" if me.admin else "no admin: leads that this user may not see are invisible to leadstate too"
    return Check(
        name, "rights", good=True if me.admin else None, detail=f"reads {counted(len(labels), 'label')}; {who}"
    )


def _limits(name: str, headers: Headers) -> Iterator[Check]:
    for what, prefix in (("burst", "x-ratelimit"), ("today", "x-daily-ratelimit-token")):
        left, limit = headers.get(f"{prefix}-remaining"), headers.get(f"{prefix}-limit")
        unit = "requests left in the window" if what == "burst" else "rate-limit tokens left"
        if left is None:
            yield Check(name, what, good=None, detail="the server does not say")
        else:
            yield Check(name, what, good=left.strip() != "0", detail=f"{left} of {limit or '?'} {unit}")


def _clock(name: str, there: dt.datetime | None, here: dt.datetime) -> Check:
    if there is None:
        return Check(name, "clock", good=None, detail="the server does not say")
    apart = abs((here - there).total_seconds())
    return Check(name, "clock", good=apart <= CLOCK_MAY_DIFFER, detail=f"{apart:.0f} s apart from the server's")
