"""Writes what leadstate keeps: files as a whole, such as the lock file and caches, and lines, such as the journal."""

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

PRIVATE = 0o600
"""Mode of a file that only its owner may read."""

PUBLIC = 0o644
"""Mode of a file that is committed."""


def replace_file(path: Path, content: bytes | Iterable[str], *, mode: int = PRIVATE) -> None:
    """Replace a file as a whole: a reader sees the old content or the new one, also if the disk is full.

    The new content is written to a temporary file in the same folder. Its name cannot be predicted, so nobody can put a
    link there that leads elsewhere; where `path` itself is a link, the link is replaced. A text may come in pieces.

    Raises:
        OSError: it cannot be written; names `path`, and not the temporary file.
    """
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        beside = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                whole = content.encode("utf-8") if isinstance(content, str) else content
                file.writelines((whole,) if isinstance(whole, bytes) else (piece.encode("utf-8") for piece in whole))
            beside.chmod(mode)
            beside.replace(path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
    except OSError as failure:
        raise OSError(failure.errno, failure.strerror or str(failure), str(path)) from failure


def create_file(path: Path) -> int:
    """Create a file that only its owner may read, and return its descriptor; FileExistsError also where a link is."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)


def append_line(descriptor: int, line: bytes) -> None:
    """Write a line at once; a buffer would try again what a full disk did not take when the file is closed."""
    written = os.write(descriptor, line)
    if written < len(line):  # the disk took the beginning alone; it says why when it is given the rest
        os.write(descriptor, line[written:])
