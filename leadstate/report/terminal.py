"""The view for a terminal or a log: a table an account, then one line that sums up. Reads the document only."""

import json
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from leadstate.core.escape import visible
from leadstate.report.console import drawn
from leadstate.report.document import Account, Change, FieldChange, Finding, LeftAlone, Report, Requests, Scalar

_SIGN = {"add": ("+", "green"), "update": ("~", "yellow"), "delete": ("-", "red")}
_RESULT = {"applied": "green", "failed": "bold red", "skipped": "yellow", "conflict": "magenta", "unknown": "bold red"}
_SEVERITY = {"error": "bold red", "guard": "bold red", "warning": "yellow"}
_LONGEST_VALUE = 60

_WHY_ALONE = {
    "not-declared": "not declared; prune: none",
    "not-ours": "not ours",
    "seed": "mode: seed, hands off",
    "archived": "archived; set archived: false to manage",
    "previous-name": "bears a previous name of another label",
    "ambiguous": "several could be meant",
    "changed-since": "changed since by somebody",
    "gone": "not there any more",
}


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
        console.print(_finding(finding))
        console.print()
    for line in _closing(report):
        console.print(line)


def _print_account(console: Console, account: Account) -> None:
    console.print(Text.assemble((visible(account.account), "bold"), "  ", (visible(account.company), "dim")))
    if account.changes:
        table = Table.grid(padding=(0, 3, 0, 0))
        for what in ("address", "fields", "place", "note"):
            # Only fields are folded where the terminal is narrow: they are what can be long.
            table.add_column(overflow="fold", no_wrap=what != "fields")
        for change in account.changes:
            for row in _rows(account, change):
                table.add_row(*row)
        console.print(table)
    elif not account.diagnostics:
        console.print("  no changes", style="dim")
    for change in account.changes:
        if change.result and change.result.status != "applied":
            style = _RESULT[change.result.status]
            label = f"  {change.result.status}: {_local(account, change.address)}: "
            console.print(Text.assemble((label, style), visible(change.result.detail)))
    for line in _alone(account):
        console.print(f"  {line}", style="dim")
    console.print()


def _rows(account: Account, change: Change) -> Iterator[tuple[Text, Text, Text, Text]]:
    sign, style = _SIGN[change.action]
    name = Text(f"  {sign} {_local(account, change.address)}", style)
    place = Text(visible(str(change.source)) if change.source else "", "dim")
    note = _note(change)
    fields: list[Text] = list(_fields(change))
    yield name, fields[0] if fields else Text(), place, note
    for field in fields[1:]:
        yield Text(), field, Text(), Text()


def _fields(change: Change) -> Iterator[Text]:
    if change.action == "delete":
        why = _WHY_DELETED.get(change.reason, change.reason)
        yield Text(f"{why} {visible(change.moves_to)}" if change.moves_to else why)
        return
    shown = [one for one in change.fields if not _said_by_address(change, one)]
    width = max((len(one.path) for one in shown), default=0)
    for one in shown:
        path = f"{visible(one.path):{width}}  "
        if change.action == "add":
            yield Text(path + _value(one.after))
        else:
            yield Text.assemble(path, (_value(one.before), "dim"), " → ", _value(one.after))


_WHY_DELETED = {"state-absent": "declared absent", "not-declared": "not declared (prune)", "merged": "merged into"}


def _said_by_address(change: Change, field: FieldChange) -> bool:
    """A new label's name stands in its address already."""
    return change.action == "add" and field.path == "name" and change.address.endswith(f":{field.after}")


def _note(change: Change) -> Text:
    parts = Text()
    if change.impact and change.impact.leads is not None:
        one = change.impact.leads == 1
        verb = ("keep" if change.action == "update" else "carry") + ("s it" if one else " it")
        if change.moves_to:
            verb = ("moves" if one else "move") + " first"
        also = f" and {change.impact.archived_leads:,} archived" if change.impact.archived_leads else ""
        parts.append(f"{_count(change.impact.leads, 'lead')}{also} {verb}")
    if change.result:
        if parts:
            parts.append("  ")
        parts.append(change.result.status, _RESULT[change.result.status])
    return parts


def _alone(account: Account) -> Iterator[str]:
    rows: Sequence[LeftAlone] = account.left_alone
    groups: dict[tuple[str, str], int] = {}
    for one in (one for one in rows if not one.detail):
        groups[one.kind, one.reason] = groups.get((one.kind, one.reason), 0) + one.count
    for one in rows:
        if one.detail:
            yield f"{_local(account, one.address or one.kind)} {visible(one.detail)}"
    for (kind, reason), count in groups.items():
        yield f"{_count(count, kind)} left alone ({_WHY_ALONE.get(reason, reason)})"


def _finding(one: Finding) -> Text:
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


def _closing(report: Report) -> Iterator[Text]:
    summary, cost = report.summary, report.cost
    if report.command == "validate":
        errors = sum(one.severity == "error" for one in report.findings())
        yield Text(f"{_count(errors, 'error')}." if errors else "The configuration is valid.")
        return
    if not report.accounts:
        errors = sum(one.severity == "error" for one in report.findings())
        yield Text(f"{_count(errors, 'error')} in the configuration; no account was asked.", "bold red")
        return
    read = f"Read {_spent(cost.read)}"
    if report.command == "apply":
        yield from _closing_apply(report, read)
        return
    changes = summary.changes
    if not changes and report.applyable:
        are = "object is" if summary.unchanged == 1 else "objects are"
        yield Text(f"No changes. {summary.unchanged:,} {are} as declared.  {read}.")
        return
    planned = f"{summary.add:,} to add, {summary.update:,} to update, {summary.delete:,} to delete"
    forecast = f"; apply will take {_spent(cost.apply)}"
    yield Text.assemble(("Plan: ", "bold"), f"{planned}.  {read}{forecast}.")
    if not report.complete:
        yield Text("The plan is incomplete: see the errors above.", "bold red")
    elif not report.applyable:
        yield Text("It will not be applied as it is: see above.", "bold red")


def _closing_apply(report: Report, read: str) -> Iterator[Text]:
    results = [one.result.status for account in report.accounts for one in account.changes if one.result]
    counts = [f"{results.count(status):,} {status}" for status in _RESULT if status in results]
    done = ", ".join(counts) or "nothing to do"
    yield Text.assemble(("Apply: ", "bold"), f"{done}.  {read}; applying took {_spent(report.cost.apply)}.")
    remaining = [account.remaining for account in report.accounts]
    unread = sum(one is None for one in remaining)
    left = sum(one.changes for one in remaining if one is not None)
    if unread:
        yield Text(f"{_count(unread, 'account')} could not be read again.", "bold red")
    yield Text(f"Read again: {_count(left, 'difference')}.", "green" if not left else "bold red")


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def _spent(cost: Requests) -> str:
    return f"{_count(cost.requests, 'request')}, {_count(cost.tokens, 'token')}"


def _local(account: Account, address: str) -> str:
    return visible(address.removeprefix(f"{account.account}/"))


def _value(value: Scalar) -> str:
    match value:
        case None:
            text = "—"
        case {"amount": amount, "currency": currency}:
            text = visible(f"{amount} {currency}")
        case _:
            text = visible(json.dumps(value, ensure_ascii=False))
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"
