"""What `explain` says of one object, account by account: the document, and its text and JSON forms."""

from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field as members
from typing import Literal

from pydantic import TypeAdapter
from rich.console import Console
from rich.table import Table
from rich.text import Text

from leadstate.model.diagnostics import counted
from leadstate.model.escape import visible
from leadstate.report.document import FORMAT_VERSION, Change, Diagnostic, Requests, Scalar, Source
from leadstate.report.formats.console import drawn
from leadstate.report.formats.text import ACTION, finding_text
from leadstate.report.formats.wording import SIGN, cost_text, value


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A `${name}` in a declared value."""

    name: str
    value: str
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field: as declared and as it is; null where it is not set or not there."""

    path: str
    managed: bool
    declared: Scalar = None
    live: Scalar = None
    differs: bool = False
    source: Source | None = None
    overridden: bool = False
    variables: tuple[Variable, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The object in one account.

    Attributes:
        address: its address.
        company: host of the account.
        source: where it is declared, if it is.
        remote_id: its id, if it is there.
        known_by: what tells that what is declared and what is there are one.
        fields: those that are declared, then the others that it has.
        action: what is to be done; null for nothing.
        why: the reason, in words.
        change: the change, as a plan has it.
        waits_for: changes of the plan that come first.
        needed_by: declared objects that refer to it.
        diagnostics: what a plan limited to it says besides; a guard among them stops it, and says what allows it.
        applyable: whether nothing stops it.
        leads: of a label, live leads that carry it; null where they were not read.
        names: field and id, with a colon between → what people know the id by.
    """

    address: str
    company: str
    source: Source | None = None
    remote_id: str | None = None
    known_by: tuple[Literal["id", "lock", "marker", "name", "previous-name"], ...] = ()
    fields: tuple[Field, ...] = ()
    action: Literal["add", "update", "delete"] | None = None
    why: str
    change: Change | None = None
    waits_for: tuple[str, ...] = ()
    needed_by: tuple[str, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    applyable: bool = True
    leads: int | None = None
    names: dict[str, str] = members(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanations:
    """What was asked for, where it was found, and what reading has cost."""

    format_version: str = FORMAT_VERSION
    leadstate_version: str
    target: str
    explanations: tuple[Explanation, ...]
    read: Requests


def dump(document: Explanations) -> str:
    """The document as JSON."""
    return TypeAdapter(Explanations).dump_json(document, indent=2).decode() + "\n"


_KNOWN_BY = {
    "id": "its declared id",
    "lock": "the id in the lock file",
    "marker": "its ownership marker",
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
    for explanation in document.explanations:
        console.print(
            Text.assemble((visible(explanation.address), "bold"), "  ", (visible(explanation.company), "dim"))
        )
        table = Table.grid(padding=(0, 3, 0, 0))
        for _ in range(2):
            table.add_column(overflow="fold")
        for name, fact in _facts(explanation):
            table.add_row(Text(f"  {name}", "dim"), fact)
        console.print(table)
        for diagnostic in explanation.diagnostics:
            console.print()
            console.print(finding_text(diagnostic))
        console.print()
    console.print(Text(f"Read {cost_text(document.read)}."))


def _facts(explanation: Explanation) -> Iterator[tuple[str, Text]]:
    yield "declared", Text(_place(explanation.source) or "nowhere")
    known = f", known by {' and '.join(_KNOWN_BY[by] for by in explanation.known_by)}" if explanation.known_by else ""
    unclear = any(
        found.code == "ambiguous" and found.address == explanation.address for found in explanation.diagnostics
    )
    without = "several could be it" if unclear else "not there"
    yield "live", Text(f"{visible(explanation.remote_id)}{known}" if explanation.remote_id else without)
    for field in explanation.fields:
        yield "" if field is not explanation.fields[0] else "fields", _field(explanation, field)
    yield (
        "action",
        Text(f"{SIGN[explanation.action]} {explanation.action}", ACTION[explanation.action])
        if explanation.action
        else Text("none", "green"),
    )
    yield "why", Text(visible(explanation.why))
    if explanation.waits_for:
        yield "waits for", Text(visible(", ".join(explanation.waits_for)))
    if explanation.needed_by:
        yield "needed by", Text(visible(", ".join(explanation.needed_by)))
    if explanation.leads is not None:
        yield "carried by", Text(counted(explanation.leads, "open lead"))
    if explanation.change is None:
        return
    for call in explanation.change.calls:
        cost = cost_text(Requests(requests=call.count, tokens=call.count * call.tokens))
        yield (
            "calls" if call is explanation.change.calls[0] else "",
            Text(f"{call.method} {visible(call.path)}   {cost}"),
        )
    yield (
        "guards",
        Text("nothing stops it") if explanation.applyable else Text("it would not be applied: see below", "bold red"),
    )


def _field(explanation: Explanation, field: Field) -> Text:
    width = max(len(each.path) for each in explanation.fields)
    text = Text(f"{visible(field.path):{width}}  ")
    if not field.managed:
        return text.append(f"{_value(explanation, field, field.live)}   not managed", "dim")
    if field.differs and explanation.remote_id:
        text.append(_value(explanation, field, field.live), "dim").append(" → ")
    text.append(_value(explanation, field, field.declared))
    if field.source:
        text.append(f"   {_place(field.source)}", "dim")
    if field.overridden:
        text.append(" (override)", "dim")
    for variable in field.variables:
        said = f"   ${{{variable.name}}} = {value(variable.value)} {_place(variable.source)}"
        text.append(visible(said), "dim")
    return text


def _value(explanation: Explanation, field: Field, given: Scalar) -> str:
    name = explanation.names.get(f"{field.path}:{given}") if isinstance(given, int) else None
    return value(given) if name is None else visible(f"{name} ({given})")


def _place(source: Source | None) -> str:
    return visible(f"{source}:{source.column}") if source else ""
