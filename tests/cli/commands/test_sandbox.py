"""`leadstate sandbox`: what it says of its state, and of what keeps it from serving."""

import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest

from leadstate.cli.commands.sandbox import accounts_block
from leadstate.sandbox import Sandbox
from tests.harness.cli_process import Shell, serving

AMOUNT = """{"token": "t", "company": {"id": 1, "name": "A", "domain": "a"}, "persons": [{"id": 1, "name": "P"}],
"leads": [{"title": "x", "person_id": 1, "value": {"amount": 1%s, "currency": "EUR"}}]}"""


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path, {})


def refused(shell: Shell, *words: str) -> str:
    """Return what `leadstate sandbox` says where it serves nothing."""
    words = ("-m", "leadstate", "sandbox", "--port", "0", *words)
    # One that is not refused would serve for ever.
    done = subprocess.run(
        [sys.executable, *words], cwd=shell.folder, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    return done.stderr


def test_a_taken_port_is_named_with_a_way_out(shell: Shell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = refused(shell, "--port", port)
    assert said == f"Error: port {port} is taken; name another one with --port, 0 takes a free one\n"


def test_an_error_in_a_seed_names_the_file_and_the_place(shell: Shell) -> None:
    shell.write(AMOUNT % ("0" * 400), "seed.json")
    said = refused(shell, "--seed", "seed.json")
    assert said == "Error: seed.json: leads[0].value: amount must be a number\n"


@pytest.mark.parametrize("text", ["[" * 200_000, "{", "[]"])
def test_a_file_that_is_no_seed_is_named_once(shell: Shell, text: str) -> None:
    shell.write(text, "seed.json")
    said = refused(shell, "--seed", "seed.json")
    assert said.startswith("Error: seed.json: ")
    assert said.count("seed.json") == 1


def test_a_file_that_another_sandbox_has_open_is_refused(shell: Shell) -> None:
    first = Sandbox("fresh", db=shell.folder / "state.db")
    said = refused(shell, "--db", "state.db")
    first.close()
    assert said.startswith("Error: state.db: another process has it open, such as a second sandbox; stop that one, or")


def test_a_file_with_content_wins_over_the_seed_and_the_banner_says_so(tmp_path: Path) -> None:
    words = ("-m", "leadstate", "sandbox", "--port", "0", "--db", str(tmp_path / "state.db"), "--seed")
    with serving(*words, "fresh") as (process, _):
        assert process.stdout is not None
        assert process.stdout.readline() == f"State in {tmp_path}/state.db. Stop it with Ctrl-C.\n"
    with serving(*words, "empty") as (process, url):
        assert process.stdout is not None
        said = process.stdout.readline()
        answer = httpx.get(f"{url}/api/v1/leadLabels", headers={"x-api-token": "sandbox-token"})
    assert said == f"State in {tmp_path}/state.db, which has content: --seed is not used. Stop it with Ctrl-C.\n"
    assert [label["name"] for label in answer.json()["data"]] == ["Hot", "Warm", "Cold"]


def test_the_lines_to_copy_are_quoted_for_a_shell_and_there_are_none_without_a_company() -> None:
    company = SimpleNamespace(token="a b$c", domain="a", id=1)
    assert accounts_block("http://127.0.0.1:1", [company]).startswith("export PIPEDRIVE_TOKEN='a b$c'\n")
    assert accounts_block("http://127.0.0.1:1", []).startswith("There is no company. ")


def test_debug_logs_each_request_without_its_query() -> None:
    with serving("-m", "leadstate", "sandbox", "--port", "0", "--log-level", "debug") as (process, url):
        httpx.get(f"{url}/api/v1/leads%1b", params={"api_token": "secret"})
        process.terminate()
        _, said = process.communicate(timeout=20)
    assert said == "DEBUG leadstate.sandbox.app: GET '/api/v1/leads\\x1b' -> 404\n"


def test_a_latency_that_no_clock_can_wait_is_a_usage_error(shell: Shell) -> None:
    done = shell("sandbox", "--latency", "1" + "0" * 400)
    assert done.returncode == 64
    assert "--latency" in done.stderr
