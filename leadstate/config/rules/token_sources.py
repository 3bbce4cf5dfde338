"""From what people write under `token` to the sources of a token, each with its place. Reads none of them."""

from leadstate.config.configuration import (
    CommandToken,
    EnvToken,
    FileToken,
    KeyringToken,
    OAuthToken,
    SecretSource,
    TokenSource,
)
from leadstate.config.rules.merge import Entry
from leadstate.config.schema.document import AccountSpec
from leadstate.config.schema.token_spec import SecretSpec


def token_source(account: Entry[AccountSpec]) -> TokenSource:
    """Where the account's token comes from."""
    spec, folder = account.spec.token, account.source.folder

    def source(one: SecretSpec, *path: str) -> SecretSource:
        at = account.place("token", *path).span
        if one.env:
            return EnvToken(one.env, at=at)
        if one.file:
            return FileToken(one.file, folder, at=at)
        if one.keyring:
            return KeyringToken(one.keyring.service, one.keyring.user, at=at)
        return CommandToken(tuple(one.command), folder, at=at)

    if spec.oauth is None:
        return source(spec)
    oauth = spec.oauth
    return OAuthToken(
        source(oauth.client_id, "oauth", "client_id"),
        source(oauth.client_secret, "oauth", "client_secret"),
        source(oauth.refresh_token, "oauth", "refresh_token"),
        oauth.token_url,
        folder / oauth.save_to if oauth.save_to else None,
    )
