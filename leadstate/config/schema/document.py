"""What people may write, as models: the top level, accounts, policy (spec section 2). Labels and leads are kinds.

Fields are no unions where it can be avoided, so that an error's path leads to one place in the file. Says nothing about
how things fit together; the rules do.
"""

import ipaddress
import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Annotated, Any, ClassVar, Final, Literal, LiteralString, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    create_model,
    model_validator,
)
from pydantic_core import PydanticCustomError

from leadstate.config.configuration import SourceKind
from leadstate.config.yaml.masking import TOKEN_LIKE
from leadstate.kinds import KINDS
from leadstate.kinds.base import Kind, Line, NotBool, NotNull, RemoteId, Scoped, Spec
from leadstate.kinds.lead import IfGone, Mode, Plan

OAUTH_ENDPOINT: Final = "https://oauth.pipedrive.com/oauth/token"
"""What gives OAuth tokens (Pipedrive docs: OAuth authorization)."""

_DOMAIN: Final = r"^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$"
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")


def _origin(raw: str) -> str:
    """Return an origin in normal form: scheme, host, port where it is not the usual one."""
    form = "write only scheme and host, as in `url: https://proxy.example`"
    origin, path = _address(raw, form)
    if path:
        raise _bad_url("holds more than scheme, host and port", form)
    return origin


def _endpoint(raw: str) -> str:
    """Return an origin in normal form and a path."""
    form = f"write it as in `token_url: {OAUTH_ENDPOINT}`"
    origin, path = _address(raw, form)
    if not path:
        raise _bad_url("has no path", form)
    return origin + path


def _address(raw: str, form: str) -> tuple[str, str]:
    """Return origin and path of an address that a token may be sent to; nothing for the path `/`."""
    try:
        parts = urlsplit(raw)
        port, (loopback, host) = parts.port, _host(parts.hostname or "")
    except ValueError:
        raise _bad_url("does not name a host", form) from None
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    if usual is None or any(char.isspace() or not char.isprintable() for char in raw):
        raise _bad_url("is not an http or https address", form)
    if "@" in parts.netloc or "?" in raw or "#" in raw or port == 0 or parts.netloc.endswith(":"):
        raise _bad_url("holds more than scheme, host, port and path; a credential goes under `token`", form)
    if parts.scheme == "http" and not loopback:
        raise _bad_url("is not encrypted, and a token would travel over it", "write https://; http only for loopback")
    origin = f"{parts.scheme}://{host}" + (f":{port}" if port not in {None, usual} else "")
    return origin, "" if parts.path == "/" else parts.path


def _host(host: str) -> tuple[bool, str]:
    """Return whether the host is this machine, and how it stands in an address; raise ValueError unless it is one."""
    if _HOST.fullmatch(host) and not host.replace(".", "").isdigit():
        return host == "localhost", host
    address = ipaddress.ip_address(host)
    return address.is_loopback, f"[{address}]" if address.version == 6 else str(address)  # noqa: PLR2004


def _bad_url(problem: str, fix: str) -> PydanticCustomError:
    return PydanticCustomError("bad_url", "{problem}", {"problem": problem, "fix": fix})


Domain = Annotated[
    str,
    Field(
        pattern=_DOMAIN,
        description="The company's part of its address: acme-emea for https://acme-emea.pipedrive.com.",
    ),
]
Url = Annotated[
    str,
    AfterValidator(_origin),
    Field(
        description="Instead of domain: the origin of a sandbox or a proxy; https unless loopback.",
        json_schema_extra={"pattern": r"^https?://[^/@?#\s]+/?$"},
    ),
]
TokenUrl = Annotated[
    str,
    AfterValidator(_endpoint),
    Field(
        description="Where the client asks for access tokens, if not at Pipedrive: a sandbox or a proxy; https unless "
        "loopback.",
        json_schema_extra={"pattern": r"^https?://[^/@?#\s]+/[^?#\s]+$"},
    ),
]


ENVIRONMENT_VARIABLE: Final = r"^[A-Za-z_][A-Za-z0-9_]*$"
"""Names of environment variables that a token may come from."""


class KeyringSpec(Spec):
    """An entry of the system's keyring, as `keyring set SERVICE USER` makes it."""

    service: Annotated[str, Field(min_length=1, description="The service that the entry is for.")]
    user: Annotated[str, Field(min_length=1, description="The user that the entry is for.")]


