"""What whoever runs leadstate allows: hosts and token sources that no configuration gets past."""

import re
from pathlib import Path

import pytest

from leadstate.api.configuration import load
from leadstate.config.rules.trust import HOSTS, SOURCES, Trust, TrustError
from leadstate.model.diagnostics import ConfigurationError
from tests.config.conftest import MARK

OAUTH = "{oauth: {client_id: {env: P_A}, client_secret: {env: P_B}, refresh_token: {env: P_C}%s}}"


def refused(folder: Path, account: str, **environ: str) -> list[tuple[str, int, str]]:
    """Code, column and hint of each error of an account."""
    path = folder / "leadstate.yaml"
    path.write_text(f"version: 1\naccounts:\n  a: {account}\n", encoding="utf-8")
    try:
        load([path], (), Trust.of(environ))
    except ConfigurationError as failure:
        return [
            (diagnostic.code, diagnostic.span.column if diagnostic.span else 0, diagnostic.hint)
            for diagnostic in failure.diagnostics
        ]
    return []


def test_nothing_set_allows_everything(tmp_path: Path) -> None:
    for source in ("{env: X}", "{file: /x}", "{command: [x]}", "{keyring: {service: a, user: b}}", OAUTH % ""):
        assert refused(tmp_path, f"{{url: 'https://evil.test', token: {source}}}") == []


@pytest.mark.parametrize(
    ("account", "hosts", "fine"),
    [
        ("{domain: ‸acme, token: {env: T}}", "*.pipedrive.com", True),
        ("{domain: ‸acme, token: {env: T}}", "ACME.pipedrive.com", True),
        ("{domain: ‸acme, token: {env: T}}", "other.test, acme.pipedrive.*", True),
        ("{domain: ‸acme, token: {env: T}}", "pipedrive.com", False),
        ("{domain: ‸acme, token: {env: T}}", "", False),
        ("{url: ‸'https://evil.test', token: {env: T}}", "*.pipedrive.com", False),
        ("{url: ‸'https://pipedrive.com.evil.test', token: {env: T}}", "*pipedrive.com", False),
        ("{url: ‸'https://evil.test:8080', token: {env: T}}", "evil.test", True),
        ("{url: ‸'http://127.0.0.1:8765', token: {env: T}}", "127.0.0.1", True),
        ("{url: ‸'http://[::1]:8765', token: {env: T}}", "::1", True),
        ("{domain: a, token: " + OAUTH % ", token_url: ‸'https://evil.test/t'" + "}", "*.pipedrive.com", False),
        ("{domain: a, token: " + OAUTH % "" + "}", "*.pipedrive.com", True),
        ("{domain: a, token: {oauth: ‸" + OAUTH[8:] % "" + "}", "a.pipedrive.com", False),
    ],
)
def test_host_globs_allow_and_refuse(account: str, hosts: str, *, fine: bool, tmp_path: Path) -> None:
    found = refused(tmp_path, account.replace(MARK, ""), **{HOSTS: hosts})
    assert [(code, column) for code, column, _ in found] == (
        [] if fine else [("host-not-allowed", len("  a: ") + account.index(MARK) + 1)]
    )
    assert all(HOSTS in hint for *_, hint in found)


@pytest.mark.parametrize(
    ("token", "sources", "fine"),
    [
        ("‸{env: PIPEDRIVE_X}", "env:PIPEDRIVE_*", True),
        ("‸{env: PIPEDRIVE_X}", "oauth env", True),
        ("‸{env: GITHUB_TOKEN}", "env:PIPEDRIVE_*", False),
        ("‸{env: pipedrive_x}", "env:PIPEDRIVE_*", False),
        ("‸{env: X}", "", False),
        ("‸{env: X}", "file,command,keyring,oauth", False),
        ("‸{file: /run/secrets/x}", "file:/run/secrets/*", True),
        ("‸{file: /run/secrets/x}", "file", True),
        ("‸{file: /run/secrets/../../etc/shadow}", "file:/run/secrets/*", False),
        ("‸{file: secrets/x}", "file:/run/secrets/*", False),
        ("‸{command: [pass, show]}", "command", True),
        ("‸{command: [pass, show]}", "command:pass", True),
        ("‸{command: [sh, -c, pass]}", "command:pass", False),
        ("‸{command: [sh]}", "env", False),
        ("‸{keyring: {service: leadstate, user: b}}", "keyring:lead*", True),
        ("‸{keyring: {service: chrome, user: b}}", "keyring:lead*", False),
        (OAUTH % "", "oauth,env:P_*", True),
        ("{oauth: ‸" + OAUTH[8:] % "", "env:P_*", False),
        (OAUTH.replace("{env: P_B}", "‸{file: x}") % "", "oauth,env", False),
        (OAUTH % ", save_to: ‸x", "oauth,env", False),
        (OAUTH % ", save_to: x", "oauth,env,file", True),
    ],
)
def test_token_source_globs_allow_and_refuse(token: str, sources: str, *, fine: bool, tmp_path: Path) -> None:
    account = f"{{domain: a, token: {token}}}"
    found = refused(tmp_path, account.replace(MARK, ""), **{SOURCES: sources})
    assert [(code, column) for code, column, _ in found] == (
        [] if fine else [("token-source-not-allowed", len("  a: ") + account.index(MARK) + 1)]
    )
    assert all(SOURCES in hint for *_, hint in found)


def test_allowed_token_file_is_no_link_elsewhere(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "real").write_text("x", encoding="utf-8")
    (tmp_path / "secrets" / "x").symlink_to("/proc/self/environ")
    allowed = {SOURCES: f"file:{tmp_path}/secrets/*"}
    assert refused(tmp_path, "{domain: a, token: {file: secrets/real}}", **allowed) == []
    assert [code for code, *_ in refused(tmp_path, "{domain: a, token: {file: secrets/x}}", **allowed)] == [
        "token-source-not-allowed"
    ]


def test_the_hint_names_what_is_allowed(tmp_path: Path) -> None:
    ((_, _, hint),) = refused(tmp_path, "{domain: a, token: {env: X}}", **{SOURCES: "env:P_*,oauth"})
    assert re.search("`env:P_[*]`, `oauth`", hint)
    ((_, _, hint),) = refused(tmp_path, "{domain: a, token: {env: X}}", **{SOURCES: ""})
    assert "which is nothing" in hint


def test_account_with_an_error_makes_no_second_one(tmp_path: Path) -> None:
    found = refused(tmp_path, "{domain: a, token: {env: P_X}, tgas: [x]}", **{SOURCES: "env:P_*", HOSTS: "a.*"})
    assert [code for code, *_ in found] == ["unknown-key"]


def test_address_and_token_are_checked_in_spite_of_another_mistake(tmp_path: Path) -> None:
    found = refused(tmp_path, "{domain: a, token: {env: X}, tgas: [x]}", **{SOURCES: "env:P_*", HOSTS: "b.*"})
    assert sorted(code for code, *_ in found) == ["host-not-allowed", "token-source-not-allowed", "unknown-key"]
    found = refused(tmp_path, "{url: 'http://b.c', token: x}", **{SOURCES: "env:P_*", HOSTS: "b.*"})
    assert sorted(code for code, *_ in found) == ["bad-url", "literal-token"]


@pytest.mark.parametrize("sources", ["envs:X", "env:", "oauth:x", "PIPEDRIVE_*", "env,*"])
def test_unknown_kind_of_source_in_the_allow_list_is_an_error(sources: str) -> None:
    with pytest.raises(TrustError, match=SOURCES) as caught:
        Trust.of({SOURCES: sources})
    assert "PIPEDRIVE_*" in caught.value.hint
