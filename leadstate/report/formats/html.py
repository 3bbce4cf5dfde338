"""One self-contained page: nothing is loaded from elsewhere, and a policy in the page itself forbids it."""

import base64
import functools
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from leadstate.model.diagnostics import counted, some
from leadstate.model.escape import visible
from leadstate.report.document import Account, Change, FieldChange, Label, Report, Scalar
from leadstate.report.formats.page import part
from leadstate.report.formats.wording import (
    FEW,
    SIGN,
    gravest_first,
    headline,
    how_many,
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
from leadstate.report.grouping import Block, ChangeGroup, grouped

COLORS = ("blue", "brown", "dark-gray", "gray", "green", "orange", "pink", "purple", "red", "yellow")
"""The colours that Pipedrive has for lead labels."""


@dataclass(frozen=True, slots=True)
class Chip:
    """A text in a label's colour; a colour that we do not know is shown without one."""

    text: str
    color: str

    @property
    def style(self) -> str:
        """Its class in the style sheet."""
        return f"c-{self.color}" if self.color in COLORS else "c-none"


@dataclass(frozen=True, slots=True)
class Cell:
    """A label in one account; None where it is not there (`now`), or will not be (`then`).

    `called` is its name there, where that is not what the configuration calls it.
    """

    now: Chip | None
    then: Chip | None
    called: str
    changes: bool


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows of cells, one for each account; None where the account could not be read."""

    accounts: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell | None, ...]], ...]


def grid(accounts: Sequence[Account]) -> Grid:
    """The grid of a report's accounts."""
    columns = [_column(account) for account in accounts]
    names = sorted({name for column in columns for name in column}, key=lambda name: (name.casefold(), name))
    nowhere = Cell(None, None, "", changes=False)
    unread = [not account.labels and any(d.severity == "error" for d in account.diagnostics) for account in accounts]
    rows = tuple(
        (
            name,
            tuple(
                None if failed else column.get(name, nowhere) for column, failed in zip(columns, unread, strict=True)
            ),
        )
        for name in names
    )
    return Grid(tuple(account.account for account in accounts), rows)


def colors_after(account: Account) -> dict[str, str]:
    """Address → colour of each label once the changes are made."""
    colors = {label.address: label.color for label in account.labels}
    for change in account.changes:
        if change.kind == "label":
            colors[change.address] = _after(change, colors.get(change.address, ""))
    return colors


def _column(account: Account) -> dict[str, Cell]:
    labels = {label.address: label for label in account.labels}
    changes = {change.address: change for change in account.changes if change.kind == "label"}
    return {
        address.removeprefix(f"{account.account}/label:"): _cell(account, address, labels, changes)
        for address in labels.keys() | changes.keys()
    }


def _cell(account: Account, address: str, labels: dict[str, Label], changes: dict[str, Change]) -> Cell:
    label, change = labels.get(address), changes.get(address)
    color = label.color if label else ""
    after = _after(change, color) if change else color
    called = label.name if label and address != f"{account.account}/label:{label.name}" else ""
    return Cell(
        now=Chip(color, color) if label else None,
        then=Chip(after, after) if after and (change is None or change.action != "delete") else None,
        called=called,
        changes=change is not None,
    )


def _after(change: Change, color: str) -> str:
    return next((str(field.after) for field in change.fields if field.path == "color" and field.after), color)


if TYPE_CHECKING:
    from jinja2 import Environment, Template

LONGEST_VALUE = 1_000
"""Characters of a value on the page: nothing that people write is longer."""


@dataclass(frozen=True, slots=True)
class Side:
    """A field's value before or after: text, or labels in their colours."""

    text: str = ""
    chips: tuple[Chip, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """A change, or one that several accounts have in common."""

    change: Change
    name: str
    sign: str
    why: str
    fields: tuple[tuple[str, Side, Side], ...]
    was: Side
    impact: str
    places: str


@dataclass(frozen=True, slots=True)
class Section:
    """An account with its changes, or several with what they have in common."""

    title: str
    about: str
    accounts: tuple[str, ...]
    rows: tuple[Row, ...]
    untouched: tuple[str, ...]

    @property
    def data(self) -> str:
        """The names of the accounts, as the script reads them."""
        return json.dumps([visible(name) for name in self.accounts])


UNFOLDED = 8
"""Diagnostics that stand on the page in any case where nothing changes; all errors and refusals do, more warnings are
folded."""

UNFOLDED_ABOVE = 3
"""Diagnostics that stand above changes, one line each, so that these are on the first screen."""


def to_html(report: Report, *, color: bool = False, width: int = 0, verbose: bool = False) -> str:  # noqa: ARG001  every renderer has this form
    """The report as a page."""
    view = grouped(report, verbose=verbose)
    blocks = [block for block in view.blocks if block.groups or block.untouched]
    diagnostics = [
        (group, some(group.about, FEW), [*group.first.excerpt.splitlines(), *group.first.detail.splitlines()])
        for group in gravest_first(view.diagnostics)
    ]
    changes = sum(len(account.changes) for account in report.accounts)
    grave = sum(group.first.severity != "warning" for group, *_ in diagnostics)
    shown = UNFOLDED_ABOVE if changes else max(UNFOLDED, grave)
    quiet = [block.accounts[0] for block in view.blocks if block not in blocks and not block.accounts[0].diagnostics]
    return _template().render(
        report=report,
        headline=headline(report).text.removesuffix("."),
        remarks=list(remarks(report, diagnostics="below")),
        spent=spent(report),
        diagnostics=diagnostics[:shown],
        folded=diagnostics[shown:],
        more=counted(len(diagnostics[shown:]), "more warning" if grave <= shown else "more diagnostic"),
        sections=[_section(block, view.total) for block in blocks],
        names=[account.account for account in report.accounts if account.changes],
        quiet=names(view.unchanged or quiet),
        untouched=list(untouched_lines(view.untouched, view.total)),
        changes=changes,
        few=FEW,
        grid=grid(report.accounts),
        counted=counted,
        style=part("page.css"),
        script=part("page.js"),
        style_hash=policy_hash(part("page.css")),
        script_hash=policy_hash(part("page.js")),
    )


@functools.cache
def environment() -> "Environment":
    """Return what pages are made with: every value is escaped on its way in."""
    import jinja2  # noqa: PLC0415  the other forms need none of it
    from markupsafe import Markup  # noqa: PLC0415  as above

    def shown(text: object) -> object:
        """Every value on its way into the page; autoescape does the rest."""
        return text if isinstance(text, Markup) else visible(str(text))

    return jinja2.Environment(
        autoescape=True,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )


@functools.cache
def _template() -> "Template":
    return environment().from_string(part("page.html"))


def policy_hash(text: str) -> str:
    """Return what the page's own policy calls a style sheet or script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _section(block: Block, total: int) -> Section:
    account, *others = block.accounts
    before = _common(
        _colors(account, {label.address: label.color for label in account.labels}) for account in block.accounts
    )
    after = _common(_colors(account, colors_after(account)) for account in block.accounts)
    return Section(
        title=f"In {how_many(block.accounts, total)}" if others else account.account,
        about="" if others else account.company,
        accounts=tuple(names(block.accounts)),
        rows=tuple(_row(account, group, before, after) for group in block.groups),
        untouched=tuple(untouched_lines(block.untouched)),
    )


def _colors(account: Account, colors: Mapping[str, str]) -> Mapping[str, str]:
    return {local(account, address): color for address, color in colors.items()}


def _common(accounts: Iterable[Mapping[str, str]]) -> Mapping[str, str]:
    """The colours that labels have in all of some accounts."""
    return functools.reduce(
        lambda found, colors: {name: color for name, color in found.items() if colors.get(name) == color}, accounts
    )


def _row(account: Account, group: ChangeGroup, before: Mapping[str, str], after: Mapping[str, str]) -> Row:
    change = group.change
    was = {field.path: field.before for field in change.fields}
    return Row(
        change,
        local(account, change.address),
        SIGN[change.action],
        why_deleted(change) if change.action == "delete" else "",
        tuple(
            (field.path, _side(group, field, field.before, before), _side(group, field, field.after, after))
            for field in shown_fields(change)
        ),
        Side(chips=(Chip(str(was["color"]), str(was["color"])),)) if was.get("color") else Side(),
        note(change),
        places(group),
    )


def _side(group: ChangeGroup, field: FieldChange, given: Scalar, colors: Mapping[str, str]) -> Side:
    change = group.change
    if change.kind == "label" and field.path == "color" and isinstance(given, str):
        return Side(chips=(Chip(given, given),))
    if change.kind == "lead" and field.path == "labels" and isinstance(given, list | tuple) and given:
        return Side(chips=tuple(Chip(name, colors.get(visible(f"label:{name}"), "")) for name in map(str, given)))
    return Side(side(group.known, field, given, LONGEST_VALUE))
