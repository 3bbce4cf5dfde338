"""An explanation for a terminal or a log: a block an account, a line a fact. Reads the document only."""

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from leadstate.model.diagnostics import counted
from leadstate.model.escape import visible
from leadstate.report.document import Requests, Source
from leadstate.report.explanation import Explanation, Explanations, Field
from leadstate.report.formats.console import drawn
from leadstate.report.formats.text import ACTION, finding_text
from leadstate.report.formats.wording import SIGN, cost_text, value

_KNOWN_BY = {
    "id": "its declared id",
    "lock": "the id in the lock file",
    "mark": "its ownership mark",
    "name": "its name",
    "previous-name": "a previous name",
}


def explanation_text(document: Explanations, *, color: bool, width: int) -> str:
    """The explanation for people.

    Args:
        document: it.
        color: whether ANSI styles are written.
        width: columns that lines are folded to.
    """
    return drawn(lambda console: _print(console, document), color=color, width=width)


def _print(console: Console, document: Explanations) -> None:
    for one in document.explanations:
        console.print(Text.assemble((visible(one.address), "bold"), "  ", (visible(one.company), "dim")))
        table = Table.grid(padding=(0, 3, 0, 0))
        for _ in range(2):
            table.add_column(overflow="fold")
        for name, fact in _facts(one):
            table.add_row(Text(f"  {name}", "dim"), fact)
        console.print(table)
        for finding in one.findings:
            console.print()
            console.print(finding_text(finding))
        console.print()
    console.print(Text(f"Read {cost_text(document.read)}."))


def _facts(one: Explanation) -> Iterator[tuple[str, Text]]:
    yield "declared", Text(_place(one.source) or "nowhere")
    known = f", known by {' and '.join(_KNOWN_BY[by] for by in one.known_by)}" if one.known_by else ""
    unclear = any(found.code == "ambiguous" and found.address == one.address for found in one.findings)
    without = "several could be it" if unclear else "not there"
    yield "live", Text(f"{visible(one.remote_id)}{known}" if one.remote_id else without)
    for field in one.fields:
        yield "" if field is not one.fields[0] else "fields", _field(one, field)
    yield (
        "action",
        Text(f"{SIGN[one.action]} {one.action}", ACTION[one.action]) if one.action else Text("none", "green"),
    )
    yield "why", Text(visible(one.why))
    if one.waits_for:
        yield "waits for", Text(visible(", ".join(one.waits_for)))
    if one.needed_by:
        yield "needed by", Text(visible(", ".join(one.needed_by)))
    if one.change is None:
        return
    if one.change.impact and one.change.impact.leads is not None:
        yield "carried by", Text(counted(one.change.impact.leads, "open lead"))
    for call in one.change.calls:
        cost = cost_text(Requests(requests=call.count, tokens=call.count * call.tokens))
        yield "calls" if call is one.change.calls[0] else "", Text(f"{call.method} {visible(call.path)}   {cost}")
    yield (
        "guards",
        Text("nothing stops it") if one.applyable else Text("it would not be applied: see below", "bold red"),
    )


def _field(one: Explanation, field: Field) -> Text:
    width = max(len(each.path) for each in one.fields)
    text = Text(f"{visible(field.path):{width}}  ")
    if not field.managed:
        return text.append(f"{value(field.live)}   not managed", "dim")
    if field.differs and one.remote_id:
        text.append(value(field.live), "dim").append(" → ")
    text.append(value(field.declared))
    if field.source:
        text.append(f"   {_place(field.source)}", "dim")
    if field.overridden:
        text.append(" (override)", "dim")
    for variable in field.variables:
        said = f"   ${{{variable.name}}} = {value(variable.value)} {_place(variable.source)}"
        text.append(visible(said), "dim")
    return text


def _place(source: Source | None) -> str:
    return visible(f"{source}:{source.column}") if source else ""
