"""No secret that a server repeats gets out: not in data, not in messages, in no case and in none of its usual forms."""

import base64
import json
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadstate.pipedrive.answers import read
from leadstate.pipedrive.client import Reader
from leadstate.pipedrive.connection import Connection, TokenAuth
from leadstate.pipedrive.errors import ApiError
from leadstate.pipedrive.operations import GET_LABELS, Request
from leadstate.pipedrive.secrets import RunSecrets, Secrets, Token, fold
from tests.harness.connections import connect

SECRET = "aB3/x+9kQ:7zW-c0ffee"
FORMS = {
    "as it is": SECRET,
    "small": SECRET.lower(),
    "capital": SECRET.upper(),
    "in a URL": quote(SECRET, safe=""),
    "in a URL, small": quote(SECRET, safe="").lower(),
    "base64": base64.b64encode(SECRET.encode()).decode(),
    "base64 with more": base64.b64encode(f"{SECRET}:x".encode()).decode(),
}


def data_of(body: str) -> Any:
    secrets = Secrets([Token(SECRET)])
    return read(GET_LABELS, httpx.Response(200, text=f'{{"success": true, "data": {body}}}'), secrets).data


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_secrets_are_masked_everywhere_in_data(form: str) -> None:
    found = data_of(json.dumps([{"name": f"<{form}>", "deep": [{form: 1}]}]))
    assert form not in json.dumps(found)
    assert found[0]["name"].startswith("<***")
    assert [value for key in found[0]["deep"] for value in key.values()] == [1]


@pytest.mark.parametrize("escape", [lambda char: f"\\u{ord(char):04x}", lambda char: f"\\u{ord(char):04X}"])
def test_json_escaped_secrets_are_masked(escape: Any) -> None:
    assert data_of(f'"{"".join(map(escape, SECRET))}"') == "***"
    assert data_of(json.dumps(SECRET).replace("/", "\\/")) == "***"


def test_a_secret_with_characters_that_json_escapes_is_masked() -> None:
    secrets = Secrets([Token('quo"ted\\secret')])
    body = json.dumps({"success": True, "data": 'a quo"ted\\secret'})
    assert read(GET_LABELS, httpx.Response(200, text=body), secrets).data == "a ***"


def test_data_without_secrets_is_not_traversed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(Secrets, "scrub_value")
    assert data_of(r'[{"name": "Hot \"and\" cold \u20ac"}]') == [{"name": 'Hot "and" cold €'}]


def test_a_short_secret_is_masked_in_messages_only() -> None:
    secrets = Secrets([Token("hot"), Token("")])
    reply = httpx.Response(200, json={"success": True, "data": "hot shot"})
    assert read(GET_LABELS, reply, secrets).data == "hot shot"
    assert secrets.scrub("token HOT") == "token ***"


def test_the_longest_secret_is_masked_first() -> None:
    secrets = Secrets([Token("c0ffeec0ffee")])
    secrets.add(Token("c0ffeec0ffeec0ffee"))
    assert secrets.scrub("a c0ffeec0ffeec0ffee") == "a ***"


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_a_secret_of_another_account_of_the_run_is_masked_in_data_and_messages(form: str) -> None:
    run = RunSecrets()
    own, _other = Secrets([Token("own-" * 10)], run), Secrets([Token(SECRET)], run)
    body = json.dumps({"success": True, "data": [{"name": f"<{form}>", form: "é"}]})
    found = read(GET_LABELS, httpx.Response(200, text=body), own).data
    assert form not in json.dumps(found)
    assert found[0]["name"].startswith("<***")
    assert form not in own.scrub(f"refused: {form}")


def test_a_secret_that_another_account_gets_later_is_masked_too() -> None:
    run = RunSecrets()
    own, other = Secrets([Token("own-" * 10)], run), Secrets([], run)
    other.add(Token("0123456789abcdef" * 2))
    body = json.dumps({"success": True, "data": "x0123456789ABCDEF0123456789abcdefx"})
    assert read(GET_LABELS, httpx.Response(200, text=body), own).data == "x***x"


def test_a_short_secret_of_another_account_is_masked_nowhere() -> None:
    run = RunSecrets()
    own, _other = Secrets([Token("own-" * 10)], run), Secrets([Token("hot")], run)
    assert own.scrub("hot shot") == "hot shot"


