"""leadstate as a process: its output goes to the log, and what it writes to stderr is kept too.

Both go to stdout: the runner of GitHub reads two streams in no certain order, and would find a line of stderr after the
end of what it is told to take for no command.
"""

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
            sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()
        return process.wait(), bytes(said)
