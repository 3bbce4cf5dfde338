"""Labels by accounts: each label as it was read, and what the changes make of it. Nothing is guessed."""

from collections.abc import Sequence
from dataclasses import dataclass

from leadstate.report.document import Account, Change, Label

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
