"""Files of a checkout, opened without following a link: whoever can commit one would have it lead anywhere."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath


class Unreadable(Exception):
    """A file is missing, or something on the way to it is a link or not a regular file."""


class Missing(Unreadable):
    """A file, or a folder on the way to it, does not exist."""


def names_in(root: Path, folder: PurePath) -> frozenset[str]:
    """Return the names in a folder below `root`; none if it does not exist. Raise `Unreadable`."""
    try:
        with _opened(root, folder.parts, os.O_DIRECTORY) as descriptor:
            return frozenset(os.listdir(descriptor))  # noqa: PTH208  pathlib lists no descriptor
    except Missing:
        return frozenset()


def read(root: Path, file: PurePath) -> bytes:
    """Return the content of a regular file below `root`. Raise `Unreadable`."""
    with _opened(root, file.parts, 0) as descriptor, os.fdopen(os.dup(descriptor), "rb") as opened:
        return opened.read()


def write(root: Path, file: PurePath, content: bytes) -> None:
    """Write a regular file below `root`, over what it held if it exists. Raise `Unreadable`."""
    with (
        _opened(root, file.parts, os.O_WRONLY | os.O_TRUNC | os.O_CREAT) as descriptor,
        os.fdopen(os.dup(descriptor), "wb") as out,
    ):
        out.write(content)


@contextmanager
def _opened(root: Path, parts: tuple[str, ...], flags: int) -> Iterator[int]:
    """Open what `parts` lead to, one folder after the other, none of them by a link."""
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for i, part in enumerate(parts):
            last = i + 1 == len(parts)
            # O_NONBLOCK: opening a pipe would wait for who writes into it.
            step = os.O_NOFOLLOW | os.O_NONBLOCK | (flags if last else os.O_DIRECTORY)
            try:
                inner = os.open(part, step, dir_fd=descriptor)
            except FileNotFoundError:
                raise Missing(f"{PurePath(*parts)} is missing from this checkout.") from None
            except OSError:
                raise _linked(parts[: i + 1]) from None
            os.close(descriptor)
            descriptor = inner
        if not flags & os.O_DIRECTORY and not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise _linked(parts)
        yield descriptor
    finally:
        os.close(descriptor)


def _linked(parts: tuple[str, ...]) -> Unreadable:
    path = PurePath(*parts)
    return Unreadable(
        f"{path} is a link in this checkout, or not what it should be. Remove it: the action follows no link."
    )
