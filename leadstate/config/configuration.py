"""What a configuration is once it has been read: plain data, for the engine and the command line."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from leadstate.model.account import Account
from leadstate.model.address import Span
from leadstate.model.diagnostics import Diagnostic


@dataclass(frozen=True, slots=True, kw_only=True)
class _Declared:
    """`at` is where a source is declared, for what is said of it."""

    at: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class EnvToken(_Declared):
    """A secret that an environment variable holds."""

    name: str


@dataclass(frozen=True, slots=True)
class FileToken(_Declared):
    """A secret that a file holds; a relative path counts from `folder`, where the configuration file is."""

    path: str
    folder: Path


@dataclass(frozen=True, slots=True)
class CommandToken(_Declared):
    """A secret that a command prints; it runs in `folder`, where the configuration file is."""

    command: tuple[str, ...]
    folder: Path


@dataclass(frozen=True, slots=True)
class KeyringToken(_Declared):
    """A secret that the system's keyring holds."""

    service: str
    user: str


SecretSource: TypeAlias = EnvToken | FileToken | CommandToken | KeyringToken


@dataclass(frozen=True, slots=True)
class OAuthToken:
    """Access tokens that an OAuth client is given for its refresh token.

    Attributes:
        client_id: where it comes from.
        client_secret: where it comes from.
        refresh_token: where it comes from.
        token_url: the endpoint that gives the access tokens.
        save_to: the file that a new refresh token goes to; None where the user names none.
    """

    client_id: SecretSource
    client_secret: SecretSource
    refresh_token: SecretSource
    token_url: str
    save_to: Path | None


TokenSource: TypeAlias = SecretSource | OAuthToken


@dataclass(frozen=True, slots=True)
class DeclaredAccount:
    """An account, where its token comes from, and its tags."""

    account: Account
    token: TokenSource
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything that the files declare.

    Attributes:
        namespace: prefix of our leads' ownership markers; None where none is given.
        accounts: the selected accounts, in order of name.
        diagnostics: warnings.
        files: the files that were read, as the user gave them.
    """

    namespace: str | None
    accounts: tuple[DeclaredAccount, ...]
    diagnostics: tuple[Diagnostic, ...]
    files: tuple[str, ...]
