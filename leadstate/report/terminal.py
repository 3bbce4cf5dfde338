"""The view for a terminal or a log: changes by account in columns, then what sums up. Reads the document only."""

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from leadstate.core.escape import visible
from leadstate.report.columns import Cell, print_lines, print_rows
from leadstate.report.console import drawn
from leadstate.report.document import Account, Change, Finding, Report
from leadstate.report.wording import (
    SIGN,
    Sentence,
    alone,
    headline,
    local,
    note,
    remarks,
    shown_fields,
    spent,
    value,
    why_deleted,
)

ACTION = {"add": "green", "update": "yellow", "delete": "red"}
_RESULT = {"applied": "green", "failed": "bold red", "skipped": "yellow", "conflict": "magenta", "unknown": "bold red"}
_SEVERITY = {"error": "bold red", "guard": "bold red", "warning": "yellow"}
_TONE = {"plain": "", "good": "green", "bad": "bold red"}
_FIELDS = 1
"""The column that folds where the terminal is narrow: fields are what can be long."""


def to_text(report: Report, *, color: bool, width: int) -> str:
    """The report for people.

    Args:
        report: the document.
        color: whether ANSI styles are written.
        width: columns that lines are folded to.
    """
    return drawn(lambda console: _print(console, report), color=color, width=width)


def _print(console: Console, report: Report) -> None:
    for account in report.accounts:
        _print_account(console, account)
    for finding in report.findings():
        console.print(finding_text(finding))
        console.print()
    first, cost = headline(report), spent(report)
    for line in (Sentence(f"{first.text}  {cost}" if cost else first.text, first.lead, first.tone), *remarks(report)):
        console.print(Text.assemble((line.lead, "bold"), (line.text, _TONE[line.tone])))


def _print_account(console: Console, account: Account) -> None:
    console.print(Text.assemble((visible(account.account), "bold"), "  ", (visible(account.company), "dim")))
    if account.changes:
        print_rows(console, [row for one in account.changes for row in _rows(account, one)], folds=_FIELDS)
    elif not account.diagnostics:
        console.print("  no changes", style="dim")
    print_lines(console, _unfinished(account))
    print_lines(console, ([(f"  {line}", "dim")] for line in alone(account)))
    console.print()


def _rows(account: Account, change: Change) -> Iterator[tuple[Cell, Cell, Cell, Cell]]:
    name = [(f"  {SIGN[change.action]} {local(account, change.address)}", ACTION[change.action])]
    place = [(visible(str(change.source)), "dim")] if change.source else []
    first, *more = _fields(change)
    yield name, first, place, _note(change)
    for field in more:
        yield [], field, [], []


def _fields(change: Change) -> list[Cell]:
    if change.action == "delete":
        return [[(why_deleted(change), "")]]
    shown = shown_fields(change)
    width = max((len(one.path) for one in shown), default=0)
    lines: list[Cell] = []
    for one in shown:
        path = f"{visible(one.path):{width}}  "
        before = [] if change.action == "add" else [(value(one.before), "dim"), (" → ", "")]
        lines.append([(path, ""), *before, (value(one.after), "")])
    return lines or [[]]


def _note(change: Change) -> Cell:
    said = note(change)
    if not change.result:
        return [(said, "")]
    return [(f"{said}  " if said else "", ""), (change.result.status, _RESULT[change.result.status])]


def _unfinished(account: Account) -> Iterator[Cell]:
    """Why a change was not made."""
    for change in account.changes:
        if change.result and change.result.status != "applied":
            about = f"  {change.result.status}: {local(account, change.address)}: "
            yield [(about, _RESULT[change.result.status]), (visible(change.result.detail), "")]


def finding_text(one: Finding) -> Text:
    """A finding for people: what, where, and the cure."""
    text = Text.assemble((f"{one.severity}[{one.code}]", _SEVERITY[one.severity]), " ")
    if place := one.address or one.account:
        text.append(f"{visible(place)}: ")
    text.append(visible(one.summary), "bold")
    if one.source:
        text.append(f"\n  --> {visible(one.source.file)}:{one.source.line}:{one.source.column}", "dim")
    for block in (one.excerpt, one.detail):
        for line in block.splitlines():
            text.append(f"\n  {visible(line)}")
    if one.hint:
        text.append("\n  = ").append(visible(one.hint), "cyan")
    return text
