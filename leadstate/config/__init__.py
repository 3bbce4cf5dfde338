"""YAML files in, validated accounts out. Knows files and text; plans nothing, prints nothing, opens no connection."""

from leadstate.config.configuration import Configuration, DeclaredAccount
from leadstate.config.json_schema import document_schema, schema_text
from leadstate.config.loader import load
from leadstate.config.secrets import read_token

__all__ = ["Configuration", "DeclaredAccount", "document_schema", "load", "read_token", "schema_text"]
