"""Paths to texts: which files a configuration is, whether each may be read, and whether it is text at all.

Only regular files of at most 64 MiB are read, and none that a link leads out of a repository to: a repository is
written by people who are not trusted with the machine that reads it. A link to `/proc/self/environ` or to a `.netrc`
would be quoted in the report of a pull request, and a FIFO would hold the run forever.
"""

import errno
import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias

from leadstate.config.yaml.diagnostics import Diagnostics, Place, Source, visible_in_line
from leadstate.model.address import Span
from leadstate.model.diagnostics import LeadstateError, reason_of

ReadTable: TypeAlias = Callable[[Path, Diagnostics, Place, str], Source | None]
"""Reads the CSV file that a configuration names at a place: from the disk, or from another revision."""
LARGEST: Final = 64 * 1024 * 1024
_PIECE: Final = 1024 * 1024
_FLAGS: Final = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC", "O_BINARY"))
"""Those that the system knows."""
_PIPE_FOLDERS: Final = (Path("/dev"), Path("/proc"))
SUFFIXES: Final = (".yaml", ".yml")
_NOT_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
"""What YAML 1.2 section 5.1 leaves out, the byte order mark, and three line breaks that only YAML 1.1 counts as such.

The complement of what it allows takes ten times as long to compile.
"""


def read_sources(paths: Sequence[Path], diagnostics: Diagnostics) -> list[Source]:
    """Read all files; add what cannot be read to the diagnostics."""
    sources: list[Source] = []
    seen: set[str] = set()
    for path in paths:
        for file in _files(path, diagnostics):
            identity = _identity(file)
            source = None if identity in seen else read_source(file, diagnostics)
            seen.add(identity)
            if source is not None:
                sources.append(source)
    return sources


def is_meant(name: str) -> bool:
    """Return whether a file of a configuration folder is part of the configuration; hidden ones are not."""
    return name.endswith(SUFFIXES) and not name.startswith(".")


def _identity(file: Path) -> str:
    """Return what is equal for two paths of one file."""
    try:
        return os.path.realpath(file)
    except (OSError, ValueError):
        return str(file)


def _files(path: Path, diagnostics: Diagnostics) -> Iterator[Path]:
    """Return the file, or what a folder holds, by name."""
    try:
        if not path.is_dir():
            yield path
            return
        files = sorted(
            (file for file in path.iterdir() if is_meant(file.name) and not file.is_dir()),
            key=lambda file: file.name,
        )
    except (OSError, ValueError) as problem:
        _unreadable(_top(path), "the file", problem, diagnostics)
        return
    if not files:
        hint = "put a `leadstate.yaml` into it, or name another folder with -c"
        diagnostics.error("no-files", "the folder holds no *.yaml or *.yml file", _top(path), hint=hint)
    yield from files


def read_source(path: Path, diagnostics: Diagnostics, named: Place | None = None, delimiter: str = "") -> Source | None:
    """Read one file; return None, with a diagnostic, if it cannot be read.

    Args:
        path: the file.
        diagnostics: what is wrong goes there.
        named: where another file names it; None where the user did.
        delimiter: what stands between its cells, where it is a CSV file.
    """
    at, which = (named, f"the file {visible_in_line(str(path))}") if named else (_top(path), "the file")
    stream = named is None and is_stream(path)
    try:
        str(path).encode()  # a name goes into every report, and those are UTF-8
        if not stream and (outside := _outside(path, which, named)) is not None:
            summary, hint = outside
            diagnostics.error("file-outside", summary, at, hint=hint)
            return None
        raw = read_bounded(path, LARGEST, stream=stream)
    except FileNotFoundError:
        hint = "name another file or folder with -c, or create it: `leadstate init`"
        if named:
            hint = "create it, or correct the path, which counts from the folder of this file"
        diagnostics.error("file-missing", f"{which} does not exist", at, hint=hint)
        return None
    except UnicodeEncodeError:
        diagnostics.error("file-unreadable", f"the name of {which} is not UTF-8", at, hint="rename it or its folder")
        return None
    except (OSError, ValueError, RuntimeError) as problem:
        _unreadable(at, which, problem, diagnostics)
        return None
    if len(raw) > LARGEST:
        hint = "split it into several files and name their folder"
        diagnostics.error("file-too-large", f"{which} is larger than 64 MiB", at, hint=hint)
        return None
    return decode(path, raw, diagnostics, delimiter)


def _outside(path: Path, which: str, named: Place | None) -> tuple[str, str] | None:
    """Return what is wrong, and the fix, with a file that is outside of its repository or of that which names it."""
    link = link_outwards(path)
    root = repository_of(named.source.folder) if named else None
    if link is None and (root is None or path.resolve().is_relative_to(root)):
        return None
    if root is not None:
        summary = f"{which} is outside of {visible_in_line(str(root))}, where the configuration is"
        return summary, "put the file itself, and no link to it, below that folder"
    shown, real = visible_in_line(str(link)), visible_in_line(str(path.resolve()))
    summary = f"{which} is reached over the link {shown}, which leads out of its folder or repository"
    return summary, f"name the file itself, `-c {real}`, or put a copy in the place of the link"


