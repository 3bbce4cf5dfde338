"""Where the judges of `make judges` live: each in a Python environment of its own, made by tests/judges/install.py."""

import os
import subprocess
import tempfile
from pathlib import Path

import pytest

JUDGES = Path(__file__).resolve().parents[1] / "judges"
ENVIRONMENTS = JUDGES / "environments"


def program(environment: str, name: str) -> Path:
    """Return a program of an environment. Skip the test, with the reason, where the environment could not be made."""
    folder = ENVIRONMENTS / environment
    if not (folder / "installed").exists():
        failed = folder / "failed"
        pytest.skip(failed.read_text(encoding="utf-8").strip() if failed.exists() else "run `make judges`")
    return folder / "bin" / name


def run(*command: object, text: str = "", seconds: float = 300, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a program in an empty folder, away from the environment and the proxies of this process.

    Args:
        command: the program and its words.
        text: its stdin.
        seconds: how long it may take.
        environ: its environment besides PATH.

    """
    with tempfile.TemporaryDirectory() as folder:
        return subprocess.run(
            [str(word) for word in command],
            input=text,
            cwd=folder,
            env={"PATH": os.environ["PATH"], "HOME": folder, "NO_PROXY": "127.0.0.1", **environ},
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
