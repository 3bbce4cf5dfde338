"""No message about one account's credentials holds those of another, or other parts of its own."""

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from leadstate.api.credentials import signers_of
from leadstate.config import DeclaredAccount, OAuthToken, SecretSource
from tests.harness.builders import HERE, account

REPEATS = (
    "import os, pathlib, sys; "
    "said = [os.environ.get('FIRST', ''), os.environ.get('LATER', ''), pathlib.Path('token').read_text()]; "
    "print('denied', *said, file=sys.stderr); sys.exit(3)"
)


def source(kind: str, *words: str) -> SecretSource:
    return SecretSource(kind, words, Path.cwd(), HERE)  # type: ignore[arg-type]  # one of its kinds


HELPER = ("command", sys.executable, "-c", REPEATS)


def messages(environ: Mapping[str, str], **tokens: SecretSource | OAuthToken) -> str:
    accounts = [DeclaredAccount(replace(account(), name=name), token, ()) for name, token in tokens.items()]
    _, failures = signers_of(accounts, httpx.AsyncClient(), environ, lambda: 0.0, print)
    return " ".join(failure.summary for failure in failures.values())


def test_the_error_of_a_helper_holds_no_secret_of_any_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("token").write_text("from-the-file")
    told = messages(
        {"FIRST": "from-the-first", "LATER": "from-a-later-one"},
        a=source("env", "FIRST"),
        b=source(*HELPER),
        c=source("file", "token"),
        d=source("env", "LATER"),
    )
    assert told.endswith("failed with exit code 3: denied *** *** ***")


def test_the_error_of_a_helper_holds_no_other_part_of_an_oauth_client(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("token").write_text("from-the-file")
    client = OAuthToken(source("file", "token"), source(*HELPER), source("env", "LATER"), "https://oauth.test", None)
    assert messages({"LATER": "from-a-later-one"}, a=client).endswith("denied *** ***")


def test_a_long_error_is_not_cut_within_a_secret() -> None:
    program = "import sys; print('x ' * 245 + 'from-a-later-one', file=sys.stderr); sys.exit(3)"
    told = messages(
        {"LATER": "from-a-later-one"}, a=source("command", sys.executable, "-c", program), b=source("env", "LATER")
    )
    assert told.endswith("x …")
