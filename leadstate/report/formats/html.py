"""One self-contained page: nothing is loaded from elsewhere, and a policy in the page itself forbids it."""

import base64
import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from leadstate.model.diagnostics import counted
from leadstate.model.escape import visible
from leadstate.report.document import Account, Change, FieldChange, Finding, Report, Scalar
from leadstate.report.formats.grid import Chip, colors_after, grid
from leadstate.report.formats.page import part
from leadstate.report.formats.wording import (
    SIGN,
    alone,
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

if TYPE_CHECKING:
    from jinja2 import Template

LONGEST_VALUE = 1_000
"""Characters of a value on the page: nothing that people write is longer."""


@dataclass(frozen=True, slots=True)
class Side:
    """A field's value before or after: text, or labels in their colours."""

    text: str = ""
    chips: tuple[Chip, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One change."""

    change: Change
    name: str
    sign: str
    why: str
    fields: tuple[tuple[str, Side, Side], ...]
    was: Side
    impact: str


@dataclass(frozen=True, slots=True)
class Section:
    """One account with its changes."""

    account: Account
    rows: tuple[Row, ...]
    alone: tuple[str, ...]


UNFOLDED = 8
"""Findings that stand above the changes in any case; errors and refusals all do, more warnings are folded."""


def to_html(report: Report, *, color: bool = False, width: int = 0) -> str:  # noqa: ARG001  every renderer has this form
    """The report as a page."""
    sections = [_section(account) for account in report.accounts if account.changes or account.left_alone]
    findings = [(one, _lines(one)) for one in gravest_first(report)]
    shown = max(UNFOLDED, sum(one.severity != "warning" for one, _ in findings))
    return _template().render(
        report=report,
        headline=headline(report).text.removesuffix("."),
        remarks=list(remarks(report, findings="below")),
        spent=spent(report),
        findings=findings[:shown],
        folded=findings[shown:],
        sections=sections,
        quiet=[one.account for one in report.accounts if not (one.changes or one.left_alone or one.diagnostics)],
        changes=sum(len(one.rows) for one in sections),
        grid=grid(report.accounts),
        counted=counted,
        style=part("page.css"),
        script=part("page.js"),
        style_hash=_hash(part("page.css")),
        script_hash=_hash(part("page.js")),
    )


@functools.cache
def _template() -> "Template":
    import jinja2  # noqa: PLC0415  the other forms need none of it
    from markupsafe import Markup  # noqa: PLC0415  as above

    def shown(text: object) -> object:
        """Every value on its way into the page; autoescape does the rest."""
        return text if isinstance(text, Markup) else visible(str(text))

    environment = jinja2.Environment(
        autoescape=True,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.from_string(part("page.html"))


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _lines(one: Finding) -> list[str]:
    return [*one.excerpt.splitlines(), *one.detail.splitlines()]


def _section(account: Account) -> Section:
    before = {one.address: one.color for one in account.labels}
    after = colors_after(account)
    rows = tuple(_row(account, change, before, after) for change in account.changes)
    return Section(account, rows, tuple(alone(account)))


def _row(account: Account, change: Change, before: Mapping[str, str], after: Mapping[str, str]) -> Row:
    was = {one.path: one.before for one in change.fields}
    return Row(
        change,
        local(account, change.address),
        SIGN[change.action],
        why_deleted(change) if change.action == "delete" else "",
        tuple(
            (one.path, _side(account, change, one, one.before, before), _side(account, change, one, one.after, after))
            for one in shown_fields(change)
        ),
        Side(chips=(Chip(str(was["color"]), str(was["color"])),)) if was.get("color") else Side(),
        note(change),
    )


def _side(account: Account, change: Change, field: FieldChange, given: Scalar, colors: Mapping[str, str]) -> Side:
    if change.kind == "label" and field.path == "color" and isinstance(given, str):
        return Side(chips=(Chip(given, given),))
    if change.kind == "lead" and field.path == "labels" and isinstance(given, list | tuple) and given:
        names = [str(one) for one in given]
        return Side(chips=tuple(Chip(one, colors.get(f"{account.account}/label:{one}", "")) for one in names))
    return Side(value(given, LONGEST_VALUE))
