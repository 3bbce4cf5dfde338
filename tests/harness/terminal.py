"""The command line at a terminal: a person inside this process, and a real pseudo-terminal of another one."""

import fcntl
import os
import pty
import select
import signal
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 30.0


class Person:
    """Somebody who takes so many seconds for each answer, and sees what happens meanwhile. Stands in for stdin."""

    def __init__(self, *answers: str, seconds: float = 1.0, meanwhile: Callable[[], None] = lambda: None) -> None:
        self.answers = list(answers)
        self.seconds = seconds
        self.meanwhile = meanwhile
        self.now = 0.0
        self.typed = -1  # a descriptor that can be read

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return self.typed

    def readline(self) -> str:
        """Answer; an answer that is empty ends the input."""
        self.now += self.seconds
        self.meanwhile()
        answer = self.answers.pop(0)
        return answer and answer + "\n"

    @contextmanager
    def at_stdin(self) -> Iterator[None]:
        """Let them answer this process, which sees nothing else of what is typed."""
        stdin, sys.stdin = sys.stdin, self
        try:
            with Path(os.devnull).open() as typed:
                self.typed = typed.fileno()
                yield
        finally:
            sys.stdin = stdin


class Terminal:
    """A process and the terminal that it reads from and writes its questions to."""

    def __init__(self, process: subprocess.Popen[bytes], descriptor: int) -> None:
        self._process = process
        self._descriptor = descriptor
        self.shown = b""

    def read_until(self, word: bytes) -> bytes:
        """Wait for a word, and return what was shown until then and since the last wait."""
        read = b""
        while word not in read:
            assert select.select([self._descriptor], [], [], PATIENCE)[0], read
            try:
                read += os.read(self._descriptor, 4096)
            except OSError as failure:  # the other end is closed
                raise AssertionError(read) from failure
        self.shown += read
        return read

    def rest(self) -> bytes:
        """Return what was shown since the last wait, once the process has ended."""
        read = b""
        while select.select([self._descriptor], [], [], 0)[0]:
            try:
                read += os.read(self._descriptor, 4096)
            except OSError:  # the other end is closed, and everything was read
                break
        self.shown += read
        return read

    def type(self, keys: bytes) -> None:
        """Type; Ctrl-C is `\\x03`."""
        os.write(self._descriptor, keys)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process."""
        self._process.send_signal(number)

    def end(self) -> tuple[int, bytes]:
        """Wait for the end of the process; return its exit code and its stdout."""
        assert self._process.stdout is not None
        out = self._process.stdout.read()
        return self._process.wait(PATIENCE), out


@contextmanager
def terminal(folder: Path, environ: Mapping[str, str], *words: str) -> Iterator[Terminal]:
    """Run a command at a pseudo-terminal, its stdout beside it."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "leadstate", *words],
        cwd=folder,
        env={**os.environ, **environ},
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: _take_terminal(theirs),  # noqa: PLW1509  the child of a process with threads: a short call
    )
    os.close(theirs)
    try:
        yield Terminal(process, ours)
    finally:
        process.kill()
        process.communicate()
        os.close(ours)


def _take_terminal(descriptor: int) -> None:
    fcntl.ioctl(descriptor, termios.TIOCSCTTY, 0)
