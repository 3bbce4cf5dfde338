"""From a declared token to the signer of an account's requests, and to where a new refresh token is kept."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from leadstate.api.files import replace_file
from leadstate.config import DeclaredAccount, OAuthToken, SecretSource, read_token
from leadstate.model.diagnostics import Diagnostic, SecretError, Severity, diagnostic_of, reason_of
from leadstate.pipedrive.connection import HttpClient, Signer, TokenAuth
from leadstate.pipedrive.oauth import Client, OAuth
from leadstate.pipedrive.secrets import RunSecrets, Secrets, Token

Warn = Callable[[Diagnostic], object]
"""Is given each warning."""


def signers_of(
    accounts: Sequence[DeclaredAccount],
    http: HttpClient,
    environ: Mapping[str, str],
    clock: Callable[[], float],
    warn: Warn,
) -> tuple[dict[str, Signer], dict[str, Diagnostic]]:
    """Return the signer of each account, its secrets read; and for each account without one why it has none.

    Args:
        accounts: the accounts, and where their tokens come from.
        http: asks the token endpoint.
        environ: the variables that token sources name.
        clock: monotonic seconds.
        warn: hears of a new refresh token that is not saved.
    """
    given: list[Token] = []
    signers: dict[str, Signer] = {}
    failures: dict[str, Diagnostic] = {}
    run = RunSecrets() if len(accounts) > 1 else None

    def read(source: SecretSource) -> Token:
        given.append(read_token(source, environ=environ))
        return given[-1]

    for declared in accounts:
        name = declared.account.name
        try:
            signers[name] = _make_signer(declared, http, read, clock, warn=warn, run=run)
        except SecretError as failure:
            failures[name] = diagnostic_of(failure, name)
    if not failures:
        return signers, {}
    # The error of a program that gives one secret may repeat another, also one that is read after it.
    variables = {variable for declared in accounts for variable in _variables_of(declared)}
    given += [Token(text) for variable in sorted(variables) if (text := environ.get(variable, "").strip())]
    known = RunSecrets()
    Secrets(given, known)
    return signers, {name: replace(why, summary=known.mask(why.summary)) for name, why in failures.items()}


def _variables_of(declared: DeclaredAccount) -> Iterator[str]:
    """Return the environment variables that an account's secrets come from."""
    token = declared.token
    sources = (token.client_id, token.client_secret, token.refresh_token) if isinstance(token, OAuthToken) else (token,)
    return (source.name for source in sources if source.kind == "env")


def _make_signer(
    declared: DeclaredAccount,
    http: HttpClient,
    read: Callable[[SecretSource], Token],
    clock: Callable[[], float],
    *,
    warn: Warn,
    run: RunSecrets | None,
) -> Signer:
    """Return the signer of an account; raise `SecretError` if one of its sources gives nothing usable."""
    source = declared.token
    if not isinstance(source, OAuthToken):
        return TokenAuth(read(source), run)
    client = Client(
        read(source.client_id),
        read(source.client_secret),
        read(source.refresh_token),
        source.token_url,
        source.refresh_token.at,
    )
    if source.save_to is not None and not os.access(source.save_to.parent, os.W_OK):
        # Told before it matters: the old token may be of no use once there is a new one.
        raise SecretError(
            f"a new refresh token could not be written to `save_to: {source.save_to}`",
            hint="make the folder, or name another file",
            span=source.refresh_token.at,
        )
    keep = _make_keeper(declared.account.name, source, warn)
    return OAuth(http, client, declared.account.origin, clock=clock, rotated=keep, run=run)


def uses_https(declared: DeclaredAccount) -> bool:
    """Return whether requests of an account go over https: to its API, or to the server of its access tokens."""
    token_url = declared.token.token_url if isinstance(declared.token, OAuthToken) else ""
    return any(address.startswith("https:") for address in (declared.account.origin, token_url))


def _make_keeper(account: str, source: OAuthToken, warn: Warn) -> Callable[[Token], None]:
    """Return what keeps a new refresh token where `save_to` says, and warns once if it is written nowhere."""
    warned = False

    def keep(token: Token) -> None:
        nonlocal warned
        problem = "it is not saved"
        if source.save_to is not None:
            try:
                replace_file(source.save_to, f"{token.reveal()}\n")
            except OSError as failure:
                problem = f"it cannot be written to {source.save_to}: {reason_of(failure)}"
            else:
                return
        if not warned:
            warned = True
            warn(
                Diagnostic(
                    "refresh-token-replaced",
                    Severity.WARNING,
                    f"a new refresh token was issued, and {problem}; the declared one may no longer work",
                    hint="name a file under `oauth`, as in `save_to: refresh-token`, and let `refresh_token` read it; "
                    "if the next run is refused, authorise the app again",
                    span=source.refresh_token.at,
                    account=account,
                )
            )

    return keep
