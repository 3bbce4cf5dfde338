"""leadstate as a process: its output goes to the log, and what it writes to stderr is kept too."""

import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping


def run(words: Iterable[str], environ: Mapping[str, str]) -> tuple[int, bytes]:
    """Run leadstate, and return its exit code and what it wrote to stderr."""
    program = [sys.executable, "-I", "-m", "leadstate", *words]
    with subprocess.Popen(program, env=environ, stderr=subprocess.PIPE) as process:
        # Where a run is cancelled the platform signals this process alone; leadstate then finishes what is under way.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda sent, _frame: process.send_signal(sent))
        said = bytearray()
        for line in process.stderr or ():
            said += line
            sys.stderr.buffer.write(line)
            sys.stderr.buffer.flush()
        return process.wait(), bytes(said)
