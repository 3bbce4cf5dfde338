"""Replaces a file as a whole, wherever leadstate keeps something: receipts, lock file, caches, patched YAML."""

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
    """
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
