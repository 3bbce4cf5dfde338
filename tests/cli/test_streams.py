"""A full disk, a reader that has gone and a pipe that nobody reads spoil no run; what is wrong is found out first."""

import io
import os
import select
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from leadstate.api.event_log import EventLog
from leadstate.api.receipts import Receipt
from leadstate.cli.output import OutputError, check_writable, replace_public, write_private
from leadstate.cli.streams import Output
from leadstate.model.diagnostics import LeadstateError
from leadstate.sandbox import Sandbox
from tests.harness.cli_process import Shell

CONFIG = """\
version: 1
accounts: {{emea: {{url: "{url}", token: {{env: TOKEN}}}}}}
labels: [{labels}]
"""
ENVIRON = {"TOKEN": "sandbox-token"}


@pytest.fixture
def folder(tmp_path: Path, url: str) -> Path:
    labels = ", ".join(f"{{name: Label {n}, color: red}}" for n in range(9))
    (tmp_path / "leadstate.yaml").write_text(CONFIG.format(url=url, labels=labels))
    return tmp_path


def start(folder: Path, *words: str, **streams: Any) -> "subprocess.Popen[str]":
    chosen = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
    command = [sys.executable, "-m", "leadstate", *words]
    return subprocess.Popen(command, cwd=folder, env={**os.environ, **ENVIRON}, text=True, **chosen)


def reads(sandbox: Sandbox) -> int:
    return len(sandbox.meter.report()["companies"])


full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is of Linux")


@full
@pytest.mark.parametrize("words", [["plan"], ["plan", "--format", "json"], ["get", "labels"], ["--help"], ["schema"]])
def test_a_full_disk_under_stdout_is_an_error(folder: Path, words: list[str]) -> None:
    with Path("/dev/full").open("w") as nowhere:
        process = start(folder, *words, stdout=nowhere)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "error[output] the result could not be written to stdout: no space left on device" in err
    assert "Traceback" not in err


@full
def test_an_apply_with_full_streams_finishes_and_keeps_its_receipt(folder: Path, sandbox: Sandbox) -> None:
    with Path("/dev/full").open("w") as nowhere:
        process = start(folder, "apply", "--auto-approve", stdout=nowhere, stderr=nowhere)
        assert process.wait(60) == 1
    assert sum(label.name.startswith("Label") for label in sandbox.companies[0].labels()) == 9
    assert len(list((folder / ".leadstate" / "receipts").iterdir())) == 1


