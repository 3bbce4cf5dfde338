"""No token leaves the files (spec section 1, promise 8)."""

from collections.abc import Callable
from difflib import SequenceMatcher

import pytest

from leadstate.config.yaml import masking
from leadstate.config.yaml.masking import SecretSpans
from leadstate.model.diagnostics import Diagnostic

Errors = Callable[..., list[Diagnostic]]

SECRET = "s3cr3t-Value"
HEX = "0123456789abcdef0123456789ABCDEF01234567"
HEAD = "version: 1\naccounts:\n"

LEAKY = {
    "literal": f"  a: {{domain: acme, token: {SECRET}}}\n",
    "literal in quotes": f'  a: {{domain: acme, token: "{SECRET}"}}\n',
    "literal with an escape": '  a: {domain: acme, token: "s3cr3t-\\x56alue", x: 1}\n',
    "literal and another error on that line": f"  a: {{domian: acme, token: {SECRET}, tagz: [x]}}\n",
    "literal and a duplicate key on that line": f"  a: {{domain: acme, token: {SECRET}, domain: x}}\n",
    "literal as a block": f"  a:\n    domain: acme\n    token: |\n      {SECRET}\n",
    "literal in a list": f"  a: {{domain: acme, token: [{SECRET}], x: 1}}\n",
    "literal as a key": f"  a: {{domain: acme, token: {{{SECRET}: 1}}, x: 1}}\n",
    "literal under another key": f"  a: {{domain: acme, token: {{value: {SECRET}}}, x: 1}}\n",
    "literal for a variable": f"  a: {{domain: acme, token: {{env: {SECRET}}}, x: 1}}\n",
    "hex for a variable": f"  a: {{domain: acme, token: {{env: {HEX}}}, x: 1}}\n",
    "in a command": f"  a: {{domain: acme, token: {{command: [echo, {SECRET}]}}, x: 1}}\n",
    "client secret": f"  a: {{domain: acme, token: {{oauth: {{client_secret: {SECRET}}}}}, x: 1}}\n",
    "refresh token": f"  a: {{domain: acme, token: {{oauth: {{refresh_token: {SECRET}, clientid: 1}}}}}}\n",
    "client secret elsewhere": f"  a: {{domain: acme, oauth: {{client_secret: {SECRET}}}, token: {{env: T}}}}\n",
    "in a keyring entry": f"  a: {{domain: acme, token: {{keyring: {SECRET}}}}}\n",
    "for a keyring entry": f"  a: {{domain: acme, token: {{keyring: {{service: {SECRET}, user: b}}}}, x: 1}}\n",
    "in a token endpoint": f"  a: {{domain: acme, token: {{oauth: {{token_url: 'https://x.y?a={SECRET}'}}}}}}\n",
    "in the path of an address": f"  a: {{url: 'https://proxy.test/a/{SECRET}', token: {{env: T}}}}\n",
    "in the path of a token endpoint": f"  a: {{domain: acme, token: {{oauth: {{token_url: 'ftp://x.y/{SECRET}/z'}}}}}}\n",
    "misspelt key": f"  a: {{domain: acme, tokn: {SECRET}, x: 1}}\n",
    "transposed key": f"  a: {{domain: acme, tkoen: {SECRET}, x: 1}}\n",
    "api_token": f"  a: {{domain: acme, api_token: {SECRET}}}\n",
    "password in vars": f"  a: {{domain: acme, token: {{env: T}}, vars: {{password: {SECRET}}}, x: 1}}\n",
    "anchored": f"  a: {{domain: &t {SECRET}, token: *t, x: 1}}\n",
    "repeated elsewhere": f"  a: {{domain: {SECRET}, token: {SECRET}, {SECRET}: 1}}\n",
    "long, and repeated elsewhere": f"  a: {{domain: acme, token: {SECRET * 9}, {SECRET * 9}: 1}}\n",
    "in capitals elsewhere": f"  a: {{domain: {SECRET.upper()}, token: {SECRET}}}\n",
    "hex anywhere": f"  a: {{domain: acme, token: {{env: T}}, {HEX}: 1}}\n",
    "in a comment": f"  a: {{domain: acme, token: {{env: T}}, x: 1}}  # token: {SECRET}\n",
    "in a url": f"  a: {{url: 'https://me:{SECRET}@x.y', token: {{env: T}}}}\n",
    "in a query": f"  a: {{url: 'https://x.y/?api_token={SECRET}', token: {{env: T}}}}\n",
    "with a tag": f"  a: {{domain: acme, token: !!str {SECRET}}}\n",
    "not YAML, before": f"  a: {{domain: acme, token: {SECRET}, x: [}}\n",
    "not YAML, after": f"  a: {{domain: [acme}}, token: {SECRET}}}\n",
    "not YAML, unclosed quote": f'  a:\n    domain: acme\n    token: "{SECRET}\n    x: 1\n',
    "not YAML, at sign": f"  a:\n    token: @{SECRET}\n",
    "not YAML, next line": f"  a:\n    token:\n      @{SECRET}\n",
    "not YAML, assignment": f"  token={SECRET}: : x\n",
    "not YAML, tab": f"  a:\n\ttoken: {SECRET}\n",
    "control character": f"  a: {{token: {SECRET}\x07}}\n",
    "that begins like a tag": f"  a: {{domain: acme, token: !{SECRET} x}}\n",
    "that begins like a tag, not YAML": f"  a: {{domain: acme, token: !{SECRET}:x}}\n",
    "that begins like an alias": f"  a: {{domain: acme, token: *{SECRET} }}\n",
    "lone block text": f"  a:\n    token: |9x\n      {SECRET}\n",
}


