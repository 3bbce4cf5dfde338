"""Files in, validated accounts out. Knows files and text; plans nothing, prints nothing, opens no connection."""

from leadstate.config.configuration import Configuration, DeclaredAccount, OAuthToken, SecretSource
from leadstate.config.lockfile import Lock, LockError, lock_text, read_lock
from leadstate.config.rules.trust import Trust
from leadstate.config.schema.json_schema import document_schema, schema_text
from leadstate.config.secrets import read_token

__all__ = [
    "Configuration",
    "DeclaredAccount",
    "Lock",
    "LockError",
    "OAuthToken",
    "SecretSource",
    "Trust",
    "document_schema",
    "lock_text",
    "read_lock",
    "read_token",
    "schema_text",
]