@given(
    st.lists(st.text('aB0-/"', min_size=8, max_size=40), min_size=1, max_size=5),
    st.text('aB0-/"', max_size=30),
    st.text('aB0-/"', max_size=30),
)
def test_no_secret_of_any_account_stays_whatever_it_is_made_of(tokens: list[str], before: str, after: str) -> None:
    run = RunSecrets()
    own = Secrets([], run)
    for token in tokens:
        Secrets([Token(token)], run)
    for token in tokens:
        body = json.dumps({"success": True, "data": f"{before}{token}{after}"}, ensure_ascii=False)
        assert token not in read(GET_LABELS, httpx.Response(200, text=body), own).data
        assert token not in own.scrub(f"{before}{token}{after}")


def test_a_secret_that_is_added_joins_those_before_it() -> None:
    secrets = Secrets([Token("first-secret")])
    secrets.add(Token("second-secret"))
    assert secrets.scrub("first-secret, second-secret") == "***, ***"


@pytest.mark.parametrize("text", [SECRET, quote(SECRET, safe=""), base64.b64encode(SECRET.encode() + b"x").decode()])
def test_a_masked_secret_leaves_no_part_of_itself(text: str) -> None:
    """The last signs of base64 hold what follows too, so they are no form of the secret alone."""
    assert Secrets([Token(SECRET)]).scrub(f"a {text}").removeprefix("a ***") in ("", "V4")


def test_base64_of_a_secret_is_masked_from_twelve_characters_on() -> None:
    nine, eight = "ninesigns", "8signs-8"
    secrets = Secrets([Token(nine), Token(eight)])
    assert secrets.scrub(base64.b64encode(nine.encode()).decode()) == "***"
    assert secrets.scrub(base64.b64encode(eight.encode()).decode()) == base64.b64encode(eight.encode()).decode()


def test_the_fast_search_needs_the_whole_secret() -> None:
    """Else data that shares its first or last letters with one would be walked through."""
    secrets = Secrets([Token("(whole-secret)")])
    for content, found in [(b"(WHOLE-SECRET)", True), (b"whole-secret)", False), (b"(whole-secret", False)]:
        assert secrets.may_be_in(content, fold(content)) is found


def test_a_token_is_formatted_as_stars() -> None:
    token = Token(SECRET)
    assert [repr(token), str(token), f"{token:>5}"] == ["Token(***)", "Token(***)", "  ***"]
    with pytest.raises(TypeError, match=r"^a token is not written anywhere$"):
        token.__reduce__()


def test_without_secrets_text_is_unchanged() -> None:
    secrets = Secrets()
    assert secrets.scrub("hot shot") == "hot shot"
    assert secrets.scrub_value([{"hot": None}]) == [{"hot": None}]


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=8, max_size=40), st.text(max_size=9))
def test_the_fast_search_finds_every_secret(secret: str, around: str) -> None:
    secrets = Secrets([Token(secret)])
    for ascii_only in (True, False):
        content = json.dumps({"name": f"{around}{secret.swapcase()}{around}"}, ensure_ascii=ascii_only).encode(
            errors="replace"
        )
        assert secrets.may_be_in(content, fold(content))


@pytest.mark.parametrize(
    "reply",
    [
        httpx.Response(307, headers={"location": f"https://{'c0ffee' * 6}.evil.test/"}),
        httpx.Response(400, json={"success": False, "error": f"bad {'C0FFEE' * 6}"}),
        httpx.Response(400, json={"success": False}, headers={"x-correlation-id": "C0FFEE" * 6}),
    ],
)
def test_tokens_are_masked_in_messages_in_any_case(reply: httpx.Response) -> None:
    with pytest.raises(ApiError) as caught:
        read(GET_LABELS, reply, Secrets([Token("c0FFee" * 6)]))
    assert "c0ffee" not in str(caught.value).lower()
    assert "***" in str(caught.value)


def test_tokens_are_masked_in_headers() -> None:
    token = "c0FFee" * 6
    reply = httpx.Response(200, json={"success": True, "data": []}, headers={"x-ratelimit-remaining": token.lower()})

    async def heard(connection: Connection) -> httpx.Headers:
        client = Reader(connection)
        await client.get(Request(GET_LABELS))
        return client.headers

    found = connect(httpx.MockTransport(lambda _: reply), heard, signer=TokenAuth(Token(token)))
    assert found["x-ratelimit-remaining"] == "***"