@pytest.mark.parametrize("form", ["json", "junit", "html", "text"])
def test_a_redirected_stdout_is_utf_8_whatever_the_locale(
    folder: Path, url: str, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = CONFIG.format(url=url, labels="{name: Größe €, color: red}")
    (folder / "leadstate.yaml").write_text(text, encoding="utf-8")
    monkeypatch.setenv("PYTHONIOENCODING", "latin-1")
    result = folder / "result"
    with result.open("wb") as file:
        process = start(folder, "plan", "--format", form, stdout=file)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert "Größe €" in result.read_text(encoding="utf-8")
    if form == "json":
        assert Shell(folder, {})("show", "result").returncode == 0


def test_a_closed_stdout_is_an_error_before_any_request(folder: Path, sandbox: Sandbox) -> None:
    process = start(folder, "plan", stdout=None, preexec_fn=lambda: os.close(1))
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "error[output] stdout is closed" in err
    assert reads(sandbox) == 0


@pytest.mark.parametrize("closed", [[0], [2], [0, 2]])
def test_closed_stdin_and_stderr_are_ignored(folder: Path, closed: list[int]) -> None:
    def close() -> None:
        for number in closed:
            os.close(number)

    process = start(folder, "apply", stdin=None, preexec_fn=close)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 3
    assert "9 to add" in out
    assert "Traceback" not in err


def test_a_closed_pipe_does_not_change_the_exit_code(folder: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    process = start(folder, "plan", "--detailed-exitcode", stdout=write)
    os.close(write)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (2, "")


def test_an_unread_stderr_does_not_block_the_run(folder: Path, sandbox: Sandbox) -> None:
    read, write = os.pipe()
    os.set_blocking(write, False)
    try:
        while True:
            os.write(write, b"x" * 65536)
    except BlockingIOError:
        os.set_blocking(write, True)
    process = start(folder, "apply", "--auto-approve", "--log-level", "debug", stderr=write)
    out, _ = process.communicate(timeout=60)
    os.close(read)
    os.close(write)
    assert process.returncode == 0
    assert "9 added" in out or "applied" in out
    assert len(list((folder / ".leadstate" / "receipts").iterdir())) == 1
    assert sum(label.name.startswith("Label") for label in sandbox.companies[0].labels()) == 9


def test_a_slow_reader_gets_the_whole_output() -> None:
    read, write = os.pipe()
    poll = select.poll()
    poll.register(write, select.POLLOUT)
    stream = io.TextIOWrapper(io.BufferedWriter(Output(write, poll)), encoding="utf-8", line_buffering=True)
    said = "".join(f"line {n}\n" for n in range(2000))
    stream.write(said)
    stream.flush()
    os.close(write)
    with open(read, encoding="utf-8") as file:  # noqa: PTH123  a descriptor
        assert file.read() == said


def test_after_a_failed_write_output_is_dropped_and_the_first_error_kept() -> None:
    read, write = os.pipe()
    os.close(write)
    output = Output(write)
    assert output.write(b"abc") == 3
    assert output.write(b"abc") == 3
    assert output.failure is not None
    assert output.failure.strerror == "Bad file descriptor"
    os.close(read)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("option", ["-o", "--out"])
def test_an_unwritable_output_file_is_an_error_before_any_request(folder: Path, sandbox: Sandbox, option: str) -> None:
    before = names(folder)
    done = Shell(folder, ENVIRON)("plan", option, "no/such/folder/file")
    assert done.returncode == 1
    assert "error[output] no/such/folder/file cannot be written: no such file or directory" in done.stderr
    assert reads(sandbox) == 0
    assert names(folder) == before


@full
def test_a_report_that_does_not_fit_its_file_goes_to_stdout(folder: Path) -> None:
    done = Shell(folder, ENVIRON)("apply", "--auto-approve", "-o", "/dev/full", "--format", "json")
    assert done.returncode == 1
    assert "error[output] /dev/full cannot be written: no space left on device" in done.stderr
    assert '"status": "applied"' in done.stdout or '"status":"applied"' in done.stdout


Write = Callable[[Path], None]


@pytest.mark.parametrize("write", [check_writable, lambda path: write_private(path, "ours")], ids=["check", "write"])
def test_output_to_a_link_is_refused(tmp_path: Path, write: Write) -> None:
    (tmp_path / "theirs").write_text("theirs")
    for target in ("theirs", "not-there"):
        link = tmp_path / f"link-to-{target}"
        link.symlink_to(tmp_path / target)
        with pytest.raises(OutputError, match="is a link to .*" + target):
            write(link)
    assert (tmp_path / "theirs").read_text() == "theirs"
    assert not (tmp_path / "not-there").exists()


WHEN = datetime(2026, 11, 24, tzinfo=UTC)
WRITERS: dict[str, Callable[[Path], object]] = {
    "a check": check_writable,
    "a private file": lambda path: write_private(path, "ours"),
    "a public file": lambda path: replace_public(path, "ours"),
    "a receipt": lambda path: Receipt(path, [], [], WHEN),
    "events": lambda path: EventLog(path, "apply", lambda: WHEN),
}


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_output_over_a_folder_that_is_a_link_out_of_the_repository_is_refused(
    tmp_path: Path, write: Callable[[Path], object]
) -> None:
    repository, elsewhere = tmp_path / "repository", tmp_path / "elsewhere"
    (repository / ".git").mkdir(parents=True)
    elsewhere.mkdir()
    (repository / "folder").symlink_to(elsewhere)
    (repository / "loop").symlink_to("loop")
    for name in ("folder", "loop"):
        with pytest.raises(LeadstateError, match=f"is not written over the link .*{name}, which leads out of the repo"):
            write(repository / name / "file")
    assert list(elsewhere.iterdir()) == []


def test_checking_an_output_file_does_not_change_it(tmp_path: Path) -> None:
    check_writable(tmp_path / "new")
    assert not (tmp_path / "new").exists()
    (tmp_path / "old").write_text("old")
    check_writable(tmp_path / "old")
    assert (tmp_path / "old").read_text() == "old"


def test_streams_of_the_shell_are_links_of_the_system(folder: Path) -> None:
    done = Shell(folder, ENVIRON)("plan", "-o", "/dev/stdout")
    assert done.returncode == 0
    assert "9 to add" in done.stdout


def test_short_options_with_an_attached_value_are_accepted(folder: Path) -> None:
    assert Shell(folder, ENVIRON)("plan", "-aemea", "-cleadstate.yaml").returncode == 0


def test_a_configuration_is_refused_as_a_plan(folder: Path, sandbox: Sandbox) -> None:
    done = Shell(folder, ENVIRON)("apply", "leadstate.yaml")
    assert done.returncode == 64
    assert "make one with `leadstate plan -c leadstate.yaml --out plan.json`" in done.stderr
    assert reads(sandbox) == 0
