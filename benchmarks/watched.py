"""Runs leadstate as its command does, then tells the process's peak of memory as the last line of stderr."""

import json
import resource
import sys
from pathlib import Path

from leadstate.cli.main import run


def peak_bytes() -> int:
    """The most memory that this process had resident.

    Linux hands a parent's peak down to its child in `getrusage`, so there the kernel's own count is read.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


if __name__ == "__main__":
    code = run()
    print(json.dumps({"peak_bytes": peak_bytes()}), file=sys.stderr)
    sys.exit(code)
