"""The environment of leadstate: what it needs, `PIPEDRIVE_*`, what the workflow names. Never a token of the platform.

Who writes the configuration is not trusted with every secret of the job (docs/explanation/security.md): it could name
any variable as a token, and any host to send it to.
"""

from collections.abc import Iterable, Mapping

TOKENS = "PIPEDRIVE_"
HOSTS = "*.pipedrive.com"

NAMES = frozenset(
    [
        "PATH",
        "HOME",
        "USER",
        "LOGNAME",
        "SHELL",
        "TMPDIR",
        "TZ",
        "LANG",
        "LANGUAGE",
        "TERM",
        "NO_COLOR",
        "CI",
        "GITHUB_WORKSPACE",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "no_proxy",
    ]
)
"""What programs need on a runner, and how they reach the network."""

PREFIXES = ("LC_", "XDG_", "LEADSTATE_", TOKENS)


def of_leadstate(environ: Mapping[str, str], named: Iterable[str]) -> dict[str, str]:
    """Return the environment that leadstate is started with.

    Args:
        environ: the environment of the step.
        named: variables that the workflow names beside `PIPEDRIVE_*`; tokens may come from them.
    """
    names = set(named)
    passed = {
        name: value for name, value in environ.items() if name in NAMES or name in names or name.startswith(PREFIXES)
    }
    sources = [f"env:{TOKENS}*", *(f"env:{name}" for name in sorted(names))]
    return {"LEADSTATE_ALLOW_HOSTS": HOSTS, "LEADSTATE_ALLOW_TOKEN_SOURCES": ",".join(sources), **passed}


def has_tokens(environ: Mapping[str, str], named: Iterable[str]) -> bool:
    """Return whether any token is there. GitHub fills in nothing for a secret that a run is not given."""
    return any(value for name, value in environ.items() if name.startswith(TOKENS) or name in set(named))
