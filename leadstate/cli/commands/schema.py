"""`leadstate schema`: JSON Schemas, for editors and for readers of reports."""

import json

import click

from leadstate.cli import options
from leadstate.cli.exits import Exit
from leadstate.cli.main import COMMANDS
from leadstate.config import schema_text
from leadstate.report.formats.json import report_schema


@click.command(short_help=COMMANDS["schema"])
@click.argument("document", type=click.Choice(["config", "report"]), default="config")
@options.log_level
def schema(*, document: str) -> int:
    """Print the JSON Schema of the configuration (the default) or of the report.

    In VS Code, the first line of leadstate.yaml names the schema, and mistakes are underlined while you type:

    \b
    # yaml-language-server: $schema=leadstate.schema.json

    \b
    Examples:  leadstate schema > leadstate.schema.json
               leadstate schema report

    """
    text = schema_text() if document == "config" else json.dumps(report_schema(), indent=2, ensure_ascii=False) + "\n"
    click.echo(text, nl=False)
    return Exit.FINE
