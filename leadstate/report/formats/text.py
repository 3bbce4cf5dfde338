"""The view for a terminal or a log: changes by account in columns, then what sums up. Reads the document only."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rich.console import Console
from rich.text import Text

from leadstate.model.diagnostics import ALLOWED
from leadstate.model.escape import visible
from leadstate.report.document import Account, Change, Diagnostic, Report
from leadstate.report.formats.console import Cell, drawn, print_lines, print_rows
from leadstate.report.formats.wording import (
    SIGN,
    Sentence,
    headline,
    local,
    note,
    remarks,
    shown_fields,
    spent,
    untouched_lines,
    value,
    why_deleted,
)

ACTION = {"add": "green", "update": "yellow", "delete": "red"}
_RESULT = {"applied": "green", "failed": "bold red", "skipped": "yellow", "conflict": "magenta", "unknown": "bold red"}
_SEVERITY = {"error": "bold red", "guard": "bold red", "warning": "yellow"}
_TONE = {"plain": "", "good": "green", "bad": "bold red"}
_NAMED = 3
"""Objects and places that are named of those that one diagnostic is about."""
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
    for diagnostics in _grouped(report):
        console.print(findings_text(diagnostics))
        console.print()
    first, cost = headline(report), spent(report)
    for line in (Sentence(f"{first.text}  {cost}" if cost else first.text, first.lead, first.tone), *remarks(report)):
        console.print(Text.assemble((line.lead, "bold"), (line.text, _TONE[line.tone])))


def _print_account(console: Console, account: Account) -> None:
    console.print(Text.assemble((visible(account.account), "bold"), "  ", (visible(account.company), "dim")))
    if account.changes:
        print_rows(console, [row for change in account.changes for row in _rows(account, change)], folds=_FIELDS)
    elif not account.diagnostics:
        console.print("  no changes", style="dim")
    print_lines(console, _unfinished(account))
    print_lines(console, ([(f"  {line}", "dim")] for line in untouched_lines(account)))
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
    width = max((len(field.path) for field in shown), default=0)
    lines: list[Cell] = []
    for field in shown:
        path = f"{visible(field.path):{width}}  "
        before = [] if change.action == "add" else [(value(field.before), "dim"), (" → ", "")]
        lines.append([(path, ""), *before, (value(field.after), "")])
    return lines or [[]]


def _note(change: Change) -> Cell:
    said = note(change)
    if not change.result:
        return [(said, "")]
    return [(f"{said}  " if said else "", ""), (change.result.status, _RESULT[change.result.status])]


def _unfinished(account: Account) -> Iterator[Cell]:
    """Why changes were not made; what several have in common is one line."""
    alike: dict[tuple[str, str], list[Change]] = {}
    for change in account.changes:
        if change.result and change.result.status != "applied":
            alike.setdefault((change.result.status, change.result.detail), []).append(change)
    for (status, detail), changes in alike.items():
        many = len(changes) > 1
        about = f"  {len(changes):,} {status}: " if many else f"  {status}: {local(account, changes[0].address)}: "
        yield [(about, _RESULT[status]), (visible(detail), "")]


def _grouped(report: Report) -> Iterator[list[Diagnostic]]:
    """Diagnostics, equal ones of different objects together. After an apply a guard that was lifted is no news."""
    done = any(change.result for account in report.accounts for change in account.changes)
    alike: dict[Diagnostic, list[Diagnostic]] = {}
    for diagnostic in report.all_diagnostics():
        if not (done and diagnostic.hint == ALLOWED):
            alike.setdefault(replace(diagnostic, account=None, address=None, source=None), []).append(diagnostic)
    yield from alike.values()


def finding_text(diagnostic: Diagnostic) -> Text:
    """A diagnostic for people: what, where, and the fix."""
    return findings_text([diagnostic])


def findings_text(diagnostics: Sequence[Diagnostic]) -> Text:
    """Diagnostics that say the same of different objects."""
    first = diagnostics[0]
    text = Text.assemble((f"{first.severity}[{first.code}]", _SEVERITY[first.severity]), " ")
    places = list(
        dict.fromkeys(place for diagnostic in diagnostics if (place := diagnostic.address or diagnostic.account))
    )
    if places:
        text.append(f"{visible(_first(places))}: ")
    text.append(visible(first.summary), "bold")
    sources = dict.fromkeys(diagnostic.source for diagnostic in diagnostics if diagnostic.source)
    for source in list(sources)[:_NAMED]:
        text.append(f"\n  --> {visible(source.file)}:{source.line}:{source.column}", "dim")
    for block in (first.excerpt, first.detail):
        for line in block.splitlines():
            text.append(f"\n  {visible(line)}")
    if first.hint:
        text.append("\n  = ").append(visible(first.hint), "cyan")
    return text


def _first(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
