"""Where an account's token comes from, as people write it (spec section 2, token sources); never the token itself."""

import re
from typing import Annotated, ClassVar, LiteralString, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from leadstate.config.schema.urls import OAUTH_ENDPOINT, TokenUrl
from leadstate.kinds.base import Spec


class KeyringSpec(Spec):
    """An entry of the system's keyring, as `keyring set SERVICE USER` makes it."""

    service: Annotated[str, Field(min_length=1, description="The service that the entry is for.")]
    user: Annotated[str, Field(min_length=1, description="The user that the entry is for.")]


class SecretSpec(Spec):
    """Where one secret comes from; never the secret itself."""

    error_type: ClassVar[LiteralString] = "secret_sources"
    """The type of error that says which sources there are."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    env: Annotated[
        str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", description="The environment variable that holds it.")
    ] = ""
    file: Annotated[
        str, Field(min_length=1, description="The file that holds it; a relative path counts from this file's folder.")
    ] = ""
    command: Annotated[
        list[str], Field(min_length=1, description="The command that prints it, as a list; no shell is involved.")
    ] = Field(default_factory=list)
    keyring: Annotated[
        KeyringSpec | None, Field(description="The entry of the system's keyring; needs leadstate[keyring].")
    ] = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        (name, *others) = self.model_fields_set or ("",)
        if others or not name or getattr(self, name) is None:
            raise PydanticCustomError(self.error_type, "has exactly one source")
        if re.fullmatch(r"[0-9A-Fa-f]{40}", self.env):
            raise PydanticCustomError("literal_token", "the token itself stands in the file")
        if self.command and not self.command[0].strip():
            raise PydanticCustomError("empty_text", "is empty")
        return self


class OAuthSpec(Spec):
    """An OAuth client that somebody has authorised for the account."""

    client_id: Annotated[SecretSpec, Field(description="Where the client id comes from.")]
    client_secret: Annotated[SecretSpec, Field(description="Where the client secret comes from.")]
    refresh_token: Annotated[SecretSpec, Field(description="Where the refresh token comes from.")]
    token_url: TokenUrl = OAUTH_ENDPOINT
    save_to: Annotated[
        str,
        Field(
            min_length=1,
            description="The file that a new refresh token is written to, should one be issued; a relative path counts "
            "from this file's folder.",
        ),
    ] = ""


class TokenSpec(SecretSpec):
    """Where the API token comes from, or what gives access tokens; never the token itself."""

    error_type = "token_sources"

    oauth: Annotated[
        OAuthSpec | None, Field(description="Instead of an API token: an OAuth client and its refresh token.")
    ] = None
