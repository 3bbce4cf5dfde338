"""What uses each label, as a table, JSON, CSV or a page."""

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict

from leadstate.model.diagnostics import counted
from leadstate.model.escape import visible, visible_json
from leadstate.model.usage import LabelUsage
from leadstate.report.formats.console import table
from leadstate.report.formats.html import Chip, page

GONE = "(gone)"
"""What stands for the name of a label that does not exist any more."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula, also within quotes."""

_FOLDING = ("account", "label", "filters")
"""Columns that hold names, however long."""

_DISPENSABLE = ("oldest", "last change", "declared", "newest", "account")
"""Columns that a narrow terminal does without, in this order."""

_CSV: dict[str, Callable[[LabelUsage], object]] = {
    "account": lambda row: row.account,
    "label": lambda row: row.label,
    "id": lambda row: row.id,
    "color": lambda row: row.color,
    "declared": lambda row: row.declared,
    "leads": lambda row: row.leads,
    "archived_leads": lambda row: row.archived_leads,
    "oldest_lead": lambda row: row.oldest and row.oldest.id,
    "oldest": lambda row: row.oldest and row.oldest.add_time,
    "newest_lead": lambda row: row.newest and row.newest.id,
    "newest": lambda row: row.newest and row.newest.add_time,
    "last_change": lambda row: row.last_change,
    "filters": lambda row: "; ".join(saved.name for saved in row.filters or ()),
}
"""Column → what stands in it."""

CSV_COLUMNS = tuple(_CSV)

_UNREAD = {"archived": "archived leads", "filters": "saved filters"}
"""Column → what was not read where it is left out."""

_STYLE = "\n.grid .number { text-align: right; font-variant-numeric: tabular-nums; }\n"
"""What this page has besides the style sheet of all."""


def to_table(rows: Sequence[LabelUsage], *, color: bool, width: int) -> tuple[str, list[str]]:
    """Return rows for a terminal, and the columns for which it is too narrow.

    Columns that nothing was read for are left out, and so is a single account. Names fold, all else stands in one line.
    """
    if not rows:
        return "", []
    names = _columns(rows)
    cells = [_cells(row) for row in rows]
    return table(
        names,
        [[values[name] for name in names] for values in cells],
        color=color,
        width=width,
        dispensable=_DISPENSABLE,
        whole=set(names) - set(_FOLDING),
        right=("open", "archived"),
        dim={number for number, row in enumerate(rows) if row.unused},
    )


def to_json(rows: Sequence[LabelUsage]) -> str:
    """Return rows as a JSON array of objects; null stands for what was not read."""
    return visible_json(json.dumps([asdict(row) for row in rows], indent=2, ensure_ascii=False)) + "\n"


def to_csv(rows: Sequence[LabelUsage]) -> str:
    """Return rows as CSV (RFC 4180) with a heading; what was not read is empty, filters have `; ` between.

    Names that begin as a formula get an apostrophe in front: anybody who may make a label could make a spreadsheet
    compute.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(CSV_COLUMNS)
    writer.writerows([_inert(cell(row)) for cell in _CSV.values()] for row in rows)
    return out.getvalue()


def to_html(rows: Sequence[LabelUsage]) -> str:
    """Return a self-contained page."""
    unused = sum(row.unused for row in rows)
    names = [name for name in _columns(rows) if name != "label"]
    accounts = len({row.account for row in rows})
    return page(
        "usage.html",
        {},
        style=_STYLE,
        rows=[(row, Chip(row.label or GONE, row.color), _cells(row)) for row in rows],
        names=names,
        unread=" and ".join(words for name, words in _UNREAD.items() if name not in names),
        headline=f"{counted(len(rows), 'label')} in {counted(accounts, 'account')}, {unused:,} unused",
    )


def _inert(cell: object) -> object:
    if not isinstance(cell, str):
        return cell  # csv writes None as nothing
    shown = visible(cell)
    return f"'{shown}" if shown.startswith(_FORMULA) else shown


def _columns(rows: Sequence[LabelUsage]) -> list[str]:
    """Return the columns for which something was read, and the account if there are several."""
    there = {
        "account": len({row.account for row in rows}) > 1,
        "archived": any(row.archived_leads is not None for row in rows),
        "filters": any(row.filters is not None for row in rows),
    }
    return [name for row in rows[:1] for name in _cells(row) if there.get(name, True)]


def _cells(row: LabelUsage) -> dict[str, str]:
    return {
        "account": row.account,
        "label": row.label or f"{GONE} {row.id}",
        "declared": row.declared,
        "open": f"{row.leads:,}",
        "archived": "" if row.archived_leads is None else f"{row.archived_leads:,}",
        "oldest": _day(row.oldest.add_time if row.oldest else None),
        "newest": _day(row.newest.add_time if row.newest else None),
        "last change": _day(row.last_change),
        "filters": ", ".join(saved.name for saved in row.filters or ()),
    }


def _day(time: str | None) -> str:
    return (time or "")[: len("2026-11-30")]
