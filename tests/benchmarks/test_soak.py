"""The soak in small: accounts converge while requests go wrong. `python -m benchmarks.soak` does it with 1,000."""

from pathlib import Path

from benchmarks.soak import soak


def test_every_account_converges_despite_faults(tmp_path: Path) -> None:
    figures = soak(tmp_path, accounts=20, labels=50)
    assert figures["accounts_wrong"] == 0
    assert figures["faults_struck"] >= 10
    assert figures["requests"] >= 20 * 52