class SecretSpec(Spec):
    """Where one secret comes from; never the secret itself."""

    error_type: ClassVar[LiteralString] = "secret_sources"
    """The type of the error where there is not exactly one source; its hint lists the sources."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    env: Annotated[str, Field(pattern=ENVIRONMENT_VARIABLE, description="The environment variable that holds it.")] = ""
    file: Annotated[
        str, Field(min_length=1, description="The file that holds it; a relative path counts from this file's folder.")
    ] = ""
    command: Annotated[
        list[str], Field(min_length=1, description="The command that prints it, as a list; no shell is involved.")
    ] = Field(default_factory=list)
    keyring: Annotated[
        KeyringSpec | None, Field(description="The entry of the system's keyring; needs leadstate[keyring]."), NotNull
    ] = None

    @property
    def source(self) -> tuple[SourceKind, tuple[str, ...]]:
        """What holds it, and what it is called there."""
        if self.keyring is not None:
            return "keyring", (self.keyring.service, self.keyring.user)
        if self.command:
            return "command", tuple(self.command)
        return ("env", (self.env,)) if self.env else ("file", (self.file,))

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        (name, *others) = self.model_fields_set or ("",)
        if others or not name:
            raise PydanticCustomError(self.error_type, "has exactly one source")
        kind, words = self.source
        # A folder may well be named by a commit.
        if any(map(TOKEN_LIKE.search, [PurePath(self.file).name] if kind == "file" else words)):
            raise PydanticCustomError("literal_token", "contains the secret itself")
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
        OAuthSpec | None, Field(description="Instead of an API token: an OAuth client and its refresh token."), NotNull
    ] = None


AccountName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)]
Tag = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)]
VARIABLE: Final = r"^[A-Za-z_][A-Za-z0-9_.-]*$"
VariableName = Annotated[str, StringConstraints(pattern=VARIABLE, max_length=100)]
DELIMITERS: Final = {",": ",", ";": ";", "tab": "\t"}

Limit = Annotated[int, Field(ge=0)]
Percent = Annotated[int, Field(ge=0, le=100)]


def _rules(kind: Kind) -> Any:
    """Return the field of a kind's prune rule: type and default."""
    words = ("none", *(rule.value for rule in kind.prune))
    return Annotated[Literal[words], Field(description=kind.prune_help)], "none"


PruneSpec: type[Spec] = create_model(
    "PruneSpec",
    __base__=Spec,
    __doc__="Which undeclared objects are deleted.",
    **{kind.section: _rules(kind) for kind in KINDS.values()},
)


_STAND_FOR: Final = "`*` stands for any characters, `?` for one, `[abc]` for one of these or for itself"
_NAMES: dict[str, Any] = {
    kind.section: (
        Annotated[
            list[Line],
            Field(max_length=1000, description=f"Names of {kind.section}; {_STAND_FOR}."),
        ],
        Field(default_factory=list),
    )
    for kind in KINDS.values()
    if kind.is_named
}
IgnoreSpec: type[Spec] = create_model(
    "IgnoreSpec", __base__=Spec, __doc__="Live objects that are as if they were not there.", **_NAMES
)
ProtectSpec: type[Spec] = create_model(
    "ProtectSpec", __base__=Spec, __doc__="Live objects that are never deleted.", **_NAMES
)


class GuardsSpec(Spec):
    """How much one run may do; null for no limit."""

    max_deletes: Annotated[Limit | None, Field(description="Deletes of one run; null for no limit.")] = 10
    max_delete_percent: Annotated[
        Percent | None, Field(description="Deletes of a kind in percent of what exists, from ten objects on.")
    ] = 30
    max_tokens: Annotated[
        Limit | None, Field(description="Rate-limit tokens that one apply may cost in an account.")
    ] = None


class PolicySpec(Spec):
    """What a run may do to what is not declared, and how much at once."""

    prune: Annotated[
        PruneSpec,
        Field(description="Which undeclared objects are deleted."),
    ] = PruneSpec()
    ignore: Annotated[
        IgnoreSpec,
        Field(description="Live objects that are never planned, pruned, merged, imported or reported as unmanaged."),
    ] = IgnoreSpec()
    protect: Annotated[
        ProtectSpec,
        Field(description="Live objects that are never deleted or merged into others; no `--allow` lifts it."),
    ] = ProtectSpec()
    guards: Annotated[GuardsSpec, Field(description="How much one run may do; null for no limit.")] = GuardsSpec()
    in_use: Annotated[
        Literal["refuse", "allow"], Field(description="Whether a label that leads still carry may be deleted.")
    ] = "refuse"
    archived_pages: Annotated[
        int,
        Field(ge=0, le=600, description="Pages of 500 archived leads (40 tokens each) that may be read to find one."),
    ] = 10


