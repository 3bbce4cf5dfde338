"""The second outside judge: a proxy that holds every request and answer against the vendor's OpenAPI description.

`prism_proxy(upstream)` yields the proxy's base URL. A client talks to it as to the upstream, with `/api/v1` in its
paths; what breaks the description comes back as the proxy's own `application/problem+json` instead of the answer.
"""

import queue
import re
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

HERE = Path(__file__).resolve().parent
PRISM = HERE / "node_modules" / ".bin" / "prism"
SPEC = HERE.parents[1].parent / "shared" / "openapi" / "pipedrive-v1-leads.yaml"
STARTUP_SECONDS = 60

_LISTENING = re.compile(r"Prism is listening on (http://\S+)")


@contextmanager
def prism_proxy(upstream: str, *, descending: bool = True) -> Iterator[str]:
    """Runs the proxy in front of `upstream` (a URL without `/api/v1`). Skips the test where it is not installed.

    The description of `sort` says `field DESC` in words and forgets it in its list of values; `descending` adds the one
    that leadstate sends. Without it the proxy refuses that request, as a server might that knows the list alone.
    """
    if not PRISM.exists():
        pytest.skip("run `make test`")
    if not SPEC.exists():
        pytest.skip(f"the vendor's OpenAPI description is not at {SPEC}")
    with tempfile.TemporaryDirectory() as folder:
        spec = Path(folder) / "spec.yaml"
        text = _prefixed(SPEC.read_text(encoding="utf-8"))
        spec.write_text(_with_descending(text) if descending else text, encoding="utf-8")
        # Port 0 is Prism's own way to take a free one; it names it in its "listening" line.
        command = [str(PRISM), "proxy", str(spec), upstream, "--errors", "--host", "127.0.0.1", "--port", "0"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
            assert process.stdout is not None
            output = _Output(process.stdout)
            try:
                yield output.address()
            finally:
                process.kill()
                output.join()


def _prefixed(spec: str) -> str:
    """The description with `/api/v1` in front of its paths: a Prism proxy matches paths and knows no base path."""
    head, paths = spec.split("\npaths:\n")
    return f"{head}\npaths:\n" + re.sub(r"(?m)^  /", "  /api/v1/", paths)


def _with_descending(spec: str) -> str:
    """The description with the value that its list of sort orders forgets."""
    changed, places = re.subn(r"(?m)^( +)- add_time\n(?=\1- update_time$)", r"\g<0>\1- add_time DESC\n", spec)
    assert places, "the description's list of sort orders is not where it was"
    return changed


class _Output:
    """Reads what Prism writes to its end, as it would stop at a full pipe, and finds its address in it."""

    def __init__(self, pipe: IO[str]) -> None:
        self._lines: list[str] = []
        self._found: queue.Queue[str | None] = queue.Queue()
        self._thread = threading.Thread(target=self._read, args=(pipe,), daemon=True)
        self._thread.start()

    def address(self) -> str:
        """Waits for the "listening" line."""
        address = self._found.get(timeout=STARTUP_SECONDS)
        assert address is not None, "Prism did not start:\n" + "".join(self._lines)
        return address

    def join(self) -> None:
        """Waits until the output has ended."""
        self._thread.join()

    def _read(self, pipe: IO[str]) -> None:
        for line in pipe:
            self._lines.append(line)
            if match := _LISTENING.search(line):
                self._found.put(match[1])
        self._found.put(None)
