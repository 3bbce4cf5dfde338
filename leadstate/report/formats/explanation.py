"""What `explain` says of one object, account by account: the document, its text and its JSON."""

from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field as member
from typing import Literal

from rich.console import Console
from rich.text import Text

from leadstate.model.address import Span
from leadstate.model.diagnostics import counted
from leadstate.model.escape import visible, visible_json
from leadstate.report.document import FORMAT_VERSION, Change, Diagnostic, Requests, Scalar, Untouched
from leadstate.report.formats.console import Cell, draw, print_rows
from leadstate.report.formats.grouping import group_diagnostics
from leadstate.report.formats.json import adapter
from leadstate.report.formats.text import ACTION, diagnostic_text
from leadstate.report.formats.wording import SIGN, cost_text, value, why_deleted, why_untouched


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedField:
    """One field of an object: as declared and as it is; null where it is not set or not there.

    Attributes:
        managed: whether the configuration declares it.
        differs: whether a plan changes it.
        source: where the declared value is written.
    """

    path: str
    managed: bool
    declared: Scalar = None
    live: Scalar = None
    differs: bool = False
    source: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """One object in one account.

    Attributes:
        remote_id: its id; null if it does not exist.
        known_by: what identifies the live object as the declared one.
        fields: the declared ones, then the others that it has.
        untouched: why nothing is done, unless it is up to date.
        diagnostics: those of the plan.
        leads: of a label, how many open leads carry it; null if leads were not listed.
        names: field and id, with a colon between → what people know the id by.
    """

    address: str
    company: str
    source: Span | None = None
    remote_id: str | None = None
    known_by: tuple[Literal["id", "lock", "marker", "name", "previous-name"], ...] = ()
    fields: tuple[ExplainedField, ...] = ()
    change: Change | None = None
    untouched: Untouched | None = None
    diagnostics: tuple[Diagnostic, ...] = ()
    applyable: bool = True
    leads: int | None = None
    names: dict[str, str] = member(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanations:
    """The object in every account that has it, and what reading has cost."""

    format_version: str = FORMAT_VERSION
    leadstate_version: str
    target: str
    explanations: tuple[Explanation, ...]
    read: Requests


_KNOWN_BY = {
    "id": "its declared id",
    "lock": "the id in the lock file",
    "marker": "its ownership marker",
    "name": "its name",
    "previous-name": "a previous name",
}

_WHY = {
    "missing": "declared, and does not exist",
    "differs": "the live object differs from what is declared",
    "renamed": "live under another name; keeps its id and its leads",
}
"""Reason → in words; those of deletes and of what is untouched are in `wording`."""


def to_json(document: Explanations) -> str:
    """Return the document as JSON."""
    return visible_json(adapter(Explanations).dump_json(document, indent=2).decode()) + "\n"


def to_text(document: Explanations, *, color: bool, width: int) -> str:
    """Return the explanation for people.

    Args:
        document: the explanation.
        color: whether ANSI styles are written.
        width: columns that lines are folded to.
    """

    def show(console: Console) -> None:
        for explanation in document.explanations:
            head = (visible(explanation.address), "bold"), "  ", (visible(explanation.company), "dim")
            console.print(Text.assemble(*head))
            rows = [([(f"  {name}", "dim")], fact) for name, fact in _facts(explanation)]
            print_rows(console, rows, folds=1)
            for group in group_diagnostics(explanation.diagnostics):
                console.print()
                console.print(diagnostic_text(group))
            console.print()
        console.print(Text(f"Read {cost_text(document.read)}."))

    return draw(show, color=color, width=width)


def _facts(explanation: Explanation) -> Iterator[tuple[str, Cell]]:
    yield "declared", [(visible(str(explanation.source or "nowhere")), "")]
    if explanation.remote_id:
        known = " and ".join(_KNOWN_BY[by] for by in explanation.known_by)
        live = visible(explanation.remote_id) + (f", known by {known}" if known else "")
    else:
        unclear = any(found.code == "ambiguous" for found in explanation.diagnostics)
        live = "ambiguous" if unclear else "does not exist"
    yield "live", [(live, "")]
    width = max((len(field.path) for field in explanation.fields), default=0)
    for field in explanation.fields:
        yield "" if field is not explanation.fields[0] else "fields", _field(explanation, field, width)
    if explanation.leads is not None:
        yield "carried by", [(counted(explanation.leads, "open lead"), "")]
    change = explanation.change
    action = (f"{SIGN[change.action]} {change.action}", ACTION[change.action]) if change else ("none", "green")
    yield "action", [action]
    yield "why", [(visible(_why(explanation)), "")]
    if change is None:
        return
    for call in change.calls:
        cost = cost_text(Requests(requests=call.count, tokens=call.count * call.tokens))
        yield "" if call is not change.calls[0] else "calls", [(f"{call.method} {visible(call.path)}   {cost}", "")]
    stopped = ("it would not be applied: see below", "bold red")
    yield "guards", [("nothing stops it", "") if explanation.applyable else stopped]


def _why(explanation: Explanation) -> str:
    if explanation.change is not None:
        return _WHY.get(explanation.change.reason) or why_deleted(explanation.change)
    if explanation.untouched is not None:
        return why_untouched(explanation.untouched)
    if any(found.severity == "error" and found.address == explanation.address for found in explanation.diagnostics):
        return "see the error"
    return "up to date" if explanation.remote_id else "declared absent, and does not exist"


def _field(explanation: Explanation, field: ExplainedField, width: int) -> Cell:
    def shown(given: Scalar) -> str:
        name = explanation.names.get(f"{field.path}:{given}")
        return value(given) if name is None else visible(f"{name} ({given})")

    name = (f"{visible(field.path):{width}}  ", "")
    if not field.managed:
        return [name, (f"{shown(field.live)}   not managed", "dim")]
    before = [(shown(field.live), "dim"), (" → ", "")] if field.differs and explanation.remote_id else []
    place = [(visible(f"   {field.source}"), "dim")] if field.source else []
    return [name, *before, (shown(field.declared), ""), *place]
