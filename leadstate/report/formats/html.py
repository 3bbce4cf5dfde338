"""One self-contained page: nothing is loaded from elsewhere, and a policy in the page itself forbids it."""

import base64
import functools
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from leadstate.model.diagnostics import counted, some
from leadstate.model.escape import visible
from leadstate.report.document import Account, Report
from leadstate.report.formats.grouping import ChangeGroup, gravest_first, group_report
from leadstate.report.formats.wording import (
    FEW,
    SIGN,
    headline,
    how_many,
    names,
    note,
    places,
    remarks,
    shown_fields,
    spent,
    why_deleted,
)

if TYPE_CHECKING:
    from jinja2 import Template

COLORS: Final = ("blue", "brown", "dark-gray", "gray", "green", "orange", "pink", "purple", "red", "yellow")
"""The colours that Pipedrive has for lead labels."""

LONGEST_VALUE: Final = 1_000
"""Characters of a value on the page: nothing that people write is longer."""

UNFOLDED: Final = 8
"""Diagnostics that stand on the page in any case where nothing changes; all errors and refusals do, more warnings are
folded."""

UNFOLDED_ABOVE: Final = 3
"""Diagnostics that stand above changes, one line each, so that these are on the first screen."""


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

    `called` is its name there, if the configuration calls it by another one.
    """

    now: Chip | None
    then: Chip | None
    called: str


NOWHERE: Final = Cell(None, None, "")


def grid(accounts: Sequence[Account]) -> list[tuple[str, list[Cell | None]]]:
    """Return each label with a cell for each account; None for an account that could not be read."""
    columns: list[dict[str, Cell] | None] = []
    for account in accounts:
        failed = not account.labels and any(found.severity == "error" for found in account.diagnostics)
        columns.append(None if failed else _column(account))
    labels = {name for column in columns for name in column or ()}
    return [
        (name, [None if column is None else column.get(name, NOWHERE) for column in columns])
        for name in sorted(labels, key=lambda name: (name.casefold(), name))
    ]


def _column(account: Account) -> dict[str, Cell]:
    prefix = f"{account.account}/label:"
    column = {}
    for label in account.labels:
        name, chip = label.address.removeprefix(prefix), Chip(label.color, label.color)
        column[name] = Cell(chip, chip, "" if label.name == name else label.name)
    for change in account.changes:
        if change.kind == "label":
            name = change.address.removeprefix(prefix)
            cell = column.get(name, NOWHERE)
            colors = [str(field.after) for field in change.fields if field.path == "color" and field.after]
            then = Chip(colors[0], colors[0]) if colors else cell.now
            column[name] = Cell(cell.now, None if change.action == "delete" else then, cell.called)
    return column


def to_html(report: Report, *, verbose: bool = False) -> str:
    """Return the report as a page."""
    view = group_report(report, verbose=verbose)
    blocks = [block for block in view.blocks if block.groups or block.untouched]
    diagnostics = gravest_first(view.diagnostics)
    changes = sum(len(account.changes) for account in report.accounts)
    grave = sum(group.first.severity != "warning" for group in diagnostics)
    shown = UNFOLDED_ABOVE if changes else max(UNFOLDED, grave)
    quiet = [block.accounts[0] for block in view.blocks if block not in blocks and not block.accounts[0].diagnostics]
    return page(
        "page.html",
        {"rows": _rows, "data": _data, "note": note, "places": places, "some": some, "counted": counted}
        | {"how_many": how_many, "accounts_of": names},
        script=part("page.js"),
        report=report,
        headline=headline(report).text.removesuffix("."),
        remarks=list(remarks(report, diagnostics="below")),
        spent=spent(report),
        diagnostics=diagnostics[:shown],
        folded=diagnostics[shown:],
        more=counted(len(diagnostics[shown:]), "more warning" if grave <= shown else "more diagnostic"),
        view=view,
        blocks=blocks,
        names=[account.account for account in report.accounts if account.changes],
        quiet=names(view.unchanged or quiet),
        changes=changes,
        few=FEW,
        grid=grid(report.accounts),
        sign=SIGN,
    )


def part(name: str) -> str:
    """Return the text of one of the files that the page is made from: markup, style sheet and script."""
    return files("leadstate.report.formats").joinpath("page", name).read_text(encoding="utf-8")


def page(template: str, functions: Mapping[str, object], *, style: str = "", script: str = "", **values: object) -> str:
    """Return a page; every value is escaped on its way in.

    Args:
        template: the file of its markup.
        functions: what the markup calls.
        style: what it has besides the style sheet of all pages.
        script: its script.
        values: what the markup shows.
    """
    style = part("page.css") + style
    hashes = {"style_hash": _policy_hash(style), "script_hash": _policy_hash(script)}
    return _template(template).render(**functions, **values, **hashes, style=style, script=script)


@functools.cache
def _template(name: str) -> "Template":
    import jinja2  # noqa: PLC0415  the other forms need none of it
    from markupsafe import Markup  # noqa: PLC0415  as above

    return jinja2.Environment(
        autoescape=True,
        # Hidden characters are shown; autoescape does the rest.
        finalize=lambda text: text if isinstance(text, Markup) else visible(str(text)),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    ).from_string(part(name))


def _policy_hash(text: str) -> str:
    """Return the hash by which the page's content security policy allows a style sheet or script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _data(accounts: Sequence[str]) -> str:
    """Return the names of accounts as the script reads them."""
    return json.dumps([visible(name) for name in accounts])


def _rows(group: ChangeGroup) -> list[tuple[str, Chip | str, Chip | str]]:
    """Return field, before and after of a change; of a delete the reason and the colour that was."""
    change = group.change
    found = next((field for field in change.fields if change.kind == "label" and field.path == "color"), None)
    was, becomes = (_chip(found.before), _chip(found.after)) if found else ("", "")
    if change.action == "delete":
        return [(why_deleted(change), was, "")]
    rows = shown_fields(change, group.known, LONGEST_VALUE)
    return [
        (path, was or before, becomes or after) if found and path == "color" else (path, before, after)
        for path, before, after in rows
    ] or [("", "", "")]


def _chip(color: object) -> Chip | str:
    return Chip(color, color) if isinstance(color, str) else ""
