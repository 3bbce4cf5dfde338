"""stdout and stderr that cannot spoil a run: a full disk, a reader that has gone, a pipe that nobody reads.

An apply has to end and write its receipt whatever becomes of its output. So a failure of stdout is kept until the end
and said then, and what nobody takes from stderr within a second is dropped.
"""

import io
import os
import select
import stat
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

PATIENCE = 1.0
"""Seconds to wait for the reader of stderr; once, until it reads again."""
_CHUNK = 512
"""Bytes that a pipe takes without blocking if it takes any (POSIX: PIPE_BUF)."""


class Output(io.RawIOBase):
    """Writes to a descriptor; after a failure what is written is dropped.

    Args:
        descriptor: where to.
        poll: says whether a pipe or socket has room; what it does not take in time is dropped.

    Attributes:
        failure: the first failure; None if the reader has gone, which is not an error (`| head`).
    """

    def __init__(self, descriptor: int, poll: "select.poll | None" = None) -> None:
        self._descriptor = descriptor
        self._poll = poll
        self._patience = PATIENCE
        self._dropping = False
        self.failure: OSError | None = None

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._descriptor

    def writable(self) -> bool:
        """Return that it is."""
        return True

    def write(self, data: "ReadableBuffer", /) -> int:
        """Write what can be written, and take the rest for written after a failure."""
        view = memoryview(data)
        if self._dropping:
            return len(view)
        if self._poll is not None:
            if not self._poll.poll(self._patience * 1000):
                self._patience = 0.0
                return len(view)
            self._patience = PATIENCE
            view = view[:_CHUNK]
        try:
            return os.write(self._descriptor, view)
        except OSError as failure:
            self._dropping = True
            self.failure = None if isinstance(failure, BrokenPipeError) else failure
            return len(view)


def fill_closed() -> bool:
    """Open the null device in place of a closed stdin or stderr; return whether stdout is open.

    A closed descriptor is given to the next file that is opened, which would then be read or written as a stream.
    """
    for descriptor, name, flags in ((0, "stdin", os.O_RDONLY), (2, "stderr", os.O_WRONLY)):
        if getattr(sys, name) is None:
            opened = os.open(os.devnull, flags)
            if opened != descriptor:
                os.dup2(opened, descriptor)
                os.close(opened)
            setattr(sys, name, open(descriptor, "w" if descriptor else "r", encoding="utf-8"))  # noqa: SIM115, PTH123  for good
    return sys.stdout is not None


def guard() -> Output | None:
    """Replace stdout and stderr, unless they are terminals, by streams that do not fail; return that of stdout.

    stdout is UTF-8 then, as a file of `-o` is: JSON in the locale's encoding could not be read again, nor XML or HTML.
    """
    sys.stderr.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # as Python opens it
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # as above
    if not sys.stderr.isatty():
        mode, poll = os.fstat(2).st_mode, None
        if hasattr(select, "poll") and (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
            poll = select.poll()
            poll.register(2, select.POLLOUT)
        sys.stderr = _text(Output(2, poll), sys.stderr.encoding, line_buffering=True)
    if sys.stdout.isatty():
        return None
    output = Output(1)
    sys.stdout = _text(output, "utf-8", line_buffering=False)
    return output


def _text(raw: io.RawIOBase, encoding: str, *, line_buffering: bool) -> io.TextIOWrapper:
    return io.TextIOWrapper(
        io.BufferedWriter(raw), encoding=encoding, errors="backslashreplace", line_buffering=line_buffering
    )
