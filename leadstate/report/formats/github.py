"""Workflow commands: annotations at the lines of the YAML, and one line that sums up.

Escaping is that of GitHub's toolkit (actions/toolkit, packages/core/src/command.ts). A step shows ten annotations of
each kind, so the most important come first, and the tenth says how many more there are.
"""

from collections.abc import Iterator

from leadstate.model.diagnostics import counted
from leadstate.model.escape import visible
from leadstate.report.document import Account, Change, Diagnostic, Report, Source
from leadstate.report.formats.wording import (
    clipped,
    gravest_first,
    headline,
    local,
    note,
    remarks,
    shown_fields,
    spent,
    value,
    why_deleted,
)

SHOWN = 10
"""Annotations of a kind that GitHub shows for a step."""

_LONGEST = 4_000
_FIRST = ("delete", "update", "add")


def to_github(report: Report, *, color: bool = False, width: int = 0) -> str:  # noqa: ARG001  every renderer has this form
    """The report as workflow commands; lines that are none are for the log."""
    diagnostics = gravest_first(report)
    changes = [(account, change) for account in report.accounts for change in account.changes]
    changes.sort(key=lambda pair: _FIRST.index(pair[1].action))
    unfinished = [pair for pair in changes if pair[1].result and pair[1].result.status != "applied"]
    finished = [pair for pair in changes if pair[1].result is None or pair[1].result.status == "applied"]
    errors = [_diagnostic("error", diagnostic) for diagnostic in diagnostics if diagnostic.severity != "warning"]
    errors += [_change("error", *pair) for pair in unfinished]
    warnings = [_diagnostic("warning", diagnostic) for diagnostic in diagnostics if diagnostic.severity == "warning"]
    notices = [_change("notice", *pair) for pair in finished]
    lines = [
        *_ten("error", errors, "error"),
        *_ten("warning", warnings, "warning"),
        *_ten("notice", notices, "change"),
        f"{headline(report)}  {spent(report)}".rstrip(),
        *map(str, remarks(report)),
    ]
    return "".join(f"{line}\n" for line in lines)


def _ten(command: str, lines: list[str], what: str) -> Iterator[str]:
    if len(lines) <= SHOWN:
        yield from lines
        return
    yield from lines[: SHOWN - 1]
    yield _command(command, None, "leadstate", f"and {counted(len(lines) - SHOWN + 1, f'more {what}')}")


def _diagnostic(command: str, diagnostic: Diagnostic) -> str:
    about = diagnostic.address or diagnostic.account
    said = [f"{about}: {diagnostic.summary}" if about else diagnostic.summary, *diagnostic.detail.splitlines()]
    said += [f"= {diagnostic.hint}"] if diagnostic.hint else []
    return _command(
        command, diagnostic.source, f"{diagnostic.severity}[{diagnostic.code}]", "\n".join(map(visible, said))
    )


def _change(command: str, account: Account, change: Change) -> str:
    name = f"{account.account}/{local(account, change.address)}"
    fields = [
        f"{visible(field.path)}: {f'{value(field.before)} → ' if change.action == 'update' else ''}{value(field.after)}"
        for field in shown_fields(change)
    ]
    said = [why_deleted(change)] if change.action == "delete" else fields
    said += [note(change)] if note(change) else []
    said += [f"{change.result.status} {visible(change.result.detail)}".rstrip()] if change.result else []
    return _command(command, change.source, f"{change.action} {name}", "\n".join(said) or change.action)


def _command(command: str, source: Source | None, title: str, message: str) -> str:
    place = {"file": source.file, "line": str(source.line), "col": str(source.column)} if source else {}
    properties = {**place, "title": clipped(visible(title), _LONGEST)}
    written = ",".join(f"{name}={_property(text)}" for name, text in properties.items())
    return f"::{command} {written}::{_data(clipped(message, _LONGEST))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
