"""Measures every budget of spec section 8, prints a table and writes JSON: `python -m benchmarks`."""

import json
import tempfile
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine
from benchmarks.row import Figure, Row, SkippedError
from benchmarks.rows import ROWS

FORMAT = "1.0"


@click.command()
@click.option("--only", "names", multiple=True, type=click.Choice([row.name for row in ROWS]), help="Only this row.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path(__file__).with_name("results.json"),
    show_default="benchmarks/results.json",
)
def main(names: tuple[str, ...], output: Path) -> None:
    """Measure each row; exit 1 where one is over its limit."""
    document: dict[str, object] = {"format_version": FORMAT, "machine": machine()}
    rows = [row for row in ROWS if row.name in names or not names]
    measured = [_measure(row) for row in rows]
    document["rows"] = measured
    output.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    Console(width=None if Console().is_terminal else 160).print(_table(measured))
    raise SystemExit(any(row["holds"] is False for row in measured))


def _measure(row: Row) -> dict[str, object]:
    click.echo(f"{row.name} …", err=True)
    known = {
        "name": row.name,
        "compared": row.compared,
        "unit": row.unit,
        "limit": row.limit,
        "limit_is": "least" if row.at_least else "most",
    }
    with tempfile.TemporaryDirectory(prefix="leadstate-bench-") as folder:
        try:
            figure: Figure = row.measure(Path(folder))
        except SkippedError as why:
            return {**known, "value": None, "holds": None, "numbers": {}, "skipped": str(why)}
    numbers = {name: None if number is None else round(number, 4) for name, number in figure.numbers.items()}
    return {**known, "value": round(figure.value, 3), "holds": row.holds(figure), "numbers": numbers, "skipped": None}


def _table(measured: list[dict[str, object]]) -> Table:
    table = Table("row", "value", "limit", "", "what is compared", box=None, header_style="bold", pad_edge=False)
    for row in measured:
        sign = "≥" if row["limit_is"] == "least" else "≤"
        limit = "" if row["limit"] is None else f"{sign} {row['limit']:g} {row['unit']}"
        value = "skipped" if row["value"] is None else f"{row['value']:.4g} {row['unit']}"
        verdict = {True: "[green]ok[/]" if limit else "", False: "[bold red]over[/]", None: ""}[row["holds"]]  # type: ignore[index]  # JSON
        table.add_row(str(row["name"]), value, limit, verdict, str(row["skipped"] or row["compared"]))
    return table


if __name__ == "__main__":
    main()
