"""The view for a terminal or a log: changes by account in columns, then what sums up. Reads the document only."""

import sys
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.text import Text

from leadstate.model.diagnostics import ALLOWED, some
from leadstate.model.escape import visible
from leadstate.report.document import Account, Change, Report
from leadstate.report.formats.console import GAP, Cell, cell_width, draw, fit, print_folded, print_rows
from leadstate.report.formats.grouping import Block, ChangeGroup, DiagnosticGroup, group_changes, group_report
from leadstate.report.formats.wording import (
    FEW,
    LONGEST_VALUE,
    SIGN,
    Sentence,
    headline,
    how_many,
    is_all,
    merge_texts,
    names,
    note,
    places,
    remarks,
    shown_fields,
    spent,
    where,
    why_deleted,
    without_correlation,
)

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
    """Return the report for people.

    Args:
        report: the document.
        color: whether ANSI styles are written.
        width: columns that lines are folded to.
        verbose: whether each account, change and diagnostic is shown by itself, and no value is cut.
    """
    return draw(lambda console: _print(console, report, verbose=verbose), color=color, width=width)


def _print(console: Console, report: Report, *, verbose: bool) -> None:
    view = group_report(report, verbose=verbose)
    longest = sys.maxsize if verbose else LONGEST_VALUE
    for block in view.blocks:
        _print_block(console, block, view.total, longest)
    unchanged = view.unchanged and not is_all(view.unchanged, view.total)  # then the last line says it
    if unchanged:
        console.print(f"No changes in {where(view.unchanged, view.total)}.", style="dim")
    print_folded(console, ([(line, "dim")] for line in view.untouched))
    if unchanged or view.untouched:
        console.print()
    # After an apply a guard that was lifted is no news.
    done = any(change.result for account in report.accounts for change in account.changes)
    for diagnostics in view.diagnostics:
        if not (done and diagnostics.first.hint == ALLOWED):
            console.print(diagnostic_text(diagnostics))
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
        _print_changes(console, block.groups, longest)
    elif not account.diagnostics:
        console.print("  no changes", style="dim")
    untouched: Sequence[Cell] = [[(line, "dim")] for line in block.untouched]
    print_folded(console, [*_unfinished(block), *untouched], indent=2)
    console.print()


def change_text(report: Report, account: Account, change: Change, *, color: bool, width: int) -> str:
    """Return one change of a plan as the plan shows it, no value cut."""
    group = group_changes([(account, change)], report)
    return draw(lambda console: _print_changes(console, [group], sys.maxsize), color=color, width=width)


def _print_changes(console: Console, groups: Sequence[ChangeGroup], longest: int) -> None:
    rows = [row for group in groups for row in _rows(group, longest)]
    if not fit(console.width, rows, folds=_FIELDS):
        rows = list(_stacked(rows, console.width))
    print_rows(console, rows, folds=_FIELDS, hangs=(0, _FIELDS))


def _rows(group: ChangeGroup, longest: int) -> Iterator[Sequence[Cell]]:
    """Yield a row for each field of a change: the name, the field, the place and the note."""
    change = group.change
    style = ACTION[change.action]
    shown = shown_fields(change, group.known, longest)
    width = max((len(path) for path, *_ in shown), default=0)
    fields: list[Cell] = [[(why_deleted(change), "")]] if change.action == "delete" else []
    for path, before, after in shown:
        old = [(before, "dim"), (" → ", "")] if change.action == "update" else []
        fields.append([(f"{path:{width}}  ", ""), *old, (after, "")])
    about = note(change)
    beside = [(about, "")]
    if change.result:
        beside = [(f"{about}  ".lstrip(), ""), (change.result.status, _RESULT[change.result.status])]
    first, *more = fields or [[]]
    yield [(f"  {SIGN[change.action]} ", style), (group.name, style)], first, [(places(group.places), "dim")], beside
    for field in more:
        yield [], field, [], []


def _stacked(rows: Sequence[Sequence[Cell]], width: int) -> Iterator[Sequence[Cell]]:
    """Yield the same rows for a narrow terminal: note and place stand below the fields, on one line if they fit it."""
    room = width - GAP - max(cell_width(name) for name, *_ in rows)
    below: list[Cell] = []
    for name, field, place, beside in rows:
        if name:
            yield from ([[], line] for line in below)
            below = [line for line in (beside, place) if cell_width(line)]
            if len(below) > 1 and cell_width(beside) + GAP + cell_width(place) <= room:
                below = [[*beside, (" " * GAP, ""), *place]]
        yield name, field
    yield from ([[], line] for line in below)


def _unfinished(block: Block) -> Iterator[Cell]:
    """Yield why changes were not made, a line for each reason."""
    equal: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for group in block.groups:
        for _, change in group.members:
            if (result := change.result) and result.status != "applied":
                words = without_correlation(result.detail)
                equal.setdefault((result.status, words), []).append((group.name, result.detail))
    for (status, _), members in equal.items():
        count = len(members)
        about = f"{count:,} {status}: " if count > 1 else f"{status}: {members[0][0]}: "
        yield [(about, _RESULT[status]), (visible(merge_texts(detail for _, detail in members)), "")]


def diagnostic_text(group: DiagnosticGroup, most: int = FEW) -> Text:
    """Return a diagnostic for people: what, where (no more than `most` of the accounts and places), and the fix."""
    first = group.first
    text = Text.assemble((f"{first.severity}[{first.code}]", _SEVERITY[first.severity]), " ")
    if group.about:
        text.append(f"{visible(some(group.about, most))}: ")
    text.append(visible(first.summary), "bold")
    for source in group.sources[:most]:
        text.append(f"\n  --> {visible(str(source))}", "dim")
    for block in (first.excerpt, first.detail):
        for line in block.splitlines():
            text.append(f"\n  {visible(line)}")
    if first.hint:
        text.append("\n  = ").append(visible(first.hint), "cyan")
    return text