@pytest.mark.parametrize("name", LEAKY)
def test_no_diagnostic_holds_the_token(name: str, errors_of: Errors) -> None:
    for found in errors_of(HEAD + LEAKY[name]):
        said = f"{found.summary}\n{found.detail}\n{found.hint}\n{found.excerpt}".lower()
        for secret in (SECRET.lower(), HEX.lower()):
            assert secret[3:] not in said
            assert secret[:-3] not in said
        assert "r3t-" not in said


@pytest.mark.parametrize(
    "source", ["q9z", "[q9z]", "{q9z: 1}", "{env: q9z!}", "{env: [q9z]}", "{file: [q9z]}", "{command: q9z}", "9.75e9"]
)
def test_a_short_token_is_not_repeated_either(source: str, errors_of: Errors) -> None:
    for found in errors_of(f"{HEAD}  a: {{domain: acme, token: {source}, x: 1}}\n"):
        said = f"{found.summary}\n{found.detail}\n{found.hint}\n{found.excerpt}"
        assert "q9z" not in said
        assert "9.75" not in said


@pytest.mark.parametrize(
    "name", ["literal", "literal in quotes", "literal as a block", "literal with an escape", "hex for a variable"]
)
def test_a_literal_token_has_its_own_code(name: str, errors_of: Errors) -> None:
    found = {diagnostic.code: diagnostic for diagnostic in errors_of(HEAD + LEAKY[name])}
    assert "env: NAME" in found["literal-token"].hint


@pytest.mark.parametrize(
    "source",
    [
        f"{{env: {HEX[10:]}{HEX[:10]}}}",
        f"{{file: {HEX}}}",
        f"{{file: ../tokens/{HEX}}}",
        f"{{command: [{HEX}]}}",
        f"{{command: [curl, -H, 'x-api-token: {HEX}']}}",
        f"{{keyring: {{service: {HEX}, user: x}}}}",
        f"{{keyring: {{service: leadstate, user: {HEX}}}}}",
        f"{{oauth: {{client_id: {{env: A}}, client_secret: {{file: {HEX}}}, refresh_token: {{env: B}}}}}}",
    ],
)
def test_a_token_in_the_place_of_a_source_is_a_literal_token(source: str, errors_of: Errors) -> None:
    (found,) = errors_of(f"{HEAD}  a: {{domain: acme, token: {source}}}\n")
    assert found.code == "literal-token"
    assert "secrets do not belong in the file" in found.summary
    assert HEX[:8] not in f"{found.summary}{found.hint}{found.excerpt}"


def test_a_folder_that_a_commit_names_is_no_token(load_text: Callable[..., object]) -> None:
    load_text(f"{HEAD}  a: {{domain: acme, token: {{file: /srv/{HEX}/token}}}}\n")


@pytest.mark.parametrize("piece", ["://x/", "://x/ ", "://", "token", "token ", "a: ", " #", "/a_", "a-", "'x' "])
def test_a_long_comment_takes_no_more_than_its_length(piece: str, errors_of: Errors) -> None:
    """Were the rest of the line searched from each piece, this would take an hour."""
    long = piece * (1_000_000 // len(piece))
    (found,) = errors_of(f"{HEAD}  a: {{domain: acme, token: {{env: T}}, x: 1}}  # https://x.y/z {long} {HEX}\n")
    assert found.code == "unknown-key"
    assert len(found.excerpt) < 200


def test_only_words_that_share_letters_with_a_key_of_secrets_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[str] = []

    def matcher(_junk: None, word: str, secret: str) -> SequenceMatcher[str]:
        compared.append(word)
        return SequenceMatcher(None, word, secret)

    monkeypatch.setattr(masking, "SequenceMatcher", matcher)
    masking.is_secret_key.cache_clear()
    assert not any(map(masking.is_secret_key, (f"x{index}" for index in range(1000))))
    assert compared == []
    assert masking.is_secret_key("tkoen")
    assert compared


def test_every_part_of_a_path_that_could_be_a_token_is_masked() -> None:
    line = "see https://proxy.test/a/abc12345/é/xyz98765?k=https://other.test//abcdefghijklmnopqr.txt and /abc12345"
    masked = line
    for start, end in reversed(SecretSpans([line]).intervals(0)):
        masked = f"{masked[:start]}***{masked[end:]}"
    assert masked == "see https://proxy.test/a/***/é/***?k=https://other.test//***.txt and /abc12345"


def test_a_long_line_is_masked_where_it_is_cut(errors_of: Errors) -> None:
    text = f"{HEAD}  a: {{domain: acme, token: {'q' * 30}{SECRET}{'q' * 30}, x: 1, tags: [{'y' * 300}]}}\n"
    for found in errors_of(text):
        assert "qqqq" not in found.excerpt
        assert SECRET not in found.excerpt


def test_ordinary_values_are_shown(errors_of: Errors) -> None:
    text = (
        f"{HEAD}  a: {{domain: acme, token: {{env: PIPEDRIVE_TOKEN}}, policy: {{guards: {{max_tokens: 77, x: 1}}}}}}\n"
    )
    (found,) = errors_of(text)
    assert "PIPEDRIVE_TOKEN" in found.excerpt
    assert "max_tokens: 77" in found.excerpt


def test_keys_under_token_and_our_own_name_are_shown(errors_of: Errors) -> None:
    oauth = "{client_id: {keyring: {service: leadstate, user: x}}, client_secret: {env: B}}"
    wrong, missing = errors_of(f"{HEAD}  a:\n    domain: leadstate.pipedrive.com\n    token: {{oauth: {oauth}}}\n")
    assert wrong.summary.endswith("not `leadstate.pipedrive.com`")
    assert missing.summary == "`refresh_token` is missing"
    assert "{oauth: {client_id: {keyring: {service: ***, user: ***}}" in missing.excerpt
