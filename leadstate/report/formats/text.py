"""The view for a terminal or a log: changes by account in columns, then what sums up. Reads the document only."""

import sys
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.text import Text

from leadstate.model.diagnostics import ALLOWED, some
from leadstate.model.escape import visible
from leadstate.report.document import Account, Change, Diagnostic, Report
from leadstate.report.formats.console import GAP, Cell, cell_width, drawn, lack, print_folded, print_rows
from leadstate.report.formats.wording import (
    FEW,
    LONGEST_VALUE,
    SIGN,
    Sentence,
    headline,
    how_many,
    is_all,
    local,
    names,
    note,
    places,
    remarks,
    shown_fields,
    side,
    spent,
    untouched_lines,
    why_deleted,
)
from leadstate.report.grouping import Block, ChangeGroup, DiagnosticGroup, grouped, single

ACTION = {"add": "green", "update": "yellow", "delete": "red"}
_RESULT = {
    "applied": "green",
    "failed": "bold red",
    "skipped": "yellow",
    "conflict": "magenta",
    "unknown": "bold red",
    "declined": "dim",
}
_SEVERITY = {"error": "bold red", "guard": "bold red", "warning": "yellow"}
_TONE = {"plain": "", "good": "green", "bad": "bold red"}
_FIELDS = 1
"""The column that folds where the terminal is narrow: fields are what can be long."""


def to_text(report: Report, *, color: bool, width: int, verbose: bool = False) -> str:
    """The report for people.

    Args:
        report: the document.
        color: whether ANSI styles are written.
        width: columns that lines are folded to.
        verbose: whether each account, change and diagnostic is shown by itself, and no value is cut.
    """
    return drawn(lambda console: _print(console, report, verbose=verbose), color=color, width=width)


def _print(console: Console, report: Report, *, verbose: bool) -> None:
    view = grouped(report, verbose=verbose)
    longest = sys.maxsize if verbose else LONGEST_VALUE
    for block in view.blocks:
        _print_block(console, block, view.total, longest)
    unchanged = view.unchanged and not is_all(view.unchanged, view.total)  # then the last line says it
    if unchanged:
        console.print(f"No changes in {_where(view.unchanged, view.total)}.", style="dim")
    print_folded(console, ([(line, "dim")] for line in untouched_lines(view.untouched, view.total)))
    if unchanged or view.untouched:
        console.print()
    # After an apply a guard that was lifted is no news.
    done = any(change.result for account in report.accounts for change in account.changes)
    for diagnostics in view.diagnostics:
        if not (done and diagnostics.first.hint == ALLOWED):
            console.print(_diagnostic_text(diagnostics))
            console.print()
    first, cost = headline(report), spent(report)
    for line in (Sentence(f"{first.text}  {cost}" if cost else first.text, first.lead, first.tone), *remarks(report)):
        console.print(Text.assemble((line.lead, "bold"), (line.text, _TONE[line.tone])))


def _print_block(console: Console, block: Block, total: int, longest: int) -> None:
    account, *others = block.accounts
    head, more = visible(account.account), account.company
    if others:
        head = f"in {how_many(block.accounts, total)}"
        more = "" if is_all(block.accounts, total) else some(names(block.accounts), FEW)
    console.print(Text.assemble((head, "bold"), "  ", (visible(more), "dim")))
    if block.groups:
        _print_changes(console, [row for group in block.groups for row in _rows(account, group, longest)])
    elif not account.diagnostics:
        console.print("  no changes", style="dim")
    print_folded(console, _unfinished(block), indent=2)
    print_folded(console, ([(line, "dim")] for line in untouched_lines(block.untouched)), indent=2)
    console.print()


def change_text(report: Report, account: Account, change: Change, *, color: bool, width: int) -> str:
    """One change of a plan as the plan shows it, no value cut."""
    rows = [*_rows(account, single(report, account, change), sys.maxsize)]
    return drawn(lambda console: _print_changes(console, rows), color=color, width=width)


