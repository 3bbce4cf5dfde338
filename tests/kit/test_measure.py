"""`make measure`: every figure is there, and the walk of one label ends well."""

from tests.harness.cli_process import python


def test_measure_prints_all_figures() -> None:
    done = python("tools/measure.py")
    assert done.returncode == 0, done.stderr
    figures = [int(line.split()[-1].replace(",", "")) for line in done.stdout.splitlines()]
    assert len(figures) == 9
    assert all(figures)
