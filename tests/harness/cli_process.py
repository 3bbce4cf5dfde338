"""The command line as a process, and a sandbox on a real port."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Shell:
    """Runs `leadstate` in a folder, with an environment that holds nothing of ours but the tokens."""

    folder: Path
    environ: Mapping[str, str]

    def __call__(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("LEADSTATE_", "PIPEDRIVE_"))}
        return subprocess.run(
            [sys.executable, "-m", "leadstate", *words],
            cwd=self.folder,
            env={**clean, **self.environ},
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )

    def write(self, text: str, name: str = "leadstate.yaml") -> None:
        """Write a file of the configuration."""
        (self.folder / name).write_text(text, encoding="utf-8")


def python(*words: str, cwd: Path = ROOT, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run this Python, in the repository unless told otherwise."""
    return subprocess.run([sys.executable, *words], cwd=cwd, env=env, capture_output=True, text=True, check=False)


@contextmanager
def serving(*words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run this Python with a program that prints the address where it serves; yield the process and the address."""
    with subprocess.Popen(
        [sys.executable, *words], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().split()[-1]
        finally:
            process.kill()
