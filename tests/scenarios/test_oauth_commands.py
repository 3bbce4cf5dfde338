"""An OAuth client as a user runs it: where the refresh token goes, what is said, and what is never shown."""

import json
import re
import stat
import subprocess
from pathlib import Path

import pytest

from leadstate.sandbox import Sandbox
from tests.harness.cli_process import Shell

SECRETS = {"CLIENT": "client-of-acme", "SECRET": "s3cret-value-of-the-client", "REFRESH": "r3fresh-value-at-first"}
GIVEN_OUT = re.compile(r"(access|refresh)-[0-9a-f]{8}-")
"""What the sandbox's own tokens look like."""
COMPANY = {
    "token": "t",
    "company": {"id": 7041, "name": "Acme", "domain": "acme-emea"},
    "labels": [{"name": "Hot", "color": "orange"}],
}
CONFIG = """\
version: 1
accounts:
  emea:
    url: {url}
    company_id: 7041
    token:
      oauth:
        client_id: {{env: CLIENT}}
        client_secret: {{env: SECRET}}
        refresh_token: {source}
        token_url: {url}/oauth/token
        {more}
labels:
  - {{name: Hot, color: red}}
"""


@pytest.fixture
def sandbox() -> Sandbox:
    client = {"client_id": SECRETS["CLIENT"], "client_secret": SECRETS["SECRET"], "refresh_token": SECRETS["REFRESH"]}
    return Sandbox({**COMPANY, "oauth": {**client, "rotate": True}}, burst=100_000, daily=None)


class Private(Shell):
    """A shell in which nothing may be shown or written that is a secret."""

    def __call__(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        done = super().__call__(*words, stdin=stdin)
        said = done.stdout + done.stderr
        written = [file.read_text() for file in self.folder.rglob("*.json")]
        for text in (said, *written):
            assert all(value not in text for name, value in SECRETS.items() if name != "CLIENT")
            assert not GIVEN_OUT.search(text)
        return done


@pytest.fixture
def shell(tmp_path: Path) -> Private:
    return Private(tmp_path, SECRETS)


def write(shell: Shell, url: str, source: str = "{env: REFRESH}", more: str = "") -> None:
    shell.write(CONFIG.format(url=url, source=source, more=more))


def test_a_rotated_refresh_token_is_stored_in_the_given_file(shell: Private, url: str) -> None:
    kept = shell.folder / "refresh-token"
    kept.write_text(SECRETS["REFRESH"])
    kept.chmod(0o644)
    write(shell, url, "{file: refresh-token}", "save_to: refresh-token")
    for _ in range(3):
        before = kept.read_text()
        done = shell("apply", "--auto-approve", "--log-level", "debug")
        assert done.returncode == 0, done.stderr
        assert "warning" not in done.stderr
        assert kept.read_text() != before
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert {file.name for file in shell.folder.iterdir()} == {"refresh-token", "leadstate.yaml", ".leadstate"}


def test_a_rotated_refresh_token_is_stored_nowhere_else(shell: Private, url: str) -> None:
    write(shell, url)
    done = shell("plan", "--out", "plan.json")
    assert done.returncode == 0
    assert done.stderr.count("warning[refresh-token-replaced] emea") == 1
    assert "--> leadstate.yaml:10:24" in done.stderr
    assert "`save_to: refresh-token`" in done.stderr
    assert {file.name for file in shell.folder.iterdir()} == {"plan.json", "leadstate.yaml"}
    again = shell("plan")
    assert again.returncode == 1
    assert "no-access-token" in again.stdout
    assert "refresh_token is invalid" in again.stdout
    assert "--> leadstate.yaml:10:24" in again.stdout


def test_an_unwritable_token_file_is_an_error_before_any_request(shell: Private, url: str) -> None:
    write(shell, url, more="save_to: no/such/folder/token")
    assert "make the folder" in shell("plan").stdout
    write(shell, url)
    assert shell("plan").returncode == 0, "the declared token is still good"


def test_doctor_names_the_kind_of_credential(shell: Private, url: str, sandbox: Sandbox) -> None:
    write(shell, url, more="save_to: kept")
    shown = shell("doctor").stdout
    assert "belongs to Sandbox User; an OAuth access token, renewed in 59 minutes" in shown
    sandbox.tokens.revoke()
    done = shell("doctor", "--format", "json")
    assert done.returncode == 1
    (found,) = json.loads(done.stdout)
    assert (found["check"], found["good"]) == ("token", False)
    assert "authorise the app again" in found["detail"]


def test_every_source_of_the_client_is_needed(shell: Private, url: str) -> None:
    write(shell, url, "{file: none}")
    done = shell("get", "labels")
    assert done.returncode == 1
    assert "error[token-source] emea: the token file" in done.stderr
    assert "--> leadstate.yaml:10:24" in done.stderr