def decode(path: Path, raw: bytes, diagnostics: Diagnostics, delimiter: str = "") -> Source | None:
    """Return a file as text; None, with a diagnostic, if it is not UTF-8 or holds control characters.

    Args:
        path: the file, as the user gave it.
        raw: what is in it.
        diagnostics: what is wrong with it is added there.
        delimiter: what stands between its cells, where it is a CSV file.
    """
    name, folder = str(path), path.parent
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        # Counted in what the decoder was given, which has no byte order mark.
        good = problem.object[: problem.start].decode("utf-8")
        shown = Source(name, problem.object.decode("utf-8", "replace"), folder, delimiter)
        offset = problem.start + len(raw) - len(problem.object)
        summary = f"byte {raw[offset]:#04x} at offset {offset} is not UTF-8"
        diagnostics.error("not-utf-8", summary, shown.place_of(len(good)), hint="save the file as UTF-8")
        return None
    source = Source(name, text, folder, delimiter)
    found = _NOT_TEXT.search(text)
    if found is not None:
        summary = f"the file contains the control character U+{ord(found[0]):04X}"
        hint = "remove it; if the file is not text, or is UTF-16, save it as UTF-8"
        diagnostics.error("control-character", summary, source.place_of(found.start()), hint=hint)
        return None
    return source


def _unreadable(
    at: Place | Span, which: str, problem: OSError | ValueError | RuntimeError, diagnostics: Diagnostics
) -> None:
    why = reason_of(problem, "the path cannot be used")
    hint = "check the path and who may read it"
    diagnostics.error("file-unreadable", f"{which} cannot be read: {why}", at, hint=hint)


def _top(path: Path) -> Span:
    return Span(os.fsencode(path).decode("utf-8", "replace"), 1, 1)


def read_bounded(path: Path, limit: int, *, stream: bool = False) -> bytes:
    """Read a regular file; one byte more than the limit where it is larger. Never waits for a writer.

    Args:
        path: the file.
        limit: bytes.
        stream: whether it is what the user names as `/dev/stdin` or `<(…)`, which a shell gives as a pipe.

    Raises:
        OSError: it cannot be read, or is a FIFO, a device or a socket.
    """
    if stream:
        with path.open("rb") as file:
            return _read_pieces(file, limit + 1)
    # A device may act upon being opened.
    _check(path, path.stat().st_mode)
    descriptor = os.open(path, _FLAGS)
    with open(descriptor, "rb") as file:  # noqa: PTH123  pathlib opens no descriptors
        _check(path, os.fstat(descriptor).st_mode)
        return _read_pieces(file, limit + 1)


def _read_pieces(file: BinaryIO, most: int) -> bytes:
    content = bytearray()
    # `read(most)` allocates as much before it reads, however little there is.
    while piece := file.read(min(_PIECE, most - len(content))):
        content += piece
    return bytes(content)


def is_stream(path: Path) -> bool:
    """Return whether a path that the user names is a pipe that a shell made, and not one that lies in a folder."""
    return any(path.is_relative_to(folder) for folder in _PIPE_FOLDERS) and path.is_fifo()


def _check(path: Path, mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))


def repository_of(folder: Path) -> Path:
    """Return the root of the git repository that a folder is in, links resolved; else the folder itself."""
    real = folder.resolve()
    return next((parent for parent in (real, *real.parents) if (parent / ".git").exists()), real)


def link_outwards(path: Path) -> Path | None:
    """Return the link on the way to a file that leads out of the repository it lies in; None without such a link.

    A link that lies in no repository may lead anywhere if it is on the way, as `/home` on some systems; if it is the
    file itself, it may lead to files below its own folder, as those of a Kubernetes ConfigMap do.
    """
    absolute = path.absolute()
    for place in (*reversed(absolute.parents), absolute):
        if not place.is_symlink():
            continue
        root = repository_of(place.parent)
        is_free = place != absolute and not (root / ".git").exists()
        if not is_free and not _leads_below(place, root):
            return place
    return None


def _leads_below(link: Path, root: Path) -> bool:
    try:
        return link.resolve().is_relative_to(root)
    except (OSError, RuntimeError):  # a loop leads nowhere
        return False


def folder_link_outwards(path: Path) -> Path | None:
    """Return the same for a file that is to be written, of the folders on the way: the file itself may be a pipe."""
    link = link_outwards(path)
    return None if link == path.absolute() else link


def refuse_folder_link_outwards(path: Path, refusal: type[LeadstateError]) -> None:
    """Raise this error if a file that the user names for writing lies behind such a link."""
    if (link := folder_link_outwards(path)) is not None:
        raise refusal(
            f"{path} is not written over the link {link}, which leads out of the repository",
            hint="name the file without the link, or remove the link",
        )
