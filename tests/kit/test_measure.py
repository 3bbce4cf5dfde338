"""`make measure`: every figure is there, and the walk of one label ends well."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_measure_prints_all_figures() -> None:
    done = subprocess.run(
        [sys.executable, "tools/measure.py"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    figures = [int(line.split()[-1].replace(",", "")) for line in done.stdout.splitlines()]
    assert len(figures) == 9
    assert all(figures)
