"""`leadstate schema`: JSON Schemas, for editors and for readers of reports."""

import json

import click

from leadstate.cli.exits import Exit
from leadstate.cli.main import COMMANDS


@click.command(short_help=COMMANDS["schema"])
@click.argument("document", type=click.Choice(["config", "report"]), default="config")
def schema(*, document: str) -> int:
    """Print the JSON Schema of the configuration (the default) or of the report.

    In VS Code, the first line of leadstate.yaml names the schema, and mistakes are underlined while you type:

    \b
    # yaml-language-server: $schema=leadstate.schema.json
    """
    if document == "config":
        from leadstate.config import document_schema as made  # noqa: PLC0415  one of two
    else:
        from leadstate.report.document import report_schema as made  # noqa: PLC0415  the other
    click.echo(json.dumps(made(), indent=2, ensure_ascii=False))
    return Exit.FINE
