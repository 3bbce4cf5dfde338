"""How long it takes to find what differs: plain equality does almost all of it."""

from pathlib import Path

from benchmarks.row import Figure, Row
from benchmarks.timing import fastest
from leadstate.kinds.lead import decode
from leadstate.model.resource import Attrs
from leadstate.reconcile.diff import diff

LEADS, DIFFER = 100_000, 100
RUNS = 7


def _attrs(number: int, title: str) -> Attrs:
    return decode(
        {
            "id": str(number),
            "title": title,
            "owner_id": 1,
            "label_ids": ["one", "two"],
            "person_id": number,
            "value": {"amount": 100 + number, "currency": "EUR"},
            "expected_close_date": "2026-12-31",
            "visible_to": "3",
        }
    ).attrs


def _diff(_: Path) -> Figure:
    before = [_attrs(number, f"Lead {number}") for number in range(LEADS)]
    after = [_attrs(number, f"Lead {number}{'!' if number < DIFFER else ''}") for number in range(LEADS)]
    pairs = list(zip(before, after, strict=True))
    found = sum(bool(diff(old, new)) for old, new in pairs)
    taken = fastest(
        {
            "diff": lambda: [diff(old, new) for old, new in pairs],
            "equal": lambda: [old == new for old, new in pairs],
        },
        RUNS,
    )
    numbers = {"found": found, **{f"{name}_seconds": value for name, value in taken.items()}}
    return Figure(taken["diff"] / taken["equal"], numbers, sound=found == DIFFER)


ROWS = (
    Row(
        "diff-100000",
        f"diff of {LEADS:,} leads of which {DIFFER} differ ÷ `==` on the same dicts; in one process, fastest of {RUNS}",
        "×",
        _diff,
        limit=2,
    ),
)