NO_POLICY: Final = PolicySpec()


class AccountSpec(Spec):
    """One Pipedrive account."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["domain"]}, {"required": ["url"]}]})

    domain: Domain = ""
    url: Url = ""
    company_id: Annotated[
        RemoteId | None,
        Field(description="Id of the token's company. A token of another one is refused (2 rate-limit tokens a run)."),
    ] = None
    plan: Annotated[
        Plan | None, Field(description="What the company has bought: what the words of visible_to mean.")
    ] = None
    token: Annotated[
        TokenSpec,
        Field(description="Where the API token comes from, or what gives access tokens; never the token itself."),
    ]
    tags: Annotated[list[Tag], Field(description="Words for -a tag:WORD, and for accounts and except.")] = Field(
        default_factory=list
    )
    vars: Annotated[
        dict[VariableName, str], Field(description="What ${name} in names, titles and references stands for.")
    ] = Field(default_factory=dict)
    # A default that is made, and not copied, takes a tenth of the time: there may be 5,000 accounts.
    policy: Annotated[PolicySpec, Field(description="What differs from the policy of all.")] = Field(
        default_factory=lambda: NO_POLICY
    )

    @model_validator(mode="after")
    def _one_address(self) -> Self:
        if len(self.model_fields_set & {"domain", "url"}) != 1:
            raise PydanticCustomError("account_address", "an account has either a `domain` or a `url`")
        return self

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return self.url or f"https://{self.domain}.pipedrive.com"


class TableSpec(Scoped):
    """A CSV file of leads; what stands beside `file` holds for every row that does not say otherwise."""

    file: Annotated[
        str, Field(min_length=1, description="The CSV file; a relative path counts from this file's folder.")
    ]
    delimiter: Annotated[Literal[",", ";", "tab"], Field(description="What stands between two cells.")] = ","
    mode: Mode = "enforce"
    if_gone: IfGone = "leave"

    @property
    def shared(self) -> Mapping[str, object]:
        """Field of a lead → its value, as far as it is written here."""
        return self.model_dump(by_alias=True, exclude_unset=True, exclude={"file", "delimiter"})


def _listed(raw: Any) -> Any:
    """Return a list of mappings: a path alone is a file that shares nothing, and needs no list."""
    items = [raw] if isinstance(raw, str | Mapping) else raw
    return [{"file": item} if isinstance(item, str) else item for item in items] if isinstance(items, list) else items


LeadsFrom = Annotated[
    list[TableSpec],
    BeforeValidator(_listed, json_schema_input_type=str | TableSpec | list[str | TableSpec]),
    Field(description="CSV files whose rows are seeded leads: a path, a mapping with `file`, or a list of those."),
]


IGNORED: Final = "x-"
"""How a top-level key begins that is ignored: a place for anchors."""


class Top(Spec):
    """One file of a configuration without the lists of the kinds."""

    model_config = ConfigDict(
        json_schema_extra={"patternProperties": {f"^{IGNORED}": {"description": "Ignored: a place for anchors."}}}
    )

    version: Annotated[
        Literal[1], NotBool, Field(description="Version of this format; needed, once over all files.")
    ] = 1
    namespace: Annotated[
        str,
        Field(
            pattern=r"^[a-z0-9][a-z0-9._-]*$",
            max_length=50,
            description="Marks the leads that this configuration owns. Required if leads are declared or pruned. Two "
            "configurations of one namespace in one account delete each other's leads with prune.leads: owned.",
        ),
    ] = ""
    accounts: Annotated[dict[AccountName, AccountSpec], Field(description="The accounts, by names of your own.")] = (
        Field(default_factory=dict)
    )
    policy: Annotated[PolicySpec, Field(description="For every account; an account may override any of it.")] = (
        PolicySpec()
    )
    leads_from: LeadsFrom = Field(default_factory=list)

    @model_validator(mode="before")
    @classmethod
    def _without_ignored(cls, raw: Any) -> Any:
        """Leave out the keys that begin with `x-`."""
        return {key: value for key, value in raw.items() if not key.startswith(IGNORED)}


def _list(kind: Kind) -> Any:
    """Return the field of a kind's list: type and default."""
    return Annotated[list[kind.spec], Field(description=kind.description)], Field(default_factory=list)  # type: ignore[name-defined]  # made of the kinds


Document: type[Top] = create_model(
    "Document",
    __base__=Top,
    __doc__="One file of a configuration.",
    **{kind.section: _list(kind) for kind in KINDS.values()},
)
