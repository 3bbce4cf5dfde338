"""What a configuration is once it has been read: plain data, for the engine and the command line."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from leadstate.model.account import Account
from leadstate.model.address import Span
from leadstate.model.diagnostics import Diagnostic
from leadstate.model.rollout import Limit

SourceKind: TypeAlias = Literal["env", "file", "command", "keyring"]


@dataclass(frozen=True, slots=True)
class SecretSource:
    """Where a secret comes from.

    Attributes:
        kind: what holds it.
        words: the name of the variable; the path; the command and its arguments; service and user of the keyring entry.
        folder: where the configuration file is: a relative path counts from there, and a command runs there.
        at: where the source is declared.
    """

    kind: SourceKind
    words: tuple[str, ...]
    folder: Path
    at: Span | None = field(default=None, compare=False)

    @property
    def name(self) -> str:
        """The variable, the whole path, the program, or the service."""
        return str(self.folder / self.words[0]) if self.kind == "file" else self.words[0]


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
        namespace: prefix of our leads' ownership markers; None if the files give no namespace.
        accounts: the selected accounts, in order of name.
        diagnostics: warnings.
        lock_file: where the lock file is, or would be; None where a configuration has none, as a git revision.
        limit: which part of all accounts these are.
    """

    namespace: str | None
    accounts: tuple[DeclaredAccount, ...]
    diagnostics: tuple[Diagnostic, ...]
    lock_file: Path | None = None
    limit: Limit = field(default_factory=Limit)
