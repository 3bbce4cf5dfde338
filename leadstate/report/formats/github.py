"""Workflow commands: annotations at the lines of the YAML, and one line that sums up.

Escaping is that of GitHub's toolkit (actions/toolkit, packages/core/src/command.ts). A step shows ten annotations of
each kind, so the most important come first, and the tenth says how many more there are.
"""

from collections.abc import Iterator, Sequence

from leadstate.model.address import Span
from leadstate.model.diagnostics import counted, some
from leadstate.model.escape import visible
from leadstate.report.document import Report
from leadstate.report.formats.grouping import ChangeGroup, DiagnosticGroup, gravest_first, group_report
from leadstate.report.formats.wording import (
    FEW,
    clip,
    field_lines,
    headline,
    names,
    note,
    remarks,
    spent,
    why_deleted,
)

SHOWN = 10
"""Annotations of a kind that GitHub shows for a step."""

_LONGEST = 4_000
_ORDER = ("delete", "update", "add")


def to_github(report: Report, *, verbose: bool = False) -> str:
    """Return the report as workflow commands, and lines for the log."""
    view = group_report(report, verbose=verbose)
    annotations: dict[str, list[tuple[str, int]]] = {"error": [], "warning": [], "notice": []}
    for diagnostics in gravest_first(view.diagnostics):
        command = "warning" if diagnostics.first.severity == "warning" else "error"
        annotations[command].append((_diagnostic(command, diagnostics), 1))
    changes = [group for block in view.blocks for group in block.groups]
    for group in sorted(changes, key=lambda group: _ORDER.index(group.change.action)):
        command = "notice" if group.change.result is None or group.change.result.as_agreed else "error"
        annotations[command].append((_change(command, group), len(group.members)))
    lines: list[str] = []
    for command, found in annotations.items():
        lines += _first(command, found, "change" if command == "notice" else command)
    lines += [f"{headline(report)}  {spent(report)}".rstrip(), *map(str, remarks(report))]
    return "".join(f"{line}\n" for line in lines)


def _first(command: str, lines: Sequence[tuple[str, int]], what: str) -> Iterator[str]:
    """Yield the first annotations, and how many more changes or diagnostics there are."""
    shown = lines if len(lines) <= SHOWN else lines[: SHOWN - 1]
    yield from (line for line, _ in shown)
    if more := sum(count for _, count in lines[len(shown) :]):
        yield _command(command, None, "leadstate", f"and {counted(more, f'more {what}')}")


def _diagnostic(command: str, group: DiagnosticGroup) -> str:
    first = group.first
    about = some(group.about, FEW)
    lines = [f"{about}: {first.summary}" if about else first.summary, *first.detail.splitlines()]
    lines += [f"= {first.hint}"] if first.hint else []
    return _command(command, first.source, f"{first.severity}[{first.code}]", "\n".join(map(visible, lines)))


def _change(command: str, group: ChangeGroup) -> str:
    change, accounts = group.change, [account for account, _ in group.members]
    lines = [why_deleted(change)] if change.action == "delete" else field_lines(change, group.known)
    lines += filter(None, [note(change)])
    lines += [f"{change.result.status} {visible(change.result.detail)}".rstrip()] if change.result else []
    title = f"{change.action} {accounts[0].account}/{group.name}"
    if len(accounts) > 1:
        title = f"{change.action} {group.name} in {counted(len(accounts), 'account')}"
        lines.append(visible(f"in {some(names(accounts), FEW)}"))
    return _command(command, change.source, title, "\n".join(lines) or change.action)


def _command(command: str, source: Span | None, title: str, message: str) -> str:
    place = {"file": visible(source.file), "line": str(source.line), "col": str(source.column)} if source else {}
    properties = {**place, "title": clip(visible(title), _LONGEST)}
    written = ",".join(f"{name}={_property(text)}" for name, text in properties.items())
    return f"::{command} {written}::{_data(clip(message, _LONGEST))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
