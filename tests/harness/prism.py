"""The second outside judge: a proxy that checks every request and answer against the description in tests/contract.

`prism_proxy(upstream)` yields the proxy's base URL. A client talks to it as to the upstream, with `/api/v1` or
`/api/v2` in its paths. Where a request or an answer breaks the description, the proxy itself answers with
`application/problem+json`.
"""

import json
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

from tests.harness import contract

PRISM = Path(__file__).resolve().parents[1] / "judges" / "node_modules" / ".bin" / "prism"
STARTUP_SECONDS = 60

_LISTENING = re.compile(r"Prism is listening on (http://\S+)")


@contextmanager
def prism_proxy(upstream: str, *, descending: bool = True) -> Iterator[str]:
    """Run the proxy in front of `upstream`, a URL without path. Skip the test where the proxy is not installed.

    The vendor's own description forgets `add_time DESC`, which leadstate sends, among the values of `sort`. Without
    `descending` the proxy refuses that request, as a server might that knows the vendor's list alone.
    """
    if not PRISM.exists():
        pytest.skip("npm install in tests/judges brings the proxy")
    text = json.dumps(contract.document())
    assert '"add_time DESC", ' in text
    with tempfile.TemporaryDirectory() as folder:
        spec = Path(folder) / "spec.json"
        spec.write_text(text if descending else text.replace('"add_time DESC", ', ""), encoding="utf-8")
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


class _Output:
    """Reads what Prism writes to its end, as it would stop at a full pipe, and finds its address in it."""

    def __init__(self, pipe: IO[str]) -> None:
        self._lines: list[str] = []
        self._found: queue.Queue[str | None] = queue.Queue()
        self._thread = threading.Thread(target=self._read, args=(pipe,), daemon=True)
        self._thread.start()

    def address(self) -> str:
        """Wait for the "listening" line."""
        address = self._found.get(timeout=STARTUP_SECONDS)
        assert address is not None, "Prism did not start:\n" + "".join(self._lines)
        return address

    def join(self) -> None:
        """Wait until the output has ended."""
        self._thread.join()

    def _read(self, pipe: IO[str]) -> None:
        for line in pipe:
            self._lines.append(line)
            if match := _LISTENING.search(line):
                self._found.put(match[1])
        self._found.put(None)
