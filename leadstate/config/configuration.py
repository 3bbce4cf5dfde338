"""What a configuration is once it has been read: plain data, for the engine and the command line."""

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from leadstate.core.account import Account
from leadstate.core.diagnostics import Diagnostic


@dataclass(frozen=True, slots=True)
class EnvToken:
    """A token that an environment variable holds."""

    name: str


@dataclass(frozen=True, slots=True)
class FileToken:
    """A token that a file holds; a relative path counts from `folder`, where the configuration file is."""

    path: str
    folder: Path


@dataclass(frozen=True, slots=True)
class CommandToken:
    """A token that a command prints; it runs in `folder`, where the configuration file is."""

    command: tuple[str, ...]
    folder: Path


TokenSource: TypeAlias = EnvToken | FileToken | CommandToken


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
        namespace: prefix of our leads' ownership marks; None where none is given.
        accounts: the selected accounts, in order of name.
        diagnostics: warnings.
        files: the files that were read, as the user gave them.
    """

    namespace: str | None
    accounts: tuple[DeclaredAccount, ...]
    diagnostics: tuple[Diagnostic, ...]
    files: tuple[str, ...]
