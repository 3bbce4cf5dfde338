"""Reading of files that a configuration names: regular files of bounded size that no link leads out of a repository to.

A repository is written by people who are not trusted with the machine that reads it: a link to `/proc/self/environ` or
to a `.netrc` would be quoted in the report of a pull request, and a FIFO would hold the run forever.
"""

import errno
import os
import stat
from pathlib import Path
from typing import Final

LARGEST: Final = 64 * 1024 * 1024
_FLAGS: Final = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC", "O_BINARY"))
"""Those that the system knows."""
_STREAMS: Final = (Path("/dev"), Path("/proc"))


class IrregularFileError(OSError):
    """A FIFO, a device or a socket."""

    def __init__(self, path: Path) -> None:
        super().__init__(errno.EINVAL, "it is no regular file", str(path))


def read_bounded(path: Path, limit: int) -> bytes:
    """Read a regular file; one byte more than the limit where it is larger. Never waits for a writer.

    Raises:
        IrregularFileError: it is a FIFO, a device or a socket.
        OSError: it cannot be read.
    """
    # A device may act upon being opened.
    _check(path, path.stat().st_mode)
    descriptor = os.open(path, _FLAGS)
    with open(descriptor, "rb") as file:  # noqa: PTH123  pathlib opens no descriptors
        _check(path, os.fstat(descriptor).st_mode)
        return file.read(limit + 1)


def read_stream(path: Path, limit: int) -> bytes:
    """Read what the user names as `/dev/stdin` or `<(…)`, which a shell gives as a pipe."""
    with path.open("rb") as file:
        return file.read(limit + 1)


def is_stream(path: Path) -> bool:
    """Whether a path that the user names is a pipe that a shell made, and not one that lies in a folder."""
    return any(path.is_relative_to(folder) for folder in _STREAMS) and path.is_fifo()


def _check(path: Path, mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        raise IrregularFileError(path)


def repository_of(folder: Path) -> Path:
    """The root of the git repository that a folder is in, links resolved; the folder itself where it is in none."""
    real = folder.resolve()
    return next((parent for parent in (real, *real.parents) if (parent / ".git").exists()), real)


def link_outwards(path: Path) -> Path | None:
    """The link on the way to a file that leads out of the repository it lies in; None where there is none.

    A link that lies in no repository may lead anywhere if it is on the way, as `/home` on some systems; if it is the
    file itself, it may lead to files below its own folder, as those of a Kubernetes ConfigMap do.
    """
    absolute = path.absolute()
    for place in (*reversed(absolute.parents), absolute):
        if not place.is_symlink():
            continue
        root = repository_of(place.parent)
        is_free = place != absolute and not (root / ".git").exists()
        if not is_free and not place.resolve().is_relative_to(root):
            return place
    return None
