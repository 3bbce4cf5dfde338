"""What people may write, as models: the top level, accounts, policy (spec section 2). Labels and leads are kinds.

Fields are no unions where it can be avoided, so that an error's path leads to one place in the file. Says nothing about
how things fit together; the rules do.
"""

import ipaddress
import re
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from leadstate.kinds.kind import RemoteId, Spec
from leadstate.kinds.label import LabelSpec
from leadstate.kinds.lead_spec import LeadSpec, Plan

_PIPEDRIVE = re.compile(r"(?:https?://)?([a-z0-9-]+)\.pipedrive\.com(?:/.*)?", re.IGNORECASE | re.DOTALL)
_DOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")

AccountName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)]
Tag = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)]
VariableName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]*$", max_length=100)]


def _domain(raw: str) -> str:
    if _DOMAIN.fullmatch(raw):
        return raw
    host = _PIPEDRIVE.fullmatch(raw)
    meant = (host[1] if host else raw).lower()
    if _DOMAIN.fullmatch(meant):
        raise PydanticCustomError(
            "bad_domain", "is not just the company's part of the address", {"cure": f"write `domain: {meant}`"}
        )
    cure = "write the part before .pipedrive.com, as in `domain: acme-emea`; another address goes under `url`"
    raise PydanticCustomError("bad_domain", "is no Pipedrive domain", {"cure": cure})


def _bad_url(problem: str, cure: str) -> PydanticCustomError:
    return PydanticCustomError("bad_url", "{problem}", {"problem": problem, "cure": cure})


def _url(raw: str) -> str:
    """An origin in normal form: scheme, host, port where it is not the usual one."""
    form = "write only scheme and host, as in `url: https://proxy.example`"
    try:
        parts = urlsplit(raw)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _bad_url("is no address", form) from None
    if any(char.isspace() or not char.isprintable() for char in raw) or parts.scheme not in {"http", "https"}:
        raise _bad_url("is no http or https address", form)
    if parts.username is not None or parts.password is not None:
        raise _bad_url("holds a user name or password", f"{form}; the credential goes under `token`")
    if parts.path not in {"", "/"} or "?" in raw or "#" in raw:
        raise _bad_url("holds more than scheme, host and port", form)
    loopback, shown = _host(host)
    if port == 0 or parts.netloc.endswith(":"):
        raise _bad_url("has no usable port", "write a port from 1 to 65535, or none")
    if parts.scheme == "http" and not loopback:
        raise _bad_url("is not encrypted, and a token would travel over it", "write https://; http only for loopback")
    usual = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{shown}" + (f":{port}" if port not in {None, usual} else "")


def _host(host: str) -> tuple[bool, str]:
    """Whether the host is this machine, and how it stands in an address."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        if not _HOST.fullmatch(host):
            cure = "write a host name of letters, digits, dots and hyphens, or an IP address"
            raise _bad_url("has no usable host name", cure) from None
        return host == "localhost", host
    return address.is_loopback, f"[{address}]" if address.version == 6 else str(address)  # noqa: PLR2004


Domain = Annotated[
    str,
    AfterValidator(_domain),
    Field(
        description="The company's part of its address: acme-emea for https://acme-emea.pipedrive.com.",
        json_schema_extra={"pattern": f"^{_DOMAIN.pattern}$"},
    ),
]
Url = Annotated[
    str,
    AfterValidator(_url),
    Field(
        description="Instead of domain: the origin of a sandbox or a proxy; https unless loopback.",
        json_schema_extra={"pattern": r"^https?://[^/@?#\s]+/?$"},
    ),
]


class TokenSpec(Spec):
    """Where the API token comes from; never the token itself."""

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

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise PydanticCustomError("token_sources", "a token has exactly one source")
        if re.fullmatch(r"[0-9A-Fa-f]{40}", self.env):
            raise PydanticCustomError("literal_token", "the token itself stands in the file")
        if self.command and not self.command[0].strip():
            raise PydanticCustomError("empty_text", "is empty")
        return self


Labels = Literal["none", "locked", "all"]
Leads = Literal["none", "owned"]
Limit = Annotated[int, Field(ge=0)]
Percent = Annotated[int, Field(ge=0, le=100)]


class PruneSpec(Spec):
    """Which undeclared objects are deleted."""

    labels: Annotated[
        Labels,
        Field(description="all: delete every label that is not declared; locked: those that the lock file knows."),
    ] = "none"
    leads: Annotated[Leads, Field(description="owned: delete leads of this namespace that are not declared.")] = "none"


class GuardsSpec(Spec):
    """How much one run may do; null for no limit."""

    max_deletes: Annotated[Limit | None, Field(description="Deletes of one run.")] = 10
    max_delete_percent: Annotated[Percent | None, Field(description="Deletes, in percent of what exists.")] = 30
    max_tokens: Annotated[Limit | None, Field(description="API tokens that one apply may cost.")] = None


class PolicySpec(Spec):
    """What a run may do to what is not declared, and how much at once."""

    prune: Annotated[PruneSpec, Field(description="Which undeclared objects are deleted.")] = PruneSpec()
    guards: Annotated[GuardsSpec, Field(description="How much one run may do; null for no limit.")] = GuardsSpec()
    in_use: Annotated[Literal["refuse", "allow"], Field(description="Deleting a label that leads still carry.")] = (
        "refuse"
    )
    archived_pages: Annotated[
        int, Field(ge=0, le=600, description="How many pages of 500 archived leads may be read to look for a lead.")
    ] = 10


class AccountSpec(Spec):
    """One Pipedrive account."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["domain"]}, {"required": ["url"]}]})

    domain: Domain = ""
    url: Url = ""
    company_id: Annotated[
        RemoteId | None, Field(description="Id of the company: a token of another one is refused.")
    ] = None
    plan: Annotated[Plan | None, Field(description="What the company has bought: it tells what visible_to means.")] = (
        None
    )
    token: Annotated[TokenSpec, Field(description="Where the API token comes from; never the token itself.")]
    tags: Annotated[list[Tag], Field(description="Words that select this account as tag:WORD.")] = Field(
        default_factory=list
    )
    vars: Annotated[dict[VariableName, str], Field(description="What ${name} stands for in this account.")] = Field(
        default_factory=dict
    )
    policy: Annotated[PolicySpec, Field(description="What is different from the policy above.")] = PolicySpec()

    @model_validator(mode="after")
    def _one_address(self) -> Self:
        if len(self.model_fields_set & {"domain", "url"}) != 1:
            raise PydanticCustomError("account_address", "an account has either a `domain` or a `url`")
        return self

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return self.url or f"https://{self.domain}.pipedrive.com"


class Document(Spec):
    """One file of a configuration."""

    version: Annotated[Literal[1], Field(description="Version of this format; once over all files.")] = 1
    namespace: Annotated[
        str,
        Field(
            pattern=r"^[a-z0-9][a-z0-9._-]*$",
            max_length=50,
            description="Marks the leads that this configuration owns; required as soon as leads are declared.",
        ),
    ] = ""
    accounts: Annotated[dict[AccountName, AccountSpec], Field(description="Name → account.")] = Field(
        default_factory=dict
    )
    policy: Annotated[PolicySpec, Field(description="For every account; an account may override any of it.")] = (
        PolicySpec()
    )
    labels: Annotated[list[LabelSpec], Field(description="The lead labels.")] = Field(default_factory=list)
    leads: Annotated[list[LeadSpec], Field(description="The seeded leads.")] = Field(default_factory=list)
