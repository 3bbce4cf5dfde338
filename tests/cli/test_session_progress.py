"""How far a long run is: lines in a log once it takes a while, never on stdout, nothing where nobody wants it."""

import re
from pathlib import Path

import click
import pytest

from leadstate.api.session import Runtime
from leadstate.cli import HIDDEN
from leadstate.cli.session import QUIET, progress
from leadstate.pipedrive.connection import Pace
from leadstate.sandbox import Sandbox, running
from tests.harness.terminal import terminal

STYLE = re.compile(rb"\x1b\[[0-9;]*m")
"""An ANSI style; other control sequences move the cursor."""


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def lines(capsys: pytest.CaptureFixture[str], clock: Clock, *, hidden: bool = False) -> list[str]:
    with click.Context(click.Command("plan"), obj=Runtime(pace=Pace(clock))) as context:
        context.meta[HIDDEN] = hidden
        with progress((), changes=4) as shown:
            for _ in range(20):
                clock.now += QUIET / 5
                shown.request()
            shown.account(None)  # type: ignore[arg-type]  # which one does not matter
            clock.now += QUIET
            shown.request()
    out, err = capsys.readouterr()
    assert out == ""
    return err.splitlines()


def test_a_log_gets_a_line_every_few_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    assert lines(capsys, Clock()) == [
        "Applying: 0 of 4 changes, 5 requests",
        "Applying: 0 of 4 changes, 10 requests",
        "Applying: 0 of 4 changes, 15 requests",
        "Applying: 0 of 4 changes, 20 requests",
        "Applying: 1 of 4 changes, 21 requests, about 150 s left",
    ]


def test_counts_agree_with_their_nouns(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    with (
        click.Context(click.Command("plan"), obj=Runtime(pace=Pace(clock))),
        progress((), changes=4) as on,
    ):
        clock.now += QUIET
        on.request()
    assert capsys.readouterr().err == "Applying: 0 of 4 changes, 1 request\n"


def test_progress_is_hidden_if_disabled(capsys: pytest.CaptureFixture[str]) -> None:
    assert lines(capsys, Clock(), hidden=True) == []


def test_progress_is_a_bar_on_a_terminal_and_never_on_stdout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = Sandbox("drifted", burst=100_000, daily=None)
    monkeypatch.delenv("NO_COLOR", raising=False)
    environ = {"TOKEN": "sandbox-token", "TERM": "xterm-256color"}
    with running(sandbox.app) as url:
        (tmp_path / "leadstate.yaml").write_text(
            f"version: 1\naccounts: {{emea: {{url: '{url}', token: {{env: TOKEN}}}}}}\n"
            "labels: [{name: A, color: red}]\n"
        )
        for words, bar, colored in (
            ((), True, True),
            (("--color", "never"), True, False),
            (("--no-progress",), False, False),
        ):
            with terminal(tmp_path, environ, "plan", *words) as shown:
                code, out = shown.end()
                said = shown.rest()
            assert (code, b"Reading" in said, STYLE.search(said) is not None) == (0, bar, colored), said
            assert b"Reading" not in out
            assert b"1 to add" in out