def _print_changes(console: Console, rows: Sequence[Sequence[Cell]]) -> None:
    if lack(console, rows, folds=_FIELDS):
        rows = list(_stacked(rows, console.width))
    print_rows(console, rows, folds=_FIELDS, hangs=(0, _FIELDS))


def _where(accounts: Sequence[Account], total: int) -> str:
    if len(accounts) <= FEW:
        return visible(", ".join(names(accounts)))
    named = "" if is_all(accounts, total) else f": {visible(some(names(accounts), FEW))}"
    return f"{how_many(accounts, total)}{named}"


def _rows(account: Account, group: ChangeGroup, longest: int) -> Iterator[tuple[Cell, Cell, Cell, Cell]]:
    change = group.change
    name = [
        (f"  {SIGN[change.action]} ", ACTION[change.action]),
        (local(account, change.address), ACTION[change.action]),
    ]
    place = [(where, "dim")] if (where := places(group)) else []
    first, *more = _fields(group, longest)
    yield name, first, place, _note(change)
    for field in more:
        yield [], field, [], []


def _stacked(rows: Sequence[Sequence[Cell]], width: int) -> Iterator[Sequence[Cell]]:
    """The same rows for a narrow terminal: note and place stand below the fields, on one line where they fit it."""
    room = width - GAP - max(cell_width(name) for name, *_ in rows)
    below: list[Cell] = []
    for name, field, place, said in rows:
        if name:
            yield from ([[], line] for line in below)
            below = [line for line in (said, place) if cell_width(line)]
            if len(below) > 1 and cell_width(said) + GAP + cell_width(place) <= room:
                below = [[*said, (" " * GAP, ""), *place]]
        yield name, field
    yield from ([[], line] for line in below)


def _fields(group: ChangeGroup, longest: int) -> list[Cell]:
    change = group.change
    if change.action == "delete":
        return [[(why_deleted(change), "")]]
    shown = shown_fields(change)
    width = max((len(field.path) for field in shown), default=0)
    lines: list[Cell] = []
    for field in shown:
        path = f"{visible(field.path):{width}}  "
        before = (
            [] if change.action == "add" else [(side(group.known, field, field.before, longest), "dim"), (" → ", "")]
        )
        lines.append([(path, ""), *before, (side(group.known, field, field.after, longest), "")])
    return lines or [[]]


def _note(change: Change) -> Cell:
    said = note(change)
    if not change.result:
        return [(said, "")]
    return [(f"{said}  " if said else "", ""), (change.result.status, _RESULT[change.result.status])]


def _unfinished(block: Block) -> Iterator[Cell]:
    """Why changes were not made; what several have in common is one line."""
    alike: dict[tuple[str, str], list[tuple[Account, Change]]] = {}
    for group in block.groups:
        if group.change.result and group.change.result.status != "applied":
            alike.setdefault((group.change.result.status, group.change.result.detail), []).extend(group.members)
    for (status, detail), changes in alike.items():
        many = len(changes) > 1
        (account, change), *_ = changes
        about = f"{len(changes):,} {status}: " if many else f"{status}: {local(account, change.address)}: "
        yield [(about, _RESULT[status]), (visible(detail), "")]


def finding_text(diagnostic: Diagnostic) -> Text:
    """A diagnostic for people: what, where, and the fix."""
    return _diagnostic_text(DiagnosticGroup((diagnostic,)))


def _diagnostic_text(group: DiagnosticGroup) -> Text:
    first = group.first
    text = Text.assemble((f"{first.severity}[{first.code}]", _SEVERITY[first.severity]), " ")
    if group.about:
        text.append(f"{visible(some(group.about, FEW))}: ")
    text.append(visible(first.summary), "bold")
    for source in group.sources[:FEW]:
        text.append(f"\n  --> {visible(source.file)}:{source.line}:{source.column}", "dim")
    for block in (first.excerpt, first.detail):
        for line in block.splitlines():
            text.append(f"\n  {visible(line)}")
    if first.hint:
        text.append("\n  = ").append(visible(first.hint), "cyan")
    return text
