"""Asks before something is changed, or about each change (`--interactive`).

Only `yes` will be accepted, and without a terminal nobody can be asked.
"""

import select
import sys
from collections.abc import Mapping
from dataclasses import replace
from itertools import chain
from typing import TypeAlias

import click

from leadstate.api.results import Plan
from leadstate.cli.interrupts import (
    NOTHING_CHANGED,
    Interrupted,
    is_interrupted,
    on_signals,
    raise_interrupt,
    signal_socket,
)
from leadstate.cli.output import columns, wants_color
from leadstate.engine.apply.execute import decline, stages
from leadstate.kinds import with_calls
from leadstate.model.address import Address
from leadstate.model.diagnostics import counted
from leadstate.model.escape import visible
from leadstate.model.plan import AccountPlan, Change
from leadstate.reconcile.dependencies import dependents
from leadstate.report import document as doc
from leadstate.report.document import Requests
from leadstate.report.formats.text import change_text
from leadstate.report.formats.wording import cost_text


def can_ask() -> bool:
    """Return whether somebody is there who could answer."""
    return sys.stdin is not None and sys.stdin.isatty()


def agreed(question: str, *, deed: str, show: str = "") -> bool:
    """Return whether a person says yes; say so on stderr where the answer is no.

    Args:
        question: what is asked.
        deed: what is done after a yes, and by `--auto-approve` without asking: `apply`.
        show: what has to be seen before one can answer.

    Raises:
        Interrupted: a signal came instead of an answer.
    """
    if not can_ask():
        click.echo(
            f"Nothing was changed: there is no terminal to ask on. Pass --auto-approve to {deed} without asking.",
            err=True,
        )
        return False
    if ask(f"{show}{question} Only 'yes' will be accepted: ").strip() == "yes":
        return True
    say_cancelled(deed)
    return False


def ask(question: str) -> str:
    """Return the line that a person answers; empty, without its end of line, where the input has ended.

    Raises:
        Interrupted: a signal came instead of an answer.
    """
    # Reading holds up the event loop, so a signal raises here.
    with on_signals(raise_interrupt), signal_socket() as bell:
        if is_interrupted():
            raise Interrupted(NOTHING_CHANGED)
        try:
            click.echo(question, nl=False, err=True, color=True)
            if bell is not None:
                select.select([sys.stdin, bell], [], [])
            return sys.stdin.readline()  # `click.prompt` would write to stdout, which holds the report alone
        except KeyboardInterrupt:
            click.echo(err=True)
            raise Interrupted(NOTHING_CHANGED) from None


def say_cancelled(deed: str) -> None:
    """Write to stderr that nobody agreed to anything."""
    click.echo(f"{deed.capitalize()} cancelled. {NOTHING_CHANGED.partition('. ')[2]}", err=True)


Answers: TypeAlias = Mapping[Address, tuple[Change, bool]]
"""The changes that have an answer, and whether it is yes."""

_HELP = """
Answer yes, no, all (yes to the rest of the account) or quit (no to the rest).
Nothing is written before the last answer."""


def choose(plan: Plan, color: str, before: Answers) -> tuple[Answers, set[Address]] | None:
    """Ask about each change, in the order in which they are made, and say what was agreed to and what that costs.

    A change that needs a declined one is not asked about: it is declined too.

    Args:
        plan: the plan, which was shown.
        color: how changes are shown.
        before: answers to an earlier plan; they count for changes that are the same.

    Returns:
        The answers and the changes that were declined; None if none was agreed to, or the input has ended before the
        last answer.

    Raises:
        Interrupted: a signal came instead of an answer.
    """
    click.echo(_HELP, err=True)
    questions = _Questions(plan.report, color, before)
    accounts = {account.account: account for account in plan.report.accounts}
    parts = [part for part in plan.plans if part.applyable]
    try:
        for part in parts:
            questions.ask_account(part, accounts[part.account])
    except EOFError:
        click.echo(err=True)
        return None
    declined = {address for address, (_, agreed) in questions.answers.items() if not agreed}
    left = [
        replace(part, changes=with_calls(change for change in part.changes if change.address not in ends))
        for part, ends in ((part, decline(part, declined)) for part in parts)
    ]
    count = sum(len(part.changes) for part in left)
    if not count:
        return None
    requests, tokens = (sum(part.forecast[which] for part in left) for which in (0, 1))
    cost = cost_text(Requests(requests=requests, tokens=tokens))
    of = counted(sum(len(part.changes) for part in parts), "change")
    click.echo(f"\n{count:,} of {of} will be made: {cost}.", err=True)
    return questions.answers, declined


class _Questions:
    def __init__(self, report: doc.Report, color: str, before: Answers) -> None:
        self.answers: dict[Address, tuple[Change, bool]] = {}
        self._report = report
        self._color = color
        self._before = before
        self._quit = False

    def ask_account(self, plan: AccountPlan, account: doc.Account) -> None:
        rows = {row.address: row for row in account.changes}
        declined: set[Address] = set()
        followers: Mapping[Address, Address] = {}
        everything = named = False
        for change in chain.from_iterable(stages(plan)):
            if change.address in followers:
                continue
            known, agreed = self._before.get(change.address, (None, False))
            if self._quit or everything or known == change:
                agreed = agreed if known == change else everything
            else:
                if not named:
                    click.echo(f"\n{visible(account.account)}  {visible(account.company)}", err=True)
                    named = True
                answer = self._ask(account, rows[str(change.address)])
                self._quit, everything = answer == "quit", answer == "all"
                agreed = answer in ("yes", "all")
            self.answers[change.address] = change, agreed
            if not agreed:
                declined.add(change.address)
                more = dependents(plan.changes, declined)
                for address, needed in more.items():
                    if address not in followers and not self._quit:
                        words = f"  {visible(str(address.ref))} is declined too: it needs {visible(str(needed.ref))}."
                        click.echo(words, err=True)
                followers = more

    def _ask(self, account: doc.Account, change: doc.Change) -> str:
        """Return yes, no, all or quit; their first letters do as well."""
        color = wants_color(self._color, err=True)
        shown = change_text(self._report, account, change, color=color, width=columns(err=True))
        click.echo(shown, nl=False, err=True, color=True)
        while True:
            line = ask("  Apply this change? yes, no, all or quit: ")
            if not line:
                raise EOFError
            typed = line.strip().lower()
            for word in ("yes", "no", "all", "quit"):
                if typed in (word, word[0]):
                    return word
