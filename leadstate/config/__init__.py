"""YAML files in, validated accounts out. Knows files and text; plans nothing, prints nothing, opens no connection.

The names below are the room's whole surface. Each is imported when first asked for, so that checking a file does not
import an HTTP client, and reading a token does not import a YAML parser.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from leadstate.config.configuration import (
        CommandToken,
        Configuration,
        DeclaredAccount,
        EnvToken,
        FileToken,
        TokenSource,
    )
    from leadstate.config.json_schema import document_schema, schema_text
    from leadstate.config.loader import load
    from leadstate.config.secrets import read_token

__all__ = [
    "CommandToken",
    "Configuration",
    "DeclaredAccount",
    "EnvToken",
    "FileToken",
    "TokenSource",
    "document_schema",
    "load",
    "read_token",
    "schema_text",
]

_HOMES = {
    "load": "loader",
    "read_token": "secrets",
    "document_schema": "json_schema",
    "schema_text": "json_schema",
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module(f"{__name__}.{_HOMES.get(name, 'configuration')}"), name)
    return found
