"""What whoever runs leadstate allows the configuration: hosts that a token may go to, and sources it may come from.

Who writes the YAML is not trusted with every secret of a job (SECURITY.md). Nothing set allows everything.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final, get_args
from urllib.parse import urlsplit

from leadstate.config.configuration import OAuthToken, SecretSource, SourceKind, TokenSource
from leadstate.config.schema.document import AccountSpec
from leadstate.config.validate import Entry
from leadstate.config.yaml.diagnostics import Diagnostics, Place, shown, visible_in_line
from leadstate.config.yaml.files import link_outwards
from leadstate.model.diagnostics import LeadstateError

HOSTS: Final = "LEADSTATE_ALLOW_HOSTS"
SOURCES: Final = "LEADSTATE_ALLOW_TOKEN_SOURCES"
SOURCE_KINDS: Final = (*get_args(SourceKind), "oauth")


class TrustError(LeadstateError):
    """The environment allows something that does not exist."""

    code = "allow-list"


@dataclass(frozen=True, slots=True)
class Trust:
    """What is allowed; None for everything.

    Attributes:
        hosts: globs, in small letters.
        sources: `KIND`, or `KIND:GLOB` of a variable, a path, a program or a keyring's service.
    """

    hosts: tuple[str, ...] | None = None
    sources: tuple[str, ...] | None = None

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Trust":
        """Read it from environment variables; one that is set to nothing allows nothing.

        Raises:
            TrustError: a kind of source that does not exist.
        """
        hosts, sources = (
            tuple(environ[name].replace(",", " ").split()) if name in environ else None for name in (HOSTS, SOURCES)
        )
        for source in sources or ():
            kind, colon, glob = source.partition(":")
            if kind not in SOURCE_KINDS or (colon and not glob) or (kind == "oauth" and colon):
                hint = (
                    "write env, file, command, keyring or oauth, all but the last perhaps with a glob: env:PIPEDRIVE_*"
                )
                raise TrustError(f"{SOURCES} holds {shown(source)}, which is not a token source", hint=hint)
        return cls(None if hosts is None else tuple(host.lower() for host in hosts), sources)

    def allows_host(self, origin: str) -> bool:
        """Return whether a token may go to the host of an address."""
        host = (urlsplit(origin).hostname or "").lower()
        return self.hosts is None or any(fnmatchcase(host, glob) for glob in self.hosts)

    def allows_source(self, kind: str, name: str = "") -> bool:
        """Return whether a token may come from a source; a file by its path."""
        if self.sources is None:
            return True
        globs = [
            glob if colon else "*"
            for allowed, colon, glob in (source.partition(":") for source in self.sources)
            if allowed == kind
        ]
        if kind == "file":
            # A commit must not turn what is allowed into a link to something else.
            return "*" in globs or (
                any(fnmatchcase(os.path.abspath(name), os.path.abspath(glob)) for glob in globs)  # noqa: PTH100  resolves no links
                and link_outwards(Path(name)) is None
            )
        return any(fnmatchcase(name, glob) for glob in globs)


EVERYTHING: Final = Trust()


def check_trust(account: Entry[AccountSpec], source: TokenSource, trust: Trust, diagnostics: Diagnostics) -> None:
    """Report a host that the account's token must not go to, and a source that it must not come from."""
    key = "domain" if account.spec.domain else "url"
    addresses = [] if key in account.unknown else [(account.spec.origin, account.place(key))]
    if isinstance(source, OAuthToken):
        addresses.append((source.token_url, account.place("token", "oauth", "token_url")))
    for address, place in addresses:
        if not trust.allows_host(address):
            summary = f"a token must not go to the host `{visible_in_line(urlsplit(address).hostname or '')}` here"
            diagnostics.error("host-not-allowed", summary, place, hint=_allowed(HOSTS, trust.hosts))
    for kind, name, place in () if "token" in account.unknown else _sources(account, source):
        if not trust.allows_source(kind, name):
            shown = visible_in_line((f"{kind}:{name}" if name else kind)[:100])
            summary = f"a token must not come from `{shown}` here"
            diagnostics.error("token-source-not-allowed", summary, place, hint=_allowed(SOURCES, trust.sources))


def _sources(account: Entry[AccountSpec], source: TokenSource) -> Iterator[tuple[str, str, Place]]:
    """Return kind, name and place of each source of a token, and of the file that a new one is written to."""
    if not isinstance(source, OAuthToken):
        yield source.kind, source.name, account.place("token")
        return
    yield "oauth", "", account.place("token", "oauth")
    for key in ("client_id", "client_secret", "refresh_token"):
        part: SecretSource = getattr(source, key)
        yield part.kind, part.name, account.place("token", "oauth", key)
    if source.save_to is not None:
        yield "file", str(source.save_to), account.place("token", "oauth", "save_to")


def _allowed(variable: str, allowed: Sequence[str] | None) -> str:
    known = ", ".join(f"`{visible_in_line(name)}`" for name in allowed or ()) or "nothing"
    return f"use what {variable} allows, which is {known}; whoever runs leadstate sets that variable, no file does"
