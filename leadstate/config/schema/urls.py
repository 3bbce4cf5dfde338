"""Addresses that people write, checked: a company's domain, an origin, the endpoint that gives OAuth tokens.

A token travels to each of them, so plain http is for loopback alone.
"""

import ipaddress
import re
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

OAUTH_ENDPOINT: Final = "https://oauth.pipedrive.com/oauth/token"
"""What gives OAuth tokens (Pipedrive docs: OAuth authorization)."""

_PIPEDRIVE = re.compile(r"(?:https?://)?([a-z0-9-]+)\.pipedrive\.com(?:/.*)?", re.IGNORECASE | re.DOTALL)
_DOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")


def _domain(raw: str) -> str:
    if _DOMAIN.fullmatch(raw):
        return raw
    host = _PIPEDRIVE.fullmatch(raw)
    meant = (host[1] if host else raw).lower()
    if _DOMAIN.fullmatch(meant):
        raise PydanticCustomError(
            "bad_domain", "is not just the company's part of the address", {"fix": f"write `domain: {meant}`"}
        )
    fix = "write the part before .pipedrive.com, as in `domain: acme-emea`; another address goes under `url`"
    raise PydanticCustomError("bad_domain", "is no Pipedrive domain", {"fix": fix})


def _bad_url(problem: str, fix: str) -> PydanticCustomError:
    return PydanticCustomError("bad_url", "{problem}", {"problem": problem, "fix": fix})


def _url(raw: str) -> str:
    """Return an origin in normal form: scheme, host, port where it is not the usual one."""
    form = "write only scheme and host, as in `url: https://proxy.example`"
    origin, path = _split(raw, form)
    if path not in {"", "/"}:
        raise _bad_url("holds more than scheme, host and port", form)
    return origin


def _endpoint(raw: str) -> str:
    """Return an origin in normal form and a path."""
    form = f"write it as in `token_url: {OAUTH_ENDPOINT}`"
    origin, path = _split(raw, form)
    if path in {"", "/"}:
        raise _bad_url("has no path", form)
    return origin + path


def _split(raw: str, form: str) -> tuple[str, str]:
    try:
        parts = urlsplit(raw)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _bad_url("is no address", form) from None
    if any(char.isspace() or not char.isprintable() for char in raw) or parts.scheme not in {"http", "https"}:
        raise _bad_url("is no http or https address", form)
    if parts.username is not None or parts.password is not None:
        raise _bad_url("holds a user name or password", f"{form}; the credential goes under `token`")
    if "?" in raw or "#" in raw:
        raise _bad_url("holds a query or a fragment", form)
    loopback, shown = _host(host)
    if port == 0 or parts.netloc.endswith(":"):
        raise _bad_url("has no usable port", "write a port from 1 to 65535, or none")
    if parts.scheme == "http" and not loopback:
        raise _bad_url("is not encrypted, and a token would travel over it", "write https://; http only for loopback")
    usual = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{shown}" + (f":{port}" if port not in {None, usual} else ""), parts.path


def _host(host: str) -> tuple[bool, str]:
    """Return whether the host is this machine, and how it stands in an address."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        if not _HOST.fullmatch(host):
            fix = "write a host name of letters, digits, dots and hyphens, or an IP address"
            raise _bad_url("has no usable host name", fix) from None
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
TokenUrl = Annotated[
    str,
    AfterValidator(_endpoint),
    Field(
        description="Where the client asks for access tokens, if not at Pipedrive: a sandbox or a proxy; https unless "
        "loopback.",
        json_schema_extra={"pattern": r"^https?://[^/@?#\s]+/[^?#\s]+$"},
    ),
]
